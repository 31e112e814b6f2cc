/* sim/bank.c -- blocks by hash, in memory that is only given back as a whole.
 */
#include "bank.h"

#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

enum { BANK_GIB = 4 };

void bank_open(struct bank *bank)
{
	memset(bank, 0, sizeof(*bank));
	bank->room = (size_t)BANK_GIB << 30;
	bank->memory = mmap(NULL, bank->room, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(bank->memory != MAP_FAILED);
}

void bank_close(struct bank *bank)
{
	munmap(bank->memory, bank->room);
	memset(bank, 0, sizeof(*bank));
}

void bank_clear(struct bank *bank)
{
	bank->used = 0;
	bank->count = 0;
	bank->states = NULL;
	memset(bank->buckets, 0, sizeof(bank->buckets));
}

void *bank_take(struct bank *bank, size_t size)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	CHECK(rounded <= bank->room - bank->used);
	void *at = bank->memory + bank->used;
	bank->used += rounded;
	return at;
}

static struct view copy(struct bank *bank, struct view bytes)
{
	uint8_t *at = bank_take(bank, bytes.size);
	memcpy(at, bytes.data, bytes.size);
	return view_of(at, bytes.size);
}

const struct bank_block *bank_find(
	const struct bank *bank, const struct hash *hash)
{
	uint64_t spread;
	memcpy(&spread, hash->bytes, sizeof(spread));
	const struct bank_block *at = bank->buckets[spread % BANK_BUCKETS];
	while (at && !hash_equal(&at->ref.hash, hash))
		at = at->next;
	return at;
}

struct bank_block *bank_put(struct bank *bank, const struct block_ref *ref,
	const struct hash *network, bool *is_new)
{
	uint64_t spread;
	memcpy(&spread, ref->hash.bytes, sizeof(spread));
	struct bank_block **bucket = &bank->buckets[spread % BANK_BUCKETS];
	*is_new = false;
	for (struct bank_block *at = *bucket; at; at = at->next) {
		if (hash_equal(&at->ref.hash, &ref->hash))
			return view_equal(at->ref.bytes, ref->bytes) ? at
								     : NULL;
	}
	struct bank_block *block = bank_take(bank, sizeof(*block));
	struct view bytes = copy(bank, ref->bytes);
	if (block_open(&block->ref, bytes, network) != ERR_OK ||
		!hash_equal(&block->ref.hash, &ref->hash))
		return NULL;
	block->number = bank->count++;
	block->next = *bucket;
	*bucket = block;
	*is_new = true;
	return block;
}

const struct bank_state *bank_put_state(
	struct bank *bank, const struct bank_block *block, struct view bytes)
{
	for (struct bank_state *at = bank->states; at; at = at->next) {
		if (at->block == block)
			return view_equal(at->bytes, bytes) ? at : NULL;
	}
	struct bank_state *state = bank_take(bank, sizeof(*state));
	state->block = block;
	state->bytes = copy(bank, bytes);
	state->next = bank->states;
	bank->states = state;
	return state;
}
