/* crypto/crypto.h -- hashes and signatures (libsodium), and nothing of our own.
 */
#ifndef PERCH_CRYPTO_CRYPTO_H
#define PERCH_CRYPTO_CRYPTO_H

#include "base/err.h"
#include "base/view.h"

/* An Ed25519 key pair; secret is libsodium's seed || public key. */
struct keypair {
	struct key key;
	uint8_t secret[64];
};

/* The CURVE (X25519) pair of the same identity, as raw 32 bytes. */
struct curve_pair {
	uint8_t public_key[32];
	uint8_t secret_key[32];
};

/* Call once per process before anything else here; CHECKs that it works. */
void crypto_start(void);

/* BLAKE2b-256 of one run of bytes. */
struct hash hash_bytes(struct view bytes);
/* BLAKE2b-256 of the runs one after another. */
struct hash hash_parts(const struct view *parts, size_t count);

/* The same for runs that are not all there at once: start, add, end. */
struct hasher {
	_Alignas(64) uint8_t state[384]; /* libsodium's */
};
void hash_start(struct hasher *hasher);
void hash_add(struct hasher *hasher, struct view bytes);
struct hash hash_end(struct hasher *hasher);

/* The key pair of a 32-byte seed. */
void keypair_from_seed(struct keypair *out, const uint8_t seed[32]);

/* A key fit for enrolment: canonical, of prime order (not mixed, not small). */
bool key_is_valid(const struct key *key);

/* Derived with crypto_sign_ed25519_*_to_curve25519. ERR_KEY on a bad point. */
MUST_CHECK enum err curve_from_key(uint8_t out[32], const struct key *key);
void curve_from_keypair(struct curve_pair *out, const struct keypair *pair);

/*
 * Signatures are over "perch/1/" || type || 0x00 || network || body, so that
 * one made for a type or a network is worth nothing in another.
 * type: the message's name in the schema, without NUL.
 */
void signature_make(struct signature *out, const struct keypair *pair,
	const char *type, const struct hash *network, struct view body);
MUST_CHECK enum err signature_check(const struct signature *signature,
	const struct key *key, const char *type, const struct hash *network,
	struct view body);

#endif
