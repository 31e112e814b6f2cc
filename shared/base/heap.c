/* base/heap.c -- a binary heap whose every write is journaled. An item moves
 * along a hole instead of being swapped, so a push or pop touches each place
 * once.
 */
#include "base/heap.h"

#include <string.h>

#include "base/check.h"

size_t heap_bytes(uint32_t capacity)
{
	/* arena_take may skip up to 63 bytes to align. */
	return (size_t)capacity * sizeof(struct heap_item) + 64;
}

void heap_init(struct heap *heap, struct arena *arena, uint32_t capacity)
{
	*heap = (struct heap){
		.arena = arena,
		.capacity = capacity,
		.items = arena_take(arena, capacity * sizeof(struct heap_item)),
	};
}

/* A total order: the stamp decides between items that are otherwise equal. */
static bool is_before(const struct heap_item *a, const struct heap_item *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	if (a->index != b->index)
		return a->index < b->index;
	return a->stamp < b->stamp;
}

static void set_item(struct heap *heap, uint32_t at, struct heap_item item)
{
	arena_touch(heap->arena, &heap->items[at], sizeof(item));
	heap->items[at] = item;
}

static void set_count(struct heap *heap, uint32_t count)
{
	arena_touch(heap->arena, &heap->count, sizeof(heap->count));
	heap->count = count;
}

enum err heap_push(struct heap *heap, struct heap_item item)
{
	if (heap->count == heap->capacity)
		return ERR_FULL;
	uint32_t hole = heap->count;

	set_count(heap, hole + 1);
	while (hole > 0) {
		uint32_t parent = (hole - 1) / 2;

		if (!is_before(&item, &heap->items[parent]))
			break;
		set_item(heap, hole, heap->items[parent]);
		hole = parent;
	}
	set_item(heap, hole, item);
	return ERR_OK;
}

const struct heap_item *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? &heap->items[0] : NULL;
}

void heap_pop(struct heap *heap)
{
	CHECK(heap->count > 0);
	uint32_t count = heap->count - 1;
	struct heap_item last = heap->items[count];
	uint32_t hole = 0;

	set_count(heap, count);
	if (count == 0)
		return;
	for (;;) {
		uint32_t child = 2 * hole + 1;

		if (child >= count)
			break;
		if (child + 1 < count &&
			is_before(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!is_before(&heap->items[child], &last))
			break;
		set_item(heap, hole, heap->items[child]);
		hole = child;
	}
	set_item(heap, hole, last);
}
