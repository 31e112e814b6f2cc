/* contract/op_reservation.c -- `reservation`, the first prototypes' word: the
 * port's first free pad, as soon as its lead allows, for its default duration.
 */
#include "contract/window.h"

#include "gen/table.h"

/* The first open pad that is free then. SLOT_TAKEN with details of the whole
 * port; PAD_CLOSED when no pad is open. */
static enum refusal find_pad(struct op_context *context, struct place *window)
{
	const struct port *port = &context->state->ports[window->port];
	uint32_t conflicts[DETAIL_SLOT_TAKEN_CONFLICTS_MAX];
	enum refusal code = REFUSAL_PAD_CLOSED;
	unsigned looked = 0; /* a bit a group */
	size_t count = 0;

	for (uint8_t i = 0; i < port->pad_count; i++) {
		uint8_t group = port->pads[i].group;

		window->pad = i;
		enum refusal pad_code = window_check(context->state, window);
		if (pad_code == REFUSAL_PAD_CLOSED)
			continue;
		if (pad_code != REFUSAL_GRANTED)
			return pad_code;
		code = REFUSAL_SLOT_TAKEN;
		if (looked >> group & 1)
			continue;
		looked |= 1u << group;
		uint32_t found[DETAIL_SLOT_TAKEN_CONFLICTS_MAX];
		size_t more = window_conflicts(context->state, window, group,
			TABLE_NONE, found, DETAIL_SLOT_TAKEN_CONFLICTS_MAX);
		if (more == 0)
			return REFUSAL_GRANTED;
		for (size_t k = 0; k < more; k++) {
			if (count < DETAIL_SLOT_TAKEN_CONFLICTS_MAX)
				conflicts[count++] = found[k];
		}
	}
	if (code == REFUSAL_SLOT_TAKEN)
		window_taken(
			context, window, view_of(NULL, 0), conflicts, count);
	return code;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct window_draft draft = {.alternate_port = TABLE_NONE};
	struct op_reservation op;
	uint32_t index;

	if (op_reservation_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	if (!port_find(state, op.port, &index))
		return REFUSAL_UNKNOWN_PAD;
	const struct port *port = &state->ports[index];
	draft.window.port = index;
	draft.hold = port->hold;
	draft.window.start = context->now + port->lead;
	draft.window.end = draft.window.start + port->duration;
	enum refusal code = find_pad(context, &draft.window);
	if (code == REFUSAL_GRANTED)
		code = window_may_reserve(context, &draft);
	if (code == REFUSAL_GRANTED)
		window_reserve(context, &draft);
	return code;
}

const struct op_kind op_kind_reservation = {
	.number = OP_RESERVATION,
	.name = "reservation",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
