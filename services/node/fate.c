/* node/fate.c -- what became of a transaction, from the mempool, the state or
 * the index, with its receipt once it is in a block.
 */
#include "node.h"

#include <string.h>

#include "base/check.h"

bool find_fate(struct lane *lane, const struct key *wallet, const struct id *id,
	struct replica_fate *out)
{
	const struct replica *replica = driver_replica(lane->driver);
	if (replica_fate(replica, wallet, id, out))
		return true;
	memset(out, 0, sizeof(*out));
	if (!index_find_tx(driver_index(lane->driver), wallet, id, &out->tx,
		    &out->height, &out->index))
		return false;
	out->status = 3;
	return true;
}

/* The block's hash and the receipt; false when the block is gone. */
static bool find_receipt(struct lane *lane, const struct replica_fate *fate,
	struct hash *hash, struct view *receipt)
{
	struct node *node = lane->node;
	size_t size;
	struct block_ref block;
	if (driver_block(lane->driver, fate->height, node->block, &size) !=
			ERR_OK ||
		block_open(&block, view_of(node->block, size),
			&node->genesis->network) != ERR_OK ||
		block_decode(&node->decoded, block.bytes) != ERR_OK ||
		fate->index >= node->decoded.receipts_count)
		return false;
	*hash = block.hash;
	*receipt = node->decoded.receipts[fate->index];
	return true;
}

void answer_fate(struct lane *lane, const struct origin *origin,
	const struct key *wallet, const struct id *id)
{
	struct node *node = lane->node;
	struct replica_fate known;
	struct replica_head head;
	replica_final_head(driver_replica(lane->driver), &head);
	struct fate fate = {
		.wallet = *wallet,
		.id = *id,
		.chain = lane->chain,
		.as_of = head.tip.height,
		.as_of_time = (uint64_t)head.tip.time,
	};
	if (find_fate(lane, wallet, id, &known)) {
		fate.status = known.status;
		fate.height = known.height;
		fate.index = known.index;
	}
	if (fate.status >= 2 &&
		!find_receipt(lane, &known, &fate.block, &fate.receipt)) {
		answer_refusal(node, origin, ERR_NOT_FOUND);
		return;
	}
	answer(node, origin, MESSAGE_FATE,
		fate_encode(node->body, sizeof(node->body), &fate));
}
