/* perch/details.h -- what of a reservation only few are told.
 *
 * The ledger keeps a commitment: a hash that says nothing, and that fits one
 * text only. The text is sealed to its readers (the operator, the port, the
 * authority) and travels in the transaction. Whoever opened it can show it,
 * with its salt, to anybody else, who holds it against the commitment.
 */
#ifndef PERCH_DETAILS_H
#define PERCH_DETAILS_H

#include <perch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PERCH_READERS_MAX = 3,
	PERCH_DETAILS_MAX = 111, /* bytes of text, without its NUL */
	PERCH_SALT_SIZE = 16,
	PERCH_SEALED_MAX = 384,
};

struct perch_details {
	uint8_t salt[PERCH_SALT_SIZE];
	char text[PERCH_DETAILS_MAX + 1];
};

/* For 1 to PERCH_READERS_MAX readers; commitment and sealed are what
 * perch_reserve wants. PERCH_ERR_LENGTH, PERCH_ERR_KEY. */
enum perch_err perch_details_seal(const char *text,
	const struct perch_key *readers, size_t reader_count,
	uint8_t sealed[PERCH_SEALED_MAX], size_t *sealed_size,
	struct perch_hash *commitment);

/* By one of the readers. PERCH_ERR_KEY: it is not for this one.
 * PERCH_ERR_DAMAGED: it is not what was committed to. */
enum perch_err perch_details_open(const uint8_t seed[32], const void *sealed,
	size_t sealed_size, const struct perch_hash *commitment,
	struct perch_details *out);

/* Whether these are the details of a commitment. */
bool perch_details_fit(const struct perch_details *details,
	const struct perch_hash *commitment);

#ifdef __cplusplus
}
#endif

#endif
