/* base/table.h -- a fixed-capacity hash table of records in an arena.
 *
 * Records are plain structs that begin with their key, of key_size bytes. They
 * never move while they live, so an index names one for its life; every change
 * the table makes to itself is touched, so a rollback undoes it. Whoever
 * changes a record's fields calls table_touch first.
 */
#ifndef PERCH_BASE_TABLE_H
#define PERCH_BASE_TABLE_H

#include <stdint.h>

#include "base/arena.h"

enum { TABLE_NONE = UINT32_MAX };

struct table {
	struct arena *arena;
	size_t key_size;
	size_t record_size;
	uint32_t capacity;
	uint32_t count;
	uint32_t free_first;   /* head of the list of free records */
	uint32_t used_max;     /* records from here on were never used */
	uint32_t bucket_count; /* a power of two, >= capacity */
	uint32_t *buckets;
	uint32_t *next; /* chain, or free list */
	uint8_t *records;
};

/* Bytes that table_init takes from the arena. */
size_t table_bytes(size_t record_size, uint32_t capacity);

/* table itself lies in the arena. Keys are spread by their first 8 bytes mixed
 * with the rest; use hashes or random ids where a stranger chooses the key. */
void table_init(struct table *table, struct arena *arena, size_t key_size,
	size_t record_size, uint32_t capacity);

/* Index of the record with this key, or TABLE_NONE. */
uint32_t table_find(const struct table *table, const void *key);

/* A new zeroed record with this key; its index, or TABLE_NONE when full. The
 * key must not be in the table (CHECK). */
uint32_t table_put(struct table *table, const void *key);

void table_remove(struct table *table, uint32_t index);

/* The record: read it freely; table_touch it before changing it. */
void *table_at(const struct table *table, uint32_t index);
void table_touch(struct table *table, uint32_t index);

/* Next live index at or after from, or TABLE_NONE: for walking all records in
 * index order (deterministic, but not sorted by key). */
uint32_t table_next(const struct table *table, uint32_t from);

#endif
