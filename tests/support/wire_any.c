/* tests/support/wire_any.c -- see wire_any.h. */
#include "support/wire_any.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* ---- any value ---- */

static bool any_value(
	struct wire_reader *reader, struct wire_writer *writer, unsigned depth)
{
	uint8_t tag = reader->at < reader->end ? *reader->at : 0xc0;
	size_t count;

	if (tag <= 0x7f || (tag >= 0xcc && tag <= 0xcf)) {
		uint64_t value = wire_read_uint(reader, UINT64_MAX);

		wire_write_uint(writer, value, UINT64_MAX);
	} else if (tag >= 0xc4 && tag <= 0xc6) {
		struct view bytes = wire_read_bytes(reader, 0, SIZE_MAX);

		wire_write_bytes(writer, bytes, 0, SIZE_MAX);
	} else if ((tag >= 0xa0 && tag <= 0xbf) ||
		   (tag >= 0xd9 && tag <= 0xdb)) {
		struct view text = wire_read_text(reader, 0, SIZE_MAX);

		wire_write_text(writer, text, 0, SIZE_MAX);
	} else {
		count = wire_read_list(reader, 0, SIZE_MAX);
		wire_write_list(writer, count, 0, SIZE_MAX);
		for (size_t i = 0; i < count && depth > 0; i++) {
			if (!any_value(reader, writer, depth - 1))
				return false;
		}
		if (count > 0 && depth == 0)
			return false;
	}
	return reader->err == ERR_OK;
}

bool wire_any(struct view bytes, struct wire_writer *writer)
{
	struct wire_reader reader = wire_reader_of(bytes);

	return any_value(&reader, writer, WIRE_ANY_DEPTH) &&
	       wire_read_end(&reader) == ERR_OK;
}

/* ---- a random message ---- */

struct sample {
	struct random *random;
	struct wire_writer writer;
	uint64_t spread; /* how far above its least a size may go */
};

/* Often a border, where encodings change their shape. */
static uint64_t pick(struct sample *s, uint64_t min, uint64_t max)
{
	static const uint64_t borders[] = {0, 1, 15, 16, 31, 32, 127, 128, 255,
		256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32};
	uint64_t border = borders[random_below(
		s->random, sizeof(borders) / sizeof(*borders))];

	switch (random_below(s->random, 4)) {
	case 0:
		return min;
	case 1:
		return max;
	case 2:
		if (border >= min && border <= max)
			return border;
	}
	return min + random_below(s->random, max - min + 1);
}

static uint64_t pick_size(struct sample *s, uint64_t min, uint64_t max)
{
	return pick(s, min, max - min > s->spread ? min + s->spread : max);
}

static void fill_text(struct random *random, uint8_t *out, size_t size)
{
	static const char *const pieces[] = {
		"a", "~", "\xc3\xa9", "\xe7\xa9\xba", "\xf0\x9f\x9b\xac"};

	for (size_t at = 0; at < size;) {
		const char *piece = pieces[random_below(random, 5)];

		if (strlen(piece) > size - at)
			piece = "_";
		memcpy(out + at, piece, strlen(piece));
		at += strlen(piece);
	}
}

static void sample_rule(struct sample *s, const struct schema_rule *rule);

static void sample_item(struct sample *s, const struct schema_member *member)
{
	static uint8_t bytes[1 << 16];
	struct view view = view_of(bytes, 0);

	if (member->kind == SCHEMA_UINT) {
		wire_write_uint(&s->writer, pick(s, member->min, member->max),
			member->max);
	} else if (member->kind == SCHEMA_RULE) {
		sample_rule(s, member->rule);
	} else {
		view.size = (size_t)pick_size(s, member->min, member->max);
		CHECK(view.size <= sizeof(bytes));
		for (size_t i = 0; i < view.size; i++)
			bytes[i] = (uint8_t)random_next(s->random);
		if (member->kind == SCHEMA_TEXT) {
			fill_text(s->random, bytes, view.size);
			wire_write_text(
				&s->writer, view, member->min, member->max);
		} else {
			wire_write_bytes(
				&s->writer, view, member->min, member->max);
		}
	}
}

static void sample_rule(struct sample *s, const struct schema_rule *rule)
{
	wire_write_array(&s->writer, rule->member_count);
	for (size_t i = 0; i < rule->member_count; i++) {
		const struct schema_member *member = &rule->members[i];
		uint64_t count = 1;

		if (member->is_list) {
			count = pick_size(
				s, member->count_min, member->count_max);
			wire_write_list(&s->writer, (size_t)count,
				member->count_min, member->count_max);
		}
		for (uint64_t k = 0; k < count && !s->writer.failed; k++)
			sample_item(s, member);
	}
}

size_t wire_sample(uint8_t *out, size_t size, const struct schema_rule *rule,
	struct random *random)
{
	struct sample s = {.random = random, .spread = UINT64_C(1) << 16};

	/* The greatest sizes do not fit all at once: try with less and less. */
	for (; s.spread > 0; s.spread /= 2) {
		s.writer = wire_writer_of(
			out, size < rule->bytes_max ? size : rule->bytes_max);
		sample_rule(&s, rule);
		if (wire_write_end(&s.writer) > 0)
			return s.writer.used;
	}
	return 0;
}

enum err wire_check(const struct schema_rule *rule, struct view bytes,
	uint8_t *scratch, size_t size_max)
{
	/* A copy of exactly this size, so that a sanitizer sees the next byte
	 * being read. */
	uint8_t *copy = malloc(bytes.size + (bytes.size == 0));
	size_t size = 0;
	enum err err;

	CHECK(copy != NULL);
	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	err = rule->check(view_of(copy, bytes.size), scratch, size_max, &size);
	if (err == ERR_OK)
		CHECK(view_equal(view_of(scratch, size), bytes));
	else
		CHECK(err == ERR_ENCODING || err == ERR_LENGTH);
	free(copy);
	return err;
}
