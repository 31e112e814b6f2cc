/* tests/unit/table.c -- the hash table against an array of what should be in
 * it, with rollbacks.
 */
#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "base/table.h"

enum { CAPACITY = 50, KEYS = 80, JOURNAL = 1 << 16 };

/* 20 bytes of key: not a multiple of eight, and more than one word. */
struct record {
	uint8_t key[20];
	uint32_t value;
};

/* What should be in the table. */
struct model {
	bool here[KEYS];
	uint32_t index[KEYS];
	uint32_t value[KEYS];
	uint32_t count;
};

struct fixture {
	struct arena arena;
	struct table *table;
	void *memory, *journal;
};

static void key_of(uint8_t key[20], uint32_t number)
{
	memset(key, 0, 20);
	/* Keys that differ only late, to see that every byte counts. */
	memcpy(key + (number % 2 ? 16 : 0), &number, sizeof(number));
}

static void fixture_init(struct fixture *f, uint32_t capacity)
{
	size_t size = 128 + table_bytes(sizeof(struct record), capacity);

	f->memory = calloc(1, size);
	f->journal = malloc(JOURNAL);
	assert_non_null(f->memory);
	assert_non_null(f->journal);
	arena_init(&f->arena, f->memory, size, f->journal, JOURNAL);
	f->table = arena_take(&f->arena, sizeof(struct table));
	table_init(f->table, &f->arena, 20, sizeof(struct record), capacity);
}

static void fixture_free(struct fixture *f)
{
	free(f->memory);
	free(f->journal);
}

static void compare(const struct table *table, const struct model *model)
{
	uint32_t walked = 0, last = 0;

	assert_int_equal(table->count, model->count);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint8_t key[20];

		key_of(key, i);
		uint32_t index = table_find(table, key);
		assert_int_equal(
			index, model->here[i] ? model->index[i] : TABLE_NONE);
		if (!model->here[i])
			continue;
		struct record *record = table_at(table, index);
		assert_memory_equal(record->key, key, 20);
		assert_int_equal(record->value, model->value[i]);
	}
	for (uint32_t at = table_next(table, 0); at != TABLE_NONE;
		at = table_next(table, at + 1)) {
		assert_true(walked == 0 || at > last);
		last = at;
		walked++;
	}
	assert_int_equal(walked, model->count);
}

static void random_step(
	struct fixture *f, struct model *model, struct random *random)
{
	uint32_t number = (uint32_t)random_below(random, KEYS);
	uint32_t value = (uint32_t)random_next(random) | 1;
	struct table *table = f->table;
	uint8_t key[20];

	key_of(key, number);
	if (!model->here[number]) {
		uint32_t index = table_put(table, key);

		assert_int_equal(index == TABLE_NONE, model->count == CAPACITY);
		if (index == TABLE_NONE)
			return;
		struct record *record = table_at(table, index);
		assert_int_equal(record->value, 0);
		record->value = value;
		model->here[number] = true;
		model->index[number] = index;
		model->value[number] = value;
		model->count++;
	} else if (random_chance(random, 500)) {
		struct record *record = table_at(table, model->index[number]);

		table_touch(table, model->index[number]);
		record->value = value;
		model->value[number] = value;
	} else {
		table_remove(table, model->index[number]);
		model->here[number] = false;
		model->count--;
	}
}

static void test_random_against_model(void **state)
{
	struct model model = {0}, saved = {0};
	struct random random;
	struct fixture f;
	arena_mark mark;
	bool was_full = false;

	(void)state;
	random_seed(&random, 2);
	fixture_init(&f, CAPACITY);
	mark = arena_now(&f.arena);
	for (int step = 0; step < 20000; step++) {
		random_step(&f, &model, &random);
		was_full |= model.count == CAPACITY;
		if (step % 7 == 0)
			compare(f.table, &model);
		if (!random_chance(&random, 40))
			continue;
		if (random_chance(&random, 500) &&
			arena_can_rollback(&f.arena, mark)) {
			arena_rollback(&f.arena, mark);
			model = saved;
			compare(f.table, &model);
		}
		mark = arena_now(&f.arena);
		saved = model;
	}
	assert_true(was_full);
	fixture_free(&f);
}

static void put_twice(void *table)
{
	uint8_t key[20] = {1};

	table_put(table, key);
	table_put(table, key);
}

static void remove_absent(void *table)
{
	table_remove(table, 0);
}

static void read_absent(void *table)
{
	table_at(table, 0);
}

static void test_misuse_aborts(void **state)
{
	uint8_t key[20] = {5};
	struct fixture f;

	(void)state;
	fixture_init(&f, 3);
	assert_true(unit_aborts(put_twice, f.table));
	assert_true(unit_aborts(remove_absent, f.table));
	assert_true(unit_aborts(read_absent, f.table));
	table_remove(f.table, table_put(f.table, key));
	assert_true(unit_aborts(remove_absent, f.table));
	assert_true(unit_aborts(read_absent, f.table));
	assert_int_equal(table_next(f.table, 0), TABLE_NONE);
	fixture_free(&f);
}

static void test_capacity_of_one(void **state)
{
	uint8_t a[20] = {1}, b[20] = {2};
	struct fixture f;

	(void)state;
	fixture_init(&f, 1);
	assert_int_equal(table_put(f.table, a), 0);
	assert_int_equal(table_put(f.table, b), TABLE_NONE);
	assert_int_equal(table_find(f.table, b), TABLE_NONE);
	table_remove(f.table, 0);
	assert_int_equal(table_put(f.table, b), 0);
	assert_int_equal(table_find(f.table, a), TABLE_NONE);
	fixture_free(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_misuse_aborts),
		cmocka_unit_test(test_capacity_of_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
