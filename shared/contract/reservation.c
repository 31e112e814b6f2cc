/* contract/reservation.c -- live reservations and everything that finds them:
 * by id, by pad group and start, by aircraft, by deadline, and by the bucket
 * that the state root covers.
 */
#include "contract/reservation.h"

#include <stddef.h>
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

uint32_t group_reach(const struct state *state, const struct group *group,
	time_ms start, time_ms gap)
{
	uint32_t place = group_place(state, group, start);
	time_ms oldest = start - WINDOW_MS_MAX - gap;

	/* Contingent ones overlap: one that ended does not mean that those
	 * before it have. */
	while (place > 0) {
		const struct reservation *before = reservation_at(
			state, group_at(state, group, place - 1));

		if (group->contingent == 0 ? before->end + gap <= start
					   : before->start < oldest)
			break;
		place--;
	}
	return place;
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

struct group *group_of(const struct state *state, uint32_t port, uint8_t pad)
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

/* The part of a group that a change of its ring touches. */
static void touch_group(struct state *state, struct group *group)
{
	arena_touch(state->arena, &group->first,
		offsetof(struct group, ring) - offsetof(struct group, first));
}

/* The shorter side moves, so an insertion costs a quarter on average. */
static void group_insert(
	struct state *state, struct group *group, uint32_t index)
{
	uint32_t place =
		group_place(state, group, reservation_at(state, index)->start);

	CHECK(group->count < state->limits.group_max);
	touch_group(state, group);
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
	touch_group(state, group);
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

uint32_t fleet_first(const struct state *state, struct view aircraft)
{
	if (aircraft.size == 0)
		return TABLE_NONE;
	struct hash key = hash_bytes(aircraft);
	uint32_t fleet = table_find(&state->fleet, &key);

	if (fleet == TABLE_NONE)
		return TABLE_NONE;
	return ((const struct aircraft *)table_at(&state->fleet, fleet))->first;
}

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
	mark_party(state, index);
}

/* ---- those that wait ---- */

/* By tier, then in the order in which they were made. */
static bool waits_longer(
	const struct reservation *a, const struct reservation *b)
{
	if (a->tier != b->tier)
		return a->tier > b->tier;
	if (a->height != b->height)
		return a->height < b->height;
	return a->place < b->place;
}

static void waiting_count(struct state *state, struct group *group,
	const struct reservation *self, bool more)
{
	uint32_t one = more ? 1 : UINT32_MAX;

	group->waiting_count += one; /* touched by its callers */
	set_u32(state, &state->waiting_count, state->waiting_count + one);
	tree_mark(&state->waiting_tree, state->ports[self->port].rank);
}

static void touch_waiting(struct state *state, struct group *group)
{
	arena_touch(state->arena, &group->waiting_count,
		sizeof(*group) - offsetof(struct group, waiting_count));
}

static void waiting_insert(struct state *state, uint32_t index)
{
	const struct reservation *self = reservation_at(state, index);
	struct group *group = group_of(state, self->port, self->pad);
	uint32_t place = group->waiting_count;

	CHECK(place < WAITING_MAX);
	touch_waiting(state, group);
	for (; place > 0; place--) {
		uint32_t before = group->waiting[place - 1];

		if (!waits_longer(self, reservation_at(state, before)))
			break;
		group->waiting[place] = before;
	}
	group->waiting[place] = index;
	waiting_count(state, group, self, true);
}

static void waiting_remove(struct state *state, uint32_t index)
{
	const struct reservation *self = reservation_at(state, index);
	struct group *group = group_of(state, self->port, self->pad);
	uint32_t place = 0;

	while (group->waiting[place] != index)
		CHECK(++place < group->waiting_count);
	touch_waiting(state, group);
	for (; place + 1 < group->waiting_count; place++)
		group->waiting[place] = group->waiting[place + 1];
	waiting_count(state, group, self, false);
}

/* ---- what a state means for the pad ---- */

bool reservation_on_pad(const struct reservation *self)
{
	return self->state == RESERVATION_OCCUPIED ||
	       self->state == RESERVATION_OVERSTAY ||
	       (self->state == RESERVATION_CONTINGENT &&
		       (self->flags & FLAG_ON_PAD) != 0);
}

static void count_in(struct state *state, uint32_t index)
{
	const struct reservation *self = reservation_at(state, index);
	struct pad *pad = &state->ports[self->port].pads[self->pad];
	struct group *group = group_of(state, self->port, self->pad);

	if (self->state == RESERVATION_CLEARED) {
		CHECK(group->cleared == TABLE_NONE);
		set_u32(state, &group->cleared, index);
	}
	if (self->state == RESERVATION_CONTINGENT)
		set_u32(state, &group->contingent, group->contingent + 1);
	if (reservation_on_pad(self))
		set_u32(state, &pad->occupants, pad->occupants + 1);
}

static void count_out(struct state *state, uint32_t index)
{
	const struct reservation *self = reservation_at(state, index);
	struct pad *pad = &state->ports[self->port].pads[self->pad];
	struct group *group = group_of(state, self->port, self->pad);

	if (self->state == RESERVATION_CLEARED)
		set_u32(state, &group->cleared, TABLE_NONE);
	if (self->state == RESERVATION_CONTINGENT)
		set_u32(state, &group->contingent, group->contingent - 1);
	if (reservation_on_pad(self))
		set_u32(state, &pad->occupants, pad->occupants - 1);
}

/* ---- indexes ---- */

static void attach(struct state *state, uint32_t index)
{
	struct reservation *self = reservation_at(state, index);
	time_ms at = reservation_deadline(state, self);

	self->deadline_at = TABLE_NONE;
	if (at != INT64_MAX)
		deadline_put(state, index, at);
	if (self->state == RESERVATION_WAITLISTED) {
		self->fleet = TABLE_NONE;
		waiting_insert(state, index);
		return;
	}
	group_insert(state, group_of(state, self->port, self->pad), index);
	fleet_insert(state, index);
	uint32_t *link = bucket_link(state, self->port, &self->id);
	self->bucket_next = *link;
	set_u32(state, link, index);
	count_in(state, index);
	mark_reservation(state, self);
}

void group_freed(struct state *state, uint32_t port, uint8_t pad)
{
	uint8_t group = state->ports[port].pads[pad].group;

	for (uint32_t i = 0; i < state->freed_count; i++) {
		if (state->freed[i].port == port &&
			state->freed[i].group == group)
			return;
	}
	if (state->freed_count < FREED_MAX)
		state->freed[state->freed_count++] =
			(struct freed){.port = port, .group = group};
}

static void detach(struct state *state, uint32_t index)
{
	struct reservation *self = reservation_at(state, index);

	deadline_remove(state, index);
	if (self->state == RESERVATION_WAITLISTED) {
		waiting_remove(state, index);
		return;
	}
	count_out(state, index);
	group_remove(state, group_of(state, self->port, self->pad), index);
	fleet_remove(state, self);
	uint32_t *link = bucket_link(state, self->port, &self->id);
	CHECK(*link == index);
	set_u32(state, link, self->bucket_next);
	mark_reservation(state, self);
	group_freed(state, self->port, self->pad);
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
	*reservation_at(state, index) = *draft; /* touched by table_put */
	attach(state, index);
	party_count(state, draft->party, true);
	return index;
}

uint32_t reservation_add(struct state *state, const struct reservation *draft,
	const struct cause *cause)
{
	uint32_t index = reservation_insert(state, draft);

	moves_add(state, reservation_at(state, index), RESERVATION_NONE, cause);
	return index;
}

struct reservation *reservation_open(struct state *state, uint32_t index)
{
	deadline_remove(state, index);
	count_out(state, index);
	table_touch(&state->reservations, index);
	return reservation_at(state, index);
}

void reservation_close(struct state *state, uint32_t index,
	enum reservation_state from, const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);
	time_ms at = reservation_deadline(state, self);

	count_in(state, index);
	if (at != INT64_MAX)
		deadline_put(state, index, at);
	mark_reservation(state, self);
	if (cause == NULL) {
		CHECK(from == self->state);
		return;
	}
	self->version++;
	moves_add(state, self, from, cause);
}

void reservation_move(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause)
{
	struct reservation *self = reservation_open(state, index);
	enum reservation_state from = self->state;

	self->state = (uint8_t)to;
	self->until = 0;
	reservation_close(state, index, from, cause);
}

void reservation_place(struct state *state, uint32_t index,
	const struct place *place, enum reservation_state to,
	const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);
	enum reservation_state from = self->state;

	detach(state, index);
	table_touch(&state->reservations, index);
	self->port = place->port;
	self->pad = place->pad;
	self->start = place->start;
	self->end = place->end;
	self->asked = 0;
	if (from != to)
		self->until = 0;
	if (to == RESERVATION_HELD && from != to)
		self->until = reservation_hold(state, self);
	if (to == RESERVATION_HELD && self->until > self->end)
		self->until = self->end;
	self->state = (uint8_t)to;
	self->version++;
	attach(state, index);
	moves_add(state, self, from, cause);
}

void reservation_end(struct state *state, uint32_t index,
	enum reservation_state to, const struct cause *cause)
{
	struct reservation *self = reservation_at(state, index);
	enum reservation_state from = self->state;

	detach(state, index);
	party_count(state, self->party, false);
	table_touch(&state->reservations, index);
	self->state = (uint8_t)to;
	self->version++;
	moves_add(state, self, from, cause);
	table_remove(&state->reservations, index);
}

/* ---- aircraft that move ---- */

void fleet_moved(struct state *state, struct view aircraft)
{
	for (uint32_t at = fleet_first(state, aircraft); at != TABLE_NONE;
		at = reservation_at(state, at)->fleet_next) {
		struct reservation *self = reservation_at(state, at);

		if (self->asked == 0)
			continue;
		table_touch(&state->reservations, at);
		self->asked = 0;
		mark_reservation(state, self);
	}
}

void reservation_name(struct state *state, uint32_t index, struct view aircraft)
{
	struct reservation *self = reservation_at(state, index);

	fleet_remove(state, self);
	table_touch(&state->reservations, index);
	name_set(&self->aircraft, aircraft);
	fleet_insert(state, index);
}
