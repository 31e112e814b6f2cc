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
/* Change what neither its window nor its aircraft is: open, write to what is
 * returned, close. from: the state it had. Without a cause it is no move. */
struct reservation *reservation_open(struct state *state, uint32_t index);
void reservation_close(struct state *state, uint32_t index,
	enum reservation_state from, const struct cause *cause);
/* From one live state to another; until is 0 then. */
void reservation_move(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause);
/* To another window, and perhaps another state; there is room (unless it stays
 * in its group). */
struct place {
	uint32_t port; /* index */
	uint8_t pad;
	time_ms start, end;
};
void reservation_place(struct state *state, uint32_t index,
	const struct place *place, enum reservation_state to,
	const struct cause *cause);
/* Take it out of the state, ended as `to`. */
void reservation_end(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause);
/* Its aircraft is on the pad. */
bool reservation_on_pad(const struct reservation *self);
/* The other half, while it is live; TABLE_NONE otherwise. */
uint32_t reservation_partner(
	const struct state *state, const struct reservation *reservation);

/* First of an aircraft's reservations; the others by fleet_next. */
uint32_t fleet_first(const struct state *state, struct view aircraft);
/* It took off or landed: what it asked for before is void. */
void fleet_moved(struct state *state, struct view aircraft);
/* Name the aircraft of a reservation that had none. */
void reservation_name(
	struct state *state, uint32_t index, struct view aircraft);

struct group *group_of(const struct state *state, uint32_t port, uint8_t pad);
/* Something in it is free now: those that wait are served after this. */
void group_freed(struct state *state, uint32_t port, uint8_t pad);
uint32_t group_at(
	const struct state *state, const struct group *group, uint32_t place);
/* Place of the first reservation that starts at or after start. */
uint32_t group_place(
	const struct state *state, const struct group *group, time_ms start);

/* Place of the first one that may reach beyond start - gap. */
uint32_t group_reach(const struct state *state, const struct group *group,
	time_ms start, time_ms gap);

/* ---- deadline.c: which is the next that time moves ---- */

void deadline_put(struct state *state, uint32_t index, time_ms at);
/* Nothing happens when it has no deadline. */
void deadline_remove(struct state *state, uint32_t index);
/* The first (then by id), or TABLE_NONE. */
uint32_t deadline_first(const struct state *state);

/* ---- time.c: what time alone does ---- */

/* When time moves this one; INT64_MAX: never. */
time_ms reservation_deadline(
	const struct state *state, const struct reservation *self);
/* Until when one that is held from now on must be confirmed. */
time_ms reservation_hold(
	const struct state *state, const struct reservation *self);
/* Its deadline is reached. */
void time_move(struct state *state, uint32_t index, const struct cause *cause);

/* ---- waiting.c ---- */

/* Give those that wait what has become free since the last call. */
void waiting_serve(struct state *state, const struct cause *cause);

/* ---- moves.c: the table of states ---- */

bool move_allowed(enum reservation_state from, enum reservation_state to);
/* What time makes of a reservation whose deadline is reached: NONE for nothing.
 */
enum reservation_state move_at_end(enum reservation_state from);
void moves_add(const struct state *state, const struct reservation *after,
	enum reservation_state from, const struct cause *cause);

/* ---- root.c ---- */

/* Its record has changed. */
void mark_port(struct state *state, uint32_t port);
void mark_party(struct state *state, uint32_t party);
/* Its bucket has changed. */
void mark_reservation(
	struct state *state, const struct reservation *reservation);

#endif
