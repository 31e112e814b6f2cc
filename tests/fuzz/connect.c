/* tests/fuzz/connect.c -- a block that is not exactly what was built changes
 * nothing; and only whose key is known gets past the door.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bus/zap.h"
#include "contract/chain.h"
#include "fuzz/script.h"
#include "fuzz/targets.h"
#include "gen/table.h"

enum { POOL_TXS = 8, POOL_BYTES = 1 << 18, CHANGE_BYTES = 3 };

/* ---- blocks ---- */

struct scene {
	struct state *state;
	struct chain *chain;
	uint8_t good[BLOCK_BYTES_MAX];
	size_t good_size;
	struct hash fingerprint; /* before any block */
};

static struct keypair pair_of(uint8_t number)
{
	uint8_t seed[32] = {number};
	struct keypair pair;

	keypair_from_seed(&pair, seed);
	return pair;
}

static void put_tx(struct mempool *pool, uint8_t number)
{
	static uint8_t bytes[TX_BYTES_MAX];
	const struct genesis *genesis = script_genesis();
	struct keypair wallet = pair_of(number);
	uint8_t body[OP_BODY_BYTES_MAX];
	struct op_reserve op = {
		.port = view_text("east"),
		.pad = view_text("a"),
		.start = (uint64_t)genesis->time + 3600000,
		.end = (uint64_t)genesis->time + 3900000,
	};
	struct tx tx = {
		.id = {{number}},
		.wallet = wallet.key,
		.valid_until = (uint64_t)genesis->time + 60000,
		.ops_count = 1,
	};
	struct tx_view view;

	tx.ops[0].kind = OP_RESERVE;
	tx.ops[0].body =
		view_of(body, op_reserve_encode(body, sizeof(body), &op));
	size_t size = tx_seal(bytes, &tx, &wallet, &genesis->network);
	CHECK(tx_open(&view, view_of(bytes, size)) == ERR_OK);
	CHECK(mempool_put(pool, &view, true) == ERR_OK);
}

/* One block of two transactions, built once and undone. */
static struct scene *scene_of(void)
{
	static struct scene scene;
	static const uint8_t field[] = {0x91, 0x01};
	struct keypair proposer = pair_of(20);
	struct chain_template template = {
		.now = script_genesis()->time + 1000,
		.proposer = &proposer,
		.engine = view_of(field, sizeof(field)),
		.txs_max = POOL_TXS,
	};
	struct block_ref block;

	if (scene.chain != NULL)
		return &scene;
	scene.state = script_state(0);
	scene.fingerprint = script_fingerprint(scene.state);
	size_t size = mempool_bytes(POOL_TXS, POOL_BYTES);
	void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
	CHECK(memory != NULL);
	struct mempool *pool = mempool_init(memory, POOL_TXS, POOL_BYTES);
	put_tx(pool, 0);
	put_tx(pool, 1);
	void *chain = calloc(1, chain_bytes());
	CHECK(chain != NULL);
	scene.chain = chain_init(chain, scene.state, script_genesis(), 0);
	chain_build(scene.chain, pool, &template, scene.good, &block, NULL);
	free(memory);
	scene.good_size = block.bytes.size;
	chain_disconnect(scene.chain, 0);
	return &scene;
}

static void connect(struct scene *scene, struct view bytes)
{
	bool good = view_equal(bytes, view_of(scene->good, scene->good_size));
	struct block_ref block;
	enum err err = block_open(&block, bytes, &script_genesis()->network);

	CHECK(err == ERR_OK || !good);
	if (err == ERR_OK)
		err = chain_connect(scene->chain, &block, NULL);
	CHECK(err == ERR_OK || !good);
	CHECK(chain_tip(scene->chain).height == (err == ERR_OK ? 1 : 0));
	if (err == ERR_OK)
		chain_disconnect(scene->chain, 0);
	struct hash hash = script_fingerprint(scene->state);
	CHECK(hash_equal(&hash, &scene->fingerprint));
}

/* The good block with what the bytes say put in the places that they say. */
static void connect_changed(struct scene *scene, struct view bytes)
{
	static uint8_t changed[BLOCK_BYTES_MAX];

	memcpy(changed, scene->good, scene->good_size);
	for (; bytes.size >= CHANGE_BYTES;
		bytes = view_of(
			bytes.data + CHANGE_BYTES, bytes.size - CHANGE_BYTES)) {
		size_t at = (size_t)bytes.data[0] << 8 | bytes.data[1];

		changed[at % scene->good_size] = bytes.data[2];
	}
	connect(scene, view_of(changed, scene->good_size));
}

/* A header that is true of its transactions and receipts, whatever they are:
 * it is only found out when they are executed. */
static void connect_forged(struct scene *scene, struct view bytes)
{
	static uint8_t forged[BLOCK_BYTES_MAX], header_bytes[HEADER_BYTES_MAX];
	static struct block block;
	struct header header;
	size_t half = bytes.size / 2;

	enum err err =
		block_decode(&block, view_of(scene->good, scene->good_size));
	if (err == ERR_OK)
		err = header_decode(&header, block.header);
	CHECK(err == ERR_OK);
	if (half > 0 && (bytes.data[0] & 1) != 0)
		block.txs[0] = view_of(bytes.data + 1, half - 1);
	if (half > 0 && (bytes.data[0] & 2) != 0)
		block.receipts[1] =
			view_of(bytes.data + half, bytes.size - half);
	if (half > 0 && (bytes.data[0] & 4) != 0) /* twice the same */
		block.txs[1] = block.txs[0];
	header.tx_root = block_items_root(block.txs, block.txs_count);
	header.receipt_root =
		block_items_root(block.receipts, block.receipts_count);
	block.header = view_of(header_bytes,
		header_encode(header_bytes, sizeof(header_bytes), &header));
	size_t size = block_encode(forged, sizeof(forged), &block);
	if (size > 0)
		connect(scene, view_of(forged, size));
}

void fuzz_connect(struct view bytes)
{
	struct scene *scene = scene_of();
	struct view rest;

	if (bytes.size == 0)
		return;
	rest = view_of(bytes.data + 1, bytes.size - 1);
	if (bytes.data[0] % 3 == 0)
		connect(scene, rest);
	else if (bytes.data[0] % 3 == 1)
		connect_changed(scene, rest);
	else
		connect_forged(scene, rest);
}

/* ---- the door ---- */

/* One key is known: its CURVE key is these bytes, as often as they fit. */
static const struct known *one_known(uint8_t curve[KEY_SIZE])
{
	static struct known known;
	struct key key = {{1}};

	memset(curve, 'k', KEY_SIZE);
	enum err err = known_add(&known, curve, &key);
	CHECK(err == ERR_OK);
	return &known;
}

/* A byte of length, then a frame of that many bytes; so often as they last. */
void fuzz_zap(struct view bytes)
{
	uint8_t curve[KEY_SIZE];
	struct zap_policy policy = {.known = one_known(curve)};
	struct view frames[ZAP_FRAMES_MAX];
	struct zap_answer answer;
	struct key sender;
	size_t count = 0;

	while (bytes.size > 0 && count < ZAP_FRAMES_MAX) {
		size_t size = bytes.data[0];

		if (size > bytes.size - 1)
			size = bytes.size - 1;
		frames[count++] = view_of(bytes.data + 1, size);
		bytes = view_of(bytes.data + 1 + size, bytes.size - 1 - size);
	}
	zap_decide(&answer, frames, count, &policy);
	bool let_in = answer.user[0] != '\0';
	CHECK(strlen(answer.user) < sizeof(answer.user));
	CHECK(let_in ==
		(answer.status != NULL && strcmp(answer.status, "200") == 0));
	if (!let_in)
		return;
	CHECK(count == 7 && view_equal(frames[0], view_text("1.0")) &&
		view_equal(frames[5], view_text("CURVE")) &&
		view_equal(frames[6], view_of(curve, KEY_SIZE)));
	CHECK(zap_sender(&sender, answer.user, policy.known));
}
