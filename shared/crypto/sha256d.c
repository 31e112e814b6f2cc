/* crypto/sha256d.c -- two compressions a nonce, both OpenSSL's.
 *
 * SHA256_Transform is deprecated in OpenSSL 3 in favour of EVP, which hides the
 * chaining value: a mid-state could only be kept by copying a context on the
 * heap for each nonce, at half the speed. So 1.1's interface is asked for,
 * which is the documented way to go on using it.
 */
#define OPENSSL_API_COMPAT 10100

#include "crypto/sha256d.h"

#include <openssl/sha.h>
#include <string.h>

enum { BLOCK_SIZE = SHA256_CBLOCK, WORDS = 8 };

static void put_be32(uint8_t *out, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put_le32(uint8_t *out, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

/* Only the chaining value of a context is used: the rest belongs to the
 * functions that are not called here. */
static void take_hash(uint8_t out[32], const SHA256_CTX *context)
{
	for (size_t i = 0; i < WORDS; i++)
		put_be32(out + 4 * i, context->h[i]);
}

void sha256d(uint8_t out[32], struct view bytes)
{
	uint8_t first[32];

	SHA256(bytes.data, bytes.size, first);
	SHA256(first, sizeof(first), out);
}

bool sha256d_meets(const uint8_t hash[32], const uint8_t target[32])
{
	for (size_t i = 32; i-- > 0;) {
		if (hash[i] != target[i])
			return hash[i] < target[i];
	}
	return true;
}

/* The last block of a message of size bytes that ends at used: a one bit, zeros
 * and the number of bits (FIPS 180-4 §5.1.1). */
static void pad(uint8_t block[BLOCK_SIZE], size_t used, uint32_t size)
{
	memset(block + used, 0, BLOCK_SIZE - used);
	block[used] = 0x80;
	put_be32(block + BLOCK_SIZE - 4, size * 8);
}

/* Three compressions make a seal's hash: its first 64 bytes, its last 16, and
 * the hash of that. The first is the same for all nonces, so a search pays for
 * two. What is compared first are the most significant four bytes, which are
 * the last word: nearly every nonce ends there, before a byte is swapped. */
bool sha256d_search(const uint8_t seal[SEAL_SIZE], const uint8_t target[32],
	uint32_t from, uint32_t count, uint32_t *nonce)
{
	uint8_t tail[BLOCK_SIZE], second[BLOCK_SIZE], hash[32];
	SHA256_CTX start, middle, context;
	uint32_t highest = 0;

	SHA256_Init(&start);
	middle = start;
	SHA256_Transform(&middle, seal);
	memcpy(tail, seal + BLOCK_SIZE, SEAL_SIZE - BLOCK_SIZE);
	pad(tail, SEAL_SIZE - BLOCK_SIZE, SEAL_SIZE);
	pad(second, sizeof(hash), sizeof(hash));
	for (size_t i = 0; i < 4; i++)
		highest |= (uint32_t)target[28 + i] << 8 * i;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t tried = from + i;

		put_le32(tail + SEAL_NONCE_AT - BLOCK_SIZE, tried);
		memcpy(context.h, middle.h, sizeof(context.h));
		SHA256_Transform(&context, tail);
		take_hash(second, &context);
		memcpy(context.h, start.h, sizeof(context.h));
		SHA256_Transform(&context, second);
		if (__builtin_bswap32(context.h[WORDS - 1]) > highest)
			continue;
		take_hash(hash, &context);
		if (sha256d_meets(hash, target)) {
			*nonce = tried;
			return true;
		}
	}
	return false;
}
