/* consensus/ordered/engine.c -- the steps of a Raft core.
 *
 * One event at a time, everything it means is said in one list of effects, and
 * nothing is remembered outside the state. A step costs the same however long
 * the log is.
 */
#include "consensus/ordered/ordered.h"

#include <string.h>

#include "base/check.h"

/* ---- what all parts use ---- */

struct ordered_message ordered_say(
	const struct ordered *o, enum ordered_kind kind)
{
	return (struct ordered_message){.kind = kind, .term = o->term};
}

void ordered_send(struct effects *out, const struct key *to,
	const struct ordered_message *message, uint64_t from, uint32_t count)
{
	uint8_t bytes[ORDERED_MESSAGE_BYTES_MAX];
	size_t size = ordered_message_encode(bytes, sizeof(bytes), message);
	CHECK(size > 0);
	struct effect *effect = effects_add(out, EFFECT_SEND);
	effect->send.to = *to;
	effect->send.message = effects_bytes(out, view_of(bytes, size));
	effect->send.blocks_from = from;
	effect->send.block_count = count;
}

/* The record: the term, who has this node's vote in it (RAFT figure 2), and the
 * greatest term of any block here, should the blocks be lost. */
enum { RECORD_SIZE = 8 + 1 + KEY_SIZE + 8 };

static void put_number(uint8_t *bytes, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t get_number(const uint8_t *bytes)
{
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

static struct view record_put(const struct ordered *o, uint8_t *bytes)
{
	put_number(bytes, o->term);
	bytes[8] = o->has_vote;
	memcpy(bytes + 9, o->vote.bytes, KEY_SIZE);
	put_number(bytes + 9 + KEY_SIZE, o->log_term);
	return view_of(bytes, RECORD_SIZE);
}

static void record_get(struct ordered *o, struct view record)
{
	CHECK(record.size == RECORD_SIZE && record.data[8] <= 1);
	o->term = get_number(record.data);
	o->has_vote = record.data[8] == 1;
	memcpy(o->vote.bytes, record.data + 9, KEY_SIZE);
	o->log_term = get_number(record.data + 9 + KEY_SIZE);
}

void ordered_save(struct ordered *o, struct effects *out,
	const struct engine_block *blocks, size_t count)
{
	struct effect *effect = effects_add(out, EFFECT_SAVE);
	effect->save.task = ++o->save_task;
	effect->save.blocks = blocks;
	effect->save.block_count = count;
	bool later = o->entries.tip_term > o->log_term;
	if (later)
		o->log_term = o->entries.tip_term;
	if (o->record_dirty || later) {
		uint8_t bytes[RECORD_SIZE];
		effect->save.record = effects_bytes(out, record_put(o, bytes));
	}
	if (o->record_dirty) {
		o->record_task = o->save_task;
		o->record_dirty = false;
	}
	/* With a full table the newest stands for the one before it too: that
	 * one counts a little later, never too early. */
	if (o->save_count == ORDERED_SAVES_MAX)
		o->save_count--;
	o->saves[o->save_count++] =
		(struct save){.task = o->save_task, .tip = o->entries.tip};
}

bool ordered_record_durable(const struct ordered *o)
{
	return !o->record_dirty && o->record_task <= o->saved_task;
}

void ordered_finalise(struct ordered *o, struct effects *out)
{
	uint64_t final = o->commit < o->durable ? o->commit : o->durable;
	if (final <= o->final)
		return;
	o->final = final;
	effects_add(out, EFFECT_COMMIT)->commit.height = final;
	ordered_reads_ready(o, out);
}

struct effect *ordered_seek(struct ordered *o, enum seek_kind kind)
{
	memset(&o->seek, 0, sizeof(o->seek));
	o->seek.type = EFFECT_SEEK;
	o->seek.seek.kind = kind;
	o->seek.seek.task = ++o->seek_task;
	return &o->seek;
}

void ordered_seek_emit(const struct ordered *o, struct effects *out)
{
	*effects_add(out, EFFECT_SEEK) = o->seek;
}

void ordered_seek_none(struct ordered *o, struct effects *out)
{
	if (o->seek.seek.kind == SEEK_NONE)
		return;
	ordered_seek(o, SEEK_NONE);
	ordered_seek_emit(o, out);
}

bool ordered_block_term(const struct engine_block *block, uint64_t *term)
{
	struct ordered_field field;
	if (ordered_field_decode(&field, block->ref.header.engine) != ERR_OK ||
		field.term == 0 || field.term > ORDERED_TERM_MAX)
		return false;
	*term = field.term;
	return true;
}

void ordered_append_entry(struct ordered *o, const struct engine_block *block)
{
	uint64_t term;
	CHECK(ordered_block_term(block, &term));
	entries_append(
		&o->entries, &block->ref.hash, term, block->ref.bytes.size);
	if (block->has_change)
		ordered_members_change(o, o->entries.tip, &block->change);
}

/* ---- the life of a node ---- */

static void init(void *state, const struct engine_config *config)
{
	struct ordered *o = state;
	CHECK(config->election_ms > 0 && config->heartbeat_ms > 0);
	memset(o, 0, sizeof(*o));
	o->self = config->self;
	o->election_ms = config->election_ms;
	o->heartbeat_ms = config->heartbeat_ms;
	o->forgotten = config->forgotten_height;
	o->role = ENGINE_FOLLOWER;
	o->timer_at = INT64_MAX;
	uint64_t term = 0;
	if (config->base_height > 0) {
		struct ordered_field field;
		enum err err = ordered_field_decode(&field, config->base_field);
		CHECK(err == ERR_OK);
		term = field.term;
	}
	entries_init(
		&o->entries, config->base_height, &config->base_hash, term);
	ordered_members_set(
		o, config->base_height, config->members, config->member_count);
	o->durable = o->commit = o->final = config->base_height;
}

static void restore(void *state, const struct engine_block *block)
{
	struct ordered *o = state;
	struct hash parent;
	CHECK(!o->started);
	CHECK(block->ref.header.height == o->entries.tip + 1);
	CHECK(entries_hash(&o->entries, o->entries.tip, &parent));
	CHECK(hash_equal(&parent, &block->ref.header.parent));
	ordered_append_entry(o, block);
	o->durable = o->entries.tip;
}

static void on_start(struct ordered *o, struct view record)
{
	CHECK(!o->started);
	o->started = true;
	if (record.size > 0)
		record_get(o, record);
	if (o->term < o->entries.tip_term) {
		/* The record is lost. In the last term it is certain to have
		 * been in, it votes for nobody else. */
		o->term = o->entries.tip_term;
		o->has_vote = true;
		o->vote = o->self;
		o->record_dirty = true;
	}
	o->forgotten_term = record.size > 0 ? o->log_term : ORDERED_TERM_MAX;
	if (o->entries.tip_term > o->log_term)
		o->record_dirty = true; /* before it is acknowledged again */
	/* An answer to a question from before the restart answers none of
	 * those that come after it. */
	o->read_id = o->random >> 12;
	ordered_election_reset(o);
	if (ordered_may_stand(o) && o->self_role == ROLE_VOTER &&
		o->voter_count == 1)
		ordered_campaign(o, false);
}

static void on_timer(struct ordered *o, struct effects *out)
{
	o->timer_at = INT64_MAX;
	ordered_reads_expire(o, out);
	if (o->role == ENGINE_LEADER)
		ordered_leader_timer(o, out);
	else if (o->now >= o->election_at)
		ordered_election_timeout(o, out);
}

static void on_saved(struct ordered *o, struct effects *out, uint64_t task)
{
	CHECK(task <= o->save_task);
	if (task <= o->saved_task)
		return;
	o->saved_task = task;
	uint32_t done = 0;
	while (done < o->save_count && o->saves[done].task <= task) {
		if (o->saves[done].tip > o->durable)
			o->durable = o->saves[done].tip;
		done++;
	}
	o->save_count -= done;
	memmove(o->saves, o->saves + done, o->save_count * sizeof(o->saves[0]));
	ordered_finalise(o, out);
	ordered_election_saved(o, out);
	ordered_follower_reply(o, out);
	ordered_advance(o, out);
}

static void on_found(
	struct ordered *o, struct effects *out, const struct event *event)
{
	if (event->found.task == o->seek_task) {
		switch (o->seek.seek.kind) {
		case SEEK_BLOCK:
			ordered_on_found_block(o, out, event->found.block);
			return;
		case SEEK_STATE:
			ordered_on_found_state(o, out, event);
			return;
		case SEEK_NONE:
			break;
		}
	}
	/* Too late: whoever made the block has it on top of what is here. */
	effects_add(out, EFFECT_REVERT)->revert.height = o->entries.tip;
}

/* Who is no member is not heard, with one exception. A candidate or leader may
 * have joined by blocks that are not here yet, and be the only one that can
 * lead; so ONGARO §4.1 takes votes and appends from anybody. Here that is so
 * while no leader is heard, and only from whom the driver has admitted.
 */
static bool is_heard(
	const struct ordered *o, const struct key *from, uint64_t kind)
{
	if (key_equal(from, &o->self))
		return false;
	if (ordered_member(o, from) != NULL)
		return true;
	switch (kind) {
	case ORDERED_PRE_VOTE:
	case ORDERED_VOTE:
	case ORDERED_APPEND:
	case ORDERED_SNAPSHOT:
		return !ordered_leader_is_heard(o) ||
		       (o->has_leader && key_equal(from, &o->leader));
	case ORDERED_APPEND_REPLY: /* of one that leaves */
	case ORDERED_SNAPSHOT_REPLY:
	case ORDERED_TIMEOUT_NOW: /* these are of the leader or nobody */
	case ORDERED_READ_REPLY:
		return true;
	default:
		return false;
	}
}

static void on_receive(
	struct ordered *o, struct effects *out, const struct event *event)
{
	struct ordered_message message;
	const struct key *from = &event->receive.from;
	size_t count = event->receive.block_count;
	if (ordered_message_decode(&message, event->receive.message) !=
			ERR_OK ||
		message.term > ORDERED_TERM_MAX || count > ENGINE_ATTACH_MAX ||
		(count > 0 && message.kind != ORDERED_APPEND) ||
		!is_heard(o, from, message.kind))
		return;
	switch (message.kind) {
	case ORDERED_APPEND:
		ordered_on_append(
			o, out, from, &message, event->receive.blocks, count);
		return;
	case ORDERED_SNAPSHOT:
		ordered_on_snapshot(o, out, from, &message);
		return;
	case ORDERED_APPEND_REPLY:
	case ORDERED_SNAPSHOT_REPLY:
		ordered_on_reply(o, out, from, &message);
		return;
	case ORDERED_READ:
		ordered_on_read(o, out, from, &message);
		return;
	case ORDERED_READ_REPLY:
		ordered_on_read_reply(o, out, from, &message);
		return;
	default: /* of a number off the wire */
		ordered_on_election(o, out, from, &message);
		return;
	}
}

static void on_forgot(struct ordered *o, uint64_t height)
{
	CHECK(height <= o->final);
	if (height > o->entries.base)
		entries_forget(&o->entries, height);
}

/* One TIMER stands; one that goes off early costs a step, so it is only
 * replaced by an earlier one. */
static void set_timer(struct ordered *o, struct effects *out)
{
	time_ms at = ordered_reads_deadline(o);
	time_ms other = INT64_MAX;
	if (o->role == ENGINE_LEADER)
		other = ordered_leader_deadline(o);
	else if (ordered_may_stand(o) || o->has_leader)
		other = o->election_at;
	if (other < at)
		at = other;
	if (at >= o->timer_at)
		return;
	o->timer_at = at;
	effects_add(out, EFFECT_TIMER)->timer.at = at;
}

static void step(void *state, struct effects *out, const struct event *event)
{
	struct ordered *o = state;
	o->now = event->now;
	o->random = event->random;
	CHECK(o->started || event->type == EVENT_START);
	switch (event->type) {
	case EVENT_START:
		on_start(o, event->start.record);
		break;
	case EVENT_TIMER:
		on_timer(o, out);
		break;
	case EVENT_RECEIVE:
		on_receive(o, out, event);
		break;
	case EVENT_SUBMIT:
		break; /* a SEEK stands whenever a block may be made */
	case EVENT_SAVED:
		on_saved(o, out, event->saved.task);
		break;
	case EVENT_FOUND:
		on_found(o, out, event);
		break;
	case EVENT_READ:
		ordered_read(o, out, event->read.task);
		break;
	case EVENT_FORGOT:
		on_forgot(o, event->forgot.height);
		break;
	case EVENT_TRANSFER:
		ordered_transfer(o, out);
		break;
	case EVENT_CONNECTED: /* answers to what is never asked here */
	case EVENT_VOUCHED:   /* a majority's disks are enough */
	case EVENT_CERTIFIED:
		break;
	}
	if (o->record_dirty)
		ordered_save(o, out, NULL, 0);
	set_timer(o, out);
}

static void status(const void *state, struct engine_status *out)
{
	const struct ordered *o = state;
	memset(out, 0, sizeof(*out));
	out->role = o->role;
	if (o->role == ENGINE_FOLLOWER && o->self_role != ROLE_VOTER)
		out->role = ENGINE_STANDBY;
	out->term = o->term;
	out->has_leader = o->has_leader;
	out->leader = o->leader;
	out->tip = o->entries.tip;
	out->final = o->final;
	out->member_count = o->members.count;
	memcpy(out->members, o->members.list, sizeof(out->members));
}

const struct engine_ops engine_ordered = {
	.name = "ordered",
	.chain = 0,
	.size = sizeof(struct ordered),
	.init = init,
	.restore = restore,
	.step = step,
	.holds = ordered_holds,
	.status = status,
};
