/* consensus/ordered/state.h -- all that a node of `ordered` knows.
 *
 * RAFT = Ongaro, Ousterhout, "In Search of an Understandable Consensus
 * Algorithm (Extended Version)", 2014; ONGARO = his thesis, Stanford 2014.
 * A log entry is a block and its index is its height. The term of a block
 * stands in the engine field of its header, so the chain carries the log.
 *
 * Three heights tell the life of a block here: tip (in the log), durable (a
 * SAVE with it is done), final (known to be committed and durable here).
 */
#ifndef PERCH_CONSENSUS_ORDERED_STATE_H
#define PERCH_CONSENSUS_ORDERED_STATE_H

#include "consensus/engine.h"
#include "consensus/ordered/entries.h"

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
	/* What was acknowledged and is lost: a log up to this height, and of at
	 * most this term at its end. */
	uint64_t forgotten;
	uint64_t forgotten_term;

	/* What is in the record. */
	uint64_t term;
	bool has_vote;
	struct key vote;
	uint64_t log_term; /* no block here was of a later one */
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

#endif
