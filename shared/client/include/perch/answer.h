/* perch/answer.h -- what nodes and the evaluator answer, and what they publish.
 */
#ifndef PERCH_ANSWER_H
#define PERCH_ANSWER_H

#include <perch/block.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How far a transaction has come. A status is never higher than what a node
 * said; PERCH_UNKNOWN says nothing either way. */
enum perch_status {
	PERCH_UNKNOWN,
	PERCH_RECEIVED, /* a node has it on disk */
	PERCH_ORDERED,  /* in a block */
	PERCH_FINAL,    /* cannot be undone */
};

/* "final"; never NULL. */
const char *perch_status_name(enum perch_status status);

/* ---- a node's answers ---- */

struct perch_head {
	unsigned chain;
	uint64_t height, final_height;
	struct perch_hash hash, final_hash, state_root;
	int64_t time;
	uint64_t first_height; /* oldest block that this node still has */
};

/* An answer of perch_blocks: final blocks, bytes only, not verified: use
 * perch_follow for a verified stream. */
struct perch_blocks {
	unsigned chain;
	uint64_t final_height;
	size_t count;
	struct {
		const uint8_t *bytes;
		size_t size;
	} blocks[256];
};

struct perch_peers {
	size_t count;
	struct {
		struct perch_node node;
		int role; /* enum perch_node_role */
		bool up;
	} peers[PERCH_NODES_MAX];
};

/* Something that only some engines have: "hash_rate", hashes a second. */
struct perch_number {
	char name[PERCH_NAME_MAX + 1];
	uint64_t value;
};

enum { PERCH_NUMBERS_MAX = 32 };
struct perch_chain_status {
	unsigned chain;
	uint64_t height, final_height;
	struct perch_hash hash, final_hash, state_root;
	int64_t time;
	size_t recent_count;
	struct perch_hash recent[16]; /* last blocks, oldest first */
	size_t number_count;
	struct perch_number numbers[PERCH_NUMBERS_MAX];
};

/* role: 0 follower, 1 candidate, 2 leader, 3 stand-by, 4 miner. */
struct perch_node_status {
	char name[PERCH_NAME_MAX + 1];
	struct perch_key key;
	char release[PERCH_NAME_MAX + 1];
	int role;
	uint64_t term;
	bool has_leader;
	struct perch_key leader;
	size_t chain_count;
	struct perch_chain_status chains[2];
	unsigned mempool, peers;
	int64_t time, uptime;
	uint64_t sent, sent_bytes; /* to other nodes, since the start */
};

/* A part of a snapshot. */
struct perch_state_chunk {
	unsigned chain;
	uint64_t height, total, offset;
	const uint8_t *header; /* at offset 0 */
	size_t header_size;
	const uint8_t *signature;
	size_t signature_size;
	const uint8_t *bytes;
	size_t size;
};

/* ---- the evaluator's answers; each names what it was read from ---- */

struct perch_as_of {
	unsigned chain;
	uint64_t height; /* final */
	struct perch_hash hash, state_root;
	int64_t time;
};

struct perch_inquire {
	struct perch_as_of as_of;
	size_t free_count;
	char free[PERCH_PADS_MAX][PERCH_NAME_MAX + 1];
	size_t count; /* reservations in the way */
	struct perch_reservation reservations[64];
};

struct perch_timetable {
	struct perch_as_of as_of;
	struct perch_port port;
	bool more; /* ask again from the last start, skip what you have */
	size_t count;
	struct perch_reservation reservations[64];
};

/* One move along the table of states. */
struct perch_move {
	uint64_t sequence, height;
	int64_t time;
	int from, to; /* enum perch_reservation_state */
	int cause;    /* enum perch_op_kind, or 0 for time */
	struct perch_reservation reservation; /* as it was after the move */
};

struct perch_history {
	struct perch_as_of as_of;
	bool more; /* ask again after the last sequence */
	size_t count;
	struct perch_move moves[64];
};

struct perch_ports {
	struct perch_as_of as_of;
	size_t count;
	struct perch_port ports[256];
};

/* A port's record as proved by the header of a final block: checked up to the
 * header's signature by a known node. */
enum { PERCH_BUCKETS = 256 };

struct perch_proof {
	uint64_t height;
	int64_t time;
	struct perch_hash hash, state_root;
	struct perch_port port;
	struct perch_hash buckets[PERCH_BUCKETS]; /* of its live reservations */
};

/* PERCH_OK when these are exactly the port's live reservations at the proof's
 * height: none is missing, added or changed; else PERCH_ERR_ROOT. At most
 * PERCH_PROOF_MAX (else PERCH_ERR_FULL). */
enum { PERCH_PROOF_MAX = 65536 };
enum perch_err perch_proof_check(const struct perch_proof *proof,
	const struct perch_reservation *reservations, size_t count);

/* ---- hints from topics: never a basis for a decision ---- */

struct perch_tx_hint {
	unsigned chain;
	size_t count;
	struct {
		struct perch_key wallet;
		struct perch_id id;
		enum perch_status status;
		uint64_t height;
		uint8_t code;
	} steps[256];
};

struct perch_chain_hint {
	unsigned chain;
	int event; /* 1 connected to the tip, 2 disconnected, 3 final */
	uint64_t height;
	struct perch_hash hash, parent;
};

/* Moves in a final block, as its publisher says. */
struct perch_slot_hint {
	unsigned chain;
	uint64_t height;
	int64_t time;
	size_t count;
	struct perch_move moves[64];
};

#ifdef __cplusplus
}
#endif

#endif
