/* client/ask.c -- the questions of the public header: a body, and where the
 * answer is to be had.
 */
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"

static enum err launch(
	struct perch *client, struct flight *flight, uint64_t *request)
{
	flight_send(client, flight, clock_monotonic());
	*request = flight->request;
	return ERR_OK;
}

/* A question of the user whose body is in scratch; size 0: it did not encode.
 */
static enum err ask_new(struct perch *client, struct flight **out, uint8_t asks,
	uint8_t wants, size_t size)
{
	if (size == 0)
		return ERR_LENGTH;
	return flight_new(client, out, FLIGHT_USER, asks, wants,
		view_of(client->scratch, size));
}

static enum err ask_nodes(struct perch *client, uint8_t asks, uint8_t wants,
	size_t size, uint64_t *request)
{
	struct flight *flight;
	enum err err = client->node_count > 0 ? ERR_OK : ERR_CONFIG;

	if (err == ERR_OK)
		err = ask_new(client, &flight, asks, wants, size);
	return err == ERR_OK ? launch(client, flight, request) : err;
}

static enum err ask_evaluator(struct perch *client, uint8_t asks, uint8_t wants,
	size_t size, uint64_t *request)
{
	struct flight *flight;
	enum err err = client->has_evaluator ? ERR_OK : ERR_CONFIG;

	if (err == ERR_OK)
		err = ask_new(client, &flight, asks, wants, size);
	if (err != ERR_OK)
		return err;
	flight->evaluator = true;
	return launch(client, flight, request);
}

/* ---- transactions ---- */

static void tx_body(
	const struct perch *client, struct perch_tx *from, struct tx *out)
{
	if (from->valid_until == 0)
		from->valid_until = clock_wall() + PERCH_VALID_MS;
	memset(out, 0, sizeof(*out));
	memcpy(&out->id, &from->id, sizeof(out->id));
	out->wallet = client->pair.key;
	out->valid_until = (uint64_t)from->valid_until;
	out->mode = from->mode == PERCH_ALL ? 0 : 1;
	out->ops_count = from->op_count;
	for (size_t i = 0; i < from->op_count; i++) {
		out->ops[i].kind = from->ops[i].kind;
		out->ops[i].body =
			view_of(from->ops[i].body, from->ops[i].size);
	}
}

enum perch_err perch_sign(
	struct perch *client, struct perch_tx *tx, uint8_t *out, size_t *size)
{
	struct tx body;
	size_t sealed;

	if (tx->op_count < 1 || tx->op_count > PERCH_OPS_MAX)
		return PERCH_ERR_LENGTH;
	tx_body(client, tx, &body);
	sealed = tx_seal(out, &body, &client->pair, &client->network);
	if (sealed == 0)
		return PERCH_ERR_LENGTH;
	*size = sealed;
	return PERCH_OK;
}

enum perch_err perch_submit_signed(struct perch *client, const uint8_t *bytes,
	size_t size, enum perch_status wait, uint64_t *request)
{
	struct submit submit = {
		.chain = client->chain,
		.tx = view_of(bytes, size),
	};
	struct flight *flight;
	struct tx_view tx;
	enum err err;

	if (client->node_count == 0 || wait == PERCH_UNKNOWN)
		return PERCH_ERR_CONFIG;
	submit.wait = (uint64_t)wait - 1;
	if (wait == PERCH_ORDERED && !hold_has_room(client))
		return PERCH_ERR_FULL;
	err = tx_open(&tx, submit.tx);
	if (err == ERR_OK)
		err = ask_new(client, &flight, MESSAGE_SUBMIT, MESSAGE_FATE,
			submit_encode(client->scratch, BUS_FRAME_MAX, &submit));
	if (err != ERR_OK)
		return (enum perch_err)err;
	flight->tx.wallet = tx.body.wallet;
	flight->tx.id = tx.body.id;
	flight->tx.has_content = true;
	flight->tx.hash = tx.hash;
	flight->tx.op_count = tx.body.ops_count;
	flight->tx.valid_until = tx.body.valid_until;
	flight->tx.wait = wait;
	return (enum perch_err)launch(client, flight, request);
}

enum perch_err perch_submit(struct perch *client, struct perch_tx *tx,
	enum perch_status wait, uint64_t *request)
{
	uint8_t bytes[PERCH_TX_BYTES_MAX];
	size_t size;
	enum perch_err err = perch_sign(client, tx, bytes, &size);

	if (err != PERCH_OK)
		return err;
	return perch_submit_signed(client, bytes, size, wait, request);
}

enum perch_err perch_ask_tx(struct perch *client,
	const struct perch_key *wallet, const struct perch_id *id,
	uint64_t *request)
{
	struct tx_query query = {
		.chain = client->chain,
		.wallet = client->pair.key,
	};
	struct flight *flight;
	enum err err = client->node_count > 0 ? ERR_OK : ERR_CONFIG;

	if (wallet != NULL)
		memcpy(&query.wallet, wallet, sizeof(query.wallet));
	memcpy(&query.id, id, sizeof(query.id));
	if (err == ERR_OK)
		err = ask_new(client, &flight, MESSAGE_TX_QUERY, MESSAGE_FATE,
			tx_query_encode(
				client->scratch, BUS_FRAME_MAX, &query));
	if (err != ERR_OK)
		return (enum perch_err)err;
	flight->tx.wallet = query.wallet;
	flight->tx.id = query.id;
	return (enum perch_err)launch(client, flight, request);
}

/* ---- other questions to nodes ---- */

enum perch_err perch_ask_head(
	struct perch *client, bool fresh, uint64_t *request)
{
	struct head_query query = {
		.chain = client->chain,
		.fresh = fresh ? 1 : 0,
	};

	return (enum perch_err)ask_nodes(client, MESSAGE_HEAD_QUERY,
		MESSAGE_HEAD,
		head_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ask_blocks(struct perch *client, uint64_t from,
	unsigned blocks_max, uint64_t *request)
{
	struct blocks_query query = {
		.chain = client->chain,
		.from = from,
		.blocks_max = blocks_max,
	};

	return (enum perch_err)ask_nodes(client, MESSAGE_BLOCKS_QUERY,
		MESSAGE_BLOCKS,
		blocks_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ask_peers(struct perch *client, uint64_t *request)
{
	struct peers_query query = {.zero = 0};

	return (enum perch_err)ask_nodes(client, MESSAGE_PEERS_QUERY,
		MESSAGE_PEERS,
		peers_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

/* Of one node alone. */
static enum perch_err ask_node(struct perch *client, size_t node, uint8_t asks,
	uint8_t wants, size_t size, uint64_t *request)
{
	struct flight *flight;
	enum err err = node < client->node_count ? ERR_OK : ERR_NOT_FOUND;

	if (err == ERR_OK)
		err = ask_new(client, &flight, asks, wants, size);
	if (err != ERR_OK)
		return (enum perch_err)err;
	flight->pinned = true;
	flight->pin = (int)node;
	if (client->lines[node].state == PERCH_IDLE)
		line_want(client, &client->lines[node]);
	return (enum perch_err)launch(client, flight, request);
}

enum perch_err perch_ask_status(
	struct perch *client, size_t node, uint64_t *request)
{
	struct status_query query = {.zero = 0};

	return ask_node(client, node, MESSAGE_STATUS_QUERY, MESSAGE_STATUS,
		status_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ask_certificate(
	struct perch *client, uint64_t height, uint64_t *request)
{
	struct certificate_query query = {
		.chain = client->chain,
		.height = height,
	};

	return (enum perch_err)ask_nodes(client, MESSAGE_CERTIFICATE_QUERY,
		MESSAGE_CERTIFICATE,
		certificate_query_encode(
			client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ask_evidence(
	struct perch *client, size_t node, unsigned skip, uint64_t *request)
{
	struct evidence_query query = {.from = skip};

	return ask_node(client, node, MESSAGE_EVIDENCE_QUERY, MESSAGE_EVIDENCE,
		evidence_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ask_state(struct perch *client, uint64_t height,
	uint64_t offset, uint64_t *request)
{
	struct state_query query = {
		.chain = client->chain,
		.height = height,
		.offset = offset,
	};

	return (enum perch_err)ask_nodes(client, MESSAGE_STATE_QUERY,
		MESSAGE_STATE_CHUNK,
		state_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

/* ---- to the evaluator ---- */

static struct view text_or_empty(const char *text)
{
	return view_text(text == NULL ? "" : text);
}

enum perch_err perch_inquire(struct perch *client, const char *port,
	const char *pad, int64_t start, int64_t end, uint64_t *request)
{
	struct inquire_query query = {
		.port = text_or_empty(port),
		.pad = text_or_empty(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};

	return (enum perch_err)ask_evaluator(client, MESSAGE_INQUIRE_QUERY,
		MESSAGE_INQUIRE,
		inquire_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_timetable(
	struct perch *client, const char *port, int64_t from, uint64_t *request)
{
	struct timetable_query query = {
		.port = text_or_empty(port),
		.from = (uint64_t)from,
	};

	return (enum perch_err)ask_evaluator(client, MESSAGE_TIMETABLE_QUERY,
		MESSAGE_TIMETABLE,
		timetable_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_history(struct perch *client,
	const struct perch_id *reservation, const struct perch_key *wallet,
	const char *port, uint64_t after, uint64_t *request)
{
	struct history_query query = {
		.port = text_or_empty(port),
		.after = after,
	};

	if (reservation != NULL)
		query.reservation =
			view_of(reservation->bytes, sizeof(*reservation));
	if (wallet != NULL)
		query.wallet = view_of(wallet->bytes, sizeof(*wallet));
	return (enum perch_err)ask_evaluator(client, MESSAGE_HISTORY_QUERY,
		MESSAGE_HISTORY,
		history_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_simulate(
	struct perch *client, struct perch_tx *tx, uint64_t *request)
{
	uint8_t bytes[PERCH_TX_BYTES_MAX];
	size_t size;
	struct simulate_query query;
	enum perch_err err = perch_sign(client, tx, bytes, &size);

	if (err != PERCH_OK)
		return err;
	query.tx = view_of(bytes, size);
	return (enum perch_err)ask_evaluator(client, MESSAGE_SIMULATE_QUERY,
		MESSAGE_SIMULATE,
		simulate_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_prove_port(
	struct perch *client, const char *port, uint64_t *request)
{
	struct proof_query query = {.port = text_or_empty(port)};

	return (enum perch_err)ask_evaluator(client, MESSAGE_PROOF_QUERY,
		MESSAGE_PROOF,
		proof_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}

enum perch_err perch_ports(struct perch *client, uint64_t *request)
{
	struct ports_query query = {.zero = 0};

	return (enum perch_err)ask_evaluator(client, MESSAGE_PORTS_QUERY,
		MESSAGE_PORTS,
		ports_query_encode(client->scratch, BUS_FRAME_MAX, &query),
		request);
}
