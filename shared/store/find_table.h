/* store/find_table.h -- finds in memory: an array and a hash table into it.
 */
#ifndef PERCH_STORE_FIND_TABLE_H
#define PERCH_STORE_FIND_TABLE_H

#include "base/view.h"

enum { FIND_KEY = 16 }; /* of a hash of the true key */

struct find {
	uint8_t key[FIND_KEY];
	struct hash hash; /* of the transaction or the block */
	uint64_t height;  /* below 2^48 */
	uint16_t index;
};

/* Finds in memory; the last put under a key counts. */
struct find_table {
	size_t count, room;
	struct find *items; /* in order of coming */
	size_t slot_count;  /* a power of two; 0 at first */
	uint32_t *slots;    /* index into items, plus 1 */
};

void find_table_put(struct find_table *table, const struct find *find);
bool find_table_get(const struct find_table *table, const uint8_t key[FIND_KEY],
	struct find *out);
void find_table_clear(struct find_table *table);
void find_table_free(struct find_table *table);

#endif
