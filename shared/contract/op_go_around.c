/* contract/op_go_around.c -- `go_around`: an arrival does not land now (domain
 * row 14). It takes the window that it names, or its alternate, or else it is
 * contingent: whatever happens, it keeps a place to land.
 */
#include "contract/window.h"

#include "gen/table.h"

/* In the air: its departure has left, or it was cleared to land here. */
static bool is_coming(const struct reservation *self)
{
	if (reservation_on_pad(self))
		return false;
	return (self->flags & FLAG_AIRBORNE) != 0 ||
	       (self->state == RESERVATION_CLEARED &&
		       self->movement == MOVEMENT_ARRIVAL);
}

static enum refusal may_go_around(
	const struct op_context *context, const struct reservation *self)
{
	const struct state *state = context->state;
	const struct party *signer = state_party_at(state, context->party);

	if (signer->role == ROLE_OPERATOR && self->party != context->party)
		return REFUSAL_NOT_OWNER;
	if (signer->role == ROLE_CONTROLLER &&
		!key_equal(&state->ports[self->port].controller, &signer->key))
		return REFUSAL_NOT_CONTROLLER;
	return is_coming(self) ? REFUSAL_GRANTED : REFUSAL_STATE;
}

/* Take the window that the operation names. */
static bool take_window(struct op_context *context, uint32_t index,
	const struct op_go_around *op)
{
	struct state *state = context->state;
	struct place to;

	if (op->port.size == 0 ||
		window_find(state, op->port, op->pad, &to) != REFUSAL_GRANTED)
		return false;
	to.start = (time_ms)op->start;
	to.end = (time_ms)op->end;
	if (to.start < context->now || to.end <= to.start ||
		to.end - to.start > WINDOW_MS_MAX ||
		to.end - context->now > HORIZON_MS ||
		!divert_to(state, index, &to, NULL))
		return false;
	reservation_place(
		state, index, &to, RESERVATION_CONFIRMED, &context->cause);
	return true;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_go_around op;

	if (op_go_around_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	struct reservation *self = reservation_at(state, index);
	enum refusal code = may_go_around(context, self);
	if (code != REFUSAL_GRANTED)
		return code;
	table_touch(&state->reservations, index);
	self->flags |= FLAG_AIRBORNE;
	if (!take_window(context, index, &op) &&
		!divert(state, index, NULL, &context->cause) &&
		self->state != RESERVATION_CONTINGENT)
		reservation_move(
			state, index, RESERVATION_CONTINGENT, &context->cause);
	mark_reservation(state, self);
	window_granted(context, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_go_around = {
	.number = OP_GO_AROUND,
	.name = "go_around",
	.roles = 1u << ROLE_OPERATOR | 1u << ROLE_CONTROLLER,
	.when_down = true,
	.apply = apply,
};
