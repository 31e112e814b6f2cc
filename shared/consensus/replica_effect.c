/* consensus/replica_effect.c -- carrying out what an engine wants.
 *
 * Each effect becomes an output for the driver, or a change of the chain, the
 * shelf or the standing search, in the order in which the engine gave them.
 */
#include "consensus/replica_state.h"

#include <string.h>

#include "base/check.h"

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

void replica_halt(struct replica *replica, enum err err,
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
			replica_halt(replica, err, &kept[i].ref, out);
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

static void replay(
	struct replica *replica, uint64_t height, struct outputs *out)
{
	CHECK(height >= replica->final);
	outputs_add(out, OUTPUT_REPLAY)->height = height;
	replica->halted = true;
}

void replica_carry_out(struct replica *replica, const struct effect *effect,
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
	case EFFECT_REPLAY:
		replay(replica, effect->replay.height, out);
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
