/* client/trust.c -- the keys that may propose blocks.
 *
 * At first these are the nodes that the client was given. Others join later,
 * and any of them may lead; so when a block names a proposer that is not known,
 * the node that showed it is asked once who the nodes are now. Whoever is asked
 * may propose blocks itself, so it gains nothing by a lie.
 */
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"

enum { AWAITED_MAX = 40 }; /* times of 50 ms: longer than an election takes */

bool trust_has(const struct perch *client, const struct key *key)
{
	for (size_t i = 0; i < client->known_count; i++) {
		if (key_equal(&client->known[i], key))
			return true;
	}
	return false;
}

void trust_add(struct perch *client, const struct key *key)
{
	if (trust_has(client, key))
		return;
	if (client->known_count < CLIENT_KNOWN_MAX)
		client->known[client->known_count++] = *key;
}

enum err trust_learn(struct perch *client, const struct line *line, time_ms now)
{
	struct peers_query query = {.zero = 0};
	struct flight *flight;
	size_t size;

	if (client->node_count == 0)
		return ERR_KEY;
	if (client->learning != 0)
		return ERR_OK;
	size = peers_query_encode(client->scratch, BUS_FRAME_MAX, &query);
	CHECK(size > 0);
	enum err err =
		flight_new(client, &flight, FLIGHT_PEERS, MESSAGE_PEERS_QUERY,
			MESSAGE_PEERS, view_of(client->scratch, size));
	if (err != ERR_OK)
		return err;
	client->learning = flight->id;
	if (line->index < (int)client->node_count) /* it first */
		flight->tried = ~(UINT64_C(1) << line->index);
	flight_send(client, flight, now);
	return ERR_OK;
}

/* The same node first, when its time has come. */
static void put_off(struct perch *client, struct flight *flight,
	const struct line *line, time_ms until)
{
	flight_recall(client, flight, until);
	if (line->index < (int)client->node_count)
		flight->tried &= ~(UINT64_C(1) << line->index);
}

bool trust_put_off(struct perch *client, struct flight *flight,
	const struct line *line, time_ms now)
{
	if (flight->learned_of == line->index + 1 ||
		trust_learn(client, line, now) != ERR_OK)
		return false;
	put_off(client, flight, line, INT64_MAX);
	flight->learned_of = line->index + 1;
	return true;
}

bool trust_await(struct perch *client, struct flight *flight,
	const struct line *line, time_ms now)
{
	if (flight->awaited == AWAITED_MAX)
		return false;
	flight->awaited++;
	put_off(client, flight, line, now + CLIENT_BUSY_MS);
	return true;
}

void trust_learned(struct perch *client, time_ms now)
{
	client->learning = 0;
	client->look_at = now;
	for (unsigned i = 0; i < client->slots; i++) {
		struct flight *flight = &client->flights[i];

		if (flight->id != 0 && flight->not_before == INT64_MAX)
			flight->not_before = now;
	}
}

enum err trust_answer(struct perch *client, struct view body)
{
	struct peers *peers = &client->decoded->peers;
	enum err err = peers_decode(peers, body);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < peers->peers_count; i++)
		trust_add(client, &peers->peers[i].key);
	return ERR_OK;
}
