/* base/view.h -- borrowed bytes, and the identities that are never bare bytes.
 */
#ifndef PERCH_BASE_VIEW_H
#define PERCH_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: valid as long as their owner says. */
struct view {
	const uint8_t *data;
	size_t size;
};

enum { HASH_SIZE = 32, KEY_SIZE = 32, SIGNATURE_SIZE = 64, ID_SIZE = 16 };

struct hash {
	uint8_t bytes[HASH_SIZE]; /* BLAKE2b-256 unless said otherwise */
};
struct key {
	uint8_t bytes[KEY_SIZE]; /* an Ed25519 public key */
};
struct signature {
	uint8_t bytes[SIGNATURE_SIZE]; /* Ed25519 */
};
struct id {
	uint8_t bytes[ID_SIZE]; /* of a transaction or a reservation */
};

/* Milliseconds: UTC since 1970 for block time, monotonic for timers. */
typedef int64_t time_ms;

static inline struct view view_of(const void *data, size_t size)
{
	return (struct view){.data = data, .size = size};
}

/* The bytes of a C string, without its NUL. */
struct view view_text(const char *text);

bool view_equal(struct view a, struct view b);

bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *a);
bool key_equal(const struct key *a, const struct key *b);
bool id_equal(const struct id *a, const struct id *b);

#endif
