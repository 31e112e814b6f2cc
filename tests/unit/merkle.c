/* tests/unit/merkle.c -- roots and paths against (RFC 6962 §2.1), written as
 * the text has it: by recursion.
 */
#include "unit.h"

#include <string.h>

#include "crypto/merkle.h"

enum { LEAVES_MAX = 64 };

static struct hash leaves[LEAVES_MAX];

static size_t split_of(size_t n)
{
	size_t k = 1;

	while (k << 1 < n)
		k <<= 1;
	return k;
}

/* MTH(D[n]), with the hashing spelled out. */
static struct hash naive_root(const struct hash *d, size_t n)
{
	uint8_t bytes[65] = {1};

	if (n == 0)
		return hash_bytes(view_of(NULL, 0));
	if (n == 1)
		return d[0];
	size_t k = split_of(n);
	struct hash left = naive_root(d, k);
	struct hash right = naive_root(d + k, n - k);
	memcpy(bytes + 1, left.bytes, 32);
	memcpy(bytes + 33, right.bytes, 32);
	return hash_bytes(view_of(bytes, sizeof(bytes)));
}

/* PATH(m, D[n]) = PATH(m, the half with m) : MTH(the other half). */
static size_t naive_path(
	struct hash *out, const struct hash *d, size_t n, size_t m)
{
	size_t length;

	if (n == 1)
		return 0;
	size_t k = split_of(n);
	if (m < k) {
		length = naive_path(out, d, k, m);
		out[length] = naive_root(d + k, n - k);
	} else {
		length = naive_path(out, d + k, n - k, m - k);
		out[length] = naive_root(d, k);
	}
	return length + 1;
}

static int make_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEAVES_MAX; i++) {
		uint8_t data[2] = {0, (uint8_t)i};

		leaves[i] = merkle_leaf(view_of(data + 1, 1));
		/* The prefix is a zero byte before the data. */
		struct hash spelled = hash_bytes(view_of(data, 2));
		assert_true(hash_equal(&leaves[i], &spelled));
	}
	return 0;
}

static void test_roots(void **state)
{
	(void)state;
	for (size_t n = 0; n <= LEAVES_MAX; n++) {
		struct hash root = merkle_root(leaves, n);
		struct hash expected = naive_root(leaves, n);

		assert_true(hash_equal(&root, &expected));
	}
}

static void test_paths(void **state)
{
	(void)state;
	for (size_t n = 1; n <= LEAVES_MAX; n++) {
		struct hash root = naive_root(leaves, n);

		for (size_t m = 0; m < n; m++) {
			struct hash path[MERKLE_PATH_MAX], expected[8], back;
			size_t length = merkle_path(path, leaves, n, m);

			assert_int_equal(
				length, naive_path(expected, leaves, n, m));
			assert_memory_equal(
				path, expected, length * sizeof(path[0]));
			assert_int_equal(
				merkle_root_from_path(
					&back, &leaves[m], m, n, path, length),
				ERR_OK);
			assert_true(hash_equal(&back, &root));
		}
	}
}

/* Whether (leaf, index, count, path) does not lead to root. */
static bool is_refused(const struct hash *root, const struct hash *leaf,
	size_t index, size_t count, const struct hash *path, size_t length)
{
	struct hash back = {{0xaa}}, before = back;

	if (merkle_root_from_path(&back, leaf, index, count, path, length) !=
		ERR_OK)
		return hash_equal(&back, &before);
	return !hash_equal(&back, root);
}

static void test_tampered_paths(void **state)
{
	(void)state;
	for (size_t n = 1; n <= LEAVES_MAX; n++) {
		struct hash root = merkle_root(leaves, n);

		for (size_t m = 0; m < n; m++) {
			struct hash path[MERKLE_PATH_MAX + 1] = {{{0}}};
			struct hash leaf = leaves[m];
			size_t length = merkle_path(path, leaves, n, m);

			for (size_t other = 0; other <= n; other++)
				assert_true(other == m ||
					    is_refused(&root, &leaf, other, n,
						    path, length));
			assert_true(is_refused(
				&root, &leaf, m, n, path, length + 1));
			assert_true(
				length == 0 || is_refused(&root, &leaf, m, n,
						       path, length - 1));
			leaf.bytes[m % 32] ^= 1;
			assert_true(
				is_refused(&root, &leaf, m, n, path, length));
			for (size_t i = 0; i < length; i++) {
				path[i].bytes[n % 32] ^= 0x10;
				assert_true(is_refused(
					&root, &leaves[m], m, n, path, length));
				path[i].bytes[n % 32] ^= 0x10;
			}
		}
	}
}

static void test_a_node_is_no_leaf(void **state)
{
	uint8_t pair[2 * HASH_SIZE];

	(void)state;
	memcpy(pair, leaves[0].bytes, HASH_SIZE);
	memcpy(pair + HASH_SIZE, leaves[1].bytes, HASH_SIZE);
	struct hash as_leaf = merkle_leaf(view_of(pair, sizeof(pair)));
	struct hash as_node = merkle_node(&leaves[0], &leaves[1]);
	assert_false(hash_equal(&as_leaf, &as_node));
}

static void test_extremes(void **state)
{
	struct hash path[MERKLE_PATH_MAX + 1] = {{{0}}}, out;

	(void)state;
	assert_int_equal(merkle_root_from_path(&out, &leaves[0], 0, 0, path, 0),
		ERR_LENGTH);
	/* A tree of the largest size, and one level more. */
	assert_int_equal(merkle_root_from_path(&out, &leaves[0], 0,
				 (size_t)1 << 32, path, 32),
		ERR_OK);
	assert_int_equal(merkle_root_from_path(&out, &leaves[0], 0,
				 (size_t)1 << 33, path, 33),
		ERR_LENGTH);
	assert_int_equal(merkle_root_from_path(&out, &leaves[0], SIZE_MAX - 1,
				 SIZE_MAX, path, 32),
		ERR_LENGTH);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_tampered_paths),
		cmocka_unit_test(test_a_node_is_no_leaf),
		cmocka_unit_test(test_extremes),
	};
	crypto_start();
	return cmocka_run_group_tests(tests, make_leaves, NULL);
}
