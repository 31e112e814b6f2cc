/* consensus/ordered/follower.c -- taking a leader's blocks, or a state.
 *
 * RAFT §5.3. Two things that are easily got wrong, and have been: an answer
 * acknowledges what this message showed to be the same (prev + its blocks),
 * not all that happens to be in the log; and it is only given when that is
 * durable.
 */
#include "consensus/ordered/ordered.h"

#include <string.h>

#include "base/check.h"

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A leader of the past is told that it is one. */
static void refuse_stale(struct ordered *o, struct effects *out,
	const struct key *from, enum ordered_kind kind)
{
	if (!ordered_record_durable(o))
		return;
	struct ordered_message reply = ordered_say(o, kind);
	reply.flags = ORDERED_REJECT;
	ordered_send(out, from, &reply, 0, 0);
}

/* True when the message is from the leader of this term, who is followed. */
static bool follow(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message,
	enum ordered_kind reply)
{
	if (message->term < o->term) {
		refuse_stale(o, out, from, reply);
		return false;
	}
	if (message->term == o->term &&
		(o->role == ENGINE_LEADER ||
			(o->has_leader && !key_equal(&o->leader, from))))
		return false; /* two leaders in a term: one of them lies */
	ordered_become_follower(o, out, message->term, from);
	return true;
}

/* ---- what is owed to the leader ---- */

static void send_rejection(struct ordered *o, struct effects *out)
{
	struct ordered_message reply = ordered_say(o, ORDERED_APPEND_REPLY);
	reply.height = o->owed_height;
	reply.round = o->owed_round;
	reply.flags = ORDERED_REJECT;
	uint64_t at = min(o->owed_height, o->entries.tip);
	if (o->owed_term > 0 &&
		!entries_back_off(&o->entries, at, o->owed_term, &at))
		at = o->commit;
	/* What is committed is in every later leader's log (RAFT §5.4.3). */
	reply.hint = at > o->commit ? at : o->commit;
	(void)entries_term(&o->entries, reply.hint, &reply.hint_term);
	ordered_send(out, &o->leader, &reply, 0, 0);
	o->owed = false;
}

void ordered_follower_reply(struct ordered *o, struct effects *out)
{
	if (o->role != ENGINE_FOLLOWER || !o->has_leader ||
		!ordered_record_durable(o))
		return;
	if (o->owed && o->owed_reject) {
		send_rejection(o, out);
		return;
	}
	uint64_t match = min(o->verified, o->durable);
	if (!o->owed && match <= o->acked)
		return;
	struct ordered_message reply = ordered_say(o, ORDERED_APPEND_REPLY);
	reply.height = match;
	reply.round = o->owed_round;
	ordered_send(out, &o->leader, &reply, 0, 0);
	o->acked = match;
	o->owed = false;
}

static void owe(
	struct ordered *o, const struct ordered_message *message, bool reject)
{
	o->owed = true;
	o->owed_reject = reject;
	o->owed_height = message->height;
	o->owed_term = message->log_term;
}

/* ---- an append ---- */

/* Are these blocks a chain that a log may hold after message->height? */
static bool is_chain(const struct ordered_message *message,
	const struct engine_block *blocks, size_t count)
{
	uint64_t before = message->log_term;
	const struct hash *parent = &message->hash;
	for (size_t i = 0; i < count; i++) {
		const struct block_ref *ref = &blocks[i].ref;
		uint64_t term;
		if (ref->header.height != message->height + 1 + i ||
			!ordered_block_term(&blocks[i], &term) ||
			term < before || term > message->term)
			return false;
		if ((i > 0 || !hash_is_zero(parent)) &&
			!hash_equal(&ref->header.parent, parent))
			return false;
		before = term;
		parent = &ref->hash;
	}
	return true;
}

/* Is the block at message->height the same here (RAFT §5.3)? Where a term is
 * forgotten on either side, the hash decides. */
static bool matches(const struct ordered *o,
	const struct ordered_message *message,
	const struct engine_block *blocks, size_t count)
{
	uint64_t term;
	struct hash here;
	if (message->height <= o->commit)
		return true;
	if (message->height > o->entries.tip)
		return false;
	if (message->log_term > 0 &&
		entries_term(&o->entries, message->height, &term))
		return term == message->log_term;
	if (!entries_hash(&o->entries, message->height, &here))
		return false;
	if (!hash_is_zero(&message->hash))
		return hash_equal(&message->hash, &here);
	return count > 0 && hash_equal(&blocks[0].ref.header.parent, &here);
}

/* Is this block in the log? known: false when that cannot be told. */
static bool is_here(
	const struct ordered *o, const struct engine_block *block, bool *known)
{
	uint64_t height = block->ref.header.height;
	uint64_t term, here;
	struct hash hash;
	*known = true;
	if (height > o->entries.tip)
		return false;
	if (height <= o->entries.base)
		return true;
	if (entries_hash(&o->entries, height, &hash))
		return hash_equal(&hash, &block->ref.hash);
	*known = entries_term(&o->entries, height, &here);
	return *known && ordered_block_term(block, &term) && term == here;
}

/* Cut the log after height: what follows is another leader's (RAFT §5.3). */
static bool cut(struct ordered *o, struct effects *out, uint64_t height)
{
	uint64_t term;
	/* A leader never contradicts itself: its log only grows (RAFT §5.3). */
	if (height < o->verified || !ordered_members_can_cut(o, height) ||
		!entries_term(&o->entries, height, &term))
		return false;
	effects_add(out, EFFECT_REVERT)->revert.height = height;
	entries_truncate(&o->entries, height);
	ordered_members_cut(o, height);
	o->durable = min(o->durable, height);
	for (uint32_t i = 0; i < o->save_count; i++)
		o->saves[i].tip = min(o->saves[i].tip, height);
	return true;
}

/* Bring the blocks into the log. False: they contradict what cannot change. */
static bool take(struct ordered *o, struct effects *out,
	const struct engine_block *blocks, size_t count, bool *grew)
{
	size_t first = 0;
	bool known = true;
	while (first < count && is_here(o, &blocks[first], &known))
		first++;
	*grew = first < count;
	if (!known)
		return false;
	if (first == count)
		return true;
	const struct header *header = &blocks[first].ref.header;
	uint64_t prev = header->height - 1;
	uint64_t before, term;
	struct hash hash;
	if (prev < o->commit || prev > o->entries.tip ||
		!entries_hash(&o->entries, prev, &hash) ||
		!hash_equal(&hash, &header->parent) ||
		!entries_term(&o->entries, prev, &before) ||
		!ordered_block_term(&blocks[first], &term) || term < before)
		return false;
	if (prev < o->entries.tip && !cut(o, out, prev))
		return false;
	for (size_t i = first; i < count; i++)
		ordered_append_entry(o, &blocks[i]);
	ordered_save(o, out, blocks + first, count - first);
	return true;
}

void ordered_on_append(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message,
	const struct engine_block *blocks, size_t count)
{
	if (!is_chain(message, blocks, count) ||
		!follow(o, out, from, message, ORDERED_APPEND_REPLY))
		return;
	if (message->round > o->owed_round)
		o->owed_round = message->round;
	if (!matches(o, message, blocks, count)) {
		owe(o, message, true);
		ordered_follower_reply(o, out);
		return;
	}
	bool grew;
	if (!take(o, out, blocks, count, &grew))
		return;
	if (o->seek.seek.kind == SEEK_STATE)
		ordered_seek_none(o, out);
	/* Exactly what this message showed. */
	uint64_t end = message->height + count;
	if (end > o->verified)
		o->verified = end;
	if (min(message->commit, end) > o->commit)
		o->commit = min(message->commit, end);
	ordered_finalise(o, out);
	if (!grew && (message->flags & ORDERED_QUIET) == 0)
		owe(o, message, false);
	ordered_follower_reply(o, out);
}

/* ---- a state instead of blocks (RAFT §7) ---- */

static void seek_state(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	const struct effect *stands = &o->seek;
	if (stands->seek.kind == SEEK_STATE &&
		stands->seek.height == message->height &&
		key_equal(&stands->seek.peer, from))
		return;
	struct effect *seek = ordered_seek(o, SEEK_STATE);
	seek->seek.height = message->height;
	seek->seek.hash = message->hash;
	seek->seek.peer = *from;
	ordered_seek_emit(o, out);
}

void ordered_on_snapshot(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	if (!follow(o, out, from, message, ORDERED_SNAPSHOT_REPLY))
		return;
	if (message->round > o->owed_round)
		o->owed_round = message->round;
	if (matches(o, message, NULL, 0)) {
		/* Up to there it is the log of the leader, who has committed
		 * it; what follows it stays. */
		if (o->seek.seek.kind == SEEK_STATE)
			ordered_seek_none(o, out);
		if (message->height > o->verified)
			o->verified = message->height;
		if (message->height > o->commit)
			o->commit = message->height;
		ordered_finalise(o, out);
		owe(o, message, false);
		ordered_follower_reply(o, out);
		return;
	}
	uint64_t term;
	if (message->height <= o->entries.tip &&
		(message->log_term == 0 ||
			!entries_term(&o->entries, message->height, &term)))
		return; /* cannot be told: never give up what may count */
	seek_state(o, out, from, message);
	if (!ordered_record_durable(o))
		return;
	struct ordered_message reply = ordered_say(o, ORDERED_SNAPSHOT_REPLY);
	reply.flags = ORDERED_REJECT; /* not yet */
	reply.round = o->owed_round;
	ordered_send(out, from, &reply, 0, 0);
}

void ordered_on_found_state(
	struct ordered *o, struct effects *out, const struct event *event)
{
	const struct block_ref *ref = &event->found.block->ref;
	const struct hash *wanted = &o->seek.seek.hash;
	uint64_t term;
	CHECK(ref->header.height == o->seek.seek.height);
	CHECK(hash_is_zero(wanted) || hash_equal(wanted, &ref->hash));
	CHECK(ordered_block_term(event->found.block, &term));
	CHECK(term <= o->term);
	CHECK(ref->header.height > o->commit);
	o->seek.seek.kind = SEEK_NONE;
	if (o->role == ENGINE_CANDIDATE)
		ordered_become_follower(o, out, o->term, NULL);
	uint64_t height = ref->header.height;
	entries_init(&o->entries, height, &ref->hash, term);
	ordered_members_set(
		o, height, event->found.members, event->found.member_count);
	o->commit = o->final = o->verified = height;
	o->owed = false;
	o->acked = 0;
	/* Not durable before the SAVE that follows is done. */
	o->durable = 0;
	for (uint32_t i = 0; i < o->save_count; i++)
		o->saves[i].tip = 0;
	ordered_save(o, out, NULL, 0);
	ordered_reads_ready(o, out);
}
