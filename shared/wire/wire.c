/* wire/wire.c -- see wire.h. Packing is msgpack-c's, into a bounded buffer;
 * reading is our own, because a strict reader of five types is shorter than
 * the checks that a general unpacker would need around it.
 */
#include "wire/wire.h"

#include <string.h>

#include <msgpack.h>

/* ---- reading ---- */

struct wire_reader wire_reader_of(struct view bytes)
{
	/* An empty view may have no address, to which nothing can be added. */
	static const uint8_t none[1];
	const uint8_t *at = bytes.size > 0 ? bytes.data : none;

	return (struct wire_reader){
		.at = at, .end = at + bytes.size, .err = ERR_OK};
}

/*~ Reading fails closed. Whatever is wrong is kept once, and the rest of the
 * bytes is given up with it; so every later read finds nothing, returns zero,
 * and touches no memory. A decoder can then be one line a member, without a
 * question after each, and only the end has to be asked: wire_read_end.
 */
static uint64_t fail(struct wire_reader *reader, enum err err)
{
	if (reader->err == ERR_OK)
		reader->err = err;
	reader->at = reader->end;
	return 0;
}

static size_t left(const struct wire_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* The big-endian number of this width; one below least had a shorter form. */
static uint64_t take(struct wire_reader *reader, size_t width, uint64_t least)
{
	uint64_t value = 0;

	if (left(reader) < width)
		return fail(reader, ERR_ENCODING);
	for (size_t i = 0; i < width; i++)
		value = value << 8 | *reader->at++;
	if (value < least)
		return fail(reader, ERR_ENCODING);
	return value;
}

static uint8_t take_tag(struct wire_reader *reader)
{
	return (uint8_t)take(reader, 1, 0);
}

uint64_t wire_read_uint(struct wire_reader *reader, uint64_t max)
{
	uint8_t tag = take_tag(reader);
	uint64_t value = 0;

	if (tag <= 0x7f)
		value = tag;
	else if (tag == 0xcc)
		value = take(reader, 1, 1 << 7);
	else if (tag == 0xcd)
		value = take(reader, 2, 1 << 8);
	else if (tag == 0xce)
		value = take(reader, 4, 1 << 16);
	else if (tag == 0xcf)
		value = take(reader, 8, UINT64_C(1) << 32);
	else
		return fail(reader, ERR_ENCODING);
	if (value > max)
		return fail(reader, ERR_LENGTH);
	return value;
}

/* size bytes follow: borrow them. */
static struct view borrow(
	struct wire_reader *reader, uint64_t size, size_t min, size_t max)
{
	struct view bytes = view_of(reader->at, 0);

	if (reader->err == ERR_OK && (size < min || size > max))
		fail(reader, ERR_LENGTH);
	else if (size > left(reader))
		fail(reader, ERR_ENCODING);
	if (reader->err != ERR_OK)
		return bytes;
	bytes.size = (size_t)size;
	reader->at += bytes.size;
	return bytes;
}

struct view wire_read_bytes(struct wire_reader *reader, size_t min, size_t max)
{
	uint8_t tag = take_tag(reader);
	uint64_t size = 0;

	if (tag == 0xc4)
		size = take(reader, 1, 0);
	else if (tag == 0xc5)
		size = take(reader, 2, 1 << 8);
	else if (tag == 0xc6)
		size = take(reader, 4, 1 << 16);
	else
		fail(reader, ERR_ENCODING);
	return borrow(reader, size, min, max);
}

struct view wire_read_text(struct wire_reader *reader, size_t min, size_t max)
{
	uint8_t tag = take_tag(reader);
	struct view text;
	uint64_t size = 0;

	if (tag >= 0xa0 && tag <= 0xbf)
		size = tag & 0x1f;
	else if (tag == 0xd9)
		size = take(reader, 1, 1 << 5);
	else if (tag == 0xda)
		size = take(reader, 2, 1 << 8);
	else if (tag == 0xdb)
		size = take(reader, 4, 1 << 16);
	else
		fail(reader, ERR_ENCODING);
	text = borrow(reader, size, min, max);
	if (!text_is_utf8(text)) {
		fail(reader, ERR_ENCODING);
		text.size = 0;
	}
	return text;
}

void wire_read_fixed(struct wire_reader *reader, uint8_t *out, size_t size)
{
	struct view bytes = wire_read_bytes(reader, size, size);

	if (reader->err == ERR_OK)
		memcpy(out, bytes.data, size);
}

/* The number of members; each takes a byte at least. */
static uint64_t read_count(struct wire_reader *reader)
{
	uint8_t tag = take_tag(reader);
	uint64_t count = 0;

	if (tag >= 0x90 && tag <= 0x9f)
		count = tag & 0x0f;
	else if (tag == 0xdc)
		count = take(reader, 2, 1 << 4);
	else if (tag == 0xdd)
		count = take(reader, 4, 1 << 16);
	else
		return fail(reader, ERR_ENCODING);
	if (count > left(reader))
		return fail(reader, ERR_ENCODING);
	return count;
}

void wire_read_array(struct wire_reader *reader, size_t count)
{
	if (read_count(reader) != count)
		fail(reader, ERR_ENCODING);
}

size_t wire_read_list(struct wire_reader *reader, size_t min, size_t max)
{
	uint64_t count = read_count(reader);

	if (reader->err == ERR_OK && (count < min || count > max))
		return (size_t)fail(reader, ERR_LENGTH);
	return (size_t)count;
}

void wire_read_fail(struct wire_reader *reader, enum err err)
{
	fail(reader, err);
}

enum err wire_read_end(const struct wire_reader *reader)
{
	if (reader->err == ERR_OK && left(reader) > 0)
		return ERR_ENCODING;
	return reader->err;
}

/* ---- writing ---- */

struct wire_writer wire_writer_of(uint8_t *out, size_t size)
{
	return (struct wire_writer){.data = out, .size = size};
}

/* msgpack-c hands every piece here. */
static int on_write(void *context, const char *data, size_t size)
{
	struct wire_writer *writer = context;

	if (writer->failed || size > writer->size - writer->used) {
		writer->failed = true;
		return -1;
	}
	if (size > 0)
		memcpy(writer->data + writer->used, data, size);
	writer->used += size;
	return 0;
}

static msgpack_packer packer_of(struct wire_writer *writer)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, writer, on_write);
	return packer;
}

/* msgpack-c's results say no more than writer->failed, which on_write sets. */
static void check_range(
	struct wire_writer *writer, uint64_t value, uint64_t min, uint64_t max)
{
	if (value < min || value > max)
		writer->failed = true;
}

void wire_write_uint(struct wire_writer *writer, uint64_t value, uint64_t max)
{
	msgpack_packer packer = packer_of(writer);

	check_range(writer, value, 0, max);
	msgpack_pack_uint64(&packer, value);
}

void wire_write_bytes(
	struct wire_writer *writer, struct view bytes, size_t min, size_t max)
{
	msgpack_packer packer = packer_of(writer);

	check_range(writer, bytes.size, min, max);
	msgpack_pack_bin(&packer, bytes.size);
	msgpack_pack_bin_body(&packer, bytes.data, bytes.size);
}

void wire_write_text(
	struct wire_writer *writer, struct view text, size_t min, size_t max)
{
	msgpack_packer packer = packer_of(writer);

	check_range(writer, text.size, min, max);
	if (!text_is_utf8(text))
		writer->failed = true;
	msgpack_pack_str(&packer, text.size);
	msgpack_pack_str_body(&packer, text.data, text.size);
}

void wire_write_array(struct wire_writer *writer, size_t count)
{
	msgpack_packer packer = packer_of(writer);

	msgpack_pack_array(&packer, count);
}

void wire_write_list(
	struct wire_writer *writer, size_t count, size_t min, size_t max)
{
	check_range(writer, count, min, max);
	wire_write_array(writer, count);
}

size_t wire_write_end(const struct wire_writer *writer)
{
	return writer->failed ? 0 : writer->used;
}

/* ---- UTF-8 ---- */

/* Bytes of the sequence that begins here, or 0 (Unicode, table 3-7). */
static size_t sequence_size(const uint8_t *at, size_t size)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t length;

	if (at[0] <= 0x7f)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		length = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		length = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (size < length)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

bool text_is_utf8(struct view text)
{
	size_t at = 0;

	while (at < text.size) {
		size_t length = sequence_size(text.data + at, text.size - at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}
