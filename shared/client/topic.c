/* client/topic.c -- what nodes publish: checked, counted, and told as hints.
 *
 * A published message is signed, but whether it arrives is luck: PUB drops what
 * a slow subscriber does not take and says nothing. So each topic of each
 * publisher is counted, and a gap is told. Blocks are not told from here: they
 * only wake the stream (follow.c), which asks for what it missed.
 */
#include <string.h>

#include "client/inside.h"
#include "clock/clock.h"
#include "ledger/envelope.h"

enum { SEQUENCE_SIZE = 16 };

/* Bit 0 of the topics of a line is status: everybody needs the heartbeat. The
 * last one is the stream's own. */
enum { TOPIC_BLOCKS = 16 };

static const struct {
	const char *name;
	unsigned bit;
	uint8_t type;
} topics[LINE_TOPICS] = {
	{"status", PERCH_TOPIC_STATUS, MESSAGE_STATUS},
	{"tx", PERCH_TOPIC_TX, MESSAGE_TOPIC_TX},
	{"slot", PERCH_TOPIC_SLOT, MESSAGE_TOPIC_SLOT},
	{"chain", PERCH_TOPIC_CHAIN, MESSAGE_TOPIC_CHAIN},
	{"block", TOPIC_BLOCKS, MESSAGE_TOPIC_BLOCK},
};

static enum err publisher_connect(struct perch *client, struct line *line)
{
	struct key key;

	if (line->node.publish[0] == '\0')
		return ERR_CONFIG;
	memcpy(&key, &line->node.key, sizeof(key));
	return bus_connect(client->bus, &line->publish, BUS_SUBSCRIBE,
		line->node.publish, &key);
}

enum err topic_connect(struct perch *client, struct line *line)
{
	unsigned wanted = line->topics;
	enum err err = ERR_OK;

	if (client->follow.on && client->follow.publisher == line->index)
		wanted |= TOPIC_BLOCKS | PERCH_TOPIC_STATUS;
	if (client->hold_line == line->index)
		wanted |= PERCH_TOPIC_CHAIN;
	/* To begin a connection anew would lose what is published meanwhile. */
	if (line->publish != NULL && wanted == 0)
		bus_drop(client->bus, &line->publish);
	if (line->publish == NULL) {
		line->subscribed = 0;
		line->published_at = clock_monotonic();
		if (wanted != 0)
			err = publisher_connect(client, line);
	}
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < LINE_TOPICS; i++) {
		if (wanted & ~line->subscribed & topics[i].bit)
			bus_subscribe(line->publish, topics[i].name);
		if (line->subscribed & ~wanted & topics[i].bit &&
			line->publish != NULL)
			bus_unsubscribe(line->publish, topics[i].name);
	}
	line->subscribed = wanted;
	return ERR_OK;
}

enum perch_err perch_subscribe(
	struct perch *client, size_t node, unsigned wanted)
{
	struct line *line;
	unsigned before;
	enum err err;

	if (node >= client->node_count)
		return PERCH_ERR_NOT_FOUND;
	line = &client->lines[node];
	before = line->topics;
	line->topics = wanted & (TOPIC_BLOCKS - 1);
	err = topic_connect(client, line);
	if (err != ERR_OK)
		line->topics = before;
	return (enum perch_err)err;
}

/* ---- the sequence ---- */

static uint64_t big_endian(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Messages lost before this one: see perch_event.lost. */
static uint64_t sequence_next(struct sequence *sequence, const uint8_t *bytes)
{
	uint64_t boot = big_endian(bytes), counter = big_endian(bytes + 8);
	uint64_t lost = 0;

	if (sequence->heard && sequence->boot != boot)
		lost = UINT64_MAX;
	else if (sequence->heard && counter > sequence->counter + 1)
		lost = counter - sequence->counter - 1;
	sequence->heard = true;
	sequence->boot = boot;
	sequence->counter = counter;
	return lost;
}

/* ---- messages ---- */

static enum err read_tx(struct perch *client, struct view body)
{
	struct topic_tx *in = &client->decoded->topic_tx;
	struct perch_tx_hint *out = &client->answer->tx_hint;
	enum err err = topic_tx_decode(in, body);

	if (err != ERR_OK)
		return err;
	out->chain = (unsigned)in->chain;
	out->count = in->steps_count;
	for (size_t i = 0; i < in->steps_count; i++) {
		const struct tx_step *step = &in->steps[i];

		give_key(&out->steps[i].wallet, &step->wallet);
		give_id(&out->steps[i].id, &step->id);
		out->steps[i].status = (enum perch_status)step->status;
		out->steps[i].height = step->height;
		out->steps[i].code = (uint8_t)step->code;
	}
	return ERR_OK;
}

static enum err read_slot(struct perch *client, struct view body)
{
	struct topic_slot *in = &client->decoded->topic_slot;
	struct perch_slot_hint *out = &client->answer->slot_hint;
	enum err err = topic_slot_decode(in, body);

	if (err != ERR_OK)
		return err;
	out->chain = (unsigned)in->chain;
	out->height = in->height;
	out->time = (int64_t)in->time;
	out->count = in->moves_count;
	for (size_t i = 0; i < in->moves_count; i++)
		give_move(&out->moves[i], &in->moves[i]);
	return ERR_OK;
}

static enum err read_chain(struct perch *client, const struct line *line,
	struct view body, time_ms now)
{
	struct topic_chain in;
	struct perch_chain_hint *out = &client->answer->chain_hint;
	enum err err = topic_chain_decode(&in, body);

	if (err != ERR_OK)
		return err;
	hold_hears(client, line, &in, now);
	out->chain = (unsigned)in.chain;
	out->event = (int)in.event;
	out->height = in.height;
	give_hash(&out->hash, &in.hash);
	give_hash(&out->parent, &in.parent);
	return ERR_OK;
}

/* The heartbeat also says how far the chains have come. */
static enum err read_heartbeat(
	struct perch *client, struct view body, time_ms now)
{
	struct status *in = &client->decoded->status;
	enum err err = status_decode(in, body);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < in->chains_count; i++)
		follow_hears(client, (unsigned)in->chains[i].chain,
			in->chains[i].final_height, now);
	give_status(&client->answer->status, in);
	return ERR_OK;
}

/* The message of a topic as an event, if the user asked for that topic. */
static enum err topic_tell(struct perch *client, struct line *line,
	uint8_t type, struct view body, struct perch_event *event, time_ms now)
{
	enum perch_event_type told = PERCH_EVENT_NONE;
	unsigned bit = 0;
	enum err err = ERR_TYPE;

	switch (type) {
	case MESSAGE_STATUS:
		err = read_heartbeat(client, body, now);
		bit = PERCH_TOPIC_STATUS;
		told = PERCH_EVENT_HINT_STATUS;
		break;
	case MESSAGE_TOPIC_TX:
		err = read_tx(client, body);
		bit = PERCH_TOPIC_TX;
		told = PERCH_EVENT_HINT_TX;
		break;
	case MESSAGE_TOPIC_SLOT:
		err = read_slot(client, body);
		bit = PERCH_TOPIC_SLOT;
		told = PERCH_EVENT_HINT_SLOT;
		break;
	case MESSAGE_TOPIC_CHAIN:
		err = read_chain(client, line, body, now);
		bit = PERCH_TOPIC_CHAIN;
		told = PERCH_EVENT_HINT_CHAIN;
		break;
	case MESSAGE_TOPIC_BLOCK:
		return follow_published(client, line, body, event, now);
	}
	if (err != ERR_OK || (line->topics & bit) == 0)
		return err;
	event->type = told;
	event->fate = &client->answer->fate; /* all members begin there */
	return ERR_OK;
}

/* The topic of a message, or LINE_TOPICS. */
static size_t topic_of(struct view name, uint64_t type)
{
	for (size_t i = 0; i < LINE_TOPICS; i++) {
		if (view_equal(name, view_text(topics[i].name)))
			return topics[i].type == type ? i : LINE_TOPICS;
	}
	return LINE_TOPICS;
}

static enum err message_open(const struct perch *client,
	const struct line *line, const struct bus_message *message,
	struct envelope *out, size_t *topic)
{
	struct key key;
	enum err err;

	if (message->frame_count != 3 ||
		message->frames[1].size != SEQUENCE_SIZE)
		return ERR_LENGTH;
	err = envelope_open(out, message->frames[2], &client->network);
	if (err != ERR_OK)
		return err;
	memcpy(&key, &line->node.key, sizeof(key));
	if (!key_equal(&out->sender, &key))
		return ERR_KEY;
	*topic = topic_of(message->frames[0], out->type);
	return *topic < LINE_TOPICS ? ERR_OK : ERR_TYPE;
}

bool topic_read(struct perch *client, struct line *line,
	const struct bus_message *message, struct perch_event *event,
	time_ms now)
{
	struct envelope envelope;
	size_t topic;
	enum err err = message_open(client, line, message, &envelope, &topic);

	if (err != ERR_OK) {
		line->hint_err = err;
		return false;
	}
	event->node = line->index;
	line->published_at = now;
	event->lost =
		sequence_next(&line->sequences[topic], message->frames[1].data);
	if (topics[topic].bit == TOPIC_BLOCKS && event->lost > 0)
		follow_suspects(client, now);
	if (topics[topic].bit == PERCH_TOPIC_CHAIN && event->lost > 0)
		hold_suspects(client, line, now);
	err = topic_tell(client, line, (uint8_t)envelope.type, envelope.body,
		event, now);
	if (err != ERR_OK)
		line->hint_err = err;
	return event->type != PERCH_EVENT_NONE;
}
