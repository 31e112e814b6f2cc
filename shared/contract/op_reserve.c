/* contract/op_reserve.c -- `reserve`, alone or as one half of a pair
 * (domain rows 1 and 2).
 */
#include "contract/window.h"

#include <string.h>

#include "gen/table.h"

/* The other half of this operation's pair: exactly one other reserve of this
 * transaction carries its number. */
static bool find_half(const struct op_context *context, uint64_t pair,
	size_t *index, struct op_reserve *half)
{
	const struct tx *tx = &context->tx->body;
	size_t found = 0;

	for (size_t i = 0; i < tx->ops_count; i++) {
		struct op_reserve other;

		if (i == context->op_index || tx->ops[i].kind != OP_RESERVE ||
			op_reserve_decode(&other, tx->ops[i].body) != ERR_OK ||
			other.pair != pair)
			continue;
		*half = other;
		*index = i;
		found++;
	}
	return found == 1;
}

/* One take-off, then one landing of the same aircraft, in a transaction that
 * is all or nothing. */
static bool is_flight(const struct op_context *context,
	const struct op_reserve *self, const struct op_reserve *half,
	size_t half_index)
{
	bool first = context->op_index < half_index;
	const struct op_reserve *departure = first ? self : half;
	const struct op_reserve *arrival = first ? half : self;

	return context->tx->body.mode == TX_MODE_ALL &&
	       departure->movement == MOVEMENT_DEPARTURE &&
	       arrival->movement == MOVEMENT_ARRIVAL &&
	       view_equal(departure->aircraft, arrival->aircraft) &&
	       arrival->start >= departure->start + PAIR_FLIGHT_MS_MIN;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct op_reserve op, half;
	struct window_draft draft = {.pair = NULL};
	struct id pair;
	size_t index = 0;
	bool is_pair = false;

	if (op_reserve_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	if (op.pair != 0 && find_half(context, op.pair, &index, &half)) {
		is_pair = is_flight(context, &op, &half, index);
		pair = window_id(context->tx, index);
		draft.pair = &pair;
	}
	draft.window.start = (time_ms)op.start;
	draft.window.end = (time_ms)op.end;
	draft.aircraft = op.aircraft;
	draft.movement = (uint8_t)op.movement;
	enum refusal code =
		window_find(context->state, op.port, op.pad, &draft.window);
	if (code == REFUSAL_GRANTED)
		code = window_check(context->state, &draft.window);
	if (code == REFUSAL_GRANTED)
		code = window_free(context, &draft.window, TABLE_NONE);
	if (code == REFUSAL_GRANTED)
		code = window_may_reserve(context, &draft);
	if (code == REFUSAL_GRANTED && op.pair != 0 && !is_pair)
		code = REFUSAL_PAIR_TIME;
	if (code == REFUSAL_GRANTED)
		window_reserve(context, &draft);
	return code;
}

const struct op_kind op_kind_reserve = {
	.number = OP_RESERVE,
	.name = "reserve",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
