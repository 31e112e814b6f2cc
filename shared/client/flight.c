/* client/flight.c -- questions in flight: kept, sent, sent again, ended.
 *
 * Every question ends in exactly one event: an answer, a refusal, or the end
 * of its time. Until then it is either with one line or waiting for one.
 */
#include "client/flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"
#include "ledger/envelope.h"

enum { FRAME_EXTRA = 128 }; /* of an envelope without a signature */

uint64_t flight_id(struct perch *client, unsigned slot)
{
	return client->serial++ << CLIENT_SLOT_BITS | slot;
}

static struct flight *slot_free(struct perch *client)
{
	for (unsigned i = 0; i < client->slots; i++) {
		unsigned slot = (client->slot_next + i) % client->slots;

		if (client->flights[slot].id == 0) {
			client->slot_next = slot + 1;
			return &client->flights[slot];
		}
	}
	return NULL;
}

/* Wrap a body, which the caller owns, as the flight's frame. */
static enum err flight_wrap(struct perch *client, struct flight *flight,
	uint8_t asks, uint8_t wants, struct view body)
{
	size_t size = body.size + FRAME_EXTRA;
	uint8_t *frame = malloc(size);

	CHECK(frame != NULL);
	size = envelope_seal(frame, size, (enum message_type)asks, body,
		&client->pair, &client->network);
	if (size == 0) {
		free(frame);
		return ERR_LENGTH;
	}
	free(flight->frame);
	flight->frame = frame;
	flight->frame_size = size;
	flight->asks = asks;
	flight->wants = wants;
	return ERR_OK;
}

static void look_by(struct perch *client, time_ms at)
{
	if (at < client->look_at)
		client->look_at = at;
}

enum err flight_new(struct perch *client, struct flight **out,
	enum flight_purpose purpose, uint8_t asks, uint8_t wants,
	struct view body)
{
	time_ms now = clock_monotonic();
	struct flight *flight;
	enum err err;

	if (purpose == FLIGHT_USER && client->in_flight >= client->requests_max)
		return ERR_FULL;
	flight = slot_free(client);
	if (flight == NULL)
		return ERR_FULL;
	memset(flight, 0, sizeof(*flight));
	err = flight_wrap(client, flight, asks, wants, body);
	if (err != ERR_OK)
		return err;
	flight->id = flight_id(client, (unsigned)(flight - client->flights));
	flight->request = flight->id;
	flight->purpose = purpose;
	flight->line = -1;
	flight->deadline = now + client->timeout_ms;
	look_by(client, flight->deadline);
	if (purpose == FLIGHT_USER)
		client->in_flight++;
	*out = flight;
	return ERR_OK;
}

enum err flight_divert(struct perch *client, struct flight *flight,
	uint8_t asks, uint8_t wants, struct view body)
{
	struct flight old = *flight;
	enum err err;

	CHECK(!flight->diverted && flight->line >= 0);
	flight->frame = NULL;
	err = flight_wrap(client, flight, asks, wants, body);
	if (err != ERR_OK) {
		flight->frame = old.frame;
		return err;
	}
	flight->diverted = true;
	flight->put_off = old.frame;
	flight->put_off_size = old.frame_size;
	flight->put_off_asks = old.asks;
	flight->put_off_wants = old.wants;
	client->lines[flight->line].in_flight--;
	flight->line = -1;
	flight->pinned = true;
	flight->pin = old.line;
	flight->id = flight_id(client, (unsigned)(flight - client->flights));
	return ERR_OK;
}

static void flight_return(struct perch *client, struct flight *flight)
{
	free(flight->frame);
	flight->frame = flight->put_off;
	flight->frame_size = flight->put_off_size;
	flight->asks = flight->put_off_asks;
	flight->wants = flight->put_off_wants;
	flight->put_off = NULL;
	flight->diverted = false;
	flight->pinned = false;
	flight->id = flight_id(client, (unsigned)(flight - client->flights));
	free(flight->tx.receipt);
	flight->tx.receipt = NULL;
}

static void flight_leave(struct perch *client, struct flight *flight)
{
	if (flight->diverted)
		flight_return(client, flight);
	if (flight->line < 0)
		return;
	CHECK(client->lines[flight->line].in_flight > 0);
	client->lines[flight->line].in_flight--;
	flight->line = -1;
}

struct flight *flight_find(struct perch *client, uint64_t id)
{
	size_t slot = id & ((1U << CLIENT_SLOT_BITS) - 1);

	if (id == 0 || slot >= client->slots || client->flights[slot].id != id)
		return NULL;
	return &client->flights[slot];
}

void flight_recall(
	struct perch *client, struct flight *flight, time_ms not_before)
{
	flight_leave(client, flight);
	flight->not_before = not_before;
	look_by(client, not_before);
}

void flight_end(struct perch *client, struct flight *flight)
{
	flight_leave(client, flight);
	if (flight->purpose == FLIGHT_USER)
		client->in_flight--;
	free(flight->frame);
	free(flight->tx.receipt);
	memset(flight, 0, sizeof(*flight));
}

/* A block that takes work is no reason to ask somebody else. */
static time_ms patience(const struct perch *client, const struct flight *flight)
{
	bool slow = client->chain != 0 && flight->asks == MESSAGE_SUBMIT &&
		    flight->tx.wait > PERCH_RECEIVED;

	return client->patience_ms * (slow ? CLIENT_SLOW : 1);
}

void flight_send(struct perch *client, struct flight *flight, time_ms now)
{
	struct line *line = line_choose(client, flight, now);
	struct view frames[2];
	enum err err;

	if (line == NULL && flight->diverted) {
		flight_return(client, flight);
		line = line_choose(client, flight, now);
	}
	if (line == NULL)
		return;
	frames[0] = view_of(&flight->id, sizeof(flight->id));
	frames[1] = view_of(flight->frame, flight->frame_size);
	err = bus_send(line->request, frames, 2);
	if (err == ERR_BUSY) {
		flight->not_before = now + 1;
		look_by(client, flight->not_before);
		return;
	}
	if (err != ERR_OK) {
		line_fail(client, line, ERR_UNREACHABLE,
			"the connection was lost");
		look_by(client, now);
		return;
	}
	flight->line = line->index;
	if (line->index < (int)client->node_count)
		flight->tried |= UINT64_C(1) << line->index;
	flight->sent++;
	flight->sent_at = now;
	flight->patience = now + patience(client, flight);
	line->in_flight++;
	look_by(client, flight->patience);
	look_by(client, flight->deadline);
}

/* The end of a question without an answer. A transaction's is a fate all the
 * same: unknown, or refused when exactly one node ever saw it and said no. */
static void flight_failed(struct perch *client, struct flight *flight,
	enum err err, const struct perch_failure *failure, bool refused,
	struct perch_event *event)
{
	bool is_tx = flight->asks == MESSAGE_SUBMIT ||
		     flight->asks == MESSAGE_TX_QUERY || flight->diverted;

	event->type = is_tx ? PERCH_EVENT_FATE : PERCH_EVENT_FAILED;
	event->request = flight->request;
	event->node = flight->evaluator ? PERCH_EVALUATOR : flight->line;
	event->err = (enum perch_err)err;
	client->failure = *failure;
	event->failure = &client->failure;
	if (is_tx) {
		struct perch_fate *fate = &client->answer->fate;

		memset(fate, 0, sizeof(*fate));
		give_id(&fate->id, &flight->tx.id);
		give_key(&fate->wallet, &flight->tx.wallet);
		fate->refused = refused && flight->sent == 1 &&
				flight->asks == MESSAGE_SUBMIT;
		event->fate = fate;
	}
	flight_end(client, flight);
}

/* Why nobody could be asked: what is wrong with the one asked first. */
static void explain_unreachable(const struct perch *client,
	const struct flight *flight, struct perch_failure *failure)
{
	size_t first = flight->evaluator ? client->node_count
		       : flight->pinned  ? (size_t)flight->pin
					 : client->prefer;
	const struct line *line = &client->lines[first];

	snprintf(failure->code, sizeof(failure->code), "%s",
		err_name(line->err != ERR_OK ? line->err : ERR_UNREACHABLE));
	snprintf(failure->text, sizeof(failure->text), "%s: %s",
		line->node.name,
		line->why[0] != '\0' ? line->why : err_text(ERR_UNREACHABLE));
}

/* Why it was still waiting: what it was told last. */
static void explain_timeout(
	const struct flight *flight, struct perch_failure *failure)
{
	enum err err = ERR_TIMEOUT;

	if (flight->passing != 0)
		err = (enum err)flight->passing;
	snprintf(failure->code, sizeof(failure->code), "%s", err_name(err));
	snprintf(failure->text, sizeof(failure->text), "%s", err_text(err));
}

/* The client's own questions end in silence. */
static void flight_own_failed(
	struct perch *client, struct flight *flight, enum err err, time_ms now)
{
	enum flight_purpose purpose = flight->purpose;

	flight_end(client, flight);
	if (purpose == FLIGHT_HOLD)
		hold_failed(client, now);
	else if (purpose == FLIGHT_PEERS)
		trust_learned(client, now);
	else
		follow_failed(client, err, now);
}

/* True: event is filled. */
static bool flight_late(struct perch *client, struct flight *flight,
	struct perch_event *event, time_ms now)
{
	struct perch_failure failure = {.code = "timeout"};
	enum err err = flight->sent > 0 ? ERR_TIMEOUT : ERR_UNREACHABLE;

	if (flight->purpose != FLIGHT_USER) {
		flight_own_failed(client, flight, err, now);
		return false;
	}
	if (err == ERR_UNREACHABLE)
		explain_unreachable(client, flight, &failure);
	else
		explain_timeout(flight, &failure);
	flight_failed(client, flight, err, &failure, false, event);
	return true;
}

/* The node that has it does not answer. If it answers nobody, it is left; if it
 * answers others, only this question goes elsewhere. */
static void flight_impatient(
	struct perch *client, struct flight *flight, time_ms now)
{
	struct line *line = &client->lines[flight->line];

	if (line->heard_at <= flight->sent_at) {
		line_distrust(client, line, ERR_TIMEOUT,
			"it does not answer; the next node is asked");
		return;
	}
	if (flight->pinned || flight->evaluator)
		flight->patience = now + client->patience_ms;
	else
		flight_recall(client, flight, now);
}

static bool flight_tick(struct perch *client, struct flight *flight,
	struct perch_event *event, time_ms now)
{
	if (now >= flight->deadline ||
		(flight->sent == 0 && line_none_will_do(client, flight)))
		return flight_late(client, flight, event, now);
	if (flight->line >= 0 && now >= flight->patience)
		flight_impatient(client, flight, now);
	if (flight->line < 0 && now >= flight->not_before)
		flight_send(client, flight, now);
	if (flight->line >= 0)
		look_by(client, flight->patience);
	else if (flight->not_before > now)
		look_by(client, flight->not_before);
	look_by(client, flight->deadline);
	return false;
}

bool flights_tick(struct perch *client, struct perch_event *event, time_ms now)
{
	if (now < client->look_at && client->look_from == 0)
		return false;
	if (client->look_from == 0)
		client->look_at = INT64_MAX;
	while (client->look_from < client->slots) {
		struct flight *flight = &client->flights[client->look_from++];

		if (flight->id != 0 && flight_tick(client, flight, event, now))
			return true;
	}
	client->look_from = 0;
	return false;
}

enum err err_of_word(struct view word, enum err otherwise)
{
	for (int i = 0; i <= (int)ERR_CHAIN; i++) {
		if (view_equal(word, view_text(err_name((enum err)i))))
			return (enum err)i;
	}
	return otherwise;
}

/* Another node, or the same one later, may answer better. */
static bool refusal_is_passing(enum err err)
{
	return err == ERR_BUSY || err == ERR_FULL || err == ERR_BEHIND ||
	       err == ERR_TIMEOUT || err == ERR_UNREACHABLE ||
	       err == ERR_RATE || err == ERR_DISK || err == ERR_SIGNERS;
}

/* Who is told when to come back does, within reason. */
static time_ms come_back(const struct refused *refused)
{
	struct wire_reader reader = wire_reader_of(refused->details);
	uint64_t wait = wire_read_uint(&reader, CLIENT_BACKOFF_MAX_MS);

	if (wire_read_end(&reader) != ERR_OK || wait == 0)
		return CLIENT_BUSY_MS;
	return (time_ms)wait;
}

static bool others_are_untried(
	const struct perch *client, const struct flight *flight)
{
	for (size_t i = 0; i < client->node_count; i++) {
		if (client->lines[i].state == PERCH_UP &&
			(flight->tried & UINT64_C(1) << i) == 0)
			return true;
	}
	return false;
}

bool flight_refused(struct perch *client, struct flight *flight,
	struct line *line, const struct refused *refused,
	struct perch_event *event, time_ms now)
{
	enum err err = err_of_word(refused->code, ERR_NOT_FOUND);
	struct perch_failure failure;

	if (flight->line != line->index)
		return false; /* it is asked elsewhere by now */
	if (refusal_is_passing(err)) {
		flight->passing = (uint8_t)err;
		flight_recall(client, flight, now + come_back(refused));
		return false;
	}
	if (flight->purpose == FLIGHT_FILL) {
		flight_end(client, flight);
		follow_refused(client, line, err, now);
		return false;
	}
	if (flight->purpose != FLIGHT_USER) {
		flight_own_failed(client, flight, err, now);
		return false;
	}
	/* What one has forgotten, another may have kept. */
	if (err == ERR_NOT_FOUND && !flight->evaluator &&
		(flight->diverted || !flight->pinned) &&
		others_are_untried(client, flight)) {
		flight_recall(client, flight, now);
		return false;
	}
	if (err == ERR_NOT_FOUND && flight->diverted &&
		answer_unproved(client, flight, line, event))
		return true;
	give_words(failure.code, sizeof(failure.code), refused->code);
	give_words(failure.text, sizeof(failure.text), refused->text);
	flight_failed(client, flight, err, &failure, true, event);
	return true;
}
