/* contract/op_departed.c -- `departed`: an aircraft has left the pad into the
 * air (domain row 13). From here on its landing place is all it has.
 */
#include "contract/fact.h"

#include "gen/table.h"

/* What was not planned goes through CONTINGENT, so that the table of states
 * keeps its word. */
static void release(struct op_context *context, uint32_t index, bool cleared)
{
	const struct reservation *self = reservation_at(context->state, index);

	if (!cleared && self->state != RESERVATION_CONTINGENT &&
		!reservation_on_pad(self))
		reservation_move(context->state, index, RESERVATION_CONTINGENT,
			&context->cause);
	reservation_end(
		context->state, index, RESERVATION_RELEASED, &context->cause);
}

/* The flight has begun: nobody takes its landing place away. */
static void begin_flight(struct op_context *context, uint32_t landing)
{
	struct reservation *self = reservation_open(context->state, landing);
	enum reservation_state from = self->state;

	self->flags |= FLAG_AIRBORNE;
	if (from == RESERVATION_HELD) { /* it would lapse */
		self->state = RESERVATION_CONTINGENT;
		self->until = 0;
	}
	reservation_close(context->state, landing, from,
		from == self->state ? NULL : &context->cause);
}

/* Who is to land here, and is not on the pad, cannot have taken off. */
static bool is_departure(const struct op_context *context, uint32_t index)
{
	const struct reservation *self;

	if (index == TABLE_NONE)
		return false;
	self = reservation_at(context->state, index);
	return reservation_on_pad(self) ||
	       (self->movement != MOVEMENT_ARRIVAL &&
		       (self->flags & FLAG_AIRBORNE) == 0);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	enum reservation_state became = RESERVATION_NONE;
	struct op_departed op;
	struct fact fact;

	if (op_departed_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = fact_at(context, op.port, op.pad, &fact);
	if (code == REFUSAL_GRANTED)
		code = fact_of(context, op.reservation, op.aircraft,
			MOVEMENT_DEPARTURE, &fact);
	if (code != REFUSAL_GRANTED)
		return code;
	if (!fact.cleared)
		fact_intrude(context, &fact);
	if (is_departure(context, fact.index)) {
		uint32_t landing = reservation_partner(
			state, reservation_at(state, fact.index));

		release(context, fact.index, fact.cleared);
		became = RESERVATION_RELEASED;
		if (landing != TABLE_NONE)
			begin_flight(context, landing);
	}
	fleet_moved(state, op.aircraft);
	fact_told(context, &fact, became);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_departed = {
	.number = OP_DEPARTED,
	.name = "departed",
	.roles = 1u << ROLE_CONTROLLER,
	.when_down = true,
	.apply = apply,
};
