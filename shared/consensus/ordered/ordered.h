/* consensus/ordered/ordered.h -- the parts of a Raft core, for one another.
 *
 * engine.c takes an event and asks the part that it concerns: election.c,
 * leader.c with replicate.c, follower.c, read.c. They share one state and say
 * what they want in one list of effects.
 */
#ifndef PERCH_CONSENSUS_ORDERED_ORDERED_H
#define PERCH_CONSENSUS_ORDERED_ORDERED_H

#include "consensus/ordered/state.h"
#include "gen/peer.h"

enum ordered_kind {
	ORDERED_PRE_VOTE = 1,
	ORDERED_PRE_VOTE_REPLY,
	ORDERED_VOTE,
	ORDERED_VOTE_REPLY,
	ORDERED_APPEND,
	ORDERED_APPEND_REPLY,
	ORDERED_SNAPSHOT,
	ORDERED_SNAPSHOT_REPLY,
	ORDERED_TIMEOUT_NOW,
	ORDERED_READ,
	ORDERED_READ_REPLY,
};
enum { ORDERED_REJECT = 1, ORDERED_FORCED = 2, ORDERED_QUIET = 4 };
extern const struct engine_ops engine_ordered;

/* ---- engine.c ---- */

struct ordered_message ordered_say(
	const struct ordered *o, enum ordered_kind kind);
void ordered_send(struct effects *out, const struct key *to,
	const struct ordered_message *message, uint64_t from, uint32_t count);
void ordered_save(struct ordered *o, struct effects *out,
	const struct engine_block *blocks, size_t count);
bool ordered_record_durable(const struct ordered *o);
/* Report what became final here, and the reads that waited for it. */
void ordered_finalise(struct ordered *o, struct effects *out);
void ordered_seek_none(struct ordered *o, struct effects *out);
/* A new SEEK in place of the one before; kind and task are set. */
struct effect *ordered_seek(struct ordered *o, enum seek_kind kind);
void ordered_seek_emit(const struct ordered *o, struct effects *out);
/* Metadata of a block at tip + 1 whose field is good. */
void ordered_append_entry(struct ordered *o, const struct engine_block *block);
/* False: the field of the header is none of this engine's. */
bool ordered_block_term(const struct engine_block *block, uint64_t *term);

/* ---- members.c ---- */

const struct engine_member *ordered_member(
	const struct ordered *o, const struct key *key);
struct peer *ordered_peer(struct ordered *o, const struct key *key);
size_t ordered_majority(const struct ordered *o);
/* The block at height, on the tip, makes this change: it is in effect now. */
void ordered_members_change(
	struct ordered *o, uint64_t height, const struct engine_member *change);
/* May the log be cut after height, and cut it. */
bool ordered_members_can_cut(const struct ordered *o, uint64_t height);
void ordered_members_cut(struct ordered *o, uint64_t height);
void ordered_members_set(struct ordered *o, uint64_t height,
	const struct engine_member *list, size_t count);
/* Forget members that left. */
void ordered_peers_drop_left(struct ordered *o);

/* ---- election.c ---- */

void ordered_become_follower(struct ordered *o, struct effects *out,
	uint64_t term, const struct key *leader);
void ordered_election_reset(struct ordered *o);
void ordered_election_timeout(struct ordered *o, struct effects *out);
void ordered_campaign(struct ordered *o, bool forced);
/* The record is durable: ask for votes, give the one that was asked for. */
void ordered_election_saved(struct ordered *o, struct effects *out);
void ordered_on_election(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message);
/* May this node stand for election? */
bool ordered_may_stand(const struct ordered *o);
/* Heard from a leader so lately that nobody else can have been elected. */
bool ordered_leader_is_heard(const struct ordered *o);

/* ---- leader.c ---- */

void ordered_lead(struct ordered *o, struct effects *out);
void ordered_leader_timer(struct ordered *o, struct effects *out);
time_ms ordered_leader_deadline(const struct ordered *o);
void ordered_heartbeat(struct ordered *o, struct effects *out);
void ordered_on_found_block(struct ordered *o, struct effects *out,
	const struct engine_block *block);
void ordered_on_reply(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message);
/* What may have come of a reply or a SAVED: commit, tell, seek, step down. */
void ordered_advance(struct ordered *o, struct effects *out);
void ordered_transfer(struct ordered *o, struct effects *out);
uint64_t ordered_quorum_round(const struct ordered *o);

/* ---- replicate.c ---- */

void ordered_peer_reset(struct peer *peer, uint64_t next, time_ms now);
/* True when an append with the commit of now went out. */
bool ordered_replicate(
	struct ordered *o, struct effects *out, struct peer *peer);
void ordered_peer_heartbeat(
	struct ordered *o, struct effects *out, struct peer *peer);
void ordered_peer_tell_commit(
	struct ordered *o, struct effects *out, struct peer *peer);
void ordered_peer_accepted(struct ordered *o, struct peer *peer,
	const struct ordered_message *reply);
void ordered_peer_rejected(struct ordered *o, struct peer *peer,
	const struct ordered_message *reply);

/* ---- follower.c ---- */

void ordered_on_append(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message,
	const struct engine_block *blocks, size_t count);
void ordered_on_snapshot(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message);
void ordered_on_found_state(
	struct ordered *o, struct effects *out, const struct event *event);
/* Say what is owed, if what it depends on is durable. */
void ordered_follower_reply(struct ordered *o, struct effects *out);

/* ---- read.c ---- */

void ordered_read(struct ordered *o, struct effects *out, uint64_t task);
void ordered_on_read(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message);
void ordered_on_read_reply(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message);
/* Begin and confirm rounds; a leader's. */
void ordered_reads_confirm(struct ordered *o, struct effects *out);
/* Answer those whose index is final. */
void ordered_reads_ready(struct ordered *o, struct effects *out);
/* Refuse those that wait for a leadership that is over. */
void ordered_reads_fail(struct ordered *o, struct effects *out);
void ordered_reads_expire(struct ordered *o, struct effects *out);
time_ms ordered_reads_deadline(const struct ordered *o);

/* ---- holds.c ---- */

bool ordered_holds(const void *state);

#endif
