/* tests/fake/chain.c -- a chain that grants everything, and its lies. */
#include "fake/fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gen/ledger.h"

static struct keypair pair_of(uint8_t seed)
{
	uint8_t bytes[32] = {0x66, seed};
	struct keypair pair;

	keypair_from_seed(&pair, bytes);
	return pair;
}

void fake_chain_start(struct fake_chain *chain, uint8_t seed)
{
	crypto_start();
	memset(chain, 0, sizeof(*chain));
	memset(&chain->network, seed, sizeof(chain->network));
	chain->proposer = pair_of(seed);
	chain->stranger = pair_of((uint8_t)(seed ^ 0x80));
	chain->tip = chain->network;
}

void fake_chain_free(struct fake_chain *chain)
{
	for (size_t i = 1; i <= chain->count; i++)
		free(chain->blocks[i].bytes);
	chain->count = 0;
}

/* Every operation gets the chain's code; a granted one a reservation, whose id
 * is the transaction's with the operation's number in front. */
static size_t receipt_make(
	const struct fake_chain *chain, const struct tx_view *tx, uint8_t *out)
{
	struct receipt receipt = {.tx = tx->hash};
	static struct id ids[64];

	receipt.ops_count = tx->body.ops_count;
	for (size_t i = 0; i < tx->body.ops_count; i++) {
		struct op_receipt *op = &receipt.ops[i];

		op->code = chain->code;
		op->details = view_of(chain->details, chain->details_size);
		if (chain->code != 0)
			continue;
		ids[i] = tx->body.id;
		ids[i].bytes[0] = (uint8_t)i;
		op->reservation = view_of(&ids[i], sizeof(ids[i]));
	}
	size_t size = receipt_encode(out, 1024, &receipt);
	CHECK(size > 0);
	return size;
}

void fake_chain_add(struct fake_chain *chain, struct view bytes)
{
	struct header header = {
		.version = 1,
		.network = chain->network,
		.height = ++chain->count,
		.parent = chain->tip,
		.time = 1700000000000 + chain->count,
		.proposer = chain->proposer.key,
		.engine = view_of("\x91\x01", 2),
	};
	static struct block block;
	uint8_t header_bytes[HEADER_BYTES_MAX];
	struct tx_view tx;

	CHECK(chain->count <= FAKE_BLOCKS_MAX);
	memset(&block, 0, sizeof(block));
	if (bytes.size > 0) {
		enum err err = tx_open(&tx, bytes);
		CHECK(err == ERR_OK);
		chain->blocks[chain->count].wallet = tx.body.wallet;
		chain->blocks[chain->count].id = tx.body.id;
		chain->blocks[chain->count].receipt_size = receipt_make(
			chain, &tx, chain->blocks[chain->count].receipt);
		block.txs_count = block.receipts_count = 1;
		block.txs[0] = bytes;
		block.receipts[0] = view_of(chain->blocks[chain->count].receipt,
			chain->blocks[chain->count].receipt_size);
	}
	header.tx_root = block_items_root(block.txs, block.txs_count);
	header.receipt_root =
		block_items_root(block.receipts, block.receipts_count);
	block.header = view_of(header_bytes,
		header_encode(header_bytes, sizeof(header_bytes), &header));
	signature_make(&block.signature, &chain->proposer, "block",
		&chain->network, block.header);
	chain->tip = hash_bytes(block.header);
	chain->blocks[chain->count].hash = chain->tip;
	chain->blocks[chain->count].bytes = malloc(BLOCK_BYTES_MAX);
	CHECK(chain->blocks[chain->count].bytes != NULL);
	chain->blocks[chain->count].size = block_encode(
		chain->blocks[chain->count].bytes, BLOCK_BYTES_MAX, &block);
	CHECK(chain->blocks[chain->count].size > 0);
}

void fake_chain_undo(struct fake_chain *chain)
{
	CHECK(chain->count > 0);
	free(chain->blocks[chain->count].bytes);
	memset(&chain->blocks[chain->count], 0, sizeof(chain->blocks[0]));
	chain->count--;
	chain->tip = chain->count == 0 ? chain->network
				       : chain->blocks[chain->count].hash;
}
