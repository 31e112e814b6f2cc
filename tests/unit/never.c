/* tests/unit/never.c -- what must never happen is found when it does: each is
 * planted once, behind the contract's back.
 */
#include "rules.h"

#include "contract/never.h"
#include "contract/reservation.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_flight),
		cmocka_unit_test(test_closure),
		cmocka_unit_test(test_aircraft_and_quota),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
