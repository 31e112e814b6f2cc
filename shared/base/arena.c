/* base/arena.c -- the arena and its undo journal.
 *
 * The journal is a ring of records, each [old bytes][offset][size]. The fixed
 * part comes last, so that the ring is walked backwards from its head and needs
 * no index; forgetting the oldest needs no walk at all: a position that was
 * overwritten lies before the tail, and a mark before the tail is lost.
 */
#include "base/arena.h"

#include <string.h>

#include "base/check.h"

enum { ARENA_ALIGN = 64 };

struct trailer {
	uint64_t offset; /* in the arena */
	uint64_t size;   /* of the old bytes before this */
};

void arena_init(struct arena *arena, void *memory, size_t size, void *journal,
	size_t journal_size)
{
	CHECK((uintptr_t)memory % sizeof(uint64_t) == 0);
	CHECK(journal_size >= 256 && (journal_size & (journal_size - 1)) == 0);
	*arena = (struct arena){
		.memory = memory,
		.size = size,
		.journal = journal,
		.journal_size = journal_size,
	};
}

void *arena_take(struct arena *arena, size_t size)
{
	uintptr_t base = (uintptr_t)arena->memory;
	size_t pad = (0 - (base + arena->used)) % ARENA_ALIGN;

	CHECK(pad <= arena->size - arena->used);
	CHECK(size <= arena->size - arena->used - pad);
	void *taken = arena->memory + arena->used + pad;
	arena->used += pad + size;
	return taken;
}

static void ring_write(struct arena *arena, const void *data, size_t size)
{
	size_t at = (size_t)(arena->journal_head & (arena->journal_size - 1));
	size_t first = arena->journal_size - at;

	if (first > size)
		first = size;
	memcpy(arena->journal + at, data, first);
	memcpy(arena->journal, (const uint8_t *)data + first, size - first);
	arena->journal_head += size;
}

/* Take back the last size bytes written. */
static void ring_unwrite(struct arena *arena, void *data, size_t size)
{
	arena->journal_head -= size;
	size_t at = (size_t)(arena->journal_head & (arena->journal_size - 1));
	size_t first = arena->journal_size - at;

	if (first > size)
		first = size;
	memcpy(data, arena->journal + at, first);
	memcpy((uint8_t *)data + first, arena->journal, size - first);
}

/*~ Everything that can be undone in Perch is undone here. A block, a refused
 * transaction and a question answered by trying all come down to this: old
 * bytes are written to a ring before new ones are written to the arena. Whoever
 * changes a byte without touching it first breaks all three, and the property
 * tests of each layer compare with a full copy to find that out.
 */
void arena_touch(struct arena *arena, const void *at, size_t size)
{
	const uint8_t *bytes = at;

	CHECK(bytes >= arena->memory);
	struct trailer trailer = {
		.offset = (uint64_t)(bytes - arena->memory),
		.size = size,
	};
	CHECK(trailer.offset <= arena->used);
	CHECK(size <= arena->used - trailer.offset);
	CHECK(size <= arena->journal_size / 4);
	if (size == 0)
		return;

	ring_write(arena, bytes, size);
	ring_write(arena, &trailer, sizeof(trailer));
	if (arena->journal_head - arena->journal_tail > arena->journal_size)
		arena->journal_tail = arena->journal_head - arena->journal_size;
}

arena_mark arena_now(const struct arena *arena)
{
	return arena->journal_head;
}

bool arena_can_rollback(const struct arena *arena, arena_mark mark)
{
	return mark >= arena->journal_tail && mark <= arena->journal_head;
}

void arena_rollback(struct arena *arena, arena_mark mark)
{
	CHECK(arena_can_rollback(arena, mark));
	while (arena->journal_head > mark) {
		uint64_t left = arena->journal_head - mark;
		struct trailer trailer;

		CHECK(left > sizeof(trailer));
		ring_unwrite(arena, &trailer, sizeof(trailer));
		CHECK(trailer.size <= left - sizeof(trailer));
		ring_unwrite(arena, arena->memory + trailer.offset,
			(size_t)trailer.size);
	}
}
