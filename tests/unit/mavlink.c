/* tests/unit/mavlink.c -- MAVLink frames against those of node-mavlink 2.3, and
 * against anything at all.
 */
#include "unit.h"

#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "controller/mavlink.h"

/* Written by node-mavlink from the same values. */
static const struct vector {
	const char *hex;
	uint8_t version, sequence, system, component;
	uint32_t message;
	uint8_t at, byte; /* one byte of the payload that is not zero */
} vectors[] = {
	{"fe210701014c000000000000000000000000000000000000000000000000"
	 "00000000b90b0a00005e3a",
		1, 7, 1, 1, MAVLINK_COMMAND_LONG, 30, 10},
	{"fd1f00000701014c00000000000000000000000000000000000000000000"
	 "0000000000000000b90b0af702",
		2, 7, 1, 1, MAVLINK_COMMAND_LONG, 30, 10},
	{"fe02080101f50002b62b", 1, 8, 1, 1, MAVLINK_EXTENDED_SYS_STATE, 1, 2},
	{"fd020000080101f500000002b4bc", 2, 8, 1, 1, MAVLINK_EXTENDED_SYS_STATE,
		1, 2},
	{"fd0a0000090abf4d0000b90b001e1e0000000101ed77", 2, 9, 10, 191,
		MAVLINK_COMMAND_ACK, 3, 30},
	{"fd080000010abf0000000000000012080004685e", 2, 1, 10, 191,
		MAVLINK_HEARTBEAT, 4, 18},
	{"fd0c0000030101210000000000007068301570b450539e69", 2, 3, 1, 1,
		MAVLINK_GLOBAL_POSITION_INT, 11, 0x53},
};

enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static size_t unhex(uint8_t *out, const char *text)
{
	size_t size = strlen(text) / 2;

	assert_int_equal(hex_decode(out, size, text), ERR_OK);
	return size;
}

static void reads_others(void **state)
{
	uint8_t bytes[MAVLINK_FRAME_MAX];
	struct mavlink_frame frame;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		size_t at = 0, size = unhex(bytes, v->hex);

		assert_int_equal(
			mavlink_read(&frame, &at, view_of(bytes, size)),
			ERR_OK);
		assert_int_equal(at, size);
		assert_int_equal(frame.version, v->version);
		assert_int_equal(frame.sequence, v->sequence);
		assert_int_equal(frame.system, v->system);
		assert_int_equal(frame.component, v->component);
		assert_int_equal(frame.message, v->message);
		assert_int_equal(frame.payload[v->at], v->byte);
		assert_int_equal(
			mavlink_read(&frame, &at, view_of(bytes, size)),
			ERR_NOT_FOUND);
	}
}

static void writes_the_same(void **state)
{
	uint8_t bytes[MAVLINK_FRAME_MAX], again[MAVLINK_FRAME_MAX];
	struct mavlink_frame frame;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t at = 0, size = unhex(bytes, vectors[i].hex);

		assert_int_equal(
			mavlink_read(&frame, &at, view_of(bytes, size)),
			ERR_OK);
		assert_int_equal(mavlink_write(again, &frame), size);
		assert_memory_equal(again, bytes, size);
	}
}

/* Any byte of a frame that is changed: it is not taken for what it was. */
static void every_change_is_seen(void **state)
{
	uint8_t bytes[MAVLINK_FRAME_MAX];
	struct mavlink_frame frame;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t size = unhex(bytes, vectors[i].hex);

		for (size_t j = 0; j < 8 * size; j++) {
			size_t at = 0;

			bytes[j / 8] ^= (uint8_t)(1 << j % 8);
			assert_int_equal(
				mavlink_read(&frame, &at, view_of(bytes, size)),
				ERR_NOT_FOUND);
			bytes[j / 8] ^= (uint8_t)(1 << j % 8);
		}
	}
}

static void every_cut_is_seen(void **state)
{
	uint8_t bytes[MAVLINK_FRAME_MAX];
	struct mavlink_frame frame;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t size = unhex(bytes, vectors[i].hex);

		for (size_t cut = 0; cut < size; cut++) {
			uint8_t *exact = malloc(cut + 1);
			size_t at = 0;

			memcpy(exact, bytes, cut);
			assert_int_equal(
				mavlink_read(&frame, &at, view_of(exact, cut)),
				ERR_NOT_FOUND);
			free(exact);
		}
	}
}

/* A signed frame is read without its signature; any other flag says that we
 * could not read it. */
static void flags(void **state)
{
	uint8_t bytes[MAVLINK_FRAME_MAX];
	struct mavlink_frame frame;
	size_t at = 0, size = unhex(bytes, vectors[3].hex);

	(void)state;
	bytes[2] = 2;
	assert_int_equal(
		mavlink_read(&frame, &at, view_of(bytes, size)), ERR_NOT_FOUND);
	/* Signed: node-mavlink's sum over the changed header. */
	size = unhex(bytes,
		"fd020100080101f50000000225e900000000000000000000000000");
	at = 0;
	assert_int_equal(
		mavlink_read(&frame, &at, view_of(bytes, size)), ERR_OK);
	assert_int_equal(at, size);
	at = 0;
	assert_int_equal(mavlink_read(&frame, &at, view_of(bytes, size - 1)),
		ERR_NOT_FOUND);
}

/* Two frames with rubbish, and a message of others, between them. */
static void finds_its_way(void **state)
{
	uint8_t bytes[512];
	struct mavlink_frame frame;
	size_t size = unhex(bytes, vectors[2].hex), at = 0;

	(void)state;
	size += unhex(bytes + size, "00fd00fefd");
	size += unhex(bytes + size, vectors[5].hex);
	assert_int_equal(
		mavlink_read(&frame, &at, view_of(bytes, size)), ERR_OK);
	assert_int_equal(frame.message, MAVLINK_EXTENDED_SYS_STATE);
	assert_int_equal(
		mavlink_read(&frame, &at, view_of(bytes, size)), ERR_OK);
	assert_int_equal(frame.message, MAVLINK_HEARTBEAT);
}

/* Rubbish and mutations, in blocks of their own size for the sanitizer. */
static void anything_at_all(void **state)
{
	struct random random;
	uint64_t found = 0;

	(void)state;
	random_seed(&random, 4);
	for (int i = 0; i < 200000; i++) {
		size_t size = (size_t)random_below(&random, 64), at = 0, last;
		uint8_t *bytes = malloc(size + MAVLINK_FRAME_MAX);
		struct mavlink_frame frame;

		for (size_t j = 0; j < size; j++)
			bytes[j] = (uint8_t)random_next(&random);
		if (random_chance(&random, 700)) {
			size = unhex(bytes,
				vectors[random_below(&random, VECTORS)].hex);
			if (random_chance(&random, 900))
				bytes[random_below(&random, size)] =
					(uint8_t)random_next(&random);
			if (random_chance(&random, 300))
				size = (size_t)random_below(&random, size + 1);
		}
		bytes = realloc(bytes, size + 1);
		last = at;
		while (mavlink_read(&frame, &at, view_of(bytes, size)) ==
			ERR_OK) {
			assert_true(at > last && at <= size);
			last = at;
			found++;
		}
		assert_int_equal(at, size);
		free(bytes);
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_others),
		cmocka_unit_test(writes_the_same),
		cmocka_unit_test(every_change_is_seen),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(flags),
		cmocka_unit_test(finds_its_way),
		cmocka_unit_test(anything_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
