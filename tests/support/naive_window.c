/* tests/support/naive_window.c -- who stands in the way of whom, and who gives
 * way.
 */
#include <string.h>

#include "base/check.h"
#include "support/naive.h"

struct record_party *naive_party(struct naive *naive, const struct key *key)
{
	for (size_t i = 0; i < naive->genesis->party_count; i++) {
		if (key_equal(&naive->parties[i].key, key))
			return &naive->parties[i];
	}
	return NULL;
}

bool naive_pad(const struct naive *naive, struct view port, struct view pad,
	struct naive_window *out)
{
	for (size_t i = 0; i < naive->genesis->port_count; i++) {
		const struct record_port *at = &naive->genesis->ports[i];

		for (size_t k = 0; k < at->pads_count; k++) {
			if (view_equal(at->name, port) &&
				view_equal(at->pads[k].name, pad)) {
				out->port = i;
				out->pad = k;
				return true;
			}
		}
	}
	return false;
}

struct naive_entry *naive_find(struct naive *naive, const struct id *id)
{
	for (size_t i = 0; i < naive->count; i++) {
		if (id_equal(&naive->list[i].id, id))
			return &naive->list[i];
	}
	return NULL;
}

struct naive_entry *naive_half(
	struct naive *naive, const struct naive_entry *entry)
{
	return entry->paired ? naive_find(naive, &entry->pair) : NULL;
}

bool naive_same_group(
	const struct naive *naive, size_t port, size_t a, size_t b)
{
	const struct record_pad *pads = naive->genesis->ports[port].pads;

	return view_equal(pads[a].group, pads[b].group);
}

bool naive_stands(const struct naive_entry *entry)
{
	return entry->state == RESERVATION_OCCUPIED ||
	       entry->state == RESERVATION_OVERSTAY ||
	       (entry->state == RESERVATION_CONTINGENT && entry->on_pad);
}

bool naive_open(const struct naive *naive, const struct naive_window *window)
{
	const struct record_pad *pad = &naive->pads[window->port][window->pad];

	return pad->open != 0 &&
	       ((uint64_t)window->start >= pad->closed_until ||
		       (uint64_t)window->end <= pad->closed_from);
}

enum refusal naive_window_check(
	const struct naive *naive, const struct naive_window *window)
{
	const struct record_port *port = &naive->genesis->ports[window->port];
	time_ms day = 24 * 3600 * 1000;

	if (!naive_open(naive, window))
		return REFUSAL_PAD_CLOSED;
	if (window->start < naive->now + (time_ms)port->lead)
		return REFUSAL_PAST;
	if (window->end <= window->start || window->end - window->start > day)
		return REFUSAL_BAD_WINDOW;
	return window->end > naive->now + 30 * day ? REFUSAL_HORIZON
						   : REFUSAL_GRANTED;
}

static bool meet(const struct naive *naive, const struct naive_window *a,
	const struct naive_window *b)
{
	const struct record_port *port = &naive->genesis->ports[a->port];
	time_ms gap = (time_ms)port->before + (time_ms)port->after;

	return a->port == b->port &&
	       naive_same_group(naive, a->port, a->pad, b->pad) &&
	       a->start < b->end + gap && b->start < a->end + gap;
}

struct naive_entry *naive_in_the_way(struct naive *naive,
	const struct naive_window *window, const struct naive_entry *without)
{
	struct naive_entry *first = NULL;

	for (size_t i = 0; i < naive->count; i++) {
		struct naive_entry *at = &naive->list[i];
		struct naive_window own = {
			at->port, at->pad, at->start, at->end};

		if (at != without && at->state != RESERVATION_WAITLISTED &&
			meet(naive, window, &own) &&
			(first == NULL || at->start < first->start))
			first = at;
	}
	return first;
}

bool naive_busy(const struct naive *naive, const char *aircraft,
	const struct naive_window *window, const struct naive_entry *without,
	const struct id *pair)
{
	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];

		if (aircraft[0] != '\0' && at != without &&
			at->state != RESERVATION_WAITLISTED &&
			!(pair != NULL && id_equal(&at->id, pair)) &&
			strcmp(at->aircraft, aircraft) == 0 &&
			at->start < window->end && window->start < at->end)
			return true;
	}
	return false;
}

bool naive_group_full(
	const struct naive *naive, const struct naive_window *window)
{
	size_t count = 0;

	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];

		count +=
			at->state != RESERVATION_WAITLISTED &&
			at->port == window->port &&
			naive_same_group(naive, at->port, at->pad, window->pad);
	}
	return count >= naive->limits->group_max;
}

/* ---- changes ---- */

void naive_free(struct naive *naive, size_t port, size_t pad)
{
	for (size_t i = 0; i < naive->freed_count; i++) {
		if (naive->freed[i].port == port &&
			naive_same_group(naive, port, naive->freed[i].pad, pad))
			return;
	}
	CHECK(naive->freed_count < NAIVE_MAX);
	naive->freed[naive->freed_count++] =
		(struct naive_place){true, port, pad};
}

void naive_end(struct naive *naive, const struct id *id)
{
	struct naive_entry *entry = naive_find(naive, id);

	if (entry == NULL)
		return;
	if (entry->state != RESERVATION_WAITLISTED)
		naive_free(naive, entry->port, entry->pad);
	*entry = naive->list[--naive->count];
}

void naive_set(struct naive_entry *entry, enum reservation_state state)
{
	entry->state = state;
	entry->until = 0;
	entry->version++;
}

void naive_move(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *to, enum reservation_state state)
{
	time_ms hold = (time_ms)naive->genesis->ports[to->port].hold;

	if (entry->state != RESERVATION_WAITLISTED)
		naive_free(naive, entry->port, entry->pad);
	if (entry->state != state)
		entry->until =
			state == RESERVATION_HELD ? naive->now + hold : 0;
	if (state == RESERVATION_HELD && entry->until > to->end)
		entry->until = to->end;
	entry->port = to->port;
	entry->pad = to->pad;
	entry->start = to->start;
	entry->end = to->end;
	entry->asked = 0;
	entry->state = state;
	entry->version++;
}

bool naive_may_go(struct naive *naive, const struct naive_entry *entry,
	const struct naive_window *to, const struct naive_window *taken)
{
	bool stays = entry->port == to->port &&
		     naive_same_group(naive, to->port, entry->pad, to->pad);

	return to->end > naive->now && naive_open(naive, to) &&
	       (taken == NULL || !meet(naive, to, taken)) &&
	       (stays || !naive_group_full(naive, to)) &&
	       naive_in_the_way(naive, to, entry) == NULL &&
	       !naive_busy(naive, entry->aircraft, to, entry,
		       entry->paired ? &entry->pair : NULL);
}

bool naive_divert(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *taken)
{
	struct naive_window to = {entry->alternate.port, entry->alternate.pad,
		entry->start, entry->end};

	if (!entry->alternate.named || !naive_may_go(naive, entry, &to, taken))
		return false;
	entry->alternate.named = false;
	naive_move(naive, entry, &to,
		entry->state == RESERVATION_HELD ? RESERVATION_HELD
						 : RESERVATION_CONFIRMED);
	return true;
}

static bool still(const struct naive_entry *entry)
{
	return (entry->state == RESERVATION_HELD ||
		       entry->state == RESERVATION_CONFIRMED) &&
	       !entry->airborne;
}

bool naive_gives_way(
	struct naive *naive, const struct naive_entry *entry, uint64_t tier)
{
	const struct naive_entry *half = naive_half(naive, entry);

	return entry->tier < tier && still(entry) &&
	       (half == NULL || still(half));
}

void naive_displace(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *taken)
{
	struct id id = entry->id, pair = entry->pair;
	bool paired = entry->paired;

	if (naive_divert(naive, entry, taken))
		return;
	naive_end(naive, &id);
	if (paired)
		naive_end(naive, &pair);
}
