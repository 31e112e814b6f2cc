/* base/arena.h -- one block of caller's memory with an undo journal.
 *
 * Everything a ledger knows lives in one arena. Before a byte of it changes,
 * arena_touch saves the old bytes in the journal; arena_rollback puts them
 * back in reverse. One mechanism serves three needs: an atomic transaction
 * whose third operation is refused, a block that is undone, and a question
 * that is answered by trying ("simulate").
 */
#ifndef PERCH_BASE_ARENA_H
#define PERCH_BASE_ARENA_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

/* A place in the journal. Marks only grow while nothing is rolled back. */
typedef uint64_t arena_mark;

struct arena {
	uint8_t *memory; /* zeroed by the caller (calloc or mmap) */
	size_t size;
	size_t used;
	uint8_t *journal;      /* a ring of bytes */
	size_t journal_size;   /* a power of two */
	uint64_t journal_head; /* next byte to write, counted from the start */
	uint64_t journal_tail; /* oldest byte that can still be rolled back */
};

/* Borrow zeroed memory for the arena's life. journal_size: a power of two. */
void arena_init(struct arena *arena, void *memory, size_t size, void *journal,
	size_t journal_size);

/* Zeroed bytes aligned to 64, for ever. CHECKs that they fit: sizes are fixed
 * at the start from declared limits. */
void *arena_take(struct arena *arena, size_t size);

/* Save [at, at + size), which lies in the arena, before it is changed. The
 * oldest history is forgotten when the ring is full: arena_can_rollback says
 * whether a mark still stands. One touch is at most journal_size / 4. */
void arena_touch(struct arena *arena, const void *at, size_t size);

arena_mark arena_now(const struct arena *arena);
bool arena_can_rollback(const struct arena *arena, arena_mark mark);
/* Undo all touches since mark. CHECKs arena_can_rollback. */
void arena_rollback(struct arena *arena, arena_mark mark);

#endif
