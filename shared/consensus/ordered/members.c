/* consensus/ordered/members.c -- who takes part, as the log has it.
 *
 * ONGARO §4.1: members change one at a time, and a change is in effect from
 * the moment its block is in the log, committed or not. So a log that is cut
 * brings the members before it back. One step back is enough: a leader makes
 * no change while one is uncommitted, and what is committed is never cut.
 */
#include "consensus/ordered/ordered.h"

#include <string.h>

#include "base/check.h"

const struct engine_member *ordered_member(
	const struct ordered *o, const struct key *key)
{
	for (size_t i = 0; i < o->members.count; i++) {
		if (key_equal(&o->members.list[i].key, key))
			return &o->members.list[i];
	}
	return NULL;
}

struct peer *ordered_peer(struct ordered *o, const struct key *key)
{
	for (size_t i = 0; i < o->peer_count; i++) {
		if (key_equal(&o->peers[i].key, key))
			return &o->peers[i];
	}
	return NULL;
}

size_t ordered_majority(const struct ordered *o)
{
	return o->voter_count / 2 + 1;
}

static size_t count_voters(const struct members *members)
{
	size_t count = 0;
	for (size_t i = 0; i < members->count; i++)
		count += members->list[i].role == ROLE_VOTER;
	return count;
}

void ordered_peers_drop_left(struct ordered *o)
{
	size_t kept = 0;
	for (size_t i = 0; i < o->peer_count; i++) {
		if (o->peers[i].role != ROLE_LEAVES)
			o->peers[kept++] = o->peers[i];
	}
	o->peer_count = kept;
}

/* Peers follow the members; a leader goes on telling one that leaves until it
 * can know that it is out. */
static void follow(struct ordered *o)
{
	const struct engine_member *self = ordered_member(o, &o->self);
	o->self_role = self == NULL ? ROLE_LEAVES : self->role;
	o->voter_count = count_voters(&o->members);
	for (size_t i = 0; i < o->peer_count; i++)
		o->peers[i].role = ROLE_LEAVES;
	for (size_t i = 0; i < o->members.count; i++) {
		const struct engine_member *member = &o->members.list[i];
		if (member == self)
			continue;
		struct peer *peer = ordered_peer(o, &member->key);
		if (peer == NULL) {
			if (o->peer_count == ORDERED_PEERS_MAX)
				ordered_peers_drop_left(o);
			CHECK(o->peer_count < ORDERED_PEERS_MAX);
			peer = &o->peers[o->peer_count++];
			memset(peer, 0, sizeof(*peer));
			peer->key = member->key;
			ordered_peer_reset(peer, o->entries.tip + 1, o->now);
		}
		peer->role = member->role;
	}
	if (o->role != ENGINE_LEADER)
		ordered_peers_drop_left(o);
}

void ordered_members_set(struct ordered *o, uint64_t height,
	const struct engine_member *list, size_t count)
{
	CHECK(count <= ENGINE_MEMBERS_MAX);
	o->members.height = height;
	o->members.count = count;
	if (count > 0)
		memcpy(o->members.list, list, count * sizeof(*list));
	o->previous = o->members;
	follow(o);
}

/* False: there is no such change (a 17th member, the last voter's leaving).
 * The ledger refuses these; should one come, all members skip it alike. */
static bool apply(struct members *members, const struct engine_member *change)
{
	size_t at = 0;
	while (at < members->count &&
		!key_equal(&members->list[at].key, &change->key))
		at++;
	if (change->role == ROLE_LEAVES) {
		if (at == members->count)
			return false;
		members->count--;
		memmove(&members->list[at], &members->list[at + 1],
			(members->count - at) * sizeof(members->list[0]));
	} else {
		if (at == ENGINE_MEMBERS_MAX || change->role > ROLE_VOTER)
			return false;
		if (at == members->count)
			members->count++;
		members->list[at] = *change;
	}
	return count_voters(members) > 0;
}

void ordered_members_change(
	struct ordered *o, uint64_t height, const struct engine_member *change)
{
	struct members changed = o->members;
	if (!apply(&changed, change))
		return;
	changed.height = height;
	o->previous = o->members;
	o->members = changed;
	follow(o);
}

bool ordered_members_can_cut(const struct ordered *o, uint64_t height)
{
	return o->members.height <= height || o->previous.height <= height;
}

void ordered_members_cut(struct ordered *o, uint64_t height)
{
	if (o->members.height <= height)
		return;
	CHECK(o->previous.height <= height);
	o->members = o->previous;
	follow(o);
}
