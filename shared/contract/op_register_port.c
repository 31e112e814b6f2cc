/* contract/op_register_port.c -- `register_port`: a new port with its pads, all
 * open (domain row 19). Its controller is a party already, and of no other.
 */
#include "contract/window.h"

#include <string.h>

#include "gen/table.h"

static bool controls_another(const struct state *state, const struct key *key)
{
	for (uint32_t i = 0; i < state->port_count; i++) {
		if (key_equal(&state->ports[i].controller, key))
			return true;
	}
	return false;
}

static enum refusal may_register(
	const struct state *state, const struct op_register_port *op)
{
	uint32_t party = table_find(&state->parties, &op->controller);
	size_t index;

	if (party == TABLE_NONE)
		return REFUSAL_UNKNOWN_PARTY;
	if (state_party_at(state, party)->role != ROLE_CONTROLLER)
		return REFUSAL_NOT_CONTROLLER;
	if (state_port_find(state, op->name, &index) ||
		controls_another(state, &op->controller))
		return REFUSAL_EXISTS;
	return REFUSAL_GRANTED;
}

/* Names that are names, each once, and times within the horizon. */
static bool is_sound(const struct op_register_port *op)
{
	uint64_t times[] = {op->lead, op->before, op->after, op->duration,
		op->hold, op->no_show};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i] > (uint64_t)HORIZON_MS)
			return false;
	}
	for (size_t i = 0; i < op->pads_count; i++) {
		if (!is_name(op->pads[i].name) || !is_name(op->pads[i].group))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (view_equal(op->pads[i].name, op->pads[k].name))
				return false;
		}
	}
	return is_name(op->name);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_register_port op;

	if (op_register_port_decode(&op, body) != ERR_OK || !is_sound(&op))
		return REFUSAL_MALFORMED;
	enum refusal code = may_register(state, &op);
	if (code != REFUSAL_GRANTED)
		return code;
	struct record_port record = {
		.name = op.name,
		.controller = op.controller,
		.lead = op.lead,
		.before = op.before,
		.after = op.after,
		.duration = op.duration,
		.hold = op.hold,
		.no_show = op.no_show,
		.pads_count = op.pads_count,
	};
	for (size_t i = 0; i < op.pads_count; i++)
		record.pads[i] = (struct record_pad){
			.name = op.pads[i].name,
			.group = op.pads[i].group,
			.open = 1,
		};
	if (!effort_left(state) ||
		state_register_port(state, &record) != ERR_OK)
		return REFUSAL_FULL;
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_register_port = {
	.number = OP_REGISTER_PORT,
	.name = "register_port",
	.roles = 1u << ROLE_AUTHORITY,
	.apply = apply,
};
