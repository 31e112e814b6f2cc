/* base/table.c -- chained hashing over an array of records.
 *
 * next[] does two jobs: for a live record it is its chain, for a free one the
 * free list, told apart by one bit. So a walk needs no map of live records.
 */
#include "base/table.h"

#include <string.h>

#include "base/check.h"

/* In next[]: the record is free; the rest is the next free one or FREE_LAST. */
#define FREE_BIT 0x80000000u
#define FREE_LAST 0x7ffffffeu

static uint32_t bucket_count_of(uint32_t capacity)
{
	uint32_t count = 1;

	while (count < capacity)
		count *= 2;
	return count;
}

size_t table_bytes(size_t record_size, uint32_t capacity)
{
	/* Three takes, each of which may skip up to 63 bytes to align. */
	return bucket_count_of(capacity) * sizeof(uint32_t) +
	       capacity * sizeof(uint32_t) + capacity * record_size + 3 * 64;
}

void table_init(struct table *table, struct arena *arena, size_t key_size,
	size_t record_size, uint32_t capacity)
{
	CHECK(capacity > 0 && capacity < FREE_LAST);
	CHECK(key_size > 0 && key_size <= record_size);
	uint32_t buckets = bucket_count_of(capacity);

	*table = (struct table){
		.arena = arena,
		.key_size = key_size,
		.record_size = record_size,
		.capacity = capacity,
		.free_first = FREE_LAST,
		.bucket_count = buckets,
		.buckets = arena_take(arena, buckets * sizeof(uint32_t)),
		.next = arena_take(arena, capacity * sizeof(uint32_t)),
		.records = arena_take(arena, capacity * record_size),
	};
	memset(table->buckets, 0xff, buckets * sizeof(uint32_t));
}

static uint8_t *record_at(const struct table *table, uint32_t index)
{
	return table->records + index * table->record_size;
}

static bool is_live(const struct table *table, uint32_t index)
{
	if (index >= table->used_max)
		return false;
	uint32_t next = table->next[index];

	return next == TABLE_NONE || (next & FREE_BIT) == 0;
}

static uint32_t *bucket_of(const struct table *table, const void *key)
{
	const uint8_t *bytes = key;
	uint64_t hash = table->key_size;

	for (size_t at = 0; at < table->key_size; at += sizeof(uint64_t)) {
		size_t left = table->key_size - at;
		uint64_t word = 0;

		memcpy(&word, bytes + at, left < 8 ? left : 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static void set_u32(struct table *table, uint32_t *at, uint32_t value)
{
	arena_touch(table->arena, at, sizeof(*at));
	*at = value;
}

uint32_t table_find(const struct table *table, const void *key)
{
	uint32_t index = *bucket_of(table, key);

	while (index != TABLE_NONE) {
		if (memcmp(record_at(table, index), key, table->key_size) == 0)
			return index;
		index = table->next[index];
	}
	return TABLE_NONE;
}

uint32_t table_put(struct table *table, const void *key)
{
	CHECK(table_find(table, key) == TABLE_NONE);
	uint32_t index = table->free_first;

	if (index != FREE_LAST) {
		set_u32(table, &table->free_first,
			table->next[index] & ~FREE_BIT);
	} else if (table->used_max < table->capacity) {
		index = table->used_max;
		set_u32(table, &table->used_max, index + 1);
	} else {
		return TABLE_NONE;
	}
	set_u32(table, &table->count, table->count + 1);

	table_touch(table, index);
	memset(record_at(table, index), 0, table->record_size);
	memcpy(record_at(table, index), key, table->key_size);
	uint32_t *bucket = bucket_of(table, key);
	set_u32(table, &table->next[index], *bucket);
	set_u32(table, bucket, index);
	return index;
}

void table_remove(struct table *table, uint32_t index)
{
	CHECK(is_live(table, index));
	uint32_t *link = bucket_of(table, record_at(table, index));

	while (*link != index)
		link = &table->next[*link];
	set_u32(table, link, table->next[index]);
	set_u32(table, &table->next[index], FREE_BIT | table->free_first);
	set_u32(table, &table->free_first, index);
	set_u32(table, &table->count, table->count - 1);
}

void *table_at(const struct table *table, uint32_t index)
{
	CHECK(is_live(table, index));
	return record_at(table, index);
}

void table_touch(struct table *table, uint32_t index)
{
	CHECK(index < table->used_max);
	arena_touch(table->arena, record_at(table, index), table->record_size);
}

uint32_t table_next(const struct table *table, uint32_t from)
{
	for (uint32_t index = from; index < table->used_max; index++) {
		if (is_live(table, index))
			return index;
	}
	return TABLE_NONE;
}
