/* client/block.c -- walking a verified block: what was asked, by whom, and what
 * became of it.
 *
 * Each call decodes what it is asked for from the block's bytes; nothing is
 * kept, so a block of 256 transactions of 64 operations costs no memory.
 */
#include <string.h>

#include "client/block_flight.h"
#include "client/inside.h"

/* The transaction and the receipt at this index of a block. */
static bool item_at(const struct perch_block *from, size_t index,
	struct tx_view *tx, struct receipt *receipt)
{
	struct block block;
	enum err err = block_decode(&block, view_of(from->bytes, from->size));

	if (err != ERR_OK || index >= block.txs_count ||
		block.receipts_count != block.txs_count)
		return false;
	err = tx_open(tx, block.txs[index]);
	if (err == ERR_OK)
		err = receipt_decode(receipt, block.receipts[index]);
	return err == ERR_OK;
}

bool perch_block_tx_at(const struct perch_block *block, size_t index,
	struct perch_block_tx *out)
{
	struct tx_view tx;
	struct receipt receipt;

	if (!item_at(block, index, &tx, &receipt))
		return false;
	give_id(&out->id, &tx.body.id);
	give_key(&out->wallet, &tx.body.wallet);
	give_hash(&out->hash, &tx.hash);
	out->valid_until = (int64_t)tx.body.valid_until;
	out->mode = tx.body.mode == 0 ? PERCH_ALL : PERCH_EACH;
	out->op_count = tx.body.ops_count;
	out->code = (uint8_t)receipt.code;
	return true;
}

static enum err read_reserve(struct perch_op *out, struct view body)
{
	struct op_reserve op;
	enum err err = op_reserve_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	give_text(out->aircraft, sizeof(out->aircraft), op.aircraft);
	out->slot.start = (int64_t)op.start;
	out->slot.end = (int64_t)op.end;
	out->movement = (enum perch_movement)op.movement;
	out->sealed = op.sealed.data;
	out->sealed_size = op.sealed.size;
	out->has_commitment = op.commitment.size == HASH_SIZE;
	if (out->has_commitment)
		memcpy(&out->commitment, op.commitment.data, HASH_SIZE);
	return ERR_OK;
}

static enum err read_amend(struct perch_op *out, struct view body)
{
	struct op_amend op;
	enum err err = op_amend_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	out->version = (uint32_t)op.version;
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	out->slot.start = (int64_t)op.start;
	out->slot.end = (int64_t)op.end;
	return ERR_OK;
}

static enum err read_cancel(struct perch_op *out, struct view body)
{
	struct op_cancel op;
	enum err err = op_cancel_decode(&op, body);

	if (err == ERR_OK)
		give_id(&out->reservation, &op.reservation);
	return err;
}

static enum err read_prompt(struct perch_op *out, struct view body)
{
	struct op_reservation op;
	enum err err = op_reservation_decode(&op, body);

	if (err == ERR_OK)
		give_text(out->port, sizeof(out->port), op.port);
	return err;
}

static enum err read_set_node(struct perch_op *out, struct view body)
{
	struct op_set_node op;
	struct perch_node *node = &out->node;
	enum err err = op_set_node_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_key(&node->key, &op.node);
	give_text(node->name, sizeof(node->name), op.name);
	give_text(node->request, sizeof(node->request), op.request);
	give_text(node->publish, sizeof(node->publish), op.publish);
	out->role = (enum perch_node_role)op.role;
	return ERR_OK;
}

static enum err read_op(struct perch_op *out, const struct op *op)
{
	switch (op->kind) {
	case OP_RESERVE:
		return read_reserve(out, op->body);
	case OP_AMEND:
		return read_amend(out, op->body);
	case OP_CANCEL:
		return read_cancel(out, op->body);
	case OP_RESERVATION:
		return read_prompt(out, op->body);
	case OP_SET_NODE:
		return read_set_node(out, op->body);
	}
	return block_flight_read(out, op);
}

bool perch_block_op_at(const struct perch_block *block, size_t tx_index,
	size_t op_index, struct perch_op *out)
{
	struct tx_view tx;
	struct receipt receipt;
	enum err err;

	if (!item_at(block, tx_index, &tx, &receipt) ||
		op_index >= tx.body.ops_count)
		return false;
	memset(out, 0, sizeof(*out));
	out->kind = (int)tx.body.ops[op_index].kind;
	err = read_op(out, &tx.body.ops[op_index]);
	if (err != ERR_OK) {
		/* It was refused as malformed; only its receipt is legible. */
		memset(out, 0, sizeof(*out));
		out->kind = (int)tx.body.ops[op_index].kind;
	}
	if (op_index >= receipt.ops_count) {
		out->outcome.code = (uint8_t)receipt.code;
		return true;
	}
	err = give_outcome(&out->outcome, &receipt.ops[op_index]);
	return err == ERR_OK;
}
