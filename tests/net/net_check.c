/* net/net_check.c -- what must be true after every step, whatever happened.
 *
 * RAFT figure 3: election safety, log matching, leader completeness, state
 * machine safety; and what a disk has to do with them: nothing is said before
 * it is durable.
 */
#include "net/net.h"

#include "base/check.h"

void net_violated(struct net *net, const char *what)
{
	if (net->violation == NULL)
		net->violation = what;
}

static uint64_t disk_term(const struct net_node *node)
{
	uint64_t term = 0;
	for (size_t i = 0; i < 8 && node->record_size > 0; i++)
		term = term << 8 | node->record[i];
	return term;
}

static bool disk_vote_is(const struct net_node *node, const struct key *key)
{
	struct view vote = view_of(node->record + 9, KEY_SIZE);
	return node->record_size > 9 && node->record[8] == 1 &&
	       view_equal(vote, view_of(key->bytes, KEY_SIZE));
}

static void check_ack(struct net *net, size_t at, size_t to,
	const struct ordered_message *message)
{
	const struct net_node *node = &net->nodes[at];
	uint32_t number = net_log_at(&node->chain, message->height);
	if (message->height > net_log_tip(&node->disk) ||
		(message->height > node->disk.base &&
			net_log_at(&node->disk, message->height) != number))
		net_violated(net, "acknowledged before it is durable");
	if (to == net->node_count)
		return;
	const struct net_node *leader = &net->nodes[to];
	if (!leader->up || leader->engine->role != ENGINE_LEADER ||
		leader->engine->term != message->term ||
		message->height < leader->chain.base ||
		message->height < node->chain.base)
		return;
	if (net_log_at(&leader->chain, message->height) != number)
		net_violated(net, "acknowledged what the leader does not have");
}

void net_check_send(struct net *net, size_t at, const struct effect *effect)
{
	struct net_node *node = &net->nodes[at];
	struct ordered_message message;
	enum err err = ordered_message_decode(&message, effect->send.message);
	if (err != ERR_OK) {
		net_violated(net, "a message is not canonical");
		return;
	}
	if (net->only_global)
		return;
	bool reject = (message.flags & ORDERED_REJECT) != 0;
	struct key self = net_key(at);
	uint64_t term = disk_term(node);
	switch ((enum ordered_kind)message.kind) {
	case ORDERED_PRE_VOTE:
		return;
	case ORDERED_PRE_VOTE_REPLY:
		if (reject && message.term != term)
			net_violated(net, "a term before it is durable");
		return;
	case ORDERED_VOTE:
		if (message.term != term || !disk_vote_is(node, &self))
			net_violated(net, "asks before its vote is durable");
		return;
	case ORDERED_VOTE_REPLY:
		if (message.term != term ||
			(!reject && !disk_vote_is(node, &effect->send.to)))
			net_violated(net, "votes before it is durable");
		return;
	case ORDERED_APPEND_REPLY:
		if (message.term != term)
			net_violated(net, "a term before it is durable");
		if (!reject)
			check_ack(net, at, net_find(net, &effect->send.to),
				&message);
		return;
	case ORDERED_APPEND:
	case ORDERED_SNAPSHOT:
	case ORDERED_SNAPSHOT_REPLY:
	case ORDERED_TIMEOUT_NOW:
		if (message.term != term)
			net_violated(net, "a term before it is durable");
		return;
	case ORDERED_READ:
	case ORDERED_READ_REPLY:
		return;
	}
	net_violated(net, "a message of no kind");
}

/* State machine safety: a height is final with one block, everywhere. */
void net_check_commit(struct net *net, size_t at, uint64_t height)
{
	struct net_node *node = &net->nodes[at];
	if (height <= node->final)
		net_violated(net, "commits do not ascend");
	if (height > net_log_tip(&node->chain)) {
		net_violated(net, "committed what is not there");
		return;
	}
	for (uint64_t h = node->final + 1; h <= height; h++) {
		uint32_t number = net_log_at(&node->chain, h);
		if (!net->only_global && h > node->disk.base &&
			net_log_at(&node->disk, h) != number)
			net_violated(net, "committed before it is durable");
		if (h <= net_log_tip(&net->final)) {
			if (net_log_at(&net->final, h) != number)
				net_violated(net, "two blocks are final at a "
						  "height");
			continue;
		}
		net_log_push(&net->final, number);
	}
	node->final = height;
}

void net_check_leader(struct net *net, size_t at)
{
	const struct net_node *node = &net->nodes[at];
	uint64_t term = node->engine->term;
	if (net->only_global && term >= NET_TERMS_MAX)
		return; /* somebody lies */
	CHECK(term < NET_TERMS_MAX);
	/* Election safety. */
	if (net->leaders[term] != 0 && net->leaders[term] != at + 1)
		net_violated(net, "two leaders in a term");
	net->leaders[term] = (uint8_t)(at + 1);
	/* Leader completeness: of every later term. A leader whose term is
	 * older than another's may lack what that one has committed. */
	for (uint64_t later = term + 1; later < NET_TERMS_MAX; later++) {
		if (net->leaders[later] != 0)
			return;
	}
	for (uint64_t h = net_log_tip(&net->final);
		h > net->final.base && h >= node->chain.base; h--) {
		if (h > net_log_tip(&node->chain) ||
			net_log_at(&node->chain, h) !=
				net_log_at(&net->final, h)) {
			net_violated(net, "a leader lacks what is final");
			return;
		}
	}
}

void net_check_state(struct net *net, size_t at)
{
	const struct net_node *node = &net->nodes[at];
	struct engine_status status;
	engine_ordered.status(node->engine, &status);
	if (!net->only_global && !engine_ordered.holds(node->engine))
		net_violated(net, "an invariant of the engine is broken");
	if (status.tip != net_log_tip(&node->chain) ||
		status.final != node->final)
		net_violated(net, "engine and chain differ in height");
	if (status.final > status.tip)
		net_violated(net, "final above the tip");
}
