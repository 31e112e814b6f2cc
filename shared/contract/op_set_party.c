/* contract/op_set_party.c -- `set_party`: how much an operator may hold, and
 * whether anybody may act at all (domain row 19).
 *
 * A quota below what is live stops new ones and ends none. The authority never
 * sets itself down: nobody could set it up again.
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_set_party op;

	if (op_set_party_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = table_find(&state->parties, &op.party);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_PARTY;
	struct party *party = state_party_at(state, index);
	if (party->role == ROLE_AUTHORITY && op.up == 0)
		return REFUSAL_ROLE;
	table_touch(&state->parties, index);
	party->quota = (uint32_t)op.quota;
	party->up = op.up != 0;
	mark_party(state, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_set_party = {
	.number = OP_SET_PARTY,
	.name = "set_party",
	.roles = 1u << ROLE_AUTHORITY,
	.apply = apply,
};
