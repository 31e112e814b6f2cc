/* tests/unit/duration.c -- spans and points of time as people write them.
 */
#include "unit.h"

#include <string.h>

#include "store/duration.h"

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		time_ms ms;
	} good[] = {
		{"0", 0},
		{"0s", 0},
		{"250ms", 250},
		{"5s", 5000},
		{"10m", 600000},
		{"2h", 7200000},
		{"1d", 86400000},
		{"366d", 31622400000},
		{"007s", 7000},
	};
	static const char *const bad[] = {"", "5", "s", "-5s", "+5s", " 5s",
		"5 s", "5S", "5sec", "1.5s", "5s ", "367d", "31622400001ms",
		"99999999999999999999s", "1h30m"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		time_ms got = -1;

		assert_int_equal(duration_parse(good[i].text, &got), ERR_OK);
		assert_int_equal(got, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		time_ms got = -1;

		assert_int_equal(duration_parse(bad[i], &got), ERR_ENCODING);
		assert_int_equal(got, -1);
	}
}

static void test_points_of_time(void **state)
{
	static const struct {
		const char *text;
		time_ms ms;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-01-31T08:30:00Z", 1769848200000},
		{"2026-01-31T08:30:00.125Z", 1769848200125},
		{"2024-02-29T23:59:59Z", 1709251199000},
		{"2100-01-01T00:00:00Z", 4102444800000},
	};
	static const char *const bad[] = {"", "2026-01-31", "now",
		"2026-01-31T08:30:00", "2026-01-31 08:30:00Z",
		"2026-01-31T08:30:00+09:00", "2026-13-31T08:30:00Z",
		"2026-02-30T08:30:00Z", "2025-02-29T08:30:00Z",
		"2026-01-31T24:00:00Z", "2026-01-31T08:30:60Z",
		"2026-1-31T08:30:00Z", " 2026-01-31T08:30:00Z",
		"2026-01-31T08:30:00.1Z", "2026-01-31T08:30:00Zx",
		"1969-12-31T23:59:59Z", "2100-01-01T00:00:00.001Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		time_ms got = -1;

		assert_int_equal(utc_parse(good[i].text, &got), ERR_OK);
		assert_int_equal(got, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		time_ms got = -1;

		if (utc_parse(bad[i], &got) != ERR_ENCODING)
			fail_msg("%s is a time", bad[i]);
		assert_int_equal(got, -1);
	}
}

static void test_a_time_is_written_as_it_is_read(void **state)
{
	char text[32];
	time_ms got;

	(void)state;
	assert_string_equal(
		utc_format(text, 1769848200999), "2026-01-31T08:30:00Z");
	for (time_ms time = 0; time < 4102444800000; time += 9876543000) {
		assert_int_equal(
			utc_parse(utc_format(text, time), &got), ERR_OK);
		assert_int_equal(got, time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_points_of_time),
		cmocka_unit_test(test_a_time_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
