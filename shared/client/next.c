/* client/next.c -- the next event: what time brings, what the stream holds,
 * what has arrived; and then a wait for more.
 */
#include <string.h>

#include "base/check.h"
#include "client/host.h"
#include "client/inside.h"
#include "clock/clock.h"
#include "ledger/envelope.h"

static void event_clear(struct perch_event *event)
{
	memset(event, 0, sizeof(*event));
	event->type = PERCH_EVENT_NONE;
	event->node = PERCH_EVALUATOR;
}

static bool news_tick(struct perch *client, struct perch_event *event)
{
	for (size_t i = 0; i < client->line_count; i++) {
		struct line *line = &client->lines[i];

		if (!line->news)
			continue;
		line->news = false;
		event->type = PERCH_EVENT_NODE;
		event->node = i < client->node_count ? (int)i : PERCH_EVALUATOR;
		event->err = (enum perch_err)line->err;
		return true;
	}
	return false;
}

/* An answer to a flight; its sender is left when it makes no sense. */
static bool answer_arrives(struct perch *client, struct line *line, uint64_t id,
	const struct envelope *envelope, struct perch_event *event, time_ms now)
{
	struct flight *flight = flight_find(client, id);
	struct refused refused;
	bool told = false;
	enum err err = ERR_TYPE;

	if (flight == NULL)
		return false; /* late: it was answered by another */
	if (envelope->type == MESSAGE_REFUSED) {
		err = refused_decode(&refused, envelope->body);
		if (err == ERR_OK)
			return flight_refused(
				client, flight, line, &refused, event, now);
	} else if (envelope->type == flight->wants &&
		   flight->purpose == FLIGHT_PEERS) {
		err = trust_answer(client, envelope->body);
		flight_end(client, flight);
		trust_learned(client, now);
	} else if (envelope->type == flight->wants &&
		   flight->purpose == FLIGHT_HOLD) {
		err = hold_answer(client, flight, line, envelope->body, event,
			&told, now);
	} else if (envelope->type == flight->wants &&
		   flight->purpose != FLIGHT_USER) {
		err = follow_answer(client, line, flight, envelope->body, now);
		flight_end(client, flight);
	} else if (envelope->type == flight->wants) {
		err = answer_read(
			client, flight, line, envelope->body, event, &told);
		if (err == ERR_KEY && trust_put_off(client, flight, line, now))
			return false;
	}
	if (err != ERR_OK)
		line_distrust(client, line, err,
			"its answer does not hold; the next node is asked");
	return told;
}

static bool request_read(struct perch *client, struct line *line,
	const struct bus_message *message, struct perch_event *event,
	time_ms now)
{
	struct envelope envelope;
	struct key key;
	uint64_t id;
	enum err err;

	line->heard_at = now;
	memcpy(&key, &line->node.key, sizeof(key));
	err = message->frame_count == 2 && message->frames[0].size == sizeof(id)
		      ? envelope_open(
				&envelope, message->frames[1], &client->network)
		      : ERR_LENGTH;
	if (err == ERR_OK && !key_equal(&envelope.sender, &key))
		err = ERR_KEY;
	if (err != ERR_OK) {
		line_distrust(client, line, err,
			"what it sends makes no sense; the next node is asked");
		return false;
	}
	memcpy(&id, message->frames[0].data, sizeof(id));
	if (line->state == PERCH_CONNECTING) {
		if (id == line->hello_id)
			line_greeted(client, line, &envelope, now);
		return false;
	}
	return answer_arrives(client, line, id, &envelope, event, now);
}

/* What has arrived, one message of each line after the other, until one of
 * them is an event. */
static bool arrivals(
	struct perch *client, struct perch_event *event, time_ms now)
{
	struct bus_message message;

	for (size_t i = 0; i < client->line_count; i++) {
		size_t index = (client->turn + i) % client->line_count;
		struct line *line = &client->lines[index];
		enum err err = ERR_OK;
		bool told = false;

		while (!told && err == ERR_OK && line->request != NULL) {
			err = bus_receive(line->request, &message);
			if (err == ERR_OK)
				told = request_read(
					client, line, &message, event, now);
		}
		if (err == ERR_LENGTH)
			line_distrust(client, line, ERR_LENGTH,
				"it sends too many frames");
		err = ERR_OK;
		while (!told && err != ERR_TIMEOUT && line->publish != NULL) {
			err = bus_receive(line->publish, &message);
			if (err == ERR_OK)
				told = topic_read(
					client, line, &message, event, now);
		}
		if (told) {
			client->turn = index + 1;
			return true;
		}
	}
	return false;
}

static time_ms earliest(time_ms a, time_ms b)
{
	return a < b ? a : b;
}

/* Until something arrives or is due. True: the user's descriptor is ready. */
static bool wait_for_more(struct perch *client, time_ms now, time_ms until)
{
	struct bus_socket *sockets[2 * CLIENT_LINES_MAX + 1];
	bool ready[2 * CLIENT_LINES_MAX + 1];
	bool woken = false;
	size_t count = 0;
	time_ms at = earliest(until, client->look_at);

	at = earliest(at, lines_deadline(client));
	at = earliest(at, follow_deadline(client));
	at = earliest(at, hold_deadline(client));
	for (size_t i = 0; i < client->line_count; i++) {
		struct line *line = &client->lines[i];

		if (line->request != NULL)
			sockets[count++] = line->request;
		if (line->publish != NULL)
			sockets[count++] = line->publish;
	}
	if (client->wake_socket != NULL)
		sockets[count++] = client->wake_socket;
	bus_wait(client->bus, sockets, ready, count, client->wake_fd, &woken,
		at == INT64_MAX ? -1
		: at > now      ? at - now
				: 0);
	return woken || (client->wake_socket != NULL && ready[count - 1]);
}

struct bus *perch_bus(const struct perch *client)
{
	return client->bus;
}

void perch_wake_on_socket(struct perch *client, struct bus_socket *socket)
{
	client->wake_socket = socket;
}

bool perch_next(
	struct perch *client, struct perch_event *event, int64_t timeout_ms)
{
	time_ms now = clock_monotonic();
	time_ms until = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;
	bool waited = false;

	event_clear(event);
	for (;;) {
		lines_tick(client, now);
		hold_tick(client, now);
		if (news_tick(client, event) ||
			flights_tick(client, event, now) ||
			follow_tick(client, event, now) ||
			arrivals(client, event, now))
			return true;
		if (waited && now >= until)
			return false;
		if (wait_for_more(client, now, until)) {
			event->type = PERCH_EVENT_WAKE;
			return true;
		}
		waited = true;
		now = clock_monotonic();
	}
}

static bool is_answer(const struct perch_event *event)
{
	return event->request != 0;
}

enum perch_err perch_wait(
	struct perch *client, uint64_t request, struct perch_event *event)
{
	if (client->in_flight != 1)
		return client->in_flight == 0 ? PERCH_ERR_NOT_FOUND
					      : PERCH_ERR_IN_USE;
	client->hold_waits = true;
	do
		perch_next(client, event, -1);
	while (event->type != PERCH_EVENT_WAKE &&
		(!is_answer(event) || event->request != request));
	client->hold_waits = false;
	return event->type == PERCH_EVENT_WAKE ? PERCH_ERR_TIMEOUT : PERCH_OK;
}
