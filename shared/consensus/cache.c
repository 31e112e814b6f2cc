/* consensus/cache.c -- a ring of bytes and a ring of entries over it. */
#include "consensus/cache.h"

#include <string.h>

#include "base/check.h"

void cache_init(struct cache *cache, uint8_t *bytes, size_t size)
{
	CHECK(size >= 4 * (size_t)BLOCK_BYTES_MAX);
	memset(cache->entries, 0, sizeof(cache->entries));
	cache->bytes = bytes;
	cache->size = size;
	cache->head = 0;
}

uint8_t *cache_room(struct cache *cache)
{
	size_t at = (size_t)(cache->head % cache->size);
	if (cache->size - at < (size_t)BLOCK_BYTES_MAX) {
		cache->head += cache->size - at;
		at = 0;
	}
	return cache->bytes + at;
}

struct view cache_put(struct cache *cache, uint64_t height, struct view block)
{
	CHECK(height > 0 && block.size <= (size_t)BLOCK_BYTES_MAX);
	uint8_t *room = cache_room(cache);
	if (room != block.data)
		memmove(room, block.data, block.size);
	struct cache_entry *entry = &cache->entries[height % CACHE_BLOCKS_MAX];
	entry->height = height;
	entry->at = cache->head;
	entry->size = block.size;
	cache->head += block.size;
	return view_of(room, block.size);
}

bool cache_find(const struct cache *cache, uint64_t height, struct view *out)
{
	const struct cache_entry *entry =
		&cache->entries[height % CACHE_BLOCKS_MAX];
	if (height == 0 || entry->height != height)
		return false;
	/* A block being made may already overwrite the oldest bytes. */
	if (entry->at + cache->size <
		cache->head + 2 * (uint64_t)BLOCK_BYTES_MAX)
		return false;
	*out = view_of(cache->bytes + entry->at % cache->size, entry->size);
	return true;
}

void cache_drop(struct cache *cache, uint64_t height)
{
	struct cache_entry *entry = &cache->entries[height % CACHE_BLOCKS_MAX];
	if (entry->height == height)
		entry->height = 0;
}
