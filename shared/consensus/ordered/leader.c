/* consensus/ordered/leader.c -- what a leader does: append, count, commit.
 *
 * RAFT §5.3 and §5.4.2. Everything that may follow from an answer or from the
 * own disk is in one place, ordered_advance, so that no order of the two is
 * forgotten.
 */
#include "consensus/ordered/ordered.h"

#include <string.h>

#include "base/check.h"

/* The greatest value that a majority of the voters has reached. */
static uint64_t reached(const struct ordered *o, uint64_t self,
	uint64_t (*of)(const struct peer *))
{
	uint64_t values[ENGINE_MEMBERS_MAX + 1];
	size_t count = 0;
	for (size_t i = 0; i <= o->peer_count; i++) {
		bool is_self = i == o->peer_count;
		uint8_t role = is_self ? o->self_role : o->peers[i].role;
		if (role != ROLE_VOTER)
			continue;
		uint64_t value = is_self ? self : of(&o->peers[i]);
		size_t at = count++;
		for (; at > 0 && values[at - 1] < value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
	CHECK(count == o->voter_count);
	return values[ordered_majority(o) - 1];
}

static uint64_t peer_match(const struct peer *peer)
{
	return peer->match;
}

static uint64_t peer_round(const struct peer *peer)
{
	return peer->round;
}

static uint64_t peer_heard_at(const struct peer *peer)
{
	return (uint64_t)peer->heard_at;
}

uint64_t ordered_quorum_round(const struct ordered *o)
{
	return reached(o, o->round, peer_round);
}

/* ONGARO §6.2: a leader that a majority has not answered for an election
 * timeout steps down. */
static time_ms quorum_deadline(const struct ordered *o)
{
	uint64_t heard_at = reached(o, INT64_MAX, peer_heard_at);
	return heard_at == INT64_MAX ? INT64_MAX
				     : (time_ms)heard_at + o->election_ms;
}

time_ms ordered_leader_deadline(const struct ordered *o)
{
	time_ms at = quorum_deadline(o);
	if (o->heartbeat_at < at)
		at = o->heartbeat_at;
	if (o->transferring && o->transfer_until < at)
		at = o->transfer_until;
	return at;
}

void ordered_heartbeat(struct ordered *o, struct effects *out)
{
	o->round++;
	o->heartbeat_at = o->now + o->heartbeat_ms;
	for (size_t i = 0; i < o->peer_count; i++)
		ordered_peer_heartbeat(o, out, &o->peers[i]);
}

/* ---- seeking blocks ---- */

static void seek_block(struct ordered *o, struct effects *out)
{
	bool own = o->entries.tip >= o->term_start;
	uint64_t unfinal = o->entries.tip - o->final;
	if (o->transferring || (own && unfinal >= ORDERED_WINDOW) ||
		(!own && o->self_role != ROLE_VOTER))
		return;
	/* ONGARO §4.1 and its erratum: no change of members before an own-term
	 * commit, and none while one is not committed. */
	bool member_free =
		o->commit >= o->term_start && o->members.height <= o->commit;
	if (o->seek.seek.kind == SEEK_BLOCK &&
		o->seek.seek.height == o->entries.tip + 1 &&
		o->seek.seek.member_free == member_free)
		return;
	struct effect *seek = ordered_seek(o, SEEK_BLOCK);
	struct ordered_field field = {.term = o->term};
	seek->seek.height = o->entries.tip + 1;
	(void)entries_hash(&o->entries, o->entries.tip, &seek->seek.hash);
	seek->seek.field_size = ordered_field_encode(
		seek->seek.field, sizeof(seek->seek.field), &field);
	CHECK(seek->seek.field_size > 0);
	seek->seek.empty = !own;
	seek->seek.member_free = member_free;
	ordered_seek_emit(o, out);
}

void ordered_lead(struct ordered *o, struct effects *out)
{
	ordered_seek_none(o, out);
	o->has_leader = true;
	o->leader = o->self;
	o->term_start = o->entries.tip + 1;
	o->round = 0;
	o->transferring = false;
	for (size_t i = 0; i < o->peer_count; i++)
		ordered_peer_reset(&o->peers[i], o->term_start, o->now);
	ordered_heartbeat(o, out);
	/* RAFT §8: a block of its own term, at once: only with it are the
	 * blocks of the terms before known to be committed. */
	seek_block(o, out);
}

void ordered_on_found_block(struct ordered *o, struct effects *out,
	const struct engine_block *block)
{
	uint64_t term;
	const struct header *header = &block->ref.header;
	CHECK(ordered_block_term(block, &term) && term == o->term);
	CHECK(header->height == o->entries.tip + 1);
	CHECK(hash_equal(&header->parent, &o->seek.seek.hash));
	CHECK(!block->has_change || o->seek.seek.member_free);
	o->seek.seek.kind = SEEK_NONE;
	ordered_append_entry(o, block);
	/*~ The sends stand before the save: followers write the block to their
	 * disks while the leader writes it to its own (ONGARO §10.2.1). It
	 * counts itself only once its own save is done, like anybody else. */
	for (size_t i = 0; i < o->peer_count; i++)
		(void)ordered_replicate(o, out, &o->peers[i]);
	ordered_save(o, out, block, 1);
	ordered_advance(o, out);
}

/* ---- handing over (ONGARO §3.10) ---- */

static void timeout_now(
	struct ordered *o, struct effects *out, const struct key *to)
{
	struct ordered_message message = ordered_say(o, ORDERED_TIMEOUT_NOW);
	ordered_send(out, to, &message, 0, 0);
}

/* The voter that lacks least, of those heard lately. */
static struct peer *successor(struct ordered *o)
{
	struct peer *best = NULL;
	for (size_t i = 0; i < o->peer_count; i++) {
		struct peer *peer = &o->peers[i];
		if (peer->role == ROLE_VOTER &&
			peer->heard_at + o->election_ms > o->now &&
			(best == NULL || peer->match > best->match))
			best = peer;
	}
	return best;
}

static void try_transfer(struct ordered *o, struct effects *out)
{
	struct peer *peer = ordered_peer(o, &o->transfer_to);
	if (peer != NULL && peer->match == o->entries.tip)
		timeout_now(o, out, &peer->key);
}

void ordered_transfer(struct ordered *o, struct effects *out)
{
	struct peer *peer = successor(o);
	if (o->role != ENGINE_LEADER || o->transferring || peer == NULL)
		return;
	o->transferring = true;
	o->transfer_to = peer->key;
	o->transfer_until = o->now + o->election_ms;
	/* No new blocks, so that the successor can catch up; bounded in time,
	 * should it be gone. */
	ordered_seek_none(o, out);
	try_transfer(o, out);
}

/* ---- what follows ---- */

/* ONGARO §4.2.2: a leader that is not a voter any more leads until the change
 * is committed, without counting itself, and then steps down. */
static bool is_out(const struct ordered *o)
{
	return o->self_role != ROLE_VOTER && o->members.height <= o->commit;
}

/* One that was elected after its log took it out makes no block. It only passes
 * on what it alone has; a voter that has it all can lead. */
static bool has_passed_on(const struct ordered *o)
{
	if (o->self_role == ROLE_VOTER || o->entries.tip >= o->term_start)
		return false;
	const struct peer *next = successor((struct ordered *)o);
	return next != NULL && next->match == o->entries.tip;
}

static void step_down(struct ordered *o, struct effects *out)
{
	struct peer *next = successor(o);
	if (next != NULL && next->match == o->entries.tip)
		timeout_now(o, out, &next->key);
	ordered_become_follower(o, out, o->term, NULL);
}

/*~ RAFT §5.4.2 and figure 8: counting copies commits a block only if it is of
 * the leader's own term; the blocks before it are then committed with it. A
 * block of an older term may be on a majority and still be overwritten.
 */
static bool commit(struct ordered *o)
{
	uint64_t height = reached(o, o->durable, peer_match);
	if (height <= o->commit || height < o->term_start)
		return false;
	o->commit = height;
	return true;
}

void ordered_advance(struct ordered *o, struct effects *out)
{
	if (o->role != ENGINE_LEADER)
		return;
	bool committed = commit(o);
	ordered_finalise(o, out);
	for (size_t i = 0; committed && i < o->peer_count; i++) {
		struct peer *peer = &o->peers[i];
		if (!ordered_replicate(o, out, peer))
			ordered_peer_tell_commit(o, out, peer);
	}
	if (o->members.height <= o->commit)
		ordered_peers_drop_left(o);
	if (is_out(o) || has_passed_on(o)) {
		step_down(o, out);
		return;
	}
	ordered_reads_confirm(o, out);
	seek_block(o, out);
}

void ordered_on_reply(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	struct peer *peer = ordered_peer(o, from);
	if (peer == NULL)
		return;
	if (message->term > o->term) {
		ordered_become_follower(o, out, message->term, NULL);
		return;
	}
	if (o->role != ENGINE_LEADER || message->term != o->term ||
		message->round > o->round)
		return;
	peer->heard_at = o->now;
	if (message->round > peer->round)
		peer->round = message->round;
	if (message->kind == ORDERED_APPEND_REPLY) {
		if ((message->flags & ORDERED_REJECT) != 0)
			ordered_peer_rejected(o, peer, message);
		else if (message->height <= o->entries.tip)
			ordered_peer_accepted(o, peer, message);
		if (!ordered_replicate(o, out, peer))
			ordered_peer_tell_commit(o, out, peer);
	}
	if (o->transferring && key_equal(&o->transfer_to, from))
		try_transfer(o, out);
	ordered_advance(o, out);
}

void ordered_leader_timer(struct ordered *o, struct effects *out)
{
	if (o->now >= quorum_deadline(o)) {
		ordered_become_follower(o, out, o->term, NULL);
		return;
	}
	if (o->transferring && o->now >= o->transfer_until)
		o->transferring = false;
	if (o->now >= o->heartbeat_at) {
		ordered_heartbeat(o, out);
		if (o->transferring)
			try_transfer(o, out);
	}
	seek_block(o, out);
}
