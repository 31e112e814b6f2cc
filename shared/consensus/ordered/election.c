/* consensus/ordered/election.c -- who leads.
 *
 * RAFT §5.2 and §5.4.1 with what ONGARO adds so that a node which comes back
 * disturbs nobody: pre-vote (§9.6), no vote while a leader is heard (§4.2.3),
 * and a transfer of leadership that may override that (§3.10).
 */
#include "consensus/ordered/ordered.h"

#include "base/check.h"

static void set_role(struct ordered *o, enum engine_role role)
{
	/* RAFT figure 4: a leader only ever steps down. */
	CHECK(role != ENGINE_LEADER || o->role == ENGINE_CANDIDATE);
	CHECK(role != ENGINE_CANDIDATE || o->role != ENGINE_LEADER);
	o->role = role;
}

void ordered_election_reset(struct ordered *o)
{
	/* RAFT §5.2: drawn from an interval, so that votes are rarely split. */
	uint64_t extra = o->random % (uint64_t)o->election_ms;
	o->election_at = o->now + o->election_ms + (time_ms)extra;
}

void ordered_become_follower(struct ordered *o, struct effects *out,
	uint64_t term, const struct key *leader)
{
	CHECK(term >= o->term);
	bool fresh = term > o->term || o->role != ENGINE_FOLLOWER ||
		     (leader != NULL &&
			     !(o->has_leader && key_equal(leader, &o->leader)));
	bool moved = o->role != ENGINE_FOLLOWER;
	if (term > o->term) {
		o->term = term;
		o->has_vote = false;
		o->vote_owed = false;
		o->record_dirty = true;
	}
	if (o->role == ENGINE_LEADER) {
		ordered_seek_none(o, out);
		o->transferring = false;
	}
	set_role(o, ENGINE_FOLLOWER);
	o->pre = o->forced = o->asked = false;
	o->has_leader = leader != NULL;
	if (leader != NULL) {
		o->leader = *leader;
		o->heard_at = o->now;
	}
	if (fresh) {
		o->verified = o->acked = 0;
		o->owed = false;
		o->owed_round = 0;
		ordered_reads_fail(o, out);
		ordered_peers_drop_left(o);
	}
	if (moved || leader != NULL)
		ordered_election_reset(o);
}

/* A log that lost what it had acknowledged may have been part of a majority: it
 * is as good as before when a leader has filled it up again. */
static bool has_forgotten(const struct ordered *o)
{
	return o->durable < o->forgotten;
}

/* RAFT §5.4.1: the log with the later last term, then the longer one. Who lost
 * blocks judges as it would with what it had, as far as it knows. */
static bool up_to_date(
	const struct ordered *o, const struct ordered_message *message)
{
	uint64_t term = o->entries.tip_term;
	uint64_t tip = o->entries.tip;
	if (has_forgotten(o)) {
		term = o->forgotten_term;
		tip = o->forgotten;
	}
	if (message->log_term != term)
		return message->log_term > term;
	return message->height >= tip;
}

/* ONGARO §4.2.3: a server that heard from a leader within the least election
 * timeout neither gives its vote nor takes over the term. */
bool ordered_leader_is_heard(const struct ordered *o)
{
	return o->role == ENGINE_LEADER ||
	       (o->has_leader && o->now < o->heard_at + o->election_ms);
}

static bool was_voter(const struct ordered *o)
{
	for (size_t i = 0; i < o->previous.count; i++) {
		const struct engine_member *member = &o->previous.list[i];
		if (key_equal(&member->key, &o->self))
			return member->role == ROLE_VOTER;
	}
	return false;
}

/* ONGARO §4.2.2: a server that its own log takes out may be the only one that
 * has this change, and the others need its vote until they have it too. So it
 * stands, without counting itself, until the change is committed. */
bool ordered_may_stand(const struct ordered *o)
{
	if (has_forgotten(o))
		return false;
	return o->self_role == ROLE_VOTER ||
	       (o->members.height > o->commit && was_voter(o));
}

static void ask(struct ordered *o, struct effects *out, enum ordered_kind kind)
{
	struct ordered_message message = ordered_say(o, kind);
	message.height = o->entries.tip;
	message.log_term = o->entries.tip_term;
	if (kind == ORDERED_PRE_VOTE)
		message.term = o->term + 1;
	else if (o->forced)
		message.flags = ORDERED_FORCED;
	for (size_t i = 0; i < o->peer_count; i++) {
		if (o->peers[i].role == ROLE_VOTER)
			ordered_send(out, &o->peers[i].key, &message, 0, 0);
	}
}

static void forget_votes(struct ordered *o)
{
	for (size_t i = 0; i < o->peer_count; i++)
		o->peers[i].voted = false;
}

static bool is_elected(const struct ordered *o)
{
	size_t votes = o->self_role == ROLE_VOTER; /* its own */
	for (size_t i = 0; i < o->peer_count; i++)
		votes += o->peers[i].role == ROLE_VOTER && o->peers[i].voted;
	return votes >= ordered_majority(o);
}

/* A real candidate: votes for itself, and asks once that is durable. */
void ordered_campaign(struct ordered *o, bool forced)
{
	set_role(o, ENGINE_CANDIDATE);
	o->has_leader = false;
	o->pre = o->asked = false;
	o->forced = forced;
	o->term++;
	o->has_vote = true;
	o->vote = o->self;
	o->vote_owed = false;
	o->record_dirty = true;
	forget_votes(o);
	ordered_election_reset(o);
}

void ordered_election_timeout(struct ordered *o, struct effects *out)
{
	if (o->has_leader) {
		o->has_leader = false;
		ordered_reads_fail(o, out);
	}
	ordered_election_reset(o);
	if (!ordered_may_stand(o))
		return;
	if (o->self_role == ROLE_VOTER && o->voter_count == 1) {
		ordered_campaign(o, false);
		return;
	}
	/* ONGARO §9.6: ask first whether an election could be won; a term is
	 * only used up by one that could. */
	set_role(o, ENGINE_CANDIDATE);
	o->pre = true;
	o->asked = o->forced = false;
	forget_votes(o);
	ask(o, out, ORDERED_PRE_VOTE);
}

static void give_vote(struct ordered *o, struct effects *out)
{
	struct ordered_message reply = ordered_say(o, ORDERED_VOTE_REPLY);
	ordered_send(out, &o->vote, &reply, 0, 0);
	o->vote_owed = false;
}

void ordered_election_saved(struct ordered *o, struct effects *out)
{
	if (!ordered_record_durable(o))
		return;
	if (o->vote_owed)
		give_vote(o, out);
	if (o->role != ENGINE_CANDIDATE || o->pre || o->asked)
		return;
	o->asked = true;
	ask(o, out, ORDERED_VOTE);
	if (is_elected(o)) {
		set_role(o, ENGINE_LEADER);
		ordered_lead(o, out);
	}
}

/* An answer says this node's term, so that must be durable. */
static void refuse(struct ordered *o, struct effects *out, const struct key *to,
	enum ordered_kind kind)
{
	if (!ordered_record_durable(o))
		return;
	struct ordered_message reply = ordered_say(o, kind);
	reply.flags = ORDERED_REJECT;
	ordered_send(out, to, &reply, 0, 0);
}

static void on_pre_vote(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	if (message->term <= o->term || ordered_leader_is_heard(o) ||
		!up_to_date(o, message)) {
		refuse(o, out, from, ORDERED_PRE_VOTE_REPLY);
		return;
	}
	/* No promise: nothing is remembered, nothing needs to be durable. */
	struct ordered_message reply = ordered_say(o, ORDERED_PRE_VOTE_REPLY);
	reply.term = message->term;
	ordered_send(out, from, &reply, 0, 0);
}

/* Whoever is asked may vote, a stand-by too: it is asked when the candidate's
 * log makes it a voter, which its own may not say yet (ONGARO §4.1). Only
 * votes of the candidate's voters are counted. */
static void on_vote(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	bool forced = (message->flags & ORDERED_FORCED) != 0;
	if (!forced && ordered_leader_is_heard(o))
		return;
	if (message->term > o->term)
		ordered_become_follower(o, out, message->term, NULL);
	bool mine = message->term == o->term && o->role == ENGINE_FOLLOWER &&
		    !o->has_leader && up_to_date(o, message) &&
		    (!o->has_vote || key_equal(&o->vote, from));
	if (!mine) {
		refuse(o, out, from, ORDERED_VOTE_REPLY);
		return;
	}
	if (!o->has_vote) {
		o->has_vote = true;
		o->vote = *from;
		o->record_dirty = true;
	}
	/* RAFT §5.1: term and vote are durable before the answer. */
	o->vote_owed = true;
	ordered_election_reset(o);
	if (ordered_record_durable(o))
		give_vote(o, out);
}

static void on_pre_vote_reply(struct ordered *o, struct effects *out,
	struct peer *peer, const struct ordered_message *message)
{
	if ((message->flags & ORDERED_REJECT) != 0) {
		if (message->term > o->term)
			ordered_become_follower(o, out, message->term, NULL);
		return;
	}
	if (o->role != ENGINE_CANDIDATE || !o->pre ||
		message->term != o->term + 1)
		return;
	peer->voted = true;
	if (is_elected(o))
		ordered_campaign(o, false);
}

static void on_vote_reply(struct ordered *o, struct effects *out,
	struct peer *peer, const struct ordered_message *message)
{
	if (message->term > o->term) {
		ordered_become_follower(o, out, message->term, NULL);
		return;
	}
	if (o->role != ENGINE_CANDIDATE || !o->asked ||
		message->term != o->term ||
		(message->flags & ORDERED_REJECT) != 0)
		return;
	peer->voted = true;
	if (is_elected(o)) {
		set_role(o, ENGINE_LEADER);
		ordered_lead(o, out);
	}
}

void ordered_on_election(struct ordered *o, struct effects *out,
	const struct key *from, const struct ordered_message *message)
{
	struct peer *peer = ordered_peer(o, from);
	switch ((enum ordered_kind)message->kind) {
	case ORDERED_PRE_VOTE:
		on_pre_vote(o, out, from, message);
		return;
	case ORDERED_PRE_VOTE_REPLY:
		if (peer != NULL)
			on_pre_vote_reply(o, out, peer, message);
		return;
	case ORDERED_VOTE:
		on_vote(o, out, from, message);
		return;
	case ORDERED_VOTE_REPLY:
		if (peer != NULL)
			on_vote_reply(o, out, peer, message);
		return;
	case ORDERED_TIMEOUT_NOW:
		/* ONGARO §3.10: the leader asks to be followed by this node. */
		if (message->term == o->term && o->self_role == ROLE_VOTER &&
			o->role == ENGINE_FOLLOWER && o->has_leader &&
			!has_forgotten(o) && key_equal(&o->leader, from)) {
			ordered_reads_fail(o, out);
			ordered_campaign(o, true);
		}
		return;
	case ORDERED_APPEND:
	case ORDERED_APPEND_REPLY:
	case ORDERED_SNAPSHOT:
	case ORDERED_SNAPSHOT_REPLY:
	case ORDERED_READ:
	case ORDERED_READ_REPLY:
		return;
	}
}
