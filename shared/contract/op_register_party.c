/* contract/op_register_party.c -- `register_party`: a new operator, controller
 * or observer (domain row 19). One key, one role, for ever.
 */
#include "contract/window.h"

#include "gen/table.h"

static bool is_role(uint64_t role)
{
	return role == ROLE_OPERATOR || role == ROLE_CONTROLLER ||
	       role == ROLE_OBSERVER;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_register_party op;

	if (op_register_party_decode(&op, body) != ERR_OK ||
		!is_role(op.role) || !is_name(op.name) ||
		!key_is_valid(&op.party))
		return REFUSAL_MALFORMED;
	if (table_find(&state->parties, &op.party) != TABLE_NONE)
		return REFUSAL_EXISTS;
	struct record_party record = {
		.key = op.party,
		.name = op.name,
		.role = op.role,
		.quota = op.role == ROLE_OPERATOR ? op.quota : 0,
		.up = 1,
	};
	if (!effort_left(state) ||
		state_register_party(state, &record) != ERR_OK)
		return REFUSAL_FULL;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_register_party = {
	.number = OP_REGISTER_PARTY,
	.name = "register_party",
	.roles = 1u << ROLE_AUTHORITY,
	.apply = apply,
};
