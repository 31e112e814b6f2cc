/* consensus/engine.h -- what a consensus engine is: event in, effects out.
 *
 * An engine opens nothing, reads no clock, draws no random of its own and
 * allocates nothing: its state is `size` bytes of the caller's, and the same
 * events always give the same effects. It orders blocks but never looks into
 * them. A new engine is a folder here with one constant table.
 *
 * The order of the list of effects is the rule: what depends on a SAVE is only
 * said after the EVENT_SAVED that answers it; a SEND that does not depend on it
 * (a leader's own append) stands before it, so network and disk work at once.
 */
#ifndef PERCH_CONSENSUS_ENGINE_H
#define PERCH_CONSENSUS_ENGINE_H

#include "consensus/effect.h"
#include "contract/pow_rules.h"

enum engine_role {
	ENGINE_FOLLOWER,
	ENGINE_CANDIDATE,
	ENGINE_LEADER,
	ENGINE_STANDBY,
	ENGINE_MINER,
};

struct engine_config {
	struct key self;
	size_t member_count;
	struct engine_member members[ENGINE_MEMBERS_MAX]; /* at base_height */
	/* What the log begins after: the genesis (height 0, hash = network id,
	 * empty field) or a snapshot's block. */
	uint64_t base_height;
	struct hash base_hash;
	struct view base_field; /* engine field of the header at base_height */
	time_ms election_ms;    /* timeouts are drawn from [this, 2 * this) */
	time_ms heartbeat_ms;
	/* A repaired log lacks blocks that were acknowledged up to here, and
	 * others count on them: until they are back no vote, but for one that
	 * has them for certain. 0: none. */
	uint64_t forgotten_height;
	struct hash network;
	time_ms base_time;    /* of the block at base_height */
	size_t signers;       /* whose signatures make a block final; 0: the
			       * majority of voters */
	struct pow_rules pow; /* for an engine that mines */
};

enum event_type {
	EVENT_START, /* once, after restore; record as it was last saved */
	EVENT_TIMER, /* the time asked for has come (or gone) */
	/* A message from an authenticated node: a member, or one that the
	 * driver has reason to admit (it joined by blocks that are not here
	 * yet). */
	EVENT_RECEIVE,
	EVENT_SUBMIT,   /* transactions wait */
	EVENT_SAVED,    /* SAVE effects up to and with task are durable */
	EVENT_FOUND,    /* an answer to SEEK */
	EVENT_READ,     /* confirm that what is final here is not old */
	EVENT_FORGOT,   /* the log now begins after height: a state that is here
			 */
	EVENT_TRANSFER, /* hand over leadership if there is one to hand over */
	EVENT_CONNECTED, /* what became of a CONNECT: at once, before all else
			  */
	EVENT_VOUCHED,   /* a voter's checkpoint signature was verified, or this
			  * node's own is durable */
	EVENT_CERTIFIED, /* enough voters have signed: this block is final */
};

struct event {
	enum event_type type;
	time_ms now;     /* monotonic */
	time_ms wall;    /* UTC, to judge the time of blocks of others */
	uint64_t random; /* 64 fresh bits from the driver */
	union {
		struct {
			struct view record; /* empty at the first start */
			uint64_t reach;     /* as below */
		} start;
		struct {
			struct key from;
			struct view message;
			const struct engine_block *blocks; /* borrowed */
			size_t block_count;
		} receive;
		struct {
			uint64_t pending;
		} submit;
		struct {
			uint64_t task;
		} saved;
		struct {
			uint64_t task;
			const struct engine_block *block;
			/* SEEK_STATE: who takes part after that block. The
			 * state is already in place here; durable once the
			 * SAVE that follows is. */
			const struct engine_member *members;
			size_t member_count;
		} found;
		struct {
			uint64_t task;
		} read;
		struct {
			uint64_t height;
		} forgot;
		struct {
			struct hash hash;
			enum err err; /* ERR_OK: it is the tip;
				       * ERR_NOT_FOUND: not on the shelf */
			/* The lowest height that the ledger can go back to. */
			uint64_t reach;
			/* Who takes part after it. */
			const struct engine_member *members;
			size_t member_count;
		} connected;
		struct {
			struct key key;
			uint64_t height;
			struct hash hash;
		} vouched;
		struct {
			uint64_t height;
			struct hash hash;
		} certified;
	};
};

/* Of an engine that mines. */
struct engine_race {
	uint32_t bits;      /* target of the next block */
	uint8_t work[32];   /* of the chain, a number, big end first */
	uint64_t branches;  /* tips beside the chain's that are kept */
	uint64_t reverts;   /* reorganisations so far */
	uint64_t deepest;   /* blocks undone by one of them */
	uint64_t announced; /* headers said to others */
	uint64_t sent;      /* bodies given */
	uint64_t spared;    /* not given or asked for: they were there */
	uint64_t doubled;   /* came although they were here */
	uint64_t faults[ENGINE_FAULTS];
};

struct engine_status {
	enum engine_role role;
	uint64_t term;
	bool has_leader;
	struct key leader;
	uint64_t tip;
	uint64_t final;
	size_t member_count;
	struct engine_member members[ENGINE_MEMBERS_MAX];
	struct engine_race race;
};

struct engine_ops {
	const char *name; /* "ordered" */
	uint8_t chain;    /* number on the wire */
	bool mines;       /* SEEK_BLOCK is answered by miners, with work */
	size_t size;
	void (*init)(void *state, const struct engine_config *config);
	/* A block of the log, in order, before EVENT_START. */
	void (*restore)(void *state, const struct engine_block *block);
	void (*step)(
		void *state, struct effects *out, const struct event *event);
	/* Every invariant of the state; false is a bug. */
	bool (*holds)(const void *state);
	void (*status)(const void *state, struct engine_status *out);
};

/* Every engine of the build (generated from the folders); NULL ends the list.
 */
extern const struct engine_ops *const engines[];
const struct engine_ops *engine_find(const char *name);

#endif
