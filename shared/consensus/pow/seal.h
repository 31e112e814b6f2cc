/* consensus/pow/seal.h -- what is hashed: 80 bytes in Bitcoin's layout.
 *
 * Our header is longer than Bitcoin's and signed, and signing it after every
 * nonce would be mining with signatures. So a commitment to the header stands
 * where Bitcoin has its Merkle root, and the nonce in both:
 *
 *   version 1 | parent 32 | commitment 32 | time, s | bits | nonce
 *
 * each number 4 bytes, least significant first. The commitment is BLAKE2b-256
 * of the encoded header with the four nonce bytes zero. When 2^32 nonces are
 * tried, another `extra` makes another commitment.
 */
#ifndef PERCH_CONSENSUS_POW_SEAL_H
#define PERCH_CONSENSUS_POW_SEAL_H

#include "crypto/sha256d.h"
#include "ledger/block.h"

enum {
	POW_FIELD_SIZE = 16,
	POW_FIELD_NONCE_AT = 4,
	POW_FIELD_EXTRA_AT = 8,
};

/* The engine field of a header: raw, numbers least significant byte first. */
struct pow_field {
	uint32_t bits; /* the target, in compact form */
	uint32_t nonce;
	uint64_t extra;
};
struct pow_field pow_field_of(const uint8_t bytes[POW_FIELD_SIZE]);
void pow_field_put(
	uint8_t bytes[POW_FIELD_SIZE], const struct pow_field *field);

/* The seal of a header whose field begins at field_at, as if its extra were
 * this one. CHECKs that the header decodes and the field is in it. */
void pow_seal(uint8_t seal[SEAL_SIZE], struct view header_bytes,
	size_t field_at, uint64_t extra);
/* Is the header's work below the target that it states? */
bool pow_seal_meets(struct view header_bytes, size_t field_at);

#endif
