/* client/block_flight.h -- the operations of a flight, as block.c hands them
 * out.
 */
#ifndef PERCH_CLIENT_BLOCK_FLIGHT_H
#define PERCH_CLIENT_BLOCK_FLIGHT_H

#include "client/give.h"

/* The fields that its kind has. ERR_OK for a kind that is none of a flight. */
MUST_CHECK enum err block_flight_read(
	struct perch_op *out, const struct op *op);

#endif
