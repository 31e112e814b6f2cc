/* tests/unit/pow_world.h -- one engine `pow`, and blocks that a test mines.
 *
 * The test is the disk (everything is durable at once, unless it waits), the
 * ledger (every block is valid, but for one hash) and all the peers.
 */
#ifndef PERCH_TESTS_UNIT_POW_WORLD_H
#define PERCH_TESTS_UNIT_POW_WORLD_H

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "consensus/pow/seal.h"
#include "consensus/pow/state.h"
#include "gen/table.h"
#include "ledger/envelope.h"

#ifndef UNUSED
#define UNUSED __attribute__((unused))
#endif

enum {
	PEERS = 5,              /* the engine is the first of them */
	HARD_BITS = 0x2000ffff, /* 256 hashes */
	INTERVAL = 1000,
	SENDS_MAX = 4096,
};
static const time_ms WALL = 1800000000000;
static const struct hash NETWORK = {{7}};

/* A block that was mined; its views borrow from itself. */
struct forged {
	struct engine_block block;
	struct pow_past past;
	size_t size, header_size, field_at;
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
	uint8_t bytes[1024];
};

struct sent {
	struct key to;
	struct pow_message message;
	uint64_t blocks_from;
	uint32_t block_count;
	bool headers;
	size_t hashes;
};

struct pow_world {
	struct pow *pow;
	struct effects effects;
	struct event event;
	struct pow_rules rules;
	time_ms now;
	bool slow_disk, slow_pen; /* what is saved, signed comes later */
	uint64_t save_task;
	size_t record_size;
	uint8_t record[ENGINE_RECORD_MAX];
	struct hash invalid;     /* what cannot be connected */
	enum err wrong;          /* and why */
	struct hash chain[2048]; /* by height */
	uint64_t tip, final, kept_to;
	uint64_t reach, told_reach; /* what this ledger can go back to */
	uint64_t replay_height;
	unsigned reverts, connects, saves, keeps, drops, seeks, replays;
	enum seek_kind seek; /* the last one */
	size_t signed_count;
	struct pow_checkpoint signs[64];
	size_t fault_count;
	enum engine_fault last_fault;
	time_ms timer_at;
	size_t sent_count;
	struct sent sent[SENDS_MAX];
};

static const struct keypair *pow_pair(size_t number)
{
	static struct keypair pairs[16];
	static bool made;
	for (uint8_t i = 0; !made && i < 16; i++) {
		uint8_t seed[32] = {9, i};
		keypair_from_seed(&pairs[i], seed);
	}
	made = true;
	return &pairs[number];
}

/* ---- mining ---- */

static void forged_close(struct forged *forged, size_t signer)
{
	struct block body = {
		.header = view_of(forged->header, forged->header_size),
	};
	signature_make(&body.signature, pow_pair(signer),
		message_name(MESSAGE_BLOCK), &NETWORK, body.header);
	forged->size =
		block_encode(forged->bytes, sizeof(forged->bytes), &body);
	CHECK(forged->size > 0);
	forged->block = (struct engine_block){.whole = true};
	enum err err = block_open(&forged->block.ref,
		view_of(forged->bytes, forged->size), &NETWORK);
	CHECK(err == ERR_OK);
}

static void forged_mine(struct forged *forged)
{
	uint8_t seal[SEAL_SIZE], target[32];
	struct number number;
	uint32_t nonce;
	struct view header = view_of(forged->header, forged->header_size);
	struct pow_field field =
		pow_field_of(forged->header + forged->field_at);
	bool good = target_of_bits(&number, field.bits);
	CHECK(good);
	number_little(&number, target);
	pow_seal(seal, header, forged->field_at, field.extra);
	good = sha256d_search(seal, target, 0, UINT32_MAX, &nonce);
	CHECK(good);
	field.nonce = nonce;
	pow_field_put(forged->header + forged->field_at, &field);
}

/* An empty block on parent (NULL: the genesis) with these bits. tag tells
 * blocks apart that are otherwise alike. */
UNUSED static void forge_bits(struct forged *out, const struct forged *parent,
	time_ms time, uint32_t bits, size_t who, uint8_t tag)
{
	static const struct pow_past first = {
		.time = 1800000000000,
		.parent_time = 1800000000000,
		.window_time = 1800000000000,
		.bits = HARD_BITS,
	};
	const struct pow_past *above = parent ? &parent->past : &first;
	uint8_t field[POW_FIELD_SIZE];
	struct pow_field raw = {.bits = bits, .extra = tag};
	pow_field_put(field, &raw);
	struct header header = {
		.version = PROTOCOL_VERSION,
		.network = NETWORK,
		.chain = 1,
		.height = above->height + 1,
		.parent = parent ? parent->block.ref.hash : NETWORK,
		.time = (uint64_t)time,
		.proposer = pow_pair(who)->key,
		.tx_root = block_items_root(NULL, 0),
		.receipt_root = block_items_root(NULL, 0),
		.engine = view_of(field, sizeof(field)),
	};
	memset(out, 0, sizeof(*out));
	out->past = pow_past_of(above, time, bits);
	out->header_size =
		header_encode(out->header, sizeof(out->header), &header);
	CHECK(out->header_size > 0);
	out->field_at = out->header_size - POW_FIELD_SIZE;
	forged_mine(out);
	forged_close(out, who);
}

/* As the rules want it. */
UNUSED static void forge(const struct pow_world *world, struct forged *out,
	const struct forged *parent, time_ms after, size_t who, uint8_t tag)
{
	time_ms time = (parent ? parent->past.time : WALL) + after;
	uint32_t bits = parent ? pow_next_bits(&world->rules, &parent->past)
			       : world->rules.bits;
	forge_bits(out, parent, time, bits, who, tag);
}

/* ---- the engine's world ---- */

static void world_step(struct pow_world *world, struct event *event);

static void world_connect(struct pow_world *world, const struct effect *effect)
{
	struct engine_member members[ENGINE_MEMBERS_MAX];
	struct event event = {.type = EVENT_CONNECTED};
	event.connected.hash = effect->connect.hash;
	if (hash_equal(&world->invalid, &effect->connect.hash)) {
		event.connected.err = world->wrong;
	} else {
		CHECK(effect->connect.height == world->tip + 1);
		world->chain[++world->tip] = effect->connect.hash;
		world->connects++;
	}
	event.connected.reach =
		world->reach < world->tip ? world->reach : world->tip;
	world->told_reach = event.connected.reach;
	event.connected.member_count = PEERS;
	for (size_t i = 0; i < PEERS; i++)
		members[i] = (struct engine_member){pow_pair(i)->key, 2};
	event.connected.members = members;
	world_step(world, &event);
}

static void world_send(struct pow_world *world, const struct effect *effect)
{
	struct sent *sent = &world->sent[world->sent_count++ % SENDS_MAX];
	memset(sent, 0, sizeof(*sent));
	sent->to = effect->send.to;
	sent->blocks_from = effect->send.blocks_from;
	sent->block_count = effect->send.block_count;
	sent->headers = effect->send.headers;
	sent->hashes = effect->send.hashes.size / HASH_SIZE;
	enum err err = pow_message_decode(&sent->message, effect->send.message);
	CHECK(err == ERR_OK);
}

static void world_save(struct pow_world *world, const struct effect *effect)
{
	const struct view *record = &effect->save.record;
	CHECK(effect->save.task == world->save_task + 1);
	world->save_task++;
	world->saves++;
	if (record->size > 0) {
		CHECK(record->size <= sizeof(world->record));
		memcpy(world->record, record->data, record->size);
		world->record_size = record->size;
	}
}

static void world_take(struct pow_world *world, const struct effect *effect)
{
	switch (effect->type) {
	case EFFECT_SEND:
		world_send(world, effect);
		return;
	case EFFECT_SAVE:
		world_save(world, effect);
		return;
	case EFFECT_COMMIT:
		world->final = effect->commit.height;
		return;
	case EFFECT_REVERT:
		CHECK(effect->revert.height >= world->final);
		CHECK(effect->revert.height >= world->told_reach);
		world->tip = effect->revert.height;
		world->kept_to = effect->revert.keep_to;
		world->reverts++;
		return;
	case EFFECT_TIMER:
		world->timer_at = effect->timer.at;
		return;
	case EFFECT_KEEP:
		world->keeps++;
		return;
	case EFFECT_DROP:
		world->drops++;
		return;
	case EFFECT_SIGN:
		world->signs[world->signed_count++ % 64] =
			(struct pow_checkpoint){
				effect->sign.height, effect->sign.hash};
		return;
	case EFFECT_FAULT:
		world->fault_count++;
		world->last_fault = effect->fault.fault;
		return;
	case EFFECT_SEEK:
		world->seek = effect->seek.kind;
		world->seeks++;
		return;
	case EFFECT_REPLAY:
		CHECK(effect->replay.height >= world->final);
		world->replay_height = effect->replay.height;
		world->replays++;
		return;
	case EFFECT_READY:
	case EFFECT_CONNECT:
	case EFFECT_PROVE:
		return;
	}
}

/* All that was asked for is signed, and durable. */
static void world_signed(struct pow_world *world)
{
	size_t first = world->signed_count > 64 ? world->signed_count - 64 : 0;
	for (size_t i = first; i < world->signed_count; i++) {
		struct event event = {.type = EVENT_VOUCHED};
		event.vouched.key = pow_pair(0)->key;
		event.vouched.height = world->signs[i % 64].height;
		event.vouched.hash = world->signs[i % 64].hash;
		world_step(world, &event);
	}
}

static void world_step(struct pow_world *world, struct event *event)
{
	struct effect connect = {0};
	uint64_t saved = world->save_task;
	size_t signs = world->signed_count;
	event->now = world->now;
	event->wall = WALL + world->now;
	effects_clear(&world->effects);
	engine_find("pow")->step(world->pow, &world->effects, event);
	for (size_t i = 0; i < world->effects.count; i++) {
		world_take(world, &world->effects.items[i]);
		if (world->effects.items[i].type == EFFECT_CONNECT)
			connect = world->effects.items[i];
	}
	assert_true(connect.type == EFFECT_CONNECT ||
		    engine_find("pow")->holds(world->pow));
	if (connect.type == EFFECT_CONNECT)
		world_connect(world, &connect);
	if (!world->slow_pen && world->signed_count != signs)
		world_signed(world);
	if (!world->slow_disk && world->save_task != saved) {
		struct event answer = {.type = EVENT_SAVED};
		answer.saved.task = world->save_task;
		world_step(world, &answer);
	}
}

UNUSED static void world_saved(struct pow_world *world)
{
	struct event event = {.type = EVENT_SAVED};
	event.saved.task = world->save_task;
	world_step(world, &event);
}

UNUSED static void world_wait(struct pow_world *world, time_ms time)
{
	struct event event = {.type = EVENT_TIMER};
	world->now += time;
	world_step(world, &event);
}

UNUSED static void world_hear(struct pow_world *world, size_t from,
	const struct pow_message *message, const struct forged *const *blocks,
	size_t count)
{
	uint8_t bytes[POW_MESSAGE_BYTES_MAX];
	static struct engine_block list[ENGINE_ATTACH_MAX];
	struct event event = {.type = EVENT_RECEIVE};
	size_t size = pow_message_encode(bytes, sizeof(bytes), message);
	CHECK(size > 0 && count <= ENGINE_ATTACH_MAX);
	for (size_t i = 0; i < count; i++)
		list[i] = blocks[i]->block;
	event.receive.from = pow_pair(from)->key;
	event.receive.message = view_of(bytes, size);
	event.receive.blocks = list;
	event.receive.block_count = count;
	world_step(world, &event);
}

/* from says that this is its tip. */
UNUSED static void world_tip(
	struct pow_world *world, size_t from, const struct forged *block)
{
	struct pow_message message = {
		.kind = POW_TIP,
		.height = block->past.height,
		.hash = block->block.ref.hash,
	};
	world_hear(world, from, &message, &block, 1);
}

UNUSED static const struct sent *world_last(
	const struct pow_world *world, uint64_t kind, size_t to)
{
	for (size_t i = world->sent_count; i > 0; i--) {
		const struct sent *sent = &world->sent[(i - 1) % SENDS_MAX];
		if (sent->message.kind == kind &&
			key_equal(&sent->to, &pow_pair(to)->key))
			return sent;
	}
	return NULL;
}

UNUSED static uint64_t world_faults(
	const struct pow_world *world, enum engine_fault fault)
{
	return world->pow->race.faults[fault];
}

static void world_begin(struct pow_world *world)
{
	struct engine_config config = {
		.self = pow_pair(0)->key,
		.member_count = PEERS,
		.base_hash = NETWORK,
		.network = NETWORK,
		.base_time = WALL,
		.pow = world->rules,
	};
	for (size_t i = 0; i < PEERS; i++)
		config.members[i] = (struct engine_member){pow_pair(i)->key, 2};
	engine_find("pow")->init(world->pow, &config);
	world->save_task = 0;
	world->tip = world->final = 0;
	world->chain[0] = NETWORK;
}

UNUSED static void world_start(struct pow_world *world)
{
	struct event event = {.type = EVENT_START};
	event.start.record = view_of(world->record, world->record_size);
	world_step(world, &event);
}

UNUSED static int world_open(void **state)
{
	struct pow_world *world = calloc(1, sizeof(*world));
	size_t size = (engine_find("pow")->size + 63) / 64 * 64;
	world->pow = aligned_alloc(64, size);
	CHECK(world->pow != NULL);
	memset(world->pow, 0, size);
	world->now = 100000;
	world->wrong = ERR_ROOT;
	world->rules = (struct pow_rules){
		.interval_ms = INTERVAL,
		.bits = HARD_BITS,
		.retarget = POW_RETARGET_ASERT,
		.half_life_ms = 5 * INTERVAL,
		.depth = 2,
	};
	world_begin(world);
	world_start(world);
	*state = world;
	return 0;
}

UNUSED static int world_close(void **state)
{
	struct pow_world *world = *state;
	free(world->pow);
	free(world);
	return 0;
}

#endif
