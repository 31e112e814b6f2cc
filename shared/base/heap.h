/* base/heap.h -- a fixed-capacity binary heap of (time, index) in an arena:
 * what ends next. Order: time, then index, so that it is the same everywhere.
 */
#ifndef PERCH_BASE_HEAP_H
#define PERCH_BASE_HEAP_H

#include "base/arena.h"

struct heap_item {
	time_ms time;
	uint32_t index;
	uint32_t stamp; /* free for the user: to recognise a stale item */
};

struct heap {
	struct arena *arena;
	uint32_t capacity;
	uint32_t count;
	struct heap_item *items;
};

size_t heap_bytes(uint32_t capacity);
/* heap itself lies in the arena, so that a rollback restores its count. */
void heap_init(struct heap *heap, struct arena *arena, uint32_t capacity);
/* ERR_FULL when at capacity. */
MUST_CHECK enum err heap_push(struct heap *heap, struct heap_item item);
/* The earliest item, or NULL when empty. */
const struct heap_item *heap_first(const struct heap *heap);
void heap_pop(struct heap *heap);

#endif
