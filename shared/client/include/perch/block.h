/* perch/block.h -- blocks as libperch hands them out: verified, and walked
 * without copying.
 *
 * A block that reaches you was checked: it follows the one before it by hash,
 * a known node proposed and signed it, and its transactions and receipts are
 * those that the signed header names.
 */
#ifndef PERCH_BLOCK_H
#define PERCH_BLOCK_H

#include <perch/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perch_block {
	unsigned chain;
	uint64_t height;
	struct perch_hash hash, parent;
	int64_t time;
	struct perch_key proposer;
	struct perch_hash state_root; /* after this block */
	size_t tx_count;
	const uint8_t *bytes; /* the encoded block */
	size_t size;
	uint64_t final_height; /* newest final height heard of */
};

/* The right to take off or land now: this aircraft, this pad, once, from the
 * block that holds it until `until`. */
struct perch_clearance {
	char aircraft[PERCH_NAME_MAX + 1];
	struct perch_key operator_key;
	enum perch_movement movement;
	uint64_t nonce; /* of the request that it answers */
	int64_t from, until;
};

/* What became of one operation. */
struct perch_outcome {
	uint8_t code; /* 0 granted; see perch_refusal_name */
	bool has_reservation;
	struct perch_id reservation; /* the one it made or changed */
	bool has_slot; /* of a granted reserve, amend, confirm, go_around ... */
	char port[PERCH_NAME_MAX + 1];
	struct perch_slot slot;
	uint32_t version;
	int state;          /* of the reservation, with has_slot or has_fact */
	int64_t until;      /* held: when it must be confirmed; or 0 */
	unsigned displaced; /* reservations that had to give way */
	bool has_clearance; /* of a granted clear; also has_slot */
	struct perch_clearance clearance;
	bool has_fact; /* of departed, landed and vacated; port and slot.pad */
	bool incursion, blocked;
	bool has_closed; /* of close_pad */
	unsigned ended, diverted, left;
	size_t conflict_count; /* of slot_taken: who is in the way ... */
	struct {
		struct perch_id reservation;
		struct perch_slot slot;
		int state;
		char operator_name[PERCH_NAME_MAX + 1]; /* empty: secret */
	} conflicts[3];
	size_t free_count; /* ... and the next free slots of that length */
	struct perch_slot free[3];
};

/* The stable word of a refusal ("slot_taken") and its sentence; language: "en"
 * or "ja". Never NULL. */
const char *perch_refusal_name(uint8_t code);
const char *perch_refusal_text(uint8_t code, const char *language);

struct perch_block_tx {
	struct perch_id id;
	struct perch_key wallet;
	struct perch_hash hash;
	int64_t valid_until;
	enum perch_mode mode;
	size_t op_count;
	uint8_t code; /* not 0: refused whole, no operation ran */
};

/* What an operation asked for; the fields that its kind has. */
enum perch_op_kind {
	PERCH_OP_RESERVE = 1,
	PERCH_OP_AMEND,
	PERCH_OP_CANCEL,
	PERCH_OP_RESERVATION,
	PERCH_OP_SET_NODE,
	PERCH_OP_CONFIRM,
	PERCH_OP_REQUEST_CLEARANCE,
	PERCH_OP_CLEAR,
	PERCH_OP_REVOKE,
	PERCH_OP_DEPARTED,
	PERCH_OP_LANDED,
	PERCH_OP_VACATED,
	PERCH_OP_GO_AROUND,
	PERCH_OP_DECLARE_EMERGENCY,
	PERCH_OP_GRANT_TIER,
	PERCH_OP_SET_PARTY,
	PERCH_OP_REGISTER_PARTY,
	PERCH_OP_REGISTER_PORT,
	PERCH_OP_CLOSE_PAD,
	PERCH_OP_OPEN_PAD,
};

struct perch_op {
	int kind; /* enum perch_op_kind, or one that this release has not */
	char port[PERCH_NAME_MAX + 1];
	struct perch_slot slot;
	char aircraft[PERCH_NAME_MAX + 1];
	enum perch_movement movement;
	struct perch_id reservation; /* zero: none is named */
	uint64_t nonce;              /* request_clearance, clear */
	uint32_t version;
	struct perch_node node; /* set_node */
	enum perch_node_role role;
	/* reserve: details for few (perch/details.h), borrowed from the block
	 */
	bool has_commitment;
	struct perch_hash commitment;
	const uint8_t *sealed;
	size_t sealed_size;
	struct perch_outcome outcome; /* code is tx.code if refused whole */
};

/* False when index is not below the count. */
bool perch_block_tx_at(const struct perch_block *block, size_t index,
	struct perch_block_tx *out);
bool perch_block_op_at(const struct perch_block *block, size_t tx_index,
	size_t op_index, struct perch_op *out);

#ifdef __cplusplus
}
#endif

#endif
