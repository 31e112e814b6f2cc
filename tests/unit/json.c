/* tests/unit/json.c -- lines that are JSON whatever is put into them. */
#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "service/json.h"

static void test_shapes(void **state)
{
	char buffer[512];
	struct json json = json_of(buffer, sizeof(buffer));
	static const uint8_t bytes[] = {0x00, 0xa5, 0xff};

	(void)state;
	json_object(&json, NULL);
	json_text(&json, "text", "final");
	json_number(&json, "least", INT64_MIN);
	json_number(&json, "most", INT64_MAX);
	json_decimal(&json, "rate", 2.005e3);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "nothing");
	json_hex(&json, "hex", view_of(bytes, sizeof(bytes)));
	json_array(&json, "list");
	json_number(&json, NULL, 1);
	json_object(&json, NULL);
	json_end(&json);
	json_array(&json, NULL);
	json_end(&json);
	json_text(&json, NULL, "");
	json_end(&json);
	json_object(&json, "inner");
	json_number(&json, "a", 0);
	json_end(&json);
	json_end(&json);
	assert_string_equal(json_line(&json),
		"{\"text\":\"final\",\"least\":-9223372036854775808,"
		"\"most\":9223372036854775807,\"rate\":2005.00,\"yes\":true,"
		"\"no\":false,\"nothing\":null,\"hex\":\"00a5ff\","
		"\"list\":[1,{},[],\"\"],\"inner\":{\"a\":0}}");
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{"", "\"\""},
		{"a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\""},
		{"line\none", "\"line\\none\""},
		{"\t\x01\x1f\x7f", "\"\\u0009\\u0001\\u001f\\u007f\""},
		{"ドローンポート", "\"ドローンポート\""},
		{"\xff\xfe", "\"\\ufffd\\ufffd\""},
		{"a\xe3\x83", "\"a\\ufffd\\ufffd\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buffer[64];
		struct json json = json_of(buffer, sizeof(buffer));
		json_text(&json, NULL, cases[i].text);
		assert_string_equal(json_line(&json), cases[i].line);
	}
	char buffer[64];
	struct json json = json_of(buffer, sizeof(buffer));
	json_view(&json, NULL, view_of("a\0b", 3));
	assert_string_equal(json_line(&json), "\"a\\u0000b\"");
}

/* Whatever does not fit fails, and no byte beyond the buffer is written. */
static void test_bounds(void **state)
{
	static const char whole[] = "{\"name\":\"\\u0001x\",\"n\":[12,34]}";
	char buffer[sizeof(whole) + 8];

	(void)state;
	for (size_t size = 1; size < sizeof(buffer); size++) {
		memset(buffer, '#', sizeof(buffer));
		struct json json = json_of(buffer, size);
		json_object(&json, NULL);
		json_text(&json, "name", "\x01x");
		json_array(&json, "n");
		json_number(&json, NULL, 12);
		json_number(&json, NULL, 34);
		json_end(&json);
		json_end(&json);
		if (size >= sizeof(whole))
			assert_string_equal(json_line(&json), whole);
		else
			assert_null(json_line(&json));
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '#');
	}
}

/* Random bytes become printable text in one line: nothing below a space, and
 * no quote that is not escaped. */
static void test_random(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 3);
	for (size_t round = 0; round < 20000; round++) {
		uint8_t bytes[32];
		char buffer[256];
		size_t size = random_below(&random, sizeof(bytes) + 1);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&random);
		struct json json = json_of(buffer, sizeof(buffer));
		json_view(&json, NULL, view_of(bytes, size));
		const char *line = json_line(&json);
		assert_non_null(line);
		size_t end = strlen(line) - 1;
		assert_true(line[0] == '"' && line[end] == '"');
		for (size_t i = 1; i < end; i++) {
			assert_true((uint8_t)line[i] >= 0x20);
			assert_true(line[i] != '"');
			if (line[i] == '\\')
				i++;
			assert_true(i < end);
		}
	}
}

static void test_print(void **state)
{
	char buffer[64], back[64];
	FILE *file = tmpfile();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	struct json json = json_of(buffer, sizeof(buffer));
	json_object(&json, NULL);
	json_end(&json);
	assert_int_equal(json_print(&json, file), ERR_OK);
	assert_int_equal(json_print(&json, full), ERR_IO);
	rewind(file);
	assert_non_null(fgets(back, sizeof(back), file));
	assert_string_equal(back, "{}\n");
	json = json_of(buffer, 2);
	json_number(&json, NULL, 10);
	assert_int_equal(json_print(&json, file), ERR_FULL);
	fclose(file);
	fclose(full);
}

static void name_in_array(void *json)
{
	json_array(json, NULL);
	json_number(json, "name", 1);
}

static void no_name_in_object(void *json)
{
	json_object(json, NULL);
	json_number(json, NULL, 1);
}

static void left_open(void *json)
{
	json_object(json, NULL);
	json_line(json);
}

static void closed_twice(void *json)
{
	json_object(json, NULL);
	json_end(json);
	json_end(json);
}

static void two_values(void *json)
{
	json_number(json, NULL, 1);
	json_number(json, NULL, 2);
}

static void test_misuse(void **state)
{
	static void (*const acts[])(void *) = {name_in_array, no_name_in_object,
		left_open, closed_twice, two_values};

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		char buffer[64];
		struct json json = json_of(buffer, sizeof(buffer));
		assert_true(unit_aborts(acts[i], &json));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_misuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
