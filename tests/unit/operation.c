/* tests/unit/operation.c -- what the operations do when nothing forbids them,
 * and what time does.
 */
#include "desk.h"

#include "contract/inside.h"
#include "contract/reservation.h"

static void test_granted(void **unused)
{
	struct desk *f = open_small();
	struct record_reservation record;
	struct record_party party;
	struct detail_granted detail;

	(void)unused;
	time_ms start = f->now + HOUR;
	assert_int_equal(reserve(f, ALICE, "east", "b", start, start + HOUR),
		REFUSAL_GRANTED);
	struct id id = granted_id(f);
	assert_true(state_reservation(f->home.state, &id, &record));
	assert_true(view_equal(record.port, view_text("east")));
	assert_true(view_equal(record.pad, view_text("b")));
	assert_true(key_equal(&record.operator, & who_pair(ALICE)->key));
	assert_int_equal(record.start, start);
	assert_int_equal(record.end, start + HOUR);
	assert_int_equal(record.state, RESERVATION_CONFIRMED);
	assert_int_equal(record.version, 1);
	assert_int_equal(record.height, f->height);
	assert_int_equal(detail_granted_decode(
				 &detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_int_equal(detail.start, start);
	assert_int_equal(detail.version, 1);
	assert_true(state_party(f->home.state, &who_pair(ALICE)->key, &party));
	assert_int_equal(party.live, 1);
	assert_int_equal(f->moves->count, 1);
	assert_int_equal(f->moves->items[0].from, RESERVATION_NONE);
	assert_int_equal(f->moves->items[0].to, RESERVATION_CONFIRMED);
	assert_int_equal(f->moves->items[0].cause, OP_RESERVE);
	assert_int_equal(f->moves->items[0].tx_index, 3);
	assert_int_equal(state_deadline(f->home.state), start + HOUR);
	shut(f);
}

static void test_id(void **unused)
{
	struct desk *f = open_small();
	uint8_t bytes[17 + KEY_SIZE + ID_SIZE + 1] = "perch/reservation";

	(void)unused;
	paper_begin(&f->paper, ALICE, 77, f->now + MINUTE, TX_MODE_EACH);
	paper_cancel(&f->paper, &(struct id){{1}});
	paper_reserve(&f->paper, "east", "a", f->now, f->now + HOUR, "", 0, 0);
	submit(f);
	memcpy(bytes + 17, &who_pair(ALICE)->key, KEY_SIZE);
	memcpy(bytes + 17 + KEY_SIZE, &f->paper.tx.id, ID_SIZE);
	bytes[sizeof(bytes) - 1] = 1;
	struct hash hash = hash_bytes(view_of(bytes, sizeof(bytes)));
	struct id id = receipt_id(&f->answer.receipt, 1);
	assert_memory_equal(&id, &hash, sizeof(id));
	shut(f);
}

/* Two minutes before and one after: three between any two. */
static void test_buffers(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	time_ms start = f->now + HOUR, end = start + HOUR;
	assert_int_equal(reserve(f, ALICE, "north", "a", start, end), 0);
	assert_int_equal(
		reserve(f, BOB, "north", "a", end + 3 * MINUTE - 1, end + HOUR),
		REFUSAL_SLOT_TAKEN);
	assert_int_equal(reserve(f, BOB, "north", "a", start - 30 * MINUTE,
				 start - 3 * MINUTE + 1),
		REFUSAL_SLOT_TAKEN);
	assert_int_equal(
		reserve(f, BOB, "north", "a", end + 3 * MINUTE, end + HOUR),
		REFUSAL_GRANTED);
	assert_int_equal(reserve(f, BOB, "north", "a", start - 30 * MINUTE,
				 start - 3 * MINUTE),
		REFUSAL_GRANTED);
	shut(f);
}

static void test_modes(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	for (uint64_t mode = TX_MODE_ALL; mode <= TX_MODE_EACH; mode++) {
		struct paper *paper = write_as(f, ALICE, mode);
		paper_reserve(paper, "east", "a", at, at + HOUR, "", 0, 0);
		paper_reserve(paper, "east", "b", at, at + HOUR, "", 0, 0);
		paper_reserve(paper, "east", "c", at, at + HOUR, "", 0, 0);
		f->moves->count = 0;
		assert_int_equal(submit(f), REFUSAL_GRANTED);
		const struct op_receipt *ops = f->answer.receipt.ops;
		uint64_t others = mode == TX_MODE_ALL ? REFUSAL_ROLLED_BACK
						      : REFUSAL_GRANTED;
		size_t kept = mode == TX_MODE_ALL ? 0 : 2;
		assert_int_equal(ops[0].code, others);
		assert_int_equal(ops[1].code, REFUSAL_SLOT_TAKEN);
		assert_int_equal(ops[2].code, others);
		assert_true(ops[1].details.size > 0);
		assert_int_equal(ops[0].details.size > 0, kept > 0);
		assert_int_equal(ops[0].reservation.size > 0, kept > 0);
		assert_int_equal(state_live_count(f->home.state), kept);
		assert_int_equal(f->moves->count, kept);
	}
	shut(f);
}

static void test_reservation(void **unused)
{
	struct desk *f = open_small();
	struct detail_granted granted;
	struct detail_slot_taken taken;

	(void)unused;
	/* Pads a and b share a group: the second goes to c. */
	for (int i = 0; i < 2; i++) {
		paper_reservation(write_as(f, ALICE, TX_MODE_ALL), "east");
		assert_int_equal(submit_op(f), REFUSAL_GRANTED);
		assert_int_equal(detail_granted_decode(&granted,
					 f->answer.receipt.ops[0].details),
			ERR_OK);
		assert_true(
			view_equal(granted.pad, view_text(i == 0 ? "a" : "c")));
		assert_int_equal(granted.start, f->now);
		assert_int_equal(granted.end, f->now + 10 * MINUTE);
	}
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "east");
	assert_int_equal(submit_op(f), REFUSAL_SLOT_TAKEN);
	assert_int_equal(detail_slot_taken_decode(
				 &taken, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_int_equal(taken.conflicts_count, 2);
	assert_int_equal(taken.free_count, 3);
	assert_int_equal(taken.free[0].start, f->now + 10 * MINUTE);
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "north");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_int_equal(detail_granted_decode(
				 &granted, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_int_equal(granted.start, f->now + 5 * MINUTE);
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "south");
	assert_int_equal(submit_op(f), REFUSAL_UNKNOWN_PAD);
	/* The first pad of west is closed; the only one left after it: */
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "west");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	shut(f);
}

/* Each slot that a refusal offers can be had. */
static void take_each(struct desk *f)
{
	struct detail_slot_taken offer;
	struct view details = f->answer.receipt.ops[0].details;
	uint8_t copy[512];

	assert_true(details.size <= sizeof(copy));
	memcpy(copy, details.data, details.size);
	assert_int_equal(
		detail_slot_taken_decode(&offer, view_of(copy, details.size)),
		ERR_OK);
	assert_int_equal(offer.free_count, 3);
	for (size_t i = 0; i < offer.free_count; i++) {
		struct op_reserve op = {
			.port = view_text("east"),
			.pad = offer.free[i].pad,
			.start = offer.free[i].start,
			.end = offer.free[i].end,
		};

		PAPER_ADD(write_as(f, BOB, TX_MODE_ALL), op_reserve, &op);
		assert_int_equal(submit_op(f), REFUSAL_GRANTED);
		struct id id = granted_id(f);
		paper_cancel(write_as(f, BOB, TX_MODE_ALL), &id);
		assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	}
}

static void test_offered_slots(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;
	struct op_reserve op = {
		.port = view_text("east"),
		.pad = view_text("a"),
		.start = (uint64_t)at,
		.end = (uint64_t)(at + HOUR),
	};

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	assert_int_equal(reserve(f, ALICE, "east", "b", at + 2 * HOUR,
				 at + 2 * HOUR + MINUTE),
		0);
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR),
		REFUSAL_SLOT_TAKEN);
	take_each(f);
	/* Of a higher tier, too, and of the prototypes' word. */
	state_party_at(f->home.state,
		table_find(&f->home.state->parties, &who_pair(ALICE)->key))
		->tier = 1;
	op.tier = 1;
	op.pad = view_text("c");
	for (int i = 0; i < 2; i++) {
		PAPER_ADD(write_as(f, ALICE, TX_MODE_ALL), op_reserve, &op);
		assert_int_equal(submit_op(f), i == 0 ? 0 : REFUSAL_PRIORITY);
	}
	take_each(f);
	for (int i = 0; i < 3; i++) {
		paper_reservation(write_as(f, ALICE, TX_MODE_ALL), "east");
		assert_int_equal(submit_op(f), i < 2 ? 0 : REFUSAL_SLOT_TAKEN);
	}
	take_each(f);
	shut(f);
}

static void test_reservation_guards(void **unused)
{
	struct desk *f = malloc(sizeof(*f));

	(void)unused;
	memset(f, 0, sizeof(*f));
	f->genesis = genesis_new();
	f->moves = calloc(1, sizeof(*f->moves));
	add_port(f->genesis, "shut", "AB", 0, 0, 0);
	add_port(f->genesis, "slow", "a", 0, 0, 0);
	f->genesis->ports[4].duration = (uint64_t)(25 * HOUR);
	add_port(f->genesis, "far", "a", 31 * 24 * HOUR, 0, 0);
	home_open(&f->home, f->genesis, &state_limits_small, JOURNAL_BYTES);
	f->now = T0;
	next_block(f, 1);
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "shut");
	assert_int_equal(submit_op(f), REFUSAL_PAD_CLOSED);
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "slow");
	assert_int_equal(submit_op(f), REFUSAL_BAD_WINDOW);
	paper_reservation(write_as(f, BOB, TX_MODE_ALL), "far");
	assert_int_equal(submit_op(f), REFUSAL_HORIZON);
	shut(f);
}

static void test_time(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	write_pair(f, TX_MODE_ALL, at, at + HOUR, "X1");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_int_equal(reserve(f, BOB, "east", "c", at, at + 2 * HOUR), 0);
	assert_int_equal(state_deadline(f->home.state), at + 5 * MINUTE);
	next_block(f, at + 5 * MINUTE - 1 - f->now);
	assert_int_equal(f->moves->count, 0);
	assert_int_equal(state_live_count(f->home.state), 3);
	/* The departure does not happen, so the landing place is free too. */
	next_block(f, 1);
	assert_int_equal(f->moves->count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(f->moves->items[i].to, RESERVATION_NO_SHOW);
		assert_int_equal(f->moves->items[i].cause, 0);
	}
	assert_int_equal(state_live_count(f->home.state), 1);
	next_block(f, 12 * HOUR);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

/* Time alone never frees a pad with an aircraft on it. */
static void test_time_and_aircraft(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	assert_int_equal(reserve(f, BOB, "east", "c", at, at + HOUR), 0);
	struct id id = granted_id(f);
	uint32_t index = reservation_find(f->home.state, &id);
	struct cause cause = {.moves = NULL};
	reservation_move(f->home.state, index, RESERVATION_CLEARED, &cause);
	reservation_move(f->home.state, index, RESERVATION_OCCUPIED, &cause);
	next_block(f, 3 * HOUR);
	assert_int_equal(f->moves->count, 1);
	assert_int_equal(f->moves->items[0].to, RESERVATION_OVERSTAY);
	assert_int_equal(state_live_count(f->home.state), 1);
	assert_int_equal(state_deadline(f->home.state), INT64_MAX);
	next_block(f, 30 * HOUR);
	assert_int_equal(f->moves->count, 0);
	cause.moves = f->moves;
	reservation_end(f->home.state, index, RESERVATION_RELEASED, &cause);
	assert_int_equal(f->moves->count, 1);
	shut(f);
}

static void leave_table(void *argument)
{
	struct desk *f = argument;
	struct cause cause = {.moves = NULL};

	reservation_end(f->home.state, deadline_first(f->home.state),
		RESERVATION_RELEASED, &cause);
}

static void test_table_of_states(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	/* What ends early never had an aircraft near the pad. */
	for (int from = RESERVATION_NONE; from <= RESERVATION_REVOKED; from++) {
		bool near = from == RESERVATION_CLEARED ||
			    from == RESERVATION_OCCUPIED ||
			    from == RESERVATION_OVERSTAY ||
			    from == RESERVATION_CONTINGENT;
		for (int to = RESERVATION_CANCELLED; to <= RESERVATION_REVOKED;
			to++) {
			if (near || from >= RESERVATION_RELEASED)
				assert_false(move_allowed(from, to));
		}
		assert_false(move_allowed(from, RESERVATION_NONE));
		enum reservation_state end = move_at_end(from);
		if (end != RESERVATION_NONE)
			assert_true(move_allowed(from, end));
	}
	assert_int_equal(
		reserve(f, BOB, "east", "c", f->now, f->now + HOUR), 0);
	assert_true(unit_aborts(leave_table, f));
	shut(f);
}

/* What an evaluator asks for, at any time and for any length. */
static void test_free_slots(void **unused)
{
	struct desk *f = open_small();
	const struct state *state = f->home.state;
	time_ms month = 30 * 24 * HOUR;
	struct free_slot slots[4];
	size_t north, east;

	(void)unused;
	assert_true(state_port_find(state, view_text("north"), &north));
	assert_true(state_port_find(state, view_text("east"), &east));
	/* Never before the lead. */
	assert_int_equal(contract_free_slots(state, north, view_text("a"), 0,
				 MINUTE, slots, 1),
		1);
	assert_int_equal(slots[0].start, f->now + 5 * MINUTE);
	/* Never beyond the horizon. */
	time_ms last = f->now + month - HOUR;
	assert_int_equal(contract_free_slots(state, east, view_text("a"), last,
				 HOUR, slots, 4),
		1);
	assert_int_equal(slots[0].end, f->now + month);
	assert_int_equal(contract_free_slots(state, east, view_text("a"),
				 last + 1, HOUR, slots, 4),
		0);
	/* Any pad: the soonest first, then in order of pad. */
	assert_int_equal(reserve(f, ALICE, "east", "b", f->now, f->now + HOUR),
		REFUSAL_GRANTED);
	assert_int_equal(contract_free_slots(state, east, view_text(""), f->now,
				 HOUR, slots, 3),
		3);
	assert_string_equal(slots[0].pad, "c");
	assert_int_equal(slots[0].start, f->now);
	assert_string_equal(slots[1].pad, "a");
	assert_int_equal(slots[1].start, f->now + HOUR);
	assert_string_equal(slots[2].pad, "b");
	/* No such pad, no such length. */
	assert_int_equal(contract_free_slots(state, east, view_text("z"),
				 f->now, HOUR, slots, 4),
		0);
	assert_int_equal(contract_free_slots(state, east, view_text("a"),
				 f->now, 24 * HOUR + 1, slots, 4),
		0);
	assert_int_equal(contract_free_slots(state, east, view_text("a"),
				 f->now, 0, slots, 4),
		0);
	shut(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_granted),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_reservation),
		cmocka_unit_test(test_offered_slots),
		cmocka_unit_test(test_reservation_guards),
		cmocka_unit_test(test_free_slots),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_time_and_aircraft),
		cmocka_unit_test(test_table_of_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
