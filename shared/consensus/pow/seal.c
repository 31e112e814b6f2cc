/* consensus/pow/seal.c -- from a header to the bytes that are hashed. */
#include "consensus/pow/seal.h"

#include <string.h>

#include "base/check.h"
#include "consensus/pow/target.h"

enum { NONCE_SIZE = 4 };

static uint32_t get_32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

struct pow_field pow_field_of(const uint8_t bytes[POW_FIELD_SIZE])
{
	const uint8_t *extra = bytes + POW_FIELD_EXTRA_AT;
	return (struct pow_field){
		.bits = get_32(bytes),
		.nonce = get_32(bytes + POW_FIELD_NONCE_AT),
		.extra = get_32(extra) | (uint64_t)get_32(extra + 4) << 32,
	};
}

void pow_field_put(uint8_t bytes[POW_FIELD_SIZE], const struct pow_field *field)
{
	put(bytes, field->bits, 4);
	put(bytes + POW_FIELD_NONCE_AT, field->nonce, 4);
	put(bytes + POW_FIELD_EXTRA_AT, field->extra, 8);
}

static struct hash commitment(
	struct view header, size_t field_at, uint64_t extra)
{
	uint8_t bytes[BLOCK_HEADER_BYTES_MAX];
	CHECK(header.size <= sizeof(bytes) &&
		field_at + POW_FIELD_SIZE <= header.size);
	memcpy(bytes, header.data, header.size);
	memset(bytes + field_at + POW_FIELD_NONCE_AT, 0, NONCE_SIZE);
	put(bytes + field_at + POW_FIELD_EXTRA_AT, extra, 8);
	return hash_bytes(view_of(bytes, header.size));
}

void pow_seal(uint8_t seal[SEAL_SIZE], struct view header_bytes,
	size_t field_at, uint64_t extra)
{
	struct header header;
	struct hash committed = commitment(header_bytes, field_at, extra);
	enum err err = header_decode(&header, header_bytes);
	CHECK(err == ERR_OK);
	put(seal, 1, 4);
	memcpy(seal + 4, header.parent.bytes, 32);
	memcpy(seal + 36, committed.bytes, 32);
	put(seal + 68, header.time / 1000, 4);
	memcpy(seal + 72, header_bytes.data + field_at, 4);
	memcpy(seal + SEAL_NONCE_AT,
		header_bytes.data + field_at + POW_FIELD_NONCE_AT, NONCE_SIZE);
}

bool pow_seal_meets(struct view header_bytes, size_t field_at)
{
	uint8_t seal[SEAL_SIZE], hash[32], target[32];
	struct pow_field field = pow_field_of(header_bytes.data + field_at);
	struct number number;
	if (!target_of_bits(&number, field.bits))
		return false;
	number_little(&number, target);
	pow_seal(seal, header_bytes, field_at, field.extra);
	sha256d(hash, view_of(seal, sizeof(seal)));
	return sha256d_meets(hash, target);
}
