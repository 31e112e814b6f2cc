/* consensus/replica.c -- the steps of a replica.
 *
 * Every public step is the same three moves: hand one event to the engine,
 * carry out its effects in their order, and then see whether a block can be
 * built, which is another event. Nothing is said before what it depends on is
 * done, because the order of the outputs is the order of the effects.
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
static void engine_begin(struct replica *replica, struct view field)
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

static void install(struct replica *replica, const struct block_ref *block)
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
	install(replica, block);
	engine_begin(replica, block->header.engine);
	return ERR_OK;
}

enum err replica_restore_block(struct replica *replica, struct view bytes)
{
	engine_begin(replica, view_of(NULL, 0));
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

/* ---- carrying out effects ---- */

static void send(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	const struct key *self = &replica->config.self->key;
	struct view message = replica_keep(replica, effect->send.message);
	struct view hashes = replica_keep(replica, effect->send.hashes);
	size_t count =
		effect->send.broadcast ? replica->status.member_count : 1;
	for (size_t i = 0; i < count; i++) {
		const struct key *to = effect->send.broadcast
					       ? &replica->status.members[i].key
					       : &effect->send.to;
		if (key_equal(to, self))
			continue;
		struct output *output = outputs_add(out, OUTPUT_SEND);
		output->to = *to;
		output->message = message;
		output->blocks_from = effect->send.blocks_from;
		output->block_count = effect->send.block_count;
		output->hashes = hashes;
		output->headers = effect->send.headers;
	}
}

static void halt(struct replica *replica, enum err err,
	const struct block_ref *block, struct outputs *out)
{
	struct output *output = outputs_add(out, OUTPUT_HALT);
	output->err = err;
	output->block = *block;
	output->height = block->header.height;
	replica->halted = true;
}

/* Where a block that is saved stays until it was carried out. */
static struct view saved_bytes(
	struct replica *replica, const struct block_ref *block)
{
	uint64_t height = block->header.height;
	struct view bytes;
	if (block->bytes.size == 0) {
		bool found = shelf_find(&replica->shelf, &block->hash, &bytes);
		CHECK(found);
	} else if (!cache_find(&replica->cache, height, &bytes) ||
		   bytes.data != block->bytes.data) {
		bytes = cache_put(&replica->cache, height, block->bytes);
	}
	return bytes;
}

static void save(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	struct engine_block *kept = &replica->saves[replica->save_count];
	size_t count = effect->save.block_count;
	CHECK(replica->save_count + count <= REPLICA_SAVES_MAX);
	replica->save_count += count;
	for (size_t i = 0; i < count; i++) {
		const struct engine_block *block = &effect->save.blocks[i];
		struct view bytes = saved_bytes(replica, &block->ref);
		enum err err = replica_open_block(replica, &kept[i], bytes);
		CHECK(err == ERR_OK);
	}
	struct output *output = outputs_add(out, OUTPUT_SAVE);
	output->task = effect->save.task;
	output->blocks = kept;
	output->block_count = (uint32_t)count;
	if (effect->save.record.size > 0)
		output->message = replica_keep(replica, effect->save.record);
	/* Executed while the disk is at work; acknowledged after both. */
	for (size_t i = 0; i < count && !replica->halted; i++) {
		enum err err = replica_connect(replica, &kept[i], out);
		if (err != ERR_OK)
			halt(replica, err, &kept[i].ref, out);
	}
}

static void seek(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	struct seek *to = &replica->seek;
	memset(to, 0, sizeof(*to));
	replica->fetch_task = 0;
	switch (effect->seek.kind) {
	case SEEK_NONE:
		return;
	case SEEK_STATE: {
		struct output *output = outputs_add(out, OUTPUT_FETCH);
		replica->fetch_task = effect->seek.task;
		output->task = effect->seek.task;
		output->height = effect->seek.height;
		output->to = effect->seek.peer;
		return;
	}
	case SEEK_BLOCK:
		to->stands = true;
		to->empty = effect->seek.empty;
		to->member_free = effect->seek.member_free;
		to->task = effect->seek.task;
		to->height = effect->seek.height;
		to->field_size = effect->seek.field_size;
		memcpy(to->field, effect->seek.field, to->field_size);
		return;
	}
}

static void ready(const struct effect *effect, struct outputs *out)
{
	struct output *output = outputs_add(out, OUTPUT_READY);
	output->task = effect->ready.task;
	output->ok = effect->ready.ok;
	output->height = effect->ready.height;
}

static void fault(const struct effect *effect, struct outputs *out)
{
	struct output *output = outputs_add(out, OUTPUT_FAULT);
	output->to = effect->fault.from;
	output->fault = effect->fault.fault;
	output->height = effect->fault.height;
	output->hash = effect->fault.hash;
}

static void timer(struct replica *replica, time_ms at, struct outputs *out)
{
	replica->timer_at = at;
	struct output *output = outputs_add(out, OUTPUT_TIMER);
	output->at = at;
}

static void carry_out(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	switch (effect->type) {
	case EFFECT_SEND:
		send(replica, effect, out);
		return;
	case EFFECT_SAVE:
		save(replica, effect, out);
		return;
	case EFFECT_COMMIT:
		replica_commit(replica, effect->commit.height, out);
		return;
	case EFFECT_REVERT:
		replica_revert(replica, effect->revert.height,
			effect->revert.keep_to, out);
		return;
	case EFFECT_TIMER:
		timer(replica, effect->timer.at, out);
		return;
	case EFFECT_SEEK:
		seek(replica, effect, out);
		return;
	case EFFECT_READY:
		ready(effect, out);
		return;
	case EFFECT_KEEP:
		shelf_put(&replica->shelf, &effect->keep.block->ref.hash,
			effect->keep.block->ref.bytes);
		return;
	case EFFECT_DROP:
		shelf_drop(&replica->shelf, &effect->drop.hash);
		return;
	case EFFECT_CONNECT:
		replica_connect_kept(replica, effect, out);
		return;
	case EFFECT_SIGN:
		replica_sign(replica, effect, out);
		return;
	case EFFECT_PROVE:
		replica_prove(replica, &effect->prove.to, out);
		return;
	case EFFECT_FAULT:
		fault(effect, out);
		return;
	}
}

static bool same_members(
	const struct engine_status *a, const struct engine_status *b)
{
	if (a->member_count != b->member_count)
		return false;
	for (size_t i = 0; i < a->member_count; i++) {
		if (!key_equal(&a->members[i].key, &b->members[i].key) ||
			a->members[i].role != b->members[i].role)
			return false;
	}
	return true;
}

static void step_once(
	struct replica *replica, struct event *event, struct outputs *out)
{
	if (replica->halted)
		return;
	event->now = replica->tick.now;
	event->wall = replica->tick.wall;
	event->random = replica->tick.random;
	replica->tick.random += 0x9e3779b97f4a7c15u; /* fresh for the next */
	effects_clear(&replica->effects);
	replica->config.engine->step(replica->engine, &replica->effects, event);
	struct engine_status before = replica->status;
	replica->config.engine->status(replica->engine, &replica->status);
	if (!same_members(&before, &replica->status))
		outputs_add(out, OUTPUT_MEMBERS);
	for (size_t i = 0; i < replica->effects.count; i++) {
		if (replica->halted)
			return;
		carry_out(replica, &replica->effects.items[i], out);
	}
}

/* One event, and those that answer what it led to. */
void replica_step(
	struct replica *replica, struct event *event, struct outputs *out)
{
	step_once(replica, event, out);
	while (replica->connecting.asked && !replica->halted) {
		struct engine_member members[ENGINE_MEMBERS_MAX];
		struct event answer = {.type = EVENT_CONNECTED};
		replica->connecting.asked = false;
		answer.connected.hash = replica->connecting.hash;
		answer.connected.err = replica->connecting.err;
		answer.connected.reach = chain_reach(replica->chain);
		answer.connected.members = members;
		replica_members(
			replica, members, &answer.connected.member_count);
		step_once(replica, &answer, out);
	}
}

static void build(struct replica *replica, struct outputs *out)
{
	struct engine_block found;
	if (replica->config.engine->mines) {
		replica_template(replica, out);
		replica_sweep(replica, out);
		return;
	}
	while (!replica->halted && out->count < OUTPUTS_MAX / 2 &&
		replica->save_count < REPLICA_SAVES_MAX / 2 &&
		replica_make(replica, &found, out)) {
		struct event event = {.type = EVENT_FOUND};
		event.found.task = replica->seek.task;
		event.found.block = &found;
		replica_step(replica, &event, out);
	}
	replica_sweep(replica, out);
}

void replica_begin(
	struct replica *replica, const struct tick *tick, struct outputs *out)
{
	out->count = 0;
	replica->tick = *tick;
	replica->scratch_used = 0;
	replica->save_count = 0;
	shelf_sweep(&replica->shelf);
}

/* ---- the steps ---- */

void replica_start(struct replica *replica, const struct tick *tick,
	struct view record, struct outputs *out)
{
	replica_begin(replica, tick, out);
	engine_begin(replica, view_of(NULL, 0));
	struct event event = {.type = EVENT_START};
	event.start.record = record;
	event.start.reach = chain_reach(replica->chain);
	replica_step(replica, &event, out);
	build(replica, out);
}

void replica_timer(
	struct replica *replica, const struct tick *tick, struct outputs *out)
{
	replica_begin(replica, tick, out);
	struct event event = {.type = EVENT_TIMER};
	if (tick->now >= replica->timer_at)
		replica_step(replica, &event, out);
	else if (replica->config.engine->mines)
		outputs_add(out, OUTPUT_TIMER)->at = replica->timer_at;
	build(replica, out);
}

enum err replica_receive(struct replica *replica, const struct tick *tick,
	const struct key *from, struct view message, const struct view *blocks,
	size_t block_count, struct outputs *out)
{
	replica_begin(replica, tick, out);
	if (block_count > ENGINE_ATTACH_MAX)
		return ERR_LENGTH;
	for (size_t i = 0; i < block_count; i++) {
		struct engine_block *block = &replica->received[i];
		enum err err = replica_open_block(replica, block, blocks[i]);
		if (err != ERR_OK)
			return err;
		if (!replica->config.engine->mines &&
			(time_ms)block->ref.header.time >
				tick->wall + replica->config.skew_ms)
			return ERR_TIME;
	}
	struct event event = {.type = EVENT_RECEIVE};
	event.receive.from = *from;
	event.receive.message = message;
	event.receive.blocks = replica->received;
	event.receive.block_count = block_count;
	replica_step(replica, &event, out);
	build(replica, out);
	return ERR_OK;
}

void replica_saved(struct replica *replica, const struct tick *tick,
	uint64_t task, struct outputs *out)
{
	replica_begin(replica, tick, out);
	struct event event = {.type = EVENT_SAVED};
	event.saved.task = task;
	replica_step(replica, &event, out);
	build(replica, out);
}

void replica_fetched(struct replica *replica, const struct tick *tick,
	uint64_t task, const struct block_ref *block, struct view bytes,
	struct outputs *out)
{
	replica_begin(replica, tick, out);
	CHECK(task != 0 && task == replica->fetch_task);
	replica->fetch_task = 0;
	/* What waited in unfinal blocks here waits again. */
	replica_revert(replica, replica->final, 0, out);
	enum err err = state_load(replica->state, replica->config.genesis,
		bytes, &block->header.state_root);
	if (err != ERR_OK) {
		halt(replica, err, block, out);
		return;
	}
	install(replica, block);
	struct engine_block found = {.ref = *block};
	struct engine_member members[ENGINE_MEMBERS_MAX];
	struct event event = {.type = EVENT_FOUND};
	event.found.task = task;
	event.found.block = &found;
	event.found.members = members;
	replica_members(replica, members, &event.found.member_count);
	replica_step(replica, &event, out);
	build(replica, out);
}

static void simple(struct replica *replica, const struct tick *tick,
	struct event event, struct outputs *out)
{
	replica_begin(replica, tick, out);
	replica_step(replica, &event, out);
	build(replica, out);
}

void replica_read(struct replica *replica, const struct tick *tick,
	uint64_t task, struct outputs *out)
{
	struct event event = {.type = EVENT_READ};
	event.read.task = task;
	simple(replica, tick, event, out);
}

void replica_transfer(
	struct replica *replica, const struct tick *tick, struct outputs *out)
{
	struct event event = {.type = EVENT_TRANSFER};
	simple(replica, tick, event, out);
}

void replica_forgot(struct replica *replica, const struct tick *tick,
	uint64_t height, struct outputs *out)
{
	struct event event = {.type = EVENT_FORGOT};
	event.forgot.height = height;
	simple(replica, tick, event, out);
}

/* The room of undone blocks is not for new ones. */
static bool is_full(const struct replica *replica, const struct tx_view *tx)
{
	const struct replica_limits *limits = &replica->config.limits;
	struct hash known;
	if (mempool_count(replica->pool) < limits->mempool_txs_max &&
		mempool_bytes_used(replica->pool) + tx->bytes.size <=
			limits->mempool_bytes_max)
		return false;
	return !mempool_find(
		replica->pool, &tx->body.wallet, &tx->body.id, &known);
}

enum err replica_submit(struct replica *replica, const struct tick *tick,
	const struct tx_view *tx, bool local, struct outputs *out)
{
	replica_begin(replica, tick, out);
	struct record_seen seen;
	struct record_party party;
	time_ms valid_until = (time_ms)tx->body.valid_until;
	if (state_seen(replica->state, &tx->body.wallet, &tx->body.id, &seen))
		return hash_equal(&seen.tx, &tx->hash) ? ERR_EXISTS
						       : ERR_REPLAY;
	/* No block will be earlier than this clock says, or not by much: what
	 * has run out would wait for a block that is not made for it. */
	if (valid_until <= state_time(replica->state) ||
		valid_until <= tick->wall ||
		valid_until > tick->wall + TX_VALID_MS_MAX)
		return ERR_EXPIRED;
	if (!state_party(replica->state, &tx->body.wallet, &party))
		return ERR_ROLE;
	if (is_full(replica, tx))
		return ERR_BUSY;
	enum err err = mempool_put(replica->pool, tx, local);
	replica->arrived += err == ERR_OK;
	if (err == ERR_OK && local)
		replica_forward(replica, tx->bytes, out);
	return err;
}

void replica_build(
	struct replica *replica, const struct tick *tick, struct outputs *out)
{
	replica_begin(replica, tick, out);
	struct event event = {.type = EVENT_SUBMIT};
	event.submit.pending = mempool_count(replica->pool);
	replica_step(replica, &event, out);
	build(replica, out);
}

/* ---- looking ---- */

void replica_status(const struct replica *replica, struct engine_status *out)
{
	*out = replica->status;
}

const struct chain *replica_chain(const struct replica *replica)
{
	return replica->chain;
}

uint64_t replica_fetching(const struct replica *replica)
{
	return replica->fetch_task;
}

uint64_t replica_final(const struct replica *replica)
{
	return replica->final;
}

void replica_final_head(const struct replica *replica, struct replica_head *out)
{
	*out = replica->final_head;
}

struct mempool *replica_mempool(struct replica *replica)
{
	return replica->pool;
}

bool replica_block(
	const struct replica *replica, uint64_t height, struct view *bytes)
{
	return height <= chain_tip(replica->chain).height &&
	       cache_find(&replica->cache, height, bytes);
}

bool replica_fate(const struct replica *replica, const struct key *wallet,
	const struct id *id, struct replica_fate *out)
{
	struct record_seen seen;
	memset(out, 0, sizeof(*out));
	if (state_seen(replica->state, wallet, id, &seen)) {
		out->status = seen.height <= replica->final ? 3 : 2;
		out->tx = seen.tx;
		out->height = seen.height;
		out->index = (uint16_t)seen.index;
		return true;
	}
	if (!mempool_find(replica->pool, wallet, id, &out->tx))
		return false;
	out->status = 1;
	return true;
}

bool replica_holds(const struct replica *replica)
{
	struct chain_tip tip = chain_tip(replica->chain);
	if (!replica->engine_ready || replica->halted)
		return true;
	struct engine_status status;
	replica->config.engine->status(replica->engine, &status);
	return replica->config.engine->holds(replica->engine) &&
	       status.tip == tip.height && status.final == replica->final &&
	       replica->final <= tip.height;
}
