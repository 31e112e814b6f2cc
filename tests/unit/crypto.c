/* tests/unit/crypto.c -- hashes, keys and signatures: published vectors, and
 * what must be refused.
 *
 * Wycheproof's vectors are over bare messages, so they are given to the
 * function that signature_check is made of: they pin the rules of the library
 * that is linked. The rest goes through our own functions.
 */
#include "unit.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "crypto/crypto.h"

static const struct hash network = {{0x4e, 0x45, 0x54}};

static struct keypair pair_of(uint8_t number)
{
	uint8_t seed[32] = {number};
	struct keypair pair;

	keypair_from_seed(&pair, seed);
	return pair;
}

static void from_hex(uint8_t *out, size_t size, const char *text)
{
	assert_int_equal(hex_decode(out, size, text), ERR_OK);
}

static void test_blake2b(void **state)
{
	struct hash expected, other;

	(void)state;
	/* BLAKE2b with 32 bytes of output, as `b2sum -l 256` prints it. */
	from_hex(expected.bytes, HASH_SIZE,
		"0e5751c026e543b2e8ab2eb06099daa1"
		"d1e5df47778f7787faab45cdf12fe3a8");
	other = hash_bytes(view_of(NULL, 0));
	assert_true(hash_equal(&other, &expected));
	other = hash_parts(NULL, 0);
	assert_true(hash_equal(&other, &expected));
	from_hex(expected.bytes, HASH_SIZE,
		"bddd813c634239723171ef3fee98579b"
		"94964e3bb1cb3e427262c8c068d52319");
	other = hash_bytes(view_text("abc"));
	assert_true(hash_equal(&other, &expected));
	struct view parts[] = {
		view_text("a"), view_of(NULL, 0), view_text("bc")};
	other = hash_parts(parts, 3);
	assert_true(hash_equal(&other, &expected));
}

static void test_rfc8032(void **state)
{
	/* (RFC 8032 §7.1), TEST 2. */
	uint8_t seed[32], message[1] = {0x72}, expected[64], signature[64];
	struct keypair pair;
	struct key key;

	(void)state;
	from_hex(seed, 32,
		"4ccd089b28ff96da9db6c346ec114e0f"
		"5b8a319f35aba624da8cf6ed4fb8a6fb");
	from_hex(key.bytes, 32,
		"3d4017c3e843895a92b70aa74d1b7ebc"
		"9c982ccf2ec4968cc0cd55f12af4660c");
	from_hex(expected, 64,
		"92a009a9f0d4cab8720e820b5f642540"
		"a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c"
		"387b2eaeb4302aeeb00d291612bb0c00");
	keypair_from_seed(&pair, seed);
	assert_true(key_equal(&pair.key, &key));
	assert_memory_equal(pair.secret, seed, 32);
	assert_memory_equal(pair.secret + 32, key.bytes, 32);
	crypto_sign_detached(signature, NULL, message, 1, pair.secret);
	assert_memory_equal(signature, expected, 64);
	assert_int_equal(
		crypto_sign_verify_detached(expected, message, 1, key.bytes),
		0);
}

/* ---- Wycheproof: a scanner for this one file ---- */

enum { TEXT_MAX = 4096 };

/* The next `"name": "value"` whose name is one of ours; NULL at the end. */
static const char *next_pair(const char *at, char name[16], char *value)
{
	static const char *const names[] = {"pk", "msg", "sig", "result"};

	while ((at = strstr(at, "\": \"")) != NULL) {
		const char *start = at;
		size_t size = strcspn(at + 4, "\"");

		while (start[-1] != '"')
			start--;
		snprintf(name, 16, "%.*s", (int)(at - start), start);
		at += 4;
		for (size_t i = 0; i < 4; i++) {
			if (strcmp(name, names[i]) != 0)
				continue;
			assert_true(size < TEXT_MAX);
			memcpy(value, at, size);
			value[size] = '\0';
			return at + size;
		}
	}
	return NULL;
}

static char *read_vectors(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;

	if (file == NULL)
		return NULL;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size_t size = (size_t)ftell(file);
	rewind(file);
	text = calloc(1, size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, size, file), size);
	fclose(file);
	return text;
}

/* A signature of another length has no way into struct signature: refused. */
static bool verifies(
	const char *key, const char *message, const char *signature)
{
	uint8_t k[32], m[TEXT_MAX / 2], s[64];
	size_t size = strlen(message) / 2;

	from_hex(m, size, message);
	return hex_decode(k, 32, key) == ERR_OK &&
	       hex_decode(s, 64, signature) == ERR_OK &&
	       crypto_sign_verify_detached(s, m, size, k) == 0;
}

static void test_wycheproof(void **state)
{
	char *text = read_vectors(PERCH_VECTORS "/wycheproof_ed25519.json");
	static char key[TEXT_MAX], message[TEXT_MAX], signature[TEXT_MAX];
	static char value[TEXT_MAX];
	unsigned count = 0, valid = 0;
	char name[16];

	(void)state;
	if (text == NULL)
		skip();
	const char *at = text;
	while ((at = next_pair(at, name, value)) != NULL) {
		if (strcmp(name, "pk") == 0) {
			memcpy(key, value, TEXT_MAX);
		} else if (strcmp(name, "msg") == 0) {
			memcpy(message, value, TEXT_MAX);
		} else if (strcmp(name, "sig") == 0) {
			memcpy(signature, value, TEXT_MAX);
		} else {
			bool expected = strcmp(value, "valid") == 0;

			assert_true(expected || strcmp(value, "invalid") == 0);
			assert_int_equal(
				verifies(key, message, signature), expected);
			count++;
			valid += expected;
		}
	}
	free(text);
	assert_int_equal(count, 151);
	assert_int_equal(valid, 88);
}

/* ---- our own functions ---- */

static void test_signed_bytes(void **state)
{
	static const char head[] = "perch/1/tx";
	struct keypair pair = pair_of(1);
	struct signature signature;
	uint8_t whole[256];
	size_t size = sizeof(head); /* with the NUL, which is in the format */

	(void)state;
	signature_make(&signature, &pair, "tx", &network, view_text("body"));
	memcpy(whole, head, size);
	memcpy(whole + size, network.bytes, HASH_SIZE);
	memcpy(whole + size + HASH_SIZE, "body", 4);
	assert_int_equal(crypto_sign_verify_detached(signature.bytes, whole,
				 size + HASH_SIZE + 4, pair.key.bytes),
		0);
}

static void test_domain_separation(void **state)
{
	struct keypair pair = pair_of(1), other = pair_of(2);
	struct hash elsewhere = network;
	struct view body = view_text("body");
	struct signature signature;

	(void)state;
	elsewhere.bytes[31] ^= 1;
	signature_make(&signature, &pair, "tx", &network, body);
	assert_int_equal(
		signature_check(&signature, &pair.key, "tx", &network, body),
		ERR_OK);
	assert_int_equal(
		signature_check(&signature, &pair.key, "block", &network, body),
		ERR_SIGNATURE);
	assert_int_equal(
		signature_check(&signature, &pair.key, "t", &network, body),
		ERR_SIGNATURE);
	assert_int_equal(
		signature_check(&signature, &pair.key, "tx", &elsewhere, body),
		ERR_SIGNATURE);
	assert_int_equal(
		signature_check(&signature, &other.key, "tx", &network, body),
		ERR_SIGNATURE);
	assert_int_equal(signature_check(&signature, &pair.key, "tx", &network,
				 view_text("bode")),
		ERR_SIGNATURE);
	assert_int_equal(signature_check(&signature, &pair.key, "tx", &network,
				 view_text("bod")),
		ERR_SIGNATURE);
}

static void test_every_bit_counts(void **state)
{
	struct keypair pair = pair_of(3);
	struct view body = view_text("a body");
	struct signature signature;

	(void)state;
	signature_make(&signature, &pair, "tx", &network, body);
	for (size_t bit = 0; bit < 8 * SIGNATURE_SIZE; bit++) {
		struct signature bad = signature;

		bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			signature_check(&bad, &pair.key, "tx", &network, body),
			ERR_SIGNATURE);
	}
	for (size_t bit = 0; bit < 8 * KEY_SIZE; bit++) {
		struct key bad = pair.key;

		bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			signature_check(&signature, &bad, "tx", &network, body),
			ERR_SIGNATURE);
	}
}

static void sign_too_long(void *bytes)
{
	struct keypair pair = pair_of(1);
	struct signature signature;

	signature_make(
		&signature, &pair, "tx", &network, view_of(bytes, 65537));
}

static void sign_without_type(void *bytes)
{
	struct keypair pair = pair_of(1);
	struct signature signature;

	signature_make(&signature, &pair, "", &network, view_of(bytes, 1));
}

static void test_body_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 200, 65400, 65536};
	static uint8_t body[65537];
	struct keypair pair = pair_of(4);
	struct signature signature;

	(void)state;
	memset(body, 0x5a, sizeof(body));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct view view = view_of(body, sizes[i]);

		signature_make(&signature, &pair, "tx", &network, view);
		assert_int_equal(signature_check(&signature, &pair.key, "tx",
					 &network, view),
			ERR_OK);
	}
	assert_int_equal(signature_check(&signature, &pair.key, "tx", &network,
				 view_of(body, 65537)),
		ERR_LENGTH);
	assert_true(unit_aborts(sign_too_long, body));
	assert_true(unit_aborts(sign_without_type, body));
}

/* Every point of small order, and spellings of y >= p. */
static const char *const bad_keys[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0200000000000000000000000000000000000000000000000000000000000000",
};

static void test_key_is_valid(void **state)
{
	struct keypair pair = pair_of(5);
	struct key key, mixed;
	uint8_t curve[32] = {0xaa};

	(void)state;
	assert_true(key_is_valid(&pair.key));
	for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
		from_hex(key.bytes, KEY_SIZE, bad_keys[i]);
		assert_false(key_is_valid(&key));
		assert_int_equal(curve_from_key(curve, &key), ERR_KEY);
		assert_int_equal(curve[0], 0xaa);
	}
	/* A good key plus a point of order 8: on the curve, of mixed order. */
	from_hex(key.bytes, KEY_SIZE, bad_keys[4]);
	assert_int_equal(
		crypto_core_ed25519_add(mixed.bytes, pair.key.bytes, key.bytes),
		0);
	assert_false(key_is_valid(&mixed));
	assert_int_equal(curve_from_key(curve, &mixed), ERR_KEY);
	assert_int_equal(curve[0], 0xaa);
}

static void test_curve(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 16; i++) {
		struct keypair a = pair_of(i), b = pair_of((uint8_t)(i + 1));
		uint8_t public_key[32], one[32], two[32];
		struct curve_pair ca, cb;

		curve_from_keypair(&ca, &a);
		curve_from_keypair(&cb, &b);
		assert_int_equal(curve_from_key(public_key, &a.key), ERR_OK);
		assert_memory_equal(public_key, ca.public_key, 32);
		/* The halves fit: public = secret * base, and both ends of an
		 * exchange agree. */
		assert_int_equal(crypto_scalarmult_base(one, ca.secret_key), 0);
		assert_memory_equal(one, ca.public_key, 32);
		assert_int_equal(
			crypto_scalarmult(one, ca.secret_key, cb.public_key),
			0);
		assert_int_equal(
			crypto_scalarmult(two, cb.secret_key, ca.public_key),
			0);
		assert_memory_equal(one, two, 32);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blake2b),
		cmocka_unit_test(test_rfc8032),
		cmocka_unit_test(test_wycheproof),
		cmocka_unit_test(test_signed_bytes),
		cmocka_unit_test(test_domain_separation),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_body_sizes),
		cmocka_unit_test(test_key_is_valid),
		cmocka_unit_test(test_curve),
	};
	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
