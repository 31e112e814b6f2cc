/* contract/window.h -- the guards that every operation on a window shares, in
 * the order in which a refusal is told.
 *
 * Inside a pad group, windows widened by the port's buffers never overlap:
 * between two of them there are at least `before` + `after`.
 */
#ifndef PERCH_CONTRACT_WINDOW_H
#define PERCH_CONTRACT_WINDOW_H

#include "contract/reservation.h"

/* Open, and in no closure, for the whole of [from, until). */
bool pad_open(const struct pad *pad, time_ms from, time_ms until);

/* What may name a node, party, port or pad: [a-zA-Z0-9_-]. */
bool is_name(struct view text);
/* Count what costs much, against EFFORT_MAX a block; false: no more. */
bool effort_left(struct state *state);

/* REFUSAL_UNKNOWN_PAD. start and end are left alone. */
enum refusal window_find(const struct state *state, struct view port,
	struct view pad, struct place *out);

/* The signer is the authority or this port's controller; NOT_CONTROLLER. */
enum refusal window_runs(
	const struct op_context *context, const struct place *window);

/* Pad open, start not past, end after start, inside the horizon. */
enum refusal window_check(
	const struct state *state, const struct place *window);

/* REFUSAL_SLOT_TAKEN, and details in the context, when other reservations than
 * `without` (or TABLE_NONE) stand in the way. */
enum refusal window_free(struct op_context *context, const struct place *window,
	uint32_t without);

/* Those in the way in a pad group, at most max. */
size_t window_conflicts(const struct state *state, const struct place *window,
	uint8_t group, uint32_t without, uint32_t *out, size_t max);

/* Write the details of slot_taken: who stands in the way, and the next free
 * slots of this length on the pad (pad empty: on any). */
void window_taken(struct op_context *context, const struct place *window,
	struct view pad, const uint32_t *conflicts, size_t count);

/* REFUSAL_AIRCRAFT_BUSY when the aircraft is elsewhere then, not counting the
 * reservation `without` and its other half `pair` (or NULL). */
enum refusal window_aircraft(const struct state *state, struct view serial,
	const struct place *window, uint32_t without, const struct id *pair);

/* Write the details of a grant: what is reserved now. */
void window_granted(struct op_context *context, uint32_t index);

/* The id of the reservation that an operation of this transaction makes. */
struct id window_id(const struct tx_view *tx, size_t op_index);

/* Make a reservation: the last guards (quota, aircraft, room, a free id), then
 * the change, and the details. */
struct window_draft {
	struct place window;
	struct view aircraft;
	const struct id *pair; /* NULL: none */
	uint8_t movement;
	uint8_t tier;
	bool waits;
	time_ms hold; /* how long it waits to be confirmed; 0: it does not */
	uint32_t alternate_port; /* index, or TABLE_NONE */
	uint8_t alternate_pad;
	struct view commitment; /* a hash, or empty */
};
enum refusal window_may_reserve(
	const struct op_context *context, const struct window_draft *draft);
void window_reserve(
	struct op_context *context, const struct window_draft *draft);

/* ---- divert.c: those that have to give way ---- */

/* Whether it may be moved there beside `taken` (or NULL), which somebody is
 * about to take. An aircraft in the air needs no lead: start may be past. */
bool divert_to(const struct state *state, uint32_t index,
	const struct place *to, const struct place *taken);
/* Move it to its alternate, in the same window, if that can be had. */
bool divert(struct state *state, uint32_t index, const struct place *taken,
	const struct cause *cause);
/* Whether a reservation of this tier may displace it. */
bool displaceable(const struct state *state, uint32_t index, uint8_t tier);
/* It gives way: to its alternate, or it ends as `to`, and its flight with it.
 */
void displace(struct state *state, uint32_t index, const struct place *taken,
	enum reservation_state to, const struct cause *cause);

#endif
