/* client/line.c -- one DEALER to one node, from hello to farewell.
 *
 * ZeroMQ reconnects by itself, but a node knows nobody who has not said hello
 * on this very connection. So a line that fails in any way is thrown away
 * whole and made anew, and hello is the first thing on it.
 */
#include "client/line.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"
#include "ledger/envelope.h"

static struct key line_key(const struct line *line)
{
	struct key key;

	memcpy(&key, &line->node.key, sizeof(key));
	return key;
}

static time_ms backoff_next(time_ms backoff)
{
	time_ms next = 2 * backoff;

	return next > CLIENT_BACKOFF_MAX_MS ? CLIENT_BACKOFF_MAX_MS : next;
}

void line_fail(
	struct perch *client, struct line *line, enum err err, const char *why)
{
	time_ms now = clock_monotonic();

	if (line->state == PERCH_UP || line->err != err)
		line->news = true;
	if (line->request != NULL)
		bus_drop(client->bus, &line->request);
	line->state = PERCH_DOWN;
	line->err = err;
	snprintf(line->why, sizeof(line->why), "%s",
		why != NULL ? why : err_text(err));
	line->since = now;
	client->look_at = now; /* it may have been the last hope */
	line->retry_at = now + line->backoff;
	line->backoff = backoff_next(line->backoff);
	for (unsigned i = 0; i < client->slots; i++) {
		struct flight *flight = &client->flights[i];

		if (flight->id != 0 && flight->line == line->index)
			flight_recall(client, flight, now);
	}
}

void line_distrust(
	struct perch *client, struct line *line, enum err err, const char *why)
{
	line->backoff = CLIENT_BACKOFF_MAX_MS;
	line->doubted_until = clock_monotonic() + CLIENT_DOUBT_MS;
	line_fail(client, line, err, why);
}

void line_want(struct perch *client, struct line *line)
{
	struct key key = line_key(line);
	enum err err;

	if (line->state == PERCH_CONNECTING || line->state == PERCH_UP)
		return;
	err = bus_connect(client->bus, &line->request, BUS_REQUEST_CLIENT,
		line->node.request, &key);
	if (err != ERR_OK) {
		line_fail(client, line, err, NULL);
		return;
	}
	line->state = PERCH_CONNECTING;
	line->greeted = false;
	line->since = clock_monotonic();
	line->hello_id = flight_id(client, UINT16_MAX);
}

/* The request id is 8 bytes that only its asker reads. */
static enum err hello_send(struct perch *client, struct line *line)
{
	struct hello hello = {
		.protocol = PROTOCOL_VERSION,
		.release = view_text(PERCH_RELEASE),
		.network = client->network,
		.key = client->pair.key,
	};
	uint8_t frame[HELLO_BYTES_MAX + 128];
	struct view frames[2];
	size_t size = hello_encode(client->scratch, HELLO_BYTES_MAX, &hello);

	CHECK(size > 0);
	size = envelope_seal(frame, sizeof(frame), MESSAGE_HELLO,
		view_of(client->scratch, size), &client->pair,
		&client->network);
	CHECK(size > 0);
	frames[0] = view_of(&line->hello_id, sizeof(line->hello_id));
	frames[1] = view_of(frame, size);
	return bus_send(line->request, frames, 2);
}

/* Which of the two ends gave up, and the name of it. */
static void give_up(struct perch *client, struct line *line)
{
	switch (bus_link_state(line->request)) {
	case BUS_LINK_DOWN:
		line_fail(client, line, ERR_UNREACHABLE,
			"nobody listens there; is the node running, and its "
			"address right?");
		return;
	case BUS_LINK_UP:
		line_fail(client, line, ERR_TIMEOUT,
			"connected, but hello is not answered; is the node "
			"stopped or overloaded?");
		return;
	case BUS_LINK_REFUSED:
		line_fail(client, line, ERR_ROLE,
			"it does not admit this key; ask the authority to "
			"enrol it");
		return;
	case BUS_LINK_STRANGE:
		line->strange++;
		line_fail(client, line, ERR_KEY,
			"who listens there does not shake hands: it has "
			"another key, is no node of Perch, or is stopped; "
			"correct the address or the key");
		return;
	}
}

static void connecting_tick(
	struct perch *client, struct line *line, time_ms now)
{
	enum bus_link state = bus_link_state(line->request);

	if (now - line->since >= CLIENT_HELLO_MS || state > BUS_LINK_UP ||
		(line->greeted && state != BUS_LINK_UP)) {
		give_up(client, line);
		return;
	}
	if (!line->greeted && state == BUS_LINK_UP)
		line->greeted = hello_send(client, line) == ERR_OK;
}

static void up_tick(struct perch *client, struct line *line)
{
	if (bus_link_state(line->request) != BUS_LINK_UP)
		line_fail(client, line, ERR_UNREACHABLE,
			"the connection was lost; is the node down?");
}

/* Enough nodes are connected, those preferred first. */
static void connect_more(struct perch *client)
{
	unsigned live = 0;

	for (size_t i = 0; i < client->node_count; i++) {
		enum perch_link state = client->lines[i].state;

		if (state == PERCH_CONNECTING || state == PERCH_UP)
			live++;
	}
	for (size_t i = 0; i < client->node_count; i++) {
		size_t index = (client->prefer + i) % client->node_count;
		struct line *line = &client->lines[index];

		if (live >= client->lines_max)
			return;
		if (line->state != PERCH_IDLE)
			continue;
		line_want(client, line);
		live++;
	}
}

void lines_tick(struct perch *client, time_ms now)
{
	connect_more(client);
	for (size_t i = 0; i < client->line_count; i++) {
		struct line *line = &client->lines[i];

		switch (line->state) {
		case PERCH_IDLE:
			break;
		case PERCH_UP:
			up_tick(client, line);
			break;
		case PERCH_CONNECTING:
			connecting_tick(client, line, now);
			break;
		case PERCH_DOWN:
			if (now >= line->retry_at)
				line_want(client, line);
			break;
		}
	}
}

time_ms lines_deadline(const struct perch *client)
{
	time_ms deadline = INT64_MAX;

	for (size_t i = 0; i < client->line_count; i++) {
		const struct line *line = &client->lines[i];
		time_ms at = INT64_MAX;

		if (line->state == PERCH_CONNECTING)
			at = line->since + CLIENT_HELLO_MS;
		else if (line->state == PERCH_DOWN)
			at = line->retry_at;
		if (at < deadline)
			deadline = at;
	}
	return deadline;
}

static void greeting_refused(
	struct perch *client, struct line *line, struct view body)
{
	struct refused refused;
	char why[PERCH_WHY_MAX], code[PERCH_NAME_MAX + 1], text[301];
	enum err err = refused_decode(&refused, body);

	if (err != ERR_OK) {
		line_fail(client, line, err, NULL);
		return;
	}
	give_words(code, sizeof(code), refused.code);
	give_words(text, sizeof(text), refused.text);
	snprintf(why, sizeof(why), "%s: %.200s", code, text);
	err = err_of_word(refused.code, ERR_UNREACHABLE);
	line_fail(client, line, err, why);
}

static enum err greeting_check(const struct perch *client,
	const struct line *line, const struct hello *hello)
{
	struct key key = line_key(line);

	if (hello->protocol != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (!hash_equal(&hello->network, &client->network))
		return ERR_NETWORK;
	if (!key_equal(&hello->key, &key))
		return ERR_KEY;
	return ERR_OK;
}

void line_greeted(struct perch *client, struct line *line,
	const struct envelope *envelope, time_ms now)
{
	struct hello hello;
	enum err err;

	line->strange = 0;
	if (envelope->type == MESSAGE_REFUSED) {
		greeting_refused(client, line, envelope->body);
		return;
	}
	err = envelope->type == MESSAGE_HELLO
		      ? hello_decode(&hello, envelope->body)
		      : ERR_TYPE;
	if (err == ERR_OK)
		err = greeting_check(client, line, &hello);
	if (err != ERR_OK) {
		line_fail(client, line, err, NULL);
		return;
	}
	give_words(line->release, sizeof(line->release), hello.release);
	line->state = PERCH_UP;
	line->err = ERR_OK;
	line->why[0] = '\0';
	line->since = now;
	line->heard_at = now;
	line->backoff = CLIENT_BACKOFF_MIN_MS;
	line->news = true;
	client->look_at = now; /* flights may be waiting for this */
}

/* The node that is preferred is about to come up: worth a moment. */
static bool preferred_is_near(
	struct perch *client, const struct flight *flight, time_ms now)
{
	const struct line *line = &client->lines[client->prefer];
	time_ms until = line->since + CLIENT_PREFER_MS;

	if (flight->tried != 0 || flight->evaluator || flight->pinned ||
		line->state != PERCH_CONNECTING || now >= until ||
		line->err != ERR_OK)
		return false;
	if (until < client->look_at)
		client->look_at = until;
	return true;
}

struct line *line_choose(
	struct perch *client, struct flight *flight, time_ms now)
{
	struct line *up = NULL, *fresh = NULL;

	if (preferred_is_near(client, flight, now))
		return NULL;
	if (flight->pinned || flight->evaluator) {
		struct line *line =
			&client->lines[flight->evaluator
					       ? (int)client->node_count
					       : flight->pin];

		return line->state == PERCH_UP ? line : NULL;
	}
	for (size_t i = 0; i < client->node_count; i++) {
		size_t index = (client->prefer + i) % client->node_count;
		struct line *line = &client->lines[index];
		bool tried = (flight->tried & (UINT64_C(1) << index)) != 0;

		if (line->state != PERCH_UP)
			continue;
		if (up == NULL)
			up = line;
		if (!tried && fresh == NULL)
			fresh = line;
		if (!tried && now >= line->doubted_until)
			return line;
	}
	if (fresh == NULL)
		flight->tried = 0; /* all were tried: begin again */
	return fresh != NULL ? fresh : up;
}

/* It said no before anything was asked; not the one whose answer did not hold,
 * nor who did not shake hands once: a busy machine may stop it for a second. */
static bool turned_away(const struct line *line)
{
	return line->state == PERCH_DOWN &&
	       line->doubted_until <= line->since &&
	       (line->err == ERR_NETWORK || line->err == ERR_VERSION ||
		       line->err == ERR_ROLE ||
		       (line->err == ERR_KEY &&
			       (line->strange == 0 ||
				       line->strange >= CLIENT_STRANGE_MAX)));
}

bool line_none_will_do(const struct perch *client, const struct flight *flight)
{
	if (flight->evaluator)
		return turned_away(&client->lines[client->node_count]);
	if (flight->pinned)
		return turned_away(&client->lines[flight->pin]);
	for (size_t i = 0; i < client->node_count; i++) {
		if (!turned_away(&client->lines[i]))
			return false;
	}
	return true;
}
