/* contract/reservation.h -- live reservations, their indexes, their deadlines
 * and the moves between states; for shared/contract only.
 */
#ifndef PERCH_CONTRACT_RESERVATION_H
#define PERCH_CONTRACT_RESERVATION_H

#include "base/check.h"
#include "contract/inside.h"

/* Not through table_at: that it is live is known from the index that led here,
 * and asking costs a cache miss in every step of every search. */
static inline struct reservation *reservation_at(
	const struct state *state, uint32_t index)
{
	CHECK(index < state->reservations.used_max);
	return (struct reservation *)(void *)state->reservations.records +
	       index;
}

uint32_t reservation_find(const struct state *state, const struct id *id);
/* Room for one more on this pad, and among all. */
bool reservation_room(const struct state *state, uint32_t port, uint8_t pad);
/* draft: everything but the links. There is room, and the id is free. Returns
 * its index. The second one is a move from NONE. */
uint32_t reservation_insert(
	struct state *state, const struct reservation *draft);
uint32_t reservation_add(struct state *state, const struct reservation *draft,
	const struct cause *cause);
void reservation_amend(struct state *state, uint32_t index, uint8_t pad,
	time_ms start, time_ms end, const struct cause *cause);
/* Take it out of the state, ended as `to`. */
void reservation_end(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause);
/* The other half, while it is live; TABLE_NONE otherwise. */
uint32_t reservation_partner(
	const struct state *state, const struct reservation *reservation);

uint32_t group_at(
	const struct state *state, const struct group *group, uint32_t place);
/* Place of the first reservation that starts at or after start. */
uint32_t group_place(
	const struct state *state, const struct group *group, time_ms start);

/* ---- deadline.c: which window ends next ---- */

void deadline_put(struct state *state, uint32_t index);
/* Nothing happens when it has no deadline any more. */
void deadline_remove(struct state *state, uint32_t index);
/* The reservation that ends first (then by id), or TABLE_NONE. */
uint32_t deadline_first(const struct state *state);

/* ---- moves.c: the table of states ---- */

bool move_allowed(enum reservation_state from, enum reservation_state to);
/* What time makes of a reservation whose window is over: NONE for nothing. */
enum reservation_state move_at_end(enum reservation_state from);
void moves_add(const struct state *state, const struct reservation *after,
	enum reservation_state from, const struct cause *cause);

/* ---- root.c ---- */

/* Its bucket has changed. */
void mark_reservation(
	struct state *state, const struct reservation *reservation);

#endif
