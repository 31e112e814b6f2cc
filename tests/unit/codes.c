/* tests/unit/codes.c -- every operation, refused with every code that it may
 * say, and with no other: codes.h is the table, the last test checks it.
 */
#include "codes.h"

#include "contract/inside.h"
#include "contract/reservation.h"
#include "rules.h"

static const struct id nothing = {{9}};

static uint64_t amend(struct desk *f, enum who who, const struct id *id,
	uint64_t version, const char *pad, time_ms start, time_ms end)
{
	paper_amend(
		write_as(f, who, TX_MODE_ALL), id, version, pad, start, end);
	return submit_op(f);
}

static uint64_t cancel(struct desk *f, enum who who, const struct id *id)
{
	paper_cancel(write_as(f, who, TX_MODE_ALL), id);
	return submit_op(f);
}

static uint64_t soon(struct desk *f, enum who who, const char *port)
{
	paper_reservation(write_as(f, who, TX_MODE_ALL), port);
	return submit_op(f);
}

static uint64_t set_node(struct desk *f, int node, uint64_t role)
{
	f->member_free = true;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), node, "node", role);
	return submit_op(f);
}

static uint64_t register_port(
	struct desk *f, const char *name, const struct key *controller)
{
	struct op_register_port op = {
		.name = view_text(name),
		.controller = *controller,
		.pads_count = 1,
		.pads = {{view_text("A"), view_text("g")}},
	};

	PAPER_ADD(write_as(f, AUTHORITY, TX_MODE_ALL), op_register_port, &op);
	return submit_op(f);
}

static void write_empty(struct desk *f, enum who who, uint64_t kind)
{
	struct paper *paper = write_as(f, who, TX_MODE_ALL);

	memset(paper->bodies[0], 0xc0, 4);
	paper_close_op(paper, kind, 4);
}

static void test_role_and_form(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	for (uint64_t kind = OP_RESERVE; kind <= OP_OPEN_PAD; kind++) {
		const struct op_kind *known = op_find((uint8_t)kind);
		enum who who = known->roles >> ROLE_OPERATOR & 1    ? ALICE
			       : known->roles >> ROLE_AUTHORITY & 1 ? AUTHORITY
								    : TOWER;

		write_empty(f, OBSERVER, kind);
		assert_int_equal(submit_op(f), REFUSAL_ROLE);
		write_empty(f, who, kind);
		assert_int_equal(submit_op(f), REFUSAL_MALFORMED);
	}
	shut(f);
}

static void test_no_such(void **unused)
{
	struct desk *f = open_small();
	const uint64_t one = REFUSAL_UNKNOWN_RESERVATION;
	const uint64_t pad = REFUSAL_UNKNOWN_PAD;
	const uint64_t party = REFUSAL_UNKNOWN_PARTY;
	const struct key *nobody = &who_pair(STRANGER)->key;
	time_ms now = f->now;

	(void)unused;
	assert_int_equal(amend(f, ALICE, &nothing, 1, "a", now, now + 1), one);
	assert_int_equal(cancel(f, ALICE, &nothing), one);
	assert_int_equal(confirm(f, ALICE, &nothing, 1), one);
	assert_int_equal(request(f, ALICE, &nothing, 1), one);
	assert_int_equal(clear(f, TOWER, &nothing, 1), one);
	assert_int_equal(take_back(f, TOWER, &nothing), one);
	assert_int_equal(go_around(f, ALICE, &nothing, NULL, NULL, 0, 0), one);
	assert_int_equal(emergency(f, ALICE, &nothing, NULL, NULL), one);

	assert_int_equal(reserve(f, ALICE, "east", "a", now, now + HOUR), 0);
	struct id id = granted_id(f);
	assert_int_equal(reserve(f, ALICE, "east", "z", now, now + HOUR), pad);
	assert_int_equal(amend(f, ALICE, &id, 1, "z", now, now + 1), pad);
	assert_int_equal(soon(f, ALICE, "south"), pad);
	assert_int_equal(departed(f, TOWER, "east", "z", NULL, "X1"), pad);
	assert_int_equal(landed(f, TOWER, "south", "a", NULL, "X1"), pad);
	assert_int_equal(vacated(f, TOWER, "east", "z"), pad);
	assert_int_equal(emergency(f, ALICE, &id, "east", "z"), pad);
	assert_int_equal(close_pad(f, TOWER, "east", "z", 0, 0, "ice"), pad);
	assert_int_equal(open_pad(f, TOWER, "east", "z"), pad);

	assert_int_equal(grant_tier(f, AUTHORITY, nobody, 1), party);
	assert_int_equal(set_party(f, AUTHORITY, nobody, 1, 1), party);
	assert_int_equal(register_port(f, "new", nobody), party);
	assert_int_equal(set_node(f, 9, 0), REFUSAL_UNKNOWN_NODE);
	shut(f);
}

static void test_not_yours(void **unused)
{
	struct desk *f = open_small();
	const uint64_t owner = REFUSAL_NOT_OWNER;
	const uint64_t tower = REFUSAL_NOT_CONTROLLER;
	time_ms now = f->now;

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", now, now + HOUR), 0);
	struct id id = granted_id(f);
	assert_int_equal(amend(f, BOB, &id, 1, "a", now, now + 1), owner);
	assert_int_equal(cancel(f, BOB, &id), owner);
	assert_int_equal(confirm(f, BOB, &id, 1), owner);
	assert_int_equal(request(f, BOB, &id, 1), owner);
	assert_int_equal(go_around(f, BOB, &id, NULL, NULL, 0, 0), owner);
	assert_int_equal(emergency(f, BOB, &id, NULL, NULL), owner);

	assert_int_equal(clear(f, WEST_TOWER, &id, 1), tower);
	assert_int_equal(take_back(f, WEST_TOWER, &id), tower);
	assert_int_equal(departed(f, WEST_TOWER, "east", "a", NULL, ""), tower);
	assert_int_equal(landed(f, WEST_TOWER, "east", "a", NULL, ""), tower);
	assert_int_equal(vacated(f, WEST_TOWER, "east", "a"), tower);
	assert_int_equal(
		go_around(f, WEST_TOWER, &id, NULL, NULL, 0, 0), tower);
	assert_int_equal(
		close_pad(f, WEST_TOWER, "east", "a", 0, 0, "ice"), tower);
	assert_int_equal(open_pad(f, WEST_TOWER, "east", "a"), tower);
	assert_int_equal(register_port(f, "new", &who_pair(ALICE)->key), tower);
	shut(f);
}

static void test_windows(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR, month = 30 * 24 * HOUR;
	struct {
		time_ms start, end;
		uint64_t code;
	} bad[] = {
		{f->now - 1, at, REFUSAL_PAST},
		{at, at, REFUSAL_BAD_WINDOW},
		{at, at + 24 * HOUR + 1, REFUSAL_BAD_WINDOW},
		{at + month - HOUR, at + month, REFUSAL_HORIZON},
		{at + 3 * HOUR, at + 4 * HOUR, REFUSAL_SLOT_TAKEN},
		{at + 40 * HOUR, at + 41 * HOUR, REFUSAL_PAD_CLOSED},
	};

	(void)unused;
	struct op_reserve op = wish_of("east", "a", at, at + HOUR);
	op.aircraft = view_text("X1");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	struct id id = granted_id(f);
	assert_int_equal(
		reserve(f, BOB, "east", "b", at + 3 * HOUR, at + 4 * HOUR), 0);
	assert_int_equal(close_pad(f, TOWER, "east", "a", at + 40 * HOUR,
				 at + 42 * HOUR, ""),
		0);
	op = wish_of("west", "b", at + 9 * HOUR, at + 10 * HOUR);
	op.aircraft = view_text("X1");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	op.port = view_text("north");
	op.pad = view_text("a");
	assert_int_equal(reserve_as(f, BOB, &op), REFUSAL_AIRCRAFT_BUSY);
	assert_int_equal(
		amend(f, ALICE, &id, 1, "a", at + 9 * HOUR, at + 10 * HOUR),
		REFUSAL_AIRCRAFT_BUSY);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(reserve(f, ALICE, "east", "a", bad[i].start,
					 bad[i].end),
			bad[i].code);
		assert_int_equal(
			amend(f, ALICE, &id, 1, "a", bad[i].start, bad[i].end),
			bad[i].code);
	}
	write_pair(f, TX_MODE_ALL, at + HOUR, at + HOUR, "X1");
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	struct flight flight = plan_flight(f, 20 * HOUR);
	assert_int_equal(amend(f, ALICE, &flight.arrival, 1, "b", flight.leaves,
				 flight.leaves + HOUR),
		REFUSAL_PAIR_TIME);
	shut(f);
}

static void test_changed_meanwhile(void **unused)
{
	struct desk *f = open_with_hold(MINUTE, 5 * MINUTE);
	struct flight flight = plan_flight(f, HOUR);
	const struct id *id = &flight.departure;
	time_ms at = flight.leaves;

	(void)unused;
	assert_int_equal(
		amend(f, ALICE, id, 7, "a", at, at + MINUTE), REFUSAL_VERSION);
	assert_int_equal(confirm(f, ALICE, id, 7), REFUSAL_VERSION);
	assert_int_equal(request(f, ALICE, id, 1), REFUSAL_STATE);
	assert_int_equal(confirm(f, ALICE, id, 1), 0);
	assert_int_equal(confirm(f, ALICE, id, 2), REFUSAL_STATE);
	assert_int_equal(take_back(f, TOWER, id), REFUSAL_STATE);
	assert_int_equal(
		go_around(f, ALICE, id, NULL, NULL, 0, 0), REFUSAL_STATE);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, id, 1), 0);
	assert_int_equal(clear(f, TOWER, id, 1), 0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_STATE);
	assert_int_equal(
		amend(f, ALICE, id, 3, "a", at, at + MINUTE), REFUSAL_STATE);
	assert_int_equal(cancel(f, ALICE, id), REFUSAL_STATE);
	assert_int_equal(departed(f, TOWER, "east", "a", id, "X1"), 0);
	assert_int_equal(cancel(f, ALICE, &flight.arrival), REFUSAL_AIRBORNE);
	/* A lapsed one that a backlog of effects of time has left there. */
	assert_int_equal(reserve(f, ALICE, "east", "c", f->now + HOUR,
				 f->now + 2 * HOUR),
		0);
	struct id held = granted_id(f);
	f->home.state->time = f->now += MINUTE;
	assert_int_equal(confirm(f, ALICE, &held, 1), REFUSAL_EXPIRED);
	shut(f);
}

static void test_requests(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	struct op_reserve op = wish_of("west", "b", at, at + HOUR);
	op.aircraft = view_text("X1");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	struct op_request_clearance ask = {
		.reservation = granted_id(f), .nonce = 1};
	assert_int_equal(
		request(f, ALICE, &ask.reservation, 1), REFUSAL_AIRCRAFT);
	assert_int_equal(request(f, ALICE, &ask.reservation, 0), REFUSAL_NONCE);
	ask.aircraft = view_text("X1");
	PAPER_ADD(write_as(f, ALICE, TX_MODE_ALL), op_request_clearance, &ask);
	assert_int_equal(submit_op(f), REFUSAL_AIRCRAFT_BUSY);
	shut(f);
}

static void test_clear(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	const struct id *id = &flight.departure;
	struct op_clear op;

	(void)unused;
	assert_int_equal(request(f, ALICE, id, 1), 0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_WINDOW);
	next_block(f, HOUR);
	op = good_clear(f, id, 1);
	op.nonce = 2;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_NONCE);
	op = good_clear(f, id, 1);
	op.measured -= 5001;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op = good_clear(f, id, 1);
	op.on_pad = view_text("X2");
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_BUSY);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(ALICE)->key, 9, 0), 0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_PARTY_DOWN);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(ALICE)->key, 9, 1), 0);
	/* A closure ends what is in it, but not always in one block. */
	uint32_t east;
	assert_true(port_find(f->home.state, view_text("east"), &east));
	struct pad *pad = &f->home.state->ports[east].pads[0];
	pad->closed_from = f->now;
	pad->closed_until = f->now + 1;
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_PAD_CLOSED);
	pad->closed_from = pad->closed_until = 0;
	assert_int_equal(emergency(f, ALICE, &flight.arrival, NULL, NULL), 0);
	shut(f);

	f = open_with_hold(0, 90 * MINUTE);
	flight = plan_flight(f, 10 * MINUTE);
	assert_int_equal(confirm(f, ALICE, id, 1), 0);
	next_block(f, 10 * MINUTE);
	assert_int_equal(request(f, ALICE, id, 1), 0);
	uint32_t landing = reservation_find(f->home.state, &flight.arrival);
	reservation_at(f->home.state, landing)->state = RESERVATION_HELD;
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_DESTINATION);
	reservation_at(f->home.state, landing)->state = RESERVATION_CONFIRMED;
	assert_int_equal(clear(f, TOWER, id, 1), 0);
	shut(f);
}

static void test_who_is_first(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(reserve(f, BOB, "east", "a", at, at + HOUR), 0);
	assert_int_equal(reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1),
		REFUSAL_TIER_NOT_GRANTED);
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(BOB)->key, 1), 0);
	assert_int_equal(
		reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1), 0);
	assert_int_equal(reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1),
		REFUSAL_PRIORITY);
	for (int i = 0; i < 8; i++)
		assert_int_equal(
			reserve_wait(f, ALICE, "east", "a", at, at + HOUR), 0);
	assert_int_equal(reserve_wait(f, ALICE, "east", "a", at, at + HOUR),
		REFUSAL_WAITLIST_FULL);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(CAROL)->key, 0, 1), 0);
	assert_int_equal(
		reserve(f, CAROL, "east", "c", at, at + 1), REFUSAL_QUOTA);
	assert_int_equal(soon(f, CAROL, "east"), REFUSAL_QUOTA);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(AUTHORITY)->key, 0, 0),
		REFUSAL_ROLE);
	shut(f);
}

/* The prototypes' word, at ports that are shut, slow, and far away. */
static void test_soon(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	assert_int_equal(soon(f, ALICE, "west"), 0);
	assert_int_equal(soon(f, ALICE, "west"), REFUSAL_SLOT_TAKEN);
	assert_int_equal(close_pad(f, WEST_TOWER, "west", "b", 0, 0, "ice"), 0);
	assert_int_equal(soon(f, ALICE, "west"), REFUSAL_PAD_CLOSED);
	uint32_t east;
	assert_true(port_find(f->home.state, view_text("east"), &east));
	struct port *port = &f->home.state->ports[east];
	port->duration = 25 * HOUR;
	assert_int_equal(soon(f, ALICE, "east"), REFUSAL_BAD_WINDOW);
	port->duration = HOUR;
	port->lead = 30 * 24 * HOUR;
	assert_int_equal(soon(f, ALICE, "east"), REFUSAL_HORIZON);
	port->lead = 0;
	/* A forgotten transaction's id makes the same reservation ids. */
	assert_int_equal(soon(f, ALICE, "east"), 0);
	next_block(f, 2 * MINUTE);
	f->number--;
	assert_int_equal(soon(f, ALICE, "east"), REFUSAL_REPLAY);
	next_block(f, 2 * MINUTE);
	f->number--;
	assert_int_equal(reserve(f, ALICE, "east", "c", f->now + 2 * HOUR,
				 f->now + 3 * HOUR),
		REFUSAL_REPLAY);
	shut(f);
}

static void test_full(void **unused)
{
	struct state_limits limits = state_limits_small;
	struct desk *f = malloc(sizeof(*f));
	struct keypair tower, other;
	uint8_t seed[32] = {77};

	(void)unused;
	crypto_start();
	keypair_from_seed(&tower, seed);
	seed[1] = 1;
	keypair_from_seed(&other, seed);
	limits.reservations_max = 1;
	limits.parties_max = 9;
	limits.ports_max = 3;
	limits.nodes_max = NODES;
	open_with(f, &limits);
	assert_int_equal(register_party(f, AUTHORITY, &who_pair(BOB)->key,
				 "bob", ROLE_OPERATOR),
		REFUSAL_EXISTS);
	assert_int_equal(register_party(f, AUTHORITY, &tower.key, "tower2",
				 ROLE_CONTROLLER),
		0);
	assert_int_equal(register_party(f, AUTHORITY, &other.key, "other",
				 ROLE_OPERATOR),
		REFUSAL_FULL);
	assert_int_equal(register_port(f, "east", &tower.key), REFUSAL_EXISTS);
	assert_int_equal(register_port(f, "new", &tower.key), REFUSAL_FULL);
	assert_int_equal(set_node(f, 9, 1), REFUSAL_FULL);
	f->member_free = false;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 9, "node", 1);
	assert_int_equal(submit_op(f), REFUSAL_MEMBERSHIP);
	assert_int_equal(reserve(f, ALICE, "east", "a", f->now + HOUR,
				 f->now + 2 * HOUR),
		0);
	struct id id = granted_id(f);
	assert_int_equal(reserve(f, ALICE, "east", "c", f->now, f->now + HOUR),
		REFUSAL_FULL);
	assert_int_equal(soon(f, ALICE, "east"), REFUSAL_FULL);
	reservation_at(f->home.state, reservation_find(f->home.state, &id))
		->version = UINT32_MAX;
	assert_int_equal(
		amend(f, ALICE, &id, UINT32_MAX, "a", f->now, f->now + HOUR),
		REFUSAL_FULL);
	shut(f);
}

static void test_closing(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", 0, 0, ""), REFUSAL_NOTICE);
	assert_int_equal(close_pad(f, TOWER, "east", "a", at, at, ""),
		REFUSAL_BAD_WINDOW);
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", 0, at + HOUR, "ice"), 0);
	assert_int_equal(close_pad(f, TOWER, "east", "a", at, at + HOUR, ""),
		REFUSAL_PAD_CLOSED);
	shut(f);
}

/* What was seen is what is declared. */
static void test_table(void **unused)
{
	size_t pairs = 0;

	(void)unused;
	for (uint64_t kind = OP_RESERVE; kind <= OP_OPEN_PAD; kind++) {
		const char *name = op_find((uint8_t)kind)->name;

		for (int code = 1; code <= REFUSAL_UNKNOWN_PARTY; code++) {
			bool declared = codes_declared[kind] >> code & 1;

			if (declared && !refused_with[kind][code])
				fail_msg("no test has %s refused: %s", name,
					refusal_name((enum refusal)code));
			if (!declared && refused_with[kind][code] &&
				code != REFUSAL_ROLLED_BACK)
				fail_msg(
					"%s says %s, which is not in the table",
					name, refusal_name((enum refusal)code));
			pairs += declared;
		}
	}
	print_message("%zu pairs of operation and code\n", pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_role_and_form),
		cmocka_unit_test(test_no_such),
		cmocka_unit_test(test_not_yours),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_who_is_first),
		cmocka_unit_test(test_soon),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
