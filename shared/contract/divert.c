/* contract/divert.c -- reservations that have to give way: to a higher tier, to
 * a closure. Each gets its alternate, if it named one and that is free.
 */
#include "contract/window.h"

/* Whether two windows of one pad group, with the port's buffers, overlap. */
static bool collides(
	const struct state *state, const struct place *a, const struct place *b)
{
	const struct port *port = &state->ports[a->port];
	time_ms gap = port->before + port->after;

	return a->port == b->port &&
	       port->pads[a->pad].group == port->pads[b->pad].group &&
	       a->start < b->end + gap && b->start < a->end + gap;
}

bool divert_to(const struct state *state, uint32_t index,
	const struct place *to, const struct place *taken)
{
	const struct reservation *self = reservation_at(state, index);
	const struct port *port = &state->ports[to->port];
	const struct pad *pad = &port->pads[to->pad];
	bool same_group = self->port == to->port &&
			  port->pads[self->pad].group == pad->group;
	uint32_t other;

	return to->end > state->time && pad_open(pad, to->start, to->end) &&
	       (taken == NULL || !collides(state, to, taken)) &&
	       (same_group || port->groups[pad->group].count <
				      state->limits.group_max) &&
	       window_conflicts(state, to, pad->group, index, &other, 1) == 0 &&
	       window_aircraft(state, name_view(&self->aircraft), to, index,
		       self->paired ? &self->pair : NULL) == REFUSAL_GRANTED;
}

bool divert(struct state *state, uint32_t index, const struct place *taken,
	const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);
	struct place to = {
		.port = self->alternate_port,
		.pad = self->alternate_pad,
		.start = self->start,
		.end = self->end,
	};

	if (to.port == TABLE_NONE || !divert_to(state, index, &to, taken))
		return false;
	table_touch(&state->reservations, index);
	self->alternate_port = TABLE_NONE; /* used up */
	reservation_place(state, index, &to,
		self->state == RESERVATION_HELD ? RESERVATION_HELD
						: RESERVATION_CONFIRMED,
		cause);
	return true;
}

static bool may_end(const struct reservation *self)
{
	return (self->state == RESERVATION_HELD ||
		       self->state == RESERVATION_CONFIRMED) &&
	       (self->flags & FLAG_AIRBORNE) == 0;
}

bool displaceable(const struct state *state, uint32_t index, uint8_t tier)
{
	const struct reservation *self = reservation_at(state, index);
	uint32_t half = reservation_partner(state, self);

	return self->tier < tier && may_end(self) &&
	       (half == TABLE_NONE || may_end(reservation_at(state, half)));
}

void displace(struct state *state, uint32_t index, const struct place *taken,
	enum reservation_state to, const struct cause *cause)
{
	uint32_t half =
		reservation_partner(state, reservation_at(state, index));

	if (divert(state, index, taken, cause))
		return;
	reservation_end(state, index, to, cause);
	if (half != TABLE_NONE)
		reservation_end(state, half, to, cause);
}
