/* net/net_say.c -- what a test wants to write shortly and read easily. */
#include "net/net.h"

#include <string.h>

#include "base/check.h"

void net_disk_write(struct net *net, size_t node, const char *terms)
{
	for (; *terms != '\0'; terms++)
		net_disk_put(net, node, (uint64_t)(*terms - '0'), 1);
}

const char *net_text(const struct net *net, size_t node, char text[256])
{
	const struct net_log *log = &net->nodes[node].chain;
	CHECK(log->count < 256);
	for (size_t i = 0; i < log->count; i++) {
		uint64_t term = net_block(net, log->blocks[i])->term;
		text[i] = term < 10 ? (char)('0' + term) : '+';
	}
	text[log->count] = '\0';
	return text;
}

static bool is_on_link(const struct net *net, const struct net_message *message,
	size_t from, size_t to)
{
	return (from == net->node_count || message->from == from) &&
	       (to == net->node_count || message->to == to);
}

bool net_said(const struct net *net, size_t from, size_t to,
	enum ordered_kind kind, struct ordered_message *out)
{
	for (size_t i = net->message_count; i > 0; i--) {
		const struct net_message *message = &net->messages[i - 1];
		if (!is_on_link(net, message, from, to))
			continue;
		enum err err = ordered_message_decode(
			out, view_of(message->bytes, message->size));
		CHECK(err == ERR_OK);
		if (out->kind == kind)
			return true;
	}
	memset(out, 0, sizeof(*out));
	return false;
}

size_t net_count(
	const struct net *net, size_t from, size_t to, enum ordered_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < net->message_count; i++) {
		struct ordered_message said;
		const struct net_message *message = &net->messages[i];
		enum err err = ordered_message_decode(
			&said, view_of(message->bytes, message->size));
		CHECK(err == ERR_OK);
		count +=
			is_on_link(net, message, from, to) && said.kind == kind;
	}
	return count;
}

void net_hush(struct net *net)
{
	net->message_count = 0;
}

void net_append(struct net *net, size_t from, size_t to, uint64_t term,
	uint64_t height, size_t count, uint64_t commit)
{
	const struct net_log *disk = &net->nodes[from].disk;
	uint32_t prev = net_log_at(disk, height);
	struct ordered_message message = {
		.kind = ORDERED_APPEND,
		.term = term,
		.height = height,
		.log_term = prev == 0 ? 0 : net_block(net, prev)->term,
		.hash = net_hash_of(net, prev),
		.commit = commit,
		.round = 1,
	};
	uint32_t blocks[ENGINE_ATTACH_MAX];
	CHECK(count <= ENGINE_ATTACH_MAX);
	for (size_t i = 0; i < count; i++) {
		blocks[i] = net_log_at(disk, height + 1 + i);
		CHECK(blocks[i] > 0);
	}
	net_inject(net, from, to, &message, blocks, count);
}
