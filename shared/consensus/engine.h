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

#include "contract/pow_rules.h"
#include "ledger/block.h"

enum {
	ENGINE_MEMBERS_MAX = 16,
	ENGINE_MESSAGE_MAX = 1024,
	ENGINE_FIELD_MAX = 64,   /* of a header */
	ENGINE_RECORD_MAX = 256, /* what an engine must remember: term, vote */
	ENGINE_ATTACH_MAX = 16,  /* blocks with one message */
	ENGINE_ATTACH_BYTES_MAX = 62000,
	ENGINE_SHELF_MAX = 400, /* blocks of one engine on the shelf */
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
	bool whole; /* the body is here, and what the header says */
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
	EVENT_VOUCHED,   /* a voter's checkpoint signature was verified */
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
			enum err err; /* ERR_OK: it is the tip */
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

/* What a peer can do wrong. X(NAME, word, sentence) */
#define ENGINE_FAULT_LIST(X)                                                   \
	X(ENCODING, "encoding", "a message that is none")                      \
	X(NONCE, "nonce", "its work is not below its target")                  \
	X(TARGET, "target", "not the target that follows from its parents")    \
	X(TIME, "time",                                                        \
		"not later than the median of eleven, or too far ahead")       \
	X(GENESIS, "genesis", "a chain of another genesis")                    \
	X(SIGNATURE, "signature", "not signed by its proposer")                \
	X(ROLE, "role", "its proposer is no miner of this network")            \
	X(INVALID, "invalid", "its transactions do not give what it says")     \
	X(CHECKPOINT, "checkpoint", "a branch from below a checkpoint")        \
	X(PARENT, "parent", "blocks whose parents nobody has")                 \
	X(WORK, "work", "a chain with too little work to be kept")             \
	X(STORM, "storm", "the same announced again and again")                \
	X(WITHHELD, "withheld", "announced and not given when asked for")

enum engine_fault {
#define X(name, word, text) ENGINE_FAULT_##name,
	ENGINE_FAULT_LIST(X)
#undef X
		ENGINE_FAULTS /* how many */
};
const char *engine_fault_name(enum engine_fault fault);
const char *engine_fault_text(enum engine_fault fault);

enum effect_type {
	EFFECT_SEND,   /* a message, with blocks from the log attached */
	EFFECT_SAVE,   /* make durable; answered by EVENT_SAVED */
	EFFECT_COMMIT, /* every block up to height is final; ascending */
	EFFECT_REVERT, /* undo every block above height, if there is one */
	EFFECT_TIMER,  /* wake me at; replaces the one before */
	EFFECT_SEEK,  /* make a block, or fetch a state; replaces the one before
		       */
	EFFECT_READY, /* answer to EVENT_READ: true at final height */
	/* Blocks that are not in the log lie on the replica's shelf, by hash:
	 * at most ENGINE_SHELF_MAX. */
	EFFECT_KEEP,
	EFFECT_DROP,
	EFFECT_CONNECT, /* execute a block of the shelf on the tip; answered by
			 * EVENT_CONNECTED after this list */
	EFFECT_SIGN,    /* this node's checkpoint signature is wanted, or wanted
			 * again */
	EFFECT_PROVE,   /* tell a peer who signed the final block */
	EFFECT_FAULT,   /* a peer did what it must not: to be logged */
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
			/* Instead: blocks of the shelf, 32 bytes each. */
			struct view hashes;
			bool headers; /* without their bodies */
		} send;
		struct {
			uint64_t task;      /* ascending by 1 */
			struct view record; /* empty: unchanged */
			/* Consecutive blocks; anything stored at or above the
			 * first one's height goes. Borrowed from the event; one
			 * with empty bytes is on the shelf. */
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
		struct {
			const struct engine_block *block; /* borrowed */
		} keep;
		struct {
			struct hash hash;
		} drop;
		struct {
			struct hash hash;
			uint64_t height;
		} connect;
		struct {
			uint64_t height;
			struct hash hash;
			struct hash state_root; /* of its header */
		} sign;
		struct {
			struct key to;
		} prove;
		struct {
			struct key from;
			enum engine_fault fault;
			uint64_t height; /* of the block it is about, or 0 */
			struct hash hash;
		} fault;
	};
};

struct effects {
	size_t count;
	struct effect items[EFFECTS_MAX];
	size_t scratch_used;
	uint8_t scratch[EFFECTS_MAX * ENGINE_MESSAGE_MAX / 4];
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

/* For engines: append a zeroed effect; CHECKs the bound. */
struct effect *effects_add(struct effects *effects, enum effect_type type);
/* Copy bytes into the scratch of this list. */
struct view effects_bytes(struct effects *effects, struct view bytes);
void effects_clear(struct effects *effects);

#endif
