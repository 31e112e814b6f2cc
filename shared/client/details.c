/* client/details.c -- crypto/details.h for those outside. */
#include <perch/details.h>

#include <string.h>

#include "client/inside.h"
#include "clock/clock.h"
#include "crypto/details.h"

_Static_assert((int)PERCH_READERS_MAX == (int)DETAILS_READERS_MAX &&
		       (int)PERCH_DETAILS_MAX == (int)DETAILS_TEXT_MAX &&
		       (int)PERCH_SALT_SIZE == (int)DETAILS_SALT &&
		       (int)PERCH_SEALED_MAX == (int)DETAILS_SEALED_MAX &&
		       sizeof(struct perch_details) == sizeof(struct details),
	"perch/details.h and crypto/details.h are the same");

static struct hash hash_of(const struct perch_hash *from)
{
	struct hash hash;

	memcpy(&hash, from, sizeof(hash));
	return hash;
}

enum perch_err perch_details_seal(const char *text,
	const struct perch_key *readers, size_t reader_count,
	uint8_t sealed[PERCH_SEALED_MAX], size_t *sealed_size,
	struct perch_hash *commitment)
{
	struct key keys[PERCH_READERS_MAX];
	struct details_chance chance;
	struct hash hash;

	if (reader_count > PERCH_READERS_MAX)
		return PERCH_ERR_LENGTH;
	memcpy(keys, readers, reader_count * sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(chance); i += sizeof(uint64_t)) {
		uint64_t bits = clock_random();

		memcpy((uint8_t *)&chance + i, &bits, sizeof(bits));
	}
	enum err err = details_seal(
		text, keys, reader_count, &chance, sealed, sealed_size, &hash);
	memset(&chance, 0, sizeof(chance));
	if (err == ERR_OK)
		memcpy(commitment, &hash, sizeof(hash));
	return (enum perch_err)err;
}

enum perch_err perch_details_open(const uint8_t seed[32], const void *sealed,
	size_t sealed_size, const struct perch_hash *commitment,
	struct perch_details *out)
{
	struct hash hash = hash_of(commitment);
	struct details details;
	enum err err = details_open(seed, sealed, sealed_size, &hash, &details);

	if (err == ERR_OK)
		memcpy(out, &details, sizeof(details));
	return (enum perch_err)err;
}

bool perch_details_fit(const struct perch_details *details,
	const struct perch_hash *commitment)
{
	struct hash hash = hash_of(commitment);
	struct details own;

	memcpy(&own, details, sizeof(own));
	return details_fit(&own, &hash);
}
