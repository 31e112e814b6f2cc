/* bus/known.c -- linear probing, never more than half full.
 *
 * Only enrolled keys are entered, and curve points spread evenly, so the first
 * bytes serve as the hash.
 */
#include "bus/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bus/bus.h"

enum { KNOWN_SIZE_FIRST = 64 };

/* The place of curve, or the free place where it belongs. */
static struct known_entry *place(
	const struct known *known, const uint8_t curve[KEY_SIZE])
{
	uint64_t at;

	memcpy(&at, curve, sizeof(at));
	for (;; at++) {
		struct known_entry *entry =
			&known->entries[at & (known->size - 1)];
		if (!entry->used || memcmp(entry->curve, curve, KEY_SIZE) == 0)
			return entry;
	}
}

static void grow(struct known *known)
{
	struct known old = *known;

	known->size = old.size == 0 ? KNOWN_SIZE_FIRST : 2 * old.size;
	known->entries = calloc(known->size, sizeof(*known->entries));
	CHECK(known->entries != NULL);
	for (size_t i = 0; i < old.size; i++) {
		if (old.entries[i].used)
			*place(known, old.entries[i].curve) = old.entries[i];
	}
	free(old.entries);
}

enum err known_add(struct known *known, const uint8_t curve[KEY_SIZE],
	const struct key *key)
{
	if (known_find(known, curve) != NULL)
		return ERR_OK;
	if (known->count == BUS_KNOWN_MAX)
		return ERR_FULL;
	if (2 * (known->count + 1) > known->size)
		grow(known);

	struct known_entry *entry = place(known, curve);
	memcpy(entry->curve, curve, KEY_SIZE);
	entry->key = *key;
	entry->used = true;
	known->count++;
	return ERR_OK;
}

const struct key *known_find(
	const struct known *known, const uint8_t curve[KEY_SIZE])
{
	if (known->size == 0)
		return NULL;
	const struct known_entry *entry = place(known, curve);
	return entry->used ? &entry->key : NULL;
}

void known_free(struct known *known)
{
	free(known->entries);
	*known = (struct known){0};
}
