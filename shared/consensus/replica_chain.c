/* consensus/replica_chain.c -- what an engine's effects mean for the ledger:
 * build, execute, undo, finalise.
 */
#include "consensus/replica_state.h"

#include <string.h>

#include "base/check.h"
#include "gen/table.h"

struct output *outputs_add(struct outputs *out, enum output_type type)
{
	CHECK(out->count < OUTPUTS_MAX);
	struct output *output = &out->items[out->count++];
	memset(output, 0, sizeof(*output));
	output->type = type;
	return output;
}

struct view replica_keep(struct replica *replica, struct view bytes)
{
	CHECK(bytes.size <= sizeof(replica->scratch) - replica->scratch_used);
	uint8_t *to = replica->scratch + replica->scratch_used;
	if (bytes.size > 0)
		memcpy(to, bytes.data, bytes.size);
	replica->scratch_used += bytes.size;
	return view_of(to, bytes.size);
}

void replica_members(const struct replica *replica,
	struct engine_member members[ENGINE_MEMBERS_MAX], size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < state_node_count(replica->state); i++) {
		struct record_node node;
		state_node_at(replica->state, i, &node);
		if (node.role == 0)
			continue;
		CHECK(*count < ENGINE_MEMBERS_MAX);
		members[*count].key = node.key;
		members[*count].role = (uint8_t)node.role;
		(*count)++;
	}
}

/* Headers travel as blocks without a body, so a body is looked at before it is
 * believed to be the one that the header means. */
static bool is_whole(const struct header *header, const struct block *body)
{
	struct hash txs = block_items_root(body->txs, body->txs_count);
	struct hash receipts =
		block_items_root(body->receipts, body->receipts_count);
	return hash_equal(&txs, &header->tx_root) &&
	       hash_equal(&receipts, &header->receipt_root);
}

/* A change of members stands alone in its block, so only such a block is
 * looked into. */
static enum err find_change(struct replica *replica, struct engine_block *out)
{
	struct block *body = &replica->body;
	enum err err = block_decode(body, out->ref.bytes);
	if (err != ERR_OK)
		return err;
	if (replica->config.engine->mines)
		out->whole = is_whole(&out->ref.header, body);
	if (body->txs_count != 1 || body->receipts_count != 1)
		return ERR_OK;
	struct tx_view tx;
	struct receipt receipt;
	err = tx_open(&tx, body->txs[0]);
	if (err == ERR_OK)
		err = receipt_decode(&receipt, body->receipts[0]);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < tx.body.ops_count && i < receipt.ops_count;
		i++) {
		struct op_set_node change;
		if (tx.body.ops[i].kind != OP_SET_NODE ||
			receipt.ops[i].code != REFUSAL_GRANTED)
			continue;
		err = op_set_node_decode(&change, tx.body.ops[i].body);
		if (err != ERR_OK)
			return err;
		out->has_change = true;
		out->change.key = change.node;
		out->change.role = (uint8_t)change.role;
	}
	return ERR_OK;
}

enum err replica_open_block(const struct replica *replica,
	struct engine_block *out, struct view bytes)
{
	memset(out, 0, sizeof(*out));
	enum err err =
		block_open(&out->ref, bytes, &replica->config.genesis->network);
	if (err != ERR_OK)
		return err;
	if (out->ref.header.chain != replica->config.engine->chain)
		return ERR_NETWORK;
	return find_change((struct replica *)replica, out);
}

struct moves *replica_moves(struct replica *replica, uint64_t height)
{
	struct block_moves *slot = &replica->moves[height % REPLICA_MOVES_MAX];
	slot->height = height;
	slot->moves.count = 0;
	slot->moves.lost = 0;
	return &slot->moves;
}

void replica_note_tip(struct replica *replica, const struct block_ref *block,
	struct outputs *out)
{
	uint64_t height = block->header.height;
	uint64_t every = replica->config.limits.snapshot_every;
	if (every > 0 && height % every == 0) {
		size_t size = state_save_bytes(replica->state);
		if (size <= replica->config.limits.snapshot_bytes_max) {
			replica->snapshot_size =
				state_save(replica->state, replica->snapshot);
			replica->snapshot_height = height;
			replica->snapshot_hash = block->hash;
		}
	}
	struct output *output = outputs_add(out, OUTPUT_ORDERED);
	output->height = height;
	output->block = *block;
}

/* Blocks are made by who is a voter in the state before them. */
bool replica_is_voter(const struct replica *replica, const struct key *key)
{
	struct record_node node;
	return state_node(replica->state, key, &node) && node.role == 2;
}

/* Transactions in a block wait no more. */
void replica_unpool(struct replica *replica, const struct block *body)
{
	for (size_t i = 0; i < body->txs_count; i++) {
		struct tx_view tx;
		if (tx_open(&tx, body->txs[i]) == ERR_OK)
			mempool_remove(
				replica->pool, &tx.body.wallet, &tx.body.id);
	}
}

enum err replica_connect(struct replica *replica,
	const struct engine_block *block, struct outputs *out)
{
	struct chain_tip tip = chain_tip(replica->chain);
	if (tip.height >= block->ref.header.height) {
		CHECK(tip.height > block->ref.header.height ||
			hash_equal(&tip.hash, &block->ref.hash));
		return ERR_OK; /* built here, executed already */
	}
	if (!replica_is_voter(replica, &block->ref.header.proposer))
		return ERR_ROLE;
	struct moves *moves = replica_moves(replica, tip.height + 1);
	enum err err = chain_connect(replica->chain, &block->ref, moves);
	if (err != ERR_OK)
		return err;
	if (block_decode(&replica->body, block->ref.bytes) == ERR_OK)
		replica_unpool(replica, &replica->body);
	replica_note_tip(replica, &block->ref, out);
	return ERR_OK;
}

/* Transactions of an undone block wait again; none is lost. */
static void repool(struct replica *replica, uint64_t height)
{
	struct view bytes;
	if (!cache_find(&replica->cache, height, &bytes) ||
		block_decode(&replica->body, bytes) != ERR_OK)
		return;
	for (size_t i = 0; i < replica->body.txs_count; i++) {
		struct tx_view tx;
		if (tx_open(&tx, replica->body.txs[i]) != ERR_OK)
			continue;
		/* Full: its wallet still has the id to ask about. */
		enum err err = mempool_put(replica->pool, &tx, true);
		replica->arrived += err == ERR_OK;
	}
}

/* A branch that was left may have to be come back to, or be given to others:
 * then nobody else might have it. */
static void keep(struct replica *replica, uint64_t height)
{
	struct block_ref block;
	struct view bytes;
	if (cache_find(&replica->cache, height, &bytes) &&
		block_open(&block, bytes, &replica->config.genesis->network) ==
			ERR_OK)
		shelf_put(&replica->shelf, &block.hash, bytes);
}

void replica_revert(struct replica *replica, uint64_t height, uint64_t keep_to,
	struct outputs *out)
{
	struct chain_tip tip = chain_tip(replica->chain);
	CHECK(height >= replica->final);
	if (tip.height <= height)
		return;
	chain_disconnect(replica->chain, height);
	for (uint64_t h = height + 1; h <= tip.height; h++) {
		repool(replica, h);
		if (h <= keep_to)
			keep(replica, h);
		cache_drop(&replica->cache, h);
		replica->moves[h % REPLICA_MOVES_MAX].height = 0;
	}
	if (replica->snapshot_height > height)
		replica->snapshot_height = 0;
	replica->forward_at = 0;
	struct output *output = outputs_add(out, OUTPUT_REVERTED);
	output->height = height;
}

static void finalise_one(struct replica *replica, struct outputs *out)
{
	uint64_t height = replica->final;
	struct output *output = outputs_add(out, OUTPUT_FINAL);
	output->height = height;
	struct view bytes;
	if (cache_find(&replica->cache, height, &bytes)) {
		enum err err = block_open(&output->block, bytes,
			&replica->config.genesis->network);
		CHECK(err == ERR_OK);
		replica->final_head.tip.height = height;
		replica->final_head.tip.hash = output->block.hash;
		replica->final_head.tip.time =
			(time_ms)output->block.header.time;
		replica->final_head.state_root =
			output->block.header.state_root;
	}
	struct block_moves *slot = &replica->moves[height % REPLICA_MOVES_MAX];
	if (slot->height == height)
		output->moves = &slot->moves;
	if (replica->snapshot_height != height)
		return;
	struct block_ref block = output->block;
	replica->snapshot_height = 0;
	if (block.bytes.size == 0)
		return;
	output = outputs_add(out, OUTPUT_SNAPSHOT);
	output->height = height;
	output->block = block;
	output->bytes = view_of(replica->snapshot, replica->snapshot_size);
}

void replica_commit(
	struct replica *replica, uint64_t height, struct outputs *out)
{
	CHECK(height <= chain_tip(replica->chain).height);
	while (replica->final < height) {
		replica->final++;
		/* After a restart thousands may become final at once; what does
		 * not fit is said by the last one's height. */
		if (out->count < OUTPUTS_MAX / 2 || replica->final == height)
			finalise_one(replica, out);
	}
	chain_final(replica->chain, height);
	certify_settle(replica->certify, replica->final);
}

static bool has_reason(const struct replica *replica)
{
	const struct seek *seek = &replica->seek;
	if (!seek->stands || replica->halted)
		return false;
	if (!replica_is_voter(replica, &replica->config.self->key))
		return false; /* on its way out */
	if (seek->empty)
		return true;
	uint64_t flight = chain_tip(replica->chain).height - replica->final;
	uint32_t pending = mempool_count(replica->pool);
	if (flight == 0)
		return pending > 0 ||
		       state_deadline(replica->state) <= replica->tick.wall;
	return pending >= BUILD_PENDING_MANY && flight < BUILD_FLIGHT_MAX;
}

/*~ One block at a time while few wait: what arrives while it is on its way to
 * a majority's disks makes the next one. So the batch grows with the load by
 * itself, and a lone transaction waits for nobody.
 */
bool replica_make(struct replica *replica, struct engine_block *found,
	struct outputs *out)
{
	struct seek *seek = &replica->seek;
	struct chain_tip tip = chain_tip(replica->chain);
	if (!has_reason(replica) || tip.height + 1 != seek->height)
		return false;
	bool due = state_deadline(replica->state) <= replica->tick.wall;
	struct chain_template template = {
		.now = replica->tick.wall,
		.proposer = replica->config.self,
		.engine = view_of(seek->field, seek->field_size),
		.member_free = seek->member_free,
		.txs_max = BLOCK_TXS_MAX,
	};
	struct block_ref block;
	struct moves *moves = replica_moves(replica, seek->height);
	chain_build(replica->chain, replica->pool, &template,
		cache_room(&replica->cache), &block, moves);
	struct view bytes =
		cache_put(&replica->cache, seek->height, block.bytes);
	enum err err = replica_open_block(replica, found, bytes);
	CHECK(err == ERR_OK);
	if (replica->body.txs_count == 0 && !seek->empty && !due) {
		/* Everything that waited had its effect already. */
		chain_disconnect(replica->chain, tip.height);
		cache_drop(&replica->cache, seek->height);
		return false;
	}
	seek->stands = false;
	replica_unpool(replica, &replica->body);
	replica_note_tip(replica, &found->ref, out);
	return true;
}
