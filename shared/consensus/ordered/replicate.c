/* consensus/ordered/replicate.c -- what a leader sends to one follower.
 *
 * Three states, as etcd's raft has them: PROBE sends one append at a time
 * until the logs meet, REPLICATE keeps many in flight and trusts that they
 * arrive, SNAPSHOT waits for a state because the blocks are gone. A rejection
 * leads back to PROBE. The follower's disk sets the pace: no more than
 * ORDERED_FLIGHTS_MAX appends are unanswered.
 */
#include "consensus/ordered/ordered.h"

#include "base/check.h"

void ordered_peer_reset(struct peer *peer, uint64_t next, time_ms now)
{
	peer->voted = false;
	peer->state = PEER_PROBE;
	peer->waiting = false;
	peer->match = 0;
	peer->match_round = 0;
	peer->next = next;
	peer->told = 0;
	peer->round = 0;
	peer->heard_at = now;
	peer->flight_first = peer->flight_count = 0;
}

/* Blocks from a height on that go with one message. Of a block that is not in
 * the ring the size is not known: it goes alone. */
static uint32_t choose(const struct ordered *o, uint64_t from)
{
	uint32_t count = 0;
	size_t bytes = 0;
	while (count < ENGINE_ATTACH_MAX && from + count <= o->entries.tip) {
		uint32_t size;
		if (!entries_size(&o->entries, from + count, &size))
			return 1;
		if (count > 0 && bytes + size > ENGINE_ATTACH_BYTES_MAX)
			break;
		bytes += size;
		count++;
	}
	return count;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void send_append(struct ordered *o, struct effects *out,
	struct peer *peer, uint32_t count, uint64_t flags)
{
	struct ordered_message message = ordered_say(o, ORDERED_APPEND);
	message.height = peer->next - 1;
	(void)entries_term(&o->entries, message.height, &message.log_term);
	(void)entries_hash(&o->entries, message.height, &message.hash);
	message.commit = o->commit;
	message.round = o->round;
	message.flags = flags;
	uint64_t told = min(o->commit, message.height + count);
	if (told > peer->told)
		peer->told = told;
	ordered_send(out, &peer->key, &message, peer->next, count);
}

static void send_snapshot(
	struct ordered *o, struct effects *out, struct peer *peer)
{
	struct ordered_message message = ordered_say(o, ORDERED_SNAPSHOT);
	message.height = o->entries.base;
	if (o->entries.base_known)
		message.log_term = o->entries.base_term;
	message.hash = o->entries.base_hash;
	message.commit = o->commit;
	message.round = o->round;
	peer->state = PEER_SNAPSHOT;
	peer->flight_count = 0;
	ordered_send(out, &peer->key, &message, 0, 0);
}

static bool prev_is_known(const struct ordered *o, const struct peer *peer)
{
	uint64_t term;
	return entries_term(&o->entries, peer->next - 1, &term);
}

/* Blocks from next on; the answer is awaited in the table of flights. */
static void fly(struct ordered *o, struct effects *out, struct peer *peer,
	uint32_t count)
{
	send_append(o, out, peer, count, 0);
	if (count == 0)
		return;
	uint32_t at = peer->flight_first + peer->flight_count++;
	peer->flights[at % ORDERED_FLIGHTS_MAX] = peer->next + count - 1;
}

static bool replicate_many(
	struct ordered *o, struct effects *out, struct peer *peer)
{
	bool sent = false;
	while (peer->next <= o->entries.tip &&
		peer->flight_count < ORDERED_FLIGHTS_MAX &&
		(!sent || out->count < ORDERED_BURST_MAX)) {
		uint32_t count = choose(o, peer->next);
		fly(o, out, peer, count);
		peer->next += count;
		sent = true;
	}
	return sent;
}

bool ordered_replicate(
	struct ordered *o, struct effects *out, struct peer *peer)
{
	if (peer->state != PEER_SNAPSHOT && peer->next <= o->entries.base) {
		send_snapshot(o, out, peer);
		return true;
	}
	switch (peer->state) {
	case PEER_PROBE:
		if (peer->waiting)
			return false;
		peer->waiting = true;
		peer->flight_count = 0;
		fly(o, out, peer, choose(o, peer->next));
		return true;
	case PEER_REPLICATE:
		return replicate_many(o, out, peer);
	case PEER_SNAPSHOT:
		return false;
	}
	return false;
}

void ordered_peer_heartbeat(
	struct ordered *o, struct effects *out, struct peer *peer)
{
	if (peer->state == PEER_SNAPSHOT || peer->next <= o->entries.base) {
		send_snapshot(o, out, peer);
		return;
	}
	/* An append without blocks finds out what was lost: it follows on what
	 * was sent last. Where the term is forgotten, the first block's parent
	 * stands in for it. */
	uint32_t count = prev_is_known(o, peer) ? 0 : choose(o, peer->next);
	send_append(o, out, peer, count, 0);
}

void ordered_peer_tell_commit(
	struct ordered *o, struct effects *out, struct peer *peer)
{
	if (peer->state == PEER_REPLICATE &&
		min(o->commit, peer->next - 1) > peer->told &&
		prev_is_known(o, peer))
		send_append(o, out, peer, 0, ORDERED_QUIET);
}

/* The logs meet at match. Blocks that went with the probe are on their way and
 * need not go again. */
static void replicate_from_match(struct ordered *o, struct peer *peer)
{
	peer->next = peer->match + 1;
	peer->waiting = false;
	if (!prev_is_known(o, peer)) {
		peer->state = PEER_PROBE;
		peer->flight_count = 0;
		return;
	}
	peer->state = PEER_REPLICATE;
	if (peer->flight_count > 0)
		peer->next = peer->flights[peer->flight_first] + 1;
}

void ordered_peer_accepted(struct ordered *o, struct peer *peer,
	const struct ordered_message *reply)
{
	if (reply->height > peer->match) {
		peer->match = reply->height;
		peer->match_round = reply->round;
	}
	while (peer->flight_count > 0 &&
		peer->flights[peer->flight_first] <= peer->match) {
		peer->flight_first =
			(peer->flight_first + 1) % ORDERED_FLIGHTS_MAX;
		peer->flight_count--;
	}
	bool met = peer->state == PEER_PROBE
			   ? peer->match + 1 >= peer->next
			   : peer->state == PEER_SNAPSHOT &&
				     peer->match >= o->entries.base;
	if (met)
		replicate_from_match(o, peer);
	else if (peer->next <= peer->match)
		peer->next = peer->match + 1;
}

/* RAFT §5.3, fast back-off: the follower names the last height where its term
 * is not above the leader's; the leader goes on from there with its own. */
void ordered_peer_rejected(struct ordered *o, struct peer *peer,
	const struct ordered_message *reply)
{
	uint64_t prev = reply->height;
	if (peer->state == PEER_SNAPSHOT || prev == 0 || prev > o->entries.tip)
		return;
	if (peer->state == PEER_PROBE && prev != peer->next - 1)
		return; /* of an older probe */
	if (prev <= peer->match) {
		/* Overtaken by a later answer, or else the follower has lost
		 * what it had: then it is filled up again. */
		if (reply->round <= peer->match_round)
			return;
		peer->match = 0;
	}
	uint64_t at = min(reply->hint, prev - 1);
	if (reply->hint_term > 0)
		(void)entries_back_off(&o->entries, at, reply->hint_term, &at);
	peer->next = at + 1 > peer->match ? at + 1 : peer->match + 1;
	peer->state = PEER_PROBE;
	peer->waiting = false;
	peer->flight_count = 0;
}
