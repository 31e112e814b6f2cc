/* consensus/replica_open.c -- a replica's memory, and how it comes to its tip.
 *
 * All of a replica is one piece of memory, cut here. It begins with the genesis
 * or a snapshot, and executes the blocks of its log on that, before it takes
 * part.
 */
#include "consensus/replica_state.h"

#include <string.h>

#include "base/check.h"

const struct replica_limits replica_limits_default = {
	.state = &state_limits_default,
	.journal_bytes = 64 << 20,
	.cache_bytes = 16 << 20,
	.mempool_txs_max = MEMPOOL_TXS_MAX,
	.mempool_bytes_max = MEMPOOL_BYTES_MAX,
	.snapshot_every = 10000,
	.certify_heights = 192,
	.snapshot_bytes_max = 256 << 20,
};

const struct replica_limits replica_limits_small = {
	.state = &state_limits_small,
	.journal_bytes = CHAIN_JOURNAL_BYTES_MIN,
	.cache_bytes = 1 << 20,
	.mempool_txs_max = 256,
	.mempool_bytes_max = 256 << 10,
	.snapshot_every = 16,
	.certify_heights = 64,
	.snapshot_bytes_max = 1 << 20,
};

static size_t align(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

/* What waits, and room for what undone blocks give back. */
static size_t pool_bytes(const struct replica_limits *limits)
{
	return mempool_bytes(limits->mempool_txs_max + REPOOL_TXS_MAX,
		limits->mempool_bytes_max + REPOOL_BYTES_MAX);
}

size_t replica_bytes(const struct replica_config *config)
{
	const struct replica_limits *limits = &config->limits;
	return align(sizeof(struct replica)) +
	       align(state_bytes(limits->state)) +
	       align(limits->journal_bytes) + align(limits->cache_bytes) +
	       align(pool_bytes(limits)) + align(limits->snapshot_bytes_max) +
	       align(chain_bytes()) +
	       align(certify_bytes(limits->certify_heights)) +
	       align(config->engine->size) +
	       (config->engine->mines ? align(shelf_bytes()) : 0);
}

enum err replica_init(
	struct replica **out, void *memory, const struct replica_config *config)
{
	const struct replica_limits *limits = &config->limits;
	uint8_t *at = memory;
	struct replica *replica = memory;
	CHECK(limits->journal_bytes >= CHAIN_JOURNAL_BYTES_MIN);
	at += align(sizeof(*replica));
	replica->config = *config;

	void *state_memory = at;
	at += align(state_bytes(limits->state));
	arena_init(&replica->arena, state_memory, state_bytes(limits->state),
		at, limits->journal_bytes);
	at += align(limits->journal_bytes);
	enum err err = state_init(&replica->state, &replica->arena,
		limits->state, config->genesis);
	if (err != ERR_OK)
		return err;
	cache_init(&replica->cache, at, limits->cache_bytes);
	at += align(limits->cache_bytes);
	replica->pool =
		mempool_init(at, limits->mempool_txs_max + REPOOL_TXS_MAX,
			limits->mempool_bytes_max + REPOOL_BYTES_MAX);
	at += align(pool_bytes(limits));
	replica->snapshot = at;
	at += align(limits->snapshot_bytes_max);
	replica->chain = chain_init(
		at, replica->state, config->genesis, config->engine->chain);
	at += align(chain_bytes());
	replica->certify = certify_init(at, limits->certify_heights);
	at += align(certify_bytes(limits->certify_heights));
	replica->engine = at;
	at += align(config->engine->size);
	if (config->engine->mines)
		shelf_init(&replica->shelf, at);
	replica->final_head.tip = chain_tip(replica->chain);
	replica->final_head.state_root = state_root(replica->state);
	replica->timer_at = INT64_MAX;
	*out = replica;
	return ERR_OK;
}

/* The engine begins after the genesis or the snapshot that was restored. */
void replica_engine_begin(struct replica *replica, struct view field)
{
	if (replica->engine_ready)
		return;
	struct chain_tip tip = chain_tip(replica->chain);
	struct engine_config config = {
		.self = replica->config.self->key,
		.base_height = tip.height,
		.base_hash = tip.hash,
		.base_field = field,
		.base_time = tip.time,
		.network = replica->config.genesis->network,
		.signers = replica->config.genesis->signers,
		.pow = replica->config.genesis->pow,
		.election_ms = replica->config.election_ms,
		.heartbeat_ms = replica->config.heartbeat_ms,
		.forgotten_height = replica->config.forgotten_height,
	};
	replica_members(replica, config.members, &config.member_count);
	replica->config.engine->init(replica->engine, &config);
	replica->engine_ready = true;
}

void replica_install(struct replica *replica, const struct block_ref *block)
{
	struct chain_tip tip = {
		.height = block->header.height,
		.hash = block->hash,
		.time = (time_ms)block->header.time,
	};
	chain_reset(replica->chain, tip);
	replica->final = tip.height;
	certify_settle(replica->certify, tip.height);
	replica->final_head.tip = tip;
	replica->final_head.state_root = block->header.state_root;
	replica->snapshot_height = 0;
}

enum err replica_restore_snapshot(struct replica *replica,
	const struct block_ref *block, struct view bytes)
{
	CHECK(!replica->engine_ready);
	enum err err = state_load(replica->state, replica->config.genesis,
		bytes, &block->header.state_root);
	if (err != ERR_OK)
		return err;
	replica_install(replica, block);
	replica_engine_begin(replica, block->header.engine);
	return ERR_OK;
}

enum err replica_restore_block(struct replica *replica, struct view bytes)
{
	replica_engine_begin(replica, view_of(NULL, 0));
	struct engine_block block;
	enum err err = replica_open_block(replica, &block, bytes);
	if (err == ERR_OK)
		err = chain_connect(replica->chain, &block.ref, NULL);
	if (err != ERR_OK)
		return err;
	bytes = cache_put(&replica->cache, block.ref.header.height, bytes);
	err = replica_open_block(replica, &block, bytes);
	CHECK(err == ERR_OK);
	replica->config.engine->restore(replica->engine, &block);
	return ERR_OK;
}
