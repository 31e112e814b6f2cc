/* contract/waiting.c -- who waits is given what becomes free (domain row 4).
 *
 * After each operation and each effect of time, in the same block and in an
 * order that every node knows: by tier, then by height and place in the block.
 */
#include "contract/window.h"

static bool may_have(const struct state *state, uint32_t index)
{
	const struct reservation *self = reservation_at(state, index);
	struct place window = {
		.port = self->port,
		.pad = self->pad,
		.start = self->start,
		.end = self->end,
	};
	uint8_t group = state->ports[self->port].pads[self->pad].group;
	uint32_t other;

	return window_check(state, &window) == REFUSAL_GRANTED &&
	       window_conflicts(state, &window, group, TABLE_NONE, &other, 1) ==
		       0 &&
	       window_aircraft(state, name_view(&self->aircraft), &window,
		       TABLE_NONE, NULL) == REFUSAL_GRANTED &&
	       group_of(state, self->port, self->pad)->count <
		       state->limits.group_max;
}

static void serve(struct state *state, const struct freed *freed,
	const struct cause *cause)
{
	const struct port *port = &state->ports[freed->port];
	const struct group *group = &port->groups[freed->group];
	enum reservation_state to =
		port->hold > 0 ? RESERVATION_HELD : RESERVATION_CONFIRMED;

	for (uint32_t i = 0; i < group->waiting_count;) {
		uint32_t index = group->waiting[i];
		const struct reservation *self = reservation_at(state, index);
		struct place window = {
			.port = self->port,
			.pad = self->pad,
			.start = self->start,
			.end = self->end,
		};

		if (may_have(state, index))
			reservation_place(state, index, &window, to, cause);
		else
			i++;
	}
}

void waiting_serve(struct state *state, const struct cause *cause)
{
	for (uint32_t i = 0; i < state->freed_count; i++)
		serve(state, &state->freed[i], cause);
	state->freed_count = 0;
}
