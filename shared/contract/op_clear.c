/* contract/op_clear.c -- `clear`: the port's controller lets one aircraft take
 * off or land, once, for a short while (domain rows 10 and 11).
 *
 * A reservation is a right to a window; this is the permission to move. So
 * every guard here is about now: who is on the pad, measured a moment ago, who
 * else may be moving, and whether the flight has somewhere to land.
 */
#include "contract/window.h"

#include "gen/table.h"

enum { PAD_UNKNOWN, PAD_EMPTY, PAD_OCCUPIED };

/* A measurement's age; a clock that is ahead is not refused for it. */
static bool is_fresh(time_ms now, time_ms measured)
{
	return measured >= now - MEASURED_MS_MAX &&
	       measured <= now + MEASURED_MS_MAX;
}

static enum refusal check_request(const struct op_context *context,
	const struct reservation *self, const struct op_clear *op)
{
	const struct port *port = &context->state->ports[self->port];
	const struct party *signer =
		state_party_at(context->state, context->party);

	if (!key_equal(&port->controller, &signer->key))
		return REFUSAL_NOT_CONTROLLER;
	if (self->state != RESERVATION_CONFIRMED ||
		(self->movement != MOVEMENT_ANY &&
			self->movement != op->movement))
		return REFUSAL_STATE;
	/* Nobody lands before having taken off. */
	if (self->paired && op->movement == MOVEMENT_ARRIVAL &&
		(self->flags & FLAG_AIRBORNE) == 0)
		return REFUSAL_STATE;
	if (self->asked == 0 || self->nonce != op->nonce)
		return REFUSAL_NONCE;
	return state_party_at(context->state, self->party)->up
		       ? REFUSAL_GRANTED
		       : REFUSAL_PARTY_DOWN;
}

static enum refusal check_window(const struct op_context *context,
	const struct reservation *self, const struct op_clear *op)
{
	const struct port *port = &context->state->ports[self->port];
	time_ms now = context->now, until = (time_ms)op->until;

	if (now < self->start || until <= now || until > self->end ||
		until - now > CLEARANCE_MS_MAX)
		return REFUSAL_WINDOW;
	return pad_open(&port->pads[self->pad], now, until)
		       ? REFUSAL_GRANTED
		       : REFUSAL_PAD_CLOSED;
}

/* Departure: this aircraft is on the pad. Arrival: nothing is. */
static enum refusal check_measured(const struct op_context *context,
	const struct reservation *self, const struct op_clear *op)
{
	if (op->pad_state == PAD_UNKNOWN ||
		!is_fresh(context->now, (time_ms)op->measured))
		return REFUSAL_PAD_STALE;
	if (op->movement == MOVEMENT_ARRIVAL)
		return op->pad_state == PAD_EMPTY ? REFUSAL_GRANTED
						  : REFUSAL_PAD_BUSY;
	if (op->pad_state == PAD_EMPTY)
		return REFUSAL_PAD_STALE;
	return view_equal(op->on_pad, name_view(&self->aircraft))
		       ? REFUSAL_GRANTED
		       : REFUSAL_PAD_BUSY;
}

/* What the ledger knows of the pad and its approach. */
static enum refusal check_pad(const struct state *state,
	const struct reservation *self, uint64_t movement)
{
	const struct port *port = &state->ports[self->port];
	const struct pad *pad = &port->pads[self->pad];
	const struct group *group = &port->groups[pad->group];
	uint32_t occupants = 0;

	if (pad->blocked || group->cleared != TABLE_NONE)
		return REFUSAL_PAD_BUSY;
	if (pad->occupants == 0 && group->contingent == 0)
		return REFUSAL_GRANTED;
	for (uint32_t i = 0; i < group->count; i++) {
		const struct reservation *other =
			reservation_at(state, group_at(state, group, i));
		bool same = view_equal(name_view(&other->aircraft),
			name_view(&self->aircraft));

		if (other->pad == self->pad && reservation_on_pad(other)) {
			occupants++;
			if (!same || movement == MOVEMENT_ARRIVAL)
				return REFUSAL_PAD_BUSY;
		}
		/* An emergency has the approach in its window. */
		if (other->state == RESERVATION_CONTINGENT && !same &&
			other->start - port->before <= state->time &&
			state->time < other->end)
			return REFUSAL_PAD_BUSY;
	}
	CHECK(occupants == pad->occupants);
	return REFUSAL_GRANTED;
}

/* A flight that leaves has somewhere to land, and keeps it until it has left.
 */
static enum refusal check_destination(const struct state *state,
	const struct reservation *self, const struct op_clear *op)
{
	uint32_t index = reservation_partner(state, self);

	if (op->movement != MOVEMENT_DEPARTURE || index == TABLE_NONE)
		return REFUSAL_GRANTED;
	const struct reservation *landing = reservation_at(state, index);
	const struct port *port = &state->ports[landing->port];
	if (landing->state != RESERVATION_CONFIRMED ||
		!pad_open(&port->pads[landing->pad], landing->start,
			landing->end) ||
		reservation_deadline(state, landing) <= (time_ms)op->until)
		return REFUSAL_DESTINATION;
	return REFUSAL_GRANTED;
}

static void grant(
	struct op_context *context, uint32_t index, const struct op_clear *op)
{
	struct state *state = context->state;
	struct reservation *self = reservation_open(state, index);
	const struct port *port = &state->ports[self->port];

	self->state = RESERVATION_CLEARED;
	self->movement = (uint8_t)op->movement;
	self->until = (time_ms)op->until;
	self->asked = 0;
	reservation_close(state, index, RESERVATION_CONFIRMED, &context->cause);
	struct detail_clearance detail = {
		.port = name_view(&port->name),
		.pad = name_view(&port->pads[self->pad].name),
		.aircraft = name_view(&self->aircraft),
		.operator= state_party_at(state, self->party)->key,
		.movement = self->movement,
		.nonce = self->nonce,
		.from = (uint64_t)context->now,
		.until = (uint64_t)self->until,
		.version = self->version,
	};
	context->details_size = detail_clearance_encode(
		context->details, sizeof(context->details), &detail);
	CHECK(context->details_size > 0);
	context->reservation = self->id;
	context->has_reservation = true;
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_clear op;

	if (op_clear_decode(&op, body) != ERR_OK || op.movement == MOVEMENT_ANY)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE)
		return REFUSAL_UNKNOWN_RESERVATION;
	const struct reservation *self = reservation_at(state, index);
	enum refusal code = check_request(context, self, &op);
	if (code == REFUSAL_GRANTED)
		code = check_window(context, self, &op);
	if (code == REFUSAL_GRANTED)
		code = check_measured(context, self, &op);
	if (code == REFUSAL_GRANTED)
		code = check_pad(state, self, op.movement);
	if (code == REFUSAL_GRANTED)
		code = check_destination(state, self, &op);
	if (code == REFUSAL_GRANTED)
		grant(context, index, &op);
	return code;
}

const struct op_kind op_kind_clear = {
	.number = OP_CLEAR,
	.name = "clear",
	.roles = 1u << ROLE_CONTROLLER,
	.apply = apply,
};
