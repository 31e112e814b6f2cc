/* tests/unit/pow_rules.c -- targets, work and retargeting, by Bitcoin's own
 * numbers: its published retarget cases, 255 real headers and a real fork.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "consensus/pow/retarget.h"
#include "consensus/pow/target.h"
#include "consensus/pow/tree.h"
#include "crypto/sha256d.h"

enum {
	TWO_WEEKS_S = 14 * 24 * 3600,
	BITCOIN_LIMIT = 0x1d00ffff,
	FILE_MAX = 1 << 20,
	HEADERS_MAX = 300,
};

/* ---- numbers ---- */

static struct number number_of(uint64_t value)
{
	return (struct number){{value}};
}

static void test_compact_form(void **state)
{
	static const struct {
		uint32_t bits;
		int shift; /* of the mantissa */
		uint64_t mantissa;
	} good[] = {
		{0x01010000, 0, 1},
		{0x02008000, 0, 0x80},
		{0x03123456, 0, 0x123456},
		{0x1d00ffff, 208, 0xffff},
		{0x207fffff, 232, 0x7fffff},
	};
	static const uint32_t bad[] = {0, 0x01000000, 0x1d800000, 0x1dffffff,
		0x00123456, 0x22123456, 0xff00ffff, 0x1d000000};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct number target, mantissa = number_of(good[i].mantissa);
		struct number want = number_shift(&mantissa, good[i].shift);
		assert_true(target_of_bits(&target, good[i].bits));
		assert_int_equal(number_compare(&target, &want), 0);
		assert_int_equal(bits_of_target(&target), good[i].bits);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct number target, work = work_of_bits(bad[i]);
		assert_false(target_of_bits(&target, bad[i]));
		assert_true(number_is_zero(&work));
	}
}

/* Small enough for the machine's own arithmetic. */
static void test_arithmetic(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 7);
	for (int i = 0; i < 20000; i++) {
		uint64_t a = random_next(&random) >> 33;
		uint64_t b = random_next(&random) >> 33;
		uint64_t c = 1 + random_below(&random, 1 << 20);
		int shift = (int)random_below(&random, 200);
		struct number x = number_of(a), y = number_of(b), got;
		got = number_add(&x, &y);
		assert_int_equal(got.words[0], a + b);
		got = number_scale(&x, b, c);
		assert_int_equal(got.words[0], a * b / c);
		got = number_shift(&x, shift);
		got = number_shift(&got, -shift);
		assert_int_equal(number_compare(&got, &x), 0);
		if (a >= b) {
			got = number_subtract(&x, &y);
			assert_int_equal(got.words[0], a - b);
		}
	}
	struct number most = number_of(1);
	most = number_shift(&most, 300);
	struct number more = number_add(&most, &most);
	assert_int_equal(number_compare(&most, &more), 0);
	more = number_scale(&most, 3, 2);
	assert_int_equal(number_compare(&most, &more), 0);
}

/* The work of difficulty 1 is 2^256 / (0xffff * 2^208 + 1) = 4295032833. */
static void test_work(void **state)
{
	struct number work = work_of_bits(0x1d00ffff);

	(void)state;
	assert_int_equal(work.words[0], 4295032833);
	work = work_of_bits(0x207fffff);
	assert_int_equal(work.words[0], 2);
	work = work_of_bits(POW_BITS_DEFAULT);
	assert_int_equal(work.words[0], (1 << 24) - 1);
}

/* ---- retargeting ---- */

static void test_bitcoins_retarget_cases(void **state)
{
	static const struct {
		int64_t first, last; /* seconds */
		uint32_t bits, want;
	} cases[] = {
		{1261130161, 1262152739, 0x1d00ffff, 0x1d00d86a},
		{1231006505, 1233061996, 0x1d00ffff, 0x1d00ffff},
		{1279008237, 1279297671, 0x1c05a3f4, 0x1c0168fd},
		{1263163443, 1269211443, 0x1c387f6f, 0x1d00e1fd},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pow_window(cases[i].bits,
					 cases[i].last - cases[i].first,
					 TWO_WEEKS_S, BITCOIN_LIMIT),
			cases[i].want);
}

static void test_asert(void **state)
{
	const uint32_t bits = 0x1c008000;
	uint64_t before = 0;

	(void)state;
	assert_int_equal(pow_asert(bits, 2000, 2000, 10000), bits);
	assert_int_equal(pow_asert(bits, 12000, 2000, 10000), 0x1c010000);
	assert_int_equal(pow_asert(bits, 22000, 2000, 10000), 0x1c020000);
	assert_int_equal(pow_asert(0x1c010000, 2000, 12000, 10000), bits);
	/* Later is never harder, and the ends are kept. */
	for (time_ms took = -100000; took < 100000; took += 37) {
		struct number target;
		assert_true(target_of_bits(
			&target, pow_asert(bits, took, 2000, 10000)));
		struct number top = number_shift(&target, -176);
		assert_true(top.words[0] >= before);
		before = top.words[0];
	}
	assert_int_equal(
		pow_asert(bits, INT64_MAX / 2, 1, 1), POW_EASIEST_BITS);
	assert_int_equal(pow_asert(bits, 1, INT64_MAX / 2, 1), 0x01010000);
}

static struct pow_past chain_of(
	const struct pow_rules *rules, size_t count, time_ms interval)
{
	struct pow_past past = {.bits = rules->bits};
	for (size_t i = 0; i < count; i++)
		past = pow_past_of(&past, past.time + interval,
			pow_next_bits(rules, &past));
	return past;
}

static void test_rules_of_a_chain(void **state)
{
	struct pow_rules rules = {
		.interval_ms = 2000,
		.bits = 0x1d00ffff,
		.half_life_ms = 10000,
	};

	(void)state;
	rules.retarget = POW_RETARGET_FIXED;
	assert_int_equal(chain_of(&rules, 5000, 100).bits, rules.bits);
	rules.retarget = POW_RETARGET_WINDOW;
	assert_int_equal(chain_of(&rules, 2015, 100).bits, rules.bits);
	assert_int_equal(chain_of(&rules, 2016, 100).bits,
		pow_window(
			rules.bits, 2015 * 100, 2016 * 2000, POW_EASIEST_BITS));
	assert_int_equal(chain_of(&rules, 2016 + 100, 100).bits,
		chain_of(&rules, 2016, 100).bits);
	rules.retarget = POW_RETARGET_ASERT;
	assert_int_equal(chain_of(&rules, 100, 2000).bits, rules.bits);
	/* A night without blocks counts as ten intervals. */
	assert_int_equal(chain_of(&rules, 3, 8 * 3600 * 1000).bits,
		chain_of(&rules, 3, 20000).bits);
}

/* ---- Bitcoin's headers ---- */

static size_t unpack(const char *name, uint8_t *out)
{
	char command[400];
	snprintf(command, sizeof(command),
		"python3 -c 'import bz2,sys;sys.stdout.buffer.write("
		"bz2.open(sys.argv[1]).read())' %s/%s 2>/dev/null",
		PERCH_VECTORS, name);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t size = fread(out, 1, FILE_MAX, pipe);
	pclose(pipe);
	return size;
}

static uint32_t get_32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* Headers of a file of blocks: network, length, block. */
static size_t headers_of(const char *name, uint8_t out[][80], size_t count)
{
	static uint8_t bytes[FILE_MAX];
	size_t size = unpack(name, bytes), at = 0;
	while (at + 88 <= size) {
		assert_true(count < HEADERS_MAX);
		memcpy(out[count++], bytes + at + 8, 80);
		at += 8 + get_32(bytes + at + 4);
	}
	return count;
}

static bool is_mined(const uint8_t header[80])
{
	struct number target;
	uint8_t hash[32], little[32];
	assert_true(target_of_bits(&target, get_32(header + 72)));
	number_little(&target, little);
	sha256d(hash, view_of(header, 80));
	return sha256d_meets(hash, little);
}

static bool follows(const uint8_t header[80], const uint8_t parent[80])
{
	uint8_t hash[32];
	sha256d(hash, view_of(parent, 80));
	return memcmp(header + 4, hash, 32) == 0;
}

static void test_bitcoins_first_blocks(void **state)
{
	static uint8_t headers[HEADERS_MAX][80];
	size_t count = headers_of("bitcoin_blocks_1-255.bz2", headers, 0);
	struct number work = {{0}};

	(void)state;
	if (count == 0) {
		print_message("skipped: no vectors in " PERCH_VECTORS "\n");
		skip();
	}
	assert_int_equal(count, 255);
	for (size_t i = 0; i < count; i++) {
		struct number one = work_of_bits(get_32(headers[i] + 72));
		assert_true(is_mined(headers[i]));
		assert_true(i == 0 || follows(headers[i], headers[i - 1]));
		assert_int_equal(get_32(headers[i] + 72), 0x1d00ffff);
		work = number_add(&work, &one);
		headers[i][76] ^= 1;
		assert_false(is_mined(headers[i]));
		headers[i][76] ^= 1;
	}
	assert_int_equal(work.words[0], 255 * UINT64_C(4295032833));
}

/* 0 to 4, and 3A, 4A, 5A from block 2: by one block heavier. */
static void test_bitcoins_fork(void **state)
{
	static uint8_t headers[HEADERS_MAX][80];
	size_t count =
		headers_of("bitcoin_fork_blk_0_to_4.dat.bz2", headers, 0);
	size_t main = count;

	(void)state;
	if (count == 0) {
		print_message("skipped: no vectors in " PERCH_VECTORS "\n");
		skip();
	}
	count = headers_of("bitcoin_fork_blk_3A.dat.bz2", headers, count);
	count = headers_of("bitcoin_fork_blk_4A.dat.bz2", headers, count);
	count = headers_of("bitcoin_fork_blk_5A.dat.bz2", headers, count);
	assert_int_equal(main, 5);
	assert_int_equal(count, 8);
	for (size_t i = 0; i < count; i++)
		assert_true(is_mined(headers[i]));
	for (size_t i = 1; i < main; i++)
		assert_true(follows(headers[i], headers[i - 1]));
	assert_true(follows(headers[5], headers[2]));
	assert_true(follows(headers[6], headers[5]));
	assert_true(follows(headers[7], headers[6]));
}

/* Under its parent in the tree, its time and target as Bitcoin wrote them. */
static pow_at grow(struct pow_tree *tree, const uint8_t header[80])
{
	struct hash hash, parent;
	sha256d(hash.bytes, view_of(header, 80));
	memcpy(parent.bytes, header + 4, HASH_SIZE);
	return pow_tree_add(tree, pow_tree_find(tree, &parent), &hash,
		(time_ms)get_32(header + 68) * 1000, get_32(header + 72));
}

/* The branch of the fork that has more work is the chain, and not before it
 * has: with as many blocks, the one that was first. */
static void test_bitcoins_fork_in_a_tree(void **state)
{
	static uint8_t headers[HEADERS_MAX][80];
	size_t count =
		headers_of("bitcoin_fork_blk_0_to_4.dat.bz2", headers, 0);
	struct pow_past past = {.bits = BITCOIN_LIMIT};
	struct pow_tree *tree = calloc(1, pow_tree_bytes(8));
	struct hash genesis;
	pow_at at[8] = {0};

	(void)state;
	if (count == 0) {
		free(tree);
		skip();
	}
	count = headers_of("bitcoin_fork_blk_3A.dat.bz2", headers, count);
	count = headers_of("bitcoin_fork_blk_4A.dat.bz2", headers, count);
	count = headers_of("bitcoin_fork_blk_5A.dat.bz2", headers, count);
	assert_int_equal(count, 8);
	sha256d(genesis.bytes, view_of(headers[0], 80));
	pow_tree_init(tree, 8, &genesis, &past);
	at[0] = tree->root;
	for (size_t i = 1; i < count; i++) {
		at[i] = grow(tree, headers[i]);
		assert_int_not_equal(at[i], 0);
	}
	assert_true(pow_tree_holds(tree));
	assert_int_equal(pow_tree_fork(tree, at[4], at[7]), at[2]);
	const struct number *first = &pow_entry_at(tree, at[4])->work;
	assert_int_equal(
		number_compare(first, &pow_entry_at(tree, at[6])->work), 0);
	assert_true(
		number_compare(first, &pow_entry_at(tree, at[7])->work) < 0);
	assert_int_equal(pow_tree_ancestor(tree, at[7], 3), at[5]);
	free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact_form),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_bitcoins_retarget_cases),
		cmocka_unit_test(test_asert),
		cmocka_unit_test(test_rules_of_a_chain),
		cmocka_unit_test(test_bitcoins_first_blocks),
		cmocka_unit_test(test_bitcoins_fork),
		cmocka_unit_test(test_bitcoins_fork_in_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
