/* contract/fact.c -- see fact.h. */
#include "contract/fact.h"

#include <string.h>

#include "base/check.h"

enum refusal fact_at(const struct op_context *context, struct view port,
	struct view pad, struct fact *out)
{
	const struct state *state = context->state;
	const struct party *signer = state_party_at(state, context->party);

	memset(out, 0, sizeof(*out));
	out->index = TABLE_NONE;
	enum refusal code = window_find(state, port, pad, &out->where);
	if (code != REFUSAL_GRANTED)
		return code;
	return key_equal(
		       &state->ports[out->where.port].controller, &signer->key)
		       ? REFUSAL_GRANTED
		       : REFUSAL_NOT_CONTROLLER;
}

enum refusal fact_of(const struct op_context *context, struct view reservation,
	struct view aircraft, uint64_t movement, struct fact *out)
{
	const struct state *state = context->state;

	out->aircraft = aircraft;
	if (reservation.size == 0)
		return REFUSAL_GRANTED;
	if (reservation.size != ID_SIZE)
		return REFUSAL_MALFORMED;
	memcpy(&out->id, reservation.data, ID_SIZE);
	uint32_t index = reservation_find(state, &out->id);
	if (index == TABLE_NONE)
		return REFUSAL_GRANTED;
	const struct reservation *self = reservation_at(state, index);
	if (self->state == RESERVATION_WAITLISTED ||
		self->port != out->where.port || self->pad != out->where.pad ||
		!view_equal(aircraft, name_view(&self->aircraft)))
		return REFUSAL_GRANTED;
	out->index = index;
	out->cleared = self->state == RESERVATION_CLEARED &&
		       self->movement == movement && context->now < self->until;
	return REFUSAL_GRANTED;
}

static struct pad *pad_of(
	const struct op_context *context, const struct fact *fact)
{
	return &context->state->ports[fact->where.port].pads[fact->where.pad];
}

void fact_intrude(struct op_context *context, struct fact *fact)
{
	struct pad *pad = pad_of(context, fact);

	arena_touch(context->state->arena, pad, sizeof(*pad));
	pad->blocked = true;
	pad->incursions++;
	mark_port(context->state, fact->where.port);
	fact->incursion = true;
}

void fact_told(struct op_context *context, const struct fact *fact,
	enum reservation_state state)
{
	const struct port *port = &context->state->ports[fact->where.port];
	struct detail_fact detail = {
		.port = name_view(&port->name),
		.pad = name_view(&port->pads[fact->where.pad].name),
		.aircraft = fact->aircraft,
		.incursion = fact->incursion,
		.blocked = pad_of(context, fact)->blocked,
		.state = state,
	};

	context->details_size = detail_fact_encode(
		context->details, sizeof(context->details), &detail);
	CHECK(context->details_size > 0);
	if (state == RESERVATION_NONE)
		return;
	context->reservation = fact->id;
	context->has_reservation = true;
}
