/* consensus/pow/state.h -- the inside of the engine `pow`, for its own files.
 *
 * Headers first: a header is judged when it comes and hangs in the tree; bodies
 * are asked for along the best chain of headers; the best chain whose bodies
 * are here is connected. So three tips: that of the best headers, the best one
 * that could be connected (best), and the one that is (active).
 */
#ifndef PERCH_CONSENSUS_POW_STATE_H
#define PERCH_CONSENSUS_POW_STATE_H

#include "consensus/engine.h"
#include "consensus/pow/tree.h"
#include "gen/peer.h"

enum {
	POW_PEERS_MAX = ENGINE_MEMBERS_MAX,
	POW_REACH = 256, /* blocks that a reorganisation may undo */
	POW_AHEAD = 256, /* headers above the tip that are kept */
	POW_TREE_MAX = POW_REACH + POW_AHEAD + 512,
	POW_FUTURE_MS = 2 * 60 * 1000, /* a header's time, at most */
	POW_CONNECT_ROUND = 16, /* blocks connected before others have a turn */
	POW_SWEEP_ROUND = 32,
	POW_BODIES_MAX = ENGINE_SHELF_MAX - 32,
	POW_FETCH_MAX = 16,  /* bodies under way */
	POW_FETCH_MS = 2000, /* until another peer is asked */
	POW_SHUN_MS = 10000, /* a block that nobody gives is forgotten for */
	POW_SEEK_MS = 1000,
	POW_LOST_MS = 10000,  /* beside a signed block, without any */
	POW_TIP_MS_MIN = 250, /* between repetitions of the tip */
	POW_TIP_MS_MAX = 5000,
	POW_ORPHANS_MAX = 64, /* parentless headers of a peer in a row */
	POW_SECOND_MS = 1000,
	POW_LAG = 16, /* blocks beside depth that signatures are late by */
	POW_DOUBLINGS_MAX = 16, /* of the pause before a block is sought */
	POW_SAID_MAX = 200,     /* messages of a peer in a second */
	POW_GIVEN_MAX = 512,    /* blocks and headers for a peer in a second */
	POW_PLEDGES_MAX = 3,
	POW_VOTES_MAX = 32, /* signatures remembered of a voter */
};

enum pow_kind {
	POW_TIP = 1,
	POW_HEADERS,
	POW_SEEK,
	POW_GETDATA,
	POW_BODY,
	POW_ABSENT,
};

struct pow_checkpoint {
	uint64_t height; /* 0: none but the genesis */
	struct hash hash;
};

struct pow_peer {
	struct key key;
	bool used;
	bool behind;                  /* it said what has no place here */
	struct pow_checkpoint common; /* the last header that it gave */
	uint64_t final;               /* height that it said last */
	time_ms proved_at;            /* when it was last told who signed */
	uint64_t tip;                 /* height that it said last */
	time_ms seek_until;           /* an answer to a seek is awaited */
	uint32_t orphans;             /* in a row */
	time_ms second;               /* when these began */
	uint32_t said, given;
	time_ms told_at[ENGINE_FAULTS]; /* when a fault was last reported */
};

/* A block that this node signed and that is neither final nor refuted. */
struct pow_pledge {
	uint64_t height;
	struct hash hash;
	struct hash state_root;
	uint64_t task; /* SAVE that remembers it; 0: was said */
	bool kept;     /* so is the signature, which others may need */
};

struct pow_vote {
	uint64_t height;
	struct hash hash;
};

struct pow_votes {
	struct key key;
	size_t next;
	struct pow_vote items[POW_VOTES_MAX];
};

struct pow {
	struct engine_config config;
	size_t member_count;
	struct engine_member members[ENGINE_MEMBERS_MAX];
	struct pow_peer peers[POW_PEERS_MAX];
	time_ms now, wall;
	bool started;

	pow_at active; /* the tip of the chain */
	pow_at connecting;
	uint32_t round; /* blocks connected in this turn */
	bool again;     /* a turn is due at once */
	uint64_t seen;  /* blocks that became ready */
	size_t bodies;  /* on the shelf */
	bool dirty;     /* what is dead must be swept */
	uint64_t seek_task;
	struct hash sought; /* parent of the SEEK that stands */
	time_ms seek_at;    /* when it may stand; 0: it does */
	uint64_t random;    /* of this step */
	uint64_t reach;     /* the ledger cannot go back further */

	uint64_t save_task, saved_task;
	uint64_t certified_task; /* SAVE that remembers the checkpoint */
	bool record_dirty;
	struct engine_block saving; /* of this step's SAVE */

	uint64_t final;
	struct pow_checkpoint certified; /* on the chain, or on its way there */
	struct pow_checkpoint pending;   /* of a block not heard of yet */
	bool apart;        /* the saved record is of a block that is not here */
	time_ms astray_at; /* somebody's chain was not found to lead here; 0 */
	bool lost;         /* nor later, and no block came */
	bool replaying;    /* nothing is done any more */
	uint64_t signed_height;
	size_t pledge_count;
	struct pow_pledge pledges[POW_PLEDGES_MAX];
	struct pow_votes votes[ENGINE_MEMBERS_MAX];

	time_ms tip_at; /* when the tip is said again */
	struct engine_race race;
};

/* The tree follows the state in memory. */
enum { POW_STATE_BYTES = (sizeof(struct pow) + 15) / 16 * 16 };
static inline struct pow_tree *pow_tree_of(const struct pow *pow)
{
	return (struct pow_tree *)((uint8_t *)pow + POW_STATE_BYTES);
}
static inline struct pow_entry *pow_entry_of(const struct pow *pow, pow_at at)
{
	return pow_entry_at(pow_tree_of(pow), at);
}

/* ---- header.c: judging ---- */

/* The place of a block's header in the tree, where it is put if it is right.
 * 0: it has none; whose fault that is was counted. slot: of the peer. */
pow_at pow_accept(struct pow *pow, struct effects *out,
	const struct engine_block *block, int slot);
/* Where the tree has no place, one of less work than this makes some. */
bool pow_make_room(
	struct pow *pow, struct effects *out, const struct number *work);

/* ---- chain.c: choosing, connecting, sweeping ---- */

/* A body came: on the shelf with it. */
void pow_keep(struct pow *pow, struct effects *out, pow_at at,
	const struct engine_block *block);
/* Go on towards the best chain. */
void pow_advance(struct pow *pow, struct effects *out);
void pow_connected(
	struct pow *pow, struct effects *out, const struct event *event);
/* An invalid block, and all that stands on it. */
void pow_condemn(struct pow *pow, pow_at at);
void pow_drop_body(struct pow *pow, struct effects *out, pow_at at);
/* Free what can never be the chain any more, a bounded number. */
void pow_sweep(struct pow *pow, struct effects *out);
/* Whom the checkpoint excludes; to be called when it changed. */
void pow_mark_dead(struct pow *pow);
/* The block of most work among those whose headers are here, and those whose
 * bodies are. */
pow_at pow_best_header(const struct pow *pow);
pow_at pow_best_ready(const struct pow *pow);

/* ---- fetch.c: asking ---- */

void pow_fetch(struct pow *pow, struct effects *out);
/* Those who did not answer in time. */
void pow_expire(struct pow *pow, struct effects *out);
/* Ask peers whose words have no place here how they got there. */
void pow_seek(struct pow *pow, struct effects *out);

/* ---- message.c: saying and hearing ---- */

void pow_receive(
	struct pow *pow, struct effects *out, const struct event *event);
/* The tip, to one peer who may not have it, or to all of them. */
void pow_say_tip(struct pow *pow, struct effects *out, bool all);
void pow_send(struct pow *pow, struct effects *out, int slot,
	const struct pow_message *message);

/* ---- peer.c: who they are, and what they do wrong ---- */

int pow_peer_slot(struct pow *pow, const struct key *key); /* -1: no room */
void pow_follow_members(struct pow *pow);
bool pow_is_voter(const struct pow *pow, const struct key *key);
void pow_fault(struct pow *pow, struct effects *out, int slot,
	enum engine_fault fault, uint64_t height, const struct hash *hash);
/* Count a message, or blocks given; false: too many in this second. */
bool pow_may_say(struct pow *pow, struct effects *out, int slot);
bool pow_may_give(struct pow *pow, struct effects *out, int slot, size_t count);

/* ---- checkpoint.c: signing, and what is final ---- */

/* The record if it changed, and a block of the shelf if there is a hash. */
void pow_save(struct pow *pow, struct effects *out, uint64_t height,
	const struct hash *hash);
/* The height that is final, if the log has it. */
uint64_t pow_read_record(struct pow *pow, struct view record);
/* Pledge what is deep enough. */
void pow_pledge(struct pow *pow, struct effects *out);
/* Say what is remembered on disk by now. */
void pow_say_pledges(struct pow *pow, struct effects *out);
/* Again, now and then, until they are settled. */
void pow_repeat_pledges(struct pow *pow, struct effects *out);
void pow_vouched(
	struct pow *pow, struct effects *out, const struct event *event);
void pow_certified(struct pow *pow, struct effects *out, uint64_t height,
	const struct hash *hash);
/* Begin again with the blocks up to height. */
void pow_replay(struct pow *pow, struct effects *out, uint64_t height);
/* Somebody's chain, asked for from the root on, does not go through it. */
void pow_go_astray(struct pow *pow);
/* The chain has reached the checkpoint, perhaps. */
void pow_finalise(struct pow *pow, struct effects *out);

/* ---- holds.c ---- */
bool pow_holds(const void *state);

#endif
