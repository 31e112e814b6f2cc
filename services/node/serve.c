/* node/serve.c -- the request channel: one function a question.
 */
#include "node.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

void answer(struct node *node, const struct origin *origin,
	enum message_type type, size_t body_size)
{
	uint8_t bytes[BUS_FRAME_MAX];
	struct bus_message to = {.route_size = origin->route_size};
	CHECK(body_size > 0);
	memcpy(to.route, origin->route, origin->route_size);
	size_t size = envelope_seal(bytes, sizeof(bytes), type,
		view_of(node->body, body_size), node->self,
		&node->genesis->network);
	CHECK(size > 0);
	struct view frames[2] = {
		view_of(origin->request, sizeof(origin->request)),
		view_of(bytes, size),
	};
	/* Gone or stalled: whoever asks again, by id, is answered again. */
	enum err err = bus_answer(node->server, &to, frames, 2);
	if (err != ERR_OK)
		log_debug("request", "an answer was not taken: %s",
			err_name(err));
}

/* later: milliseconds until it is worth asking again; 0 is not said. */
static void refuse(struct node *node, const struct origin *origin, enum err err,
	time_ms later)
{
	uint8_t details[16];
	struct wire_writer writer = wire_writer_of(details, sizeof(details));
	struct refused refusal = {
		.code = view_text(err_name(err)),
		.text = view_text(err_text(err)),
	};
	if (later > 0) {
		wire_write_uint(&writer, (uint64_t)later, UINT32_MAX);
		refusal.details = view_of(details, wire_write_end(&writer));
	}
	answer(node, origin, MESSAGE_REFUSED,
		refused_encode(node->body, sizeof(node->body), &refusal));
}

void answer_refusal(
	struct node *node, const struct origin *origin, enum err err)
{
	refuse(node, origin, err, err == ERR_BUSY ? BUSY_MS : 0);
}

static enum err serve_hello(
	struct node *node, const struct origin *origin, struct view body)
{
	struct hello hello;
	enum err err = hello_decode(&hello, body);
	if (err != ERR_OK)
		return err;
	if (hello.protocol != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (!hash_equal(&hello.network, &node->genesis->network))
		return ERR_NETWORK;
	hello = (struct hello){
		.protocol = PROTOCOL_VERSION,
		.release = view_text(PERCH_RELEASE),
		.network = node->genesis->network,
		.key = node->self->key,
	};
	answer(node, origin, MESSAGE_HELLO,
		hello_encode(node->body, sizeof(node->body), &hello));
	return ERR_OK;
}

static enum err serve_submission(
	struct node *node, const struct origin *origin, struct view body)
{
	serve_submit(node, origin, body);
	return ERR_OK;
}

struct lane *node_lane(struct node *node, uint64_t chain)
{
	for (size_t i = 0; i < node->lane_count; i++) {
		if (node->lanes[i].chain == chain)
			return &node->lanes[i];
	}
	return NULL;
}

/* ---- questions that a majority must confirm ---- */

static void answer_head(struct lane *lane, const struct origin *origin)
{
	struct node *node = lane->node;
	const struct replica *replica = driver_replica(lane->driver);
	struct chain_tip tip = chain_tip(replica_chain(replica));
	struct replica_head final;
	replica_final_head(replica, &final);
	struct head head = {
		.chain = lane->chain,
		.height = tip.height,
		.hash = tip.hash,
		.time = (uint64_t)tip.time,
		.final_height = final.tip.height,
		.final_hash = final.tip.hash,
		.state_root = final.state_root,
		.first_height = driver_first_height(lane->driver),
	};
	answer(node, origin, MESSAGE_HEAD,
		head_encode(node->body, sizeof(node->body), &head));
}

static enum err start_read(struct node *node, const struct read *question)
{
	uint64_t task = node->read_next;
	struct read *read = &node->reads[task % READS_MAX];
	if (read->used)
		return ERR_BUSY;
	*read = *question;
	read->used = true;
	node->read_next++;
	driver_read(read->lane->driver, task);
	return ERR_OK;
}

void serve_ready(struct node *node, uint64_t task, bool ok)
{
	struct read *read = &node->reads[task % READS_MAX];
	if (!read->used)
		return;
	read->used = false;
	if (!ok)
		answer_refusal(node, &read->origin, ERR_BEHIND);
	else if (read->type == MESSAGE_HEAD_QUERY)
		answer_head(read->lane, &read->origin);
	else
		answer_fate(
			read->lane, &read->origin, &read->wallet, &read->id);
}

static enum err serve_head(
	struct node *node, const struct origin *origin, struct view body)
{
	struct head_query query;
	enum err err = head_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	if (query.fresh == 1) {
		struct read read = {
			.lane = lane,
			.origin = *origin,
			.type = MESSAGE_HEAD_QUERY,
		};
		return start_read(node, &read);
	}
	answer_head(lane, origin);
	return ERR_OK;
}

/* "Unknown" is only worth something when it is not old. */
static enum err serve_tx(
	struct node *node, const struct origin *origin, struct view body)
{
	struct tx_query query;
	struct replica_fate fate;
	enum err err = tx_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	if (!find_fate(lane, &query.wallet, &query.id, &fate)) {
		struct read read = {
			.lane = lane,
			.origin = *origin,
			.type = MESSAGE_TX_QUERY,
			.wallet = query.wallet,
			.id = query.id,
		};
		return start_read(node, &read);
	}
	answer_fate(lane, origin, &query.wallet, &query.id);
	return ERR_OK;
}

/* ---- blocks ---- */

static enum err serve_blocks(
	struct node *node, const struct origin *origin, struct view body)
{
	struct blocks_query query;
	enum err err = blocks_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	uint64_t final = replica_final(driver_replica(lane->driver));
	if (query.from < driver_first_height(lane->driver))
		return ERR_NOT_FOUND;
	static const size_t room_max = ENVELOPE_BODY_BYTES_MAX - 1024;
	uint8_t room[ENVELOPE_BODY_BYTES_MAX];
	struct blocks blocks = {.chain = lane->chain, .final_height = final};
	size_t used = 0;
	for (uint64_t height = query.from;
		height <= final && blocks.blocks_count < query.blocks_max;
		height++) {
		size_t size;
		err = driver_block(lane->driver, height, node->block, &size);
		if (err != ERR_OK)
			return err;
		if (used + size + 5 > room_max)
			break;
		memcpy(room + used, node->block, size);
		blocks.blocks[blocks.blocks_count++] =
			view_of(room + used, size);
		used += size;
	}
	answer(node, origin, MESSAGE_BLOCKS,
		blocks_encode(node->body, sizeof(node->body), &blocks));
	return ERR_OK;
}

static enum err serve_headers(
	struct node *node, const struct origin *origin, struct view body)
{
	struct headers_query query;
	enum err err = headers_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	uint64_t final = replica_final(driver_replica(lane->driver));
	if (query.from < driver_first_height(lane->driver))
		return ERR_NOT_FOUND;
	uint8_t room[128 * 400];
	struct headers headers = {.chain = lane->chain, .final_height = final};
	for (uint64_t height = query.from;
		height <= final && headers.headers_count < query.headers_max;
		height++) {
		size_t size;
		struct block_ref block;
		err = driver_block(lane->driver, height, node->block, &size);
		if (err == ERR_OK)
			err = block_open(&block, view_of(node->block, size),
				&node->genesis->network);
		if (err != ERR_OK)
			return err;
		size_t index = headers.headers_count++;
		uint8_t *at = room + index * 400;
		memcpy(at, block.header_bytes.data, block.header_bytes.size);
		headers.headers[index].header =
			view_of(at, block.header_bytes.size);
		headers.headers[index].signature = block.signature;
	}
	answer(node, origin, MESSAGE_HEADERS,
		headers_encode(node->body, sizeof(node->body), &headers));
	return ERR_OK;
}

/* ---- the network ---- */

static enum err serve_peers(
	struct node *node, const struct origin *origin, struct view body)
{
	struct peers_query query;
	enum err err = peers_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct peers answered;
	driver_peers(node->lanes[0].driver, &answered);
	answer(node, origin, MESSAGE_PEERS,
		peers_encode(node->body, sizeof(node->body), &answered));
	return ERR_OK;
}

static enum err serve_status(
	struct node *node, const struct origin *origin, struct view body)
{
	struct status_query query;
	enum err err = status_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	answer(node, origin, MESSAGE_STATUS, encode_status(node));
	return ERR_OK;
}

static enum err serve_state(
	struct node *node, const struct origin *origin, struct view body)
{
	struct state_query query;
	enum err err = state_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	uint8_t header[400], bytes[32768];
	size_t header_size, size = sizeof(bytes);
	struct signature signature;
	uint64_t height = query.height, total;
	if (!index_find_snapshot(driver_index(lane->driver), &height, header,
		    &header_size, &signature, query.offset, bytes, &size,
		    &total) ||
		(query.height != 0 && query.height != height))
		return ERR_NOT_FOUND;
	struct state_chunk chunk = {
		.chain = lane->chain,
		.height = height,
		.total = total,
		.offset = query.offset,
		.bytes = view_of(bytes, size),
	};
	if (query.offset == 0) {
		chunk.block = view_of(header, header_size);
		chunk.signature = view_of(&signature, sizeof(signature));
	}
	answer(node, origin, MESSAGE_STATE_CHUNK,
		state_chunk_encode(node->body, sizeof(node->body), &chunk));
	return ERR_OK;
}

/* ---- the table of questions ---- */

static const struct {
	enum message_type type;
	enum err (*serve)(struct node *node, const struct origin *origin,
		struct view body);
} questions[] = {
	{MESSAGE_HELLO, serve_hello},
	{MESSAGE_SUBMIT, serve_submission},
	{MESSAGE_TX_QUERY, serve_tx},
	{MESSAGE_HEAD_QUERY, serve_head},
	{MESSAGE_BLOCKS_QUERY, serve_blocks},
	{MESSAGE_HEADERS_QUERY, serve_headers},
	{MESSAGE_PEERS_QUERY, serve_peers},
	{MESSAGE_STATUS_QUERY, serve_status},
	{MESSAGE_STATE_QUERY, serve_state},
	{MESSAGE_CERTIFICATE_QUERY, serve_certificate},
	{MESSAGE_EVIDENCE_QUERY, serve_evidence},
};

static enum err serve(
	struct node *node, const struct origin *origin, struct view frame)
{
	struct envelope envelope;
	enum err err = envelope_open(&envelope, frame, &node->genesis->network);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].type == (enum message_type)envelope.type)
			return questions[i].serve(node, origin, envelope.body);
	}
	return ERR_TYPE;
}

bool serve_requests(struct node *node)
{
	struct bus_message message;
	time_ms now = clock_monotonic();
	for (size_t taken = 0; taken < REQUESTS_ROUND; taken++) {
		struct origin origin;
		enum err err = bus_receive(node->server, &message);
		if (err == ERR_TIMEOUT)
			return false;
		if (err != ERR_OK || message.frame_count != 2 ||
			message.frames[0].size != sizeof(origin.request) ||
			message.route_size > sizeof(origin.route))
			continue; /* there is nobody to answer */
		memcpy(origin.route, message.route, message.route_size);
		origin.route_size = message.route_size;
		memcpy(origin.request, message.frames[0].data,
			sizeof(origin.request));
		/* Before anything is looked at: a signature costs a hundred
		 * times what it costs to send one. */
		time_ms later = rate_take(&node->rate,
			message.has_sender ? &message.sender : NULL, now);
		if (later > 0) {
			refuse(node, &origin, ERR_RATE, later);
			continue;
		}
		err = serve(node, &origin, message.frames[1]);
		if (err != ERR_OK)
			answer_refusal(node, &origin, err);
	}
	return true;
}
