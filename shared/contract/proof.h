/* contract/proof.h -- checking what somebody else's node says about a port.
 *
 * proof_check ties a port's record and its 256 bucket hashes to a state root;
 * proof_timetable ties a list of reservations to those buckets: nothing is
 * missing, added or changed. The state root itself is trusted because a final
 * block's header carries it.
 */
#ifndef PERCH_CONTRACT_PROOF_H
#define PERCH_CONTRACT_PROOF_H

#include "contract/state.h"

/* ERR_ROOT when the parts do not give this state root; ERR_LENGTH when the path
 * does not fit (index, count). */
MUST_CHECK enum err proof_check(
	const struct proof_parts *parts, const struct hash *root);

/* The bucket hashes of a port's live reservations, which are put in order of
 * id. ERR_EXISTS when an id is there twice. */
MUST_CHECK enum err proof_buckets(struct hash buckets[256],
	struct record_reservation *records, size_t count);

/* ERR_ROOT unless these are exactly the live reservations of the port. */
MUST_CHECK enum err proof_timetable(const struct proof_parts *parts,
	struct record_reservation *records, size_t count);

/* One reservation of a bucket, in order of id. */
void proof_add_record(
	struct hasher *hasher, const struct record_reservation *record);

#endif
