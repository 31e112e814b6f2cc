/* contract/op_confirm.c -- `confirm`: what is held is kept, both halves of a
 * pair (domain row 5).
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal may_confirm(const struct op_context *context,
	const struct reservation *self, uint64_t version)
{
	if (self->party != context->party)
		return REFUSAL_NOT_OWNER;
	if (self->version != version)
		return REFUSAL_VERSION;
	if (self->state != RESERVATION_HELD)
		return REFUSAL_STATE;
	/* Only while a backlog of effects of time is worked off. */
	return context->now < self->until ? REFUSAL_GRANTED : REFUSAL_EXPIRED;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_confirm op;

	if (op_confirm_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	const struct reservation *self = reservation_at(state, index);
	uint32_t half = reservation_partner(state, self);
	enum refusal code = may_confirm(context, self, op.version);
	if (code != REFUSAL_GRANTED)
		return code;
	if (half != TABLE_NONE &&
		reservation_at(state, half)->state != RESERVATION_HELD)
		return REFUSAL_STATE;
	reservation_move(state, index, RESERVATION_CONFIRMED, &context->cause);
	if (half != TABLE_NONE)
		reservation_move(
			state, half, RESERVATION_CONFIRMED, &context->cause);
	window_granted(context, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_confirm = {
	.number = OP_CONFIRM,
	.name = "confirm",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
