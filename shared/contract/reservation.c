/* contract/reservation.c -- live reservations and everything that finds them:
 * by id, by pad group and start, by aircraft, by deadline, and by the bucket
 * that the state root covers.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

uint32_t reservation_find(const struct state *state, const struct id *id)
{
	return table_find(&state->reservations, id);
}

uint32_t reservation_partner(
	const struct state *state, const struct reservation *reservation)
{
	if (!reservation->paired)
		return TABLE_NONE;
	return reservation_find(state, &reservation->pair);
}

/* ---- pad groups ---- */

static uint32_t ring_mask(const struct state *state)
{
	uint32_t size = 1;

	while (size < state->limits.group_max)
		size *= 2;
	return size - 1;
}

static uint32_t *ring_slot(
	const struct state *state, const struct group *group, uint32_t place)
{
	return &group->ring[(group->first + place) & ring_mask(state)];
}

uint32_t group_at(
	const struct state *state, const struct group *group, uint32_t place)
{
	CHECK(place < group->count);
	return *ring_slot(state, group, place);
}

uint32_t group_place(
	const struct state *state, const struct group *group, time_ms start)
{
	uint32_t low = 0, high = group->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint32_t index = *ring_slot(state, group, middle);

		if (reservation_at(state, index)->start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct group *group_of(
	const struct state *state, uint32_t port, uint8_t pad)
{
	struct port *at = &state->ports[port];

	return &at->groups[at->pads[pad].group];
}

/* Copy count places from from to to, in the order that does not overwrite. */
static void ring_shift(struct state *state, struct group *group, uint32_t from,
	uint32_t to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t k = to < from ? i : count - 1 - i;

		*ring_slot(state, group, to + k) =
			*ring_slot(state, group, from + k);
	}
}

static void touch_places(
	struct state *state, struct group *group, uint32_t from, uint32_t count)
{
	uint32_t size = ring_mask(state) + 1;
	uint32_t at = (group->first + from) & (size - 1);
	uint32_t whole = count < size - at ? count : size - at;

	arena_touch(state->arena, &group->ring[at], whole * sizeof(uint32_t));
	arena_touch(
		state->arena, group->ring, (count - whole) * sizeof(uint32_t));
}

/* The shorter side moves, so an insertion costs a quarter on average. */
static void group_insert(
	struct state *state, struct group *group, uint32_t index)
{
	uint32_t place =
		group_place(state, group, reservation_at(state, index)->start);

	CHECK(group->count < state->limits.group_max);
	arena_touch(state->arena, group, sizeof(*group));
	if (place < group->count / 2) {
		group->first--;
		touch_places(state, group, 0, place + 1);
		ring_shift(state, group, 1, 0, place);
	} else {
		touch_places(state, group, place, group->count + 1 - place);
		ring_shift(
			state, group, place, place + 1, group->count - place);
	}
	group->count++;
	*ring_slot(state, group, place) = index;
}

static void group_remove(
	struct state *state, struct group *group, uint32_t index)
{
	uint32_t place =
		group_place(state, group, reservation_at(state, index)->start);

	CHECK(group_at(state, group, place) == index);
	arena_touch(state->arena, group, sizeof(*group));
	if (place < group->count / 2) {
		touch_places(state, group, 0, place + 1);
		ring_shift(state, group, 0, 1, place);
		group->first++;
	} else {
		touch_places(state, group, place, group->count - place);
		ring_shift(state, group, place + 1, place,
			group->count - 1 - place);
	}
	group->count--;
}

/* ---- aircraft ---- */

static void fleet_insert(struct state *state, uint32_t index)
{
	struct reservation *self = reservation_at(state, index);

	self->fleet = TABLE_NONE;
	if (self->aircraft.size == 0)
		return;
	struct hash key = hash_bytes(name_view(&self->aircraft));
	uint32_t fleet = table_find(&state->fleet, &key);
	uint32_t first = TABLE_NONE;

	if (fleet == TABLE_NONE) {
		fleet = table_put(&state->fleet, &key);
		CHECK(fleet != TABLE_NONE);
	} else {
		first = ((struct aircraft *)table_at(&state->fleet, fleet))
				->first;
		set_u32(state, &reservation_at(state, first)->fleet_before,
			index);
	}
	struct aircraft *aircraft = table_at(&state->fleet, fleet);
	set_u32(state, &aircraft->first, index);
	self->fleet = fleet;
	self->fleet_next = first;
	self->fleet_before = TABLE_NONE;
}

static void fleet_remove(struct state *state, const struct reservation *self)
{
	if (self->fleet == TABLE_NONE)
		return;
	uint32_t before = self->fleet_before, next = self->fleet_next;

	if (next != TABLE_NONE)
		set_u32(state, &reservation_at(state, next)->fleet_before,
			before);
	if (before != TABLE_NONE) {
		set_u32(state, &reservation_at(state, before)->fleet_next,
			next);
	} else if (next != TABLE_NONE) {
		struct aircraft *aircraft =
			table_at(&state->fleet, self->fleet);
		set_u32(state, &aircraft->first, next);
	} else {
		table_remove(&state->fleet, self->fleet);
	}
}

/* ---- buckets of the state root ---- */

/* The link that leads to the first reservation whose id is not below id. */
static uint32_t *bucket_link(
	struct state *state, uint32_t port, const struct id *id)
{
	uint32_t *link = &state->ports[port].buckets[id->bytes[0]];

	while (*link != TABLE_NONE) {
		struct reservation *at = reservation_at(state, *link);

		if (memcmp(&at->id, id, sizeof(*id)) >= 0)
			break;
		link = &at->bucket_next;
	}
	return link;
}

static void party_count(struct state *state, uint32_t index, bool more)
{
	struct party *party = state_party_at(state, index);

	set_u32(state, &party->live, more ? party->live + 1 : party->live - 1);
	tree_mark(&state->parties_tree, party->rank);
}

/* ---- changes ---- */

bool reservation_room(const struct state *state, uint32_t port, uint8_t pad)
{
	return state->reservations.count < state->limits.reservations_max &&
	       group_of(state, port, pad)->count < state->limits.group_max;
}

uint32_t reservation_insert(
	struct state *state, const struct reservation *draft)
{
	uint32_t index = table_put(&state->reservations, &draft->id);

	CHECK(index != TABLE_NONE);
	struct reservation *self = reservation_at(state, index);
	*self = *draft; /* touched by table_put */
	group_insert(state, group_of(state, self->port, self->pad), index);
	fleet_insert(state, index);
	uint32_t *link = bucket_link(state, self->port, &self->id);
	self->bucket_next = *link;
	set_u32(state, link, index);
	self->deadline_at = TABLE_NONE;
	if (move_at_end(self->state) != RESERVATION_NONE)
		deadline_put(state, index);
	party_count(state, self->party, true);
	mark_reservation(state, self);
	return index;
}

uint32_t reservation_add(struct state *state, const struct reservation *draft,
	const struct cause *cause)
{
	uint32_t index = reservation_insert(state, draft);

	moves_add(state, reservation_at(state, index), RESERVATION_NONE, cause);
	return index;
}

void reservation_amend(struct state *state, uint32_t index, uint8_t pad,
	time_ms start, time_ms end, const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);

	group_remove(state, group_of(state, self->port, self->pad), index);
	deadline_remove(state, index);
	table_touch(&state->reservations, index);
	self->pad = pad;
	self->start = start;
	self->end = end;
	self->version++;
	group_insert(state, group_of(state, self->port, self->pad), index);
	deadline_put(state, index);
	mark_reservation(state, self);
	moves_add(state, self, self->state, cause);
}

void reservation_end(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);
	enum reservation_state from = self->state;

	group_remove(state, group_of(state, self->port, self->pad), index);
	fleet_remove(state, self);
	uint32_t *link = bucket_link(state, self->port, &self->id);
	CHECK(*link == index);
	set_u32(state, link, self->bucket_next);
	deadline_remove(state, index);
	party_count(state, self->party, false);
	mark_reservation(state, self);
	table_touch(&state->reservations, index);
	self->state = (uint8_t)to;
	self->version++;
	moves_add(state, self, from, cause);
	table_remove(&state->reservations, index);
}
