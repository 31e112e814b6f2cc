/* service/fetch.c -- one chunk is asked for at a time. */
#include "service/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gen/request.h"
#include "ledger/envelope.h"

static enum err ask(struct fetch *fetch, const struct keypair *self,
	const struct hash *network, time_ms now)
{
	struct state_query query = {
		.chain = fetch->chain,
		.height = fetch->height,
		.offset = fetch->got,
	};
	uint8_t body[64], bytes[256];
	size_t size = state_query_encode(body, sizeof(body), &query);
	CHECK(size > 0);
	size = envelope_seal(bytes, sizeof(bytes), MESSAGE_STATE_QUERY,
		view_of(body, size), self, network);
	CHECK(size > 0);
	fetch->request++;
	fetch->deadline = now + FETCH_TIMEOUT_MS;
	struct view frames[2] = {
		view_of(&fetch->request, sizeof(fetch->request)),
		view_of(bytes, size),
	};
	return bus_send(fetch->socket, frames, 2);
}

void fetch_stop(struct fetch *fetch, struct bus *bus)
{
	if (fetch->socket != NULL)
		bus_drop(bus, &fetch->socket);
	free(fetch->bytes);
	memset(fetch, 0, sizeof(*fetch));
}

enum err fetch_start(struct fetch *fetch, struct bus *bus,
	const struct keypair *self, const struct hash *network,
	const char *endpoint, const struct key *peer, uint8_t chain,
	uint64_t task, uint64_t height, time_ms now)
{
	fetch_stop(fetch, bus);
	enum err err = bus_connect(
		bus, &fetch->socket, BUS_REQUEST_CLIENT, endpoint, peer);
	if (err != ERR_OK)
		return err;
	fetch->active = true;
	fetch->task = task;
	fetch->chain = chain;
	fetch->height = height;
	/* Not connected yet is no failure: asked again by fetch_work. */
	if (ask(fetch, self, network, now) != ERR_OK)
		fetch->deadline = now;
	return ERR_OK;
}

static enum err take(struct fetch *fetch, const struct state_chunk *chunk)
{
	if (fetch->bytes == NULL) {
		if (chunk->offset != 0 || chunk->total > FETCH_BYTES_MAX ||
			chunk->block.size == 0 ||
			chunk->signature.size != sizeof(fetch->signature))
			return ERR_LENGTH;
		fetch->total = chunk->total;
		fetch->bytes = malloc(chunk->total + 1);
		CHECK(fetch->bytes != NULL);
		memcpy(fetch->header, chunk->block.data, chunk->block.size);
		fetch->header_size = chunk->block.size;
		memcpy(&fetch->signature, chunk->signature.data,
			chunk->signature.size);
	}
	if (chunk->chain != fetch->chain || chunk->height != fetch->height ||
		chunk->total != fetch->total || chunk->offset != fetch->got ||
		chunk->bytes.size == 0 ||
		chunk->bytes.size > fetch->total - fetch->got)
		return ERR_LENGTH;
	memcpy(fetch->bytes + fetch->got, chunk->bytes.data, chunk->bytes.size);
	fetch->got += chunk->bytes.size;
	return fetch->got == fetch->total ? ERR_OK : ERR_BUSY;
}

static enum err answer(struct fetch *fetch, const struct bus_message *message,
	const struct hash *network)
{
	struct envelope envelope;
	struct state_chunk chunk;
	if (message->frame_count != 2 ||
		!view_equal(message->frames[0],
			view_of(&fetch->request, sizeof(fetch->request))))
		return ERR_BUSY; /* of an older question */
	enum err err = envelope_open(&envelope, message->frames[1], network);
	if (err != ERR_OK)
		return err;
	if (envelope.type != MESSAGE_STATE_CHUNK)
		return ERR_NOT_FOUND;
	err = state_chunk_decode(&chunk, envelope.body);
	return err == ERR_OK ? take(fetch, &chunk) : err;
}

enum err fetch_work(struct fetch *fetch, const struct keypair *self,
	const struct hash *network, time_ms now)
{
	struct bus_message message;
	uint64_t got = fetch->got;
	while (bus_receive(fetch->socket, &message) == ERR_OK) {
		enum err err = answer(fetch, &message, network);
		if (err != ERR_BUSY)
			return err;
	}
	if (fetch->got > got)
		fetch->deadline = now;
	if (now < fetch->deadline)
		return ERR_BUSY;
	if (ask(fetch, self, network, now) != ERR_OK)
		fetch->deadline = now + 100; /* not connected yet */
	return ERR_BUSY;
}
