/* crypto/sha256d.h -- Bitcoin's hash, and the search for one below a target.
 *
 * SHA-256 of SHA-256 (FIPS 180-4), by OpenSSL's compression function. The last
 * 16 bytes of a seal hold what a search varies, so the state after its first 64
 * bytes, the mid-state, is computed once a search and not once a nonce.
 *
 * A hash and a target are numbers of 256 bits, least significant byte first, as
 * Bitcoin reads them.
 */
#ifndef PERCH_CRYPTO_SHA256D_H
#define PERCH_CRYPTO_SHA256D_H

#include "base/view.h"

enum {
	SEAL_SIZE = 80,     /* of a block header in Bitcoin's layout */
	SEAL_NONCE_AT = 76, /* its last four bytes, little endian */
};

/* SHA-256(SHA-256(bytes)). */
void sha256d(uint8_t out[32], struct view bytes);

/* hash <= target, as numbers. */
bool sha256d_meets(const uint8_t hash[32], const uint8_t target[32]);

/* Try count nonces: from, from + 1 and so on, after 2^32 - 1 comes 0. True: the
 * first whose seal meets the target is in *nonce; whatever nonce the seal holds
 * does not matter. */
bool sha256d_search(const uint8_t seal[SEAL_SIZE], const uint8_t target[32],
	uint32_t from, uint32_t count, uint32_t *nonce);

#endif
