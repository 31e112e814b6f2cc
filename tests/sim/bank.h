/* sim/bank.h -- every block and snapshot that was ever made in a run, once.
 *
 * Logs and packets name a block by where it lies here, so nothing is copied,
 * and two bodies under one block hash are noticed at once.
 */
#ifndef PERCH_SIM_BANK_H
#define PERCH_SIM_BANK_H

#include "ledger/block.h"

struct sim_tx;

enum { BANK_BUCKETS = 4096 };

struct bank_block {
	struct block_ref ref; /* borrows from the bank's copy */
	uint64_t number;      /* in order of first appearance */
	size_t tx_count;
	struct sim_tx **txs; /* as clients made them */
	struct view *receipts;
	struct bank_block *next;
};

/* The state after a block, as a node kept it. */
struct bank_state {
	const struct bank_block *block;
	struct view bytes;
	struct bank_state *next;
};

struct bank {
	uint8_t *memory;
	size_t room;
	size_t used;
	uint64_t count;
	struct bank_block *buckets[BANK_BUCKETS];
	struct bank_state *states; /* newest first */
};

void bank_open(struct bank *bank);
void bank_close(struct bank *bank);
void bank_clear(struct bank *bank);

/* The one copy of this block; is_new says whether it was not here before.
 * NULL: the hash is known with other bytes, or the bytes do not open. */
struct bank_block *bank_put(struct bank *bank, const struct block_ref *ref,
	const struct hash *network, bool *is_new);

/* A block that was put before; NULL: none. */
const struct bank_block *bank_find(
	const struct bank *bank, const struct hash *hash);

/* The one copy of the state after block. NULL: it is known with other bytes. */
const struct bank_state *bank_put_state(
	struct bank *bank, const struct bank_block *block, struct view bytes);

/* Memory for the rest of the run, aligned to 16, not zeroed. */
void *bank_take(struct bank *bank, size_t size);

#endif
