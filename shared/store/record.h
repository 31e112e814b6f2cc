/* store/record.h -- one block in a segment file, as bytes.
 *
 * head (64 bytes): magic, size, height, durable, epoch, link, sum, check;
 * then the block; then 1 to 64 bytes of filling up to a multiple of 64.
 *
 * check covers the head alone, so a head is believed even when the block
 * behind it is torn. sum covers head and block. link is the sum of the record
 * before, so a record only counts where it was written. durable is the height
 * that was known to be on disk when this was written: a record is a witness
 * that everything up to there was acknowledged. epoch is raised by every
 * truncation, so what it left behind is known for old. The filling is not
 * zeros: so zeros at the end of a sector were never written.
 */
#ifndef PERCH_STORE_RECORD_H
#define PERCH_STORE_RECORD_H

#include "base/view.h"

enum {
	RECORD_ALIGN = 64,
	RECORD_HEAD = 64,
	RECORD_BLOCK_MAX = 60000,
	RECORD_SPAN_MAX = RECORD_HEAD + RECORD_BLOCK_MAX + RECORD_ALIGN,
	RECORD_LINK = 8,
	RECORD_SUM = 16,
	RECORD_SALT = 16,
};

struct record_head {
	uint32_t size; /* of the block: 1..RECORD_BLOCK_MAX */
	uint64_t height;
	uint64_t durable; /* < height */
	uint64_t epoch;
	uint8_t link[RECORD_LINK];
	uint8_t sum[RECORD_SUM];
};

/* Bytes of a file that a block of size bytes takes. */
static inline uint32_t record_span(uint32_t size)
{
	return (RECORD_HEAD + size + RECORD_ALIGN) & ~(RECORD_ALIGN - 1U);
}

/* Write the whole record to out (record_span bytes); head->sum is filled. salt
 * is the log's own: records of another log do not check. */
void record_write(uint8_t *out, struct record_head *head,
	const uint8_t salt[RECORD_SALT], const uint8_t *block);

/* Whether in is a head: magic, check and bounds. */
bool record_read_head(struct record_head *out, const uint8_t in[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT]);

/* Whether block (head.size bytes) and filling (up to the span) are those that
 * were written with this head. */
bool record_holds(const uint8_t head[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT], const uint8_t *block,
	const uint8_t *filling);

/* Whether some sector of a record that stands at offset was not written, or not
 * to its end: the part of it that lies in the record's span ends in zeros. */
bool record_is_torn(const uint8_t *record, uint32_t span, uint64_t offset);

/* The same for a head alone, which is in one sector: writing it, or writing
 * zeros over it, has stopped in the middle. */
bool head_is_torn(const uint8_t head[RECORD_HEAD]);

/* size > 0 */
bool bytes_are_zero(const uint8_t *bytes, size_t size);

/* The first 56 bytes of a 64-byte head get their check in the last 8. */
void head_seal(uint8_t head[RECORD_HEAD], const uint8_t salt[RECORD_SALT]);
bool head_holds(
	const uint8_t head[RECORD_HEAD], const uint8_t salt[RECORD_SALT]);

#endif
