/* contract/slots.c -- the next free windows, for a wallet that was refused.
 *
 * Each slot told can be reserved as it stands: buffers, closure, lead and
 * horizon are respected, and they leave room for each other. The search looks
 * at a bounded number of reservations, so a full pad costs no more than a free
 * one.
 */
#include "contract/window.h"

#include <string.h>

#include "base/check.h"

enum { SEARCH_MAX = 256 };

/* One pad's walk along its group. */
struct walk {
	bool over;
	uint32_t place;
	uint32_t looked;
	time_ms at; /* the next candidate, then the slot found */
};

/* Past every reservation of the group that leaves no room. */
static void walk_group(const struct state *state, const struct port *port,
	const struct group *group, time_ms duration, struct walk *walk)
{
	time_ms gap = port->before + port->after;

	while (walk->place < group->count) {
		const struct reservation *next = reservation_at(
			state, group_at(state, group, walk->place));

		if (next->start >= walk->at + duration + gap)
			return;
		if (next->end + gap > walk->at)
			walk->at = next->end + gap;
		walk->place++;
		if (++walk->looked == SEARCH_MAX) {
			walk->over = true;
			return;
		}
	}
}

static void walk_on(const struct state *state, const struct port *port,
	const struct pad *pad, time_ms duration, struct walk *walk)
{
	const struct group *group = &port->groups[pad->group];

	walk_group(state, port, group, duration, walk);
	if (!pad_open(pad, walk->at, walk->at + duration)) {
		walk->at = pad->closed_until;
		walk_group(state, port, group, duration, walk);
	}
	if (walk->at + duration - state->time > HORIZON_MS)
		walk->over = true;
}

static void walk_begin(const struct state *state, const struct port *port,
	const struct pad *pad, time_ms start, time_ms duration,
	struct walk *walk)
{
	time_ms soonest = state->time + port->lead;

	walk->at = start > soonest ? start : soonest;
	walk->place = group_reach(state, &port->groups[pad->group], walk->at,
		port->before + port->after);
	walk_on(state, port, pad, duration, walk);
}

size_t contract_free_slots(const struct state *state, size_t port,
	struct view pad, time_ms start, time_ms duration,
	struct free_slot *slots, size_t slots_max)
{
	CHECK(port < state->port_count);
	return port_free_slots(state, state->port_order[port], pad, start,
		duration, slots, slots_max);
}

size_t port_free_slots(const struct state *state, uint32_t port,
	struct view pad, time_ms start, time_ms duration,
	struct free_slot *slots, size_t slots_max)
{
	const struct port *at = &state->ports[port];
	struct walk walks[PADS_MAX] = {{0}};
	size_t count = 0;

	if (duration <= 0 || duration > WINDOW_MS_MAX)
		return 0;
	for (size_t i = 0; i < at->pad_count; i++) {
		walks[i].over =
			!at->pads[i].open ||
			(pad.size > 0 &&
				!view_equal(name_view(&at->pads[i].name), pad));
		if (!walks[i].over)
			walk_begin(state, at, &at->pads[i], start, duration,
				&walks[i]);
	}
	while (count < slots_max) {
		size_t best = PADS_MAX;

		for (size_t i = 0; i < at->pad_count; i++) {
			if (!walks[i].over &&
				(best == PADS_MAX ||
					walks[i].at < walks[best].at))
				best = i;
		}
		if (best == PADS_MAX)
			break;
		struct walk *walk = &walks[best];
		const struct name *name = &at->pads[best].name;
		memcpy(slots[count].pad, name->text, name->size);
		slots[count].pad[name->size] = '\0';
		slots[count].start = walk->at;
		slots[count].end = walk->at + duration;
		count++;
		walk->at += duration + at->before + at->after;
		walk_on(state, at, &at->pads[best], duration, walk);
	}
	return count;
}
