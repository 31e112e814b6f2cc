/* net/net_run.c -- messages on their way, and time that passes. */
#include "net/net.h"

#include <string.h>

#include "base/check.h"

/* ---- messages ---- */

static void take_out(struct net *net, size_t at)
{
	net->message_count--;
	memmove(&net->messages[at], &net->messages[at + 1],
		(net->message_count - at) * sizeof(*net->messages));
}

/* NET_WHOLE_LOG_ACKED: what a reply says is bent on its way. */
static void bend(struct net *net, struct net_message *message)
{
	struct ordered_message said;
	if (net->fault != NET_WHOLE_LOG_ACKED ||
		ordered_message_decode(&said,
			view_of(message->bytes, message->size)) != ERR_OK ||
		said.kind != ORDERED_APPEND_REPLY ||
		(said.flags & ORDERED_REJECT) != 0)
		return;
	uint64_t tip = net_log_tip(&net->nodes[message->from].disk);
	uint64_t there = net_log_tip(&net->nodes[message->to].chain);
	if (tip > there)
		tip = there;
	if (tip <= said.height)
		return;
	said.height = tip;
	message->size = ordered_message_encode(
		message->bytes, sizeof(message->bytes), &said);
}

void net_deliver_at(struct net *net, size_t at, bool keep)
{
	CHECK(at < net->message_count);
	struct net_message message = net->messages[at];
	if (!keep)
		take_out(net, at);
	if (!net->nodes[message.to].up)
		return;
	bend(net, &message);
	net_receive(net, &message);
}

static size_t oldest(const struct net *net, size_t from, size_t to)
{
	size_t at = 0;
	while (at < net->message_count &&
		(net->messages[at].from != from || net->messages[at].to != to))
		at++;
	return at;
}

bool net_deliver(struct net *net, size_t from, size_t to)
{
	size_t at = oldest(net, from, to);
	if (at == net->message_count)
		return false;
	net_deliver_at(net, at, false);
	return true;
}

void net_drop(struct net *net, size_t from, size_t to)
{
	size_t at = oldest(net, from, to);
	if (at < net->message_count)
		take_out(net, at);
}

void net_inject(struct net *net, size_t from, size_t to,
	const struct ordered_message *message, const uint32_t *blocks,
	size_t count)
{
	CHECK(net->message_count < NET_MESSAGES_MAX);
	struct net_message *put = &net->messages[net->message_count++];
	memset(put, 0, sizeof(*put));
	put->number = ++net->message_number;
	put->from = (uint8_t)from;
	put->to = (uint8_t)to;
	put->size =
		ordered_message_encode(put->bytes, sizeof(put->bytes), message);
	put->first_height = message->height + 1;
	put->count = count;
	for (size_t i = 0; i < count; i++)
		put->blocks[i] = blocks[i];
	net_deliver_at(net, net->message_count - 1, false);
}

/* ---- longer ---- */

void net_settle(struct net *net)
{
	for (size_t i = 0; i < 100000; i++) {
		for (size_t n = 0; n < net->node_count; n++) {
			if (net->nodes[n].up)
				net_saved_all(net, n);
		}
		if (net->message_count == 0)
			return;
		net_deliver_at(net, 0, false);
	}
	net_violated(net, "messages without end");
}

void net_run(struct net *net, time_ms ms)
{
	time_ms end = net->now + ms;
	net_settle(net);
	for (;;) {
		size_t first = net->node_count;
		time_ms at = end;
		for (size_t i = 0; i < net->node_count; i++) {
			const struct net_node *node = &net->nodes[i];
			if (node->timer_at == INT64_MAX ||
				node->timer_at - node->skew > at)
				continue;
			first = i;
			at = node->timer_at - node->skew;
		}
		if (at > net->now)
			net->now = at;
		if (first == net->node_count)
			return;
		net_timer(net, first);
		net_settle(net);
	}
}

size_t net_leader(const struct net *net)
{
	size_t leader = net->node_count;
	for (size_t i = 0; i < net->node_count; i++) {
		const struct net_node *node = &net->nodes[i];
		if (node->up && node->engine->role == ENGINE_LEADER &&
			(leader == net->node_count ||
				node->engine->term >
					net->nodes[leader].engine->term))
			leader = i;
	}
	return leader;
}

void net_elect(struct net *net, size_t at)
{
	for (int i = 0; i < 20; i++) {
		if (net->nodes[at].engine->role == ENGINE_LEADER)
			break;
		/* The others have not heard from a leader lately. */
		net->now += 2 * net->election_ms;
		net_timer(net, at);
		net_settle(net);
	}
	if (net->nodes[at].engine->role != ENGINE_LEADER)
		net_violated(net, "the node was not elected");
}

void net_cut(struct net *net, size_t at, bool lost)
{
	for (size_t i = 0; i < net->node_count; i++)
		net->lost[i][at] = net->lost[at][i] = lost && i != at;
	for (size_t i = net->message_count; lost && i > 0; i--) {
		const struct net_message *message = &net->messages[i - 1];
		if (message->from == at || message->to == at)
			take_out(net, i - 1);
	}
}
