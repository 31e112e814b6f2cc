/* tests/fuzz/differ.c -- two readers of msgpack, one opinion.
 *
 * What our reader accepts, msgpack-c unpacks, and packs again to the same
 * bytes. What msgpack-c unpacks to nothing but unsigned integers, bytes, text
 * and arrays, and packs again to the same bytes, our reader accepts. msgpack-c
 * asks for as much memory as a length claims, so a length is looked at first.
 */
#include <string.h>

#include <msgpack.h>

#include "base/check.h"
#include "fuzz/targets.h"
#include "support/wire_any.h"

enum { INPUT_MAX = 1 << 16, DEPTH_MAX = 24 };

/* ---- how long a value claims to be, of any type of msgpack ---- */

struct claim {
	uint64_t items; /* values that follow */
	uint64_t bytes; /* bytes that follow the tag */
};

static uint64_t big_endian(const uint8_t *at, size_t width)
{
	uint64_t value = 0;

	while (width-- > 0)
		value = value << 8 | *at++;
	return value;
}

/* Of the tags from c0 to df: {width of the length, bytes besides, items per
 * unit of length, whether the length counts bytes}. */
static const struct {
	uint8_t width, bytes, items, counts_bytes;
} tags[32] = {
	[0x04] = {1, 0, 0, 1}, /* bin */
	[0x05] = {2, 0, 0, 1},
	[0x06] = {4, 0, 0, 1},
	[0x07] = {1, 1, 0, 1}, /* ext */
	[0x08] = {2, 1, 0, 1},
	[0x09] = {4, 1, 0, 1},
	[0x0a] = {0, 4, 0, 0}, /* float */
	[0x0b] = {0, 8, 0, 0},
	[0x0c] = {0, 1, 0, 0}, /* uint */
	[0x0d] = {0, 2, 0, 0},
	[0x0e] = {0, 4, 0, 0},
	[0x0f] = {0, 8, 0, 0},
	[0x10] = {0, 1, 0, 0}, /* int */
	[0x11] = {0, 2, 0, 0},
	[0x12] = {0, 4, 0, 0},
	[0x13] = {0, 8, 0, 0},
	[0x14] = {0, 2, 0, 0}, /* fixext */
	[0x15] = {0, 3, 0, 0},
	[0x16] = {0, 5, 0, 0},
	[0x17] = {0, 9, 0, 0},
	[0x18] = {0, 17, 0, 0},
	[0x19] = {1, 0, 0, 1}, /* str */
	[0x1a] = {2, 0, 0, 1},
	[0x1b] = {4, 0, 0, 1},
	[0x1c] = {2, 0, 1, 0}, /* array */
	[0x1d] = {4, 0, 1, 0},
	[0x1e] = {2, 0, 2, 0}, /* map */
	[0x1f] = {4, 0, 2, 0},
};

static struct claim claim_of(struct view bytes)
{
	uint8_t tag = bytes.data[0], width;
	struct claim claim = {0, 0};
	uint64_t length;

	if (tag >= 0x80 && tag <= 0x8f)
		claim.items = 2 * (uint64_t)(tag & 0x0f);
	else if (tag >= 0x90 && tag <= 0x9f)
		claim.items = tag & 0x0f;
	else if (tag >= 0xa0 && tag <= 0xbf)
		claim.bytes = tag & 0x1f;
	if (tag < 0xc0 || tag > 0xdf)
		return claim;
	width = tags[tag & 0x1f].width;
	if (width >= bytes.size)
		return (struct claim){.bytes = bytes.size}; /* is cut */
	length = big_endian(bytes.data + 1, width);
	claim.items = length * tags[tag & 0x1f].items;
	claim.bytes = width + tags[tag & 0x1f].bytes;
	if (tags[tag & 0x1f].counts_bytes)
		claim.bytes += length;
	return claim;
}

/* Whether no length claims more than there is. rest: what follows the value. */
static bool is_bounded(struct view bytes, struct view *rest, unsigned depth)
{
	struct claim claim;

	if (bytes.size == 0 || depth == 0)
		return false;
	claim = claim_of(bytes);
	if (claim.bytes > bytes.size - 1 || claim.items > bytes.size - 1)
		return false;
	*rest = view_of(bytes.data + 1 + claim.bytes,
		bytes.size - 1 - (size_t)claim.bytes);
	for (uint64_t i = 0; i < claim.items; i++) {
		if (!is_bounded(*rest, rest, depth - 1))
			return false;
	}
	return true;
}

/* ---- msgpack-c's opinion ---- */

static bool is_of_profile(const msgpack_object *object, unsigned depth)
{
	switch ((int)object->type) {
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_BIN:
		return true;
	case MSGPACK_OBJECT_STR:
		return text_is_utf8(
			view_of(object->via.str.ptr, object->via.str.size));
	case MSGPACK_OBJECT_ARRAY:
		for (uint32_t i = 0; i < object->via.array.size; i++) {
			if (depth == 0 ||
				!is_of_profile(
					&object->via.array.ptr[i], depth - 1))
				return false;
		}
		return true;
	default:
		return false;
	}
}

static bool packs_to(const msgpack_object *object, struct view bytes)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	bool same;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	CHECK(msgpack_pack_object(&packer, *object) == 0);
	same = view_equal(view_of(buffer.data, buffer.size), bytes);
	msgpack_sbuffer_destroy(&buffer);
	return same;
}

static bool msgpack_accepts(struct view bytes)
{
	msgpack_unpacked result;
	size_t used = 0;
	bool accepts;

	msgpack_unpacked_init(&result);
	accepts = msgpack_unpack_next(&result, (const char *)bytes.data,
			  bytes.size, &used) == MSGPACK_UNPACK_SUCCESS &&
		  used == bytes.size &&
		  is_of_profile(&result.data, WIRE_ANY_DEPTH) &&
		  packs_to(&result.data, bytes);
	msgpack_unpacked_destroy(&result);
	return accepts;
}

void fuzz_differ(struct view bytes)
{
	static uint8_t again[INPUT_MAX];
	struct wire_writer writer = wire_writer_of(again, sizeof(again));
	struct view rest;
	bool accepted;

	if (bytes.size > sizeof(again))
		return;
	accepted = wire_any(bytes, &writer);
	if (accepted) {
		CHECK(wire_write_end(&writer) == bytes.size);
		CHECK(memcmp(again, bytes.data, bytes.size) == 0);
	}
	if (is_bounded(bytes, &rest, DEPTH_MAX) && rest.size == 0)
		CHECK(accepted == msgpack_accepts(bytes));
	else
		CHECK(!accepted);
}
