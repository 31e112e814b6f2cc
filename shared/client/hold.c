/* client/hold.c -- nobody is left with an `ordered` that is not true any more.
 *
 * What a node publishes of its chain only says when to look: a block that is
 * disconnected, a height that is final, a gap. Then the node is asked for the
 * fate of each transaction that may be meant, and its answer decides. So a
 * lost hint costs time and nothing else.
 */
#include "client/hold.h"

#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"

enum { LOOK_MS = 10000, AGAIN_MS = 300 };

bool hold_has_room(const struct perch *client)
{
	return client->hold_count + client->in_flight < CLIENT_HOLDS_MAX;
}

static struct hold *find(struct perch *client, uint64_t request)
{
	for (size_t i = 0; i < client->hold_count; i++) {
		if (client->holds[i].request == request)
			return &client->holds[i];
	}
	return NULL;
}

static void drop(struct perch *client, struct hold *hold)
{
	*hold = client->holds[--client->hold_count];
}

/* The chain of the node that was asked last is listened to. */
static void listen(struct perch *client, const struct line *line)
{
	int before = client->hold_line;

	client->hold_line = line->index;
	if (before == line->index)
		return;
	if (topic_connect(client, &client->lines[line->index]) != ERR_OK)
		return; /* it is asked now and then */
	if (before >= 0 &&
		topic_connect(client, &client->lines[before]) != ERR_OK)
		return;
}

void hold_begin(struct perch *client, const struct flight *flight,
	const struct line *line, const struct fate *fate)
{
	struct hold *hold = find(client, flight->request);

	if (hold == NULL && client->hold_count == CLIENT_HOLDS_MAX)
		return; /* more were answered than hold_has_room let go */
	if (hold == NULL)
		hold = &client->holds[client->hold_count++];
	*hold = (struct hold){
		.request = flight->request,
		.tx = flight->tx,
		.line = line->index,
		.height = fate->height,
		.block = fate->block,
		.ask_at = clock_monotonic() + LOOK_MS,
	};
	hold->tx.receipt = NULL; /* is the flight's */
	listen(client, line);
}

/* ---- when to look ---- */

void hold_hears(struct perch *client, const struct line *line,
	const struct topic_chain *change, time_ms now)
{
	enum { DISCONNECTED = 2, FINAL = 3 };

	if (change->chain != client->chain)
		return;
	for (size_t i = 0; i < client->hold_count; i++) {
		struct hold *hold = &client->holds[i];
		bool gone = change->event == DISCONNECTED &&
			    change->height <= hold->height;
		bool final = change->event == FINAL &&
			     change->height >= hold->height;

		if (hold->line == line->index && (gone || final))
			hold->ask_at = now;
	}
}

void hold_suspects(struct perch *client, const struct line *line, time_ms now)
{
	for (size_t i = 0; i < client->hold_count; i++) {
		if (client->holds[i].line == line->index)
			client->holds[i].ask_at = now;
	}
}

time_ms hold_deadline(const struct perch *client)
{
	time_ms at = INT64_MAX;

	if (client->hold_asked != 0 || client->hold_waits)
		return at;
	for (size_t i = 0; i < client->hold_count; i++) {
		if (client->holds[i].ask_at < at)
			at = client->holds[i].ask_at;
	}
	return at;
}

/* ---- the question ---- */

static void ask(struct perch *client, const struct hold *hold, time_ms now)
{
	struct tx_query query = {
		.chain = client->chain,
		.wallet = hold->tx.wallet,
		.id = hold->tx.id,
	};
	struct flight *flight;
	size_t size = tx_query_encode(client->scratch, BUS_FRAME_MAX, &query);

	CHECK(size > 0);
	if (flight_new(client, &flight, FLIGHT_HOLD, MESSAGE_TX_QUERY,
		    MESSAGE_FATE, view_of(client->scratch, size)) != ERR_OK)
		return;
	flight->request = hold->request;
	flight->tx = hold->tx;
	/* Another node may be on another branch: only when this one is gone. */
	if (client->lines[hold->line].state == PERCH_UP) {
		flight->pinned = true;
		flight->pin = hold->line;
	}
	client->hold_asked = hold->request;
	flight_send(client, flight, now);
}

void hold_tick(struct perch *client, time_ms now)
{
	if (client->hold_asked != 0 || client->hold_waits)
		return;
	for (size_t i = 0; i < client->hold_count; i++) {
		if (client->holds[i].ask_at > now)
			continue;
		ask(client, &client->holds[i], now);
		return;
	}
}

void hold_failed(struct perch *client, time_ms now)
{
	struct hold *hold = find(client, client->hold_asked);

	client->hold_asked = 0;
	if (hold != NULL)
		hold->ask_at = now + AGAIN_MS;
}

/* ---- the answer ---- */

static void tell_undone(struct perch *client, const struct hold *hold,
	const struct line *line, struct perch_event *event)
{
	struct perch_fate *fate = &client->answer->fate;

	memset(fate, 0, sizeof(*fate));
	give_id(&fate->id, &hold->tx.id);
	give_key(&fate->wallet, &hold->tx.wallet);
	fate->status = PERCH_RECEIVED;
	fate->chain = client->chain;
	fate->height = hold->height;
	give_hash(&fate->block, &hold->block);
	event->type = PERCH_EVENT_UNDONE;
	event->request = hold->request;
	event->node = line->index;
	event->fate = fate;
}

/* What becomes of it after it was undone. */
static enum err next_fate(struct perch *client, struct flight *flight,
	struct hold *hold, struct line *line, const struct fate *fate,
	struct perch_event *event, bool *told, time_ms now)
{
	bool never = fate->status == PERCH_UNKNOWN &&
		     fate->as_of_time > hold->tx.valid_until;

	if (fate->status < PERCH_ORDERED && !never) {
		hold->ask_at = now + AGAIN_MS;
		flight_end(client, flight);
		return ERR_OK;
	}
	if (fate->status != PERCH_ORDERED)
		drop(client, hold);
	if (fate->status == PERCH_FINAL && client->prove) {
		flight->purpose = FLIGHT_USER; /* as if it was asked for */
		client->in_flight++;
		return prove_start(client, flight, fate);
	}
	return fate_tell(client, flight, line, fate, false, event, told);
}

enum err hold_answer(struct perch *client, struct flight *flight,
	struct line *line, struct view body, struct perch_event *event,
	bool *told, time_ms now)
{
	struct hold *hold = find(client, flight->request);
	struct fate fate;
	enum err err = fate_decode(&fate, body);

	if (err == ERR_OK)
		err = fate_check(
			client, flight, &fate, &client->decoded->receipt);
	if (err != ERR_OK)
		return err;
	client->hold_asked = 0;
	CHECK(hold != NULL);      /* nobody else drops it */
	if (client->hold_waits) { /* nobody would hear it */
		hold->ask_at = now;
		flight_end(client, flight);
		return ERR_OK;
	}
	if (hold->undone)
		return next_fate(
			client, flight, hold, line, &fate, event, told, now);
	if (fate.status < PERCH_ORDERED ||
		!hash_equal(&fate.block, &hold->block)) {
		hold->undone = true;
		hold->ask_at = now;
		tell_undone(client, hold, line, event);
		*told = true;
	} else if (fate.status == PERCH_FINAL) {
		drop(client, hold);
	} else {
		hold->ask_at = now + LOOK_MS;
	}
	flight_end(client, flight);
	return ERR_OK;
}
