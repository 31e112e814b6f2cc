/* tests/unit/never.c -- what must never happen is found when it does: each is
 * planted once, behind the contract's back.
 */
#include "rules.h"

#include "contract/inside.h"
#include "contract/never.h"
#include "contract/reservation.h"
#include "site.h"

static int found_in(struct desk *f)
{
	struct never_found found = {.rule = 0};
	bool bad = never_state(f->home.state, &found);

	assert_int_equal(bad, found.rule != 0);
	if (bad)
		assert_non_null(never_text(found.rule));
	return found.rule;
}

static struct reservation *at(struct desk *f, const struct id *id)
{
	return reservation_at(
		f->home.state, reservation_find(f->home.state, id));
}

static void test_clean(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);

	(void)unused;
	assert_int_equal(found_in(f), 0);
	assert_int_equal(emergency(f, ALICE, &flight.arrival, "east", "c"), 0);
	assert_int_equal(found_in(f), 0);
	assert_null(never_text(16));
	shut(f);
}

static void test_group(void **unused)
{
	struct desk *f = open_small();
	time_ms from = f->now + HOUR;
	struct id ids[2];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			reserve(f, ALICE, "east", i == 0 ? "a" : "b",
				from + i * HOUR, from + (i + 1) * HOUR),
			0);
		ids[i] = granted_id(f);
	}
	at(f, &ids[0])->end++;
	assert_int_equal(found_in(f), 2);
	at(f, &ids[0])->state = RESERVATION_CONTINGENT;
	assert_int_equal(found_in(f), 0);
	at(f, &ids[0])->end--;
	for (int i = 0; i < 2; i++) {
		at(f, &ids[i])->state = RESERVATION_CLEARED;
		at(f, &ids[i])->until = f->now + MINUTE;
	}
	assert_int_equal(found_in(f), 1);
	at(f, &ids[1])->until = f->now;
	assert_int_equal(found_in(f), 0);
	at(f, &ids[1])->state = RESERVATION_OCCUPIED;
	assert_int_equal(found_in(f), 11);
	at(f, &ids[1])->state = RESERVATION_CANCELLED;
	assert_int_equal(found_in(f), 12);
	shut(f);
}

static void test_flight(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct cause cause = {.moves = NULL};
	arena_mark mark = arena_now(&f->home.arena);

	(void)unused;
	reservation_end(f->home.state,
		reservation_find(f->home.state, &flight.arrival),
		RESERVATION_CANCELLED, &cause);
	assert_int_equal(found_in(f), 7);
	arena_rollback(&f->home.arena, mark);
	reservation_end(f->home.state,
		reservation_find(f->home.state, &flight.departure),
		RESERVATION_CANCELLED, &cause);
	assert_int_equal(found_in(f), 7);
	at(f, &flight.arrival)->flags = FLAG_AIRBORNE;
	assert_int_equal(found_in(f), 0);
	at(f, &flight.arrival)->state = RESERVATION_HELD;
	assert_int_equal(found_in(f), 8);
	shut(f);
}

static void test_closure(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);

	(void)unused;
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), 0);
	assert_int_equal(found_in(f), 0);
	f->home.state->ports[0].pads[0].closed_from = f->now;
	f->home.state->ports[0].pads[0].closed_until = f->now + HOUR;
	assert_int_equal(found_in(f), 9);
	shut(f);
}

static void test_aircraft_and_quota(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	uint32_t alice =
		table_find(&f->home.state->parties, &who_pair(ALICE)->key);

	(void)unused;
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "east", "c",
		flight.leaves + 30 * MINUTE, flight.leaves + HOUR, "X1", 0, 0);
	assert_int_equal(submit_op(f), 0);
	struct id id = granted_id(f);
	assert_int_equal(found_in(f), 0);
	at(f, &id)->start = flight.leaves;
	assert_int_equal(found_in(f), 14);
	at(f, &id)->start = flight.leaves + 30 * MINUTE;
	state_party_at(f->home.state, alice)->live--;
	assert_int_equal(found_in(f), 17);
	shut(f);
}

/* ---- in a block: what it did, or what is told of it, is changed ---- */

struct stage {
	struct genesis *genesis;
	struct site site;
	struct never_watch watch;
	struct paper paper;
	struct block_ref block;
	uint64_t number;
	time_ms now;
};

static struct stage *stage_open(void)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->genesis = genesis_new();
	s->genesis->parties[0].tier = 1;
	site_open(&s->site, s->genesis, &state_limits_small);
	s->now = T0;
	return s;
}

static void stage_close(struct stage *s)
{
	site_close(&s->site);
	free(s->genesis);
	free(s);
}

static struct paper *stage_write(struct stage *s, enum who who)
{
	paper_begin(
		&s->paper, who, ++s->number, s->now + 2 * MINUTE, TX_MODE_ALL);
	return &s->paper;
}

/* A block of what is on the paper. */
static void stage_block(struct stage *s, enum who who)
{
	struct id id = s->paper.tx.id;
	struct key key = who_pair(who)->key;

	assert_int_equal(
		pool_put(&s->site, &s->paper, who, s->genesis), ERR_OK);
	s->now += 1000;
	s->block = build(&s->site, s->now, false);
	mempool_remove(s->site.pool, &key, &id);
	assert_true(s->site.moves->count > 0 ||
		    s->paper.tx.ops[0].kind == OP_REQUEST_CLEARANCE);
}

static int judge(struct stage *s)
{
	struct never_watch *watch = malloc(sizeof(*watch));
	struct never_found found = {.rule = 0};

	assert_non_null(watch);
	*watch = s->watch;
	bool bad = never_block(
		watch, s->site.home.state, &s->block, s->site.moves, &found);
	assert_int_equal(bad, found.rule != 0);
	free(watch);
	return found.rule;
}

/* As it was, it is good, and is remembered. */
static void keep(struct stage *s)
{
	struct never_found found;

	assert_false(never_block(&s->watch, s->site.home.state, &s->block,
		s->site.moves, &found));
	assert_int_equal(judge(s), 13); /* a second time */
}

static struct party *stage_party(struct stage *s, enum who who)
{
	struct state *state = s->site.home.state;

	return state_party_at(
		state, table_find(&state->parties, &who_pair(who)->key));
}

/* What is wrong while *at is this. */
#define JUDGE_WITH(s, at, value, rule)                                         \
	do {                                                                   \
		__typeof__(at) was = (at);                                     \
		(at) = (value);                                                \
		assert_int_equal(judge(s), rule);                              \
		(at) = was;                                                    \
	} while (0)

static void plant_reserved(struct stage *s)
{
	struct move *move = &s->site.moves->items[0];
	struct state *state = s->site.home.state;
	uint32_t east;

	assert_true(port_find(state, view_text("east"), &east));
	struct pad *pad = &state->ports[east].pads[0];
	JUDGE_WITH(s, pad->open, false, 9);
	JUDGE_WITH(s, stage_party(s, ALICE)->tier, 0, 10);
	JUDGE_WITH(s, stage_party(s, ALICE)->live, 1000, 17);
	JUDGE_WITH(s, stage_party(s, ALICE)->role, ROLE_OBSERVER, 12);
	JUDGE_WITH(s, move->to, RESERVATION_OCCUPIED, 12);
	JUDGE_WITH(s, move->record.state, RESERVATION_HELD, 12);
	JUDGE_WITH(s, s->block.header.time, s->block.header.time + 1, 13);
}

static void plant_cleared(
	struct stage *s, const struct id *departure, const struct id *arrival)
{
	struct state *state = s->site.home.state;
	struct reservation *landing =
		reservation_at(state, reservation_find(state, arrival));
	struct view serial = view_text("X1");
	struct hash hash = hash_bytes(serial);
	uint64_t key;

	JUDGE_WITH(s, landing->state, RESERVATION_HELD, 6);
	state->time += 5001; /* and it was measured as long ago */
	JUDGE_WITH(s, s->block.header.time, (uint64_t)state->time, 3);
	state->time -= 5001;
	for (size_t i = 0; i < NEVER_KEPT; i++) {
		if (!id_equal(&s->watch.requests[i].reservation, departure))
			continue;
		JUDGE_WITH(s, s->watch.requests[i].used, true, 5);
		JUDGE_WITH(s, s->watch.requests[i].nonce, 7, 5);
	}
	memcpy(&key, &hash, sizeof(key));
	size_t slot = key % NEVER_KEPT;
	s->watch.movements[slot].aircraft = key;
	JUDGE_WITH(s, s->watch.movements[slot].moved, 1000, 5);
	JUDGE_WITH(s, stage_party(s, TOWER)->role, ROLE_OPERATOR, 12);
}

static void plant_departed(struct stage *s)
{
	struct moves *moves = s->site.moves;
	struct state *state = s->site.home.state;
	struct home other;

	JUDGE_WITH(s, moves->count, 0, 4);
	JUDGE_WITH(s, moves->items[0].record.aircraft, view_text("X2"), 4);
	JUDGE_WITH(s, moves->items[0].record.pad, view_text("b"), 4);
	JUDGE_WITH(s, moves->items[0].record.flags, RECORD_AIRBORNE, 8);
	/* A state in which this transaction had no effect. */
	home_open(&other, s->genesis, &state_limits_small, JOURNAL_BYTES);
	other.state->time = state->time;
	s->site.home.state = other.state;
	assert_int_equal(judge(s), 15);
	s->site.home.state = state;
	home_close(&other);
}

static void test_blocks_of_a_flight(void **unused)
{
	struct stage *s = stage_open();
	time_ms at = s->now + 5 * 1000;
	struct id departure, arrival;

	(void)unused;
	struct op_reserve half = wish_of("east", "a", at, at + 10 * MINUTE);
	half.aircraft = view_text("X1");
	half.pair = half.movement = half.tier = 1;
	struct paper *paper = stage_write(s, ALICE);
	PAPER_ADD(paper, op_reserve, &half);
	half.port = view_text("west");
	half.pad = view_text("b");
	half.movement = MOVEMENT_ARRIVAL;
	half.start += (uint64_t)MINUTE;
	half.end += (uint64_t)MINUTE;
	PAPER_ADD(paper, op_reserve, &half);
	stage_block(s, ALICE);
	departure = s->site.moves->items[0].record.reservation;
	arrival = s->site.moves->items[1].record.reservation;
	plant_reserved(s);
	keep(s);

	struct op_request_clearance ask = {
		.reservation = departure, .nonce = 1};
	PAPER_ADD(stage_write(s, ALICE), op_request_clearance, &ask);
	stage_block(s, ALICE);
	keep(s);
	s->now = at;
	struct op_clear clear = {
		.reservation = departure,
		.nonce = 1,
		.movement = MOVEMENT_DEPARTURE,
		.until = (uint64_t)(at + MINUTE),
		.pad_state = PAD_OCCUPIED,
		.on_pad = view_text("X1"),
		.measured = (uint64_t)at + 1000,
	};
	PAPER_ADD(stage_write(s, TOWER), op_clear, &clear);
	stage_block(s, TOWER);
	plant_cleared(s, &departure, &arrival);
	keep(s);

	struct op_departed left = {
		.port = view_text("east"),
		.pad = view_text("a"),
		.reservation = view_of(&departure, ID_SIZE),
		.aircraft = view_text("X1"),
	};
	PAPER_ADD(stage_write(s, TOWER), op_departed, &left);
	stage_block(s, TOWER);
	plant_departed(s);
	keep(s);
	stage_close(s);
}

static void test_blocks_of_tiers(void **unused)
{
	struct stage *s = stage_open();
	time_ms at = s->now + HOUR;
	struct op_reserve op = wish_of("east", "a", at, at + HOUR);

	(void)unused;
	PAPER_ADD(stage_write(s, BOB), op_reserve, &op);
	stage_block(s, BOB);
	keep(s);
	op.tier = 1;
	PAPER_ADD(stage_write(s, ALICE), op_reserve, &op);
	stage_block(s, ALICE);
	struct moves *moves = s->site.moves;
	assert_int_equal(moves->count, 2);
	assert_int_equal(moves->items[0].to, RESERVATION_PREEMPTED);
	JUDGE_WITH(s, moves->items[1].record.tier, 0, 10);
	JUDGE_WITH(s, moves->items[0].cause, OP_CANCEL, 10);
	JUDGE_WITH(s, moves->items[0].record.flags, RECORD_AIRBORNE, 8);
	struct move was = moves->items[0];
	moves->items[0].from = RESERVATION_OVERSTAY;
	moves->items[0].to = RESERVATION_RELEASED;
	moves->items[0].record.state = RESERVATION_RELEASED;
	assert_int_equal(judge(s), 11);
	moves->items[0] = was;
	keep(s);
	stage_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_flight),
		cmocka_unit_test(test_closure),
		cmocka_unit_test(test_aircraft_and_quota),
		cmocka_unit_test(test_blocks_of_a_flight),
		cmocka_unit_test(test_blocks_of_tiers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
