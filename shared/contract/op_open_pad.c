/* contract/op_open_pad.c -- `open_pad`: a pad has no closure any more (domain
 * row 16). It stays blocked after an incursion: only a measurement helps.
 */
#include "contract/window.h"

#include "gen/table.h"

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_open_pad op;
	struct place where;

	if (op_open_pad_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = window_find(state, op.port, op.pad, &where);
	if (code == REFUSAL_GRANTED)
		code = window_runs(context, &where);
	if (code != REFUSAL_GRANTED)
		return code;
	struct pad *pad = &state->ports[where.port].pads[where.pad];
	arena_touch(state->arena, pad, sizeof(*pad));
	pad->open = true;
	pad->closed_from = 0;
	pad->closed_until = 0;
	mark_port(state, where.port);
	group_freed(state, where.port, where.pad);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_open_pad = {
	.number = OP_OPEN_PAD,
	.name = "open_pad",
	.roles = 1u << ROLE_CONTROLLER | 1u << ROLE_AUTHORITY,
	.apply = apply,
};
