/* consensus/ordered/holds.c -- what is true of the state between two steps. */
#include "consensus/ordered/ordered.h"

static bool heights_hold(const struct ordered *o)
{
	const struct entries *entries = &o->entries;
	bool fetched = o->final == entries->base; /* durable may follow */
	return entries_hold(entries) && entries->base <= o->final &&
	       o->final <= o->commit && o->commit <= entries->tip &&
	       o->durable <= entries->tip &&
	       (o->final <= o->durable || fetched) &&
	       entries->tip_term <= o->term;
}

static bool saves_hold(const struct ordered *o)
{
	bool holds = o->saved_task <= o->save_task &&
		     o->record_task <= o->save_task && !o->record_dirty &&
		     o->save_count <= ORDERED_SAVES_MAX;
	for (uint32_t i = 0; i < o->save_count; i++) {
		const struct save *save = &o->saves[i];
		holds = holds && save->task > o->saved_task &&
			save->task <= o->save_task &&
			save->tip <= o->entries.tip &&
			(i == 0 || save[-1].task < save->task);
	}
	return holds;
}

static bool members_hold(const struct ordered *o)
{
	size_t voters = 0, others = 0;
	bool holds = o->members.count <= ENGINE_MEMBERS_MAX &&
		     o->members.height <= o->entries.tip &&
		     o->previous.height <= o->members.height;
	for (size_t i = 0; i < o->members.count; i++) {
		voters += o->members.list[i].role == ROLE_VOTER;
		others += !key_equal(&o->members.list[i].key, &o->self);
	}
	for (size_t i = 0; i < o->peer_count; i++) {
		if (o->peers[i].role == ROLE_LEAVES)
			holds = holds && o->role == ENGINE_LEADER;
		else
			others--;
	}
	return holds && voters == o->voter_count && others == 0;
}

static bool follower_holds(const struct ordered *o)
{
	return o->verified <= o->entries.tip && o->acked <= o->verified &&
	       o->seek.seek.kind != SEEK_BLOCK;
}

static bool candidate_holds(const struct ordered *o)
{
	bool real = o->has_vote && key_equal(&o->vote, &o->self);
	return !o->has_leader && (o->pre || real) && !(o->pre && o->asked) &&
	       o->seek.seek.kind != SEEK_BLOCK;
}

static bool peer_holds(const struct ordered *o, const struct peer *peer)
{
	return peer->match < peer->next && peer->next <= o->entries.tip + 1 &&
	       peer->match <= o->entries.tip && peer->told <= o->commit &&
	       peer->round <= o->round &&
	       peer->flight_count <= ORDERED_FLIGHTS_MAX &&
	       (peer->state == PEER_REPLICATE ||
		       peer->flight_count <= (peer->state == PEER_PROBE));
}

static bool leader_holds(const struct ordered *o)
{
	bool holds = o->has_leader && key_equal(&o->leader, &o->self) &&
		     o->has_vote && key_equal(&o->vote, &o->self) &&
		     o->record_task <= o->saved_task &&
		     o->term_start <= o->entries.tip + 1 &&
		     o->seek.seek.kind != SEEK_STATE &&
		     !(o->transferring && o->seek.seek.kind == SEEK_BLOCK);
	if (o->entries.tip >= o->term_start)
		holds = holds && o->entries.tip_term == o->term;
	if (o->seek.seek.kind == SEEK_BLOCK)
		holds = holds && o->seek.seek.height == o->entries.tip + 1;
	for (size_t i = 0; i < o->peer_count; i++)
		holds = holds && peer_holds(o, &o->peers[i]);
	return holds;
}

static bool reads_hold(const struct ordered *o)
{
	bool holds = o->read_count <= ORDERED_READS_MAX;
	for (size_t i = 0; i < o->read_count; i++) {
		const struct read *read = &o->reads[i];
		bool leads =
			read->state == READ_WAITS || read->state == READ_ROUND;
		holds = holds && (!leads || o->role == ENGINE_LEADER) &&
			(!read->remote || o->role == ENGINE_LEADER) &&
			(i == 0 || read[-1].until <= read->until);
	}
	return holds;
}

bool ordered_holds(const void *state)
{
	const struct ordered *o = state;
	bool holds = members_hold(o) && reads_hold(o);
	if (!o->started)
		return holds;
	holds = holds && heights_hold(o) && saves_hold(o);
	switch (o->role) {
	case ENGINE_FOLLOWER:
	case ENGINE_STANDBY:
		return holds && follower_holds(o);
	case ENGINE_CANDIDATE:
		return holds && candidate_holds(o);
	case ENGINE_LEADER:
		return holds && leader_holds(o);
	case ENGINE_MINER:
		return false;
	}
	return false;
}
