/* tests/unit/flight.c -- a flight from its request for a clearance to the empty
 * pad, and everything that can go wrong with a clearance or a fact.
 */
#include "flight.h"

#include "contract/inside.h"

static void test_flight(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct detail_clearance detail;
	struct record_reservation record;

	(void)unused;
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 7), 0);
	assert_true(
		state_reservation(f->home.state, &flight.departure, &record));
	assert_int_equal(record.nonce, 7);
	assert_int_equal(record.asked, f->now);
	assert_int_equal(
		clear(f, TOWER, &flight.departure, MOVEMENT_DEPARTURE), 0);
	assert_int_equal(detail_clearance_decode(
				 &detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_true(view_equal(detail.port, view_text("east")));
	assert_true(view_equal(detail.pad, view_text("a")));
	assert_true(view_equal(detail.aircraft, view_text("X1")));
	assert_true(key_equal(&detail.operator, & who_pair(ALICE)->key));
	assert_int_equal(detail.movement, MOVEMENT_DEPARTURE);
	assert_int_equal(detail.nonce, 7);
	assert_int_equal(detail.from, f->now);
	assert_int_equal(detail.until, f->now + MINUTE);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_CLEARED);
	assert_int_equal(state_deadline(f->home.state), f->now + MINUTE);

	next_block(f, MINUTE - 1);
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X1"), 0);
	assert_int_equal(told(f).incursion, 0);
	assert_int_equal(told(f).state, RESERVATION_RELEASED);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_NONE);
	assert_true(state_reservation(f->home.state, &flight.arrival, &record));
	assert_int_equal(record.flags, RECORD_AIRBORNE);

	next_block(f, 9 * MINUTE + 1);
	assert_int_equal(request(f, ALICE, &flight.arrival, 1), 0);
	assert_int_equal(
		clear(f, WEST_TOWER, &flight.arrival, MOVEMENT_ARRIVAL), 0);
	next_block(f, 1);
	assert_int_equal(
		landed(f, WEST_TOWER, "west", "b", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 0);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_OCCUPIED);
	next_block(f, 1);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(told(f).state, RESERVATION_RELEASED);
	assert_int_equal(state_live_count(f->home.state), 0);
	assert_int_equal(pad_at(f, "east", 0).incursions, 0);
	assert_int_equal(pad_at(f, "west", 1).incursions, 0);
	shut(f);
}

static void test_request(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct id none = {{9}};

	(void)unused;
	assert_int_equal(
		request(f, ALICE, &none, 1), REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(
		request(f, BOB, &flight.departure, 1), REFUSAL_NOT_OWNER);
	assert_int_equal(
		request(f, ALICE, &flight.departure, 0), REFUSAL_NONCE);
	assert_int_equal(request(f, ALICE, &flight.departure, 5), 0);
	assert_int_equal(
		request(f, ALICE, &flight.departure, 5), REFUSAL_NONCE);
	assert_int_equal(request(f, ALICE, &flight.departure, 6), 0);

	/* Another aircraft than the reservation's. */
	struct op_request_clearance op = {.reservation = flight.departure,
		.nonce = 8,
		.aircraft = view_text("X2")};
	PAPER_ADD(write_as(f, ALICE, TX_MODE_ALL), op_request_clearance, &op);
	assert_int_equal(submit_op(f), REFUSAL_AIRCRAFT);

	/* A reservation of no aircraft names one now, if it is not elsewhere.
	 */
	assert_int_equal(reserve(f, ALICE, "east", "c", flight.leaves,
				 flight.leaves + MINUTE),
		0);
	op.reservation = granted_id(f);
	assert_int_equal(
		request(f, ALICE, &op.reservation, 1), REFUSAL_AIRCRAFT);
	op.aircraft = view_text("X1");
	PAPER_ADD(write_as(f, ALICE, TX_MODE_ALL), op_request_clearance, &op);
	assert_int_equal(submit_op(f), REFUSAL_AIRCRAFT_BUSY);
	op.aircraft = view_text("X2");
	PAPER_ADD(write_as(f, ALICE, TX_MODE_ALL), op_request_clearance, &op);
	assert_int_equal(submit_op(f), 0);
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "north", "a",
		flight.leaves, flight.leaves + MINUTE, "X2", 0, MOVEMENT_ANY);
	assert_int_equal(submit_op(f), REFUSAL_AIRCRAFT_BUSY);

	next_block(f, HOUR);
	assert_int_equal(
		clear(f, TOWER, &flight.departure, MOVEMENT_DEPARTURE), 0);
	assert_int_equal(
		request(f, ALICE, &flight.departure, 99), REFUSAL_STATE);
	shut(f);
}

static void test_clear_guards(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct id none = {{9}};
	const struct id *id = &flight.departure;

	(void)unused;
	assert_int_equal(
		clear(f, TOWER, &none, 1), REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(clear(f, WEST_TOWER, id, 1), REFUSAL_NOT_CONTROLLER);
	assert_int_equal(clear(f, ALICE, id, 1), REFUSAL_ROLE);
	assert_int_equal(clear(f, TOWER, id, 0), REFUSAL_MALFORMED);
	assert_int_equal(clear(f, TOWER, id, 2), REFUSAL_STATE);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_NONCE);
	assert_int_equal(request(f, ALICE, id, 3), 0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_WINDOW);
	next_block(f, HOUR - 1);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_WINDOW);
	next_block(f, 1);

	struct op_clear op = good_clear(f, id, 1);
	op.nonce = 2;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_NONCE);
	op = good_clear(f, id, 1);
	op.until = (uint64_t)f->now;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_WINDOW);
	op.until = (uint64_t)(f->now + 5 * MINUTE + 1);
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_WINDOW);

	op = good_clear(f, id, 1);
	op.measured = (uint64_t)(f->now - 5001);
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op.measured = (uint64_t)(f->now + 5001);
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op.measured = (uint64_t)(f->now - 5000);
	op.pad_state = PAD_UNKNOWN;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op.pad_state = PAD_EMPTY;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op.pad_state = PAD_OCCUPIED;
	op.on_pad = view_text("X9");
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_BUSY);
	op.on_pad = view_text("X1");
	assert_int_equal(clear_with(f, TOWER, &op), 0);
	/* Once. */
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_STATE);
	/* Nobody lands who has not left. */
	assert_int_equal(request(f, ALICE, &flight.arrival, 3), 0);
	next_block(f, 1);
	assert_int_equal(
		clear(f, WEST_TOWER, &flight.arrival, 2), REFUSAL_STATE);
	shut(f);
}

static void test_arrival_guards(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);
	const struct id *id = &flight.arrival;

	(void)unused;
	/* It came unexpected, and stands on the pad. */
	assert_int_equal(landed(f, WEST_TOWER, "west", "b", NULL, "Z"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(told(f).blocked, 1);
	assert_int_equal(pad_at(f, "west", 1).blocked, 1);
	assert_int_equal(pad_at(f, "west", 1).incursions, 1);
	next_block(f, 10 * MINUTE);
	assert_int_equal(request(f, ALICE, id, 3), 0);
	struct op_clear op = good_clear(f, id, 2);
	op.pad_state = PAD_OCCUPIED;
	assert_int_equal(clear_with(f, WEST_TOWER, &op), REFUSAL_PAD_BUSY);
	op.pad_state = PAD_EMPTY;
	assert_int_equal(clear_with(f, WEST_TOWER, &op), REFUSAL_PAD_BUSY);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(told(f).blocked, 0);
	assert_int_equal(clear_with(f, WEST_TOWER, &op), 0);
	shut(f);
}

/* One approach: while one is cleared, nobody else is. */
static void test_group(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "east", "a", at,
		at + MINUTE, "X1", 0, MOVEMENT_ANY);
	assert_int_equal(submit_op(f), 0);
	struct id first = granted_id(f);
	paper_reserve(write_as(f, BOB, TX_MODE_ALL), "east", "b", at + MINUTE,
		at + 2 * MINUTE, "X2", 0, MOVEMENT_ANY);
	assert_int_equal(submit_op(f), 0);
	struct id second = granted_id(f);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &first, 1), 0);
	assert_int_equal(request(f, BOB, &second, 1), 0);
	assert_int_equal(clear(f, TOWER, &first, MOVEMENT_ARRIVAL), 0);
	assert_int_equal(landed(f, TOWER, "east", "a", &first, "X1"), 0);
	next_block(f, MINUTE);
	/* It stays too long: its own pad, but not the other one, is blocked. */
	assert_int_equal(state_of(f, &first), RESERVATION_OVERSTAY);
	assert_int_equal(clear(f, TOWER, &second, MOVEMENT_ARRIVAL), 0);
	shut(f);
}

static void test_party_down(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	uint32_t party =
		table_find(&f->home.state->parties, &who_pair(ALICE)->key);

	(void)unused;
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	next_block(f, HOUR);
	state_party_at(f->home.state, party)->up = false;
	assert_int_equal(
		clear(f, TOWER, &flight.departure, 1), REFUSAL_PARTY_DOWN);
	shut(f);
}

/* A grant that answers what was asked before the last flight (PX4 #12685). */
static void test_old_request(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);

	(void)unused;
	time_ms later = f->now + 3 * HOUR;
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "west", "b", later,
		later + MINUTE, "X1", 0, MOVEMENT_DEPARTURE);
	assert_int_equal(submit_op(f), 0);
	struct id again = granted_id(f);
	assert_int_equal(request(f, ALICE, &again, 1), 0);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), 0);
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X1"), 0);
	next_block(f, 10 * MINUTE);
	assert_int_equal(request(f, ALICE, &flight.arrival, 1), 0);
	assert_int_equal(clear(f, WEST_TOWER, &flight.arrival, 2), 0);
	assert_int_equal(
		landed(f, WEST_TOWER, "west", "b", &flight.arrival, "X1"), 0);
	next_block(f, later - f->now);
	assert_int_equal(clear(f, WEST_TOWER, &again, 1), REFUSAL_NONCE);
	assert_int_equal(request(f, ALICE, &again, 2), 0);
	/* Its own overstay does not stand in its way. */
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_OVERSTAY);
	assert_int_equal(clear(f, WEST_TOWER, &again, 1), 0);
	assert_int_equal(departed(f, WEST_TOWER, "west", "b", &again, "X1"), 0);
	assert_int_equal(told(f).incursion, 0);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

static void test_taking_back(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	struct id none = {{9}};
	const struct id *id = &flight.departure;

	(void)unused;
	next_block(f, HOUR);
	assert_int_equal(
		take_back(f, TOWER, &none), REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(take_back(f, TOWER, id), REFUSAL_STATE);
	for (uint64_t i = 1; i <= 2; i++) {
		enum who who = i == 1 ? TOWER : AUTHORITY;

		assert_int_equal(request(f, ALICE, id, i), 0);
		assert_int_equal(clear(f, TOWER, id, 1), 0);
		assert_int_equal(
			take_back(f, WEST_TOWER, id), REFUSAL_NOT_CONTROLLER);
		assert_int_equal(take_back(f, ALICE, id), REFUSAL_ROLE);
		assert_int_equal(take_back(f, who, id), 0);
		assert_int_equal(state_of(f, id), RESERVATION_CONFIRMED);
	}
	/* What was taken back does not cover a take-off. */
	assert_int_equal(departed(f, TOWER, "east", "a", id, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	shut(f);
}

static void test_expiry(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);

	(void)unused;
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), 0);
	next_block(f, MINUTE);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_CONFIRMED);
	/* The flight took place all the same: facts are never refused. */
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(told(f).state, RESERVATION_RELEASED);
	assert_int_equal(pad_at(f, "east", 0).blocked, 1);
	/* In the air: its landing place outlives its window, and nobody may
	 * give it up. */
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &flight.arrival);
	assert_int_equal(submit_op(f), REFUSAL_AIRBORNE);
	next_block(f, 5 * HOUR);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	assert_int_equal(state_deadline(f->home.state), INT64_MAX);
	/* It lands at last, without a clearance. */
	assert_int_equal(
		landed(f, WEST_TOWER, "west", "b", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	next_block(f, 5 * HOUR);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

/* It lands at a port where nobody expects it. */
static void test_elsewhere(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = take_off(f);

	(void)unused;
	assert_int_equal(
		landed(f, TOWER, "north", "a", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(told(f).state, RESERVATION_NONE);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	next_block(f, HOUR);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

/* Landing is told, and the take-off never was. */
static void test_untold(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);

	(void)unused;
	next_block(f, HOUR);
	assert_int_equal(
		landed(f, WEST_TOWER, "west", "b", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_NONE);
	assert_int_equal(state_of(f, &flight.arrival), RESERVATION_CONTINGENT);
	/* Twice is not once. */
	assert_int_equal(
		landed(f, WEST_TOWER, "west", "b", &flight.arrival, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(pad_at(f, "west", 1).incursions, 2);
	assert_int_equal(vacated(f, WEST_TOWER, "west", "b"), 0);
	assert_int_equal(state_live_count(f->home.state), 0);
	shut(f);
}

static void test_fact_guards(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);

	(void)unused;
	assert_int_equal(
		departed(f, ALICE, "east", "a", NULL, "X1"), REFUSAL_ROLE);
	assert_int_equal(landed(f, WEST_TOWER, "east", "a", NULL, "X1"),
		REFUSAL_NOT_CONTROLLER);
	assert_int_equal(
		vacated(f, WEST_TOWER, "east", "a"), REFUSAL_NOT_CONTROLLER);
	assert_int_equal(vacated(f, TOWER, "east", "z"), REFUSAL_UNKNOWN_PAD);
	struct op_landed op = {
		.port = view_text("east"),
		.pad = view_text("a"),
		.reservation = view_of(&flight.departure, 8),
	};
	PAPER_ADD(write_as(f, TOWER, TX_MODE_ALL), op_landed, &op);
	assert_int_equal(submit_op(f), REFUSAL_MALFORMED);
	/* The wrong aircraft, the wrong pad: the reservation is left alone. */
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X2"), 0);
	assert_int_equal(told(f).state, RESERVATION_NONE);
	assert_int_equal(
		departed(f, TOWER, "east", "b", &flight.departure, "X1"), 0);
	assert_int_equal(told(f).incursion, 1);
	assert_int_equal(state_of(f, &flight.departure), RESERVATION_CONFIRMED);
	assert_int_equal(state_live_count(f->home.state), 2);
	shut(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flight),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_clear_guards),
		cmocka_unit_test(test_arrival_guards),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_party_down),
		cmocka_unit_test(test_old_request),
		cmocka_unit_test(test_taking_back),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_untold),
		cmocka_unit_test(test_fact_guards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
