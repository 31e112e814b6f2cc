/* client/prove.c -- what is believed, and why.
 *
 * A line is authenticated, but what it says of the ledger is hearsay. A block
 * stands by itself: a node of this network signed its header, the header names
 * the roots of its transactions and receipts, and of the state. So a fate is
 * held against its block, and a port against its proof.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"
#include "contract/state.h"
#include "contract/proof.h"

enum { VOUCHERS_MAX = 64 }; /* blocks asked for to find a known proposer */

static bool root_is(
	const struct hash *root, const struct view *items, size_t count)
{
	struct hash found = block_items_root(items, count);

	return hash_equal(root, &found);
}

/* Who has left the network since cannot be asked for any more. But a known node
 * that built on its block has signed for it, too: the parent's hash is in the
 * header. */
static bool is_vouched_for(const struct perch *client,
	const struct block_ref *block, const struct view *after, size_t count)
{
	struct hash parent = block->hash;
	struct block_ref next;

	for (size_t i = 0; i < count; i++) {
		if (block_open(&next, after[i], &client->network) != ERR_OK ||
			next.header.chain != client->chain ||
			!hash_equal(&next.header.parent, &parent))
			return false;
		if (trust_has(client, &next.header.proposer))
			return block_verify(&next, &client->network) == ERR_OK;
		parent = next.hash;
	}
	return false;
}

enum err block_prove(struct perch *client, struct block_ref *out,
	struct block *decoded, struct view bytes, const struct view *after,
	size_t after_count)
{
	struct block_ref ref;
	enum err err = block_open(&ref, bytes, &client->network);

	if (err == ERR_OK)
		err = block_decode(decoded, bytes);
	if (err != ERR_OK)
		return err;
	if (ref.header.chain != client->chain)
		return ERR_NETWORK;
	if (!trust_has(client, &ref.header.proposer) &&
		!is_vouched_for(client, &ref, after, after_count))
		return ERR_KEY;
	err = block_verify(&ref, &client->network);
	if (err != ERR_OK)
		return err;
	if (decoded->txs_count != decoded->receipts_count ||
		!root_is(&ref.header.tx_root, decoded->txs,
			decoded->txs_count) ||
		!root_is(&ref.header.receipt_root, decoded->receipts,
			decoded->receipts_count))
		return ERR_ROOT;
	*out = ref;
	return ERR_OK;
}

/*~ "Final" is the one word that a wallet acts on, so libperch does not take a
 * node's word for it: with config.prove it fetches the block that the fate
 * names and looks for its own transaction there, under a header that a known
 * node signed. A node that answers with a block it cannot show is left, and
 * the same signed transaction goes to the next. */
enum err prove_start(
	struct perch *client, struct flight *flight, const struct fate *fate)
{
	struct blocks_query query = {
		.chain = client->chain,
		.from = fate->height,
		.blocks_max = flight->learned_of == 0 ? 1 : VOUCHERS_MAX,
	};
	size_t size =
		blocks_query_encode(client->scratch, BUS_FRAME_MAX, &query);
	uint8_t *receipt = malloc(fate->receipt.size + 1);
	enum err err;

	CHECK(receipt != NULL && size > 0);
	memcpy(receipt, fate->receipt.data, fate->receipt.size);
	err = flight_divert(client, flight, MESSAGE_BLOCKS_QUERY,
		MESSAGE_BLOCKS, view_of(client->scratch, size));
	if (err != ERR_OK) {
		free(receipt);
		return err;
	}
	flight->tx.fate = *fate;
	flight->tx.fate.receipt = view_of(receipt, fate->receipt.size);
	flight->tx.receipt = receipt;
	flight_send(client, flight, clock_monotonic());
	return ERR_OK;
}

enum err prove_finish(struct perch *client, const struct flight *flight,
	const struct blocks *blocks)
{
	const struct fate *fate = &flight->tx.fate;
	struct block_ref ref;
	struct block *block = client->block;
	struct tx_view tx;
	enum err err;

	if (blocks->blocks_count < 1)
		return ERR_NOT_FOUND;
	err = block_prove(client, &ref, block, blocks->blocks[0],
		blocks->blocks + 1, blocks->blocks_count - 1);
	if (err == ERR_KEY && flight->learned_of != 0 &&
		blocks->final_height <= fate->height)
		return ERR_BEHIND; /* the next block may vouch for it */
	if (err != ERR_OK)
		return err;
	if (ref.header.height != fate->height ||
		!hash_equal(&ref.hash, &fate->block) ||
		fate->index >= block->txs_count)
		return ERR_ROOT;
	err = tx_open(&tx, block->txs[fate->index]);
	if (err != ERR_OK)
		return err;
	if (!key_equal(&tx.body.wallet, &flight->tx.wallet) ||
		!id_equal(&tx.body.id, &flight->tx.id) ||
		!view_equal(block->receipts[fate->index], fate->receipt))
		return ERR_ROOT;
	if (flight->tx.has_content && !hash_equal(&tx.hash, &flight->tx.hash))
		return ERR_REPLAY;
	return ERR_OK;
}

enum err prove_port(struct perch *client, const struct proof *proof,
	struct perch_proof *out)
{
	struct proof_parts parts = {
		.live = proof->live,
		.index = proof->index,
		.count = proof->count,
		.path_length = proof->path_count,
		.rest = proof->rest,
	};
	struct block_ref ref;
	enum err err = block_open_header(
		&ref, proof->header, &proof->signature, &client->network);

	if (err == ERR_OK)
		err = record_port_decode(&parts.port, proof->port);
	if (err != ERR_OK)
		return err;
	if (ref.header.chain != client->chain)
		return ERR_NETWORK;
	if (!trust_has(client, &ref.header.proposer))
		return ERR_KEY;
	if (proof->buckets_count != PERCH_BUCKETS)
		return ERR_LENGTH;
	memcpy(parts.buckets, proof->buckets, sizeof(parts.buckets));
	memcpy(parts.path, proof->path, sizeof(parts.path));
	err = block_verify(&ref, &client->network);
	if (err == ERR_OK)
		err = proof_check(&parts, &ref.header.state_root);
	if (err != ERR_OK)
		return err;
	out->height = ref.header.height;
	out->time = (int64_t)ref.header.time;
	give_hash(&out->hash, &ref.hash);
	give_hash(&out->state_root, &ref.header.state_root);
	give_port(&out->port, &parts.port);
	memcpy(out->buckets, parts.buckets, sizeof(out->buckets));
	return ERR_OK;
}

/* As it was hashed. */
static void record_of(
	struct record_reservation *out, const struct perch_reservation *in)
{
	memset(out, 0, sizeof(*out));
	memcpy(&out->reservation, &in->id, sizeof(out->reservation));
	out->port = view_text(in->port);
	out->pad = view_text(in->pad);
	out->start = (uint64_t)in->start;
	out->end = (uint64_t)in->end;
	memcpy(&out->operator, & in->operator_key, sizeof(out->operator));
	out->aircraft = view_text(in->aircraft);
	out->state = (uint64_t)in->state;
	out->version = in->version;
	if (in->has_pair)
		out->pair = view_of(&in->pair, sizeof(in->pair));
	out->movement = (uint64_t)in->movement;
	out->height = in->height;
	out->place = in->place;
	out->until = (uint64_t)in->until;
	out->nonce = in->nonce;
	out->asked = (uint64_t)in->asked;
	out->tier = in->tier;
	out->flags = (in->airborne ? RECORD_AIRBORNE : 0u) |
		     (in->on_pad ? RECORD_ON_PAD : 0u);
	out->alternate_port = view_text(in->alternate_port);
	out->alternate_pad = view_text(in->alternate_pad);
	if (in->has_commitment)
		out->commitment =
			view_of(&in->commitment, sizeof(in->commitment));
}

enum perch_err perch_proof_check(const struct perch_proof *proof,
	const struct perch_reservation *reservations, size_t count)
{
	struct record_reservation *records;
	struct proof_parts parts;
	enum err err;

	if (count > PERCH_PROOF_MAX)
		return PERCH_ERR_FULL;
	memset(&parts, 0, sizeof(parts));
	memcpy(parts.buckets, proof->buckets, sizeof(parts.buckets));
	records = calloc(count + 1, sizeof(*records));
	CHECK(records != NULL);
	for (size_t i = 0; i < count; i++)
		record_of(&records[i], &reservations[i]);
	err = proof_timetable(&parts, records, count);
	free(records);
	return (enum perch_err)(err == ERR_OK ? ERR_OK : ERR_ROOT);
}
