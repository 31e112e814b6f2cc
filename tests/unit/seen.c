/* tests/unit/seen.c -- how long an id is remembered, and what a block drops. */
#include "desk.h"

#include "base/random.h"
#include "contract/inside.h"

static bool is_seen(struct desk *f, enum who who, uint64_t number)
{
	struct id id = id_of(number);
	struct record_seen seen;

	return state_seen(f->home.state, &who_pair(who)->key, &id, &seen);
}

static void hand_in(struct desk *f, uint64_t number, time_ms valid_until)
{
	struct id none = {{9}};

	paper_begin(&f->paper, ALICE, number, valid_until, TX_MODE_ALL);
	paper_cancel(&f->paper, &none);
	assert_int_equal(submit(f), REFUSAL_GRANTED);
	assert_true(is_seen(f, ALICE, number));
}

/* Never forgotten while valid, and soon after. */
static void test_forgotten_in_time(void **unused)
{
	struct desk *f = open_small();
	struct random random;
	enum { COUNT = 500 };
	time_ms until[COUNT];
	size_t remembered = 0;

	(void)unused;
	random_seed(&random, test_seed("seen"));
	for (uint64_t i = 0; i < COUNT; i++) {
		if (random_chance(&random, 300))
			next_block(f, 1 + (time_ms)random_below(&random, 4000));
		until[i] = f->now + 1 +
			   (time_ms)random_below(&random, TX_VALID_MS_MAX);
		hand_in(f, i, until[i]);
		for (uint64_t k = 0; k <= i; k++) {
			bool seen = is_seen(f, ALICE, k);

			assert_true(seen || until[k] <= f->now);
			assert_true(!seen || until[k] + SEEN_SLOT_MS > f->now);
			assert_false(is_seen(f, BOB, k));
		}
	}
	for (int i = 0; i < 160; i++)
		next_block(f, SEEN_SLOT_MS);
	for (uint64_t i = 0; i < COUNT; i++)
		remembered += is_seen(f, ALICE, i);
	assert_int_equal(remembered, 0);
	shut(f);
}

/* A block drops a bounded number, and what is left is still covered. */
static void test_bounded(void **unused)
{
	struct desk *f = open_small();
	enum { COUNT = 1300 };
	size_t left = COUNT;

	(void)unused;
	for (uint64_t i = 0; i < COUNT; i++)
		hand_in(f, i, f->now + MINUTE);
	struct hash full = state_root(f->home.state);
	arena_mark mark = arena_now(&f->home.arena);
	next_block(f, HOUR);
	while (left > 0) {
		size_t now = 0;

		for (uint64_t i = 0; i < COUNT; i++)
			now += is_seen(f, ALICE, i);
		assert_int_equal(left - now,
			left < SEEN_DROPS_MAX ? left : SEEN_DROPS_MAX);
		left = now;
		/* The first to arrive go first; a snapshot agrees. */
		assert_false(is_seen(f, ALICE, COUNT - 1 - left));
		struct hash root = state_root(f->home.state);
		uint8_t *bytes = malloc(state_save_bytes(f->home.state));
		size_t size = state_save(f->home.state, bytes);
		struct home copy;
		home_open(
			&copy, f->genesis, &state_limits_small, JOURNAL_BYTES);
		assert_int_equal(state_load(copy.state, f->genesis,
					 view_of(bytes, size), &root),
			ERR_OK);
		contract_begin(copy.state, f->height + 1, f->now + 1, NULL);
		next_block(f, 1);
		struct hash a = state_root(copy.state);
		struct hash b = state_root(f->home.state);
		assert_true(hash_equal(&a, &b));
		home_close(&copy);
		free(bytes);
	}
	arena_rollback(&f->home.arena, mark);
	struct hash again = state_root(f->home.state);
	assert_true(hash_equal(&full, &again));
	for (uint64_t i = 0; i < COUNT; i++)
		assert_true(is_seen(f, ALICE, i));
	shut(f);
}

/* A snapshot cannot pass over the first entries of a slot by beginning its
 * chain later. */
static void test_base_is_covered(void **unused)
{
	struct desk *f = open_small();
	struct state *state = f->home.state;
	time_ms until = f->now + MINUTE;
	uint32_t place = (uint32_t)(until / SEEN_SLOT_MS % SEEN_SLOTS);
	struct seen_slot *slot = &state->seen_slots[place];

	(void)unused;
	hand_in(f, 1, until);
	hand_in(f, 2, until);
	assert_int_equal(slot->count, 2);
	struct hash root = state_root(state);
	const struct seen *first = table_at(&state->seen, slot->first);
	slot->base = seen_chain(&slot->base, first);
	tree_mark(&state->seen_tree, place);
	struct hash other = state_root(state);
	assert_false(hash_equal(&root, &other));
	shut(f);
}

/* The slots go round: what is left from the round before is dropped, what is
 * new in the same slot stays. */
static void test_round(void **unused)
{
	struct desk *f = open_small();
	time_ms round = (time_ms)SEEN_SLOTS * SEEN_SLOT_MS;

	(void)unused;
	for (uint64_t i = 0; i < 700; i++)
		hand_in(f, i, f->now + MINUTE);
	/* 512 of them go now; the others share a slot with a new one. */
	next_block(f, round);
	hand_in(f, 1000, f->now + MINUTE);
	next_block(f, 1);
	assert_true(is_seen(f, ALICE, 1000));
	for (uint64_t i = 0; i < 700; i++)
		assert_false(is_seen(f, ALICE, i));
	next_block(f, MINUTE + SEEN_SLOT_MS);
	assert_false(is_seen(f, ALICE, 1000));
	shut(f);
}

/* However long the ledger stood still, a block moves a bounded number. */
static void test_time_is_bounded(void **unused)
{
	struct state_limits limits = state_limits_small;
	struct desk *f = malloc(sizeof(*f));
	enum { COUNT = TIME_EFFECTS_MAX + 300 };

	(void)unused;
	limits.reservations_max = 2 * COUNT;
	limits.group_max = 2 * COUNT;
	memset(f, 0, sizeof(*f));
	f->genesis = genesis_new();
	f->genesis->parties[0].quota = 2 * COUNT;
	f->moves = calloc(1, sizeof(*f->moves));
	home_open(&f->home, f->genesis, &limits, JOURNAL_BYTES);
	f->now = T0;
	next_block(f, 1);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
			reserve(f, ALICE, "east", "a", f->now + MINUTE + i,
				f->now + MINUTE + i + 1),
			REFUSAL_GRANTED);
	time_ms first = state_deadline(f->home.state);
	next_block(f, 24 * HOUR);
	assert_int_equal(f->moves->count, TIME_EFFECTS_MAX);
	assert_int_equal(f->moves->items[0].record.end, first);
	assert_int_equal(state_live_count(f->home.state), 300);
	/* The rest is due at once. */
	assert_true(state_deadline(f->home.state) < f->now);
	next_block(f, 1);
	assert_int_equal(f->moves->count, 300);
	assert_int_equal(state_deadline(f->home.state), INT64_MAX);
	shut(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forgotten_in_time),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_base_is_covered),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_time_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
