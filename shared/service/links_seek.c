/* service/links_seek.c -- finding the members, one hint after another, and the
 * nearest one.
 */
#include "service/links.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

/* ---- one member ---- */

/* Where another member was met, this one is not. */
static bool is_taken(const struct links *links, const struct peer *peer,
	const char *endpoint)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct peer *other = links->items[i];
		if (other != peer && other->reached &&
			strcmp(other->at, endpoint) == 0)
			return true;
	}
	return false;
}

static const struct hint *next_hint(
	const struct links *links, struct peer *peer)
{
	const struct hint *hint;
	do {
		hint = book_next(&links->finder->book, &peer->key, peer->name,
			&peer->cursor);
	} while (hint != NULL && is_taken(links, peer, hint->endpoint));
	return hint;
}

/* Once until it is reached. */
static void say_missed(struct peer *peer, bool looked, time_ms now)
{
	if (peer->lost_at == 0)
		peer->lost_at = now;
	if (peer->missed || now < peer->lost_at + LINKS_MISSED_MS)
		return;
	peer->missed = true;
	log_warn("discover", "%s is not reached: %s", peer->name,
		looked ? "nobody with its key answers at any address "
			 "that is known; is it running, and is its "
			 "port open? Another address is given with "
			 "--peer"
		       : "no address of it is known; give one with "
			 "--peer");
}

static void go_to(struct links *links, struct peer *peer, const char *endpoint)
{
	struct bus_socket *socket = NULL;
	if (peer->socket != NULL && strcmp(peer->at, endpoint) == 0)
		return; /* the only place: it is tried again by itself */
	bus_drop(links->bus, &peer->socket);
	snprintf(peer->at, sizeof(peer->at), "%s", endpoint);
	enum err err = bus_connect(
		links->bus, &socket, BUS_PEER_CLIENT, peer->at, &peer->key);
	if (err == ERR_OK)
		peer->socket = socket;
	else
		log_warn("discover", "cannot connect to %s at %s: %s",
			peer->name, peer->at, err_text(err));
}

static void look_elsewhere(struct links *links, struct peer *peer, time_ms now)
{
	const struct hint *hint = next_hint(links, peer);
	peer->next_at = now + LINKS_TRY_MS;
	if (hint == NULL && peer->cursor > 0) {
		say_missed(peer, peer->socket != NULL, now);
		peer->cursor = 0;
		hint = next_hint(links, peer);
	}
	if (hint == NULL) {
		say_missed(peer, false, now);
		return;
	}
	peer->source = book_source(peer->cursor);
	log_debug("discover", "looking for %s at %s, from %s", peer->name,
		hint->endpoint, hint_source_text(peer->source));
	go_to(links, peer, hint->endpoint);
}

static void on_reached(struct peer *peer)
{
	peer->reached = true;
	peer->unsaved = true;
	peer->missed = false;
	log_info("discover", "reached %s at %s, from %s", peer->name, peer->at,
		hint_source_text(peer->source));
}

static void on_lost(struct peer *peer, time_ms now)
{
	peer->reached = false;
	peer->lost_at = now;
	peer->rtt_us = 0;
	peer->next_at = now + LINKS_TRY_MS;
	peer->cursor = 0; /* in the order of the sources again */
	log_info("discover", "%s is gone from %s", peer->name, peer->at);
}

static void let_go(struct links *links, struct peer *peer)
{
	bus_drop(links->bus, &peer->socket);
	peer->reached = false;
	peer->at[0] = '\0';
	peer->cursor = 0;
	peer->next_at = 0;
}

static void look(struct links *links, struct peer *peer, time_ms now)
{
	enum bus_link link = peer->socket == NULL
				     ? BUS_LINK_DOWN
				     : bus_link_state(peer->socket);
	if (link == BUS_LINK_UP) {
		if (!peer->reached)
			on_reached(peer);
		return;
	}
	if (peer->reached)
		on_lost(peer, now);
	/* It may know this node a moment later; or it may be somebody else who
	 * only says so. */
	time_ms patience =
		link == BUS_LINK_REFUSED ? LINKS_REFUSED_MS - LINKS_TRY_MS : 0;
	if (now >= peer->next_at + patience)
		look_elsewhere(links, peer, now);
}

/* ---- the nearest ---- */

struct peer *links_nearest(struct links *links)
{
	return links->standby && links->has_nearest
		       ? links_find(links, &links->nearest)
		       : NULL;
}

void links_want(struct links *links, const struct key *key, time_ms now)
{
	struct peer *peer = links->standby ? links_find(links, key) : NULL;
	if (peer == NULL)
		return;
	if (peer->wanted_until <= now)
		links->look_at = 0;
	peer->wanted_until = now + LINKS_WANTED_MS;
}

static void measure(struct links *links, time_ms now)
{
	links->measured_at = now + LINKS_MEASURE_MS;
	links->measure_at = now + LINKS_MEASURE_AGAIN_MS;
	links->ping_at = now;
	for (size_t i = 0; i < links->count; i++)
		links->items[i]->rtt_us = 0;
}

/* The best of all samples counts: the others waited for something else. */
static void choose(struct links *links, time_ms now)
{
	struct peer *best = NULL;
	for (size_t i = 0; i < links->count; i++) {
		struct peer *peer = links->items[i];
		if (peer->reached && peer->rtt_us > 0 &&
			(best == NULL || peer->rtt_us < best->rtt_us))
			best = peer;
	}
	if (best == NULL) { /* nobody admits this node yet */
		links->measured_at = now + LINKS_MEASURE_MS;
		return;
	}
	links->measured_at = 0;
	if (!links->has_nearest || !key_equal(&links->nearest, &best->key))
		log_info("discover", "the nearest member is %s, %llu us",
			best->name, (unsigned long long)best->rtt_us);
	links->has_nearest = true;
	links->nearest = best->key;
}

static void keep_nearest(struct links *links, time_ms now)
{
	const struct peer *nearest = links_nearest(links);
	bool lost =
		nearest == NULL ||
		(!nearest->reached && now >= nearest->lost_at + LINKS_LOST_MS);
	if (links->measured_at == 0 && (lost || now >= links->measure_at))
		measure(links, now);
	else if (links->measured_at != 0 && now >= links->measured_at)
		choose(links, now);
}

static bool is_needed(struct links *links, const struct peer *peer, time_ms now)
{
	return !links->standby || links->measured_at != 0 ||
	       now < peer->wanted_until || peer == links_nearest(links);
}

void links_pong(struct links *links, struct peer *peer, uint64_t round)
{
	if (round == 0 || round != peer->pinged_us)
		return;
	uint64_t took = clock_monotonic_us() - round + 1;
	peer->pinged_us = 0;
	if (peer->rtt_us == 0 || took < peer->rtt_us)
		peer->rtt_us = took;
	else if (links->measured_at == 0)
		peer->rtt_us += (took - peer->rtt_us) / 8;
}

/* Beacons of members, a few at a time; whoever floods fills his own place. */
static void listen(struct links *links)
{
	struct finder *finder = links->finder;
	char endpoint[BOOK_ENDPOINT_SIZE], why[200];
	struct key key;
	for (size_t i = 0; finder->beacon != NULL && i < LINKS_BEACONS; i++) {
		if (!beacon_take(finder->beacon, &key, endpoint))
			return;
		if (links_find(links, &key) == NULL)
			continue; /* no member */
		enum err err = finder_hint(
			finder, HINT_LAN, &key, view_text(endpoint), why);
		if (err == ERR_CONFIG)
			log_debug("discover", "a beacon: %s", why);
	}
}

void links_seek(struct links *links, time_ms now)
{
	listen(links);
	if (links->standby)
		keep_nearest(links, now);
	else
		links->measured_at = 0;
	for (size_t i = 0; i < links->count; i++) {
		struct peer *peer = links->items[i];
		if (is_needed(links, peer, now))
			look(links, peer, now);
		else if (peer->socket != NULL)
			let_go(links, peer);
	}
}
