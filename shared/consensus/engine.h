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

#include "ledger/block.h"

enum {
	ENGINE_MEMBERS_MAX = 16,
	ENGINE_MESSAGE_MAX = 1024,
	ENGINE_FIELD_MAX = 64,   /* of a header */
	ENGINE_RECORD_MAX = 256, /* what an engine must remember: term, vote */
	ENGINE_ATTACH_MAX = 16,  /* blocks with one message */
	ENGINE_ATTACH_BYTES_MAX = 62000,
	EFFECTS_MAX = 128,
};

enum engine_role {
	ENGINE_FOLLOWER,
	ENGINE_CANDIDATE,
	ENGINE_LEADER,
	ENGINE_STANDBY,
	ENGINE_MINER,
};

/* A participant of the order. role as in op_set_node: 1 stand-by, 2 voter. */
struct engine_member {
	struct key key;
	uint8_t role;
};

/* A block, and the change of members that it makes (role 0: leaves). */
struct engine_block {
	struct block_ref ref;
	bool has_change;
	struct engine_member change;
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
};

struct event {
	enum event_type type;
	time_ms now;     /* monotonic */
	uint64_t random; /* 64 fresh bits from the driver */
	union {
		struct {
			struct view record; /* empty at the first start */
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
	};
};

enum effect_type {
	EFFECT_SEND,   /* a message, with blocks from the log attached */
	EFFECT_SAVE,   /* make durable; answered by EVENT_SAVED */
	EFFECT_COMMIT, /* every block up to height is final; ascending */
	EFFECT_REVERT, /* undo every block above height, if there is one */
	EFFECT_TIMER,  /* wake me at; replaces the one before */
	EFFECT_SEEK,  /* make a block, or fetch a state; replaces the one before
		       */
	EFFECT_READY, /* answer to EVENT_READ: true at final height */
};

enum seek_kind {
	SEEK_NONE,  /* stop seeking */
	SEEK_BLOCK, /* a block on parent; stands until found or replaced */
	SEEK_STATE, /* the state after block height, from peer */
};

struct effect {
	enum effect_type type;
	union {
		struct {
			bool broadcast; /* to every other member */
			struct key to;
			struct view message;  /* in effects.scratch */
			uint64_t blocks_from; /* heights in the log */
			uint32_t block_count;
		} send;
		struct {
			uint64_t task;      /* ascending by 1 */
			struct view record; /* empty: unchanged */
			/* Consecutive blocks; anything stored at or above the
			 * first one's height goes. Borrowed from the event. */
			const struct engine_block *blocks;
			size_t block_count;
		} save;
		struct {
			uint64_t height;
		} commit;
		struct {
			uint64_t height;
		} revert;
		struct {
			time_ms at;
		} timer;
		struct {
			enum seek_kind kind;
			uint64_t task;
			uint64_t height;
			/* The parent, or the block of the state (zero: not
			 * known, any). */
			struct hash hash;
			struct key peer; /* SEEK_STATE: who has it */
			uint8_t field[ENGINE_FIELD_MAX];
			size_t field_size;
			bool empty;       /* an empty block is wanted at once */
			bool member_free; /* a change of members may go in */
		} seek;
		struct {
			uint64_t task;
			bool ok; /* false: not the leader any more; ask again */
			uint64_t height;
		} ready;
	};
};

struct effects {
	size_t count;
	struct effect items[EFFECTS_MAX];
	size_t scratch_used;
	uint8_t scratch[EFFECTS_MAX * ENGINE_MESSAGE_MAX / 4];
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
};

struct engine_ops {
	const char *name; /* "ordered" */
	uint8_t chain;    /* number on the wire */
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

/* For engines: append a zeroed effect; CHECKs the bound. */
struct effect *effects_add(struct effects *effects, enum effect_type type);
/* Copy bytes into the scratch of this list. */
struct view effects_bytes(struct effects *effects, struct view bytes);
void effects_clear(struct effects *effects);

#endif
