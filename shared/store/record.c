/* store/record.c -- one block in a segment file, as bytes.
 */
#include "store/record.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "store/disk.h"
#include "store/little.h"

#define MAGIC 0x31434552U /* "REC1" */

enum {
	AT_MAGIC = 0,
	AT_SIZE = 4,
	AT_HEIGHT = 8,
	AT_DURABLE = 16,
	AT_EPOCH = 24,
	AT_LINK = 32,
	AT_SUM = 40,
	AT_CHECK = 56,
	FILLING = 0xa5,
	WORD = 8, /* a copy stops between words, not inside one */
};

bool bytes_are_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static void hash_head(uint8_t out[RECORD_SUM], const uint8_t head[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT])
{
	uint8_t all[RECORD_SALT + AT_CHECK];

	memcpy(all, salt, RECORD_SALT);
	memcpy(all + RECORD_SALT, head, AT_CHECK);
	CHECK(crypto_generichash(out, RECORD_SUM, all, sizeof(all), NULL, 0) ==
		0);
}

void head_seal(uint8_t head[RECORD_HEAD], const uint8_t salt[RECORD_SALT])
{
	uint8_t check[RECORD_SUM];

	hash_head(check, head, salt);
	memcpy(head + AT_CHECK, check, RECORD_HEAD - AT_CHECK);
}

bool head_holds(
	const uint8_t head[RECORD_HEAD], const uint8_t salt[RECORD_SALT])
{
	uint8_t check[RECORD_SUM];

	hash_head(check, head, salt);
	return memcmp(head + AT_CHECK, check, RECORD_HEAD - AT_CHECK) == 0;
}

/* Over the salt, the head up to its sum, and the block. */
static void hash_block(uint8_t out[RECORD_SUM], const uint8_t head[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT], const uint8_t *block)
{
	crypto_generichash_state state;

	CHECK(crypto_generichash_init(&state, NULL, 0, RECORD_SUM) == 0);
	CHECK(crypto_generichash_update(&state, salt, RECORD_SALT) == 0);
	CHECK(crypto_generichash_update(&state, head, AT_SUM) == 0);
	CHECK(crypto_generichash_update(
		      &state, block, little_get32(head + AT_SIZE)) == 0);
	CHECK(crypto_generichash_final(&state, out, RECORD_SUM) == 0);
}

void record_write(uint8_t *out, struct record_head *head,
	const uint8_t salt[RECORD_SALT], const uint8_t *block)
{
	uint32_t end = RECORD_HEAD + head->size;

	CHECK(head->size > 0 && head->size <= RECORD_BLOCK_MAX);
	CHECK(head->durable < head->height);
	little_put32(out + AT_MAGIC, MAGIC);
	little_put32(out + AT_SIZE, head->size);
	little_put64(out + AT_HEIGHT, head->height);
	little_put64(out + AT_DURABLE, head->durable);
	little_put64(out + AT_EPOCH, head->epoch);
	memcpy(out + AT_LINK, head->link, RECORD_LINK);
	memcpy(out + RECORD_HEAD, block, head->size);
	memset(out + end, FILLING, record_span(head->size) - end);
	hash_block(head->sum, out, salt, out + RECORD_HEAD);
	memcpy(out + AT_SUM, head->sum, RECORD_SUM);
	head_seal(out, salt);
}

bool record_read_head(struct record_head *out, const uint8_t in[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT])
{
	struct record_head head;

	/* The magic first: it spares a hash where there is no record. */
	if (little_get32(in + AT_MAGIC) != MAGIC || !head_holds(in, salt))
		return false;
	head.size = little_get32(in + AT_SIZE);
	head.height = little_get64(in + AT_HEIGHT);
	head.durable = little_get64(in + AT_DURABLE);
	head.epoch = little_get64(in + AT_EPOCH);
	memcpy(head.link, in + AT_LINK, RECORD_LINK);
	memcpy(head.sum, in + AT_SUM, RECORD_SUM);
	if (head.size == 0 || head.size > RECORD_BLOCK_MAX ||
		head.durable >= head.height)
		return false;
	*out = head;
	return true;
}

bool record_holds(const uint8_t head[RECORD_HEAD],
	const uint8_t salt[RECORD_SALT], const uint8_t *block,
	const uint8_t *filling)
{
	uint32_t size = little_get32(head + AT_SIZE);
	uint32_t rest = record_span(size) - RECORD_HEAD - size;
	uint8_t sum[RECORD_SUM];

	for (uint32_t i = 0; i < rest; i++)
		if (filling[i] != FILLING)
			return false;
	hash_block(sum, head, salt, block);
	return memcmp(sum, head + AT_SUM, RECORD_SUM) == 0;
}

bool record_is_torn(const uint8_t *record, uint32_t span, uint64_t offset)
{
	uint32_t at = 0;

	while (at < span) {
		uint32_t end = at + DISK_SECTOR -
			       (uint32_t)((offset + at) % DISK_SECTOR);

		if (end > span)
			end = span;
		if (bytes_are_zero(record + end - WORD, WORD))
			return true;
		at = end;
	}
	return false;
}

bool head_is_torn(const uint8_t head[RECORD_HEAD])
{
	return bytes_are_zero(head, WORD) ||
	       bytes_are_zero(head + RECORD_HEAD - WORD, WORD);
}
