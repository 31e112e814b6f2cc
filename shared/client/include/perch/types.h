/* perch/types.h -- the values that libperch speaks of: identities, times,
 * records of the ledger, and errors.
 *
 * Plain structs without ownership: text is NUL-terminated and times are
 * milliseconds UTC since 1970, int64_t everywhere.
 */
#ifndef PERCH_TYPES_H
#define PERCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PERCH_NAME_MAX = 32, /* of a port, pad, node, party or aircraft */
	PERCH_ENDPOINT_MAX = 128,
	PERCH_OPS_MAX = 64,  /* operations of one transaction */
	PERCH_PADS_MAX = 16, /* of a port */
	PERCH_NODES_MAX = 64,
	PERCH_WHY_MAX = 300, /* a sentence with cause and cure, and its NUL */
};

struct perch_hash {
	uint8_t bytes[32]; /* BLAKE2b-256 */
};
struct perch_key {
	uint8_t bytes[32]; /* an Ed25519 public key: who somebody is */
};
struct perch_id {
	uint8_t bytes[16]; /* of a transaction or a reservation */
};

/* What the world may do wrong. Each has a stable word and a sentence. */
enum perch_err {
	PERCH_OK,
	PERCH_ERR_ENCODING,
	PERCH_ERR_LENGTH,
	PERCH_ERR_TYPE,
	PERCH_ERR_VERSION,
	PERCH_ERR_NETWORK,
	PERCH_ERR_KEY,
	PERCH_ERR_SIGNATURE,
	PERCH_ERR_ROLE,
	PERCH_ERR_REPLAY,
	PERCH_ERR_EXPIRED,
	PERCH_ERR_BUSY,
	PERCH_ERR_FULL,
	PERCH_ERR_NOT_FOUND,
	PERCH_ERR_EXISTS,
	PERCH_ERR_PARENT,
	PERCH_ERR_ROOT,
	PERCH_ERR_TIME,
	PERCH_ERR_DAMAGED,
	PERCH_ERR_IO,
	PERCH_ERR_CONFIG,
	PERCH_ERR_PASSPHRASE,
	PERCH_ERR_MODE,
	PERCH_ERR_IN_USE,
	PERCH_ERR_TIMEOUT,
	PERCH_ERR_UNREACHABLE,
	PERCH_ERR_BEHIND,
	PERCH_ERR_SIGNERS,
	PERCH_ERR_RATE,
	PERCH_ERR_DISK,
	PERCH_ERR_CHAIN,
};

/* "timeout"; never NULL. */
const char *perch_err_name(enum perch_err err);
/* One English sentence with cause and cure; never NULL. */
const char *perch_err_text(enum perch_err err);

/* Half-open: [start, end). */
struct perch_slot {
	char pad[PERCH_NAME_MAX + 1];
	int64_t start, end;
};

/* The states of a reservation; live ones are 1 to 6. */
enum perch_reservation_state {
	PERCH_NONE,
	PERCH_HELD,
	PERCH_CONFIRMED,
	PERCH_CLEARED,
	PERCH_OCCUPIED,
	PERCH_OVERSTAY,
	PERCH_CONTINGENT,
	PERCH_WAITLISTED,
	PERCH_RELEASED,
	PERCH_CANCELLED,
	PERCH_EXPIRED,
	PERCH_NO_SHOW,
	PERCH_PREEMPTED,
	PERCH_REVOKED,
};

/* "confirmed"; "unknown" for a number that is no state. */
const char *perch_state_name(int state);

struct perch_reservation {
	struct perch_id id;
	char port[PERCH_NAME_MAX + 1];
	char pad[PERCH_NAME_MAX + 1];
	int64_t start, end;
	struct perch_key operator_key;
	char aircraft[PERCH_NAME_MAX + 1]; /* empty: none is named */
	int state;                         /* enum perch_reservation_state */
	uint32_t version; /* what perch_tx_amend wants to hear */
	bool has_pair;
	struct perch_id pair; /* the other half */
	int movement;         /* 0 any, 1 departure, 2 arrival */
	uint64_t height;      /* of the block that made it */
	unsigned place;       /* in that block */
	int64_t until;        /* held: to be confirmed; cleared: valid; or 0 */
	uint64_t nonce;       /* of the last request for a clearance */
	int64_t asked;        /* block time of the open request, or 0 */
	unsigned tier;
	bool airborne; /* its departure has left: it is the landing place */
	bool on_pad;   /* contingent, with an aircraft on the pad */
	char alternate_port[PERCH_NAME_MAX + 1]; /* empty: none */
	char alternate_pad[PERCH_NAME_MAX + 1];
	bool has_commitment; /* of details that are told to few */
	struct perch_hash commitment;
};

struct perch_pad {
	char name[PERCH_NAME_MAX + 1];
	char group[PERCH_NAME_MAX + 1]; /* one movement at a time in it */
	bool open;
	bool blocked; /* after an incursion, until it is measured empty */
	int64_t closed_from, closed_until; /* a closure, or 0 and 0 */
	unsigned incursions;
};

struct perch_port {
	char name[PERCH_NAME_MAX + 1];
	struct perch_key controller;
	int64_t lead;          /* ms between now and the earliest start */
	int64_t before, after; /* buffers around a slot, ms */
	int64_t duration;      /* default length of a slot, ms */
	int64_t hold;          /* ms to confirm what is reserved; 0: at once */
	int64_t no_show;       /* ms kept after its start; 0: to its end */
	size_t pad_count;
	struct perch_pad pads[PERCH_PADS_MAX];
};

/* One who orders (or evaluates), and where. */
struct perch_node {
	char name[PERCH_NAME_MAX + 1];
	struct perch_key key;
	char request[PERCH_ENDPOINT_MAX + 1]; /* tcp://host:port */
	char publish[PERCH_ENDPOINT_MAX + 1]; /* empty: publishes nothing */
};

/* ---- identities as text ---- */

/* Lower-case hexadecimal with a NUL into out[2 * size + 1]; returns out. */
char *perch_hex(char *out, const void *bytes, size_t size);
/* Exactly size bytes from 2 * size digits; else PERCH_ERR_ENCODING. */
enum perch_err perch_unhex(void *out, size_t size, const char *text);

#ifdef __cplusplus
}
#endif

#endif
