/* contract/chain.h -- a state and the blocks that lead to it: build the next
 * one, connect a given one, disconnect back to where history still reaches.
 *
 * Used by the replica (and so by node and simulator) and by the evaluator.
 */
#ifndef PERCH_CONTRACT_CHAIN_H
#define PERCH_CONTRACT_CHAIN_H

#include "contract/contract.h"
#include "ledger/mempool.h"

struct chain_tip {
	uint64_t height;
	struct hash hash; /* at height 0: the network id */
	time_ms time;
};

/*
 * One block must fit in the state's journal, or it could not be undone when it
 * turns out to be invalid. What a full one of 64 KiB and the effects of time
 * can change stays below this, with the limits of state_limits_default.
 */
enum { CHAIN_JOURNAL_BYTES_MIN = 16 << 20 };

struct chain; /* opaque; in caller's zeroed memory of chain_bytes() */

size_t chain_bytes(void);
/* state and genesis are borrowed for the chain's life. number: the wire's chain
 * number. */
struct chain *chain_init(void *memory, struct state *state,
	const struct genesis *genesis, uint8_t number);

struct chain_tip chain_tip(const struct chain *chain);
struct state *chain_state(const struct chain *chain);

/* What a builder wants in a header. */
struct chain_template {
	time_ms now; /* proposed; raised to parent's time + 1 */
	const struct keypair *proposer;
	struct view engine; /* the engine field */
	bool member_free;   /* a change of nodes may go in */
	size_t txs_max;
};

/*
 * Build, execute and sign the next block on the tip from the pool in order of
 * arrival; the tip moves to it. Transactions in the pool that can have no
 * effect (seen already, not valid at this time) are left out and removed from
 * the pool; those in the block stay there. A change of nodes by the authority
 * goes in alone. out holds BLOCK_BYTES_MAX and block borrows from it. Moves, if
 * asked for, as in contract.h. Never fails: an empty block is a block.
 */
void chain_build(struct chain *chain, struct mempool *pool,
	const struct chain_template *template, uint8_t *out,
	struct block_ref *block, struct moves *moves);

/*
 * Execute a block on the tip, all signatures being verified by the caller.
 * ERR_PARENT (or another chain), ERR_TIME (not after the parent's), ERR_ROOT
 * (tx, receipt or state root, or a receipt), ERR_ENCODING, ERR_KEY (wallet);
 * and, for a transaction that no block may hold, ERR_REPLAY (a seen id),
 * ERR_EXPIRED, ERR_FULL. On an error nothing has changed.
 */
MUST_CHECK enum err chain_connect(struct chain *chain,
	const struct block_ref *block, struct moves *moves);

/* Undo blocks above height. CHECKs that height is in reach: it is at least the
 * height given to chain_final, or chain_reach. */
void chain_disconnect(struct chain *chain, uint64_t height);

/* Blocks up to height will never be undone: their history may be forgotten. */
void chain_final(struct chain *chain, uint64_t height);

/* The lowest height that chain_disconnect can go back to. */
uint64_t chain_reach(const struct chain *chain);

/* The transactions and receipts of a block, as bytes: as many of one as of the
 * other. ERR_ENCODING, ERR_LENGTH. */
struct block_body {
	struct block decoded;
};
MUST_CHECK enum err block_body_open(
	struct block_body *out, const struct block_ref *block);

/* After a snapshot was loaded into the state: tip is the block it was made
 * after (CHECK: height and time). */
void chain_reset(struct chain *chain, struct chain_tip tip);

#endif
