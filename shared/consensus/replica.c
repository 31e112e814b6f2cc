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
		replica_carry_out(replica, &replica->effects.items[i], out);
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
	replica_engine_begin(replica, view_of(NULL, 0));
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
		replica_halt(replica, err, block, out);
		return;
	}
	replica_install(replica, block);
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
