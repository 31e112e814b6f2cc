/* contract/op_amend.c -- `amend`: move a reservation, or keep it as it is
 * (domain row 7).
 */
#include "contract/window.h"

#include "gen/table.h"

/* Whether a half of a pair would still make a flight with the other one. */
static bool keeps_flight(const struct state *state,
	const struct reservation *self, const struct place *window)
{
	uint32_t index = reservation_partner(state, self);

	if (index == TABLE_NONE)
		return true;
	const struct reservation *half = reservation_at(state, index);
	time_ms flight = self->movement == MOVEMENT_ARRIVAL
				 ? window->start - half->start
				 : half->start - window->start;
	return flight >= PAIR_FLIGHT_MS_MIN;
}

/* What is held or confirmed, while no clearance relies on it. */
static bool is_still(const struct state *state, const struct reservation *self)
{
	uint32_t half = reservation_partner(state, self);

	return (self->state == RESERVATION_HELD ||
		       self->state == RESERVATION_CONFIRMED) &&
	       (half == TABLE_NONE || reservation_at(state, half)->state !=
					      RESERVATION_CLEARED);
}

static enum refusal may_amend(const struct op_context *context,
	const struct reservation *self, uint64_t version)
{
	if (self->party != context->party)
		return REFUSAL_NOT_OWNER;
	if (self->version != version)
		return REFUSAL_VERSION;
	if (!is_still(context->state, self))
		return REFUSAL_STATE;
	return self->version == UINT32_MAX ? REFUSAL_FULL : REFUSAL_GRANTED;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_amend op;
	struct place window;

	if (op_amend_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	const struct reservation *self = reservation_at(state, index);
	const struct port *port = &state->ports[self->port];
	window.start = (time_ms)op.start;
	window.end = (time_ms)op.end;

	enum refusal code = may_amend(context, self, op.version);
	if (code == REFUSAL_GRANTED)
		code = window_find(
			state, name_view(&port->name), op.pad, &window);
	if (code == REFUSAL_GRANTED)
		code = window_check(state, &window);
	if (code == REFUSAL_GRANTED)
		code = window_free(context, &window, index);
	if (code == REFUSAL_GRANTED)
		code = window_aircraft(state, name_view(&self->aircraft),
			&window, index, self->paired ? &self->pair : NULL);
	if (code == REFUSAL_GRANTED && !keeps_flight(state, self, &window))
		code = REFUSAL_PAIR_TIME;
	if (code == REFUSAL_GRANTED &&
		port->pads[window.pad].group != port->pads[self->pad].group &&
		port->groups[port->pads[window.pad].group].count >=
			state->limits.group_max)
		code = REFUSAL_FULL;
	if (code != REFUSAL_GRANTED)
		return code;
	reservation_place(state, index, &window, self->state, &context->cause);
	window_granted(context, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_amend = {
	.number = OP_AMEND,
	.name = "amend",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
