/* wire/wire.h -- a bounded reader and writer of canonical msgpack.
 *
 * The profile: unsigned integers, bytes (bin), UTF-8 text (str) and arrays of
 * a known length, each in its shortest encoding, and nothing else; so a value
 * has exactly one encoding. The reader walks over borrowed bytes, allocates
 * nothing, and stops for good at the first thing it does not like: after that
 * every read gives zero or an empty view. msgpack-c packs here, and never
 * unpacks what came from a network.
 *
 * Codecs of whole messages are generated from schemas/ on top of this.
 */
#ifndef PERCH_WIRE_WIRE_H
#define PERCH_WIRE_WIRE_H

#include "base/err.h"
#include "base/view.h"

/* ---- reading ---- */

struct wire_reader {
	const uint8_t *at;
	const uint8_t *end;
	enum err err; /* the first thing that was wrong, or ERR_OK */
};

struct wire_reader wire_reader_of(struct view bytes);

/* ERR_ENCODING: another type, a longer encoding than needed, or bytes missing.
 * ERR_LENGTH: what is there is outside the limits given. */
uint64_t wire_read_uint(struct wire_reader *reader, uint64_t max);
/* Borrowed from the reader's bytes; sizes in bytes. */
struct view wire_read_bytes(struct wire_reader *reader, size_t min, size_t max);
/* The same for text, which must be valid UTF-8. */
struct view wire_read_text(struct wire_reader *reader, size_t min, size_t max);
/* Bytes of exactly this size, copied to out (untouched on an error). */
void wire_read_fixed(struct wire_reader *reader, uint8_t *out, size_t size);
/* The head of an array with exactly count members. */
void wire_read_array(struct wire_reader *reader, size_t count);
/* The head of a list; its count, or 0 on an error. */
size_t wire_read_list(struct wire_reader *reader, size_t min, size_t max);

/* Give up: for what a caller finds wrong itself. */
void wire_read_fail(struct wire_reader *reader, enum err err);

/* What became of it all; ERR_ENCODING when bytes are left over. */
MUST_CHECK enum err wire_read_end(const struct wire_reader *reader);

/* ---- writing ---- */

struct wire_writer {
	uint8_t *data;
	size_t size;
	size_t used;
	bool failed; /* did not fit, or was outside its limits */
};

/* Writes to out, at most size bytes. */
struct wire_writer wire_writer_of(uint8_t *out, size_t size);

/* The same limits as for reading: what the writer writes, a reader accepts. */
void wire_write_uint(struct wire_writer *writer, uint64_t value, uint64_t max);
void wire_write_bytes(
	struct wire_writer *writer, struct view bytes, size_t min, size_t max);
void wire_write_text(
	struct wire_writer *writer, struct view text, size_t min, size_t max);
void wire_write_array(struct wire_writer *writer, size_t count);
void wire_write_list(
	struct wire_writer *writer, size_t count, size_t min, size_t max);

/* Bytes written, or 0 when anything failed. */
size_t wire_write_end(const struct wire_writer *writer);

/* Well-formed UTF-8: no overlong forms, no surrogates (Unicode, table 3-7). */
bool text_is_utf8(struct view text);

#endif
