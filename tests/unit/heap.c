/* tests/unit/heap.c -- the heap against a sorted array, with rollbacks. */
#include "unit.h"

#include <string.h>

#include "base/heap.h"
#include "base/random.h"

enum { CAPACITY = 40, JOURNAL = 1 << 15 };

struct model {
	uint32_t count;
	struct heap_item items[CAPACITY]; /* ascending */
};

struct fixture {
	struct arena arena;
	struct heap *heap;
	void *memory, *journal;
};

static void fixture_init(struct fixture *f)
{
	size_t size = 64 + heap_bytes(CAPACITY);

	f->memory = calloc(1, size);
	f->journal = malloc(JOURNAL);
	assert_non_null(f->memory);
	assert_non_null(f->journal);
	arena_init(&f->arena, f->memory, size, f->journal, JOURNAL);
	f->heap = arena_take(&f->arena, sizeof(struct heap));
	heap_init(f->heap, &f->arena, CAPACITY);
}

static void fixture_free(struct fixture *f)
{
	free(f->memory);
	free(f->journal);
}

static int order(const void *a, const void *b)
{
	const struct heap_item *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->stamp == y->stamp ? 0 : x->stamp < y->stamp ? -1 : 1;
}

static void compare_first(const struct heap *heap, const struct model *model)
{
	const struct heap_item *first = heap_first(heap);

	assert_int_equal(heap->count, model->count);
	if (model->count == 0)
		assert_null(first);
	else
		assert_memory_equal(first, &model->items[0], sizeof(*first));
}

static void push(struct fixture *f, struct model *model, struct random *random)
{
	struct heap_item item = {
		.time = (time_ms)random_below(random, 20) - 10,
		.index = (uint32_t)random_below(random, 4),
		.stamp = (uint32_t)random_below(random, 3),
	};

	if (model->count == CAPACITY) {
		assert_int_equal(heap_push(f->heap, item), ERR_FULL);
		return;
	}
	assert_int_equal(heap_push(f->heap, item), ERR_OK);
	model->items[model->count++] = item;
	qsort(model->items, model->count, sizeof(item), order);
}

static void pop(struct fixture *f, struct model *model)
{
	if (model->count == 0)
		return;
	heap_pop(f->heap);
	model->count--;
	memmove(&model->items[0], &model->items[1],
		model->count * sizeof(model->items[0]));
}

static void pop_empty(void *heap)
{
	heap_pop(heap);
}

static void test_random_against_model(void **state)
{
	struct model model = {0}, saved = {0};
	struct random random;
	struct fixture f;
	bool was_full = false, was_empty = false;

	(void)state;
	random_seed(&random, 3);
	fixture_init(&f);
	assert_true(unit_aborts(pop_empty, f.heap));
	arena_mark mark = arena_now(&f.arena);
	for (int step = 0; step < 30000; step++) {
		unsigned up = step / 300 % 2 ? 700 : 300;

		if (random_chance(&random, up))
			push(&f, &model, &random);
		else
			pop(&f, &model);
		compare_first(f.heap, &model);
		was_full |= model.count == CAPACITY;
		was_empty |= model.count == 0;
		if (!random_chance(&random, 30))
			continue;
		if (random_chance(&random, 500) &&
			arena_can_rollback(&f.arena, mark)) {
			arena_rollback(&f.arena, mark);
			model = saved;
		}
		mark = arena_now(&f.arena);
		saved = model;
	}
	while (model.count > 0) {
		compare_first(f.heap, &model);
		pop(&f, &model);
	}
	compare_first(f.heap, &model);
	assert_true(was_full && was_empty);
	fixture_free(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
