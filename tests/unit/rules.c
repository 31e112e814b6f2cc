/* tests/unit/rules.c -- holding and waiting, who gives way to whom, closures,
 * emergencies, landings that fail, and the registry.
 */
#include "rules.h"

#include "contract/inside.h"

static void test_hold(void **unused)
{
	struct desk *f = open_with_hold(MINUTE, 5 * MINUTE);
	struct flight flight = plan_flight(f, HOUR);
	struct id none = {{9}};

	(void)unused;
	/* Both wait as long as the longer one. */
	assert_int_equal(granted(f).state, RESERVATION_HELD);
	assert_int_equal(granted(f).until, f->now + 5 * MINUTE);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_HELD);
	assert_int_equal(
		confirm(f, ALICE, &none, 1), REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(
		confirm(f, BOB, &flight.departure, 1), REFUSAL_NOT_OWNER);
	assert_int_equal(
		confirm(f, ALICE, &flight.departure, 2), REFUSAL_VERSION);
	next_block(f, 5 * MINUTE - 1);
	assert_int_equal(confirm(f, ALICE, &flight.arrival, 1), 0);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_CONFIRMED);
	assert_int_equal(
		confirm(f, ALICE, &flight.departure, 2), REFUSAL_STATE);
	next_block(f, HOUR / 2);
	assert_int_equal(state_live_count(f->home.state), 2);

	flight = plan_flight(f, 2 * HOUR);
	next_block(f, 5 * MINUTE);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_NONE);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_NONE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(f->moves->items[i].to, RESERVATION_EXPIRED);
	shut(f);
}

/* A backlog of effects of time leaves a lapsed one there for a block. */
static void test_hold_backlog(void **unused)
{
	struct desk *f = open_with_hold(MINUTE, 0);

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", f->now + HOUR,
				 f->now + 2 * HOUR),
		0);
	struct id id = granted_id(f);
	f->home.state->time = f->now + MINUTE; /* and no effects */
	f->now = f->home.state->time;
	assert_int_equal(confirm(f, ALICE, &id, 1), REFUSAL_EXPIRED);
	shut(f);
}

static void test_no_show(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	f->home.state->ports[0].no_show = MINUTE; /* east: first by name */
	assert_int_equal(reserve(f, ALICE, "east", "a", f->now + HOUR,
				 f->now + 2 * HOUR),
		0);
	struct id id = granted_id(f);
	next_block(f, HOUR + MINUTE - 1);
	assert_int_equal(state_of(f, &id), RESERVATION_CONFIRMED);
	next_block(f, 1);
	assert_int_equal(state_of(f, &id), RESERVATION_NONE);
	assert_int_equal(f->moves->items[0].to, RESERVATION_NO_SHOW);
	shut(f);
}

static void test_waiting(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;
	struct id waits[3];
	struct record_party party;

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	struct id first = granted_id(f);
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(CAROL)->key, 2), 0);
	assert_int_equal(reserve_wait(f, BOB, "east", "b", at, at + MINUTE), 0);
	waits[0] = granted_id(f);
	assert_int_equal(granted(f).state, RESERVATION_WAITLISTED);
	assert_int_equal(
		reserve_wait(f, ALICE, "east", "a", at, at + MINUTE), 0);
	waits[1] = granted_id(f);
	/* A higher tier that displaces nobody (it is too late) goes first. */
	next_block(f, 30 * MINUTE);
	assert_int_equal(request(f, ALICE, &waits[0], 1), REFUSAL_NOT_OWNER);
	assert_int_equal(state_live_count(f->home.state), 1);
	assert_true(state_party(f->home.state, &who_pair(BOB)->key, &party));
	assert_int_equal(party.live, 1);
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &first);
	f->moves->count = 0;
	assert_int_equal(submit_op(f), 0);
	/* In the same block, in the order in which they came. */
	assert_int_equal(f->moves->count, 2);
	assert_int_equal(f->moves->items[1].from, RESERVATION_WAITLISTED);
	assert_int_equal(f->moves->items[1].cause, 0);
	assert_int_equal(state_of(f, &waits[0]), RESERVATION_CONFIRMED);
	assert_int_equal(state_of(f, &waits[1]), RESERVATION_WAITLISTED);
	/* Rolled back, nobody was served. */
	paper_cancel(write_as(f, BOB, TX_MODE_ALL), &waits[0]);
	paper_cancel(&f->paper, &first);
	assert_int_equal(submit_op(f), REFUSAL_ROLLED_BACK);
	assert_int_equal(state_of(f, &waits[0]), RESERVATION_CONFIRMED);
	/* Who waits in vain lapses at the start. */
	next_block(f, at - f->now);
	assert_int_equal(state_of(f, &waits[1]), RESERVATION_NONE);
	assert_int_equal(f->moves->items[0].to, RESERVATION_EXPIRED);
	/* And may give up before. */
	assert_int_equal(
		reserve(f, ALICE, "east", "c", at + HOUR, at + 2 * HOUR), 0);
	assert_int_equal(
		reserve_wait(f, BOB, "east", "c", at + HOUR, at + 2 * HOUR), 0);
	waits[2] = granted_id(f);
	paper_cancel(write_as(f, BOB, TX_MODE_ALL), &waits[2]);
	assert_int_equal(submit_op(f), 0);
	assert_true(state_party(f->home.state, &who_pair(BOB)->key, &party));
	assert_int_equal(party.live, 1);
	/* A flight does not wait. */
	write_pair(f, TX_MODE_ALL, at + HOUR, at + 2 * HOUR, "X1");
	assert_int_equal(submit_op(f), 0);
	struct op_reserve op = wish_of("east", "a", at + HOUR, at + 2 * HOUR);
	op.wait = 1;
	op.pair = 1;
	op.movement = MOVEMENT_DEPARTURE;
	assert_int_equal(reserve_as(f, BOB, &op), REFUSAL_SLOT_TAKEN);
	shut(f);
}

static void test_tiers(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(
		grant_tier(f, ALICE, &who_pair(BOB)->key, 1), REFUSAL_ROLE);
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(BOB)->key, 2), 0);
	/* With an alternate that is free, one without, and half a flight. */
	struct op_reserve op = wish_of("east", "a", at, at + 10 * MINUTE);
	op.alternate_port = view_text("east");
	op.alternate_pad = view_text("c");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	struct id moved = granted_id(f);
	assert_int_equal(reserve(f, CAROL, "east", "b", at + 10 * MINUTE,
				 at + 20 * MINUTE),
		0);
	struct id ended = granted_id(f);
	struct flight flight = plan_flight(f, HOUR + 20 * MINUTE);
	f->moves->count = 0;
	assert_int_equal(
		reserve_tier(f, BOB, "east", "a", at, at + HOUR, 2), 0);
	assert_int_equal(granted(f).displaced, 3);
	assert_int_equal(state_of(f, &moved), RESERVATION_CONFIRMED);
	struct record_reservation record;
	assert_true(state_reservation(f->home.state, &moved, &record));
	assert_true(view_equal(record.pad, view_text("c")));
	assert_int_equal(record.start, at);
	assert_int_equal(record.alternate_port.size, 0);
	assert_int_equal(state_of(f, &ended), RESERVATION_NONE);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_NONE);
	assert_int_equal(f->moves->items[1].to, RESERVATION_PREEMPTED);
	/* Not over a flight that has begun, nor over its own tier. */
	shut(f);
	f = open_small();
	flight = take_off(f);
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(BOB)->key, 2), 0);
	assert_int_equal(reserve_tier(f, BOB, "west", "b", flight.lands,
				 flight.lands + MINUTE, 2),
		REFUSAL_PRIORITY);
	shut(f);
}

/* The alternate is in the very window that is taken. */
static void test_alternate_taken(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(BOB)->key, 1), 0);
	struct op_reserve op = wish_of("east", "a", at, at + HOUR);
	op.alternate_port = view_text("east");
	op.alternate_pad = view_text("b");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	struct id id = granted_id(f);
	assert_int_equal(
		reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1), 0);
	assert_int_equal(state_of(f, &id), RESERVATION_NONE);
	op.alternate_pad = view_text("z");
	assert_int_equal(reserve_as(f, ALICE, &op), REFUSAL_UNKNOWN_PAD);
	op.alternate_pad = view_text("");
	assert_int_equal(reserve_as(f, ALICE, &op), REFUSAL_MALFORMED);
	shut(f);
}

static void test_closures(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(
		close_pad(f, ALICE, "east", "a", 0, 0, "ice"), REFUSAL_ROLE);
	assert_int_equal(close_pad(f, WEST_TOWER, "east", "a", 0, 0, "ice"),
		REFUSAL_NOT_CONTROLLER);
	assert_int_equal(close_pad(f, TOWER, "east", "z", 0, 0, ""),
		REFUSAL_UNKNOWN_PAD);
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", 0, 0, ""), REFUSAL_NOTICE);
	assert_int_equal(close_pad(f, TOWER, "east", "a",
				 f->now + 10 * MINUTE - 1, 0, "ice"),
		REFUSAL_NOTICE);
	assert_int_equal(close_pad(f, TOWER, "east", "a", at, at, ""),
		REFUSAL_BAD_WINDOW);
	struct flight flight = plan_flight(f, HOUR);
	assert_int_equal(reserve(f, BOB, "east", "b", at + 30 * MINUTE,
				 at + 40 * MINUTE),
		0);
	struct id other = granted_id(f);
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", at + MINUTE, at + HOUR, ""),
		0);
	assert_int_equal(closed(f).ended, 2);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_NONE);
	assert_int_equal(state_of(f, &other), RESERVATION_CONFIRMED);
	assert_int_equal(pad_at(f, "east", 0).closed_from, at + MINUTE);
	assert_int_equal(reserve(f, BOB, "east", "a", at, at + MINUTE + 1),
		REFUSAL_PAD_CLOSED);
	assert_int_equal(reserve(f, BOB, "east", "a", at, at + MINUTE), 0);
	assert_int_equal(
		reserve(f, BOB, "east", "a", at + HOUR, at + 2 * HOUR), 0);
	next_block(f, HOUR + 2 * MINUTE);
	assert_int_equal(close_pad(f, TOWER, "east", "a", at + 2 * HOUR, 0, ""),
		REFUSAL_PAD_CLOSED);
	assert_int_equal(
		open_pad(f, WEST_TOWER, "east", "a"), REFUSAL_NOT_CONTROLLER);
	assert_int_equal(open_pad(f, TOWER, "east", "z"), REFUSAL_UNKNOWN_PAD);
	assert_int_equal(open_pad(f, AUTHORITY, "east", "a"), 0);
	assert_int_equal(pad_at(f, "east", 0).closed_until, 0);
	/* One that was closed from the start. */
	assert_int_equal(open_pad(f, WEST_TOWER, "west", "a"), 0);
	assert_int_equal(
		reserve(f, BOB, "west", "a", f->now, f->now + MINUTE), 0);
	shut(f);
}

/* What is closed, or will be, stays it: only open_pad opens. */
static void test_a_closure_opens_nothing(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", at, at + HOUR, ""), 0);
	assert_int_equal(close_pad(f, AUTHORITY, "east", "a", at + 5 * HOUR,
				 at + 6 * HOUR, ""),
		REFUSAL_PAD_CLOSED);
	assert_int_equal(close_pad(f, AUTHORITY, "east", "a", 0,
				 f->now + 10 * MINUTE, "ice"),
		0);
	assert_int_equal(pad_at(f, "east", 0).closed_from, f->now);
	assert_int_equal(pad_at(f, "east", 0).closed_until, at + HOUR);
	next_block(f, MINUTE);
	assert_int_equal(close_pad(f, TOWER, "east", "a", 0, at, "snow"), 0);
	assert_int_equal(pad_at(f, "east", 0).closed_until, at + HOUR);
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", 0, at + 2 * HOUR, "snow"), 0);
	assert_int_equal(pad_at(f, "east", 0).closed_until, at + 2 * HOUR);
	/* One that is over counts no more. */
	next_block(f, 4 * HOUR);
	at = f->now + HOUR;
	assert_int_equal(
		close_pad(f, TOWER, "east", "a", at, at + MINUTE, ""), 0);
	assert_int_equal(pad_at(f, "east", 0).closed_until, at + MINUTE);
	shut(f);
}

/* At once, over a clearance and over what is in the air. */
static void test_closed_in_flight(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);

	(void)unused;
	assert_int_equal(
		close_pad(f, WEST_TOWER, "west", "b", 0, 0, "fire"), 0);
	assert_int_equal(closed(f).diverted, 1);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	/* It goes on to where there is room. */
	assert_int_equal(go_around(f, ALICE, &flight.arrival, "east", "c",
				 f->now + MINUTE, f->now + 10 * MINUTE),
		0);
	assert_int_equal(granted(f).state, RESERVATION_CONFIRMED);
	next_block(f, MINUTE);
	assert_int_equal(request(f, ALICE, &flight.arrival, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.arrival, 2), 0);
	assert_int_equal(close_pad(f, TOWER, "east", "c", 0, 0, "ice"), 0);
	assert_int_equal(closed(f).diverted, 1);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	assert_int_equal(
		landed(f, TOWER, "east", "c", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	shut(f);

	/* A departure's clearance is taken back, and its flight ends. */
	f = open_small();
	flight = plan_flight(f, HOUR);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), 0);
	assert_int_equal(close_pad(f, TOWER, "east", "a", 0, 0, "ice"), 0);
	assert_int_equal(closed(f).ended, 2);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);

	/* The landing's pad, while the departure is cleared: it may be on its
	 * way already. */
	f = open_small();
	flight = plan_flight(f, HOUR);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), 0);
	assert_int_equal(close_pad(f, WEST_TOWER, "west", "b", 0, 0, "ice"), 0);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X1"), 0);
	next_block(f, HOUR);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	shut(f);
}

static void test_go_around(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct id none = {{9}};
	const struct id *id = &flight.arrival;

	(void)unused;
	assert_int_equal(go_around(f, ALICE, &none, NULL, NULL, 0, 0),
		REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(
		go_around(f, ALICE, id, NULL, NULL, 0, 0), REFUSAL_STATE);
	shut(f);
	f = open_small();
	flight = take_off(f);
	assert_int_equal(
		go_around(f, BOB, id, NULL, NULL, 0, 0), REFUSAL_NOT_OWNER);
	assert_int_equal(go_around(f, TOWER, id, NULL, NULL, 0, 0),
		REFUSAL_NOT_CONTROLLER);
	assert_int_equal(
		reserve(f, BOB, "east", "c", f->now, f->now + HOUR), 0);
	/* Not free: it keeps the place it has, and says so. */
	assert_int_equal(go_around(f, WEST_TOWER, id, "east", "c",
				 f->now + MINUTE, f->now + 2 * MINUTE),
		0);
	assert_int_equal(granted(f).state, RESERVATION_CONTINGENT);
	assert_int_equal(go_around(f, WEST_TOWER, id, "east", "c",
				 f->now + HOUR, f->now + 2 * HOUR),
		0);
	assert_int_equal(granted(f).state, RESERVATION_CONFIRMED);
	struct record_reservation record;
	assert_true(state_reservation(f->home.state, id, &record));
	assert_true(view_equal(record.port, view_text("east")));
	assert_int_equal(record.flags, RECORD_AIRBORNE);
	shut(f);
}

static void test_alternate(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	struct op_reserve op = wish_of("west", "b", at, at + 10 * MINUTE);
	op.aircraft = view_text("X1");
	op.movement = MOVEMENT_ARRIVAL;
	op.alternate_port = view_text("north");
	op.alternate_pad = view_text("a");
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	struct id id = granted_id(f);
	next_block(f, HOUR + MINUTE);
	assert_int_equal(
		go_around(f, ALICE, &id, NULL, NULL, 0, 0), REFUSAL_STATE);
	assert_int_equal(request(f, ALICE, &id, 1), 0);
	assert_int_equal(clear(f, WEST_TOWER, &id, 2), 0);
	assert_int_equal(go_around(f, ALICE, &id, NULL, NULL, 0, 0), 0);
	assert_int_equal(granted(f).state, RESERVATION_CONFIRMED);
	assert_true(view_equal(granted(f).port, view_text("north")));
	assert_int_equal(go_around(f, ALICE, &id, NULL, NULL, 0, 0), 0);
	assert_int_equal(granted(f).state, RESERVATION_CONTINGENT);
	shut(f);
}

static void test_emergency(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);
	struct id none = {{9}};
	struct record_party party;
	struct record_reservation record;

	(void)unused;
	assert_int_equal(emergency(f, ALICE, &none, NULL, NULL),
		REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(emergency(f, BOB, &flight.arrival, NULL, NULL),
		REFUSAL_NOT_OWNER);
	assert_int_equal(emergency(f, ALICE, &flight.arrival, "east", "z"),
		REFUSAL_UNKNOWN_PAD);
	paper_reserve(write_as(f, BOB, TX_MODE_ALL), "east", "c", f->now,
		f->now + HOUR, "X7", 0, MOVEMENT_ANY);
	assert_int_equal(submit_op(f), 0);
	struct id other = granted_id(f);
	assert_int_equal(request(f, BOB, &other, 1), 0);
	/* Over somebody else's window; who has not begun waits. */
	assert_int_equal(emergency(f, ALICE, &flight.arrival, "east", "c"), 0);
	assert_true(state_reservation(f->home.state, &flight.arrival, &record));
	assert_int_equal(record.state, RESERVATION_CONTINGENT);
	assert_true(view_equal(record.pad, view_text("c")));
	assert_int_equal(record.start, f->now + 1);
	assert_int_equal(clear(f, TOWER, &other, 2), 0); /* it begins later */
	assert_int_equal(take_back(f, TOWER, &other), 0);
	next_block(f, MINUTE);
	assert_int_equal(request(f, BOB, &other, 2), 0);
	assert_int_equal(clear(f, TOWER, &other, 2), REFUSAL_PAD_BUSY);
	assert_true(state_party(f->home.state, &who_pair(ALICE)->key, &party));
	assert_int_equal(party.emergencies, 1);
	assert_int_equal(
		landed(f, TOWER, "east", "c", &flight.arrival, "X1"), 0);
	next_block(f, HOUR / 2);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	assert_int_equal(vacated(f, TOWER, "east", "c"), 0);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_NONE);
	assert_int_equal(state_of(f, &other), RESERVATION_CONFIRMED);

	/* Before it has left: the whole flight, to the end of its windows. */
	flight = plan_flight(f, HOUR);
	assert_int_equal(emergency(f, ALICE, &flight.arrival, NULL, NULL), 0);
	assert_int_equal(
		state_of(f, &flight.departure), RESERVATION_CONTINGENT);
	next_block(f, 2 * HOUR);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

static struct keypair numbered_pair(uint8_t number)
{
	struct keypair pair;
	uint8_t seed[32] = {77, number};

	keypair_from_seed(&pair, seed);
	return pair;
}

static void test_parties(void **unused)
{
	struct desk *f = open_small();
	struct keypair other = numbered_pair(0);
	const struct key *stranger = &who_pair(STRANGER)->key;

	(void)unused;
	assert_int_equal(register_party(f, AUTHORITY, stranger, "stranger",
				 ROLE_OPERATOR),
		0);
	assert_int_equal(
		reserve(f, STRANGER, "east", "a", f->now, f->now + HOUR), 0);
	assert_int_equal(register_party(f, AUTHORITY, stranger, "stranger",
				 ROLE_OBSERVER),
		REFUSAL_EXISTS);
	assert_int_equal(
		register_party(f, AUTHORITY, &other.key, "x", ROLE_AUTHORITY),
		REFUSAL_MALFORMED);
	assert_int_equal(
		register_party(f, AUTHORITY, &other.key, "x y", ROLE_OPERATOR),
		REFUSAL_MALFORMED);
	assert_int_equal(set_party(f, AUTHORITY, &other.key, 1, 1),
		REFUSAL_UNKNOWN_PARTY);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(AUTHORITY)->key, 1, 0),
		REFUSAL_ROLE);
	assert_int_equal(set_party(f, AUTHORITY, stranger, 1, 1), 0);
	assert_int_equal(
		reserve(f, STRANGER, "east", "c", f->now, f->now + HOUR),
		REFUSAL_QUOTA);
	assert_int_equal(set_party(f, AUTHORITY, stranger, 9, 0), 0);
	paper_reservation(write_as(f, STRANGER, TX_MODE_ALL), "east");
	assert_int_equal(submit(f), REFUSAL_PARTY_DOWN);
	shut(f);
}

/* Who is set down may reserve nothing and clear nobody; but what happened
 * happened, and who is in trouble is in trouble. */
static void test_down_in_flight(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);
	const struct id *id = &flight.arrival;

	(void)unused;
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(ALICE)->key, 9, 0), 0);
	assert_int_equal(
		set_party(f, AUTHORITY, &who_pair(WEST_TOWER)->key, 0, 0), 0);
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), id);
	assert_int_equal(submit(f), REFUSAL_PARTY_DOWN);
	/* An emergency does not bring anything else in. */
	struct op_declare_emergency op = {.reservation = *id,
		.port = view_text(""),
		.pad = view_text("")};
	PAPER_ADD(write_as(f, ALICE, TX_MODE_EACH), op_declare_emergency, &op);
	paper_reservation(&f->paper, "east");
	assert_int_equal(submit(f), REFUSAL_PARTY_DOWN);
	assert_int_equal(state_of(f, id), RESERVATION_CONFIRMED);
	assert_int_equal(go_around(f, ALICE, id, NULL, NULL, 0, 0), 0);
	assert_int_equal(emergency(f, ALICE, id, NULL, NULL), 0);
	assert_int_equal(state_of(f, id), RESERVATION_CONTINGENT);
	assert_int_equal(landed(f, WEST_TOWER, "west", "b", id, "X1"), 0);
	next_block(f, 2 * HOUR);
	assert_int_equal(state_of(f, id), RESERVATION_CONTINGENT);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(state_of(f, id), RESERVATION_NONE);
	assert_int_equal(departed(f, WEST_TOWER, "west", "b", NULL, "X9"), 0);
	assert_int_equal(pad_at(f, "west", 1).blocked, 1);
	shut(f);
}

static uint64_t register_port(struct desk *f, const struct op_register_port *op)
{
	PAPER_ADD(write_as(f, AUTHORITY, TX_MODE_ALL), op_register_port, op);
	return submit_op(f);
}

/* The same state from a snapshot. */
static void assert_loads(struct desk *f)
{
	struct home copy;
	struct hash root = state_root(f->home.state);
	uint8_t *bytes = malloc(state_save_bytes(f->home.state));
	size_t size = state_save(f->home.state, bytes), index;

	home_open(&copy, f->genesis, &state_limits_small, JOURNAL_BYTES);
	assert_int_equal(
		state_load(copy.state, f->genesis, view_of(bytes, size), &root),
		ERR_OK);
	assert_true(state_port_find(copy.state, view_text("Central"), &index));
	assert_int_equal(index, 0);
	home_close(&copy);
	free(bytes);
}

static void test_ports(void **unused)
{
	struct desk *f = open_small();
	struct keypair tower = numbered_pair(1);
	struct op_register_port op = {
		.name = view_text("Central"),
		.controller = tower.key,
		.duration = (uint64_t)MINUTE,
		.pads_count = 2,
		.pads = {{view_text("A"), view_text("g")},
			{view_text("A"), view_text("g")}},
	};

	(void)unused;
	struct hash before = state_root(f->home.state);
	arena_mark mark = arena_now(&f->home.arena);
	assert_int_equal(register_port(f, &op), REFUSAL_MALFORMED);
	op.pads[1].name = view_text("B");
	assert_int_equal(register_port(f, &op), REFUSAL_UNKNOWN_PARTY);
	assert_int_equal(register_party(f, AUTHORITY, &tower.key,
				 "central_tower", ROLE_CONTROLLER),
		0);
	assert_int_equal(register_port(f, &op), 0);
	assert_int_equal(
		reserve(f, ALICE, "Central", "B", f->now, f->now + HOUR), 0);
	assert_int_equal(
		reserve(f, ALICE, "east", "a", f->now, f->now + HOUR), 0);
	op.name = view_text("other");
	assert_int_equal(register_port(f, &op), REFUSAL_EXISTS);
	op.controller = who_pair(ALICE)->key;
	assert_int_equal(register_port(f, &op), REFUSAL_NOT_CONTROLLER);
	assert_loads(f);
	/* And none of it after a rollback. */
	arena_rollback(&f->home.arena, mark);
	struct hash root = state_root(f->home.state);
	assert_true(hash_equal(&root, &before));
	shut(f);
}

/* Details for few: the ledger keeps their hash, and names nobody. */
static void test_sealed(void **unused)
{
	struct desk *f = open_small();
	struct op_reserve op =
		wish_of("east", "a", f->now + HOUR, f->now + 2 * HOUR);
	struct detail_slot_taken taken;
	struct record_reservation record;
	uint8_t commitment[32] = {1, 2, 3};

	(void)unused;
	op.commitment = view_of(commitment, 31);
	assert_int_equal(reserve_as(f, ALICE, &op), REFUSAL_MALFORMED);
	/* What nobody could check later is not kept. */
	op.commitment = view_of(NULL, 0);
	op.sealed = view_text("for those who may know");
	assert_int_equal(reserve_as(f, ALICE, &op), REFUSAL_MALFORMED);
	op.commitment = view_of(commitment, 32);
	assert_int_equal(reserve_as(f, ALICE, &op), 0);
	struct id id = granted_id(f);
	assert_true(state_reservation(f->home.state, &id, &record));
	assert_true(view_equal(record.commitment, op.commitment));
	for (int i = 0; i < 2; i++) {
		const char *pad = i == 0 ? "a" : "c";

		assert_int_equal(reserve(f, BOB, "east", pad, f->now + HOUR,
					 f->now + 2 * HOUR),
			i == 0 ? REFUSAL_SLOT_TAKEN : REFUSAL_GRANTED);
		assert_int_equal(reserve(f, CAROL, "east", pad, f->now + HOUR,
					 f->now + 2 * HOUR),
			REFUSAL_SLOT_TAKEN);
		assert_int_equal(detail_slot_taken_decode(&taken,
					 f->answer.receipt.ops[0].details),
			ERR_OK);
		assert_true(view_equal(taken.conflicts[0].operator,
			view_text(i == 0 ? "" : "bob")));
		assert_int_equal(
			taken.conflicts[0].state, RESERVATION_CONFIRMED);
	}
	shut(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_backlog),
		cmocka_unit_test(test_no_show),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_alternate_taken),
		cmocka_unit_test(test_closures),
		cmocka_unit_test(test_a_closure_opens_nothing),
		cmocka_unit_test(test_closed_in_flight),
		cmocka_unit_test(test_go_around),
		cmocka_unit_test(test_alternate),
		cmocka_unit_test(test_emergency),
		cmocka_unit_test(test_parties),
		cmocka_unit_test(test_down_in_flight),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_sealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
