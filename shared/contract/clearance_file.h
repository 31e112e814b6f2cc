/* contract/clearance_file.h -- a clearance that can be carried: one file that
 * proves, without a network, what the ledger granted.
 *
 * The operation and its receipt, the way from both up to a block's header, and
 * the nodes' signatures under it. Nothing in it can be changed: every byte is
 * hashed or signed, and an encoding has no second spelling.
 */
#ifndef PERCH_CONTRACT_CLEARANCE_FILE_H
#define PERCH_CONTRACT_CLEARANCE_FILE_H

#include "contract/refusal.h"
#include "gen/contract.h"
#include "ledger/checkpoint.h"

/* What it says; texts borrow from its bytes. */
struct clearance_paper {
	bool is_clearance; /* false: a reservation, which permits no movement */
	struct id reservation;
	struct view port, pad, aircraft;
	struct key operator;
	uint64_t movement;   /* 0 any, 1 departure, 2 arrival */
	uint64_t nonce;      /* of a clearance: the request's that it answers */
	time_ms from, until; /* valid in [from, until) */
	uint64_t version;
	struct block_ref block; /* its header */
	struct tx_view tx;      /* who signed it */
	size_t signers;
};

/*
 * Of what a block (whole, as bytes) granted to a reservation: its clearance, or
 * else what made or last changed it. ERR_NOT_FOUND: nothing of either is there;
 * ERR_ROOT: the certificate is another block's; ERR_LENGTH: it is too large for
 * one file; ERR_ENCODING.
 */
MUST_CHECK enum err clearance_file_make(uint8_t out[CLEARANCE_FILE_BYTES_MAX],
	size_t *size, struct view block, const struct id *reservation,
	const struct certificate *certificate);

/*
 * ERR_ENCODING, ERR_LENGTH, ERR_VERSION, ERR_TYPE, ERR_KEY: not such a file, or
 * changed; ERR_NETWORK; ERR_SIGNATURE; ERR_SIGNERS: too few; ERR_ROOT: not what
 * that block holds; ERR_NOT_FOUND: nothing was granted.
 */
MUST_CHECK enum err clearance_file_open(struct clearance_paper *out,
	struct view bytes, const struct hash *network,
	const struct signers *signers);

#endif
