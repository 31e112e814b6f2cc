/* contract/window.c -- may this window be reserved, and who says no? */
#include "contract/window.h"

#include <string.h>

#include "base/check.h"

bool is_name(struct view text)
{
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool effort_left(struct state *state)
{
	if (state->effort >= EFFORT_MAX)
		return false;
	set_u32(state, &state->effort, state->effort + 1);
	return true;
}

enum refusal window_find(const struct state *state, struct view port,
	struct view pad, struct place *out)
{
	uint32_t index;

	if (!port_find(state, port, &index))
		return REFUSAL_UNKNOWN_PAD;
	const struct port *at = &state->ports[index];
	for (uint8_t i = 0; i < at->pad_count; i++) {
		if (view_equal(name_view(&at->pads[i].name), pad)) {
			out->port = index;
			out->pad = i;
			return REFUSAL_GRANTED;
		}
	}
	return REFUSAL_UNKNOWN_PAD;
}

enum refusal window_runs(
	const struct op_context *context, const struct place *window)
{
	const struct state *state = context->state;
	const struct party *signer = state_party_at(state, context->party);
	const struct port *port = &state->ports[window->port];

	return signer->role == ROLE_AUTHORITY ||
			       key_equal(&port->controller, &signer->key)
		       ? REFUSAL_GRANTED
		       : REFUSAL_NOT_CONTROLLER;
}

bool pad_open(const struct pad *pad, time_ms from, time_ms until)
{
	return pad->open &&
	       (from >= pad->closed_until || until <= pad->closed_from);
}

enum refusal window_check(const struct state *state, const struct place *window)
{
	const struct port *port = &state->ports[window->port];

	if (!pad_open(&port->pads[window->pad], window->start, window->end))
		return REFUSAL_PAD_CLOSED;
	if (window->start < state->time + port->lead)
		return REFUSAL_PAST;
	if (window->end <= window->start ||
		window->end - window->start > WINDOW_MS_MAX)
		return REFUSAL_BAD_WINDOW;
	if (window->end - state->time > HORIZON_MS)
		return REFUSAL_HORIZON;
	return REFUSAL_GRANTED;
}

/*~ The whole of "one pad, one aircraft": in a list that is in order of start
 * and has no overlaps, only neighbours can be in the way. Two searches of ten
 * steps replace what a table of an airport's day would need a scan for.
 */
size_t window_conflicts(const struct state *state, const struct place *window,
	uint8_t group, uint32_t without, uint32_t *out, size_t max)
{
	const struct port *port = &state->ports[window->port];
	const struct group *at = &port->groups[group];
	time_ms gap = port->before + port->after;
	uint32_t place = group_reach(state, at, window->start, gap);
	size_t count = 0;

	for (; place < at->count && count < max; place++) {
		uint32_t index = group_at(state, at, place);
		const struct reservation *one = reservation_at(state, index);

		if (one->start >= window->end + gap)
			break;
		if (index != without && one->end + gap > window->start)
			out[count++] = index;
	}
	return count;
}

/* Who asked for secrecy is not named. */
static struct view party_told(const struct state *state, uint32_t index)
{
	const struct reservation *one = reservation_at(state, index);

	if ((one->flags & FLAG_SEALED) != 0)
		return view_of(NULL, 0);
	return name_view(&state_party_at(state, one->party)->name);
}

void window_taken(struct op_context *context, const struct place *window,
	struct view pad, const uint32_t *conflicts, size_t count)
{
	struct free_slot slots[DETAIL_SLOT_TAKEN_FREE_MAX];
	struct detail_slot_taken detail = {.conflicts_count = count};

	for (size_t i = 0; i < count; i++) {
		struct record_reservation record;

		record_of_reservation(context->state,
			reservation_at(context->state, conflicts[i]), &record);
		detail.conflicts[i] = (struct in_the_way){
			.reservation = record.reservation,
			.pad = record.pad,
			.start = record.start,
			.end = record.end,
			.state = record.state,
			.operator= party_told(context->state, conflicts[i]),
		};
	}
	detail.free_count = port_free_slots(context->state, window->port, pad,
		window->start, window->end - window->start, slots,
		DETAIL_SLOT_TAKEN_FREE_MAX);
	for (size_t i = 0; i < detail.free_count; i++) {
		detail.free[i] = (struct slot){
			.pad = view_text(slots[i].pad),
			.start = (uint64_t)slots[i].start,
			.end = (uint64_t)slots[i].end,
		};
	}
	context->details_size = detail_slot_taken_encode(
		context->details, sizeof(context->details), &detail);
	CHECK(context->details_size > 0);
}

enum refusal window_free(struct op_context *context, const struct place *window,
	uint32_t without)
{
	const struct port *port = &context->state->ports[window->port];
	const struct pad *pad = &port->pads[window->pad];
	uint32_t conflicts[DETAIL_SLOT_TAKEN_CONFLICTS_MAX];
	size_t count = window_conflicts(context->state, window, pad->group,
		without, conflicts, DETAIL_SLOT_TAKEN_CONFLICTS_MAX);

	if (count == 0)
		return REFUSAL_GRANTED;
	window_taken(context, window, name_view(&pad->name), conflicts, count);
	return REFUSAL_SLOT_TAKEN;
}

enum refusal window_aircraft(const struct state *state, struct view serial,
	const struct place *window, uint32_t without, const struct id *pair)
{
	uint32_t index = fleet_first(state, serial);

	while (index != TABLE_NONE) {
		const struct reservation *at = reservation_at(state, index);

		if (at->start < window->end && window->start < at->end &&
			index != without &&
			(pair == NULL || !id_equal(&at->id, pair)))
			return REFUSAL_AIRCRAFT_BUSY;
		index = at->fleet_next;
	}
	return REFUSAL_GRANTED;
}

void window_granted(struct op_context *context, uint32_t index)
{
	const struct reservation *at = reservation_at(context->state, index);
	struct record_reservation record;

	record_of_reservation(context->state, at, &record);
	struct detail_granted detail = {
		.port = record.port,
		.pad = record.pad,
		.start = record.start,
		.end = record.end,
		.version = record.version,
		.state = record.state,
		.until = record.until,
		.displaced = context->displaced,
	};
	context->details_size = detail_granted_encode(
		context->details, sizeof(context->details), &detail);
	CHECK(context->details_size > 0);
	context->reservation = at->id;
	context->has_reservation = true;
}

struct id window_id(const struct tx_view *tx, size_t op_index)
{
	uint8_t number = (uint8_t)op_index;
	struct view parts[] = {
		view_text("perch/reservation"),
		view_of(&tx->body.wallet, KEY_SIZE),
		view_of(&tx->body.id, ID_SIZE),
		view_of(&number, 1),
	};
	struct hash hash = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	struct id id;

	memcpy(&id, &hash, sizeof(id));
	return id;
}

enum refusal window_may_reserve(
	const struct op_context *context, const struct window_draft *draft)
{
	const struct state *state = context->state;
	const struct party *party = state_party_at(state, context->party);
	struct id id = window_id(context->tx, context->op_index);

	if (party->live >= party->quota)
		return REFUSAL_QUOTA;
	enum refusal busy = window_aircraft(state, draft->aircraft,
		&draft->window, TABLE_NONE, draft->pair);
	if (busy != REFUSAL_GRANTED)
		return busy;
	if (!reservation_room(state, draft->window.port, draft->window.pad))
		return REFUSAL_FULL;
	if (draft->waits &&
		group_of(state, draft->window.port, draft->window.pad)
				->waiting_count == WAITING_MAX)
		return REFUSAL_WAITLIST_FULL;
	/* A transaction's id may come again once it is forgotten, while what
	 * it reserved the first time still lives. */
	if (reservation_find(state, &id) != TABLE_NONE)
		return REFUSAL_REPLAY;
	return REFUSAL_GRANTED;
}

void window_reserve(
	struct op_context *context, const struct window_draft *draft)
{
	struct reservation made = {
		.id = window_id(context->tx, context->op_index),
		.pad = draft->window.pad,
		.state = draft->waits      ? RESERVATION_WAITLISTED
			 : draft->hold > 0 ? RESERVATION_HELD
					   : RESERVATION_CONFIRMED,
		.movement = draft->movement,
		.tier = draft->tier,
		.port = draft->window.port,
		.party = context->party,
		.version = 1,
		.start = draft->window.start,
		.end = draft->window.end,
		.height = context->height,
		.place = context->cause.tx_index * 64u +
			 (uint32_t)context->op_index,
		.alternate_port = draft->alternate_port,
		.alternate_pad = draft->alternate_pad,
	};

	name_set(&made.aircraft, draft->aircraft);
	if (made.state == RESERVATION_HELD)
		made.until = context->now + draft->hold < made.end
				     ? context->now + draft->hold
				     : made.end;
	if (draft->commitment.size > 0) {
		memcpy(&made.commitment, draft->commitment.data, HASH_SIZE);
		made.flags |= FLAG_SEALED;
	}
	if (draft->pair != NULL) {
		made.pair = *draft->pair;
		made.paired = true;
	}
	window_granted(context,
		reservation_add(context->state, &made, &context->cause));
}
