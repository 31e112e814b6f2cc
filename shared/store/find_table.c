/* store/find_table.c -- finds in memory: an array and a hash table into it.
 */
#include "store/find_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/checked.h"

/* Keys are hashes already. */
static uint32_t *slot_of(
	const struct find_table *table, const uint8_t key[FIND_KEY])
{
	size_t mask = table->slot_count - 1;
	size_t at = big_get64(key) & mask;

	while (table->slots[at] != 0 &&
		memcmp(table->items[table->slots[at] - 1].key, key, FIND_KEY))
		at = (at + 1) & mask;
	return &table->slots[at];
}

static void grow(struct find_table *table)
{
	table->room = table->room ? 2 * table->room : 256;
	table->items =
		realloc(table->items, table->room * sizeof(*table->items));
	table->slot_count = 2 * table->room;
	free(table->slots);
	table->slots = calloc(table->slot_count, sizeof(*table->slots));
	CHECK(table->items && table->slots);
	for (size_t i = 0; i < table->count; i++)
		*slot_of(table, table->items[i].key) = (uint32_t)i + 1;
}

void find_table_put(struct find_table *table, const struct find *find)
{
	uint32_t *slot;

	CHECK(table->count < UINT32_MAX / 4);
	if (table->count == table->room)
		grow(table);
	slot = slot_of(table, find->key);
	if (*slot == 0) {
		table->count++;
		*slot = (uint32_t)table->count;
	}
	table->items[*slot - 1] = *find;
}

bool find_table_get(const struct find_table *table, const uint8_t key[FIND_KEY],
	struct find *out)
{
	uint32_t slot = table->slot_count ? *slot_of(table, key) : 0;

	if (slot != 0)
		*out = table->items[slot - 1];
	return slot != 0;
}

void find_table_clear(struct find_table *table)
{
	table->count = 0;
	if (table->slot_count)
		memset(table->slots, 0,
			table->slot_count * sizeof(*table->slots));
}

void find_table_free(struct find_table *table)
{
	free(table->items);
	free(table->slots);
	*table = (struct find_table){0};
}
