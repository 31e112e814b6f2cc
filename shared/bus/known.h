/* bus/known.h -- identities by their CURVE key: an open hash table that grows.
 *
 * CURVE shows an X25519 key, from which the Ed25519 key cannot be had back; so
 * each identity that may be met is entered beforehand.
 */
#ifndef PERCH_BUS_KNOWN_H
#define PERCH_BUS_KNOWN_H

#include "base/err.h"
#include "base/view.h"

struct known_entry {
	uint8_t curve[KEY_SIZE];
	struct key key;
	bool used;
};

/* Zeroed: empty. */
struct known {
	struct known_entry *entries;
	size_t size; /* 0 or a power of two */
	size_t count;
};

/* Nothing happens when it is there. ERR_FULL at BUS_KNOWN_MAX. */
MUST_CHECK enum err known_add(struct known *known,
	const uint8_t curve[KEY_SIZE], const struct key *key);
/* NULL when it is not there. */
const struct key *known_find(
	const struct known *known, const uint8_t curve[KEY_SIZE]);
void known_free(struct known *known);

#endif
