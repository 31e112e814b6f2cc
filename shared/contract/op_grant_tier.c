/* contract/op_grant_tier.c -- `grant_tier`: with which tiers an operator may
 * reserve (domain rows 15 and 19). What it reserved already keeps its own.
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_grant_tier op;

	if (op_grant_tier_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = table_find(&state->parties, &op.party);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_PARTY;
	struct party *party = state_party_at(state, index);
	table_touch(&state->parties, index);
	party->tier = (uint8_t)op.tier;
	mark_party(state, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_grant_tier = {
	.number = OP_GRANT_TIER,
	.name = "grant_tier",
	.roles = 1u << ROLE_AUTHORITY,
	.apply = apply,
};
