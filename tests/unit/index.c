/* tests/unit/index.c -- the index against a model: small runs, so that they are
 * merged often; reopened in between.
 */
#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#include "index_world.h"

enum { KEYS = 3000 };

static void test_a_new_index_is_empty(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint64_t cursor = 0;
	uint64_t height = 0;
	uint64_t total;
	uint8_t out[400];
	struct signature signature;
	size_t header_size;
	size_t size = 1;

	(void)state;
	assert_int_equal(index_applied(index), 0);
	assert_int_equal(find_tx(index, 1), 0);
	assert_int_equal(find_block(index, 1), 0);
	assert_false(index_next_peer(index, &cursor, out, &size, 400));
	assert_false(index_next_received(index, &cursor, out, &size, 400));
	assert_false(index_find_snapshot(index, &height, out, &header_size,
		&signature, 0, out, &size, &total));
	close_whole(&index);
	assert_null(index);
	index_close(&index);
}

static void test_only_a_commit_is_seen(void **state)
{
	struct index *index = must_open(MAP, RUN);

	(void)state;
	put_tx(index, 1, 7);
	put_block(index, 1, 7);
	assert_int_equal(find_tx(index, 1), 0);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_tx(index, 1), 0);
	put_tx(index, 1, 7);
	put_block(index, 1, 7);
	index_commit(index, 7);
	assert_int_equal(find_tx(index, 1), 7);
	assert_int_equal(find_block(index, 1), 7);
	assert_int_equal(index_applied(index), 7);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_tx(index, 1), 7);
	assert_int_equal(find_block(index, 1), 7);
	assert_int_equal(index_applied(index), 7);
	index_close(&index);
}

/* What is committed, and what is gathered. */
struct world {
	uint64_t tx[KEYS], block[KEYS];
};

static void assert_world(struct index *index, const struct world *world)
{
	for (uint64_t i = 0; i < KEYS; i++) {
		assert_int_equal(find_tx(index, i), world->tx[i]);
		assert_int_equal(find_block(index, i), world->block[i]);
	}
}

static void test_the_model_agrees(void **state)
{
	static struct world world, gathered;
	struct index *index = must_open(MAP, RUN);
	struct random random;
	uint64_t height = 0;

	(void)state;
	random_seed(&random, 5);
	for (unsigned round = 0; round < 400; round++) {
		/* The same key again is common: the last one counts. */
		for (uint64_t n = random_below(&random, 60); n; n--) {
			uint64_t i = random_below(&random, KEYS);

			height++;
			if (n % 2) {
				put_tx(index, i, height);
				gathered.tx[i] = height;
			} else {
				put_block(index, i, height);
				gathered.block[i] = height;
			}
		}
		if (random_chance(&random, 100)) {
			index_close(&index);
			index = must_open(MAP, RUN);
			gathered = world;
		}
		index_commit(index, height);
		world = gathered;
		assert_int_equal(index_applied(index), height);
		if (round % 80 == 79)
			assert_world(index, &world);
	}
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_world(index, &world);
	close_whole(&index);
}

/* Runs of more than one chunk, merged more than once. */
static void test_many_are_found_again(void **state)
{
	enum { MANY = 40000 };
	struct index *index = must_open(MAP << 3, 1000);
	struct stat status;

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++) {
		put_tx(index, i, i);
		if (i % 500 == 0)
			index_commit(index, i);
	}
	for (uint64_t i = 1; i <= MANY; i += 7)
		assert_int_equal(find_tx(index, i), i);
	for (uint64_t i = MANY + 1; i <= MANY + 3000; i++)
		assert_int_equal(find_tx(index, i), 0);
	index_close(&index);
	/* 56 bytes each; what was merged or sorted does not stay beside it. */
	assert_int_equal(stat(data_path(), &status), 0);
	assert_true(status.st_size < 3 * MANY * 56 / 2);
}

static void test_one_owner_at_a_time(void **state)
{
	struct index *index = must_open(MAP, RUN);
	struct index *other = NULL;

	(void)state;
	assert_int_equal(index_open(&other, top, why), ERR_IN_USE);
	assert_non_null(strstr(why, top));
	assert_null(other);
	index_close(&index);
	assert_int_equal(index_open(&other, "/nowhere/at/all", why), ERR_IO);
}

/* ---- snapshots ---- */

static void test_the_newest_two_snapshots_stay(void **state)
{
	struct index *index = must_open(MAP, RUN);

	(void)state;
	for (uint64_t height = 100; height < 112; height++) {
		put_snapshot(index, height);
		index_commit(index, height);
		assert_int_equal(find_snapshot(index, 0, 7001), height);
		assert_int_equal(find_snapshot(index, height, 65000), height);
		assert_int_equal(
			find_snapshot(index, height + 5, 1 << 17), height);
		if (height > 100)
			assert_int_equal(
				find_snapshot(index, height - 1, 50000),
				height - 1);
		if (height > 101)
			assert_int_equal(
				find_snapshot(index, height - 2, 50000), 0);
	}
	/* The same again, and three at once. */
	put_snapshot(index, 111);
	put_snapshot(index, 113);
	put_snapshot(index, 115);
	index_commit(index, 115);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_snapshot(index, 0, 50000), 115);
	assert_int_equal(find_snapshot(index, 114, 50000), 113);
	assert_int_equal(find_snapshot(index, 112, 50000), 0);
	index_close(&index);
}

static void test_reading_past_a_snapshot(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint8_t header[400];
	uint8_t out[10];
	struct signature signature;
	uint64_t height = 0;
	uint64_t total;
	size_t header_size;
	size_t size = sizeof(out);

	(void)state;
	put_snapshot(index, 6);
	index_commit(index, 6);
	assert_true(index_find_snapshot(index, &height, header, &header_size,
		&signature, 1, out, &size, &total));
	assert_int_equal(size, 0);
	assert_int_equal(total, 1);
	assert_false(index_find_snapshot(index, &height, header, &header_size,
		&signature, 2, out, &size, &total));
	index_close(&index);
}

/* ---- peers, and received transactions ---- */

static void test_peers(void **state)
{
	struct index *index = must_open(MAP, RUN);
	bool seen[10] = {false};
	uint64_t cursor = 0;
	uint8_t out[100];
	size_t size;

	(void)state;
	for (uint64_t i = 0; i < 10; i++) {
		struct key key = key_of(i);
		uint8_t old = 99;
		uint8_t entry = (uint8_t)i;

		index_put_peer(index, &key, view_of(&old, 1));
		index_put_peer(index, &key, view_of(&entry, 1));
	}
	index_commit(index, 0);
	while (index_next_peer(index, &cursor, out, &size, sizeof(out))) {
		assert_int_equal(size, 1);
		assert_true(out[0] < 10 && !seen[out[0]]);
		seen[out[0]] = true;
	}
	for (int i = 0; i < 10; i++)
		assert_true(seen[i]);
	index_close(&index);
}

static void test_received_are_kept_in_order(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint64_t list[100];

	(void)state;
	for (uint64_t i = 1; i <= 9; i++)
		put_received(index, i * 7 % 10);
	remove_received(index, 1);
	remove_received(index, 55); /* was never there */
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 100), 8);
	assert_int_equal(list[0], 7);
	assert_int_equal(list[1], 4);
	assert_int_equal(list[2], 8);
	index_close(&index);
	index = must_open(MAP, RUN);
	remove_received(index, 4);
	put_received(index, 4); /* again: now it is the last */
	put_received(index, 77);
	remove_received(index, 77);
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 100), 8);
	assert_int_equal(list[1], 8);
	assert_int_equal(list[7], 4);
	index_close(&index);
}

static void test_the_received_agree_with_a_model(void **state)
{
	enum { NUMBERS = 500 };
	struct index *index = must_open(MAP, RUN);
	struct random random;
	uint64_t came[NUMBERS] = {0}; /* when; 0: it is not there */
	uint64_t list[NUMBERS];

	(void)state;
	random_seed(&random, 6);
	for (uint64_t step = 1; step < 20000; step++) {
		uint64_t i = random_below(&random, NUMBERS);
		size_t count = 0;
		size_t listed;

		if (random_chance(&random, 500)) {
			put_received(index, i);
			came[i] = step;
		} else {
			remove_received(index, i);
			came[i] = 0;
		}
		if (step % 1000 != 0)
			continue;
		index_commit(index, step);
		if (step % 4000 == 0) {
			index_close(&index);
			index = must_open(MAP, RUN);
		}
		listed = list_received(index, list, NUMBERS);
		for (size_t n = 0; n < NUMBERS; n++)
			count += came[n] != 0;
		assert_int_equal(listed, count);
		for (size_t n = 0; n < listed; n++)
			assert_true(
				came[list[n]] != 0 &&
				(n == 0 || came[list[n - 1]] < came[list[n]]));
	}
	index_close(&index);
}

static void test_no_more_received_than_may_wait(void **state)
{
	static uint64_t list[20001];
	struct index *index = must_open(MAP << 2, RUN);

	(void)state;
	for (uint64_t i = 0; i < 20003; i++)
		put_received(index, i);
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 20001), 20000);
	assert_int_equal(list[0], 3);
	assert_int_equal(list[19999], 20002);
	index_close(&index);
}

static uint64_t find_signed(struct index *index, uint64_t height)
{
	uint8_t out[8];
	size_t size = 0;

	if (!index_find_signed(index, height, out, &size, sizeof(out)))
		return 0;
	assert_int_equal(size, sizeof(out));
	uint64_t found;
	memcpy(&found, out, sizeof(found));
	return found;
}

static void test_of_what_was_signed_the_oldest_goes(void **state)
{
	enum { EXTRA = 7 };
	struct index *index = must_open(MAP << 2, RUN);
	uint8_t out[8];
	size_t size;

	(void)state;
	for (uint64_t h = 1; h <= INDEX_CHECKPOINTS_MAX + EXTRA; h++)
		index_put_signed(index, h, view_of(&h, sizeof(h)));
	assert_int_equal(find_signed(index, 1), 0); /* not committed */
	index_commit(index, 0);
	index_close(&index);
	index = must_open(MAP << 2, RUN);
	assert_int_equal(find_signed(index, EXTRA), 0);
	assert_int_equal(find_signed(index, EXTRA + 1), EXTRA + 1);
	assert_int_equal(find_signed(index, INDEX_CHECKPOINTS_MAX + EXTRA),
		INDEX_CHECKPOINTS_MAX + EXTRA);
	assert_false(index_find_certificate(
		index, EXTRA + 1, out, &size, sizeof(out)));
	index_put_certificate(index, 5, view_text("five"));
	index_commit(index, 0);
	assert_true(index_find_certificate(index, 5, out, &size, sizeof(out)));
	assert_int_equal(size, 4);
	assert_false(index_find_certificate(index, 5, out, &size, 3));
	index_close(&index);
}

static void test_the_first_evidence_stays(void **state)
{
	struct index *index = must_open(MAP << 2, RUN);
	uint64_t cursor = 0, value, count = 0;
	size_t size;

	(void)state;
	for (uint64_t i = 0; i < INDEX_EVIDENCE_MAX + 9; i++) {
		struct key signer = key_of(i);

		index_put_evidence(
			index, i / 4 + 1, &signer, view_of(&i, sizeof(i)));
	}
	index_commit(index, 0);
	assert_int_equal(index_evidence_count(index), INDEX_EVIDENCE_MAX);
	while (index_next_evidence(
		index, &cursor, (uint8_t *)&value, &size, sizeof(value))) {
		assert_true(value < INDEX_EVIDENCE_MAX);
		count++;
	}
	assert_int_equal(count, INDEX_EVIDENCE_MAX);
	index_close(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_index_is_empty),
		TEST(test_only_a_commit_is_seen),
		TEST(test_the_model_agrees),
		TEST(test_many_are_found_again),
		TEST(test_one_owner_at_a_time),
		TEST(test_the_newest_two_snapshots_stay),
		TEST(test_reading_past_a_snapshot),
		TEST(test_peers),
		TEST(test_received_are_kept_in_order),
		TEST(test_the_received_agree_with_a_model),
		TEST(test_no_more_received_than_may_wait),
		TEST(test_of_what_was_signed_the_oldest_goes),
		TEST(test_the_first_evidence_stays),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
