/* consensus/shelf.c -- places in a chained table; a hash is its own hash. */
#include "consensus/shelf.h"

#include <string.h>

#include "base/check.h"

size_t shelf_bytes(void)
{
	return (size_t)SHELF_PLACES * BLOCK_BYTES_MAX;
}

void shelf_init(struct shelf *shelf, uint8_t *bytes)
{
	memset(shelf, 0, sizeof(*shelf));
	shelf->bytes = bytes;
	for (uint32_t i = 0; i < SHELF_PLACES; i++)
		shelf->places[i].next = i + 2;
	shelf->places[SHELF_PLACES - 1].next = 0;
	shelf->free = 1;
}

static uint32_t *head_of(const struct shelf *shelf, const struct hash *hash)
{
	uint32_t bucket = (uint32_t)(hash->bytes[0] | hash->bytes[1] << 8);
	return &((struct shelf *)shelf)->heads[bucket % SHELF_BUCKETS];
}

/* Where the index of this hash stands; of 0 when it is not here. */
static uint32_t *find(const struct shelf *shelf, const struct hash *hash)
{
	uint32_t *link = head_of(shelf, hash);
	while (*link != 0) {
		const struct shelf_place *place = &shelf->places[*link - 1];
		if (hash_equal(&place->hash, hash))
			break;
		link = &((struct shelf *)shelf)->places[*link - 1].next;
	}
	return link;
}

static uint8_t *bytes_of(const struct shelf *shelf, uint32_t index)
{
	return shelf->bytes + (size_t)(index - 1) * BLOCK_BYTES_MAX;
}

void shelf_put(struct shelf *shelf, const struct hash *hash, struct view block)
{
	CHECK(block.size > 0 && block.size <= BLOCK_BYTES_MAX);
	if (*find(shelf, hash) != 0)
		return;
	uint32_t index = shelf->free;
	CHECK(index != 0);
	struct shelf_place *place = &shelf->places[index - 1];
	shelf->free = place->next;
	uint32_t *head = head_of(shelf, hash);
	place->hash = *hash;
	place->size = block.size;
	place->next = *head;
	*head = index;
	memcpy(bytes_of(shelf, index), block.data, block.size);
}

bool shelf_find(
	const struct shelf *shelf, const struct hash *hash, struct view *out)
{
	uint32_t index = *find(shelf, hash);
	if (index == 0)
		return false;
	*out = view_of(bytes_of(shelf, index), shelf->places[index - 1].size);
	return true;
}

void shelf_drop(struct shelf *shelf, const struct hash *hash)
{
	uint32_t *link = find(shelf, hash);
	uint32_t index = *link;
	if (index == 0)
		return;
	struct shelf_place *place = &shelf->places[index - 1];
	*link = place->next;
	place->size = 0;
	place->next = shelf->dropped;
	shelf->dropped = index;
}

void shelf_sweep(struct shelf *shelf)
{
	while (shelf->dropped != 0) {
		uint32_t index = shelf->dropped;
		struct shelf_place *place = &shelf->places[index - 1];
		shelf->dropped = place->next;
		place->next = shelf->free;
		shelf->free = index;
	}
}
