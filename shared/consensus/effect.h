/* consensus/effect.h -- what an engine asks for, in the order in which it must
 * be done, and the blocks and peers that it speaks of.
 */
#ifndef PERCH_CONSENSUS_EFFECT_H
#define PERCH_CONSENSUS_EFFECT_H

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
	/* The ledger cannot go back to where it must: this node begins again
	 * with the blocks up to height, and takes no step before. */
	EFFECT_REPLAY,
	EFFECT_TIMER, /* wake me at; replaces the one before */
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
			/* What is undone up to here goes on the shelf, if it is
			 * not there and still at hand. */
			uint64_t keep_to;
		} revert;
		struct {
			uint64_t height;
		} replay;
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

/* For engines: append a zeroed effect; CHECKs the bound. */
struct effect *effects_add(struct effects *effects, enum effect_type type);
/* Copy bytes into the scratch of this list. */
struct view effects_bytes(struct effects *effects, struct view bytes);
void effects_clear(struct effects *effects);

#endif
