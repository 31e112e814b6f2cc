/* ledger/mempool.c -- waiting transactions, packed in order of arrival.
 *
 * Three arrays and a run of bytes, all fixed at the start. An entry is what is
 * known of one transaction, found by (wallet, id) in a chained hash table; a
 * line of slots names the entries in order of arrival; the envelopes lie one
 * behind the other in that same order. A removal leaves a gap in line and
 * bytes. When a put finds more gap than content it closes the gaps, which moves
 * less than was removed since the last time. So twice the limits always
 * suffice, nothing is ever fragmented, and a removal moves nothing.
 */
#include "ledger/mempool.h"

#include <string.h>

#include "base/check.h"

#define NONE UINT32_MAX

enum { ALIGN = 64 };

struct entry {
	struct key wallet;
	struct id id;
	struct hash hash;
	time_ms valid_until;
	size_t offset; /* of the envelope in bytes */
	uint32_t size;
	uint32_t slot;
	uint32_t next; /* in its bucket, or of the free list */
	bool local;
};

/* A place in the line. Sequences rise along it, and are never used again. */
struct slot {
	uint64_t sequence;
	uint32_t entry; /* NONE: a gap */
};

struct mempool {
	uint32_t txs_max;
	uint32_t bucket_count; /* a power of two */
	size_t bytes_max;
	uint32_t count;
	size_t bytes_used;
	uint32_t free_first; /* entries that were used and are free */
	uint32_t entry_end;  /* entries from here on were never used */
	uint32_t first, end; /* the line: slots[first] is no gap */
	uint64_t sequence;   /* of the next to arrive */
	size_t bytes_end;
	struct entry *entries; /* txs_max */
	struct slot *slots;    /* 2 * txs_max */
	uint32_t *buckets;
	uint8_t *bytes; /* 2 * bytes_max */
};

static uint32_t bucket_count_of(uint32_t txs_max)
{
	uint32_t count = 16;

	while (count < txs_max)
		count *= 2;
	return count;
}

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

size_t mempool_bytes(uint32_t txs_max, size_t bytes_max)
{
	return aligned(sizeof(struct mempool)) +
	       aligned(txs_max * sizeof(struct entry)) +
	       aligned(2 * (size_t)txs_max * sizeof(struct slot)) +
	       aligned(bucket_count_of(txs_max) * sizeof(uint32_t)) +
	       aligned(2 * bytes_max);
}

static void *carve(uint8_t **at, size_t size)
{
	void *piece = *at;

	*at += aligned(size);
	return piece;
}

struct mempool *mempool_init(void *memory, uint32_t txs_max, size_t bytes_max)
{
	uint8_t *at = memory;

	CHECK((uintptr_t)memory % ALIGN == 0);
	CHECK(txs_max > 0 && txs_max < NONE / 4);
	CHECK(bytes_max > 0 && bytes_max < SIZE_MAX / 4);
	struct mempool *pool = carve(&at, sizeof(*pool));
	*pool = (struct mempool){
		.txs_max = txs_max,
		.bytes_max = bytes_max,
		.bucket_count = bucket_count_of(txs_max),
		.free_first = NONE,
	};
	pool->entries = carve(&at, txs_max * sizeof(struct entry));
	pool->slots = carve(&at, 2 * (size_t)txs_max * sizeof(struct slot));
	pool->buckets = carve(&at, pool->bucket_count * sizeof(uint32_t));
	pool->bytes = at;
	memset(pool->buckets, 0xff, pool->bucket_count * sizeof(uint32_t));
	return pool;
}

/* The bucket of (wallet, id). Who chooses ids to share one gains a chain of at
 * most txs_max, under its own signature. */
static uint32_t *bucket_of(const struct mempool *pool, const struct key *wallet,
	const struct id *id)
{
	uint64_t words[3];

	memcpy(words, wallet->bytes, sizeof(uint64_t));
	memcpy(words + 1, id->bytes, 2 * sizeof(uint64_t));
	uint64_t mixed = words[0];
	for (int i = 1; i < 3; i++) {
		mixed = (mixed ^ words[i]) * 0x9e3779b97f4a7c15;
		mixed ^= mixed >> 32;
	}
	return &pool->buckets[mixed & (pool->bucket_count - 1)];
}

/* The link that names the entry of (wallet, id), or the last of its chain. */
static uint32_t *find_link(const struct mempool *pool, const struct key *wallet,
	const struct id *id)
{
	uint32_t *link = bucket_of(pool, wallet, id);

	while (*link != NONE) {
		struct entry *entry = &pool->entries[*link];

		if (id_equal(&entry->id, id) &&
			key_equal(&entry->wallet, wallet))
			break;
		link = &entry->next;
	}
	return link;
}

static void close_gaps(struct mempool *pool)
{
	uint32_t end = 0;
	size_t bytes_end = 0;

	for (uint32_t at = pool->first; at < pool->end; at++) {
		struct slot slot = pool->slots[at];

		if (slot.entry == NONE)
			continue;
		struct entry *entry = &pool->entries[slot.entry];
		if (entry->offset != bytes_end)
			memmove(pool->bytes + bytes_end,
				pool->bytes + entry->offset, entry->size);
		entry->offset = bytes_end;
		bytes_end += entry->size;
		entry->slot = end;
		pool->slots[end++] = slot;
	}
	CHECK(end == pool->count && bytes_end == pool->bytes_used);
	pool->first = 0;
	pool->end = end;
	pool->bytes_end = bytes_end;
}

static uint32_t take_entry(struct mempool *pool)
{
	uint32_t index = pool->free_first;

	if (index != NONE)
		pool->free_first = pool->entries[index].next;
	else
		index = pool->entry_end++;
	CHECK(index < pool->txs_max);
	return index;
}

enum err mempool_put(struct mempool *pool, const struct tx_view *tx, bool local)
{
	const struct tx *body = &tx->body;
	uint32_t *link = find_link(pool, &body->wallet, &body->id);

	if (*link != NONE) {
		struct entry *entry = &pool->entries[*link];
		if (!hash_equal(&entry->hash, &tx->hash))
			return ERR_REPLAY;
		entry->local |= local;
		return ERR_EXISTS;
	}
	if (pool->count == pool->txs_max ||
		tx->bytes.size > pool->bytes_max - pool->bytes_used)
		return ERR_BUSY;
	if (pool->end - pool->count > pool->count ||
		pool->bytes_end - pool->bytes_used > pool->bytes_used)
		close_gaps(pool);
	CHECK(pool->end < 2 * pool->txs_max);
	CHECK(tx->bytes.size <= 2 * pool->bytes_max - pool->bytes_end);

	uint32_t index = take_entry(pool);
	pool->entries[index] = (struct entry){
		.wallet = body->wallet,
		.id = body->id,
		.hash = tx->hash,
		.valid_until = (time_ms)body->valid_until,
		.offset = pool->bytes_end,
		.size = (uint32_t)tx->bytes.size,
		.slot = pool->end,
		.next = NONE,
		.local = local,
	};
	*link = index;
	pool->slots[pool->end++] = (struct slot){
		.sequence = pool->sequence++,
		.entry = index,
	};
	memcpy(pool->bytes + pool->bytes_end, tx->bytes.data, tx->bytes.size);
	pool->bytes_end += tx->bytes.size;
	pool->bytes_used += tx->bytes.size;
	pool->count++;
	return ERR_OK;
}

bool mempool_find(const struct mempool *pool, const struct key *wallet,
	const struct id *id, struct hash *tx_hash)
{
	uint32_t index = *find_link(pool, wallet, id);

	if (index == NONE)
		return false;
	*tx_hash = pool->entries[index].hash;
	return true;
}

bool mempool_holds(const struct mempool *pool, const struct tx_view *tx)
{
	uint32_t index = *find_link(pool, &tx->body.wallet, &tx->body.id);

	if (index == NONE)
		return false;
	const struct entry *entry = &pool->entries[index];
	return view_equal(
		tx->bytes, view_of(pool->bytes + entry->offset, entry->size));
}

void mempool_remove(
	struct mempool *pool, const struct key *wallet, const struct id *id)
{
	uint32_t *link = find_link(pool, wallet, id);
	uint32_t index = *link;

	if (index == NONE)
		return;
	struct entry *entry = &pool->entries[index];
	*link = entry->next;
	entry->next = pool->free_first;
	pool->free_first = index;
	pool->slots[entry->slot].entry = NONE;
	pool->count--;
	pool->bytes_used -= entry->size;

	/* No gap stays at the front, where every walk begins. */
	while (pool->first < pool->end &&
		pool->slots[pool->first].entry == NONE)
		pool->first++;
	if (pool->count == 0) {
		pool->first = 0;
		pool->end = 0;
		pool->bytes_end = 0;
	}
}

uint32_t mempool_count(const struct mempool *pool)
{
	return pool->count;
}

size_t mempool_bytes_used(const struct mempool *pool)
{
	return pool->bytes_used;
}

/* The first slot at or after a sequence: by bisection between bounds that meet
 * as long as no gap was closed behind the place that is looked for. */
static uint32_t slot_from(const struct mempool *pool, uint64_t sequence)
{
	uint32_t low = pool->first, high = pool->end;

	if (low == high || sequence <= pool->slots[low].sequence)
		return low;
	if (sequence >= pool->sequence)
		return high;
	uint64_t before = sequence - pool->slots[low].sequence;
	uint64_t after = pool->sequence - sequence;
	if (before < high - low)
		high = low + (uint32_t)before;
	if (after < pool->end - low)
		low = pool->end - (uint32_t)after;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pool->slots[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool mempool_next(
	const struct mempool *pool, uint64_t *cursor, struct mempool_item *out)
{
	uint32_t at = slot_from(pool, *cursor);

	while (at < pool->end && pool->slots[at].entry == NONE)
		at++;
	if (at == pool->end)
		return false;
	const struct slot *slot = &pool->slots[at];
	const struct entry *entry = &pool->entries[slot->entry];

	*out = (struct mempool_item){
		.bytes = view_of(pool->bytes + entry->offset, entry->size),
		.wallet = entry->wallet,
		.id = entry->id,
		.hash = entry->hash,
		.valid_until = entry->valid_until,
		.local = entry->local,
	};
	*cursor = slot->sequence + 1;
	return true;
}
