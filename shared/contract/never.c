/* contract/never.c -- what must never happen, looked for in one state. */
#include "contract/never.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "contract/reservation.h"

const char *never_text(int rule)
{
	switch (rule) {
#define X(number, text)                                                        \
	case number:                                                           \
		return text;
		NEVER_LIST(X)
#undef X
	}
	return NULL;
}

bool never_say(struct never_found *found, int rule, const struct id *id)
{
	char hex[2 * ID_SIZE + 1] = "";

	if (id != NULL)
		hex_encode(hex, view_of(id, ID_SIZE));
	found->rule = rule;
	snprintf(found->what, sizeof(found->what), "%d: %s%s%s", rule,
		never_text(rule), id != NULL ? ": " : "", hex);
	return true;
}

/* ---- one reservation ---- */

static bool is_ground(const struct reservation *self)
{
	return self->state == RESERVATION_HELD ||
	       self->state == RESERVATION_CONFIRMED ||
	       self->state == RESERVATION_CLEARED;
}

/* Of a flight that has not left both halves are there, each other's own. */
static bool half_pair(const struct state *state, const struct reservation *self)
{
	if (!self->paired)
		return false;
	uint32_t half = table_find(&state->reservations, &self->pair);

	if (half != TABLE_NONE)
		return !id_equal(&reservation_at(state, half)->pair, &self->id);
	return self->movement == MOVEMENT_DEPARTURE ||
	       (is_ground(self) && (self->flags & FLAG_AIRBORNE) == 0);
}

static bool clearance_in_closure(
	const struct state *state, const struct reservation *self)
{
	const struct pad *pad = &state->ports[self->port].pads[self->pad];

	return self->state == RESERVATION_CLEARED &&
	       (!pad->open || (pad->closed_from < self->until &&
				      state->time < pad->closed_until));
}

static bool look_at(const struct state *state, const struct reservation *self,
	struct never_found *found)
{
	if (half_pair(state, self))
		return never_say(found, 7, &self->id);
	/* In the air: it waits for its landing, in whatever state. */
	if ((self->flags & FLAG_AIRBORNE) != 0 &&
		self->state != RESERVATION_CONFIRMED &&
		self->state != RESERVATION_CLEARED &&
		self->state != RESERVATION_CONTINGENT)
		return never_say(found, 8, &self->id);
	if (clearance_in_closure(state, self))
		return never_say(found, 9, &self->id);
	if (self->state < RESERVATION_HELD ||
		self->state > RESERVATION_WAITLISTED)
		return never_say(found, 12, &self->id);
	return false;
}

/* ---- one pad group ---- */

/* Neighbours are enough, unless some may overlap: then each with all. */
static bool overlap(const struct state *state, const struct port *port,
	const struct group *group, uint32_t place)
{
	const struct reservation *self =
		reservation_at(state, group_at(state, group, place));
	time_ms gap = port->before + port->after;

	for (uint32_t i = place; i > 0; i--) {
		const struct reservation *other =
			reservation_at(state, group_at(state, group, i - 1));

		if (self->state != RESERVATION_CONTINGENT &&
			other->state != RESERVATION_CONTINGENT &&
			self->start < other->end + gap)
			return true;
		if (group->contingent == 0)
			break;
	}
	return false;
}

static bool look_in_group(const struct state *state, const struct port *port,
	const struct group *group, struct never_found *found)
{
	unsigned cleared = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		const struct reservation *self =
			reservation_at(state, group_at(state, group, i));

		cleared += self->state == RESERVATION_CLEARED &&
			   state->time < self->until;
		if (cleared > 1)
			return never_say(found, 1, &self->id);
		if (overlap(state, port, group, i))
			return never_say(found, 2, &self->id);
		if (look_at(state, self, found))
			return true;
	}
	return false;
}

/* Who is on a pad is counted, so that time cannot forget it. */
static bool miscounted(const struct state *state, const struct port *port)
{
	uint32_t on_pads = 0, counted = 0;

	for (size_t i = 0; i < port->pad_count; i++)
		counted += port->pads[i].occupants;
	for (size_t i = 0; i < port->group_count; i++) {
		const struct group *group = &port->groups[i];

		for (uint32_t k = 0; k < group->count; k++)
			on_pads += reservation_on_pad(reservation_at(
				state, group_at(state, group, k)));
	}
	return on_pads != counted;
}

bool never_port(
	const struct state *state, uint32_t index, struct never_found *found)
{
	const struct port *port = &state->ports[index];

	for (size_t i = 0; i < port->group_count; i++) {
		if (look_in_group(state, port, &port->groups[i], found))
			return true;
	}
	return miscounted(state, port) && never_say(found, 11, NULL);
}

/* ---- aircraft and parties ---- */

static bool together(const struct reservation *a, const struct reservation *b)
{
	return a->state != RESERVATION_CONTINGENT &&
	       b->state != RESERVATION_CONTINGENT && a->start < b->end &&
	       b->start < a->end && !(a->paired && id_equal(&a->pair, &b->id));
}

bool never_aircraft(
	const struct state *state, uint32_t first, struct never_found *found)
{
	for (uint32_t at = first; at != TABLE_NONE;
		at = reservation_at(state, at)->fleet_next) {
		const struct reservation *self = reservation_at(state, at);
		uint32_t other = self->fleet_next;

		for (; other != TABLE_NONE;
			other = reservation_at(state, other)->fleet_next) {
			if (together(self, reservation_at(state, other)))
				return never_say(found, 14, &self->id);
		}
	}
	return false;
}

static bool look_at_parties(
	const struct state *state, struct never_found *found)
{
	uint64_t live = 0;

	for (uint32_t i = 0; i < state->parties.count; i++)
		live += state_party_at(state, state->party_order[i])->live;
	return live != state->reservations.count && never_say(found, 17, NULL);
}

bool never_state(const struct state *state, struct never_found *found)
{
	uint32_t at = table_next(&state->fleet, 0);

	for (uint32_t i = 0; i < state->port_count; i++) {
		if (never_port(state, i, found))
			return true;
	}
	for (; at != TABLE_NONE; at = table_next(&state->fleet, at + 1)) {
		const struct aircraft *aircraft = table_at(&state->fleet, at);

		if (never_aircraft(state, aircraft->first, found))
			return true;
	}
	return look_at_parties(state, found);
}
