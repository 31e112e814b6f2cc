/* contract/op_request_clearance.c -- `request_clearance`: the owner asks the
 * port's controller to let its aircraft take off or land (domain row 9).
 *
 * The request is open until it is answered, or the aircraft moves: a clearance
 * never answers what was asked before the last flight (PX4 #12685).
 */
#include "contract/window.h"

#include "gen/table.h"

/* One named aircraft: the reservation's, or, if that names none, one that is
 * not elsewhere. */
static enum refusal may_name(const struct state *state, uint32_t index,
	const struct reservation *self, struct view aircraft)
{
	struct place window = {
		.port = self->port,
		.pad = self->pad,
		.start = self->start,
		.end = self->end,
	};

	if (self->aircraft.size > 0)
		return aircraft.size == 0 || view_equal(aircraft,
						     name_view(&self->aircraft))
			       ? REFUSAL_GRANTED
			       : REFUSAL_AIRCRAFT;
	if (aircraft.size == 0 || self->paired)
		return REFUSAL_AIRCRAFT;
	return window_aircraft(state, aircraft, &window, index, NULL);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_request_clearance op;

	if (op_request_clearance_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	struct reservation *self = reservation_at(state, index);
	if (self->party != context->party)
		return REFUSAL_NOT_OWNER;
	if (self->state != RESERVATION_CONFIRMED)
		return REFUSAL_STATE;
	if (op.nonce <= self->nonce)
		return REFUSAL_NONCE;
	enum refusal code = may_name(state, index, self, op.aircraft);
	if (code != REFUSAL_GRANTED)
		return code;
	if (self->aircraft.size == 0)
		reservation_name(state, index, op.aircraft);
	table_touch(&state->reservations, index);
	self->nonce = op.nonce;
	self->asked = context->now;
	mark_reservation(state, self);
	context->reservation = op.reservation;
	context->has_reservation = true;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_request_clearance = {
	.number = OP_REQUEST_CLEARANCE,
	.name = "request_clearance",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
