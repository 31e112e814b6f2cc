/* tests/unit/rate.c -- tokens a second for each key, whatever others do.
 */
#include "unit.h"

#include <string.h>

#include "service/rate.h"

static struct rate rate;

static struct key key_of(uint32_t number)
{
	struct key key = {{0}};
	memcpy(key.bytes + 8, &number, sizeof(number));
	number *= 2654435761U;
	memcpy(key.bytes, &number, sizeof(number));
	return key;
}

/* How many of so many attempts a millisecond are let through in a second. */
static unsigned through(const struct key *key, time_ms *now, unsigned attempts)
{
	unsigned taken = 0;
	for (time_ms end = *now + 1000; *now < end; (*now)++) {
		for (unsigned i = 0; i < attempts; i++)
			taken += rate_take(&rate, key, *now) == 0;
	}
	return taken;
}

static void test_a_second_of_tokens_then_the_rate(void **state)
{
	struct key key = key_of(1);
	time_ms now = 5000;
	(void)state;
	rate_init(&rate, 100);
	assert_int_equal(through(&key, &now, 50), 199); /* a full bucket */
	assert_int_equal(through(&key, &now, 50), 100);
	now += 3600000;
	assert_int_equal(through(&key, &now, 50), 199);
}

static void test_it_says_when_to_come_back(void **state)
{
	struct key key = key_of(1);
	time_ms wait = 0, now = 7;
	(void)state;
	rate_init(&rate, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rate_take(&rate, &key, now), 0);
	wait = rate_take(&rate, &key, now);
	assert_int_equal(wait, 250);
	assert_int_equal(rate_take(&rate, &key, now + wait - 1), 1);
	assert_int_equal(rate_take(&rate, &key, now + wait), 0);
}

static void test_nobody_takes_from_another(void **state)
{
	struct key hoarder = key_of(1), other = key_of(2);
	time_ms now = 1;
	(void)state;
	rate_init(&rate, 1000);
	for (int i = 0; i < 100000; i++) {
		(void)rate_take(&rate, &hoarder, now);
		(void)rate_take(&rate, NULL, now);
	}
	assert_true(rate_take(&rate, &hoarder, now) > 0);
	assert_true(rate_take(&rate, NULL, now) > 0);
	assert_int_equal(through(&other, &now, 1), 1000);
}

/* More keys than there is room for: who asks most is not forgotten. */
static void test_a_full_table_keeps_the_emptiest(void **state)
{
	struct key hoarder = key_of(1);
	time_ms now = 1;
	(void)state;
	rate_init(&rate, 10);
	while (rate_take(&rate, &hoarder, now) == 0)
		;
	for (uint32_t i = 2; i < 100000; i++) {
		struct key key = key_of(i);
		assert_int_equal(rate_take(&rate, &key, now), 0);
	}
	assert_true(rate_take(&rate, &hoarder, now) > 0);
}

static void test_no_limit(void **state)
{
	struct key key = key_of(1);
	(void)state;
	rate_init(&rate, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(rate_take(&rate, &key, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second_of_tokens_then_the_rate),
		cmocka_unit_test(test_it_says_when_to_come_back),
		cmocka_unit_test(test_nobody_takes_from_another),
		cmocka_unit_test(test_a_full_table_keeps_the_emptiest),
		cmocka_unit_test(test_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
