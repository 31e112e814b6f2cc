/* tests/unit/base.c -- check, err, view, hex and random. */
#include "unit.h"

#include <string.h>

#include "base/check.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/view.h"

static void check_value(void *value)
{
	CHECK(*(int *)value == 1);
}

static void test_check(void **state)
{
	int good = 1, bad = 2;

	(void)state;
	assert_false(unit_aborts(check_value, &good));
	assert_true(unit_aborts(check_value, &bad));
}

static void test_err_words_differ(void **state)
{
	enum { COUNT = ERR_CHAIN + 1 };

	(void)state;
	assert_string_equal(err_name(ERR_OK), "ok");
	assert_string_equal(err_name(ERR_SIGNATURE), "signature");
	for (int i = 0; i < COUNT; i++) {
		assert_true(strlen(err_name((enum err)i)) > 0);
		/* The cause, and then the cure. */
		assert_true(i == ERR_OK ||
			    strstr(err_text((enum err)i), "; ") != NULL);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				err_name((enum err)i), err_name((enum err)j));
	}
	assert_string_equal(err_name((enum err)1000), "unknown");
	assert_non_null(err_text((enum err)1000));
}

static void test_view(void **state)
{
	struct hash a = {{1}}, b = {{1}}, zero = {{0}};
	struct key k = {{7}}, l = {{7}};
	struct id i = {{9}}, j = {{9}};

	(void)state;
	assert_true(view_equal(view_text("pad"), view_of("pad?", 3)));
	assert_false(view_equal(view_text("pad"), view_text("pat")));
	assert_false(view_equal(view_text("pad"), view_text("pads")));
	assert_true(view_equal(view_of(NULL, 0), view_text("")));
	assert_true(hash_equal(&a, &b));
	assert_false(hash_is_zero(&a));
	assert_true(hash_is_zero(&zero));
	assert_true(key_equal(&k, &l));
	assert_true(id_equal(&i, &j));
	b.bytes[31] = 1;
	l.bytes[31] = 1;
	j.bytes[15] = 1;
	assert_false(hash_equal(&a, &b));
	assert_false(key_equal(&k, &l));
	assert_false(id_equal(&i, &j));
}

static void test_hex(void **state)
{
	uint8_t all[256], back[256];
	char text[2 * sizeof(all) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	assert_ptr_equal(hex_encode(text, view_of(all, sizeof(all))), text);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(hex_decode(back, sizeof(back), text), ERR_OK);
	assert_memory_equal(all, back, sizeof(all));
	assert_string_equal(hex_encode(text, view_of(NULL, 0)), "");

	back[0] = 0xaa;
	static const char *const bad[] = {
		"", "0", "000", "0g", "g0", "0A", "A0", " 0", "0/", "0:", "`0"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hex_decode(back, 1, bad[i]), ERR_ENCODING);
	assert_int_equal(hex_decode(back, 2, "010g"), ERR_ENCODING);
	assert_int_equal(back[0], 0xaa);
}

static void test_random_is_xoshiro(void **state)
{
	/* The reference implementation's first outputs for state 1, 2, 3, 4. */
	static const uint64_t expected[] = {
		11520, 0, 1509978240, 1215971899390074240};
	struct random random = {{1, 2, 3, 4}};
	struct random again, other;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(random_next(&random) == expected[i]);
	random_seed(&random, 42);
	random_seed(&again, 42);
	random_seed(&other, 43);
	assert_true(random_next(&random) == random_next(&again));
	assert_true(random_next(&random) != random_next(&other));
}

static void below_zero(void *random)
{
	random_below(random, 0);
}

static void test_random_is_even(void **state)
{
	enum { DRAWS = 70000 };
	unsigned seen[7] = {0}, chances = 0;
	struct random random;

	(void)state;
	random_seed(&random, 0);
	for (int i = 0; i < DRAWS; i++)
		seen[random_below(&random, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 9600, 10400);
	for (int i = 0; i < DRAWS; i++) {
		assert_true(random_below(&random, 1) == 0);
		assert_false(random_chance(&random, 0));
		assert_true(random_chance(&random, 1000));
		chances += random_chance(&random, 100);
	}
	assert_in_range(chances, 6600, 7400);
	/* Three quarters of 2^64: a bound where a plain modulus is skewed. */
	unsigned low = 0;
	uint64_t bound = 3ull << 62;
	for (int i = 0; i < DRAWS; i++)
		low += random_below(&random, bound) < bound / 3;
	assert_in_range(low, 22800, 23900);
	assert_true(unit_aborts(below_zero, &random));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_err_words_differ),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_random_is_xoshiro),
		cmocka_unit_test(test_random_is_even),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
