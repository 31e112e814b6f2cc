/* tests/unit/controller_facts.c -- what a controller tells the ledger of its
 * pads, and what it does when one is not safe any more.
 */
#include "story.h"

static void a_whole_arrival(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct perch_outcome landed = {
		.has_fact = true, .state = PERCH_OCCUPIED};
	struct perch_outcome vacated = {
		.has_fact = true, .state = PERCH_RELEASED};
	struct wish wish;

	(void)state;
	read_ledger(story);
	clear(story, r);
	stand(story, PAD_A, "JA01", true);
	wish = wished(story, WISH_LANDED);
	assert_true(wish.has_reservation);
	assert_string_equal(wish.aircraft, "JA01");
	grant(story, &wish, &landed);
	/* Long after its end: time alone frees nothing. */
	r->state = PERCH_OVERSTAY;
	story->now = r->end + 30 * MINUTE;
	read_ledger(story);
	pass(story, 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
	stand(story, PAD_A, NULL, false);
	wish = wished(story, WISH_VACATED);
	grant(story, &wish, &vacated);
	pass(story, 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
}

static void a_whole_departure(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r =
		book(story, PAD_A, "JA01", PERCH_DEPARTURE);
	struct perch_outcome departed = {
		.has_fact = true, .state = PERCH_RELEASED};
	struct wish wish;

	(void)state;
	read_ledger(story);
	stand(story, PAD_A, "JA01", false);
	clear(story, r);
	stand(story, PAD_A, NULL, true);
	wish = wished(story, WISH_DEPARTED);
	assert_memory_equal(&wish.reservation, &r->id, sizeof(r->id));
	grant(story, &wish, &departed);
	story->count = 0;
	read_ledger(story);
	pass(story, 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
	assert_false(did(story, ACTION_ABORT, WISH_NONE));
}

/* Killed between clear and landed, and the aircraft came meanwhile. */
static void what_happened_meanwhile_is_told(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	read_ledger(story);
	clear(story, r);
	story->pads[PAD_A].is = PAD_OCCUPIED;
	snprintf(story->pads[PAD_A].aircraft, DRIVER_NAME_SIZE, "JA01");
	begin_anew(story);
	assert_true(wished(story, WISH_LANDED).has_reservation);
}

/* Killed before it could command: the clearance is still in force. */
static void a_clearance_outlives_its_issuer(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	r->state = PERCH_CLEARED;
	r->until = story->now + MINUTE;
	begin_anew(story);
	assert_true(did(story, ACTION_CLEAR, WISH_NONE));
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
}

static void an_incursion_is_told_once(void **state)
{
	struct story *story = begin();
	struct perch_outcome incursion = {
		.has_fact = true, .incursion = true, .blocked = true};
	struct wish wish;

	(void)state;
	stand(story, PAD_A, "X", true);
	wish = wished(story, WISH_LANDED);
	assert_false(wish.has_reservation);
	grant(story, &wish, &incursion);
	story->port.pads[PAD_A].blocked = true;
	story->port.pads[PAD_A].incursions = 1;
	read_ledger(story);
	pass(story, 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
	stand(story, PAD_A, NULL, false);
	assert_true(did(story, ACTION_SUBMIT, WISH_VACATED));
}

/* Left without being cleared: named, if it was planned. */
static void an_uncleared_departure_is_told(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r =
		book(story, PAD_A, "JA01", PERCH_DEPARTURE);
	struct wish wish;

	(void)state;
	read_ledger(story);
	stand(story, PAD_A, "JA01", false);
	story->all.count = 0;
	stand(story, PAD_A, NULL, true);
	wish = wished(story, WISH_DEPARTED);
	assert_memory_equal(&wish.reservation, &r->id, sizeof(r->id));
	assert_string_equal(wish.aircraft, "JA01");
}

/* Rolled in and out again: nobody has flown. */
static void wheels_are_no_flight(void **state)
{
	struct story *story = begin();

	(void)state;
	stand(story, PAD_A, "JA01", false);
	stand(story, PAD_A, NULL, false);
	pass(story, 2000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
}

/* ---- when it is not safe ---- */

/* Closing diverts who was cleared, and never drops him. */
static void unknown_is_closed(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish close;

	(void)state;
	read_ledger(story);
	clear(story, r);
	story->pads[PAD_A].is = PAD_UNKNOWN;
	pass(story, CORE_UNKNOWN_MS - 1000);
	assert_false(did(story, ACTION_SUBMIT, WISH_NONE));
	pass(story, 2000);
	close = wished(story, WISH_CLOSE);
	assert_true(did(story, ACTION_CLOSE, WISH_NONE));
	assert_in_range(
		close.until, story->now + MINUTE / 2, story->now + 2 * MINUTE);
	grant(story, &close, NULL);
	r->state = PERCH_CONTINGENT;
	r->airborne = true;
	read_ledger(story);
	pass(story, 10000);
	assert_false(did(story, ACTION_CLEAR, WISH_NONE));
	/* Found again: opened, and not before. */
	assert_false(did(story, ACTION_SUBMIT, WISH_OPEN));
	story->all.count = 0;
	stand(story, PAD_A, NULL, false);
	assert_true(did(story, ACTION_SUBMIT, WISH_OPEN));
}

/* Of a closure that somebody else has made, the clearance is taken back. */
static void unknown_in_a_closure_takes_back(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	read_ledger(story);
	clear(story, r);
	story->port.pads[PAD_A].closed_from = story->now + MINUTE / 2;
	story->port.pads[PAD_A].closed_until = story->now + 10 * MINUTE;
	read_ledger(story);
	story->pads[PAD_A].is = PAD_UNKNOWN;
	pass(story, CORE_UNKNOWN_MS + 1000);
	assert_true(did(story, ACTION_SUBMIT, WISH_REVOKE));
	assert_true(did(story, ACTION_ABORT, WISH_NONE));
	assert_false(did(story, ACTION_SUBMIT, WISH_CLOSE));
}

/* It left while nobody could see it, and its clearance was over by then. */
static void who_left_unseen_is_told(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r =
		book(story, PAD_A, "JA01", PERCH_DEPARTURE);
	struct wish wish;

	(void)state;
	stand(story, PAD_A, "JA01", false);
	read_ledger(story);
	clear(story, r);
	story->pads[PAD_A].is = PAD_UNKNOWN;
	pass(story, CORE_UNKNOWN_MS + 1000);
	wish = wished(story, WISH_CLOSE);
	story->count = 0; /* the closure has ended it */
	grant(story, &wish, NULL);
	read_ledger(story);
	stand(story, PAD_A, NULL, true);
	pass(story, CORE_AGAIN_MS);
	wish = wished(story, WISH_OPEN);
	grant(story, &wish, NULL);
	pass(story, CORE_AGAIN_MS);
	wish = wished(story, WISH_DEPARTED);
	assert_string_equal(wish.aircraft, "JA01");
	assert_false(wish.has_reservation);
	grant(story, &wish, NULL);
	/* On wheels is no flight, seen or not. */
	stand(story, PAD_C, "JA02", false);
	story->pads[PAD_C].is = PAD_UNKNOWN;
	pass(story, 1000);
	stand(story, PAD_C, NULL, false);
	pass(story, CORE_AGAIN_MS);
	assert_false(did(story, ACTION_SUBMIT, WISH_DEPARTED));
}

/* The pad is not opened into a closure that somebody made meanwhile. */
static void anothers_closure_stays(void **state)
{
	struct story *story = begin();
	struct wish close;

	(void)state;
	read_ledger(story);
	story->pads[PAD_A].is = PAD_UNKNOWN;
	pass(story, CORE_UNKNOWN_MS + 1000);
	close = wished(story, WISH_CLOSE);
	grant(story, &close, NULL);
	story->port.pads[PAD_A].closed_from = story->now;
	story->port.pads[PAD_A].closed_until = story->now + 90 * MINUTE;
	read_ledger(story);
	stand(story, PAD_A, NULL, false);
	assert_false(did(story, ACTION_SUBMIT, WISH_OPEN));
}

/* It would be forgotten when the device is back and the pad is opened. */
static void a_planned_closure_stays(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	story->port.pads[PAD_A].closed_from = story->now + 60 * MINUTE;
	story->port.pads[PAD_A].closed_until = story->now + 90 * MINUTE;
	read_ledger(story);
	clear(story, r);
	story->pads[PAD_A].is = PAD_UNKNOWN;
	pass(story, CORE_UNKNOWN_MS + 1000);
	assert_false(did(story, ACTION_SUBMIT, WISH_CLOSE));
	assert_true(did(story, ACTION_SUBMIT, WISH_REVOKE));
	assert_true(did(story, ACTION_ABORT, WISH_NONE));
	story->pads[PAD_A].is = PAD_EMPTY;
	pass(story, 2000);
	assert_false(did(story, ACTION_SUBMIT, WISH_OPEN));
}

static void another_on_the_pad_takes_back(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	read_ledger(story);
	clear(story, r);
	stand(story, PAD_A, "X", false);
	assert_true(did(story, ACTION_SUBMIT, WISH_REVOKE));
	assert_true(did(story, ACTION_ABORT, WISH_NONE));
	assert_false(did(story, ACTION_CLEAR, WISH_NONE));
}

/* By the authority, or because its time is over: who was let come is stopped.
 */
static void not_cleared_any_more(void **state)
{
	(void)state;
	for (int revoked = 0; revoked < 2; revoked++) {
		struct story *story = begin();
		struct perch_reservation *r =
			book(story, PAD_A, "JA01", PERCH_ARRIVAL);

		read_ledger(story);
		clear(story, r);
		if (revoked != 0)
			tell(story, (struct core_event){.type = CORE_REVOKED,
					    .height = ++story->height,
					    .id = r->id});
		else
			pass(story, MINUTE + 1000);
		assert_true(did(story, ACTION_ABORT, WISH_NONE));
	}
}

static void goes_around_to_what_is_free(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct perch_reservation *other =
		book(story, PAD_C, "JA02", PERCH_ARRIVAL);
	struct wish wish;

	(void)state;
	story->port.after = 1000;
	other->end = story->now + MINUTE;
	read_ledger(story);
	clear(story, r);
	story->pads[PAD_A].broken_off++;
	measure(story);
	wish = wished(story, WISH_GO_AROUND);
	assert_string_equal(wish.slot.pad, "A");
	assert_int_equal(wish.slot.end - wish.slot.start, r->end - r->start);
	assert_true(wish.slot.start > story->now);
	grant(story, &wish, NULL);
	pass(story, 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
}

/* What is older than what was heard is not believed. */
/* In the air, and its pad is taken, or its time over: it gets another window,
 * again if that was none. */
static void nobody_is_stranded(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish wish, again;

	(void)state;
	r->state = PERCH_CONTINGENT;
	r->airborne = true;
	stand(story, PAD_A, "JA09", false);
	read_ledger(story);
	pass(story, CORE_STRANDED_MS - 1000);
	assert_false(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
	pass(story, 2000);
	wish = wished(story, WISH_GO_AROUND);
	assert_true(wish.slot.start > story->now - 2000);
	assert_int_equal(wish.slot.end - wish.slot.start, r->end - r->start);
	story->all.count = 0;
	grant(story, &wish, NULL);
	pass(story, CORE_STRANDED_MS - 3000);
	assert_false(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
	read_ledger(story); /* nothing was free */
	pass(story, 4000);
	again = wished(story, WISH_GO_AROUND);
	assert_memory_not_equal(&again.id, &wish.id, sizeof(wish.id));

	/* Its own pad is empty, but it is not kept for it any more. */
	story = begin();
	r = book(story, PAD_C, "JA01", PERCH_ARRIVAL);
	r->state = PERCH_CONTINGENT;
	r->airborne = true;
	read_ledger(story);
	assert_true(did(story, ACTION_CLEAR, WISH_NONE));
	story->all.count = 0;
	pass(story, CORE_STRANDED_MS + 1000);
	assert_false(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
	story->now = r->end;
	story->all.count = 0;
	pass(story, CORE_STRANDED_MS + 1000);
	assert_true(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
	assert_false(did(story, ACTION_CLEAR, WISH_NONE));
	/* What stands there is itself: its landing is being told. */
	story = begin();
	r = book(story, PAD_C, "JA01", PERCH_ARRIVAL);
	r->state = PERCH_CONTINGENT;
	r->airborne = true;
	read_ledger(story);
	stand(story, PAD_C, "JA01", true);
	story->all.count = 0;
	pass(story, CORE_STRANDED_MS + 1000);
	assert_false(did(story, ACTION_SUBMIT, WISH_GO_AROUND));
}

/* Rolled out, and then somebody else got the window. */
static void who_was_displaced_makes_room(void **state)
{
	struct story *story = begin();
	struct perch_reservation *first, *next;

	(void)state;
	first = book(story, PAD_A, "JA01", PERCH_DEPARTURE);
	next = book(story, PAD_A, "JA02", PERCH_DEPARTURE);
	next->start += MINUTE;
	stand(story, PAD_A, "JA01", false);
	read_ledger(story);
	pass(story, 3000);
	assert_false(did(story, ACTION_PREPARE, WISH_NONE));
	*first = *next; /* the first is gone */
	story->count--;
	read_ledger(story);
	const struct core_action *action =
		find_action(story, ACTION_PREPARE, WISH_NONE);
	assert_non_null(action);
	assert_string_equal(action->movement.aircraft, "JA02");
	story->all.count = 0;
	/* What came by air is somebody's business. */
	stand(story, PAD_A, "JA01", true);
	story->all.count = 0;
	pass(story, 3000);
	assert_false(did(story, ACTION_PREPARE, WISH_NONE));
}

static void old_readings_are_ignored(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish wish;

	(void)state;
	read_ledger(story);
	ask(story, r);
	wish = wished(story, WISH_CLEAR);
	grant(story, &wish, NULL);
	story->height -= 3;
	story->all.count = 0;
	read_ledger(story); /* where it is still only asked for */
	pass(story, 2000);
	assert_false(did(story, ACTION_SUBMIT, WISH_CLEAR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_arrival),
		cmocka_unit_test(a_whole_departure),
		cmocka_unit_test(what_happened_meanwhile_is_told),
		cmocka_unit_test(a_clearance_outlives_its_issuer),
		cmocka_unit_test(an_incursion_is_told_once),
		cmocka_unit_test(an_uncleared_departure_is_told),
		cmocka_unit_test(wheels_are_no_flight),
		cmocka_unit_test(unknown_is_closed),
		cmocka_unit_test(unknown_in_a_closure_takes_back),
		cmocka_unit_test(who_left_unseen_is_told),
		cmocka_unit_test(anothers_closure_stays),
		cmocka_unit_test(a_planned_closure_stays),
		cmocka_unit_test(another_on_the_pad_takes_back),
		cmocka_unit_test(not_cleared_any_more),
		cmocka_unit_test(goes_around_to_what_is_free),
		cmocka_unit_test(nobody_is_stranded),
		cmocka_unit_test(who_was_displaced_makes_room),
		cmocka_unit_test(old_readings_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
