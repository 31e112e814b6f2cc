/* tests/fake/fake.c -- a node's request and publish sockets. */
#include "fake/fake.h"

#include <string.h>

#include "base/check.h"
#include "fake/inside.h"
#include "gen/topic.h"
#include "ledger/envelope.h"

static bool admits(void *context, enum bus_kind kind, const struct key *known)
{
	const struct fake *fake = context;

	(void)kind;
	(void)known;
	return !fake->refuses_all;
}

void fake_start(struct fake *fake, struct fake_chain *chain, uint8_t seed)
{
	uint8_t bytes[32] = {0x66, seed};
	enum err err;

	memset(fake, 0, sizeof(*fake));
	fake->chain = chain;
	fake->boot = 1000u + seed;
	keypair_from_seed(&fake->pair, bytes);
	err = bus_open(&fake->bus, &fake->pair);
	CHECK(err == ERR_OK);
	bus_set_admission(fake->bus, admits, fake);
	err = bus_bind(fake->bus, &fake->request, BUS_REQUEST_SERVER,
		"tcp://127.0.0.1:*", fake->request_at);
	CHECK(err == ERR_OK);
	err = bus_bind(fake->bus, &fake->publish, BUS_PUBLISH,
		"tcp://127.0.0.1:*", fake->publish_at);
	CHECK(err == ERR_OK);
}

void fake_stop(struct fake *fake)
{
	bus_close(&fake->bus);
}

/* ---- answers ---- */

void fake_answer(struct fake *fake, const struct bus_message *to,
	enum message_type type, struct view body)
{
	static uint8_t frame[BUS_FRAME_MAX];
	struct view frames[2] = {to->frames[0]};
	size_t size = envelope_seal(frame, sizeof(frame), type, body,
		&fake->pair, &fake->chain->network);

	CHECK(size > 0);
	if (fake->lie == FAKE_GARBAGE && type != MESSAGE_HELLO)
		frame[0] ^= 0x10;
	frames[1] = view_of(frame, size);
	if (bus_answer(fake->request, to, frames, 2) != ERR_OK)
		return; /* it has gone */
}

void fake_refuse(struct fake *fake, const struct bus_message *to,
	const char *code, const char *text)
{
	uint8_t body[REFUSED_BYTES_MAX];
	struct refused refused = {
		.code = view_text(code),
		.text = view_text(text),
	};
	size_t size = refused_encode(body, sizeof(body), &refused);

	fake_answer(fake, to, MESSAGE_REFUSED, view_of(body, size));
}

static void answer_hello(struct fake *fake, const struct bus_message *to)
{
	uint8_t body[HELLO_BYTES_MAX];
	struct hello hello = {
		.protocol = PROTOCOL_VERSION,
		.release = view_text("0.1.0"),
		.network = fake->chain->network,
		.key = fake->pair.key,
	};
	size_t size;

	switch (fake->hello) {
	case FAKE_HELLO_GOOD:
		break;
	case FAKE_HELLO_NETWORK:
		hello.network.bytes[0] ^= 1;
		break;
	case FAKE_HELLO_VERSION:
		hello.protocol = PROTOCOL_VERSION + 1;
		break;
	case FAKE_HELLO_KEY:
		hello.key = fake->chain->stranger.key;
		break;
	case FAKE_HELLO_REFUSED:
		fake_refuse(fake, to, "network", "this is another one");
		return;
	case FAKE_HELLO_NONE:
		return;
	}
	size = hello_encode(body, sizeof(body), &hello);
	fake_answer(fake, to, MESSAGE_HELLO, view_of(body, size));
}

static void step_one(struct fake *fake, const struct bus_message *message)
{
	struct envelope envelope;
	enum err err;

	CHECK(message->frame_count == 2 && message->frames[0].size == 8);
	err = envelope_open(
		&envelope, message->frames[1], &fake->chain->network);
	CHECK(err == ERR_OK);
	fake->seen[envelope.type]++;
	if (envelope.type == MESSAGE_HELLO) {
		answer_hello(fake, message);
		return;
	}
	if (fake->mute)
		return;
	if (fake->refusal != NULL)
		fake_refuse(fake, message, fake->refusal, "says the fake");
	else
		fake_answer_request(fake, message, &envelope);
}

void fake_step(struct fake *fake, time_ms timeout_ms)
{
	struct bus_socket *sockets[] = {fake->request};
	struct bus_message message;
	bool ready[1], unused;

	bus_wait(fake->bus, sockets, ready, 1, -1, &unused, timeout_ms);
	while (bus_receive(fake->request, &message) == ERR_OK)
		step_one(fake, &message);
}

/* ---- published ---- */

static void big_endian(uint8_t *out, uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static void publish(struct fake *fake, const char *topic, size_t number,
	enum message_type type, struct view body)
{
	static uint8_t frame[BUS_FRAME_MAX];
	uint8_t sequence[16];
	size_t size = envelope_seal(frame, sizeof(frame), type, body,
		&fake->pair, &fake->chain->network);
	struct view frames[3] = {
		view_text(topic),
		view_of(sequence, sizeof(sequence)),
		view_of(frame, size),
	};

	CHECK(size > 0);
	big_endian(sequence, fake->boot);
	big_endian(sequence + 8, ++fake->counters[number]);
	if (fake->drops_published)
		return;
	if (bus_send(fake->publish, frames, 3) != ERR_OK)
		return; /* nobody listens */
}

void fake_publish_block(struct fake *fake, uint64_t height)
{
	static uint8_t body[BUS_FRAME_MAX];
	struct topic_block topic = {
		.height = height,
		.hash = fake->chain->blocks[height].hash,
		.final = 1,
		.block = view_of(fake->chain->blocks[height].bytes,
			fake->chain->blocks[height].size),
	};
	size_t size = topic_block_encode(body, sizeof(body), &topic);

	CHECK(size > 0);
	publish(fake, "block", 0, MESSAGE_TOPIC_BLOCK, view_of(body, size));
}

void fake_publish_status(struct fake *fake)
{
	uint8_t body[STATUS_BYTES_MAX];
	struct status status;
	size_t size;

	fake_status(fake, &status);
	size = status_encode(body, sizeof(body), &status);
	CHECK(size > 0);
	publish(fake, "status", 1, MESSAGE_STATUS, view_of(body, size));
}

void fake_publish_chain(struct fake *fake, uint64_t event, uint64_t height,
	const struct hash *hash)
{
	uint8_t body[TOPIC_CHAIN_BYTES_MAX];
	struct topic_chain topic = {
		.event = event, .height = height, .hash = *hash};
	size_t size = topic_chain_encode(body, sizeof(body), &topic);

	CHECK(size > 0);
	publish(fake, "chain", 2, MESSAGE_TOPIC_CHAIN, view_of(body, size));
}
