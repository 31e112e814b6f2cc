/* consensus/cache.h -- the bytes of recent blocks, by height.
 *
 * A ring: the newest blocks stay until newer ones need their place. A block
 * that is not here any more is in the log.
 */
#ifndef PERCH_CONSENSUS_CACHE_H
#define PERCH_CONSENSUS_CACHE_H

#include "ledger/block.h"

enum { CACHE_BLOCKS_MAX = 1024 };

struct cache_entry {
	uint64_t height;
	uint64_t at; /* of the first byte, counted from the start of time */
	size_t size;
};

struct cache {
	uint8_t *bytes;
	size_t size;
	uint64_t head; /* next byte to write */
	struct cache_entry entries[CACHE_BLOCKS_MAX];
};

/* bytes: caller's; at least 4 * BLOCK_BYTES_MAX. */
void cache_init(struct cache *cache, uint8_t *bytes, size_t size);

/* Room for a block of at most BLOCK_BYTES_MAX that is being made; cache_put
 * with the same pointer then copies nothing. */
uint8_t *cache_room(struct cache *cache);

/* Keep a block; replaces another of that height. Returns the kept bytes. */
struct view cache_put(struct cache *cache, uint64_t height, struct view block);

bool cache_find(const struct cache *cache, uint64_t height, struct view *out);
void cache_drop(struct cache *cache, uint64_t height);

#endif
