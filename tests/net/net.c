/* net/net.c -- nodes, disks and a bag of messages. */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* ---- a net ---- */

struct key net_key(size_t node)
{
	struct key key;
	memset(key.bytes, (int)('A' + node), sizeof(key.bytes));
	return key;
}

size_t net_find(const struct net *net, const struct key *key)
{
	for (size_t i = 0; i < net->node_count; i++) {
		struct key other = net_key(i);
		if (key_equal(&other, key))
			return i;
	}
	return net->node_count;
}

void net_init(struct net *net, size_t voters, size_t standbys, size_t others)
{
	memset(net, 0, sizeof(*net));
	net->node_count = voters + standbys + others;
	CHECK(net->node_count <= NET_NODES_MAX);
	net->election_ms = 1000;
	net->heartbeat_ms = 100;
	net->now = 1000000;
	net->block_size = 1000;
	net->saves_at_once = true;
	net->proposes_own = true;
	net->payload = 1;
	random_seed(&net->random, 1);
	net->messages = calloc(NET_MESSAGES_MAX, sizeof(*net->messages));
	net->blocks = net_blocks_new();
	CHECK(net->messages != NULL);
	for (size_t i = 0; i < net->node_count; i++) {
		struct net_node *node = &net->nodes[i];
		node->engine = calloc(1, sizeof(struct ordered));
		CHECK(node->engine != NULL);
		node->timer_at = INT64_MAX;
		if (i >= voters + standbys)
			continue;
		struct engine_member *member =
			&net->genesis.list[net->genesis.count++];
		member->key = net_key(i);
		member->role = i < voters ? ROLE_VOTER : ROLE_STANDBY;
	}
}

void net_free(struct net *net)
{
	for (size_t i = 0; i < net->node_count; i++) {
		free(net->nodes[i].engine);
		free(net->nodes[i].chain.blocks);
		free(net->nodes[i].disk.blocks);
	}
	free(net->final.blocks);
	free(net->messages);
	net_blocks_drop(net->blocks);
	memset(net, 0, sizeof(*net));
}

static void engine_copy(struct ordered *out, const struct ordered *in)
{
	/* The ring comes last; what lies beyond the tip is nothing. */
	uint64_t used = in->entries.tip + 1;
	if (used > ENTRIES_RING_MAX)
		used = ENTRIES_RING_MAX;
	memcpy(out, in,
		offsetof(struct ordered, entries.ring) +
			used * sizeof(struct entry));
}

static void node_copy(struct net_node *out, const struct net_node *in)
{
	struct ordered *engine = out->engine;
	struct net_log chain = out->chain, disk = out->disk;
	if (engine == NULL)
		engine = calloc(1, sizeof(*engine));
	CHECK(engine != NULL);
	size_t head = offsetof(struct net_node, saves);
	size_t tail = offsetof(struct net_node, forgotten_height);
	memcpy(out, in, head);
	memcpy(out->saves, in->saves, in->save_count * sizeof(*in->saves));
	memcpy((uint8_t *)out + tail, (const uint8_t *)in + tail,
		sizeof(*in) - tail);
	out->engine = engine;
	out->chain = chain;
	out->disk = disk;
	engine_copy(out->engine, in->engine);
	net_log_copy(&out->chain, &in->chain);
	net_log_copy(&out->disk, &in->disk);
}

void net_copy(struct net *out, const struct net *in)
{
	struct net_message *messages = out->messages;
	struct net_log final = out->final;
	if (messages == NULL) {
		messages = calloc(NET_MESSAGES_MAX, sizeof(*messages));
		(void)net_blocks_share(in->blocks);
	}
	CHECK(messages != NULL);
	for (size_t i = 0; i < in->node_count; i++)
		node_copy(&out->nodes[i], &in->nodes[i]);
	out->node_count = in->node_count;
	size_t tail = offsetof(struct net, genesis);
	memcpy((uint8_t *)out + tail, (const uint8_t *)in + tail,
		offsetof(struct net, effects) - tail);
	out->messages = messages;
	out->final = final;
	memcpy(messages, in->messages, in->message_count * sizeof(*messages));
	net_log_copy(&out->final, &in->final);
}

/* ---- one step ---- */

/* Engine blocks of numbers; they borrow from this. */
struct view_of_blocks {
	struct engine_block blocks[ENGINE_ATTACH_MAX];
	uint8_t fields[ENGINE_ATTACH_MAX][ORDERED_FIELD_BYTES_MAX];
};

static void fill_block(const struct net *net, struct view_of_blocks *view,
	size_t at, uint32_t number)
{
	const struct net_block *block = net_block(net, number);
	struct engine_block *out = &view->blocks[at];
	struct ordered_field field = {.term = block->term};
	memset(out, 0, sizeof(*out));
	out->ref.hash = block->hash;
	out->ref.header.height = block->height;
	out->ref.header.parent = net_hash_of(net, block->parent);
	size_t size = ordered_field_encode(
		view->fields[at], sizeof(view->fields[at]), &field);
	out->ref.header.engine = view_of(view->fields[at], size);
	out->ref.bytes = view_of(NULL, block->size); /* never looked into */
	out->has_change = block->has_change;
	out->change = block->change;
}

static uint32_t number_of(const struct engine_block *block)
{
	uint32_t number = 0;
	for (int i = 0; i < 4; i++)
		number = number << 8 | block->ref.hash.bytes[i];
	return number;
}

static void carry_send(struct net *net, size_t at, const struct effect *effect)
{
	struct net_node *node = &net->nodes[at];
	net_check_send(net, at, effect);
	size_t to = net_find(net, &effect->send.to);
	if (to == net->node_count || net->lost[at][to])
		return;
	CHECK(net->message_count < NET_MESSAGES_MAX);
	struct net_message *message = &net->messages[net->message_count++];
	memset(message, 0, sizeof(*message));
	message->number = ++net->message_number;
	message->from = (uint8_t)at;
	message->to = (uint8_t)to;
	message->size = effect->send.message.size;
	memcpy(message->bytes, effect->send.message.data, message->size);
	message->first_height = effect->send.blocks_from;
	message->count = effect->send.block_count;
	CHECK(message->count <= ENGINE_ATTACH_MAX);
	for (size_t i = 0; i < message->count; i++) {
		message->blocks[i] =
			net_log_at(&node->chain, message->first_height + i);
		if (message->blocks[i] == 0)
			net_violated(net, "a block is sent that is not there");
	}
}

static void carry_save(struct net *net, size_t at, const struct effect *effect)
{
	struct net_node *node = &net->nodes[at];
	CHECK(node->save_count < NET_SAVES_MAX);
	struct net_save *save = &node->saves[node->save_count++];
	memset(save, 0, sizeof(*save));
	save->task = effect->save.task;
	save->record_size = effect->save.record.size;
	CHECK(save->record_size <= NET_RECORD_MAX);
	if (save->record_size > 0)
		memcpy(save->record, effect->save.record.data,
			save->record_size);
	save->count = effect->save.block_count;
	CHECK(save->count <= ENGINE_ATTACH_MAX);
	if (save->count > 0)
		save->first_height = effect->save.blocks[0].ref.header.height;
	for (size_t i = 0; i < save->count; i++) {
		uint64_t height = save->first_height + i;
		uint32_t number = number_of(&effect->save.blocks[i]);
		save->blocks[i] = number;
		if (height <= net_log_tip(&node->chain)) {
			/* Made here, so executed already. */
			if (net_log_at(&node->chain, height) != number)
				net_violated(net, "a save without a revert");
		} else if (height == net_log_tip(&node->chain) + 1) {
			net_log_push(&node->chain, number);
		} else {
			net_violated(net, "a save leaves a gap");
		}
	}
}

static void carry_ready(struct net *net, size_t at, const struct effect *effect)
{
	struct net_node *node = &net->nodes[at];
	for (size_t i = 0; i < node->read_count; i++) {
		struct net_read *read = &node->reads[i];
		if (read->task != effect->ready.task)
			continue;
		if (read->answered)
			net_violated(net, "a read is answered twice");
		read->answered = true;
		read->ok = effect->ready.ok;
		read->height = effect->ready.height;
		if (read->ok && read->height < read->asked)
			net_violated(net, "a read is older than its question");
		return;
	}
	net_violated(net, "a read is answered that was not asked");
}

static void carry_out(struct net *net, size_t at, const struct effect *effect)
{
	struct net_node *node = &net->nodes[at];
	switch (effect->type) {
	case EFFECT_SEND:
		carry_send(net, at, effect);
		return;
	case EFFECT_SAVE:
		carry_save(net, at, effect);
		return;
	case EFFECT_COMMIT:
		net_check_commit(net, at, effect->commit.height);
		return;
	case EFFECT_REVERT:
		if (effect->revert.height < node->final)
			net_violated(net, "a final block is undone");
		net_log_cut(&node->chain, effect->revert.height);
		return;
	case EFFECT_TIMER:
		node->timer_at = effect->timer.at;
		return;
	case EFFECT_SEEK:
		node->seek = *effect;
		return;
	case EFFECT_READY:
		carry_ready(net, at, effect);
		return;
	case EFFECT_REPLAY:
	case EFFECT_KEEP:
	case EFFECT_DROP:
	case EFFECT_CONNECT:
	case EFFECT_SIGN:
	case EFFECT_PROVE:
	case EFFECT_FAULT:
		net_violated(net, "an effect that no leader's engine has");
		return;
	}
}

static void plant(struct net *net, struct ordered *o)
{
	if (net->fault == NET_OLD_TERMS_COUNT && o->role == ENGINE_LEADER &&
		o->term_start > o->entries.base + 1)
		o->term_start = o->entries.base + 1;
	if (net->fault == NET_VOTES_TWICE && o->role == ENGINE_FOLLOWER)
		o->has_vote = false;
}

static void step(struct net *net, size_t at, struct event *event)
{
	struct net_node *node = &net->nodes[at];
	event->now = net->now + node->skew;
	event->random =
		net->draws ? random_next(&net->random) : net->random_value;
	effects_clear(&net->effects);
	plant(net, node->engine);
	bool led = node->engine->role == ENGINE_LEADER;
	engine_ordered.step(node->engine, &net->effects, event);
	for (size_t i = 0; i < net->effects.count; i++)
		carry_out(net, at, &net->effects.items[i]);
	if (!led && node->engine->role == ENGINE_LEADER)
		net_check_leader(net, at);
	net_check_state(net, at);
	if (net->watch != NULL)
		net->watch(net->watch_context, net, at, event, &net->effects);
}

/* What a node does by itself after a step. */
static void after(struct net *net, size_t at)
{
	struct net_node *node = &net->nodes[at];
	for (;;) {
		if (net->proposes_own && node->seek.seek.kind == SEEK_BLOCK &&
			node->seek.seek.empty)
			net_propose(net, at);
		else if (net->saves_at_once && node->save_count > 0)
			net_saved(net, at, node->save_count);
		else
			return;
	}
}

/* ---- a node's life ---- */

void net_start(struct net *net, size_t at)
{
	struct net_node *node = &net->nodes[at];
	CHECK(!node->up);
	uint32_t base = node->disk.base_block;
	struct net_members members = net_members_after(net, base);
	struct ordered_field field = {0};
	uint8_t bytes[ORDERED_FIELD_BYTES_MAX];
	if (base > 0)
		field.term = net_block(net, base)->term;
	struct engine_config config = {
		.self = net_key(at),
		.member_count = members.count,
		.base_height = node->disk.base,
		.base_hash = net_hash_of(net, base),
		.base_field = view_of(bytes,
			ordered_field_encode(bytes, sizeof(bytes), &field)),
		.election_ms = net->election_ms,
		.heartbeat_ms = net->heartbeat_ms,
		.forgotten_height = node->forgotten_height,
	};
	memcpy(config.members, members.list, sizeof(config.members));
	net_log_copy(&node->chain, &node->disk);
	node->up = true;
	node->final = node->disk.base;
	node->save_count = node->told_count = node->read_count = 0;
	node->timer_at = INT64_MAX;
	memset(&node->seek, 0, sizeof(node->seek));
	engine_ordered.init(node->engine, &config);
	for (size_t i = 0; i < node->disk.count; i++) {
		struct view_of_blocks view;
		fill_block(net, &view, 0, node->disk.blocks[i]);
		engine_ordered.restore(node->engine, &view.blocks[0]);
	}
	struct event event = {.type = EVENT_START};
	event.start.record = view_of(node->record, node->record_size);
	step(net, at, &event);
	after(net, at);
}

void net_start_all(struct net *net)
{
	for (size_t i = 0; i < net->node_count; i++) {
		if (!net->nodes[i].up)
			net_start(net, i);
	}
}

static void disk_write(
	struct net *net, struct net_node *node, const struct net_save *save)
{
	if (save->record_size > 0 && net->fault != NET_RECORD_LOST) {
		node->record_size = save->record_size;
		memcpy(node->record, save->record, save->record_size);
	}
	if (save->state_block > 0)
		net_log_begin(&node->disk,
			net_block(net, save->state_block)->height,
			save->state_block);
	if (save->count == 0 || save->first_height <= node->disk.base)
		return;
	net_log_cut(&node->disk, save->first_height - 1);
	CHECK(net_log_tip(&node->disk) == save->first_height - 1);
	for (size_t i = 0; i < save->count; i++)
		net_log_push(&node->disk, save->blocks[i]);
}

static void disk_write_first(struct net *net, struct net_node *node, size_t n)
{
	for (size_t i = 0; i < n; i++)
		disk_write(net, node, &node->saves[i]);
	node->save_count -= n;
	memmove(node->saves, node->saves + n,
		node->save_count * sizeof(node->saves[0]));
}

void net_crash(struct net *net, size_t at, size_t kept)
{
	struct net_node *node = &net->nodes[at];
	CHECK(node->up && kept <= node->save_count);
	disk_write_first(net, node, kept);
	node->up = false;
	node->save_count = node->told_count = node->read_count = 0;
	node->timer_at = INT64_MAX;
	memset(&node->seek, 0, sizeof(node->seek));
	net_log_copy(&node->chain, &node->disk);
}

void net_disk_put(struct net *net, size_t at, uint64_t term, size_t count)
{
	struct net_log *disk = &net->nodes[at].disk;
	for (size_t i = 0; i < count; i++) {
		uint64_t tip = net_log_tip(disk);
		struct net_block block = {
			.parent = net_log_at(disk, tip),
			.height = tip + 1,
			.term = term,
			.size = net->block_size,
		};
		net_log_push(disk, net_make(net, &block));
	}
}

void net_disk_record(struct net *net, size_t at, uint64_t term)
{
	struct net_node *node = &net->nodes[at];
	node->record_size = 8 + 1 + KEY_SIZE + 8;
	memset(node->record, 0, sizeof(node->record));
	for (int i = 0; i < 8; i++) {
		node->record[i] = (uint8_t)(term >> (56 - 8 * i));
		node->record[9 + KEY_SIZE + i] = node->record[i];
	}
}

/* ---- events ---- */

void net_timer(struct net *net, size_t at)
{
	struct net_node *node = &net->nodes[at];
	if (!node->up || node->timer_at == INT64_MAX)
		return;
	if (net->now + node->skew < node->timer_at)
		node->skew = node->timer_at - net->now;
	node->timer_at = INT64_MAX;
	struct event event = {.type = EVENT_TIMER};
	step(net, at, &event);
	after(net, at);
}

void net_saved(struct net *net, size_t at, size_t n)
{
	struct net_node *node = &net->nodes[at];
	struct event event = {.type = EVENT_SAVED};
	if (net->fault == NET_DISK_LIES) {
		size_t told = node->told_count;
		disk_write_first(net, node, told);
		n = n > told ? n - told : 0;
		node->told_count = n;
	}
	if (n == 0)
		return;
	event.saved.task = node->saves[n - 1].task;
	if (net->fault != NET_DISK_LIES)
		disk_write_first(net, node, n);
	step(net, at, &event);
	after(net, at);
}

void net_saved_all(struct net *net, size_t at)
{
	while (net->nodes[at].save_count > net->nodes[at].told_count)
		net_saved(net, at, net->nodes[at].save_count);
}

static bool propose(struct net *net, size_t at, struct net_block block)
{
	struct net_node *node = &net->nodes[at];
	struct ordered_field field;
	if (!node->up || node->seek.seek.kind != SEEK_BLOCK ||
		(block.has_change && !node->seek.seek.member_free))
		return false;
	uint64_t tip = net_log_tip(&node->chain);
	enum err err = ordered_field_decode(&field,
		view_of(node->seek.seek.field, node->seek.seek.field_size));
	CHECK(err == ERR_OK && node->seek.seek.height == tip + 1);
	block.parent = net_log_at(&node->chain, tip);
	block.height = tip + 1;
	block.term = field.term;
	block.size = net->block_size;
	struct hash parent = net_hash_of(net, block.parent);
	if (!hash_equal(&parent, &node->seek.seek.hash))
		net_violated(net, "a block is sought on another parent");
	uint32_t number = net_make(net, &block);
	net_log_push(&node->chain, number);
	struct view_of_blocks view;
	fill_block(net, &view, 0, number);
	struct event event = {.type = EVENT_FOUND};
	event.found.task = node->seek.seek.task;
	event.found.block = &view.blocks[0];
	node->seek.seek.kind = SEEK_NONE;
	step(net, at, &event);
	after(net, at);
	return true;
}

bool net_propose(struct net *net, size_t at)
{
	struct net_block block = {.payload = 0};
	if (!net->nodes[at].seek.seek.empty)
		block.payload = net->payload++;
	return propose(net, at, block);
}

bool net_propose_change(struct net *net, size_t at, size_t who, uint8_t role)
{
	struct net_block block = {
		.payload = net->payload++,
		.has_change = true,
		.change = {.key = net_key(who), .role = role},
	};
	return propose(net, at, block);
}

bool net_fetch(struct net *net, size_t at)
{
	struct net_node *node = &net->nodes[at];
	const struct effect *seek = &node->seek;
	if (!node->up || seek->seek.kind != SEEK_STATE)
		return false;
	size_t peer = net_find(net, &seek->seek.peer);
	uint32_t number = net->nodes[peer].chain.base_block;
	if (!net->nodes[peer].up || number == 0 ||
		net->nodes[peer].chain.base != seek->seek.height)
		return false;
	struct net_members members = net_members_after(net, number);
	struct view_of_blocks view;
	fill_block(net, &view, 0, number);
	struct event event = {.type = EVENT_FOUND};
	event.found.task = seek->seek.task;
	event.found.block = &view.blocks[0];
	event.found.members = members.list;
	event.found.member_count = members.count;
	net_log_begin(&node->chain, seek->seek.height, number);
	node->final = seek->seek.height;
	node->seek.seek.kind = SEEK_NONE;
	size_t before = node->save_count;
	bool at_once = net->saves_at_once;
	net->saves_at_once = false;
	step(net, at, &event);
	if (node->save_count > before)
		node->saves[before].state_block = number;
	else
		net_violated(net, "a state without a save");
	net->saves_at_once = at_once;
	after(net, at);
	return true;
}

void net_receive(struct net *net, const struct net_message *message)
{
	struct view_of_blocks view;
	for (size_t i = 0; i < message->count; i++)
		fill_block(net, &view, i, message->blocks[i]);
	struct event event = {.type = EVENT_RECEIVE};
	event.receive.from = net_key(message->from);
	event.receive.message = view_of(message->bytes, message->size);
	event.receive.blocks = view.blocks;
	event.receive.block_count = message->count;
	step(net, message->to, &event);
	after(net, message->to);
}

void net_read(struct net *net, size_t at, uint64_t task)
{
	struct net_node *node = &net->nodes[at];
	if (node->read_count == NET_READS_MAX) {
		node->read_count--;
		memmove(node->reads, node->reads + 1,
			node->read_count * sizeof(node->reads[0]));
	}
	node->reads[node->read_count++] = (struct net_read){
		.task = task, .asked = net_log_tip(&net->final)};
	struct event event = {.type = EVENT_READ};
	event.read.task = task;
	step(net, at, &event);
	after(net, at);
}

void net_forget(struct net *net, size_t at, uint64_t height)
{
	struct net_node *node = &net->nodes[at];
	struct net_log *logs[] = {&node->chain, &node->disk};
	for (size_t i = 0; i < 2; i++) {
		struct net_log *log = logs[i];
		CHECK(height >= log->base && height <= net_log_tip(log));
		uint32_t number = net_log_at(log, height);
		size_t gone = height - log->base;
		log->count -= gone;
		if (log->count > 0)
			memmove(log->blocks, log->blocks + gone,
				log->count * sizeof(*log->blocks));
		log->base = height;
		log->base_block = number;
	}
	struct event event = {.type = EVENT_FORGOT};
	event.forgot.height = height;
	step(net, at, &event);
	after(net, at);
}

void net_transfer(struct net *net, size_t at)
{
	struct event event = {.type = EVENT_TRANSFER};
	step(net, at, &event);
	after(net, at);
}
