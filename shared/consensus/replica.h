/* consensus/replica.h -- one node without its senses: engine, chain, mempool.
 *
 * Carries out what an engine asks of the ledger (build a block, execute, undo,
 * finalise) and passes on what needs a world (send, save, wake me). The node
 * and the simulator drive the same replica, so what is simulated is what runs.
 * Pure: no I/O, clock, thread or allocation; memory is the caller's.
 */
#ifndef PERCH_CONSENSUS_REPLICA_H
#define PERCH_CONSENSUS_REPLICA_H

#include "consensus/engine.h"
#include "contract/chain.h"
#include "ledger/checkpoint.h"

struct replica; /* opaque */

struct replica_limits {
	const struct state_limits *state;
	size_t journal_bytes; /* a power of two, >= CHAIN_JOURNAL_BYTES_MIN */
	size_t cache_bytes;   /* of recent blocks, a power of two, >= 1 MiB */
	uint32_t mempool_txs_max;
	size_t mempool_bytes_max;
	uint64_t snapshot_every; /* blocks between snapshots; 0: never */
	size_t certify_heights;  /* whose signatures are gathered */
	size_t snapshot_bytes_max;
};
extern const struct replica_limits replica_limits_default;
extern const struct replica_limits replica_limits_small;

enum replica_mine {
	MINE_ALWAYS,
	MINE_DEMAND, /* while transactions wait or are not final yet */
	MINE_NEVER,
};

struct replica_config {
	const struct engine_ops *engine;
	const struct genesis *genesis; /* borrowed for life */
	const struct keypair *self;    /* borrowed for life */
	struct replica_limits limits;
	time_ms election_ms, heartbeat_ms;
	time_ms skew_ms; /* a live block's time may be this far ahead */
	uint64_t forgotten_height; /* see engine_config */
	bool mesh; /* transactions go to every member, not the leader alone */
	enum replica_mine mine; /* of an engine that mines */
};

size_t replica_bytes(const struct replica_config *config);
/* memory: zeroed (calloc or mmap), replica_bytes. ERR_CONFIG, ERR_FULL from
 * the genesis. */
MUST_CHECK enum err replica_init(struct replica **out, void *memory,
	const struct replica_config *config);

/* ---- starting: snapshot if there is one, blocks in order, start ---- */
MUST_CHECK enum err replica_restore_snapshot(struct replica *replica,
	const struct block_ref *block, struct view bytes);
MUST_CHECK enum err replica_restore_block(
	struct replica *replica, struct view bytes);

/* What the driver must do, in this order. Views are valid until the next call
 * of any replica function that steps. */
enum output_type {
	OUTPUT_SEND,    /* a relay message to one member */
	OUTPUT_FORWARD, /* transactions to one member */
	OUTPUT_SAVE,    /* blocks and record to the log; answer replica_saved */
	OUTPUT_TIMER,
	OUTPUT_FETCH,      /* a snapshot from a peer; answer replica_fetched */
	OUTPUT_ORDERED,    /* a block is on the tip */
	OUTPUT_REVERTED,   /* blocks above height are off the chain */
	OUTPUT_FINAL,      /* a block is final: tell the world */
	OUTPUT_SNAPSHOT,   /* keep these bytes: the state after block height */
	OUTPUT_READY,      /* a read is confirmed (or not) */
	OUTPUT_MEMBERS,    /* the members changed: see replica_status */
	OUTPUT_CHECKPOINT, /* message `checkpoint` to one member */
	OUTPUT_CERTIFIED,  /* a certificate: M of N have signed a block */
	OUTPUT_EVIDENCE,   /* a double_signing: keep it, and raise alarm */
	OUTPUT_HALT, /* this node must stop: a block it must hold is invalid */
	/* Begin again, as after a restart, with a log that ends at height. */
	OUTPUT_REPLAY,
	/* Search: bytes is a header whose engine field, at `field` of it, wants
	 * a nonce; answer replica_mined. Empty bytes: stop. Replaces the one
	 * before. */
	OUTPUT_MINE,
	OUTPUT_SIGN,  /* this node's checkpoint signature is wanted; hash zero:
		       * the one that was made at that height, if any */
	OUTPUT_FAULT, /* a peer did what it must not: log it */
};

struct output {
	enum output_type type;
	/* ORDERED, REVERTED, FINAL, SNAPSHOT, FETCH, READY, SIGN, FAULT,
	 * CHECKPOINT, CERTIFIED, EVIDENCE, REPLAY */
	uint64_t height;
	uint64_t task;        /* SAVE, FETCH, READY, MINE */
	struct key to;        /* SEND, FORWARD, FETCH, CHECKPOINT; FAULT,
				 EVIDENCE: whose */
	struct view message;  /* SEND: the engine's; SAVE: record */
	uint64_t blocks_from; /* SEND: heights to attach */
	uint32_t block_count;
	struct view hashes; /* SEND: or those of the shelf, 32 bytes each */
	bool headers;       /* SEND: attach them without their bodies */
	size_t field;       /* MINE: where the engine field stands */
	uint32_t bits;      /* MINE: the target, in compact form */
	enum engine_fault fault;           /* FAULT */
	struct hash hash;                  /* SIGN, FAULT */
	struct hash state_root;            /* SIGN */
	time_ms at;                        /* TIMER */
	bool ok;                           /* READY */
	enum err err;                      /* HALT */
	struct block_ref block;            /* ORDERED, FINAL, SNAPSHOT, HALT */
	const struct engine_block *blocks; /* SAVE: block_count of them */
	/* SNAPSHOT; FORWARD: one transaction; CHECKPOINT: the message;
	 * CERTIFIED: the certificate, block.hash is whose; EVIDENCE */
	struct view bytes;
	const struct moves *moves; /* FINAL: NULL when they are not known */
};

enum { OUTPUTS_MAX = 512 };
struct outputs {
	size_t count;
	struct output items[OUTPUTS_MAX];
};

/* Every call below first clears outputs, then fills it. */
struct tick {
	time_ms now;  /* monotonic */
	time_ms wall; /* UTC, for block time */
	uint64_t random;
};
void replica_start(struct replica *replica, const struct tick *tick,
	struct view record, struct outputs *out);
void replica_timer(
	struct replica *replica, const struct tick *tick, struct outputs *out);
/* A relay message: ERR_* when it is refused (malformed, too far in the future)
 * and the sender is at fault; nothing has changed then. */
MUST_CHECK enum err replica_receive(struct replica *replica,
	const struct tick *tick, const struct key *from, struct view message,
	const struct view *blocks, size_t block_count, struct outputs *out);
void replica_saved(struct replica *replica, const struct tick *tick,
	uint64_t task, struct outputs *out);
/* The task of the FETCH that is wanted, or 0: the only one whose answer may be
 * given to replica_fetched. */
uint64_t replica_fetching(const struct replica *replica);
/* ERR_ROOT, ERR_ENCODING, ERR_FULL: the bytes are not the state of that block;
 * this node must stop, and starts again from its log. */
void replica_fetched(struct replica *replica, const struct tick *tick,
	uint64_t task, const struct block_ref *block, struct view bytes,
	struct outputs *out);
void replica_read(struct replica *replica, const struct tick *tick,
	uint64_t task, struct outputs *out);
void replica_transfer(
	struct replica *replica, const struct tick *tick, struct outputs *out);
/* The log on disk now begins after height. */
void replica_forgot(struct replica *replica, const struct tick *tick,
	uint64_t height, struct outputs *out);
/* A miner found a nonce for the header of this task. False: it is not below the
 * target. One for a task that was replaced changes nothing. */
bool replica_mined(struct replica *replica, const struct tick *tick,
	uint64_t task, uint64_t extra, uint32_t nonce, struct outputs *out);
/* A transaction whose signature was verified. ERR_OK: it waits for a block (or
 * has been in one: see replica_fate). ERR_EXISTS: the same content is known.
 * ERR_REPLAY, ERR_EXPIRED, ERR_BUSY: refused. local: a client of this node sent
 * it. Blocks are not built here: see replica_build. */
MUST_CHECK enum err replica_submit(struct replica *replica,
	const struct tick *tick, const struct tx_view *tx, bool local,
	struct outputs *out);
/* Build blocks from what waits, if this node may: called once after a batch of
 * submissions, so that a batch makes one block. */
void replica_build(
	struct replica *replica, const struct tick *tick, struct outputs *out);

/* ---- checkpoints ---- */

/* Message `checkpoint` from a peer: verified and gathered. ERR_ENCODING,
 * ERR_LENGTH, ERR_NETWORK (chain), ERR_SIGNATURE: the sender is at fault. */
MUST_CHECK enum err replica_checkpoint(struct replica *replica,
	const struct tick *tick, const struct key *from, struct view message,
	struct outputs *out);
/* What this node signed itself; it is durable that it does. */
void replica_signed(struct replica *replica, const struct tick *tick,
	const struct signed_checkpoint *own, struct outputs *out);
/* That signature is durable: whoever asks for it later will have it. */
void replica_signed_kept(struct replica *replica, const struct tick *tick,
	const struct signed_checkpoint *own, struct outputs *out);
/* A certificate that was kept: its signatures are gathered again. */
MUST_CHECK enum err replica_certificate(struct replica *replica,
	const struct tick *tick, struct view bytes, struct outputs *out);
/* A certificate of this is wanted: OUTPUT_CERTIFIED, now or when enough have
 * signed. strict: enough, if there are, of the genesis' signers, too. */
void replica_certify(struct replica *replica, const struct tick *tick,
	const struct checkpoint_statement *statement, bool strict,
	struct outputs *out);
/* What was gathered of a height, one after another; cursor starts at 0. */
bool replica_checkpoint_next(const struct replica *replica, uint64_t height,
	size_t *cursor, struct signed_checkpoint *out);
/* Who signs now, and how many are needed. */
void replica_signers(const struct replica *replica, struct signers *out);

/* ---- looking ---- */
void replica_status(const struct replica *replica, struct engine_status *out);
const struct chain *replica_chain(const struct replica *replica);
uint64_t replica_final(const struct replica *replica);
/* The final block and the state after it; the genesis at height 0. */
struct replica_head {
	struct chain_tip tip;
	struct hash state_root;
};
void replica_final_head(
	const struct replica *replica, struct replica_head *out);
struct mempool *replica_mempool(struct replica *replica);
/* A recent block's bytes from the cache (valid until the next step). */
bool replica_block(
	const struct replica *replica, uint64_t height, struct view *bytes);
/* A block of the shelf by its hash (valid until the next step). */
bool replica_shelf(const struct replica *replica, const struct hash *hash,
	struct view *bytes);
/* The block's header and signature as a block with an empty body; out holds
 * REPLICA_HEADER_MAX bytes. Returns the size. */
enum { REPLICA_HEADER_MAX = 512 };
size_t replica_header_only(uint8_t *out, struct view block);
/* What is known of (wallet, id) without the index: true fills out, status as
 * in fate: 1 waits here, 2 in a block, 3 in a final one. */
struct replica_fate {
	uint8_t status;
	struct hash tx;
	uint64_t height;
	uint16_t index;
};
bool replica_fate(const struct replica *replica, const struct key *wallet,
	const struct id *id, struct replica_fate *out);
/* Every invariant: the engine's, and chain against engine. */
bool replica_holds(const struct replica *replica);

#endif
