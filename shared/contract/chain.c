/* contract/chain.c -- blocks on a state: built, connected, disconnected.
 *
 * A builder and those who check it run the same lines: begin, execute each
 * transaction, compare or write down what came out. The undo journal makes a
 * block that turns out wrong cost nothing but time.
 */
#include "contract/chain.h"

#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "ledger/envelope.h"

enum {
	MARKS_MAX = 1024, /* blocks that can be undone at most */
	/* Of a block beside its transactions and receipts. */
	FRAME_BYTES = 1 + 3 + BLOCK_HEADER_BYTES_MAX + 2 + SIGNATURE_SIZE + 6,
	ITEM_BYTES = 3, /* before each of them */
};

/* Where to go back to in order to undo a block. */
struct mark {
	arena_mark at;
	struct chain_tip before;
};

struct chain {
	struct state *state;
	const struct genesis *genesis;
	uint8_t number;
	struct chain_tip tip;
	uint64_t base; /* nothing below can be undone */
	struct mark marks[MARKS_MAX];
	struct block_body body; /* being built or connected */
	size_t bytes_used;      /* of items, and before each of them */
	size_t items_used;
	uint8_t items[BLOCK_BYTES_MAX];
	uint8_t scratch[RECEIPT_SCRATCH];
};

size_t chain_bytes(void)
{
	return sizeof(struct chain);
}

struct chain *chain_init(void *memory, struct state *state,
	const struct genesis *genesis, uint8_t number)
{
	struct chain *chain = memory;

	CHECK(state_height(state) == 0);
	chain->state = state;
	chain->genesis = genesis;
	chain->number = number;
	chain_reset(chain, (struct chain_tip){
				   .height = 0,
				   .hash = genesis->network,
				   .time = state_time(state),
			   });
	return chain;
}

void chain_reset(struct chain *chain, struct chain_tip tip)
{
	CHECK(tip.height == state_height(chain->state));
	CHECK(tip.time == state_time(chain->state));
	chain->tip = tip;
	chain->base = tip.height;
}

struct chain_tip chain_tip(const struct chain *chain)
{
	return chain->tip;
}

struct state *chain_state(const struct chain *chain)
{
	return chain->state;
}

/* ---- history ---- */

static struct mark *mark_of(const struct chain *chain, uint64_t height)
{
	return &((struct chain *)chain)->marks[height % MARKS_MAX];
}

/* Begin the block after the tip at a time. */
static void begin(struct chain *chain, time_ms time, struct moves *moves)
{
	uint64_t height = chain->tip.height + 1;

	*mark_of(chain, height) = (struct mark){
		.at = arena_now(state_arena(chain->state)),
		.before = chain->tip,
	};
	if (height - chain->base > MARKS_MAX)
		chain->base = height - MARKS_MAX;
	contract_begin(chain->state, height, time, moves);
}

static void undo(struct chain *chain, uint64_t height)
{
	const struct mark *mark = mark_of(chain, height);

	arena_rollback(state_arena(chain->state), mark->at);
	chain->tip = mark->before;
}

uint64_t chain_reach(const struct chain *chain)
{
	const struct arena *arena = state_arena(chain->state);
	uint64_t height = chain->tip.height;

	while (height > chain->base &&
		arena_can_rollback(arena, mark_of(chain, height)->at))
		height--;
	return height;
}

void chain_disconnect(struct chain *chain, uint64_t height)
{
	CHECK(height <= chain->tip.height);
	CHECK(height >= chain_reach(chain));
	if (height < chain->tip.height)
		undo(chain, height + 1);
}

void chain_final(struct chain *chain, uint64_t height)
{
	CHECK(height <= chain->tip.height);
	if (height > chain->base)
		chain->base = height;
}

/* ---- building ---- */

enum taken {
	TAKEN,
	TAKEN_LAST, /* and nothing else goes in */
	LEFT,       /* not now */
	USELESS,    /* never */
	ENOUGH,     /* the block is full */
};

static bool is_change(const struct chain *chain, const struct tx_view *tx)
{
	struct record_party party;

	for (size_t i = 0; i < tx->body.ops_count; i++) {
		if (tx->body.ops[i].kind == OP_SET_NODE)
			return state_party(chain->state, &tx->body.wallet,
				       &party) &&
			       party.role == ROLE_AUTHORITY;
	}
	return false;
}

static bool fits(const struct chain *chain, size_t size)
{
	return FRAME_BYTES + chain->bytes_used + size <= BLOCK_BYTES_MAX;
}

static struct view keep(struct chain *chain, struct view bytes)
{
	uint8_t *at = chain->items + chain->items_used;

	memcpy(at, bytes.data, bytes.size);
	chain->items_used += bytes.size;
	chain->bytes_used += ITEM_BYTES + bytes.size;
	return view_of(at, bytes.size);
}

/* Execute the tx_index-th transaction and encode its receipt to where the next
 * item goes. ERR_*: no block may hold it. */
static enum err execute(struct chain *chain, const struct tx_view *tx,
	size_t tx_index, bool member_free, struct moves *moves,
	uint8_t encoded[RECEIPT_BYTES_MAX], struct view *out)
{
	struct receipt receipt;

	if (!contract_execute(chain->state, tx, (uint16_t)tx_index,
		    &member_free, &receipt, chain->scratch, moves) ||
		receipt.code == REFUSAL_REPLAY)
		return ERR_REPLAY;
	if (receipt.code == REFUSAL_EXPIRED)
		return ERR_EXPIRED;
	if (receipt.code == REFUSAL_FULL)
		return ERR_FULL;
	size_t size = receipt_encode(encoded, RECEIPT_BYTES_MAX, &receipt);
	CHECK(size > 0);
	*out = view_of(encoded, size);
	return ERR_OK;
}

static enum taken take(struct chain *chain, struct view bytes, bool member_free,
	struct moves *moves)
{
	uint8_t encoded[RECEIPT_BYTES_MAX];
	struct block *body = &chain->body.decoded;
	struct arena *arena = state_arena(chain->state);
	arena_mark mark = arena_now(arena);
	size_t move_count = moves != NULL ? moves->count : 0;
	size_t move_lost = moves != NULL ? moves->lost : 0;
	struct tx_view tx;
	struct view receipt;

	if (tx_open(&tx, bytes) != ERR_OK)
		return USELESS;
	bool change = is_change(chain, &tx);
	if (change && (!member_free || body->txs_count > 0))
		return LEFT;
	if (!fits(chain, ITEM_BYTES + bytes.size))
		return ENOUGH;
	enum err err = execute(
		chain, &tx, body->txs_count, change, moves, encoded, &receipt);
	if (err != ERR_OK)
		return err == ERR_FULL ? ENOUGH : USELESS;
	if (!fits(chain, 2 * ITEM_BYTES + bytes.size + receipt.size)) {
		arena_rollback(arena, mark);
		if (moves != NULL) {
			moves->count = move_count;
			moves->lost = move_lost;
		}
		return body->txs_count > 0 ? ENOUGH : USELESS;
	}
	body->txs[body->txs_count++] = keep(chain, bytes);
	body->receipts[body->receipts_count++] = keep(chain, receipt);
	return change ? TAKEN_LAST : TAKEN;
}

static void fill(struct chain *chain, struct mempool *pool,
	const struct chain_template *template, struct moves *moves)
{
	struct mempool_item item;
	enum taken taken = TAKEN;
	uint64_t cursor = 0;

	CHECK(template->txs_max <= BLOCK_TXS_MAX);
	chain->body.decoded.txs_count = 0;
	chain->body.decoded.receipts_count = 0;
	chain->bytes_used = 0;
	chain->items_used = 0;
	while (taken != ENOUGH && taken != TAKEN_LAST &&
		chain->body.decoded.txs_count < template->txs_max &&
		mempool_next(pool, &cursor, &item)) {
		taken = take(chain, item.bytes, template->member_free, moves);
		if (taken == USELESS) {
			struct key wallet = item.wallet;
			struct id id = item.id;
			mempool_remove(pool, &wallet, &id);
		}
	}
}

/* The roots of the block being built or connected, and its place. */
static struct header header_of(struct chain *chain,
	const struct chain_template *template, time_ms time)
{
	const struct block *body = &chain->body.decoded;

	return (struct header){
		.version = PROTOCOL_VERSION,
		.network = chain->genesis->network,
		.chain = chain->number,
		.height = chain->tip.height + 1,
		.parent = chain->tip.hash,
		.time = (uint64_t)time,
		.proposer = template->proposer->key,
		.tx_root = block_items_root(body->txs, body->txs_count),
		.receipt_root =
			block_items_root(body->receipts, body->receipts_count),
		.state_root = state_root(chain->state),
		.engine = template->engine,
	};
}

void chain_build(struct chain *chain, struct mempool *pool,
	const struct chain_template *template, uint8_t *out,
	struct block_ref *block, struct moves *moves)
{
	const struct hash *network = &chain->genesis->network;
	uint8_t header_bytes[BLOCK_HEADER_BYTES_MAX];
	struct block *body = &chain->body.decoded;
	time_ms time = template->now;

	if (time <= chain->tip.time)
		time = chain->tip.time + 1;
	begin(chain, time, moves);
	fill(chain, pool, template, moves);
	struct header header = header_of(chain, template, time);
	size_t size =
		header_encode(header_bytes, sizeof(header_bytes), &header);
	CHECK(size > 0);
	body->header = view_of(header_bytes, size);
	signature_make(&body->signature, template->proposer,
		message_name(MESSAGE_BLOCK), network, body->header);
	size = block_encode(out, BLOCK_BYTES_MAX, body);
	CHECK(size > 0);
	enum err err = block_open(block, view_of(out, size), network);
	CHECK(err == ERR_OK);
	chain->tip = (struct chain_tip){
		.height = header.height,
		.hash = block->hash,
		.time = time,
	};
}

/* ---- connecting ---- */

enum err block_body_open(struct block_body *out, const struct block_ref *block)
{
	enum err err = block_decode(&out->decoded, block->bytes);

	if (err == ERR_OK &&
		out->decoded.txs_count != out->decoded.receipts_count)
		err = ERR_ENCODING;
	return err;
}

/* What can be told without executing; opens the body. */
static enum err check_block(struct chain *chain, const struct block_ref *block)
{
	const struct header *header = &block->header;
	struct block *body = &chain->body.decoded;

	if (header->chain != chain->number ||
		header->height != chain->tip.height + 1 ||
		!hash_equal(&header->parent, &chain->tip.hash))
		return ERR_PARENT;
	if ((time_ms)header->time <= chain->tip.time)
		return ERR_TIME;
	enum err err = block_body_open(&chain->body, block);
	if (err != ERR_OK)
		return err;
	struct hash txs = block_items_root(body->txs, body->txs_count);
	struct hash receipts =
		block_items_root(body->receipts, body->receipts_count);
	if (!hash_equal(&txs, &header->tx_root) ||
		!hash_equal(&receipts, &header->receipt_root))
		return ERR_ROOT;
	return ERR_OK;
}

static enum err connect_tx(
	struct chain *chain, size_t tx_index, struct moves *moves)
{
	uint8_t encoded[RECEIPT_BYTES_MAX];
	const struct block *body = &chain->body.decoded;
	struct tx_view tx;
	struct view receipt;

	enum err err = tx_open(&tx, body->txs[tx_index]);
	if (err == ERR_OK)
		err = execute(chain, &tx, tx_index, body->txs_count == 1, moves,
			encoded, &receipt);
	if (err == ERR_OK && !view_equal(receipt, body->receipts[tx_index]))
		err = ERR_ROOT;
	return err;
}

enum err chain_connect(
	struct chain *chain, const struct block_ref *block, struct moves *moves)
{
	size_t move_count = moves != NULL ? moves->count : 0;
	size_t move_lost = moves != NULL ? moves->lost : 0;
	time_ms time = (time_ms)block->header.time;

	enum err err = check_block(chain, block);
	if (err != ERR_OK)
		return err;
	begin(chain, time, moves);
	for (size_t i = 0; err == ERR_OK && i < chain->body.decoded.txs_count;
		i++)
		err = connect_tx(chain, i, moves);
	if (err == ERR_OK) {
		struct hash root = state_root(chain->state);
		if (!hash_equal(&root, &block->header.state_root))
			err = ERR_ROOT;
	}
	if (err != ERR_OK) {
		undo(chain, chain->tip.height + 1);
		if (moves != NULL) {
			moves->count = move_count;
			moves->lost = move_lost;
		}
		return err;
	}
	chain->tip = (struct chain_tip){
		.height = block->header.height,
		.hash = block->hash,
		.time = time,
	};
	return ERR_OK;
}
