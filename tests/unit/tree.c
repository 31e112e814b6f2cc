/* tests/unit/tree.c -- the kept tree against one that is made anew. */
#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "contract/tree.h"

enum { CAPACITY = 300, JOURNAL = 1 << 20 };

struct fixture {
	struct arena arena;
	struct tree *tree;
	void *memory, *journal;
	struct hash leaves[CAPACITY];
};

static void fixture_init(struct fixture *f, uint32_t count)
{
	size_t size = 128 + tree_bytes(CAPACITY);

	crypto_start();
	f->memory = calloc(1, size);
	f->journal = malloc(JOURNAL);
	arena_init(&f->arena, f->memory, size, f->journal, JOURNAL);
	f->tree = arena_take(&f->arena, sizeof(struct tree));
	tree_init(f->tree, &f->arena, CAPACITY, count);
}

static void fixture_free(struct fixture *f)
{
	free(f->memory);
	free(f->journal);
}

/* Give every marked leaf its hash, as a user of the tree does. */
static struct hash refresh(struct fixture *f, uint32_t *set)
{
	uint32_t leaf, count = 0;

	for (uint32_t from = 0; tree_next_marked(f->tree, from, &leaf);
		from = leaf + 1) {
		tree_set(f->tree, leaf, &f->leaves[leaf]);
		count++;
	}
	if (set != NULL)
		*set = count;
	return tree_root(f->tree);
}

static void change(struct fixture *f, struct random *random, uint32_t leaf)
{
	uint64_t value = random_next(random);

	memcpy(&f->leaves[leaf], &value, sizeof(value));
	tree_mark(f->tree, leaf);
}

static void assert_fresh(struct fixture *f, uint32_t count)
{
	struct hash kept = refresh(f, NULL);
	struct hash anew = merkle_root(f->leaves, count);

	assert_true(hash_equal(&kept, &anew));
}

static void test_every_count(void **unused)
{
	struct random random;

	(void)unused;
	random_seed(&random, 7);
	for (uint32_t count = 0; count <= CAPACITY; count += 1 + count / 20) {
		struct fixture f = {.tree = NULL};
		uint32_t set;

		fixture_init(&f, count);
		for (uint32_t i = 0; i < count; i++)
			change(&f, &random, i);
		refresh(&f, &set);
		assert_int_equal(set, count);
		assert_fresh(&f, count);
		for (int i = 0; i < 20 && count > 0; i++) {
			uint64_t changes = random_below(&random, 4);
			for (uint64_t k = 0; k < changes; k++)
				change(&f, &random,
					(uint32_t)random_below(&random, count));
			refresh(&f, &set);
			assert_true(set <= changes);
			assert_fresh(&f, count);
		}
		for (uint32_t i = 0; i < count; i++) {
			struct hash kept[MERKLE_PATH_MAX];
			struct hash anew[MERKLE_PATH_MAX];
			size_t length = tree_path(f.tree, i, kept);

			assert_int_equal(
				length, merkle_path(anew, f.leaves, count, i));
			assert_memory_equal(
				kept, anew, length * sizeof(kept[0]));
			struct hash leaf = tree_leaf(f.tree, i);
			assert_true(hash_equal(&leaf, &f.leaves[i]));
		}
		fixture_free(&f);
	}
}

/* Neither a stale hash nor a lost mark: roots are asked for, or not, before and
 * after what is rolled back. */
static void test_rollback(void **unused)
{
	enum { COUNT = 77 };
	struct fixture f = {.tree = NULL};
	struct hash before[COUNT];
	struct random random;

	(void)unused;
	random_seed(&random, 11);
	fixture_init(&f, COUNT);
	for (int round = 0; round < 2000; round++) {
		if (random_chance(&random, 500))
			change(&f, &random,
				(uint32_t)random_below(&random, COUNT));
		if (random_chance(&random, 500))
			assert_fresh(&f, COUNT);
		memcpy(before, f.leaves, sizeof(before));
		arena_mark mark = arena_now(&f.arena);
		for (int i = 0; i < 3; i++) {
			change(&f, &random,
				(uint32_t)random_below(&random, COUNT));
			if (random_chance(&random, 500))
				assert_fresh(&f, COUNT);
		}
		if (random_chance(&random, 500)) {
			arena_rollback(&f.arena, mark);
			memcpy(f.leaves, before, sizeof(before));
		}
		if (random_chance(&random, 300))
			assert_fresh(&f, COUNT);
	}
	assert_fresh(&f, COUNT);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_count),
		cmocka_unit_test(test_rollback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
