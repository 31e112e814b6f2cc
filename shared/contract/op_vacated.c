/* contract/op_vacated.c -- `vacated`: the pad was measured empty (domain row
 * 13; invariant 11). Only this ends an overstay or the block after an
 * incursion.
 */
#include "contract/fact.h"

#include "gen/table.h"

/* The first whose aircraft was on the pad; TABLE_NONE: none any more. */
static uint32_t first_on_pad(
	const struct state *state, const struct place *where)
{
	const struct group *group = group_of(state, where->port, where->pad);

	for (uint32_t i = 0; i < group->count; i++) {
		uint32_t index = group_at(state, group, i);
		const struct reservation *self = reservation_at(state, index);

		if (self->pad == where->pad && reservation_on_pad(self))
			return index;
	}
	return TABLE_NONE;
}

static void unblock(struct state *state, const struct place *where)
{
	struct pad *pad = &state->ports[where->port].pads[where->pad];

	if (!pad->blocked)
		return;
	arena_touch(state->arena, pad, sizeof(*pad));
	pad->blocked = false;
	mark_port(state, where->port);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	enum reservation_state became = RESERVATION_NONE;
	struct op_vacated op;
	struct fact fact;

	if (op_vacated_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = fact_at(context, op.port, op.pad, &fact);
	if (code != REFUSAL_GRANTED)
		return code;
	const struct pad *pad =
		&state->ports[fact.where.port].pads[fact.where.pad];
	while (pad->occupants > 0) {
		uint32_t index = first_on_pad(state, &fact.where);
		const struct reservation *self = reservation_at(state, index);

		fact.id = self->id;
		became = RESERVATION_RELEASED;
		reservation_end(state, index, became, &context->cause);
	}
	unblock(state, &fact.where);
	fact_told(context, &fact, became);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_vacated = {
	.number = OP_VACATED,
	.name = "vacated",
	.roles = 1u << ROLE_CONTROLLER,
	.when_down = true,
	.apply = apply,
};
