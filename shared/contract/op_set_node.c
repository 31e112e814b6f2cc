/* contract/op_set_node.c -- `set_node`: who orders this ledger.
 *
 * One node, one change, alone in its block; the engine allows the next one when
 * this one is final (ONGARO §4.1).
 */
#include "contract/window.h"

#include <string.h>

#include "gen/table.h"

enum { NODE_NONE, NODE_STANDBY, NODE_VOTER };

/* Whether any other node is a voter. */
static bool others_vote(const struct state *state, uint32_t place)
{
	for (uint32_t i = 0; i < state->node_count; i++) {
		if (i != place && state->nodes[i].role == NODE_VOTER)
			return true;
	}
	return false;
}

static enum refusal may_set(const struct op_context *context,
	const struct op_set_node *op, uint32_t place, bool known)
{
	const struct state *state = context->state;

	if (!*context->member_free)
		return REFUSAL_MEMBERSHIP;
	if (!known && op->role == NODE_NONE)
		return REFUSAL_UNKNOWN_NODE;
	if (known && op->role != NODE_VOTER && !others_vote(state, place))
		return REFUSAL_MEMBERSHIP;
	if (!known && state->node_count == state->limits.nodes_max)
		return REFUSAL_FULL;
	return REFUSAL_GRANTED;
}

static void set_node(struct state *state, const struct op_set_node *op,
	uint32_t place, bool known)
{
	struct node *nodes = state->nodes;
	uint32_t after = state->node_count - place - (known ? 1 : 0);
	uint32_t size = place + after + (op->role == NODE_NONE ? 0 : 1);

	arena_touch(
		state->arena, nodes, state->limits.nodes_max * sizeof(*nodes));
	memmove(&nodes[size - after], &nodes[state->node_count - after],
		after * sizeof(*nodes));
	if (op->role != NODE_NONE) {
		struct record_node record = {
			.key = op->node,
			.name = op->name,
			.role = op->role,
			.request = op->request,
			.publish = op->publish,
			.peer = op->peer,
		};
		node_set(&nodes[place], &record);
	}
	set_u32(state, &state->node_count, size);
	arena_touch(state->arena, &state->nodes_hash, HASH_SIZE);
	state->nodes_hash = nodes_hash(state);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_set_node op;

	if (op_set_node_decode(&op, body) != ERR_OK || !is_name(op.name) ||
		!key_is_valid(&op.node))
		return REFUSAL_MALFORMED;
	uint32_t place = state_node_place(state, &op.node);
	bool known = place < state->node_count &&
		     key_equal(&state->nodes[place].key, &op.node);

	enum refusal code = may_set(context, &op, place, known);
	if (code != REFUSAL_GRANTED)
		return code;
	set_node(state, &op, place, known);
	*context->member_free = false;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_set_node = {
	.number = OP_SET_NODE,
	.name = "set_node",
	.roles = 1u << ROLE_AUTHORITY,
	.apply = apply,
};
