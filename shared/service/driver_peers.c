/* service/driver_peers.c -- the members: who they are, where they were reached,
 * and what they tell each other about that.
 */
#include "service/driver_state.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "gen/peer.h"
#include "gen/request.h"
#include "service/log.h"

enum { ENTRY_BYTES_MAX = 512 };

static const struct state *state_of(const struct driver *driver)
{
	return chain_state(replica_chain(driver->replica));
}

/* ---- what a person said ---- */

static bool is_self(const struct driver *driver, const struct hint_who *who)
{
	const struct key *self = &driver->config.self->key;
	struct record_node node;
	if (who->has_key)
		return key_equal(&who->key, self);
	return state_node(state_of(driver), self, &node) &&
	       view_equal(node.name, view_text(who->name));
}

static bool is_member(const struct driver *driver, const struct hint_who *who)
{
	for (size_t i = 0; i < driver->links->count; i++) {
		const struct peer *peer = driver->links->items[i];
		if (who->has_key ? key_equal(&who->key, &peer->key)
				 : strcmp(who->name, peer->name) == 0)
			return true;
	}
	return false;
}

/* A slip of the pen is told at the start. */
static void check_said(const struct driver *driver)
{
	const struct book *book = &driver->links->finder->book;
	for (size_t i = 0; i < book->counts[HINT_COMMAND]; i++) {
		const struct hint *hint = &book->hints[HINT_COMMAND][i];
		const char *name =
			hint->who.has_key ? "of this key" : hint->who.name;
		if (is_self(driver, &hint->who))
			log_warn("discover",
				"peer: %s at %s is this node itself; it is "
				"passed over",
				name, hint->endpoint);
		else if (!is_member(driver, &hint->who))
			log_warn("discover",
				"peer: no node %s is in the ledger (yet); "
				"check the name, or enrol it (perch-wallet "
				"set-node)",
				name);
	}
}

/* ---- saved peers ---- */

static void forget_saved(struct driver *driver, const struct key *key)
{
	struct index_job *job = index_job_new(INDEX_PEER, 0, view_of(NULL, 0));
	job->key = *key;
	worker_give(driver->indexing, job);
}

/* Whoever is no member any more is forgotten, so the table has an end. */
static void take_saved(struct driver *driver, struct view bytes)
{
	struct links *links = driver->links;
	struct peer_entry entry;
	char why[200];
	enum err err = peer_entry_decode(&entry, bytes);
	if (err != ERR_OK) {
		log_warn("discover", "a saved peer cannot be read: %s",
			err_text(err));
		return;
	}
	/* One that joins may have to begin with whom it was told of. */
	if (links_vouch(links, "the index", &driver->config.self->key,
		    &entry) == NULL) {
		if (!links->joining)
			forget_saved(driver, &entry.key);
		return;
	}
	err = finder_hint(
		links->finder, HINT_SAVED, &entry.key, entry.peer, why);
	if (err == ERR_CONFIG)
		log_warn("discover", "a saved peer is passed over: %s", why);
}

void driver_peers_start(struct driver *driver)
{
	uint8_t bytes[ENTRY_BYTES_MAX];
	uint64_t cursor = 0;
	size_t size;
	links_follow(driver->links, state_of(driver));
	check_said(driver);
	if (!driver->links->finder->uses[HINT_SAVED])
		return;
	while (index_next_peer(
		driver->index, &cursor, bytes, &size, sizeof(bytes)))
		take_saved(driver, view_of(bytes, size));
}

static void save(struct driver *driver, struct peer *peer)
{
	uint8_t bytes[ENTRY_BYTES_MAX];
	struct peer_entry entry = {
		.key = peer->key,
		.name = view_text(peer->name),
		.role = peer->role,
		.request = view_text(peer->request),
		.publish = view_text(peer->publish),
		.peer = view_text(peer->at),
		.up = 1,
	};
	size_t size = peer_entry_encode(bytes, sizeof(bytes), &entry);
	CHECK(size > 0);
	struct index_job *job =
		index_job_new(INDEX_PEER, 0, view_of(bytes, size));
	job->key = peer->key;
	worker_give(driver->indexing, job);
	peer->unsaved = false;
	driver->commit_at = clock_monotonic();
}

void driver_peers_work(struct driver *driver, time_ms now)
{
	struct links *links = driver->links;
	struct engine_status engine;
	replica_status(driver->replica, &engine);
	if (engine.has_leader)
		links_want(links, &engine.leader, now);
	if (driver->config.elder != NULL)
		return;
	if (driver->members_changed) {
		driver->members_changed = false;
		links_follow(links, state_of(driver));
	}
	links_work(links, now);
	for (size_t i = 0; i < links->count; i++) {
		struct peer *peer = links->items[i];
		if (peer->unsaved && links->finder->uses[HINT_SAVED] &&
			worker_load(driver->indexing) < WORKER_JOBS_MAX / 2)
			save(driver, peer);
	}
}

/* ---- what members tell each other ---- */

void driver_peers(struct driver *driver, struct peers *out)
{
	const struct state *state = state_of(driver);
	time_ms now = clock_monotonic();
	out->peers_count = 0;
	for (size_t i = 0; i < state_node_count(state) && i < LINKS_MAX; i++) {
		struct record_node record;
		state_node_at(state, i, &record);
		const struct peer *peer =
			links_find(driver->links, &record.key);
		bool self = key_equal(&record.key, &driver->config.self->key);
		out->peers[out->peers_count++] = (struct peer_entry){
			.key = record.key,
			.name = record.name,
			.role = record.role,
			.request = record.request,
			.publish = record.publish,
			.peer = peer != NULL && peer->reached
					? view_text(peer->at)
					: record.peer,
			.up = self || (peer != NULL && links_is_up(peer, now)),
		};
	}
}

static void answer_peers(struct driver *driver, const struct peer *peer)
{
	uint8_t body[ENVELOPE_BODY_BYTES_MAX];
	struct peers answered;
	driver_peers(driver, &answered);
	size_t size = peers_encode(body, sizeof(body), &answered);
	CHECK(size > 0);
	links_send(
		driver->links, &peer->key, MESSAGE_PEERS, view_of(body, size));
}

static enum err take_peers(
	struct driver *driver, const struct peer *by, struct view body)
{
	struct peers told;
	struct key key = by->key;
	enum err err = peers_decode(&told, body);
	for (size_t i = 0; err == ERR_OK && i < told.peers_count; i++) {
		if (!key_equal(&told.peers[i].key, &key))
			links_told(driver->links, by, &told.peers[i]);
	}
	return err;
}

void driver_peers_receive(struct driver *driver, struct peer *peer,
	enum message_type type, struct view body)
{
	struct ping ping;
	struct pong pong;
	struct peers_query query;
	enum err err = ERR_TYPE;
	if (type == MESSAGE_PING) {
		err = ping_decode(&ping, body);
		if (err == ERR_OK)
			links_send(driver->links, &peer->key, MESSAGE_PONG,
				body); /* the same number */
	} else if (type == MESSAGE_PONG) {
		err = pong_decode(&pong, body);
		if (err == ERR_OK)
			links_pong(driver->links, peer, pong.round);
	} else if (type == MESSAGE_PEERS_QUERY) {
		err = peers_query_decode(&query, body);
		if (err == ERR_OK)
			answer_peers(driver, peer);
	} else if (type == MESSAGE_PEERS) {
		err = take_peers(driver, peer, body);
	}
	if (err != ERR_OK)
		log_warn("peer", "refused a message of %s: %s", peer->name,
			err_text(err));
}
