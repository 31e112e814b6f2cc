/* contract/deadline.c -- a binary heap of reservations by the moment at which
 * time alone moves them, then by id.
 *
 * base/heap orders ties by index, which differs on a node that began with a
 * snapshot; and entries here are removed from the middle whenever a
 * reservation is cancelled, so each knows its place. The moment stands beside
 * the index: comparing two costs no look at the reservations.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

static bool sooner(const struct state *state, const struct deadline *a,
	const struct deadline *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return memcmp(&reservation_at(state, a->index)->id,
		       &reservation_at(state, b->index)->id,
		       sizeof(struct id)) < 0;
}

static void set(struct state *state, uint32_t place, struct deadline deadline)
{
	arena_touch(state->arena, &state->deadlines[place],
		sizeof(state->deadlines[place]));
	state->deadlines[place] = deadline;
	set_u32(state, &reservation_at(state, deadline.index)->deadline_at,
		place);
}

/* Let one sink from a free place, or rise, to where it belongs. */
static void settle(struct state *state, uint32_t place, struct deadline self)
{
	const struct deadline *heap = state->deadlines;

	while (place > 0) {
		uint32_t above = (place - 1) / 2;

		if (!sooner(state, &self, &heap[above]))
			break;
		set(state, place, heap[above]);
		place = above;
	}
	for (;;) {
		uint32_t below = 2 * place + 1;

		if (below >= state->deadline_count)
			break;
		if (below + 1 < state->deadline_count &&
			sooner(state, &heap[below + 1], &heap[below]))
			below++;
		if (!sooner(state, &heap[below], &self))
			break;
		set(state, place, heap[below]);
		place = below;
	}
	set(state, place, self);
}

void deadline_put(struct state *state, uint32_t index, time_ms at)
{
	CHECK(state->deadline_count < state->limits.reservations_max);
	set_u32(state, &state->deadline_count, state->deadline_count + 1);
	settle(state, state->deadline_count - 1,
		(struct deadline){.at = at, .index = index});
}

void deadline_remove(struct state *state, uint32_t index)
{
	uint32_t place = reservation_at(state, index)->deadline_at;

	if (place == TABLE_NONE)
		return;
	struct deadline last = state->deadlines[state->deadline_count - 1];
	CHECK(state->deadlines[place].index == index);
	set_u32(state, &reservation_at(state, index)->deadline_at, TABLE_NONE);
	set_u32(state, &state->deadline_count, state->deadline_count - 1);
	if (last.index != index)
		settle(state, place, last);
}

uint32_t deadline_first(const struct state *state)
{
	return state->deadline_count > 0 ? state->deadlines[0].index
					 : TABLE_NONE;
}

time_ms state_deadline(const struct state *state)
{
	return state->deadline_count > 0 ? state->deadlines[0].at : INT64_MAX;
}
