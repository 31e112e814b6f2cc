/* contract/op_reserve.c -- `reserve`, alone or as one half of a pair
 * (domain rows 1 and 2).
 */
#include "contract/window.h"

#include <string.h>

#include "gen/table.h"

enum { DISPLACED_MAX = 8 };

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
	       departure->tier == arrival->tier && /* none displaces itself */
	       arrival->start >= departure->start + PAIR_FLIGHT_MS_MIN;
}

/* Fill what stands in the operation; MALFORMED, UNKNOWN_PAD. */
static enum refusal read_draft(struct op_context *context,
	const struct op_reserve *op, struct window_draft *draft)
{
	const struct state *state = context->state;
	struct place alternate = {.port = TABLE_NONE};

	if ((op->commitment.size != 0 && op->commitment.size != HASH_SIZE) ||
		(op->sealed.size > 0 && op->commitment.size == 0) ||
		(op->alternate_port.size == 0) != (op->alternate_pad.size == 0))
		return REFUSAL_MALFORMED;
	draft->window.start = (time_ms)op->start;
	draft->window.end = (time_ms)op->end;
	draft->aircraft = op->aircraft;
	draft->movement = (uint8_t)op->movement;
	draft->tier = (uint8_t)op->tier;
	draft->commitment = op->commitment;
	enum refusal code =
		window_find(state, op->port, op->pad, &draft->window);
	if (code == REFUSAL_GRANTED && op->alternate_port.size > 0)
		code = window_find(state, op->alternate_port, op->alternate_pad,
			&alternate);
	if (code != REFUSAL_GRANTED)
		return code;
	draft->alternate_port = alternate.port;
	draft->alternate_pad = alternate.pad;
	draft->hold = state->ports[draft->window.port].hold;
	return REFUSAL_GRANTED;
}

/* Both halves wait as long as the longer one: they are confirmed together. */
static void join_hold(const struct state *state, const struct op_reserve *half,
	struct window_draft *draft)
{
	struct place other;

	if (window_find(state, half->port, half->pad, &other) ==
			REFUSAL_GRANTED &&
		state->ports[other.port].hold > draft->hold)
		draft->hold = state->ports[other.port].hold;
}

/* Those in the way, when all of them can be displaced. */
struct in_way {
	size_t count;
	uint32_t who[DISPLACED_MAX + 1];
};

/* Free, or to be made free; SLOT_TAKEN, PRIORITY, TIER_NOT_GRANTED. */
static enum refusal find_way(struct op_context *context,
	const struct window_draft *draft, struct in_way *way)
{
	const struct state *state = context->state;
	const struct port *port = &state->ports[draft->window.port];
	uint8_t group = port->pads[draft->window.pad].group;

	if (draft->tier > state_party_at(state, context->party)->tier)
		return REFUSAL_TIER_NOT_GRANTED;
	way->count = window_conflicts(state, &draft->window, group, TABLE_NONE,
		way->who, DISPLACED_MAX + 1);
	bool all = way->count <= DISPLACED_MAX;
	for (size_t i = 0; all && i < way->count; i++)
		all = displaceable(state, way->who[i], draft->tier);
	if (all)
		return REFUSAL_GRANTED;
	enum refusal code = window_free(context, &draft->window, TABLE_NONE);
	return draft->tier > 0 ? REFUSAL_PRIORITY : code;
}

/* Displacing one half of a flight may end another one that is in the way. */
static void make_way(struct op_context *context,
	const struct window_draft *draft, struct in_way *way)
{
	struct state *state = context->state;
	uint8_t group =
		state->ports[draft->window.port].pads[draft->window.pad].group;

	while (way->count > 0) {
		displace(state, way->who[0], &draft->window,
			RESERVATION_PREEMPTED, &context->cause);
		context->displaced++;
		way->count = window_conflicts(
			state, &draft->window, group, TABLE_NONE, way->who, 1);
	}
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct op_reserve op, half;
	struct window_draft draft = {.pair = NULL};
	struct in_way way = {.count = 0};
	struct id pair;
	size_t index = 0;
	bool is_pair = false;

	if (op_reserve_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = read_draft(context, &op, &draft);
	if (code == REFUSAL_GRANTED && op.pair != 0 &&
		find_half(context, op.pair, &index, &half)) {
		is_pair = is_flight(context, &op, &half, index);
		pair = window_id(context->tx, index);
		draft.pair = &pair;
		join_hold(context->state, &half, &draft);
	}
	if (code == REFUSAL_GRANTED)
		code = window_check(context->state, &draft.window);
	if (code == REFUSAL_GRANTED)
		code = find_way(context, &draft, &way);
	if ((code == REFUSAL_SLOT_TAKEN || code == REFUSAL_PRIORITY) &&
		op.wait != 0 && op.pair == 0) { /* a flight does not wait */
		draft.waits = true;
		code = REFUSAL_GRANTED;
	}
	if (code == REFUSAL_GRANTED)
		code = window_may_reserve(context, &draft);
	if (code == REFUSAL_GRANTED && op.pair != 0 && !is_pair)
		code = REFUSAL_PAIR_TIME;
	if (code != REFUSAL_GRANTED)
		return code;
	if (!draft.waits)
		make_way(context, &draft, &way);
	window_reserve(context, &draft);
	return code;
}

const struct op_kind op_kind_reserve = {
	.number = OP_RESERVE,
	.name = "reserve",
	.roles = 1u << ROLE_OPERATOR,
	.apply = apply,
};
