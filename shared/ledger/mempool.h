/* ledger/mempool.h -- transactions that wait for a block, in order of arrival.
 *
 * Bounded in count and bytes; a full pool refuses at once. Works in memory that
 * the caller gives, has no notion of time beyond block time.
 */
#ifndef PERCH_LEDGER_MEMPOOL_H
#define PERCH_LEDGER_MEMPOOL_H

#include "ledger/block.h"

enum { MEMPOOL_TXS_MAX = 10000, MEMPOOL_BYTES_MAX = 16 << 20 };

struct mempool; /* opaque */

/* Bytes of memory for these limits. */
size_t mempool_bytes(uint32_t txs_max, size_t bytes_max);
/* A pool in caller's zeroed memory of mempool_bytes(...), aligned to 64. */
struct mempool *mempool_init(void *memory, uint32_t txs_max, size_t bytes_max);

/* Copy a verified transaction in. ERR_EXISTS when (wallet, id) is here with the
 * same content, ERR_REPLAY with other content, ERR_BUSY when full. local marks
 * one that this node must bring to the leader, also one that is here already.
 */
MUST_CHECK enum err mempool_put(
	struct mempool *pool, const struct tx_view *tx, bool local);

/* True and the content's hash when (wallet, id) waits here. */
bool mempool_find(const struct mempool *pool, const struct key *wallet,
	const struct id *id, struct hash *tx_hash);

/* True when exactly these bytes wait here, so their signature was verified. */
bool mempool_holds(const struct mempool *pool, const struct tx_view *tx);

/* Forget (wallet, id); nothing happens when it is not here. */
void mempool_remove(
	struct mempool *pool, const struct key *wallet, const struct id *id);

uint32_t mempool_count(const struct mempool *pool);
size_t mempool_bytes_used(const struct mempool *pool);

/* Walk in order of arrival. cursor starts at 0 and stays good whatever is put
 * or removed meanwhile; true fills out (borrowed until the next put). */
struct mempool_item {
	struct view bytes; /* the envelope */
	struct key wallet;
	struct id id;
	struct hash hash;
	time_ms valid_until;
	bool local;
};
bool mempool_next(
	const struct mempool *pool, uint64_t *cursor, struct mempool_item *out);

#endif
