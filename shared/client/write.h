/* client/write.h -- what the builders of operations share.
 *
 * Encode to write_room(tx), then write_added.
 */
#ifndef PERCH_CLIENT_WRITE_H
#define PERCH_CLIENT_WRITE_H

#include "client/inside.h"

#include <perch/control.h>

bool write_time_is_good(int64_t time);
/* NULL is empty. */
struct view write_text(const char *text);
MUST_CHECK enum err write_name_check(const char *name);
MUST_CHECK enum err write_aircraft_check(const char *aircraft);
MUST_CHECK enum err write_place_check(const char *port, const char *pad);
struct id write_id(const struct perch_id *id);
/* ERR_FULL when there is no room, ERR_ENCODING for size 0. */
MUST_CHECK enum err write_added(
	struct perch_tx *tx, enum op_number kind, size_t size);

/* Add an operation of a rule if err is ERR_OK; gives the error for outside. */
#define WRITE(tx, err, rule, kind, op)                                         \
	((enum perch_err)(                                                     \
		(err) != ERR_OK ? (err)                                        \
		: (tx)->op_count >= PERCH_OPS_MAX                              \
			? ERR_FULL                                             \
			: write_added(tx, kind,                                \
				  rule##_encode(                               \
					  (tx)->ops[(tx)->op_count].body,      \
					  PERCH_OP_BYTES_MAX, op))))

#endif
