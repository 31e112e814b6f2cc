/* tests/unit/wire.c -- the reader's every refusal, the writer's limits, and the
 * msgpack test suite: of all encodings of a value, exactly one is accepted.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "support/wire_any.h"
#include "wire/wire.h"

enum { BYTES_MAX = 70000 };

/* Bytes as in the tables below: "cc 80", "c4 02 00ff". */
static struct view from_hex(uint8_t *out, const char *text)
{
	char digits[256];
	size_t count = 0;

	for (; *text != '\0'; text++) {
		if (*text != ' ' && *text != '-')
			digits[count++] = *text;
	}
	digits[count] = '\0';
	assert_int_equal(hex_decode(out, count / 2, digits), ERR_OK);
	return view_of(out, count / 2);
}

static void test_uint(void **state)
{
	static const struct {
		const char *bytes;
		uint64_t max, value;
		enum err err;
	} rows[] = {
		{"00", 0, 0, ERR_OK},
		{"7f", 127, 127, ERR_OK},
		{"7f", 126, 0, ERR_LENGTH},
		{"cc 80", 255, 128, ERR_OK},
		{"cc ff", 254, 0, ERR_LENGTH},
		{"cd 0100", UINT64_MAX, 256, ERR_OK},
		{"cd ffff", UINT64_MAX, 65535, ERR_OK},
		{"ce 00010000", UINT64_MAX, 65536, ERR_OK},
		{"cf 0000000100000000", UINT64_MAX, UINT64_C(1) << 32, ERR_OK},
		{"cf ffffffffffffffff", UINT64_MAX, UINT64_MAX, ERR_OK},
		{"cf ffffffffffffffff", UINT64_MAX - 1, 0, ERR_LENGTH},
		/* longer than needed */
		{"cc 7f", UINT64_MAX, 0, ERR_ENCODING},
		{"cd 00ff", UINT64_MAX, 0, ERR_ENCODING},
		{"ce 0000ffff", UINT64_MAX, 0, ERR_ENCODING},
		{"cf 00000000ffffffff", UINT64_MAX, 0, ERR_ENCODING},
		/* cut */
		{"", UINT64_MAX, 0, ERR_ENCODING},
		{"cc", UINT64_MAX, 0, ERR_ENCODING},
		{"cd 01", UINT64_MAX, 0, ERR_ENCODING},
		{"ce 000100", UINT64_MAX, 0, ERR_ENCODING},
		{"cf 00000001000000", UINT64_MAX, 0, ERR_ENCODING},
		/* too many */
		{"00 00", UINT64_MAX, 0, ERR_ENCODING},
		/* other types: negative, signed, nil, never used, bool, float,
		 * text, bytes, array, map, ext */
		{"ff", UINT64_MAX, 0, ERR_ENCODING},
		{"e0", UINT64_MAX, 0, ERR_ENCODING},
		{"d0 01", UINT64_MAX, 0, ERR_ENCODING},
		{"d1 0100", UINT64_MAX, 0, ERR_ENCODING},
		{"d2 00010000", UINT64_MAX, 0, ERR_ENCODING},
		{"d3 0000000100000000", UINT64_MAX, 0, ERR_ENCODING},
		{"c0", UINT64_MAX, 0, ERR_ENCODING},
		{"c1", UINT64_MAX, 0, ERR_ENCODING},
		{"c2", UINT64_MAX, 0, ERR_ENCODING},
		{"c3", UINT64_MAX, 0, ERR_ENCODING},
		{"ca 00000000", UINT64_MAX, 0, ERR_ENCODING},
		{"cb 0000000000000000", UINT64_MAX, 0, ERR_ENCODING},
		{"a0", UINT64_MAX, 0, ERR_ENCODING},
		{"c4 00", UINT64_MAX, 0, ERR_ENCODING},
		{"90", UINT64_MAX, 0, ERR_ENCODING},
		{"80", UINT64_MAX, 0, ERR_ENCODING},
		{"d4 0110", UINT64_MAX, 0, ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t bytes[32];
		struct wire_reader reader =
			wire_reader_of(from_hex(bytes, rows[i].bytes));
		uint64_t value = wire_read_uint(&reader, rows[i].max);

		assert_int_equal(wire_read_end(&reader), rows[i].err);
		if (rows[i].err == ERR_OK)
			assert_int_equal(value, rows[i].value);
	}
}

/* A head, and as much of a body as its size says less cut. */
struct run_row {
	const char *head;
	size_t body, min, max;
	enum err err;
};

static void check_run(const struct run_row *row, bool is_text)
{
	static uint8_t bytes[BYTES_MAX];
	struct view head = from_hex(bytes, row->head);
	struct wire_reader reader;
	struct view body;

	memset(bytes + head.size, 'x', row->body);
	reader = wire_reader_of(view_of(bytes, head.size + row->body));
	if (is_text)
		body = wire_read_text(&reader, row->min, row->max);
	else
		body = wire_read_bytes(&reader, row->min, row->max);
	assert_int_equal(wire_read_end(&reader), row->err);
	assert_true(reader.at <= reader.end);
	if (row->err == ERR_OK) {
		assert_int_equal(body.size, row->body);
		assert_ptr_equal(body.data, bytes + head.size);
	}
}

static void test_bytes(void **state)
{
	static const struct run_row rows[] = {
		{"c4 00", 0, 0, 0, ERR_OK},
		{"c4 01", 1, 1, 1, ERR_OK},
		{"c4 ff", 255, 0, 255, ERR_OK},
		{"c5 0100", 256, 0, 256, ERR_OK},
		{"c5 ffff", 65535, 0, 65535, ERR_OK},
		{"c6 00010000", 65536, 0, 65536, ERR_OK},
		{"c4 00", 0, 1, 9, ERR_LENGTH},
		{"c4 05", 5, 0, 4, ERR_LENGTH},
		{"c5 0100", 256, 0, 255, ERR_LENGTH},
		{"c5 00ff", 255, 0, 255, ERR_ENCODING},
		{"c6 0000ffff", 65535, 0, 65535, ERR_ENCODING},
		{"c6 ffffffff", 9, 0, SIZE_MAX, ERR_ENCODING},
		{"c4 05", 4, 0, 9, ERR_ENCODING},
		{"c4 05", 6, 0, 9, ERR_ENCODING},
		{"c4", 0, 0, 9, ERR_ENCODING},
		{"c5 01", 0, 0, 999, ERR_ENCODING},
		{"c6 000100", 0, 0, SIZE_MAX, ERR_ENCODING},
		{"a1", 1, 0, 9, ERR_ENCODING},
		{"", 0, 0, 9, ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_run(&rows[i], false);
}

static void test_text(void **state)
{
	static const struct run_row rows[] = {
		{"a0", 0, 0, 0, ERR_OK},
		{"bf", 31, 31, 31, ERR_OK},
		{"d9 20", 32, 0, 32, ERR_OK},
		{"d9 ff", 255, 0, 255, ERR_OK},
		{"da 0100", 256, 0, 256, ERR_OK},
		{"db 00010000", 65536, 0, 65536, ERR_OK},
		{"a0", 0, 1, 9, ERR_LENGTH},
		{"a5", 5, 0, 4, ERR_LENGTH},
		{"d9 1f", 31, 0, 99, ERR_ENCODING},
		{"da 00ff", 255, 0, 999, ERR_ENCODING},
		{"db 0000ffff", 65535, 0, 65535, ERR_ENCODING},
		{"a5", 4, 0, 9, ERR_ENCODING},
		{"a5", 6, 0, 9, ERR_ENCODING},
		{"d9", 0, 0, 9, ERR_ENCODING},
		{"c4 01", 1, 0, 9, ERR_ENCODING},
		{"", 0, 0, 9, ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_run(&rows[i], true);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *bytes;
		bool good;
	} rows[] = {
		{"", true},
		{"00", true},
		{"7f", true},
		{"c280", true},
		{"dfbf", true},
		{"e0a080", true},
		{"ed9fbf", true},
		{"ee8080", true},
		{"efbfbf", true},
		{"f0908080", true},
		{"f48fbfbf", true},
		{"80", false}, /* a continuation alone */
		{"bf", false},
		{"c080", false}, /* overlong */
		{"c1bf", false},
		{"e09fbf", false},
		{"f08fbfbf", false},
		{"eda080", false}, /* surrogates */
		{"edbfbf", false},
		{"f4908080", false}, /* above U+10FFFF */
		{"f5808080", false},
		{"ff", false},
		{"c2", false}, /* cut */
		{"e0a0", false},
		{"f09080", false},
		{"c241", false}, /* not continued */
		{"e0a041", false},
		{"f0908041", false},
		{"e7a9ba41", true},
		{"41e7a9", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t bytes[16];
		uint8_t encoded[16] = {0};
		struct view text = from_hex(bytes, rows[i].bytes);
		struct wire_writer writer =
			wire_writer_of(encoded, sizeof(encoded));
		struct wire_reader reader;

		assert_int_equal(text_is_utf8(text), rows[i].good);
		encoded[0] = (uint8_t)(0xa0 | text.size);
		memcpy(encoded + 1, bytes, text.size);
		reader = wire_reader_of(view_of(encoded, 1 + text.size));
		text = wire_read_text(&reader, 0, 9);
		assert_int_equal(wire_read_end(&reader),
			rows[i].good ? ERR_OK : ERR_ENCODING);
		wire_write_text(&writer, view_of(bytes, text.size), 0, 9);
		if (rows[i].good)
			assert_int_equal(
				wire_write_end(&writer), 1 + text.size);
	}
}

static void test_fixed(void **state)
{
	uint8_t out[4] = {9, 9, 9, 9}, same[4] = {9, 9, 9, 9};
	uint8_t bytes[16];
	struct wire_reader reader;

	(void)state;
	reader = wire_reader_of(from_hex(bytes, "c4 03 010203"));
	wire_read_fixed(&reader, out, 4);
	assert_int_equal(wire_read_end(&reader), ERR_LENGTH);
	assert_memory_equal(out, same, 4);
	reader = wire_reader_of(from_hex(bytes, "c4 04 01020304"));
	wire_read_fixed(&reader, out, 4);
	assert_int_equal(wire_read_end(&reader), ERR_OK);
	assert_memory_equal(out, bytes + 2, 4);
}

static void test_lists(void **state)
{
	static const struct {
		const char *head;
		size_t body, min, max;
		enum err err;
	} rows[] = {
		{"90", 0, 0, 0, ERR_OK},
		{"9f", 15, 0, 15, ERR_OK},
		{"dc 0010", 16, 0, 16, ERR_OK},
		{"dd 00010000", 65536, 0, 65536, ERR_OK},
		{"90", 0, 1, 2, ERR_LENGTH},
		{"93", 3, 1, 2, ERR_LENGTH},
		{"dc 000f", 15, 0, 99, ERR_ENCODING},
		{"dd 0000ffff", 65535, 0, 65535, ERR_ENCODING},
		/* 137 GB for an unpacker that trusts it */
		{"dd ffffffff", 5, 0, SIZE_MAX, ERR_ENCODING},
		{"dd 20000000", 0, 0, SIZE_MAX, ERR_ENCODING},
		{"93", 2, 0, 9, ERR_ENCODING},
		{"dc 00", 0, 0, 9, ERR_ENCODING},
		{"81", 2, 0, 9, ERR_ENCODING},
		{"8f", 0, 0, 9, ERR_ENCODING},
		{"a0", 0, 0, 9, ERR_ENCODING},
		{"c4 00", 0, 0, 9, ERR_ENCODING},
		{"", 0, 0, 9, ERR_ENCODING},
	};
	static uint8_t bytes[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view head = from_hex(bytes, rows[i].head);
		struct wire_reader reader;
		size_t count;

		memset(bytes + head.size, 0, rows[i].body);
		reader = wire_reader_of(
			view_of(bytes, head.size + rows[i].body));
		count = wire_read_list(&reader, rows[i].min, rows[i].max);
		assert_int_equal(reader.err, rows[i].err);
		assert_int_equal(
			count, rows[i].err == ERR_OK ? rows[i].body : 0);
		reader = wire_reader_of(
			view_of(bytes, head.size + rows[i].body));
		wire_read_array(&reader, rows[i].body);
		if (rows[i].err != ERR_LENGTH)
			assert_int_equal(reader.err, rows[i].err);
		reader = wire_reader_of(
			view_of(bytes, head.size + rows[i].body));
		wire_read_array(&reader, rows[i].body + 1);
		assert_int_equal(reader.err, ERR_ENCODING);
	}
}

static void test_stops_for_good(void **state)
{
	uint8_t bytes[16], out[2] = {7, 7};
	struct wire_reader reader =
		wire_reader_of(from_hex(bytes, "95 c0 01 c4 01 05 a1 61 91"));

	(void)state;
	wire_read_array(&reader, 5);
	assert_int_equal(wire_read_uint(&reader, 9), 0);
	assert_int_equal(reader.err, ERR_ENCODING);
	assert_int_equal(wire_read_uint(&reader, 9), 0);
	assert_int_equal(wire_read_bytes(&reader, 0, 9).size, 0);
	assert_int_equal(wire_read_text(&reader, 2, 9).size, 0);
	assert_int_equal(wire_read_list(&reader, 5, 9), 0);
	wire_read_fixed(&reader, out, 2);
	assert_int_equal(out[0], 7);
	assert_int_equal(wire_read_end(&reader), ERR_ENCODING);
	/* What is reported is the first thing. */
	reader = wire_reader_of(from_hex(bytes, "05 c0"));
	assert_int_equal(wire_read_uint(&reader, 4), 0);
	assert_int_equal(wire_read_uint(&reader, 4), 0);
	assert_int_equal(wire_read_end(&reader), ERR_LENGTH);
}

static void test_writer_limits(void **state)
{
	uint8_t out[8];
	struct wire_writer writer;

	(void)state;
	for (size_t size = 0; size < 6; size++) {
		memset(out, 0xee, sizeof(out));
		writer = wire_writer_of(out, size);
		wire_write_bytes(&writer, view_of("abc", 3), 0, 9);
		assert_int_equal(wire_write_end(&writer), size == 5 ? 5 : 0);
		assert_int_equal(out[size], 0xee);
	}
	writer = wire_writer_of(out, sizeof(out));
	wire_write_uint(&writer, 8, 7);
	wire_write_uint(&writer, 1, 7);
	assert_int_equal(wire_write_end(&writer), 0);
	writer = wire_writer_of(out, sizeof(out));
	wire_write_bytes(&writer, view_of("abc", 3), 4, 9);
	assert_int_equal(wire_write_end(&writer), 0);
	writer = wire_writer_of(out, sizeof(out));
	wire_write_text(&writer, view_of("abc", 3), 0, 2);
	assert_int_equal(wire_write_end(&writer), 0);
	writer = wire_writer_of(out, sizeof(out));
	wire_write_text(&writer, view_of("\xff", 1), 0, 2);
	assert_int_equal(wire_write_end(&writer), 0);
	writer = wire_writer_of(out, sizeof(out));
	wire_write_list(&writer, 3, 0, 2);
	assert_int_equal(wire_write_end(&writer), 0);
	writer = wire_writer_of(NULL, 0);
	wire_write_bytes(&writer, view_of(NULL, 0), 0, 0);
	assert_int_equal(wire_write_end(&writer), 0);
}

static void test_writer_shortest(void **state)
{
	static const uint64_t borders[] = {0, 127, 128, 255, 256, 65535, 65536,
		UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
	static const size_t sizes[] = {1, 1, 2, 2, 3, 3, 5, 5, 9, 9};

	(void)state;
	for (size_t i = 0; i < sizeof(borders) / sizeof(*borders); i++) {
		uint8_t out[9];
		struct wire_writer writer = wire_writer_of(out, sizeof(out));
		struct wire_reader reader;

		wire_write_uint(&writer, borders[i], UINT64_MAX);
		assert_int_equal(wire_write_end(&writer), sizes[i]);
		reader = wire_reader_of(view_of(out, sizes[i]));
		assert_int_equal(
			wire_read_uint(&reader, UINT64_MAX), borders[i]);
		assert_int_equal(wire_read_end(&reader), ERR_OK);
	}
}

/* ---- the msgpack test suite (kawanet/msgpack-test-suite) ---- */

/* Whether a value is of the profile: its line in the suite tells. */
static bool in_profile(const char *line)
{
	static const char *const always[] = {
		"   \"binary\":", "   \"string\":", "   \"array\":"};
	const char *colon = strchr(line, ':');

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++) {
		if (strncmp(line, always[i], strlen(always[i])) == 0)
			return true;
	}
	return (strstr(line, "\"number\":") || strstr(line, "\"bignum\":")) &&
	       !strpbrk(colon, "-.");
}

static bool accepts(const char *hex)
{
	uint8_t bytes[128], again[128];
	struct view view = from_hex(bytes, hex);
	struct wire_writer writer = wire_writer_of(again, sizeof(again));

	if (!wire_any(view, &writer))
		return false;
	assert_int_equal(wire_write_end(&writer), view.size);
	assert_memory_equal(again, bytes, view.size);
	return true;
}

static void test_suite(void **state)
{
	FILE *file = fopen(PERCH_VECTORS "/msgpack-test-suite.json", "r");
	unsigned values = 0, encodings = 0, accepted = 0, known = 0;
	bool profile = false, inside = false;
	char line[1024], hex[512];

	(void)state;
	if (file == NULL) {
		print_message("skipped: no %s\n",
			PERCH_VECTORS "/msgpack-test-suite.json");
		skip();
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "  {", 3) == 0) {
			profile = false;
			accepted = 0;
		} else if (strncmp(line, "   \"msgpack\": [", 15) == 0) {
			inside = true;
			values++;
		} else if (inside && sscanf(line, " \"%511[^\"]", hex) == 1) {
			accepted += accepts(hex);
			encodings++;
		} else if (inside) {
			inside = false;
			assert_int_equal(accepted, profile);
			known += profile;
		} else if (line[3] == '"') {
			profile = in_profile(line);
		} else if (strchr(line, '{') != NULL) {
			profile = false; /* a map inside an array */
		}
	}
	fclose(file);
	assert_int_equal(values, 85);
	assert_int_equal(encodings, 233);
	assert_int_equal(known, 36);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uint),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_stops_for_good),
		cmocka_unit_test(test_writer_limits),
		cmocka_unit_test(test_writer_shortest),
		cmocka_unit_test(test_suite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
