/* service/links.c -- DEALER links to the members, and small batches. */
#include "service/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "gen/peer.h"
#include "gen/request.h"
#include "ledger/envelope.h"
#include "service/log.h"

void links_init(struct links *links, struct bus *bus,
	const struct keypair *self, const struct hash *network,
	struct finder *finder)
{
	memset(links, 0, sizeof(*links));
	links->bus = bus;
	links->self = self;
	links->network = *network;
	links->finder = finder;
	links->joining = true;
	links->standby = true;
}

struct peer *links_find(struct links *links, const struct key *key)
{
	for (size_t i = 0; i < links->count; i++) {
		if (key_equal(&links->items[i]->key, key))
			return links->items[i];
	}
	return NULL;
}

/* ---- who they are ---- */

static void copy_text(char *out, size_t size, struct view text)
{
	CHECK(text.size < size);
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

static void drop(struct links *links, size_t index)
{
	struct peer *peer = links->items[index];
	static const enum hint_source learnt[] = {
		HINT_SAVED, HINT_GENESIS, HINT_PEERS, HINT_LAN};
	bus_drop(links->bus, &peer->socket);
	for (size_t i = 0; i < sizeof(learnt) / sizeof(learnt[0]); i++)
		finder_forget(links->finder, learnt[i], &peer->key);
	free(peer);
	links->items[index] = links->items[--links->count];
}

/* Members of the ledger come before those of whom another one told. */
static bool make_room(struct links *links)
{
	for (size_t i = 0; links->count == LINKS_MAX && i < LINKS_MAX; i++) {
		if (links->items[i]->vouched) {
			drop(links, i);
			break;
		}
	}
	return links->count < LINKS_MAX;
}

static struct peer *add(struct links *links, const struct key *key)
{
	enum err err = bus_know(links->bus, key);
	if (err != ERR_OK) {
		log_warn("peer", "a member's key cannot be used: %s",
			err_text(err));
		return NULL;
	}
	struct peer *peer = calloc(1, sizeof(*peer));
	CHECK(peer != NULL);
	peer->key = *key;
	links->items[links->count++] = peer;
	return peer;
}

/* What the ledger says of a member. */
static void describe(
	struct links *links, struct peer *peer, const struct record_node *node)
{
	char why[200];
	bool moved = !view_equal(node->peer, view_text(peer->endpoint));
	peer->role = (uint8_t)node->role;
	peer->vouched = false;
	copy_text(peer->name, sizeof(peer->name), node->name);
	copy_text(peer->endpoint, sizeof(peer->endpoint), node->peer);
	copy_text(peer->request, sizeof(peer->request), node->request);
	copy_text(peer->publish, sizeof(peer->publish), node->publish);
	if (!moved)
		return;
	enum err err = finder_replace(
		links->finder, HINT_GENESIS, &peer->key, node->peer, why);
	if (err == ERR_CONFIG || err == ERR_FULL)
		log_warn("discover",
			"the ledger's address of %s cannot be used: %s",
			peer->name, err == ERR_FULL ? err_text(err) : why);
}

static bool stays(
	const struct links *links, const struct peer *peer, bool in_ledger)
{
	return in_ledger || (peer->vouched && links->joining);
}

void links_follow(struct links *links, const struct state *state)
{
	struct record_node node;
	links->joining =
		!state_node(state, &links->self->key, &node) || node.role == 0;
	links->standby = links->joining || node.role != 2;
	for (size_t i = links->count; i-- > 0;) {
		const struct peer *peer = links->items[i];
		bool in_ledger =
			state_node(state, &peer->key, &node) && node.role != 0;
		if (!stays(links, peer, in_ledger))
			drop(links, i);
	}
	for (size_t i = 0; i < state_node_count(state); i++) {
		state_node_at(state, i, &node);
		if (node.role == 0 || key_equal(&node.key, &links->self->key))
			continue;
		struct peer *peer = links_find(links, &node.key);
		if (peer == NULL && make_room(links))
			peer = add(links, &node.key);
		if (peer != NULL)
			describe(links, peer, &node);
	}
	links->look_at = 0;
}

/* One that lies cannot fill the table. */
static bool may_vouch(const struct links *links, const struct key *by)
{
	size_t count = 0;
	for (size_t i = 0; i < links->count; i++) {
		const struct peer *peer = links->items[i];
		count += peer->vouched && key_equal(&peer->vouched_by, by);
	}
	return count < LINKS_VOUCHED_MAX && links->count < LINKS_MAX;
}

struct peer *links_vouch(struct links *links, const char *name,
	const struct key *by, const struct peer_entry *entry)
{
	struct peer *peer = links_find(links, &entry->key);
	if (peer != NULL || !links->joining || entry->role == 0 ||
		key_equal(&entry->key, &links->self->key) ||
		!may_vouch(links, by))
		return peer;
	peer = add(links, &entry->key);
	if (peer == NULL)
		return NULL;
	peer->vouched = true;
	peer->vouched_by = *by;
	peer->role = (uint8_t)entry->role;
	copy_text(peer->name, sizeof(peer->name), entry->name);
	copy_text(peer->request, sizeof(peer->request), entry->request);
	copy_text(peer->publish, sizeof(peer->publish), entry->publish);
	log_info("discover", "%s tells of %s", name, peer->name);
	return peer;
}

void links_told(struct links *links, const struct peer *by,
	const struct peer_entry *entry)
{
	char why[200];
	if (!links->finder->uses[HINT_PEERS])
		return;
	struct peer *peer =
		by->vouched ? links_find(links, &entry->key)
			    : links_vouch(links, by->name, &by->key, entry);
	if (peer == NULL)
		return;
	enum err err = finder_hint(
		links->finder, HINT_PEERS, &entry->key, entry->peer, why);
	if (err == ERR_CONFIG)
		log_warn("discover",
			"what %s tells of %s cannot be used: %s; see its "
			"entry in the ledger (perch-wallet set-node)",
			by->name, peer->name, why);
}

void links_close(struct links *links)
{
	while (links->count > 0)
		drop(links, links->count - 1);
}

bool links_is_up(const struct peer *peer, time_ms now)
{
	return peer->heard_at != 0 && now - peer->heard_at < PEER_UP_MS;
}

size_t links_up(const struct links *links, time_ms now)
{
	size_t up = 0;
	for (size_t i = 0; i < links->count; i++)
		up += links_is_up(links->items[i], now);
	return up;
}

/* ---- what they are told ---- */

static void send_to(struct links *links, struct peer *peer,
	enum message_type type, struct view body)
{
	uint8_t bytes[BUS_FRAME_MAX];
	if (peer->socket == NULL ||
		bus_link_state(peer->socket) != BUS_LINK_UP) {
		peer->unsent++;
		return;
	}
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

static void say_hello(struct links *links)
{
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

static void ping(struct links *links)
{
	uint8_t body[16];
	for (size_t i = 0; i < links->count; i++) {
		struct peer *peer = links->items[i];
		if (!peer->reached)
			continue;
		peer->pinged_us = clock_monotonic_us();
		struct ping ping = {.round = peer->pinged_us};
		size_t size = ping_encode(body, sizeof(body), &ping);
		CHECK(size > 0);
		send_to(links, peer, MESSAGE_PING, view_of(body, size));
	}
}

/* One member at a time, in turn. */
static bool ask_for_peers(struct links *links)
{
	struct peers_query query = {.zero = 0};
	uint8_t body[16];
	size_t size = peers_query_encode(body, sizeof(body), &query);
	CHECK(size > 0);
	for (size_t i = 0; i < links->count; i++) {
		struct peer *peer = links->items[++links->asked % links->count];
		if (!peer->reached)
			continue;
		send_to(links, peer, MESSAGE_PEERS_QUERY, view_of(body, size));
		return true;
	}
	return false;
}

void links_work(struct links *links, time_ms now)
{
	if (now >= links->look_at) {
		links->look_at = now + LINKS_LOOK_MS;
		finder_work(links->finder, now);
		links_seek(links, now);
	}
	if (now >= links->hello_at) {
		links->hello_at = now + PEER_HELLO_MS;
		say_hello(links);
	}
	if (now >= links->ping_at) {
		links->ping_at =
			now + (links->measured_at != 0 ? LINKS_PING_SOON_MS
						       : LINKS_PING_MS);
		ping(links);
	}
	if (now >= links->ask_at && links->finder->uses[HINT_PEERS]) {
		bool asked = ask_for_peers(links);
		links->ask_at =
			now + (asked && !links->joining ? LINKS_ASK_MS
							: LINKS_ASK_SOON_MS);
	}
}
