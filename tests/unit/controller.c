/* tests/unit/controller.c -- who is cleared, and who is not: a controller's
 * judgement, story by story, and then anything at all.
 */
#include "story.h"

#include "base/random.h"

static void nothing_moves_before_it_is_final(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish wish;

	(void)state;
	read_ledger(story);
	ask(story, r);
	wish = wished(story, WISH_CLEAR);
	assert_int_equal(wish.movement, PERCH_ARRIVAL);
	assert_int_equal(wish.nonce, r->nonce);
	assert_int_equal(wish.until, story->now + MINUTE);
	assert_int_equal(wish.state.is, PAD_EMPTY);
	assert_int_equal(wish.state.measured, story->now);
	pass(story, 3000);
	assert_false(did(story, ACTION_CLEAR, WISH_NONE));
	grant(story, &wish, NULL);
	const struct core_action *order =
		find_action(story, ACTION_CLEAR, WISH_NONE);
	assert_non_null(order);
	assert_true(order->movement.is_arrival);
	assert_string_equal(order->movement.aircraft, "JA01");
	assert_int_equal(order->movement.until, wish.until - CORE_MARGIN_MS);
}

static void departure_needs_its_aircraft(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r =
		book(story, PAD_A, "JA01", PERCH_DEPARTURE);

	(void)state;
	read_ledger(story);
	assert_true(did(story, ACTION_PREPARE, WISH_NONE));
	ask(story, r);
	assert_int_equal(doubted(story), DOUBT_NOT_THERE);
	stand(story, PAD_A, "JA01", false);
	assert_true(did(story, ACTION_SUBMIT, WISH_CLEAR));
	assert_string_equal(wished(story, WISH_CLEAR).state.aircraft, "JA01");
}

static void spoil(
	struct story *story, struct perch_reservation *r, enum core_doubt doubt)
{
	switch (doubt) {
	case DOUBT_CUT_OFF:
		story->now += CORE_SURE_MS + 1;
		break;
	case DOUBT_UNMEASURED:
		story->pads[PAD_A].is = PAD_UNKNOWN;
		break;
	case DOUBT_OCCUPIED:
		story->pads[PAD_A].is = PAD_OCCUPIED;
		break;
	case DOUBT_BLOCKED:
		story->port.pads[PAD_A].blocked = true;
		story->pads[PAD_A].is = PAD_OCCUPIED;
		break;
	case DOUBT_CLOSED:
		story->port.pads[PAD_A].closed_until = story->now + MINUTE;
		break;
	case DOUBT_EARLY:
		r->start = story->now + 1000;
		break;
	case DOUBT_LATE:
		r->end = story->now + CORE_CLEARANCE_MIN - 1;
		break;
	case DOUBT_GROUND:
		r->has_pair = true;
		break;
	case DOUBT_NO_NAME:
		r->aircraft[0] = '\0';
		break;
	case DOUBT_GROUP:
		book(story, PAD_B, "JA02", PERCH_ARRIVAL);
		story->bookings[1].state = PERCH_CLEARED;
		story->bookings[1].until = story->now + MINUTE;
		break;
	case DOUBT_NONE:
	case DOUBT_NO_LEDGER:
	case DOUBT_NOT_THERE:
	case DOUBTS:
		break;
	}
}

/* Each reason not to clear, alone: it is said, and nothing is issued. */
static void every_doubt(void **state)
{
	static const enum core_doubt doubts[] = {DOUBT_CUT_OFF,
		DOUBT_UNMEASURED, DOUBT_OCCUPIED, DOUBT_BLOCKED, DOUBT_CLOSED,
		DOUBT_EARLY, DOUBT_LATE, DOUBT_GROUND, DOUBT_NO_NAME,
		DOUBT_GROUP};

	(void)state;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		struct story *story = begin();
		struct perch_reservation *r =
			book(story, PAD_A, "JA01", PERCH_ARRIVAL);

		spoil(story, r, doubts[i]);
		if (doubts[i] != DOUBT_CUT_OFF)
			be_sure(story);
		measure(story);
		read_ledger(story);
		ask(story, r);
		assert_int_equal(doubted(story), doubts[i]);
		assert_false(did(story, ACTION_SUBMIT, WISH_CLEAR));
		if (doubts[i] != DOUBT_GROUP) /* there, the other one goes */
			assert_false(did(story, ACTION_CLEAR, WISH_NONE));
		assert_true(strlen(core_doubt_text(doubts[i], false)) > 0);
		assert_true(strlen(core_doubt_text(doubts[i], true)) > 0);
	}
}

/* A measurement counts for four of the contract's five seconds. */
static void old_measurements_do_not_count(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);

	(void)state;
	read_ledger(story);
	story->now += CORE_MEASURED_MS + 1;
	be_sure(story);
	ask(story, r);
	assert_int_equal(doubted(story), DOUBT_UNMEASURED);
	assert_false(did(story, ACTION_SUBMIT, WISH_CLEAR));
	measure(story);
	assert_true(did(story, ACTION_SUBMIT, WISH_CLEAR));
}

static void one_at_a_time_and_the_highest_first(void **state)
{
	struct story *story = begin();
	struct perch_reservation *low =
		book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct perch_reservation *high =
		book(story, PAD_B, "JA02", PERCH_ARRIVAL);
	struct perch_reservation *other =
		book(story, PAD_C, "JA03", PERCH_ARRIVAL);

	(void)state;
	high->tier = 3;
	low->nonce = high->nonce = other->nonce = 1;
	low->asked = other->asked = story->now;
	high->asked = story->now + 1;
	read_ledger(story);
	size_t clears = 0;
	for (size_t i = 0; i < story->all.count; i++) {
		const struct core_action *a = &story->all.items[i];

		if (a->type != ACTION_SUBMIT || a->wish.kind != WISH_CLEAR)
			continue;
		clears++;
		assert_int_not_equal(a->wish.pad, PAD_A);
	}
	assert_int_equal(clears, 2);
	assert_int_equal(doubted(story), DOUBT_GROUP);
}

/* Refused: not again at once, and then under another id. */
static void refused_is_tried_again_under_another_id(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish first, second;

	(void)state;
	read_ledger(story);
	ask(story, r);
	first = wished(story, WISH_CLEAR);
	story->all.count = 0;
	tell(story, (struct core_event){.type = CORE_FATE,
			    .id = first.id,
			    .fate = FATE_REFUSED,
			    .code = REFUSAL_PAD_STALE});
	assert_true(did(story, ACTION_REFUSED, WISH_CLEAR));
	assert_false(did(story, ACTION_SUBMIT, WISH_CLEAR));
	pass(story, CORE_AGAIN_MS + 500);
	second = wished(story, WISH_CLEAR);
	assert_memory_not_equal(&first.id, &second.id, sizeof(first.id));
}

/* Killed after it has sent a clear: it wishes the same, hears that the id was
 * used, and asks what became of it. */
static void a_restart_has_the_same_ids(void **state)
{
	struct story *story = begin();
	struct perch_reservation *r = book(story, PAD_A, "JA01", PERCH_ARRIVAL);
	struct wish first, second;

	(void)state;
	read_ledger(story);
	ask(story, r);
	first = wished(story, WISH_CLEAR);
	story->all.count = 0;
	story->now += 2000;
	begin_anew(story);
	second = wished(story, WISH_CLEAR);
	assert_memory_equal(&first.id, &second.id, sizeof(first.id));
	tell(story, (struct core_event){.type = CORE_FATE,
			    .id = second.id,
			    .fate = FATE_REFUSED,
			    .was_used = true,
			    .code = REFUSAL_REPLAY});
	pass(story, CORE_ASK_MS + 500);
	assert_true(did(story, ACTION_ASK, WISH_CLEAR));
	grant(story, &second, NULL);
	assert_true(did(story, ACTION_CLEAR, WISH_NONE));
}

/* ---- anything ---- */

/* Whatever is told in whatever order: an order is only ever given for what the
 * ledger has cleared, on a pad that was measured a moment ago; nothing is
 * cleared while it is unsure; no group has two. */
static void check_all(struct story *story)
{
	for (size_t i = 0; i < story->all.count; i++) {
		const struct core_action *a = &story->all.items[i];
		const struct core_pad *pad = &story->core.pads[a->pad];
		bool found = false;

		if (a->type == ACTION_SUBMIT && a->wish.kind == WISH_CLEAR) {
			assert_true(core_is_sure(&story->core));
			assert_int_not_equal(pad->state.is, PAD_UNKNOWN);
			assert_true(story->now - a->wish.state.measured <=
				    CORE_MEASURED_MS);
		}
		if (a->type != ACTION_CLEAR)
			continue;
		for (size_t j = 0; j < story->core.count; j++) {
			const struct perch_reservation *r =
				&story->core.known[j].ledger;

			if (strcmp(r->aircraft, a->movement.aircraft) != 0)
				continue;
			found = r->state == PERCH_CONTINGENT
					? r->airborne
					: r->state == PERCH_CLEARED &&
						  story->now < r->until;
		}
		assert_true(found);
		assert_int_not_equal(pad->state.is, PAD_UNKNOWN);
	}
	story->all.count = 0;
}

static void change_anything(struct story *story, struct random *random)
{
	size_t pad = (size_t)random_below(random, PADS);
	struct perch_reservation *r =
		&story->bookings[random_below(random, BOOKINGS_MAX)];

	switch (random_below(random, 8)) {
	case 0:
		story->pads[pad].is = (enum pad_is)random_below(random, 3);
		story->pads[pad].by_air = random_chance(random, 500);
		snprintf(story->pads[pad].aircraft, DRIVER_NAME_SIZE, "JA%d",
			(int)random_below(random, BOOKINGS_MAX));
		break;
	case 1:
		story->pads[pad].broken_off++;
		break;
	case 2:
		r->state = (int)random_below(random, PERCH_WAITLISTED);
		r->until = story->now + (int64_t)random_below(random, MINUTE);
		break;
	case 3:
		r->asked = random_chance(random, 800) ? story->now : 0;
		r->nonce++;
		r->airborne = random_chance(random, 700);
		break;
	case 4:
		story->port.pads[pad].blocked = random_chance(random, 200);
		break;
	case 5:
		story->now += (int64_t)random_below(random, 6000);
		break;
	case 6:
		be_sure(story);
		break;
	default:
		read_ledger(story);
	}
}

static void answer_anything(struct story *story, struct random *random,
	const struct core_action *action)
{
	struct perch_outcome outcome = {.has_fact = true,
		.blocked = random_chance(random, 300),
		.state = (int)random_below(random, PERCH_WAITLISTED)};
	enum core_fate fate = (enum core_fate)random_below(random, 4);

	tell(story, (struct core_event){.type = CORE_FATE,
			    .height = story->height,
			    .id = action->wish.id,
			    .fate = fate,
			    .code = fate == FATE_REFUSED ? REFUSAL_STATE : 0,
			    .was_used = random_chance(random, 100),
			    .outcome = &outcome});
}

static void anything(void **state)
{
	struct random random;
	uint64_t orders = 0, clears = 0;

	(void)state;
	random_seed(&random, 7);
	for (int run = 0; run < 40; run++) {
		struct story *story = begin();

		for (int i = 0; i < BOOKINGS_MAX; i++) {
			char name[DRIVER_NAME_SIZE];

			snprintf(name, sizeof(name), "JA%d", i);
			book(story, (size_t)i % PADS, name,
				i % 2 == 0 ? PERCH_ARRIVAL : PERCH_DEPARTURE)
				->end += 60 * MINUTE;
		}
		for (int i = 0; i < 1000; i++) {
			struct core_actions before;

			change_anything(story, &random);
			measure(story);
			before = story->all;
			clears += did(story, ACTION_SUBMIT, WISH_CLEAR);
			orders += did(story, ACTION_CLEAR, WISH_NONE);
			check_all(story);
			for (size_t j = 0; j < before.count; j++) {
				if (before.items[j].type != ACTION_SUBMIT)
					continue;
				answer_anything(
					story, &random, &before.items[j]);
				check_all(story);
			}
		}
	}
	assert_true(orders > 100 && clears > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_moves_before_it_is_final),
		cmocka_unit_test(departure_needs_its_aircraft),
		cmocka_unit_test(every_doubt),
		cmocka_unit_test(old_measurements_do_not_count),
		cmocka_unit_test(one_at_a_time_and_the_highest_first),
		cmocka_unit_test(refused_is_tried_again_under_another_id),
		cmocka_unit_test(a_restart_has_the_same_ids),
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
