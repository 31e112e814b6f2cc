/* contract/op_revoke.c -- `revoke`: a clearance that was not used is taken back
 * (domain row 12).
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	const struct party *signer = state_party_at(state, context->party);
	struct op_revoke op;

	if (op_revoke_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	const struct reservation *self = reservation_at(state, index);
	if (signer->role != ROLE_AUTHORITY &&
		!key_equal(&state->ports[self->port].controller, &signer->key))
		return REFUSAL_NOT_CONTROLLER;
	if (self->state != RESERVATION_CLEARED)
		return REFUSAL_STATE;
	reservation_move(state, index, RESERVATION_CONFIRMED, &context->cause);
	context->reservation = op.reservation;
	context->has_reservation = true;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_revoke = {
	.number = OP_REVOKE,
	.name = "revoke",
	.roles = 1u << ROLE_CONTROLLER | 1u << ROLE_AUTHORITY,
	.apply = apply,
};
