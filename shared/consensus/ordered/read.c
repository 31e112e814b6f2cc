/* consensus/ordered/read.c -- reads that are not old, without a block each.
 *
 * ONGARO §6.4: what was committed when the question came is old news only if
 * somebody else leads by now; so the leader asks a majority whether it is still
 * followed, and answers after that. One round serves all questions that came
 * before it. A follower asks its leader for the height and waits until that is
 * final here. No clock is trusted.
 */
#include "consensus/ordered/ordered.h"

#include <string.h>

#include "base/check.h"

static void answer(const struct ordered *o, struct effects *out,
	const struct read *read, bool ok)
{
	if (read->remote) {
		struct ordered_message reply =
			ordered_say(o, ORDERED_READ_REPLY);
		reply.round = read->task;
		reply.commit = ok ? read->index : 0;
		reply.flags = ok ? 0 : ORDERED_REJECT;
		ordered_send(out, &read->peer, &reply, 0, 0);
		return;
	}
	struct effect *effect = effects_add(out, EFFECT_READY);
	effect->ready.task = read->task;
	effect->ready.ok = ok;
	effect->ready.height = o->final;
}

static void drop(struct ordered *o, size_t at)
{
	o->read_count--;
	memmove(&o->reads[at], &o->reads[at + 1],
		(o->read_count - at) * sizeof(o->reads[0]));
}

static void add(struct ordered *o, struct effects *out, struct read read)
{
	if (o->read_count == ORDERED_READS_MAX) {
		answer(o, out, &read, false);
		return;
	}
	read.until = o->now + o->election_ms;
	o->reads[o->read_count++] = read;
}

void ordered_read(struct ordered *o, struct effects *out, uint64_t task)
{
	struct read read = {.task = task};
	if (o->role == ENGINE_LEADER) {
		read.state = READ_WAITS;
		add(o, out, read);
		ordered_reads_confirm(o, out);
		return;
	}
	if (!o->has_leader || o->read_count == ORDERED_READS_MAX) {
		answer(o, out, &read, false);
		return;
	}
	read.state = READ_FORWARD;
	read.peer = o->leader;
	read.id = ++o->read_id;
	add(o, out, read);
	struct ordered_message message = ordered_say(o, ORDERED_READ);
	message.round = read.id;
	ordered_send(out, &o->leader, &message, 0, 0);
}

void ordered_on_read(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	struct read read = {
		.state = READ_WAITS,
		.remote = true,
		.peer = *from,
		.task = message->round,
	};
	if (o->role != ENGINE_LEADER) {
		answer(o, out, &read, false);
		return;
	}
	add(o, out, read);
	ordered_reads_confirm(o, out);
}

void ordered_on_read_reply(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	for (size_t i = 0; i < o->read_count; i++) {
		struct read *read = &o->reads[i];
		if (read->state != READ_FORWARD || read->id != message->round ||
			!key_equal(&read->peer, from))
			continue;
		if ((message->flags & ORDERED_REJECT) != 0) {
			answer(o, out, read, false);
			drop(o, i);
			return;
		}
		read->state = READ_INDEXED;
		read->index = message->commit;
		ordered_reads_ready(o, out);
		return;
	}
}

static bool any_in(const struct ordered *o, enum read_state state)
{
	for (size_t i = 0; i < o->read_count; i++) {
		if (o->reads[i].state == state)
			return true;
	}
	return false;
}

/* Those that a majority has answered have their height. */
static void close_round(struct ordered *o)
{
	uint64_t round = ordered_quorum_round(o);
	for (size_t i = 0; i < o->read_count; i++) {
		struct read *read = &o->reads[i];
		if (read->state == READ_ROUND && read->round <= round)
			read->state = READ_INDEXED;
	}
}

static void open_round(struct ordered *o, struct effects *out)
{
	/* ONGARO §6.4: a new leader does not know what is committed before a
	 * block of its own term is. */
	if (o->commit < o->term_start || !any_in(o, READ_WAITS) ||
		any_in(o, READ_ROUND))
		return;
	ordered_heartbeat(o, out);
	for (size_t i = 0; i < o->read_count; i++) {
		struct read *read = &o->reads[i];
		if (read->state != READ_WAITS)
			continue;
		read->state = READ_ROUND;
		read->round = o->round;
		read->index = o->commit;
	}
}

void ordered_reads_confirm(struct ordered *o, struct effects *out)
{
	if (o->read_count == 0)
		return;
	close_round(o);
	open_round(o, out);
	close_round(o); /* a single voter is a majority by itself */
	ordered_reads_ready(o, out);
}

void ordered_reads_ready(struct ordered *o, struct effects *out)
{
	for (size_t i = 0; i < o->read_count;) {
		const struct read *read = &o->reads[i];
		if (read->state == READ_INDEXED &&
			(read->remote || read->index <= o->final)) {
			answer(o, out, read, true);
			drop(o, i);
		} else {
			i++;
		}
	}
}

void ordered_reads_fail(struct ordered *o, struct effects *out)
{
	for (size_t i = 0; i < o->read_count;) {
		if (o->reads[i].state == READ_INDEXED) {
			i++; /* its height is known to be good */
		} else {
			answer(o, out, &o->reads[i], false);
			drop(o, i);
		}
	}
}

void ordered_reads_expire(struct ordered *o, struct effects *out)
{
	while (o->read_count > 0 && o->reads[0].until <= o->now) {
		answer(o, out, &o->reads[0], false);
		drop(o, 0);
	}
}

time_ms ordered_reads_deadline(const struct ordered *o)
{
	return o->read_count > 0 ? o->reads[0].until : INT64_MAX;
}
