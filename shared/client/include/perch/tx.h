/* perch/tx.h -- build what a wallet signs.
 *
 * A transaction is a plain value of fixed size. Start it, add 1 to 64
 * operations, hand it to perch_submit. It is signed once, whatever it holds:
 *
 *	struct perch_tx tx;
 *	struct perch_reserve landing = {
 *		.port = "haneda", .pad = "a",
 *		.start = perch_now() + 600000, .end = perch_now() + 900000,
 *	};
 *	perch_tx_start(&tx, PERCH_ALL);
 *	if (perch_tx_reserve(&tx, &landing) != PERCH_OK)
 *		...
 *
 * Its id is drawn when it is started. The id and the wallet's key together are
 * the idempotency key: sent twice, it has one effect, and its fate can be asked
 * for at any time, from any node.
 */
#ifndef PERCH_TX_H
#define PERCH_TX_H

#include <perch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum perch_mode {
	PERCH_ALL,  /* every operation or none */
	PERCH_EACH, /* one by one: a refused one does not touch the others */
};

enum { PERCH_VALID_MS = 60000, PERCH_OP_BYTES_MAX = 1280 };

struct perch_tx {
	struct perch_id id;
	int64_t valid_until; /* 0: 60 s from when it is signed */
	enum perch_mode mode;
	unsigned pairs; /* used so far */
	size_t op_count;
	struct {
		uint8_t kind;
		uint16_t size;
		uint8_t body[PERCH_OP_BYTES_MAX];
	} ops[PERCH_OPS_MAX];
};

/* Every function below: PERCH_ERR_FULL after 64 operations, PERCH_ERR_LENGTH
 * for a name that is missing or too long, PERCH_ERR_ENCODING for a name outside
 * [a-zA-Z0-9_-] (aircraft: any UTF-8), PERCH_ERR_TIME for a time outside 1970
 * to 2100. On an error the transaction is as it was. */

/* Empty, with a random id. */
void perch_tx_start(struct perch_tx *tx, enum perch_mode mode);

enum perch_movement { PERCH_ANY, PERCH_DEPARTURE, PERCH_ARRIVAL };

struct perch_reserve {
	const char *port, *pad;
	int64_t start, end;
	const char *aircraft; /* serial number; NULL or "": none */
	enum perch_movement movement;
	bool wait;     /* on the waiting list, if it is taken; not of a pair */
	unsigned tier; /* granted by the authority; displaces lower ones */
	const char *alternate_port; /* NULL: none */
	const char *alternate_pad;
	/* Details that are told to few: their hash, and they themselves, sealed
	 * (perch/details.h). NULL: none. */
	const struct perch_hash *commitment;
	const void *sealed;
	size_t sealed_size;
};
enum perch_err perch_tx_reserve(
	struct perch_tx *tx, const struct perch_reserve *reserve);

/* Take-off here and landing there: both or neither, and linked for life. The
 * movements are set by this function. */
enum perch_err perch_tx_pair(struct perch_tx *tx,
	const struct perch_reserve *departure,
	const struct perch_reserve *arrival);

/* The port's first free pad, from now, for the port's usual duration. */
enum perch_err perch_tx_reservation(struct perch_tx *tx, const char *port);

/* version: as it was read, so that two amends do not overwrite each other. If
 * it is refused, the old reservation stays. */
enum perch_err perch_tx_amend(struct perch_tx *tx, const struct perch_id *id,
	uint32_t version, const char *pad, int64_t start, int64_t end);

enum perch_err perch_tx_cancel(struct perch_tx *tx, const struct perch_id *id);

/* Keep what is held, and the other half of its pair. */
enum perch_err perch_tx_confirm(
	struct perch_tx *tx, const struct perch_id *id, uint32_t version);

/* nonce: greater than every one before of this reservation; perch_now() is.
 * aircraft: needed when the reservation names none; else NULL. */
enum perch_err perch_tx_request_clearance(struct perch_tx *tx,
	const struct perch_id *id, uint64_t nonce, const char *aircraft);

/* An arrival does not land: this window instead, or (port NULL) its alternate;
 * when neither is free it becomes contingent. */
enum perch_err perch_tx_go_around(struct perch_tx *tx,
	const struct perch_id *id, const char *port, const char *pad,
	int64_t start, int64_t end);

/* Nothing else is needed. port and pad: where it wants to be, or NULL. */
enum perch_err perch_tx_declare_emergency(struct perch_tx *tx,
	const struct perch_id *id, const char *port, const char *pad);

enum perch_node_role { PERCH_NODE_NONE, PERCH_NODE_STANDBY, PERCH_NODE_VOTER };

/* For the authority: add, change or remove (role PERCH_NODE_NONE) a node. */
enum perch_err perch_tx_set_node(struct perch_tx *tx,
	const struct perch_node *node, enum perch_node_role role,
	const char *peer_endpoint);

/* A random id, for those who keep their own. */
struct perch_id perch_id_random(void);
/* This machine's UTC, for starts and ends. */
int64_t perch_now(void);

#ifdef __cplusplus
}
#endif

#endif
