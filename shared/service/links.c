/* service/links.c -- DEALER links to the members, and small batches. */
#include "service/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gen/peer.h"
#include "gen/request.h"
#include "ledger/envelope.h"
#include "service/log.h"

void links_init(struct links *links, struct bus *bus,
	const struct keypair *self, const struct hash *network)
{
	memset(links, 0, sizeof(*links));
	links->bus = bus;
	links->self = self;
	links->network = *network;
}

struct peer *links_find(struct links *links, const struct key *key)
{
	for (size_t i = 0; i < links->count; i++) {
		if (key_equal(&links->items[i]->key, key))
			return links->items[i];
	}
	return NULL;
}

static void copy_text(char *out, size_t size, struct view text)
{
	CHECK(text.size < size);
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

static void drop(struct links *links, size_t index)
{
	struct peer *peer = links->items[index];
	bus_drop(links->bus, &peer->socket);
	free(peer);
	links->items[index] = links->items[--links->count];
}

static void add(struct links *links, const struct record_node *node)
{
	if (links->count == LINKS_MAX)
		return;
	struct peer *peer = calloc(1, sizeof(*peer));
	CHECK(peer != NULL);
	peer->key = node->key;
	peer->role = (uint8_t)node->role;
	copy_text(peer->name, sizeof(peer->name), node->name);
	copy_text(peer->endpoint, sizeof(peer->endpoint), node->peer);
	copy_text(peer->request, sizeof(peer->request), node->request);
	copy_text(peer->publish, sizeof(peer->publish), node->publish);
	enum err err = bus_know(links->bus, &peer->key);
	if (err == ERR_OK)
		err = bus_connect(links->bus, &peer->socket, BUS_PEER_CLIENT,
			peer->endpoint, &peer->key);
	if (err != ERR_OK) {
		log_warn("peer", "cannot connect to %s at %s: %s", peer->name,
			peer->endpoint, err_text(err));
		free(peer);
		return;
	}
	links->items[links->count++] = peer;
}

static bool follows(const struct peer *peer, const struct state *state)
{
	struct record_node node;
	return state_node(state, &peer->key, &node) && node.role != 0 &&
	       view_equal(node.peer, view_text(peer->endpoint));
}

void links_follow(struct links *links, const struct state *state)
{
	for (size_t i = links->count; i-- > 0;) {
		if (!follows(links->items[i], state))
			drop(links, i);
	}
	for (size_t i = 0; i < state_node_count(state); i++) {
		struct record_node node;
		state_node_at(state, i, &node);
		struct peer *peer = links_find(links, &node.key);
		if (peer != NULL)
			peer->role = (uint8_t)node.role;
		else if (node.role != 0 &&
			 !key_equal(&node.key, &links->self->key))
			add(links, &node);
	}
}

void links_close(struct links *links)
{
	while (links->count > 0)
		drop(links, links->count - 1);
}

size_t links_up(const struct links *links, time_ms now)
{
	size_t up = 0;
	for (size_t i = 0; i < links->count; i++) {
		time_ms heard = links->items[i]->heard_at;
		up += heard != 0 && now - heard < PEER_UP_MS;
	}
	return up;
}

static void send_to(struct links *links, struct peer *peer,
	enum message_type type, struct view body)
{
	uint8_t bytes[BUS_FRAME_MAX];
	size_t size = envelope_seal(
		bytes, sizeof(bytes), type, body, links->self, &links->network);
	CHECK(size > 0);
	struct view frame = view_of(bytes, size);
	if (bus_send(peer->socket, &frame, 1) != ERR_OK) {
		peer->unsent++;
		return;
	}
	links->sent++;
	links->sent_bytes += size;
}

void links_send(struct links *links, const struct key *to,
	enum message_type type, struct view body)
{
	struct peer *peer = links_find(links, to);
	if (peer != NULL)
		send_to(links, peer, type, body);
}

static void flush(struct links *links, struct peer *peer)
{
	struct forward forward = {
		.chain = peer->forward_chain,
		.txs_count = peer->forward_count,
	};
	uint8_t body[ENVELOPE_BODY_BYTES_MAX];
	if (peer->forward_count == 0)
		return;
	memcpy(forward.txs, peer->forwards,
		peer->forward_count * sizeof(forward.txs[0]));
	size_t size = forward_encode(body, sizeof(body), &forward);
	CHECK(size > 0);
	send_to(links, peer, MESSAGE_FORWARD, view_of(body, size));
	peer->forward_count = 0;
	peer->forward_used = 0;
}

void links_forward(struct links *links, uint8_t chain, const struct key *to,
	struct view tx)
{
	struct peer *peer = links_find(links, to);
	enum { ROOM = ENVELOPE_BODY_BYTES_MAX - 256 * 3 - 8 };
	if (peer == NULL)
		return;
	if (peer->forward_count == 256 || peer->forward_chain != chain ||
		peer->forward_used + tx.size > ROOM)
		flush(links, peer);
	peer->forward_chain = chain;
	uint8_t *at = peer->forward_bytes + peer->forward_used;
	memcpy(at, tx.data, tx.size);
	peer->forwards[peer->forward_count++] = view_of(at, tx.size);
	peer->forward_used += tx.size;
}

void links_flush(struct links *links)
{
	for (size_t i = 0; i < links->count; i++)
		flush(links, links->items[i]);
}

void links_hello(struct links *links, time_ms now)
{
	if (now < links->hello_at)
		return;
	links->hello_at = now + PEER_HELLO_MS;
	struct hello hello = {
		.protocol = PROTOCOL_VERSION,
		.release = view_text(PERCH_RELEASE),
		.network = links->network,
		.key = links->self->key,
	};
	uint8_t body[512];
	size_t size = hello_encode(body, sizeof(body), &hello);
	CHECK(size > 0);
	for (size_t i = 0; i < links->count; i++)
		send_to(links, links->items[i], MESSAGE_HELLO,
			view_of(body, size));
}
