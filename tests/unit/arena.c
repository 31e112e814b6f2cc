/* tests/unit/arena.c -- the undo journal against full copies of the arena. */
#include "unit.h"

#include <string.h>

#include "base/arena.h"
#include "base/random.h"

enum { MEMORY = 4096, JOURNAL = 2048, MARKS_MAX = 64 };

struct fixture {
	_Alignas(64) uint8_t memory[MEMORY];
	uint8_t journal[JOURNAL];
	struct arena arena;
};

static void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena, f->memory, MEMORY, f->journal, JOURNAL);
}

static void take_too_much(void *arena)
{
	arena_take(arena, MEMORY);
}

static void test_take(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	uint8_t *a = arena_take(&f.arena, 1);
	uint8_t *b = arena_take(&f.arena, 65);
	uint8_t *c = arena_take(&f.arena, MEMORY - 192);
	assert_ptr_equal(a, f.memory);
	assert_ptr_equal(b, f.memory + 64);
	assert_ptr_equal(c, f.memory + 192);
	assert_int_equal(f.arena.used, MEMORY);
	assert_non_null(arena_take(&f.arena, 0));
	assert_true(unit_aborts(take_too_much, &f.arena));

	/* Memory that is itself not aligned to 64. */
	arena_init(&f.arena, f.memory + 8, MEMORY - 8, f.journal, JOURNAL);
	a = arena_take(&f.arena, 4);
	assert_ptr_equal(a, f.memory + 64);
}

static void touch_before(void *argument)
{
	struct fixture *f = argument;

	arena_touch(&f->arena, f->arena.memory - 1, 1);
}

static void touch_beyond(void *argument)
{
	struct fixture *f = argument;

	arena_touch(&f->arena, f->memory + f->arena.used - 1, 2);
}

static void touch_too_much(void *argument)
{
	struct fixture *f = argument;

	arena_touch(&f->arena, f->memory, JOURNAL / 4 + 1);
}

static void rollback_forgotten(void *argument)
{
	struct fixture *f = argument;

	arena_rollback(&f->arena, f->arena.journal_tail - 1);
}

static void rollback_future(void *argument)
{
	struct fixture *f = argument;

	arena_rollback(&f->arena, arena_now(&f->arena) + 1);
}

static void rollback_no_mark(void *argument)
{
	struct fixture *f = argument;

	arena_rollback(&f->arena, arena_now(&f->arena) - 1);
}

static void test_misuse_aborts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	arena_take(&f.arena, MEMORY - 64);
	assert_true(unit_aborts(touch_before, &f));
	assert_true(unit_aborts(touch_beyond, &f));
	assert_true(unit_aborts(touch_too_much, &f));
	assert_true(unit_aborts(rollback_future, &f));
	for (int i = 0; i < 100; i++)
		arena_touch(&f.arena, f.memory, 100);
	assert_true(unit_aborts(rollback_forgotten, &f));
	assert_true(unit_aborts(rollback_no_mark, &f));
}

static void test_forgets_oldest(void **state)
{
	struct fixture f;
	struct fixture before;
	arena_mark first, last;

	(void)state;
	fixture_init(&f);
	uint8_t *bytes = arena_take(&f.arena, 512);
	first = arena_now(&f.arena);
	assert_true(arena_can_rollback(&f.arena, first));
	/* 512 bytes and their trailer: three fit in the ring, not four. */
	for (int i = 0; i < 3; i++)
		arena_touch(&f.arena, bytes, JOURNAL / 4);
	assert_true(arena_can_rollback(&f.arena, first));
	last = arena_now(&f.arena);
	before = f;
	arena_touch(&f.arena, bytes, JOURNAL / 4);
	memset(bytes, 7, 512);
	assert_false(arena_can_rollback(&f.arena, first));
	assert_true(arena_can_rollback(&f.arena, last));
	arena_rollback(&f.arena, last);
	assert_memory_equal(f.memory, before.memory, MEMORY);
	/* What was forgotten does not come back. */
	assert_false(arena_can_rollback(&f.arena, first));
}

struct saved {
	arena_mark mark;
	uint8_t memory[MEMORY];
};

static void random_change(struct fixture *f, struct random *random)
{
	size_t size = (size_t)random_below(random, 10) == 0
			      ? (size_t)random_below(random, JOURNAL / 4 + 1)
			      : (size_t)random_below(random, 24);
	size_t at = (size_t)random_below(random, MEMORY - size + 1);

	arena_touch(&f->arena, f->memory + at, size);
	for (size_t i = 0; i < size; i++)
		f->memory[at + i] = (uint8_t)random_next(random);
}

/* Marks that cannot be reached any more are forgotten by the test too, but only
 * when enough was written since that the ring must have lost them. */
static size_t drop_forgotten(
	const struct fixture *f, struct saved *marks, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool fits = arena_now(&f->arena) - marks[i].mark <= JOURNAL;

		if (arena_can_rollback(&f->arena, marks[i].mark)) {
			assert_true(fits);
			memmove(&marks[kept++], &marks[i], sizeof(marks[i]));
		}
	}
	return kept;
}

static void test_random_against_copies(void **state)
{
	static struct saved marks[MARKS_MAX];
	static struct fixture f;
	struct random random;
	size_t count = 0, rollbacks = 0;

	(void)state;
	random_seed(&random, 1);
	fixture_init(&f);
	arena_take(&f.arena, MEMORY);
	for (int step = 0; step < 60000; step++) {
		uint64_t what = random_below(&random, 20);

		count = drop_forgotten(&f, marks, count);
		if (what < 14) {
			random_change(&f, &random);
		} else if (what < 18 && count < MARKS_MAX) {
			marks[count].mark = arena_now(&f.arena);
			memcpy(marks[count++].memory, f.memory, MEMORY);
		} else if (what >= 18 && count > 0) {
			size_t to = (size_t)random_below(&random, count);

			arena_rollback(&f.arena, marks[to].mark);
			assert_memory_equal(f.memory, marks[to].memory, MEMORY);
			assert_true(arena_now(&f.arena) == marks[to].mark);
			count = to + 1;
			rollbacks++;
		}
	}
	assert_true(rollbacks > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_misuse_aborts),
		cmocka_unit_test(test_forgets_oldest),
		cmocka_unit_test(test_random_against_copies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
