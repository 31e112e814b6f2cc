/* contract/deadline.c -- a binary heap of live reservations by the end of their
 * window, then by id.
 *
 * base/heap orders ties by index, which differs on a node that began with a
 * snapshot; and entries here are removed from the middle whenever a
 * reservation is cancelled, so each knows its place.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

static bool sooner(const struct reservation *a, const struct reservation *b)
{
	if (a->end != b->end)
		return a->end < b->end;
	return memcmp(&a->id, &b->id, sizeof(a->id)) < 0;
}

static void set(struct state *state, uint32_t place, uint32_t index)
{
	set_u32(state, &state->deadlines[place], index);
	set_u32(state, &reservation_at(state, index)->deadline_at, place);
}

/* Let index sink from a free place, or rise, to where it belongs. */
static void settle(struct state *state, uint32_t place, uint32_t index)
{
	const uint32_t *heap = state->deadlines;
	const struct reservation *self = reservation_at(state, index);

	while (place > 0) {
		uint32_t above = (place - 1) / 2;

		if (!sooner(self, reservation_at(state, heap[above])))
			break;
		set(state, place, heap[above]);
		place = above;
	}
	for (;;) {
		uint32_t below = 2 * place + 1;

		if (below >= state->deadline_count)
			break;
		if (below + 1 < state->deadline_count &&
			sooner(reservation_at(state, heap[below + 1]),
				reservation_at(state, heap[below])))
			below++;
		if (!sooner(reservation_at(state, heap[below]), self))
			break;
		set(state, place, heap[below]);
		place = below;
	}
	set(state, place, index);
}

void deadline_put(struct state *state, uint32_t index)
{
	CHECK(state->deadline_count < state->limits.reservations_max);
	set_u32(state, &state->deadline_count, state->deadline_count + 1);
	settle(state, state->deadline_count - 1, index);
}

void deadline_remove(struct state *state, uint32_t index)
{
	uint32_t place = reservation_at(state, index)->deadline_at;

	if (place == TABLE_NONE)
		return;
	uint32_t last = state->deadlines[state->deadline_count - 1];
	CHECK(state->deadlines[place] == index);
	set_u32(state, &reservation_at(state, index)->deadline_at, TABLE_NONE);
	set_u32(state, &state->deadline_count, state->deadline_count - 1);
	if (last != index)
		settle(state, place, last);
}

uint32_t deadline_first(const struct state *state)
{
	return state->deadline_count > 0 ? state->deadlines[0] : TABLE_NONE;
}
