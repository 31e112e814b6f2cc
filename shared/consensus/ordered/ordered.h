/* consensus/ordered/ordered.h -- the state of a Raft core, for its own files.
 *
 * RAFT = Ongaro, Ousterhout, "In Search of an Understandable Consensus
 * Algorithm (Extended Version)", 2014; ONGARO = his thesis, Stanford 2014.
 * A log entry is a block and its index is its height. The term of a block
 * stands in the engine field of its header, so the chain carries the log.
 *
 * Three heights tell the life of a block here: tip (in the log), durable (a
 * SAVE with it is done), final (known to be committed and durable here).
 */
#ifndef PERCH_CONSENSUS_ORDERED_ORDERED_H
#define PERCH_CONSENSUS_ORDERED_ORDERED_H

#include "consensus/engine.h"
#include "consensus/ordered/entries.h"
#include "gen/peer.h"

enum {
	ORDERED_WINDOW = 16,      /* unfinal blocks before a leader pauses */
	ORDERED_FLIGHTS_MAX = 16, /* appends on their way to one follower */
	ORDERED_BURST_MAX = 48,   /* effects before bulk sends wait */
	ORDERED_READS_MAX = 32,
	ORDERED_SAVES_MAX = 32,
	ORDERED_PEERS_MAX = ENGINE_MEMBERS_MAX + 1, /* with one that leaves */
};

/* Above this a term is nonsense; it keeps every sum inside a `height`. */
#define ORDERED_TERM_MAX ((uint64_t)1 << 52)

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
enum { ROLE_LEAVES = 0, ROLE_STANDBY = 1, ROLE_VOTER = 2 };

/* How a leader sends to one follower. */
enum peer_state {
	PEER_PROBE,     /* one append at a time until the logs meet */
	PEER_REPLICATE, /* many in flight; next runs ahead of match */
	PEER_SNAPSHOT,  /* what it needs is not in the log any more */
};

struct peer {
	struct key key;
	uint8_t role;
	bool voted; /* for this node, in the election at hand */
	enum peer_state state;
	bool waiting;         /* PROBE: one is on its way */
	uint64_t match;       /* durable there, and the same as here */
	uint64_t match_round; /* in which it said so */
	uint64_t next;        /* the next block to send */
	uint64_t told;        /* the commit it has been told */
	uint64_t round;       /* the newest it has answered */
	time_ms heard_at;
	uint32_t flight_first;
	uint32_t flight_count;
	uint64_t flights[ORDERED_FLIGHTS_MAX]; /* last height of each */
};

/* The members since the block at height. */
struct members {
	uint64_t height;
	size_t count;
	struct engine_member list[ENGINE_MEMBERS_MAX];
};

enum read_state {
	READ_WAITS,   /* for the next round */
	READ_ROUND,   /* for a majority to answer round */
	READ_FORWARD, /* for the leader's answer */
	READ_INDEXED, /* until what is final here reaches index */
};

struct read {
	enum read_state state;
	bool remote;     /* a follower asks: answer by message */
	struct key peer; /* who asks, or who was asked */
	uint64_t task;   /* of the EVENT_READ, or the follower's number */
	uint64_t id;     /* under which the leader was asked */
	uint64_t round;
	uint64_t index;
	time_ms until;
};

/* A SAVE under way: with it the log is durable up to tip. */
struct save {
	uint64_t task;
	uint64_t tip;
};

struct ordered {
	struct key self;
	time_ms election_ms;
	time_ms heartbeat_ms;
	time_ms now;     /* of the step at hand */
	uint64_t random; /* of the step at hand */
	bool started;

	/* What is in the record. */
	uint64_t term;
	bool has_vote;
	struct key vote;
	bool record_dirty;

	uint64_t save_task;   /* the newest */
	uint64_t saved_task;  /* the newest that is done */
	uint64_t record_task; /* the one with the record as it is now */
	uint32_t save_count;
	struct save saves[ORDERED_SAVES_MAX];

	uint64_t durable;
	uint64_t commit; /* known to be on a majority */
	uint64_t final;  /* min(commit, durable), as told to the driver */

	enum engine_role role; /* FOLLOWER, CANDIDATE or LEADER */
	bool has_leader;
	struct key leader;
	time_ms election_at;
	time_ms heard_at; /* the leader, last */
	time_ms timer_at; /* the TIMER that stands */

	struct members members;  /* in effect: the latest in the log */
	struct members previous; /* before that, should it be truncated */
	uint8_t self_role;
	size_t voter_count;

	/* Follower. */
	uint64_t verified; /* the same as in this term's leader's log */
	uint64_t acked;    /* and told so */
	bool owed;         /* an answer to the leader's latest message */
	bool owed_reject;
	uint64_t owed_height;
	uint64_t owed_term; /* what the leader has there */
	uint64_t owed_round;
	bool vote_owed; /* to o->vote */

	/* Candidate. */
	bool pre; /* asks whether an election could be won */
	bool asked;
	bool forced; /* told to by the leader (ONGARO §3.10) */

	/* Leader. */
	uint64_t term_start; /* its first own block */
	uint64_t round;
	time_ms heartbeat_at;
	bool transferring;
	struct key transfer_to;
	time_ms transfer_until;
	size_t peer_count;
	struct peer peers[ORDERED_PEERS_MAX];

	struct effect seek; /* the SEEK that stands, kind NONE if none */
	uint64_t seek_task;

	uint64_t read_id;
	size_t read_count;
	struct read reads[ORDERED_READS_MAX]; /* oldest first */

	struct entries entries; /* stays last */
};

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
