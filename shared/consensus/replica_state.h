/* consensus/replica_state.h -- the inside of a replica, for its own files. */
#ifndef PERCH_CONSENSUS_REPLICA_STATE_H
#define PERCH_CONSENSUS_REPLICA_STATE_H

#include "consensus/cache.h"
#include "consensus/certify.h"
#include "consensus/replica.h"
#include "consensus/shelf.h"

enum {
	REPLICA_MOVES_MAX = 32, /* unfinal blocks whose moves are kept */
	REPLICA_SAVES_MAX = 64, /* blocks in SAVEs of one call */
	REPLICA_SCRATCH = 64 * 1024,
	REPLICA_TIPS_MAX = 1024, /* unfinal blocks whose hash is kept */
	FORWARD_AGAIN_MS = 1000,
	REPOOL_TXS_MAX = 16 * BLOCK_TXS_MAX,
	REPOOL_BYTES_MAX = 16 * BLOCK_BYTES_MAX,
	FORWARD_STEP_MS = 20,
	FORWARD_BATCH_MAX = 128, /* transactions brought again at a time */
	BUILD_PENDING_MANY = 64, /* worth a second block in flight */
	BUILD_FLIGHT_MAX = 4,
	ANSWERED_MAX = 64,
	ANSWER_AGAIN_MS = 1000,
	TEMPLATE_NEXT_MS = 200,   /* for transactions that came since */
	TEMPLATE_STALE_MS = 1000, /* a header says when it was made */
};

/* What moved in an unfinal block, until it is final. */
struct block_moves {
	uint64_t height;
	struct moves moves;
};

/* A SEEK_BLOCK that stands. */
struct seek {
	bool stands;
	bool empty;
	bool member_free;
	uint64_t task;
	uint64_t height;
	uint8_t field[ENGINE_FIELD_MAX];
	size_t field_size;
};

/* A CONNECT that was carried out and is to be answered. */
struct connecting {
	bool asked;
	struct hash hash;
	enum err err;
};

/* A block whose nonce is being searched; undone, but for its bytes. */
struct template
{
	uint64_t task; /* of the last OUTPUT_MINE */
	bool stands;   /* the miners are at work on it */
	struct hash parent;
	time_ms made_at;
	uint64_t arrived; /* transactions that had come by then */
	size_t size;      /* of bytes */
	size_t header_at; /* in bytes */
	size_t header_size;
	size_t field_at; /* in the header */
	uint8_t bytes[BLOCK_BYTES_MAX];
};

/* A peer was told that another block was signed here at a height. */
struct answered {
	uint64_t height;
	struct key to;
	time_ms again_at;
};

struct replica {
	struct replica_config config;
	struct arena arena;
	struct state *state;
	struct chain *chain;
	struct mempool *pool;
	struct cache cache;
	struct shelf shelf; /* of an engine that mines */
	struct connecting connecting;
	struct answered answered[ANSWERED_MAX];
	struct template template;
	uint64_t arrived;       /* transactions that came to the pool so far */
	uint64_t worked_height; /* newest block with transactions */
	struct certify *certify;
	void *engine;
	bool engine_ready;
	uint64_t final;
	struct replica_head final_head;
	struct seek seek;
	uint64_t fetch_task; /* of the SEEK_STATE that stands, or 0 */
	struct tick tick;
	time_ms timer_at;        /* the engine's */
	time_ms forward_at;      /* when to bring waiting transactions again */
	uint64_t forward_cursor; /* up to where this was done */
	struct key forward_to;   /* the leader they were last brought to */
	struct view halt_bytes;
	bool halted;
	uint8_t *snapshot;
	size_t snapshot_size;
	uint64_t snapshot_height; /* 0: none waits to be final */
	struct hash snapshot_hash;
	uint8_t scratch[REPLICA_SCRATCH];
	size_t scratch_used;
	struct engine_block saves[REPLICA_SAVES_MAX];
	size_t save_count;
	struct engine_block received[ENGINE_ATTACH_MAX];
	struct effects effects;
	struct engine_status status;
	struct block body; /* one block decoded at a time */
	struct block_moves moves[REPLICA_MOVES_MAX];
};

/* ---- replica.c ---- */

/* Every public step begins so. */
void replica_begin(
	struct replica *replica, const struct tick *tick, struct outputs *out);
/* One event, and those that answer what it led to. */
void replica_step(
	struct replica *replica, struct event *event, struct outputs *out);

/* ---- replica_open.c: memory and the way to the tip ---- */

/* The engine begins after the genesis or the snapshot that was restored; field
 * is that of the snapshot's block. Once. */
void replica_engine_begin(struct replica *replica, struct view field);
/* The state is that after this block now: everything else follows it. */
void replica_install(struct replica *replica, const struct block_ref *block);

/* ---- replica_effect.c: what an engine wants ---- */

void replica_carry_out(struct replica *replica, const struct effect *effect,
	struct outputs *out);
/* Nothing is done any more; OUTPUT_HALT says why. */
void replica_halt(struct replica *replica, enum err err,
	const struct block_ref *block, struct outputs *out);

/* ---- replica_chain.c: blocks and the chain ---- */

/* Fill change from a block that makes one. */
enum err replica_open_block(const struct replica *replica,
	struct engine_block *out, struct view bytes);
/* Execute a block on the tip, unless the chain is there already. */
enum err replica_connect(struct replica *replica,
	const struct engine_block *block, struct outputs *out);
/* Blocks up to keep_to go on the shelf. */
void replica_revert(struct replica *replica, uint64_t height, uint64_t keep_to,
	struct outputs *out);
void replica_commit(
	struct replica *replica, uint64_t height, struct outputs *out);
/* Answer the standing SEEK if there is reason to. True: found is filled. */
bool replica_make(struct replica *replica, struct engine_block *found,
	struct outputs *out);
/* Keep the moves and the snapshot of the block on the tip. */
void replica_note_tip(struct replica *replica, const struct block_ref *block,
	struct outputs *out);
/* Its transactions wait no more. */
void replica_unpool(struct replica *replica, const struct block *body);
bool replica_is_voter(const struct replica *replica, const struct key *key);
/* A place for the moves of the block at height. */
struct moves *replica_moves(struct replica *replica, uint64_t height);
void replica_members(const struct replica *replica,
	struct engine_member members[ENGINE_MEMBERS_MAX], size_t *count);

struct output *outputs_add(struct outputs *out, enum output_type type);
/* Copy bytes to where they stand until the next call. */
struct view replica_keep(struct replica *replica, struct view bytes);

/* ---- replica_mine.c: an engine that mines ---- */

/* EFFECT_CONNECT: execute a block of the shelf; the answer waits in
 * replica->connecting. */
void replica_connect_kept(struct replica *replica, const struct effect *effect,
	struct outputs *out);
/* Give the miners what they should search now, if that is something else. */
void replica_template(struct replica *replica, struct outputs *out);

/* ---- replica_checkpoint.c ---- */

/* EFFECT_SIGN: this node's signature is wanted, or wanted again. */
void replica_sign(struct replica *replica, const struct effect *effect,
	struct outputs *out);

/* EFFECT_PROVE: say to a peer who signed the final block. */
void replica_prove(
	struct replica *replica, const struct key *to, struct outputs *out);

/* ---- replica_pool.c: waiting transactions ---- */

/* Bring one transaction to the leader, or to everybody in a mesh. */
void replica_forward(
	struct replica *replica, struct view tx, struct outputs *out);
/* Drop what can have no effect; bring again what waits too long. */
void replica_sweep(struct replica *replica, struct outputs *out);

#endif
