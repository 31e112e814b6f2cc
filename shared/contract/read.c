/* contract/read.c -- questions to a state. */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

struct arena *state_arena(const struct state *state)
{
	return state->arena;
}

uint64_t state_height(const struct state *state)
{
	return state->height;
}

time_ms state_time(const struct state *state)
{
	return state->time;
}

bool state_reservation(const struct state *state, const struct id *id,
	struct record_reservation *out)
{
	uint32_t index = reservation_find(state, id);

	if (index == TABLE_NONE)
		return false;
	record_of_reservation(state, reservation_at(state, index), out);
	return true;
}

size_t state_live_count(const struct state *state)
{
	return state->reservations.count - state->waiting_count;
}

struct party *state_party_at(const struct state *state, uint32_t index)
{
	return table_at(&state->parties, index);
}

bool state_party(const struct state *state, const struct key *key,
	struct record_party *out)
{
	uint32_t index = table_find(&state->parties, key);

	if (index == TABLE_NONE)
		return false;
	record_of_party(state_party_at(state, index), out);
	return true;
}

uint32_t state_node_place(const struct state *state, const struct key *key)
{
	uint32_t place = 0;

	while (place < state->node_count &&
		memcmp(&state->nodes[place].key, key, sizeof(*key)) < 0)
		place++;
	return place;
}

bool state_node(const struct state *state, const struct key *key,
	struct record_node *out)
{
	uint32_t place = state_node_place(state, key);

	if (place == state->node_count ||
		!key_equal(&state->nodes[place].key, key))
		return false;
	record_of_node(&state->nodes[place], out);
	return true;
}

size_t state_node_count(const struct state *state)
{
	return state->node_count;
}

void state_node_at(
	const struct state *state, size_t index, struct record_node *out)
{
	CHECK(index < state->node_count);
	record_of_node(&state->nodes[index], out);
}

size_t state_port_count(const struct state *state)
{
	return state->port_count;
}

void state_port_at(
	const struct state *state, size_t index, struct record_port *out)
{
	record_of_port(port_ranked(state, (uint32_t)index), out);
}

bool state_port_find(const struct state *state, struct view name, size_t *index)
{
	size_t low = 0, high = state->port_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct port *port = port_ranked(state, (uint32_t)middle);
		int order = view_order(name_view(&port->name), name);

		if (order == 0) {
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool port_find(const struct state *state, struct view name, uint32_t *index)
{
	size_t rank;

	if (!state_port_find(state, name, &rank))
		return false;
	*index = state->port_order[rank];
	return true;
}

/*
 * The cursor is the next (start, pad) to look for. No two live reservations of
 * a port share one: the pad's group would be taken.
 */
enum { CURSOR_PADS = 32 };

static uint64_t cursor_of(const struct reservation *reservation)
{
	return (uint64_t)reservation->start * CURSOR_PADS + reservation->pad;
}

/* It ends after from, or its aircraft is on the pad or on its way. */
static bool is_told(const struct reservation *self, time_ms from)
{
	return self->end > from || reservation_on_pad(self) ||
	       (self->flags & FLAG_AIRBORNE) != 0;
}

/* The first of a group at or after the cursor that is told. */
static const struct reservation *group_next(const struct state *state,
	const struct group *group, time_ms from, uint64_t cursor)
{
	uint32_t place =
		group_place(state, group, (time_ms)(cursor / CURSOR_PADS));

	for (; place < group->count; place++) {
		const struct reservation *at =
			reservation_at(state, group_at(state, group, place));

		if (cursor_of(at) >= cursor && is_told(at, from))
			return at;
	}
	return NULL;
}

bool state_timetable_next(const struct state *state, size_t port, time_ms from,
	uint64_t *cursor, struct record_reservation *out)
{
	const struct port *at = port_ranked(state, (uint32_t)port);
	const struct reservation *best = NULL;

	for (size_t i = 0; i < at->group_count; i++) {
		const struct reservation *next =
			group_next(state, &at->groups[i], from, *cursor);

		if (next != NULL &&
			(best == NULL || cursor_of(next) < cursor_of(best)))
			best = next;
	}
	if (best == NULL)
		return false;
	*cursor = cursor_of(best) + 1;
	record_of_reservation(state, best, out);
	return true;
}

bool state_seen(const struct state *state, const struct key *wallet,
	const struct id *id, struct record_seen *out)
{
	struct hash key = seen_key(wallet, id);
	uint32_t index = table_find(&state->seen, &key);

	if (index == TABLE_NONE)
		return false;
	record_of_seen(table_at(&state->seen, index), out);
	return true;
}
