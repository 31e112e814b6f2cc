/* store/received.c -- a hash table with open addresses, never more than a third
 * full, in which nothing is marked as removed: what follows moves up.
 */
#include "store/received.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/checked.h"

_Static_assert((int)RECEIVED_MAX * 3 < (int)RECEIVED_SLOTS, "a third full");

static size_t home_of(const uint8_t key[FIND_KEY])
{
	return big_get64(key) % RECEIVED_SLOTS;
}

/* Where key is, or the empty slot where it would be. */
static size_t slot_of(
	const struct received *received, const uint8_t key[FIND_KEY])
{
	size_t at = home_of(key);

	while (received->slots[at].number != 0 &&
		memcmp(received->slots[at].key, key, FIND_KEY) != 0)
		at = (at + 1) % RECEIVED_SLOTS;
	return at;
}

void received_open(struct received *received)
{
	*received = (struct received){.next = 1};
	received->slots = calloc(RECEIVED_SLOTS, sizeof(*received->slots));
	CHECK(received->slots);
}

void received_close(struct received *received)
{
	free(received->slots);
	received->slots = NULL;
}

uint64_t received_find(
	const struct received *received, const uint8_t key[FIND_KEY])
{
	return received->slots[slot_of(received, key)].number;
}

void received_add(
	struct received *received, const uint8_t key[FIND_KEY], uint64_t number)
{
	struct received_item *slot = &received->slots[slot_of(received, key)];

	CHECK(slot->number == 0 && number != 0);
	CHECK(received->count < RECEIVED_MAX);
	memcpy(slot->key, key, FIND_KEY);
	slot->number = number;
	received->count++;
}

void received_remove(struct received *received, const uint8_t key[FIND_KEY])
{
	struct received_item *slots = received->slots;
	size_t hole = slot_of(received, key);
	size_t at = hole;

	if (slots[hole].number == 0)
		return;
	received->count--;
	for (;;) {
		size_t home;

		at = (at + 1) % RECEIVED_SLOTS;
		if (slots[at].number == 0)
			break;
		/* May it move to the hole? Not before its own home. */
		home = home_of(slots[at].key);
		if ((at - home) % RECEIVED_SLOTS < (at - hole) % RECEIVED_SLOTS)
			continue;
		slots[hole] = slots[at];
		hole = at;
	}
	slots[hole].number = 0;
}

void received_oldest(const struct received *received, uint8_t out[FIND_KEY])
{
	const struct received_item *oldest = NULL;

	for (size_t i = 0; i < RECEIVED_SLOTS; i++) {
		const struct received_item *item = &received->slots[i];

		if (item->number != 0 &&
			(!oldest || item->number < oldest->number))
			oldest = item;
	}
	CHECK(oldest);
	memcpy(out, oldest->key, FIND_KEY);
}
