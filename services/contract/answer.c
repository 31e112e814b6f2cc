/* contract/answer.c -- questions about the ledger at its final height. Every
 * answer names what it was read from.
 */
#include "evaluator.h"

#include <string.h>

#include "base/check.h"
#include "service/log.h"

enum {
	TIMETABLE_MAX = 64,
	REQUESTS_ROUND = 64,
	TEXT_ROOM = TIMETABLE_MAX * HISTORY_ENTRY_BYTES_MAX,
};

struct question {
	const struct bus_message *message; /* where the answer goes */
	struct view body;
};

static void answer(struct evaluator *evaluator, const struct question *question,
	enum message_type type, size_t body_size)
{
	uint8_t bytes[BUS_FRAME_MAX];
	CHECK(body_size > 0);
	size_t size = envelope_seal(bytes, sizeof(bytes), type,
		view_of(evaluator->body, body_size), evaluator->self,
		&evaluator->genesis->network);
	CHECK(size > 0);
	struct view frames[2] = {
		question->message->frames[0],
		view_of(bytes, size),
	};
	enum err err =
		bus_answer(evaluator->server, question->message, frames, 2);
	if (err != ERR_OK)
		log_debug("request", "an answer was not taken: %s",
			err_name(err));
}

static void refuse(struct evaluator *evaluator, const struct question *question,
	enum err err)
{
	struct refused refused = {
		.code = view_text(err_name(err)),
		.text = view_text(err_text(err)),
	};
	answer(evaluator, question, MESSAGE_REFUSED,
		refused_encode(
			evaluator->body, sizeof(evaluator->body), &refused));
}

static struct as_of as_of(struct evaluator *evaluator)
{
	struct chain_tip tip = chain_tip(evaluator->chain);
	return (struct as_of){
		.chain = evaluator->number,
		.height = tip.height,
		.hash = tip.hash,
		.time = (uint64_t)tip.time,
		.state_root = state_root(evaluator->state),
	};
}

static enum err on_hello(
	struct evaluator *evaluator, const struct question *question)
{
	struct hello hello;
	enum err err = hello_decode(&hello, question->body);
	if (err != ERR_OK)
		return err;
	if (hello.protocol != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (!hash_equal(&hello.network, &evaluator->genesis->network))
		return ERR_NETWORK;
	hello = (struct hello){
		.protocol = PROTOCOL_VERSION,
		.release = view_text(PERCH_RELEASE),
		.network = evaluator->genesis->network,
		.key = evaluator->self->key,
	};
	answer(evaluator, question, MESSAGE_HELLO,
		hello_encode(evaluator->body, sizeof(evaluator->body), &hello));
	return ERR_OK;
}

/* Free: the first free window of that length is this one. */
static bool is_free(const struct evaluator *evaluator, size_t port,
	struct view pad, time_ms start, time_ms end)
{
	struct free_slot slot;
	return contract_free_slots(evaluator->state, port, pad, start,
		       end - start, &slot, 1) == 1 &&
	       slot.start == start;
}

static bool has_pad(const struct record_port *port, struct view name)
{
	for (size_t i = 0; i < port->pads_count; i++) {
		if (view_equal(port->pads[i].name, name))
			return true;
	}
	return false;
}

static enum err on_inquire(
	struct evaluator *evaluator, const struct question *question)
{
	struct inquire_query query;
	struct inquire found = {.as_of = as_of(evaluator)};
	struct record_port port;
	struct record_reservation record;
	size_t index;
	uint64_t cursor = 0;
	enum err err = inquire_query_decode(&query, question->body);
	if (err != ERR_OK)
		return err;
	if (query.end <= query.start)
		return ERR_TIME;
	if (!state_port_find(evaluator->state, query.port, &index))
		return ERR_NOT_FOUND;
	state_port_at(evaluator->state, index, &port);
	if (query.pad.size > 0 && !has_pad(&port, query.pad))
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < port.pads_count; i++) {
		struct view pad = port.pads[i].name;
		if ((query.pad.size == 0 || view_equal(query.pad, pad)) &&
			is_free(evaluator, index, pad, (time_ms)query.start,
				(time_ms)query.end))
			found.free[found.free_count++] = pad;
	}
	while (found.reservations_count < TIMETABLE_MAX &&
		state_timetable_next(evaluator->state, index,
			(time_ms)query.start, &cursor, &record)) {
		if (record.start < query.end && record.end > query.start &&
			(query.pad.size == 0 ||
				view_equal(query.pad, record.pad)))
			found.reservations[found.reservations_count++] = record;
	}
	answer(evaluator, question, MESSAGE_INQUIRE,
		inquire_encode(
			evaluator->body, sizeof(evaluator->body), &found));
	return ERR_OK;
}

static enum err on_timetable(
	struct evaluator *evaluator, const struct question *question)
{
	struct timetable_query query;
	struct timetable found = {.as_of = as_of(evaluator)};
	struct record_reservation record;
	size_t index;
	uint64_t cursor = 0;
	enum err err = timetable_query_decode(&query, question->body);
	if (err != ERR_OK)
		return err;
	if (!state_port_find(evaluator->state, query.port, &index))
		return ERR_NOT_FOUND;
	state_port_at(evaluator->state, index, &found.port);
	while (state_timetable_next(evaluator->state, index,
		(time_ms)query.from, &cursor, &record)) {
		if (found.reservations_count == TIMETABLE_MAX) {
			found.more = 1;
			break;
		}
		found.reservations[found.reservations_count++] = record;
	}
	answer(evaluator, question, MESSAGE_TIMETABLE,
		timetable_encode(
			evaluator->body, sizeof(evaluator->body), &found));
	return ERR_OK;
}

static enum err on_history(
	struct evaluator *evaluator, const struct question *question)
{
	struct history_query query;
	struct history found = {.as_of = as_of(evaluator)};
	uint8_t room[TEXT_ROOM], prefix[ARCHIVE_PREFIX_MAX];
	bool more;
	enum err err = history_query_decode(&query, question->body);
	if (err != ERR_OK)
		return err;
	struct view name;
	size_t index;
	if (query.reservation.size == ID_SIZE)
		name = archive_prefix(prefix, 'r', query.reservation);
	else if (query.wallet.size == KEY_SIZE)
		name = archive_prefix(prefix, 'w', query.wallet);
	else if (query.port.size == 0)
		return ERR_LENGTH;
	else if (!state_port_find(evaluator->state, query.port, &index))
		return ERR_NOT_FOUND;
	else
		name = archive_prefix(prefix, 'p', query.port);
	/* What was gathered is not yet readable. */
	archive_commit(evaluator->archive, &evaluator->head, (struct view){0});
	found.entries_count = archive_find(evaluator->archive, name,
		query.after, found.entries, TIMETABLE_MAX, room, sizeof(room),
		&more);
	found.more = more;
	answer(evaluator, question, MESSAGE_HISTORY,
		history_encode(
			evaluator->body, sizeof(evaluator->body), &found));
	return ERR_OK;
}

/* Tried and undone: the journal makes a question out of a transaction. */
static enum err on_simulate(
	struct evaluator *evaluator, const struct question *question)
{
	struct simulate_query query;
	struct simulate found = {.as_of = as_of(evaluator)};
	struct tx_view tx;
	struct receipt receipt;
	uint8_t scratch[RECEIPT_SCRATCH], bytes[RECEIPT_SCRATCH];
	bool member_free = false;
	enum err err = simulate_query_decode(&query, question->body);
	if (err == ERR_OK)
		err = tx_open(&tx, query.tx);
	if (err == ERR_OK)
		err = tx_verify(&tx, &evaluator->genesis->network);
	if (err != ERR_OK)
		return err;
	struct arena *arena = state_arena(evaluator->state);
	arena_mark mark = arena_now(arena);
	struct chain_tip tip = chain_tip(evaluator->chain);
	contract_begin(evaluator->state, tip.height + 1, tip.time + 1, NULL);
	bool done = contract_execute(evaluator->state, &tx, 0, &member_free,
		&receipt, scratch, NULL);
	size_t size = done ? receipt_encode(bytes, sizeof(bytes), &receipt) : 0;
	arena_rollback(arena, mark);
	if (size == 0)
		return ERR_EXISTS;
	found.receipt = view_of(bytes, size);
	answer(evaluator, question, MESSAGE_SIMULATE,
		simulate_encode(
			evaluator->body, sizeof(evaluator->body), &found));
	return ERR_OK;
}

static enum err on_proof(
	struct evaluator *evaluator, const struct question *question)
{
	struct proof_query query;
	struct proof_parts parts;
	struct proof proof;
	uint8_t port[RECORD_PORT_BYTES_MAX];
	size_t index;
	enum err err = proof_query_decode(&query, question->body);
	if (err != ERR_OK)
		return err;
	if (!state_port_find(evaluator->state, query.port, &index) ||
		chain_tip(evaluator->chain).height == 0)
		return ERR_NOT_FOUND;
	state_proof(evaluator->state, index, &parts);
	size_t size = record_port_encode(port, sizeof(port), &parts.port);
	CHECK(size > 0);
	memset(&proof, 0, sizeof(proof));
	proof.header = evaluator->head.header_bytes;
	proof.signature = evaluator->head.signature;
	proof.port = view_of(port, size);
	proof.live = parts.live;
	proof.index = parts.index;
	proof.count = parts.count;
	proof.path_count = parts.path_length;
	memcpy(proof.path, parts.path, sizeof(parts.path));
	proof.rest = parts.rest;
	proof.buckets_count = 256;
	memcpy(proof.buckets, parts.buckets, sizeof(parts.buckets));
	answer(evaluator, question, MESSAGE_PROOF,
		proof_encode(evaluator->body, sizeof(evaluator->body), &proof));
	return ERR_OK;
}

static enum err on_ports(
	struct evaluator *evaluator, const struct question *question)
{
	struct ports_query query;
	struct ports found = {.as_of = as_of(evaluator)};
	enum err err = ports_query_decode(&query, question->body);
	if (err != ERR_OK)
		return err;
	size_t count = state_port_count(evaluator->state);
	size_t size = 0;
	/* As many as fit; whoever has more asks for one by name. */
	for (found.ports_count = count < 256 ? count : 256; size == 0;
		found.ports_count /= 2) {
		for (size_t i = 0; i < found.ports_count; i++)
			state_port_at(evaluator->state, i, &found.ports[i]);
		size = ports_encode(
			evaluator->body, sizeof(evaluator->body), &found);
	}
	answer(evaluator, question, MESSAGE_PORTS, size);
	return ERR_OK;
}

static const struct {
	enum message_type type;
	enum err (*answer)(
		struct evaluator *evaluator, const struct question *question);
} questions[] = {
	{MESSAGE_HELLO, on_hello},
	{MESSAGE_INQUIRE_QUERY, on_inquire},
	{MESSAGE_TIMETABLE_QUERY, on_timetable},
	{MESSAGE_HISTORY_QUERY, on_history},
	{MESSAGE_SIMULATE_QUERY, on_simulate},
	{MESSAGE_PROOF_QUERY, on_proof},
	{MESSAGE_PORTS_QUERY, on_ports},
};

static enum err dispatch(struct evaluator *evaluator, struct question *question)
{
	struct envelope envelope;
	enum err err = envelope_open(&envelope, question->message->frames[1],
		&evaluator->genesis->network);
	if (err != ERR_OK)
		return err;
	/* Unsure: "no answer" is better than a wrong one. */
	check_settle(evaluator);
	if (evaluator->alarmed && envelope.type != MESSAGE_HELLO)
		return ERR_ROOT;
	question->body = envelope.body;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].type == (enum message_type)envelope.type)
			return questions[i].answer(evaluator, question);
	}
	return ERR_TYPE;
}

void answer_requests(struct evaluator *evaluator)
{
	struct bus_message message;
	for (size_t i = 0; i < REQUESTS_ROUND; i++) {
		enum err err = bus_receive(evaluator->server, &message);
		if (err == ERR_TIMEOUT)
			return;
		if (err != ERR_OK || message.frame_count != 2 ||
			message.frames[0].size != 8)
			continue; /* there is nobody to answer */
		struct question question = {.message = &message};
		err = dispatch(evaluator, &question);
		if (err != ERR_OK)
			refuse(evaluator, &question, err);
	}
}
