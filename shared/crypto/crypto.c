/* crypto/crypto.c -- libsodium under the names of this project.
 *
 * Which signatures are valid is part of the protocol, for all nodes must agree:
 * canonical S, A and R, no A or R of small order, and the equation without
 * cofactor, R = sB - hA. That is crypto_sign_verify_detached; crypto_start
 * tries the points on which verifiers are known to differ.
 */
#include "crypto/crypto.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"

_Static_assert(KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "size of a key");
_Static_assert(SIGNATURE_SIZE == crypto_sign_BYTES, "size of a signature");
_Static_assert(sizeof(struct hasher) == sizeof(crypto_generichash_state),
	"size of a hash that is under way");
_Static_assert(
	sizeof(((struct keypair *)0)->secret) == crypto_sign_SECRETKEYBYTES,
	"size of a secret key");

#define SIGNED_PREFIX "perch/1/"

enum {
	TYPE_NAME_MAX = 64,
	SIGNED_BODY_MAX = 65536, /* no frame is longer */
	SIGNED_MAX = sizeof(SIGNED_PREFIX) - 1 + TYPE_NAME_MAX + 1 + HASH_SIZE +
		     SIGNED_BODY_MAX,
};

/* S + L: the same signature in another spelling, which must be refused. */
static void add_group_order(uint8_t s[32])
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63,
		0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
		0x14, [31] = 0x10};

	sodium_add(s, order, 32);
}

void crypto_start(void)
{
	static const uint8_t seed[32] = {1};
	static const uint8_t message[] = "perch";
	static const uint8_t small_order[32] = {1};
	uint8_t signature[SIGNATURE_SIZE];
	struct keypair pair;

	CHECK(sodium_init() >= 0);
	keypair_from_seed(&pair, seed);
	crypto_sign_detached(
		signature, NULL, message, sizeof(message), pair.secret);
	CHECK(crypto_sign_verify_detached(signature, message, sizeof(message),
		      pair.key.bytes) == 0);
	add_group_order(signature + 32);
	CHECK(crypto_sign_verify_detached(signature, message, sizeof(message),
		      pair.key.bytes) != 0);
	/* R = A = the neutral element and S = 0 fit every message. */
	memset(signature, 0, sizeof(signature));
	signature[0] = 1;
	CHECK(crypto_sign_verify_detached(
		      signature, message, sizeof(message), small_order) != 0);
}

struct hash hash_bytes(struct view bytes)
{
	struct hash out;

	CHECK(crypto_generichash(out.bytes, sizeof(out.bytes), bytes.data,
		      bytes.size, NULL, 0) == 0);
	return out;
}

void hash_start(struct hasher *hasher)
{
	CHECK(crypto_generichash_init(
		      (void *)hasher->state, NULL, 0, HASH_SIZE) == 0);
}

void hash_add(struct hasher *hasher, struct view bytes)
{
	crypto_generichash_update(
		(void *)hasher->state, bytes.data, bytes.size);
}

struct hash hash_end(struct hasher *hasher)
{
	struct hash out;

	crypto_generichash_final(
		(void *)hasher->state, out.bytes, sizeof(out.bytes));
	return out;
}

struct hash hash_parts(const struct view *parts, size_t count)
{
	struct hasher hasher;

	hash_start(&hasher);
	for (size_t i = 0; i < count; i++)
		hash_add(&hasher, parts[i]);
	return hash_end(&hasher);
}

void keypair_from_seed(struct keypair *out, const uint8_t seed[32])
{
	CHECK(crypto_sign_seed_keypair(out->key.bytes, out->secret, seed) == 0);
}

bool key_is_valid(const struct key *key)
{
	return crypto_core_ed25519_is_valid_point(key->bytes) == 1;
}

enum err curve_from_key(uint8_t out[32], const struct key *key)
{
	if (crypto_sign_ed25519_pk_to_curve25519(out, key->bytes) != 0)
		return ERR_KEY;
	return ERR_OK;
}

void curve_from_keypair(struct curve_pair *out, const struct keypair *pair)
{
	CHECK(crypto_sign_ed25519_sk_to_curve25519(
		      out->secret_key, pair->secret) == 0);
	CHECK(crypto_sign_ed25519_pk_to_curve25519(
		      out->public_key, pair->key.bytes) == 0);
}

static uint8_t *append(uint8_t *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

/* What is signed; returns its size. */
static size_t signed_bytes(uint8_t out[SIGNED_MAX], const char *type,
	const struct hash *network, struct view body)
{
	size_t type_size = strlen(type);
	uint8_t *at = out;

	CHECK(type_size > 0 && type_size <= TYPE_NAME_MAX);
	at = append(at, SIGNED_PREFIX, sizeof(SIGNED_PREFIX) - 1);
	at = append(at, type, type_size + 1);
	at = append(at, network->bytes, HASH_SIZE);
	if (body.size > 0)
		at = append(at, body.data, body.size);
	return (size_t)(at - out);
}

void signature_make(struct signature *out, const struct keypair *pair,
	const char *type, const struct hash *network, struct view body)
{
	uint8_t bytes[SIGNED_MAX];

	CHECK(body.size <= SIGNED_BODY_MAX);
	size_t size = signed_bytes(bytes, type, network, body);
	CHECK(crypto_sign_detached(
		      out->bytes, NULL, bytes, size, pair->secret) == 0);
}

enum err signature_check(const struct signature *signature,
	const struct key *key, const char *type, const struct hash *network,
	struct view body)
{
	uint8_t bytes[SIGNED_MAX];

	if (body.size > SIGNED_BODY_MAX)
		return ERR_LENGTH;
	size_t size = signed_bytes(bytes, type, network, body);
	if (crypto_sign_verify_detached(
		    signature->bytes, bytes, size, key->bytes) != 0)
		return ERR_SIGNATURE;
	return ERR_OK;
}
