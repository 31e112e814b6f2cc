/* contract/op_landed.c -- `landed`: an aircraft stands on the pad (domain row
 * 13).
 */
#include "contract/fact.h"

#include "gen/table.h"

/* Who is to leave from here, or is here, cannot have come. */
static bool is_arrival(const struct op_context *context, uint32_t index)
{
	const struct reservation *self;

	if (index == TABLE_NONE)
		return false;
	self = reservation_at(context->state, index);
	return !reservation_on_pad(self) &&
	       self->movement != MOVEMENT_DEPARTURE;
}

/* Without a clearance: it stands there all the same. That it took off was not
 * told, but it did. */
static void come_unbidden(struct op_context *context, uint32_t index)
{
	struct state *state = context->state;
	uint32_t departure =
		reservation_partner(state, reservation_at(state, index));

	if (departure != TABLE_NONE) {
		if (reservation_at(state, departure)->state !=
			RESERVATION_CONTINGENT)
			reservation_move(state, departure,
				RESERVATION_CONTINGENT, &context->cause);
		reservation_end(state, departure, RESERVATION_RELEASED,
			&context->cause);
	}
	struct reservation *self = reservation_open(state, index);
	enum reservation_state from = self->state;
	self->state = RESERVATION_CONTINGENT;
	self->flags &= (uint8_t)~FLAG_AIRBORNE;
	self->flags |= FLAG_ON_PAD;
	self->until = 0;
	reservation_close(state, index, from, &context->cause);
}

/* As planned. */
static void come(struct op_context *context, uint32_t index)
{
	struct reservation *self = reservation_open(context->state, index);

	self->state = RESERVATION_OCCUPIED;
	self->flags &= (uint8_t)~FLAG_AIRBORNE;
	self->until = 0;
	reservation_close(
		context->state, index, RESERVATION_CLEARED, &context->cause);
}

/* It is not in the air any more: the place that waits for it elsewhere waits to
 * the end of its window, in case this was a mistake, and no longer. */
static void end_flights(struct op_context *context, struct view aircraft)
{
	struct state *state = context->state;
	uint32_t at = fleet_first(state, aircraft);

	for (; at != TABLE_NONE; at = reservation_at(state, at)->fleet_next) {
		if ((reservation_at(state, at)->flags & FLAG_AIRBORNE) == 0)
			continue;
		struct reservation *self = reservation_open(state, at);
		enum reservation_state from = self->state;

		self->state = RESERVATION_CONTINGENT;
		self->flags &= (uint8_t)~FLAG_AIRBORNE;
		self->until = 0;
		reservation_close(state, at, from, &context->cause);
	}
}

static enum refusal apply(struct op_context *context, struct view body)
{
	enum reservation_state became = RESERVATION_NONE;
	struct op_landed op;
	struct fact fact;

	if (op_landed_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = fact_at(context, op.port, op.pad, &fact);
	if (code == REFUSAL_GRANTED)
		code = fact_of(context, op.reservation, op.aircraft,
			MOVEMENT_ARRIVAL, &fact);
	if (code != REFUSAL_GRANTED)
		return code;
	if (fact.cleared) {
		come(context, fact.index);
		became = RESERVATION_OCCUPIED;
	} else {
		fact_intrude(context, &fact);
		if (is_arrival(context, fact.index)) {
			come_unbidden(context, fact.index);
			became = RESERVATION_CONTINGENT;
		}
	}
	end_flights(context, op.aircraft);
	fleet_moved(context->state, op.aircraft);
	fact_told(context, &fact, became);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_landed = {
	.number = OP_LANDED,
	.name = "landed",
	.roles = 1u << ROLE_CONTROLLER,
	.when_down = true,
	.apply = apply,
};
