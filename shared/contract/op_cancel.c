/* contract/op_cancel.c -- `cancel`: give a slot back, and with it the other
 * half of a pair (domain row 8; no flight keeps only one end).
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal may_cancel(const struct op_context *context,
	const struct reservation *self, uint32_t half)
{
	const struct state *state = context->state;
	const struct party *party = state_party_at(state, context->party);

	if (self->party != context->party && party->role != ROLE_AUTHORITY)
		return REFUSAL_NOT_OWNER;
	if (!move_allowed(self->state, RESERVATION_CANCELLED))
		return REFUSAL_STATE;
	if ((self->flags & FLAG_AIRBORNE) != 0)
		return REFUSAL_AIRBORNE;
	if (half != TABLE_NONE &&
		!move_allowed(reservation_at(state, half)->state,
			RESERVATION_CANCELLED))
		return REFUSAL_STATE;
	return REFUSAL_GRANTED;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_cancel op;

	if (op_cancel_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	const struct reservation *self = reservation_at(state, index);
	uint32_t half = reservation_partner(state, self);

	enum refusal code = may_cancel(context, self, half);
	if (code != REFUSAL_GRANTED)
		return code;
	reservation_end(state, index, RESERVATION_CANCELLED, &context->cause);
	if (half != TABLE_NONE)
		reservation_end(
			state, half, RESERVATION_CANCELLED, &context->cause);
	context->reservation = op.reservation;
	context->has_reservation = true;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_cancel = {
	.number = OP_CANCEL,
	.name = "cancel",
	.roles = 1u << ROLE_OPERATOR | 1u << ROLE_AUTHORITY,
	.apply = apply,
};
