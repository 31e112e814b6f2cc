/* tests/unit/oracle.h -- the contract once more, as slowly and plainly as can
 * be: one list of live reservations, and every rule a walk over it.
 *
 * Written from domain.md's rows alone, so that it shares no idea with the code
 * that it judges: no order, no index, no undo but a copy. Here is who stands in
 * the way of whom; oracle_op.h has the operations.
 */
#ifndef PERCH_TESTS_UNIT_ORACLE_H
#define PERCH_TESTS_UNIT_ORACLE_H

#include "paper.h"

enum { ORACLE_MAX = 128 };

struct entry {
	struct id id, pair;
	bool paired;
	size_t port, pad; /* as in the genesis */
	time_ms start, end;
	enum who owner;
	uint64_t version, movement, height;
	char aircraft[8];
};

struct oracle {
	const struct genesis *genesis;
	const struct state_limits *limits;
	time_ms now;
	uint64_t height;
	size_t count;
	struct entry list[ORACLE_MAX];
};

static inline const struct record_party *oracle_party(
	const struct oracle *o, enum who who)
{
	for (size_t i = 0; i < o->genesis->party_count; i++) {
		if (key_equal(&o->genesis->parties[i].key, &who_pair(who)->key))
			return &o->genesis->parties[i];
	}
	return NULL;
}

UNUSED static struct entry *oracle_find(struct oracle *o, const struct id *id)
{
	for (size_t i = 0; i < o->count; i++) {
		if (id_equal(&o->list[i].id, id))
			return &o->list[i];
	}
	return NULL;
}

UNUSED static void oracle_drop(struct oracle *o, const struct id *id)
{
	struct entry *entry = oracle_find(o, id);

	if (entry != NULL)
		*entry = o->list[--o->count];
}

/* Windows that are over end, and the other half with each. */
UNUSED static void oracle_begin(struct oracle *o, time_ms now)
{
	o->now = now;
	o->height++;
	for (size_t i = 0; i < o->count;) {
		struct entry entry = o->list[i];

		if (entry.end > now) {
			i++;
			continue;
		}
		oracle_drop(o, &entry.id);
		if (entry.paired)
			oracle_drop(o, &entry.pair);
		i = 0;
	}
}

static inline bool oracle_place(const struct oracle *o, struct view port,
	struct view pad, size_t *port_index, size_t *pad_index)
{
	for (size_t i = 0; i < o->genesis->port_count; i++) {
		const struct record_port *at = &o->genesis->ports[i];

		for (size_t k = 0; k < at->pads_count; k++) {
			if (view_equal(at->name, port) &&
				view_equal(at->pads[k].name, pad)) {
				*port_index = i;
				*pad_index = k;
				return true;
			}
		}
	}
	return false;
}

static inline bool oracle_same_group(
	const struct oracle *o, const struct entry *a, const struct entry *b)
{
	const struct record_port *port = &o->genesis->ports[a->port];

	return a->port == b->port &&
	       view_equal(port->pads[a->pad].group, port->pads[b->pad].group);
}

static inline bool oracle_in_the_way(
	const struct oracle *o, const struct entry *a, const struct entry *b)
{
	const struct record_port *port = &o->genesis->ports[a->port];
	time_ms before = (time_ms)port->before, after = (time_ms)port->after;

	return oracle_same_group(o, a, b) &&
	       a->start - before < b->end + after &&
	       b->start - before < a->end + after;
}

/* Nobody but self is in the way. */
static inline bool oracle_is_free(const struct oracle *o,
	const struct entry *wish, const struct entry *self)
{
	for (size_t i = 0; i < o->count; i++) {
		if (&o->list[i] != self &&
			oracle_in_the_way(o, wish, &o->list[i]))
			return false;
	}
	return true;
}

static inline enum refusal oracle_window(
	const struct oracle *o, const struct entry *wish)
{
	const struct record_port *port = &o->genesis->ports[wish->port];

	if (port->pads[wish->pad].open == 0)
		return REFUSAL_PAD_CLOSED;
	if (wish->start < o->now + (time_ms)port->lead)
		return REFUSAL_PAST;
	if (wish->end <= wish->start || wish->end - wish->start > 24 * HOUR)
		return REFUSAL_BAD_WINDOW;
	if (wish->end > o->now + 30 * 24 * HOUR)
		return REFUSAL_HORIZON;
	return REFUSAL_GRANTED;
}

static inline bool oracle_busy(const struct oracle *o, const struct entry *wish,
	const struct entry *self)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct entry *at = &o->list[i];
		bool half = wish->paired && id_equal(&at->id, &wish->pair);

		if (wish->aircraft[0] != '\0' && at != self && !half &&
			strcmp(at->aircraft, wish->aircraft) == 0 &&
			at->start < wish->end && wish->start < at->end)
			return true;
	}
	return false;
}

#endif
