/* client/follow.c -- the stream: every final block, in order, verified.
 *
 * Subscribe first, then ask where the chain ends, then fill. What is published
 * only ever says "there is more": a block is handed out when it is the next
 * one, wherever it came from, and everything missing is asked for by height.
 * So the stream has no gap however many messages are lost.
 */
#include "client/follow.h"

#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"

enum { ASK_AGAIN_MS = 1000 };

static void stall(struct perch *client, enum err err, time_ms now)
{
	struct follow *follow = &client->follow;

	if (follow->err != err)
		follow->stalled = true;
	follow->err = err;
	follow->ask_at = now + ASK_AGAIN_MS;
}

/* ---- beginning and end ---- */

void perch_unfollow(struct perch *client)
{
	struct follow *follow = &client->follow;
	struct flight *flight = flight_find(client, follow->flight);
	uint8_t *buffer = follow->buffer;
	int publisher = follow->publisher;

	if (flight != NULL)
		flight_end(client, flight);
	memset(follow, 0, sizeof(*follow));
	follow->buffer = buffer;
	follow->publisher = -1;
	if (publisher >= 0) {
		enum err err = topic_connect(client, &client->lines[publisher]);

		(void)err; /* the user's hints come back or show a gap */
	}
}

enum perch_err perch_follow(
	struct perch *client, uint64_t from, const struct perch_hash *parent)
{
	struct follow *follow = &client->follow;

	if (client->node_count == 0)
		return PERCH_ERR_CONFIG;
	perch_unfollow(client);
	follow->on = true;
	follow->located = from > 0;
	follow->next = from;
	follow->has_parent = from == 1 || (from > 1 && parent != NULL);
	if (from == 1) /* ledger.cddl: of height 1, the network id */
		follow->parent = client->network;
	else if (follow->has_parent)
		memcpy(&follow->parent, parent, sizeof(follow->parent));
	return PERCH_OK;
}

/* ---- where it is published ---- */

static void publisher_next(struct perch *client, time_ms now)
{
	struct follow *follow = &client->follow;
	int before = follow->publisher;
	size_t first = before < 0 ? client->prefer : (size_t)before + 1;

	follow->publisher = -1;
	for (size_t i = 0; i < client->node_count; i++) {
		size_t index = (first + i) % client->node_count;
		struct line *line = &client->lines[index];

		if (line->node.publish[0] == '\0')
			continue;
		follow->publisher = (int)index;
		if (topic_connect(client, line) == ERR_OK)
			break;
		follow->publisher = -1;
	}
	if (before >= 0 && before != follow->publisher &&
		topic_connect(client, &client->lines[before]) != ERR_OK)
		client->lines[before].published_at = now;
	follow->published_at = now;
}

/* When the publisher, or its absence, has lasted too long. */
static time_ms publisher_deadline(const struct perch *client)
{
	const struct follow *follow = &client->follow;
	time_ms since = follow->published_at;

	if (follow->publisher >= 0 &&
		client->lines[follow->publisher].published_at > since)
		since = client->lines[follow->publisher].published_at;
	return since + CLIENT_SILENT_MS;
}

static void publisher_tick(struct perch *client, time_ms now)
{
	if (client->follow.published_at == 0 ||
		now >= publisher_deadline(client))
		publisher_next(client, now);
}

/* ---- the next block ---- */

/* Nodes that the blocks themselves bring in may propose the later ones. */
static void learn_nodes(struct perch *client, const struct perch_block *block)
{
	for (size_t i = 0; i < block->tx_count; i++) {
		struct perch_block_tx tx;
		struct perch_op op;

		if (!perch_block_tx_at(block, i, &tx) || tx.code != 0)
			continue;
		for (size_t j = 0; j < tx.op_count; j++) {
			struct key key;

			if (!perch_block_op_at(block, i, j, &op) ||
				op.kind != PERCH_OP_SET_NODE)
				break; /* such a change stands alone */
			memcpy(&key, &op.node.key, sizeof(key));
			if (op.outcome.code == 0)
				trust_add(client, &key);
		}
	}
}

static void block_fill(struct perch *client, const struct block_ref *ref,
	struct perch_block *out)
{
	out->chain = (unsigned)ref->header.chain;
	out->height = ref->header.height;
	give_hash(&out->hash, &ref->hash);
	give_hash(&out->parent, &ref->header.parent);
	out->time = (int64_t)ref->header.time;
	give_key(&out->proposer, &ref->header.proposer);
	give_hash(&out->state_root, &ref->header.state_root);
	out->tx_count = client->block->txs_count;
	out->bytes = ref->bytes.data;
	out->size = ref->bytes.size;
	out->final_height = client->follow.final;
}

/* Take bytes as the next block of the stream, if they are. */
static enum err stream_take(struct perch *client, struct view bytes,
	const struct view *after, size_t after_count, struct perch_event *event)
{
	struct follow *follow = &client->follow;
	struct perch_block *out = &client->answer->block;
	struct block_ref ref;
	enum err err = block_prove(
		client, &ref, client->block, bytes, after, after_count);

	if (err != ERR_OK)
		return err;
	/* It was published while the answer was on its way. */
	if (ref.header.height >= follow->asked_from &&
		ref.header.height < follow->next)
		return ERR_EXISTS;
	if (ref.header.height != follow->next)
		return ERR_PARENT;
	if (follow->has_parent &&
		!hash_equal(&ref.header.parent, &follow->parent))
		return ERR_PARENT;
	if ((time_ms)ref.header.time <= follow->parent_time)
		return ERR_TIME;
	follow->next++;
	follow->has_parent = true;
	follow->parent = ref.hash;
	follow->parent_time = (time_ms)ref.header.time;
	follow->err = ERR_OK;
	follow->peers_asked = false;
	block_fill(client, &ref, out);
	learn_nodes(client, out);
	event->type = PERCH_EVENT_BLOCK;
	event->node = follow->source;
	event->block = out;
	return ERR_OK;
}

static enum err ask(struct perch *client, enum flight_purpose purpose,
	uint8_t asks, uint8_t wants, size_t size, time_ms now)
{
	struct flight *flight;
	enum err err;

	CHECK(size > 0);
	err = flight_new(client, &flight, purpose, asks, wants,
		view_of(client->scratch, size));
	if (err != ERR_OK)
		return err;
	client->follow.flight = flight->id;
	flight->tried = client->follow.passed;
	flight_send(client, flight, now);
	return ERR_OK;
}

static enum err ask_head(struct perch *client, time_ms now)
{
	struct head_query query = {.chain = client->chain};

	return ask(client, FLIGHT_HEAD, MESSAGE_HEAD_QUERY, MESSAGE_HEAD,
		head_query_encode(client->scratch, BUS_FRAME_MAX, &query), now);
}

static enum err ask_blocks(struct perch *client, time_ms now)
{
	struct blocks_query query = {
		.chain = client->chain,
		.from = client->follow.next,
		.blocks_max = 256,
	};

	client->follow.asked_from = query.from;
	return ask(client, FLIGHT_FILL, MESSAGE_BLOCKS_QUERY, MESSAGE_BLOCKS,
		blocks_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		now);
}

/* A block was not what it must be. An unknown proposer may be a node that
 * joined after our list was made: the nodes are asked who they are, once. */
static void block_bad(struct perch *client, enum err err, time_ms now)
{
	struct follow *follow = &client->follow;

	follow->count = 0;
	if (err == ERR_KEY && !follow->peers_asked) {
		follow->peers_asked = true;
		err = trust_learn(client, &client->lines[follow->source], now);
		if (err == ERR_OK)
			return;
	}
	stall(client, err, now);
	line_distrust(client, &client->lines[follow->source], err,
		"it sent a block that does not hold; the next node is asked");
}

/* True: event is filled with a block from the last answer. */
static bool buffer_take(
	struct perch *client, struct perch_event *event, time_ms now)
{
	struct follow *follow = &client->follow;

	while (follow->at < follow->count) {
		const struct view *next = &follow->blocks[follow->at++];
		enum err err = stream_take(client, *next, next + 1,
			follow->count - follow->at, event);

		if (err == ERR_OK)
			return true;
		if (err == ERR_EXISTS)
			continue;
		block_bad(client, err, now);
	}
	follow->count = 0;
	follow->at = 0;
	return false;
}

bool follow_tick(struct perch *client, struct perch_event *event, time_ms now)
{
	struct follow *follow = &client->follow;
	enum err err = ERR_OK;

	if (!follow->on)
		return false;
	if (follow->stalled) {
		follow->stalled = false;
		event->type = PERCH_EVENT_STALLED;
		event->node = follow->source;
		event->err = (enum perch_err)follow->err;
		return true;
	}
	if (buffer_take(client, event, now))
		return true;
	publisher_tick(client, now);
	if (follow->flight != 0 || client->learning != 0 ||
		now < follow->ask_at)
		return false;
	if (follow->located && follow->next <= follow->final)
		err = ask_blocks(client, now);
	else if (now - follow->polled_at >= CLIENT_POLL_MS)
		err = ask_head(client, now);
	if (err != ERR_OK)
		stall(client, err, now);
	return follow->stalled && follow_tick(client, event, now);
}

time_ms follow_deadline(const struct perch *client)
{
	const struct follow *follow = &client->follow;
	time_ms at = INT64_MAX, silent;

	if (!follow->on)
		return INT64_MAX;
	if (follow->stalled || follow->at < follow->count)
		return 0;
	if (follow->flight == 0 && client->learning == 0) {
		at = follow->polled_at + CLIENT_POLL_MS;
		if (follow->located && follow->next <= follow->final)
			at = follow->ask_at;
		if (at < follow->ask_at)
			at = follow->ask_at;
	}
	silent = publisher_deadline(client);
	return silent < at ? silent : at;
}

/* ---- what it hears ---- */

void follow_hears(
	struct perch *client, unsigned chain, uint64_t height, time_ms now)
{
	struct follow *follow = &client->follow;

	if (!follow->on || chain != client->chain)
		return;
	/* Only what is new counts as hearing: a node that is cut off goes on
	 * publishing its heartbeat, and another one must be asked. */
	if (height <= follow->final)
		return;
	follow->final = height;
	if (follow->located)
		follow->polled_at = now;
}

void follow_suspects(struct perch *client, time_ms now)
{
	if (client->follow.on)
		client->follow.polled_at = now - CLIENT_POLL_MS;
}

enum err follow_published(struct perch *client, struct line *line,
	struct view body, struct perch_event *event, time_ms now)
{
	struct follow *follow = &client->follow;
	struct topic_block topic;
	enum err err = topic_block_decode(&topic, body);

	if (err != ERR_OK)
		return err;
	if (!follow->on || topic.chain != client->chain || topic.final != 1)
		return ERR_OK;
	follow_hears(client, (unsigned)topic.chain, topic.height, now);
	if (!follow->located || topic.height != follow->next ||
		follow->at < follow->count)
		return ERR_OK;
	follow->source = line->index;
	/* A bad one is not a stall: the good one is asked for by height. */
	return stream_take(client, topic.block, NULL, 0, event);
}

/* A node that is cut off says nothing new, for ever: each one in turn is asked
 * before it is asked again. */
static void nothing_new(struct follow *follow, const struct line *line)
{
	uint64_t bit = UINT64_C(1) << line->index;

	if (follow->passed & bit) /* nobody else was left */
		follow->passed = 0;
	follow->passed |= bit;
}

static enum err head_heard(struct perch *client, const struct line *line,
	struct view body, time_ms now)
{
	struct follow *follow = &client->follow;
	struct head *head = &client->decoded->head;
	enum err err = head_decode(head, body);

	if (err != ERR_OK)
		return err;
	if (head->chain != client->chain)
		return ERR_NETWORK;
	if (!follow->located) {
		follow->located = true;
		follow->next = head->final_height + 1;
		follow->has_parent = true;
		follow->parent = head->final_height == 0 ? client->network
							 : head->final_hash;
	}
	if (head->final_height < follow->next)
		nothing_new(follow, line);
	else if (head->final_height > follow->final && follow->final > 0)
		publisher_next(client, now); /* it should have told */
	follow_hears(client, client->chain, head->final_height, now);
	follow->polled_at = now;
	return ERR_OK;
}

static enum err blocks_heard(struct perch *client, const struct line *line,
	struct view body, time_ms now)
{
	struct follow *follow = &client->follow;
	struct blocks *blocks = &client->decoded->blocks;
	enum err err;

	/* Kept beside the stream: they are handed out one by one. */
	CHECK(body.size <= BUS_FRAME_MAX);
	memcpy(follow->buffer, body.data, body.size);
	err = blocks_decode(blocks, view_of(follow->buffer, body.size));
	if (err != ERR_OK)
		return err;
	if (blocks->chain != client->chain)
		return ERR_NETWORK;
	follow_hears(client, client->chain, blocks->final_height, now);
	memcpy(follow->blocks, blocks->blocks,
		blocks->blocks_count * sizeof(follow->blocks[0]));
	follow->count = blocks->blocks_count;
	follow->at = 0;
	follow->source = line->index;
	if (blocks->blocks_count == 0) {
		nothing_new(follow, line);
		follow->ask_at = now + CLIENT_BUSY_MS;
	}
	return ERR_OK;
}

enum err follow_answer(struct perch *client, struct line *line,
	const struct flight *flight, struct view body, time_ms now)
{
	client->follow.flight = 0;
	switch (flight->purpose) {
	case FLIGHT_USER:
	case FLIGHT_HOLD:
	case FLIGHT_PEERS:
		break;
	case FLIGHT_HEAD:
		return head_heard(client, line, body, now);
	case FLIGHT_FILL:
		return blocks_heard(client, line, body, now);
	}
	return ERR_TYPE;
}

void follow_failed(struct perch *client, enum err err, time_ms now)
{
	client->follow.flight = 0;
	stall(client, err, now);
}

void follow_refused(struct perch *client, const struct line *line, enum err err,
	time_ms now)
{
	bool again = (client->follow.passed & UINT64_C(1) << line->index) != 0;

	client->follow.flight = 0;
	nothing_new(&client->follow, line);
	if (again) /* everybody was asked */
		stall(client, err, now);
}
