/* unit/clock.c -- the clock goes forward, and chance is not a constant. */
#include "unit.h"

#include "clock/clock.h"

static void test_monotonic_never_steps_back(void **state)
{
	uint64_t start = clock_monotonic_us();
	uint64_t last = start;

	(void)state;
	while (last < start + 3000) {
		uint64_t now = clock_monotonic_us();

		assert_true(now >= last);
		last = now;
	}
}

static void test_units_agree(void **state)
{
	uint64_t before = clock_monotonic_us() / 1000;
	time_ms now = clock_monotonic();
	uint64_t after = clock_monotonic_us() / 1000;

	(void)state;
	assert_true(now >= (time_ms)before && now <= (time_ms)after);
}

static void test_wall_is_milliseconds_of_this_century(void **state)
{
	(void)state;
	assert_true(clock_wall() > 1577836800000); /* 2020-01-01 */
	assert_true(clock_wall() < 4102444800000); /* 2100-01-01 */
}

static void test_random_uses_every_bit(void **state)
{
	uint64_t ones = 0;
	uint64_t zeros = 0;

	(void)state;
	for (int i = 0; i < 128; i++) {
		uint64_t bits = clock_random();

		ones |= bits;
		zeros |= ~bits;
	}
	assert_true(ones == UINT64_MAX && zeros == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monotonic_never_steps_back),
		cmocka_unit_test(test_units_agree),
		cmocka_unit_test(test_wall_is_milliseconds_of_this_century),
		cmocka_unit_test(test_random_uses_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
