/* contract/clearance_file.c -- made of a block, and opened far from any.
 */
#include "contract/clearance_file.h"

#include <string.h>

#include "base/check.h"
#include "contract/state.h"
#include "crypto/merkle.h"
#include "gen/table.h"

enum { FILE_VERSION = 1 };

/* ---- which operation, and what it was granted ---- */

static void read_clearance(
	struct clearance_paper *out, const struct detail_clearance *detail)
{
	out->is_clearance = true;
	out->port = detail->port;
	out->pad = detail->pad;
	out->aircraft = detail->aircraft;
	out->operator= detail->operator;
	out->movement = detail->movement;
	out->nonce = detail->nonce;
	out->from = (time_ms)detail->from;
	out->until = (time_ms)detail->until;
	out->version = detail->version;
}

/* The aircraft is in the operation, if it is one that names it. */
static bool read_reservation(struct clearance_paper *out,
	const struct detail_granted *detail, const struct op *op,
	const struct key *wallet)
{
	struct op_reserve reserve;

	if (detail->state != RESERVATION_HELD &&
		detail->state != RESERVATION_CONFIRMED)
		return false;
	out->is_clearance = false;
	out->port = detail->port;
	out->pad = detail->pad;
	out->operator= * wallet;
	out->from = (time_ms)detail->start;
	out->until = (time_ms)detail->end;
	out->version = detail->version;
	if (op->kind == OP_RESERVE &&
		op_reserve_decode(&reserve, op->body) == ERR_OK) {
		out->aircraft = reserve.aircraft;
		out->movement = reserve.movement;
	}
	return true;
}

static bool read_op(struct clearance_paper *out, const struct op *op,
	const struct op_receipt *receipt, const struct key *wallet)
{
	struct detail_clearance clearance;
	struct detail_granted granted;

	if (receipt->code != REFUSAL_GRANTED ||
		!view_equal(receipt->reservation,
			view_of(&out->reservation, sizeof(struct id))))
		return false;
	if (op->kind == OP_CLEAR && detail_clearance_decode(&clearance,
					    receipt->details) == ERR_OK) {
		read_clearance(out, &clearance);
		return true;
	}
	return detail_granted_decode(&granted, receipt->details) == ERR_OK &&
	       read_reservation(out, &granted, op, wallet);
}

/* The last one of the transaction that names the reservation. */
static enum err find_op(struct clearance_paper *out, const struct tx_view *tx,
	const struct receipt *receipt)
{
	size_t at = tx->body.ops_count;

	if (receipt->code != REFUSAL_GRANTED || receipt->ops_count != at)
		return ERR_NOT_FOUND;
	while (at-- > 0) {
		if (read_op(out, &tx->body.ops[at], &receipt->ops[at],
			    &tx->body.wallet))
			return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

static enum err read_item(struct clearance_paper *out, struct view tx_bytes,
	struct view receipt_bytes)
{
	struct receipt receipt;
	enum err err = tx_open(&out->tx, tx_bytes);

	if (err == ERR_OK)
		err = receipt_decode(&receipt, receipt_bytes);
	if (err == ERR_OK && !hash_equal(&receipt.tx, &out->tx.hash))
		err = ERR_ROOT;
	return err == ERR_OK ? find_op(out, &out->tx, &receipt) : err;
}

/* ---- the way up ---- */

/* Bit i: on level i what stands beside is to the left. */
static uint64_t sides_of(size_t index, size_t count)
{
	uint64_t sides = 0, bit = 1;

	for (size_t last = count - 1; last > 0; last >>= 1, index >>= 1) {
		if ((index & 1) == 1)
			sides |= bit;
		if ((index & 1) == 1 || index != last)
			bit <<= 1; /* else alone: nothing beside it */
	}
	return sides;
}

/* A path is climbed by left and right alone, so the number of transactions in
 * the block need not be told: a place that is told twice can be told wrongly.
 */
static bool climbs_to(const struct hash *root, struct view item,
	const struct hash *path, size_t length, uint64_t sides)
{
	struct hash at = merkle_leaf(item);

	for (size_t i = 0; i < length; i++) {
		at = (sides >> i & 1) == 1 ? merkle_node(&path[i], &at)
					   : merkle_node(&at, &path[i]);
	}
	return sides >> length == 0 && hash_equal(&at, root);
}

static size_t path_of(struct hash path[CLEARANCE_FILE_TX_PATH_MAX],
	const struct view *items, size_t count, size_t index)
{
	struct hash leaves[BLOCK_TXS_MAX], whole[MERKLE_PATH_MAX];

	for (size_t i = 0; i < count; i++)
		leaves[i] = merkle_leaf(items[i]);
	size_t length = merkle_path(whole, leaves, count, index);
	CHECK(length <= CLEARANCE_FILE_TX_PATH_MAX);
	memcpy(path, whole, length * sizeof(*path));
	return length;
}

/* ---- making ---- */

/* The last clearance in the block, or else the last change. */
static bool find_item(
	const struct block *block, const struct id *reservation, size_t *index)
{
	bool found = false, is_clearance = false;

	for (size_t i = 0; i < block->txs_count; i++) {
		struct clearance_paper paper = {.reservation = *reservation};

		if (read_item(&paper, block->txs[i], block->receipts[i]) !=
				ERR_OK ||
			(is_clearance && !paper.is_clearance))
			continue;
		is_clearance = paper.is_clearance;
		found = true;
		*index = i;
	}
	return found;
}

static enum err check_statement(
	struct view header, const struct certificate *certificate)
{
	struct checkpoint_statement statement;
	struct hash hash = hash_bytes(header);
	enum err err =
		checkpoint_statement_decode(&statement, certificate->statement);

	if (err == ERR_OK && !hash_equal(&statement.hash, &hash))
		err = ERR_ROOT;
	return err;
}

enum err clearance_file_make(uint8_t out[CLEARANCE_FILE_BYTES_MAX],
	size_t *size, struct view bytes, const struct id *reservation,
	const struct certificate *certificate)
{
	struct block block;
	size_t index;
	enum err err = block_decode(&block, bytes);

	if (err == ERR_OK && block.txs_count != block.receipts_count)
		err = ERR_ENCODING;
	if (err == ERR_OK)
		err = check_statement(block.header, certificate);
	if (err != ERR_OK)
		return err;
	if (!find_item(&block, reservation, &index))
		return ERR_NOT_FOUND;
	struct clearance_file file = {
		.version = FILE_VERSION,
		.reservation = *reservation,
		.header = block.header,
		.sides = sides_of(index, block.txs_count),
		.tx = block.txs[index],
		.receipt = block.receipts[index],
		.endorsements_count = certificate->endorsements_count,
	};
	file.tx_path_count =
		path_of(file.tx_path, block.txs, block.txs_count, index);
	file.receipt_path_count = path_of(
		file.receipt_path, block.receipts, block.receipts_count, index);
	memcpy(file.endorsements, certificate->endorsements,
		sizeof(file.endorsements));
	size_t used =
		clearance_file_encode(out, CLEARANCE_FILE_BYTES_MAX, &file);
	if (used == 0)
		return ERR_LENGTH;
	*size = used;
	return ERR_OK;
}

/* ---- opening ---- */

static enum err check_header(struct clearance_paper *out,
	const struct clearance_file *file, const struct hash *network,
	const struct signers *signers)
{
	static const struct signature none = {{0}};
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];
	enum err err =
		block_open_header(&out->block, file->header, &none, network);

	if (err != ERR_OK)
		return err;
	struct checkpoint_statement statement = checkpoint_of(&out->block);
	size_t size =
		checkpoint_statement_encode(bytes, sizeof(bytes), &statement);
	CHECK(size > 0);
	return endorsements_verify(view_of(bytes, size), file->endorsements,
		file->endorsements_count, network, signers);
}

enum err clearance_file_open(struct clearance_paper *out, struct view bytes,
	const struct hash *network, const struct signers *signers)
{
	struct clearance_file file;
	struct clearance_paper paper = {.is_clearance = false};
	enum err err = clearance_file_decode(&file, bytes);

	if (err == ERR_OK && file.version != FILE_VERSION)
		err = ERR_VERSION;
	if (err == ERR_OK)
		err = check_header(&paper, &file, network, signers);
	if (err != ERR_OK)
		return err;
	if (!climbs_to(&paper.block.header.tx_root, file.tx, file.tx_path,
		    file.tx_path_count, file.sides) ||
		!climbs_to(&paper.block.header.receipt_root, file.receipt,
			file.receipt_path, file.receipt_path_count, file.sides))
		return ERR_ROOT;
	paper.reservation = file.reservation;
	err = read_item(&paper, file.tx, file.receipt);
	if (err == ERR_OK)
		err = tx_verify(&paper.tx, network);
	if (err != ERR_OK)
		return err;
	paper.signers = file.endorsements_count;
	*out = paper;
	return ERR_OK;
}
