/* consensus/ordered/entries.h -- what the engine remembers of the log.
 *
 * A block is an entry, its height is the entry's index. The blocks themselves
 * are the driver's; here are the hash, term and size of the newest few
 * thousand, and, for all others, where each term begins. Whatever is asked
 * costs the same however long the log is.
 */
#ifndef PERCH_CONSENSUS_ORDERED_ENTRIES_H
#define PERCH_CONSENSUS_ORDERED_ENTRIES_H

#include "base/view.h"

enum { ENTRIES_RING_MAX = 4096, ENTRIES_RUNS_MAX = 256 };

struct entry {
	struct hash hash;
	uint64_t term;
	uint32_t size;
};

/* Blocks of one term stand together: terms never fall along a log. */
struct run {
	uint64_t first;
	uint64_t term;
};

struct entries {
	uint64_t base; /* the log holds (base, tip] */
	uint64_t tip;
	uint64_t ring_first; /* the lowest height in the ring; tip + 1: none */
	bool base_known;     /* the term at base; its hash is zero when not */
	uint64_t base_term;
	struct hash base_hash;
	uint64_t tip_term; /* always known */
	uint32_t run_count;
	struct run runs[ENTRIES_RUNS_MAX];   /* ascending; the oldest may be
						forgotten */
	struct entry ring[ENTRIES_RING_MAX]; /* by height modulo; stays last */
};

/* An empty log that begins after height. */
void entries_init(struct entries *entries, uint64_t height,
	const struct hash *hash, uint64_t term);
/* The block at tip + 1; term is not less than the tip's (CHECK). */
void entries_append(struct entries *entries, const struct hash *hash,
	uint64_t term, size_t size);
/* Drop what is above height, which is in [base, tip) and of a known term. */
void entries_truncate(struct entries *entries, uint64_t height);
/* The log now begins after height, in [base, tip]. */
void entries_forget(struct entries *entries, uint64_t height);

/* False: not in the log, or not remembered. */
bool entries_term(
	const struct entries *entries, uint64_t height, uint64_t *term);
bool entries_hash(
	const struct entries *entries, uint64_t height, struct hash *hash);
bool entries_size(
	const struct entries *entries, uint64_t height, uint32_t *size);

/* The greatest height at or below height whose term is at most term. False:
 * it lies before what is remembered. */
bool entries_back_off(const struct entries *entries, uint64_t height,
	uint64_t term, uint64_t *out);

bool entries_hold(const struct entries *entries);

#endif
