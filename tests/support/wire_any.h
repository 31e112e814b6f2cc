/* tests/support/wire_any.h -- what wire.h is compared with: any value of the
 * profile, read with the strict reader, and any message of the schemas, made
 * up from its table.
 */
#ifndef PERCH_TESTS_SUPPORT_WIRE_ANY_H
#define PERCH_TESTS_SUPPORT_WIRE_ANY_H

#include "base/random.h"
#include "gen/table.h"
#include "wire/wire.h"

enum { WIRE_ANY_DEPTH = 16 };

/* Whether bytes are one value of the profile, whatever its type; written again
 * to writer. */
bool wire_any(struct view bytes, struct wire_writer *writer);

/* A random encoding of rule in out; its size, or 0 when none was found that
 * fits in size and in the rule's own limit. */
size_t wire_sample(uint8_t *out, size_t size, const struct schema_rule *rule,
	struct random *random);

/* Decode and encode again; CHECKs that what is accepted comes back the same
 * and that a refusal is ERR_ENCODING or ERR_LENGTH. Returns the decoder's
 * answer. scratch holds size_max bytes, as many as bytes has or more. */
enum err wire_check(const struct schema_rule *rule, struct view bytes,
	uint8_t *scratch, size_t size_max);

#endif
