/* crypto/details.h -- a text for few readers, and a commitment to it.
 *
 * The reader's box is libsodium's crypto_box_seal, whose random bytes are the
 * caller's.
 */
#ifndef PERCH_CRYPTO_DETAILS_H
#define PERCH_CRYPTO_DETAILS_H

#include "crypto/crypto.h"

enum {
	DETAILS_READERS_MAX = 3,
	DETAILS_TEXT_MAX = 111, /* bytes, without a NUL */
	DETAILS_SALT = 16,
	DETAILS_SEALED_MAX = 384,
};

struct details {
	uint8_t salt[DETAILS_SALT];
	char text[DETAILS_TEXT_MAX + 1];
};

/* Random bytes, used once and for nothing else. */
struct details_chance {
	uint8_t salt[DETAILS_SALT];
	uint8_t secret[32];
	uint8_t boxes[DETAILS_READERS_MAX][32];
};

/* ERR_LENGTH, ERR_KEY: a reader's key is none. */
MUST_CHECK enum err details_seal(const char *text, const struct key *readers,
	size_t reader_count, const struct details_chance *chance,
	uint8_t sealed[DETAILS_SEALED_MAX], size_t *sealed_size,
	struct hash *commitment);
/* ERR_KEY: it is not for this reader. ERR_DAMAGED. */
MUST_CHECK enum err details_open(const uint8_t seed[32], const void *sealed,
	size_t sealed_size, const struct hash *commitment, struct details *out);
/* Whether these are the details of a commitment. */
bool details_fit(const struct details *details, const struct hash *commitment);

#endif
