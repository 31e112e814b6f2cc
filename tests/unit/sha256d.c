/* tests/unit/sha256d.c -- the hash against published digests and Bitcoin's own
 * headers, and the search against trying one nonce after another.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "crypto/sha256d.h"

/* Bitcoin's first block, and the target that its bits 1d00ffff stand for. */
#define GENESIS                                                                \
	"0100000000000000000000000000000000000000000000000000000000000000"     \
	"000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa"     \
	"4b1e5e4a29ab5f49ffff001d1dac2b7c"
enum { GENESIS_NONCE = 2083236893, HEADERS = 255 };

static uint8_t genesis[SEAL_SIZE], first_target[32];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(hex_decode(genesis, SEAL_SIZE, GENESIS), ERR_OK);
	first_target[26] = first_target[27] = 0xff;
	return 0;
}

static void check_hash(struct view bytes, const char *expected)
{
	uint8_t hash[32], digest[32];

	assert_int_equal(hex_decode(digest, 32, expected), ERR_OK);
	sha256d(hash, bytes);
	assert_memory_equal(hash, digest, 32);
}

/* The messages of (FIPS 180-4, examples) and the empty one; each digest was
 * hashed once more by coreutils' sha256sum. */
static void test_published(void **state)
{
	static uint8_t million[1000000];

	(void)state;
	check_hash(view_of(NULL, 0), "5df6e0e2761359d30a8275058e299fcc"
				     "0381534545f55cf43e41983f5d4c9456");
	check_hash(view_text("abc"), "4f8b42c22dd3729b519ba6f68d2da7cc"
				     "5b2d606d05daed5ad5128cc03e6c6358");
	check_hash(view_text("abcdbcdecdefdefgefghfghighijhijk"
			     "ijkljklmklmnlmnomnopnopq"),
		"0cffe17f68954dac3a84fb1458bd5ec9"
		"9209449749b2b308b7cb55812f9563af");
	memset(million, 'a', sizeof(million));
	check_hash(view_of(million, sizeof(million)),
		"80d1189477563e1b5206b2749f1afe48"
		"07e5705e8bd77887a60187a712156688");
}

static void test_genesis(void **state)
{
	(void)state;
	check_hash(view_of(genesis, SEAL_SIZE),
		"6fe28c0ab6f1b372c1a6a246ae63f74f"
		"931e8365e15a089c68d6190000000000");
}

/* Real headers: each meets its target, names the one before, and its nonce is
 * found again. */
static void test_bitcoin(void **state)
{
	uint8_t before[32], hash[32], start[8], seal[SEAL_SIZE];
	static uint8_t rest[1 << 20];
	size_t count = 0;
	FILE *file = fopen(PERCH_VECTORS "/bitcoin_blocks_1-255.bz2", "r");

	(void)state;
	if (file == NULL)
		skip();
	fclose(file);
	file = popen("python3 -c 'import bz2, sys; sys.stdout.buffer.write("
		     "bz2.open(\"" PERCH_VECTORS
		     "/bitcoin_blocks_1-255.bz2\").read())'",
		"r");
	assert_non_null(file);
	sha256d(before, view_of(genesis, SEAL_SIZE));
	while (fread(start, 1, 8, file) == 8) {
		uint32_t size, nonce, found;

		memcpy(&size, start + 4, 4);
		assert_true(
			size >= SEAL_SIZE && size - SEAL_SIZE <= sizeof(rest));
		assert_int_equal(fread(seal, 1, SEAL_SIZE, file), SEAL_SIZE);
		assert_int_equal(fread(rest, 1, size - SEAL_SIZE, file),
			size - SEAL_SIZE);
		assert_memory_equal(seal + 4, before, 32);
		sha256d(hash, view_of(seal, SEAL_SIZE));
		assert_true(sha256d_meets(hash, first_target));
		memcpy(&nonce, seal + SEAL_NONCE_AT, 4);
		memset(seal + SEAL_NONCE_AT, 0, 4);
		assert_true(sha256d_search(
			seal, first_target, nonce - 100, 200, &found));
		assert_int_equal(found, nonce);
		memcpy(before, hash, 32);
		count++;
	}
	assert_int_equal(pclose(file), 0);
	assert_int_equal(count, HEADERS);
}

static void test_compare(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_true(sha256d_meets(a, b));
	for (size_t i = 0; i < 32; i++) {
		memset(a, 0, 32);
		memset(b, 0, 32);
		a[i] = 1;
		assert_false(sha256d_meets(a, b));
		assert_true(sha256d_meets(b, a));
		assert_true(sha256d_meets(a, a));
		/* What is less significant does not count. */
		memset(b, 0xff, i);
		assert_false(sha256d_meets(a, b));
		assert_true(sha256d_meets(b, a));
	}
}

/* The first and the last of a range are tried, the one after it is not. */
static void test_range(void **state)
{
	uint32_t nonce = 7;

	(void)state;
	assert_true(sha256d_search(
		genesis, first_target, GENESIS_NONCE, 1, &nonce));
	assert_int_equal(nonce, GENESIS_NONCE);
	assert_true(sha256d_search(
		genesis, first_target, GENESIS_NONCE - 999, 1000, &nonce));
	assert_int_equal(nonce, GENESIS_NONCE);
	nonce = 7;
	assert_false(sha256d_search(
		genesis, first_target, GENESIS_NONCE - 999, 999, &nonce));
	assert_false(sha256d_search(
		genesis, first_target, GENESIS_NONCE + 1u, 999, &nonce));
	assert_false(sha256d_search(
		genesis, first_target, GENESIS_NONCE, 0, &nonce));
	assert_int_equal(nonce, 7);
}

/* The hash itself is the smallest target that it meets. */
static void test_exact(void **state)
{
	uint8_t target[32];
	uint32_t nonce;

	(void)state;
	sha256d(target, view_of(genesis, SEAL_SIZE));
	assert_true(sha256d_search(genesis, target, GENESIS_NONCE, 1, &nonce));
	target[0]--;
	assert_false(sha256d_search(genesis, target, GENESIS_NONCE, 1, &nonce));
}

/* Random seals and targets that one nonce in 16 to 4096 meets, also where the
 * nonces begin anew at 0. */
static void test_any(void **state)
{
	struct random random;
	uint8_t seal[SEAL_SIZE], hash[32], target[32];

	(void)state;
	random_seed(&random, 1);
	for (unsigned round = 0; round < 300; round++) {
		uint32_t from = (uint32_t)random_next(&random), found = 0;
		uint32_t naive = 0;
		bool met = false;

		if (round % 3 == 0)
			from = UINT32_MAX - from % 64;
		for (size_t i = 0; i < SEAL_SIZE; i++)
			seal[i] = (uint8_t)random_next(&random);
		memset(target, 0xff, 32);
		target[31] = (uint8_t)(random_next(&random) % 16);
		target[30] = (uint8_t)random_next(&random);
		bool answer = sha256d_search(seal, target, from, 300, &found);
		while (naive < 300 && !met) {
			uint32_t nonce = from + naive++;
			for (size_t i = 0; i < 4; i++)
				seal[SEAL_NONCE_AT + i] =
					(uint8_t)(nonce >> 8 * i);
			sha256d(hash, view_of(seal, SEAL_SIZE));
			met = sha256d_meets(hash, target);
		}
		assert_int_equal(answer, met);
		if (met)
			assert_int_equal(found, from + naive - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_genesis),
		cmocka_unit_test(test_bitcoin),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_any),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
