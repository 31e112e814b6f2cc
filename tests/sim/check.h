/* sim/check.h -- the judges: they read what nodes put out, never what they
 * think.
 *
 * Agreement on final blocks, acknowledgements that are kept, durability on a
 * majority, one leader a term, reads that are not old, and, block by block,
 * the reference model of the contract (model.h).
 */
#ifndef PERCH_SIM_CHECK_H
#define PERCH_SIM_CHECK_H

#include "bank.h"
#include "model.h"
#include "net.h"

enum { CHECK_TERMS_MAX = 65536, CHECK_SIGNED_MAX = 8192 };

struct node;
struct sim_tx;
struct world;

/* What a client was told, and must stay true. */
struct acknowledged {
	const struct sim_tx *tx;
	uint32_t node;
	uint64_t height;
	uint16_t index;
	struct view receipt;
};

struct checker_member {
	bool voter, standby;
};

struct checker {
	struct checker_member members[SIM_NODES_MAX]; /* after final_tip */
	size_t voters;
	/* The one final chain, by height, as first reported by any node. */
	const struct bank_block **final;
	size_t final_room;
	uint64_t final_tip;
	uint64_t *moves; /* by height: a digest of what moved, or 0 */
	uint64_t acknowledged_height; /* highest that was acknowledged */
	size_t acknowledged_count, acknowledged_room;
	struct acknowledged *acknowledged;
	/* The block that each node signed at a height, in all its lives. */
	const struct bank_block *signed_at[SIM_NODES_MAX][CHECK_SIGNED_MAX];
	uint8_t leaders[CHECK_TERMS_MAX]; /* node + 1, by term */
	uint64_t term_top;
	struct model model;
};

void check_clear(struct world *world);
void check_free(struct checker *checker);

/* The role of a member after the final tip: 0 none, 1 stand-by, 2 voter. */
void check_member(struct world *world, const struct node *node, uint8_t role);

/* A node reports a block as final. */
void check_final(struct world *world, const struct node *node,
	const struct bank_block *block);
/* A node signs a block, which makes it final together with others. */
void check_signed(struct world *world, const struct node *node,
	const struct bank_block *block);
void check_moves(struct world *world, const struct node *node,
	const struct bank_block *block, const struct moves *moves);
/* A node begins after a snapshot. */
void check_snapshot(struct world *world, const struct node *node,
	const struct bank_block *block);
/* A node tells a client that a transaction is final. */
void check_acknowledged(struct world *world, const struct node *node,
	const struct sim_tx *tx, uint64_t height, uint16_t index,
	struct view receipt);
/* A read is answered as of height; floor was acknowledged when it began. */
void check_read(struct world *world, const struct node *node, uint64_t height,
	uint64_t floor);
/* After every step of a node. */
void check_node(struct world *world, struct node *node);
/* When a run is over. */
void check_end(struct world *world);

/* The final block that has this transaction, or NULL. */
const struct bank_block *check_find(
	const struct world *world, const struct sim_tx *tx, uint16_t *index);

#endif
