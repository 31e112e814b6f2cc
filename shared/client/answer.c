/* client/answer.c -- answers: decoded, held against their question, and told.
 */
#include <string.h>

#include "client/inside.h"
#include "clock/clock.h"
#include "contract/refusal.h"
#include "ledger/checkpoint.h"

static void tell(struct perch *client, struct flight *flight,
	const struct line *line, enum perch_event_type type,
	struct perch_event *event)
{
	event->type = type;
	event->request = flight->request;
	event->node = flight->evaluator ? PERCH_EVALUATOR : line->index;
	event->err = PERCH_OK;
	flight_end(client, flight);
}

/* ---- the fate of a transaction ---- */

enum err fate_check(const struct perch *client, const struct flight *flight,
	const struct fate *fate, struct receipt *receipt)
{
	enum err err;

	if (!key_equal(&fate->wallet, &flight->tx.wallet) ||
		!id_equal(&fate->id, &flight->tx.id))
		return ERR_NOT_FOUND;
	if (fate->chain != client->chain)
		return ERR_NETWORK;
	if (fate->status < PERCH_ORDERED)
		return fate->receipt.size == 0 ? ERR_OK : ERR_ENCODING;
	err = receipt_decode(receipt, fate->receipt);
	if (err != ERR_OK)
		return err;
	if (!flight->tx.has_content)
		return ERR_OK;
	if (!hash_equal(&receipt->tx, &flight->tx.hash))
		return ERR_REPLAY;
	if (receipt->code == REFUSAL_GRANTED &&
		receipt->ops_count != flight->tx.op_count)
		return ERR_LENGTH;
	return ERR_OK;
}

static enum err fate_fill(struct perch_fate *out, const struct fate *fate,
	const struct receipt *receipt, bool proved)
{
	memset(out, 0, sizeof(*out));
	give_id(&out->id, &fate->id);
	give_key(&out->wallet, &fate->wallet);
	out->status = (enum perch_status)fate->status;
	out->chain = (unsigned)fate->chain;
	out->proved = proved;
	out->as_of = fate->as_of;
	out->as_of_time = (int64_t)fate->as_of_time;
	if (fate->status < PERCH_ORDERED)
		return ERR_OK;
	out->height = fate->height;
	out->index = (unsigned)fate->index;
	give_hash(&out->block, &fate->block);
	out->receipt = fate->receipt.data;
	out->receipt_size = fate->receipt.size;
	return give_receipt(out, receipt);
}

enum err fate_tell(struct perch *client, struct flight *flight,
	const struct line *line, const struct fate *fate, bool proved,
	struct perch_event *event, bool *told)
{
	struct receipt *receipt = &client->decoded->receipt;
	enum err err = fate_check(client, flight, fate, receipt);

	if (err == ERR_OK)
		err = fate_fill(&client->answer->fate, fate, receipt, proved);
	if (err != ERR_OK)
		return err;
	if (fate->status == PERCH_ORDERED && flight->tx.has_content)
		hold_begin(client, flight, line, fate);
	event->fate = &client->answer->fate;
	/* The receipt of a proved fate is the flight's: it lives on here. */
	if (flight->tx.receipt != NULL) {
		memcpy(client->scratch, fate->receipt.data, fate->receipt.size);
		client->answer->fate.receipt = client->scratch;
	}
	tell(client, flight, line, PERCH_EVENT_FATE, event);
	*told = true;
	return ERR_OK;
}

static enum err answer_fate(struct perch *client, struct flight *flight,
	const struct line *line, struct view body, struct perch_event *event,
	bool *told)
{
	struct fate fate;
	enum err err = fate_decode(&fate, body);

	if (err != ERR_OK)
		return err;
	/* To another question about the same transaction, which took this one's
	 * place there; or this one moved on. It is still waited for. */
	if (flight->asks == MESSAGE_SUBMIT && fate.status > PERCH_UNKNOWN &&
		fate.status < flight->tx.wait) {
		if (flight->line == line->index)
			flight_recall(client, flight,
				clock_monotonic() + CLIENT_AGAIN_MS);
		return ERR_OK;
	}
	if (client->prove && fate.status == PERCH_FINAL &&
		flight->line == line->index) {
		err = fate_check(
			client, flight, &fate, &client->decoded->receipt);
		return err == ERR_OK ? prove_start(client, flight, &fate) : err;
	}
	return fate_tell(client, flight, line, &fate, false, event, told);
}

static enum err answer_proof_of_fate(struct perch *client,
	struct flight *flight, const struct line *line, struct view body,
	struct perch_event *event, bool *told)
{
	struct blocks *blocks = &client->decoded->blocks;
	struct fate fate = flight->tx.fate;
	enum err err = blocks_decode(blocks, body);

	if (err == ERR_OK)
		err = prove_finish(client, flight, blocks);
	if (err == ERR_BEHIND) {
		if (trust_await(client, flight, line, clock_monotonic()))
			return ERR_OK;
		err = ERR_KEY;
	}
	/* Of an old transaction the block may be gone, or nobody known may have
	 * built on it for long; of a new one, never. */
	if (!flight->tx.has_content &&
		(err == ERR_NOT_FOUND ||
			(err == ERR_KEY && flight->learned_of != 0)))
		return fate_tell(
			client, flight, line, &fate, false, event, told);
	if (err != ERR_OK)
		return err;
	return fate_tell(client, flight, line, &fate, true, event, told);
}

bool answer_unproved(struct perch *client, struct flight *flight,
	const struct line *line, struct perch_event *event)
{
	struct fate fate = flight->tx.fate;
	bool told = false;

	return !flight->tx.has_content &&
	       fate_tell(client, flight, line, &fate, false, event, &told) ==
		       ERR_OK;
}

/* ---- the others ---- */

static enum err answer_head(struct perch *client, struct view body)
{
	struct head *in = &client->decoded->head;
	struct perch_head *out = &client->answer->head;
	enum err err = head_decode(in, body);

	if (err != ERR_OK)
		return err;
	if (in->chain != client->chain)
		return ERR_NETWORK;
	out->chain = (unsigned)in->chain;
	out->height = in->height;
	out->final_height = in->final_height;
	give_hash(&out->hash, &in->hash);
	give_hash(&out->final_hash, &in->final_hash);
	give_hash(&out->state_root, &in->state_root);
	out->time = (int64_t)in->time;
	out->first_height = in->first_height;
	return ERR_OK;
}

static enum err answer_blocks(struct perch *client, struct view body)
{
	struct blocks *in = &client->decoded->blocks;
	struct perch_blocks *out = &client->answer->blocks;
	enum err err = blocks_decode(in, body);

	if (err != ERR_OK)
		return err;
	if (in->chain != client->chain)
		return ERR_NETWORK;
	out->chain = (unsigned)in->chain;
	out->final_height = in->final_height;
	out->count = in->blocks_count;
	for (size_t i = 0; i < in->blocks_count; i++) {
		out->blocks[i].bytes = in->blocks[i].data;
		out->blocks[i].size = in->blocks[i].size;
	}
	return ERR_OK;
}

static enum err answer_peers(struct perch *client, struct view body)
{
	struct peers *in = &client->decoded->peers;
	struct perch_peers *out = &client->answer->peers;
	enum err err = peers_decode(in, body);

	if (err != ERR_OK)
		return err;
	memset(out, 0, sizeof(*out));
	out->count = in->peers_count;
	for (size_t i = 0; i < in->peers_count; i++) {
		const struct peer_entry *from = &in->peers[i];
		struct perch_node *node = &out->peers[i].node;

		give_text(node->name, sizeof(node->name), from->name);
		give_key(&node->key, &from->key);
		give_text(node->request, sizeof(node->request), from->request);
		give_text(node->publish, sizeof(node->publish), from->publish);
		out->peers[i].role = (int)from->role;
		out->peers[i].up = from->up == 1;
	}
	return ERR_OK;
}

static enum err answer_status(struct perch *client, struct view body)
{
	enum err err = status_decode(&client->decoded->status, body);

	if (err == ERR_OK)
		give_status(&client->answer->status, &client->decoded->status);
	return err;
}

static enum err answer_state(struct perch *client, struct view body)
{
	struct state_chunk *in = &client->decoded->state;
	struct perch_state_chunk *out = &client->answer->state;
	enum err err = state_chunk_decode(in, body);

	if (err != ERR_OK)
		return err;
	out->chain = (unsigned)in->chain;
	out->height = in->height;
	out->total = in->total;
	out->offset = in->offset;
	out->header = in->block.data;
	out->header_size = in->block.size;
	out->signature = in->signature.data;
	out->signature_size = in->signature.size;
	out->bytes = in->bytes.data;
	out->size = in->bytes.size;
	return ERR_OK;
}

/* ---- checkpoints ---- */

static enum err answer_certificate(struct perch *client, struct view body)
{
	struct certificate *in = &client->decoded->certificate;
	struct checkpoint_statement statement;
	enum err err = certificate_decode(in, body);

	if (err == ERR_OK)
		err = checkpoint_statement_decode(&statement, in->statement);
	if (err == ERR_OK && statement.chain != client->chain)
		err = ERR_NETWORK;
	if (err == ERR_OK)
		give_certificate(
			&client->answer->certificate, in, &statement, body);
	return err;
}

static enum err read_double_signing(const struct perch *client,
	struct perch_double_signing *out, const struct double_signing *in)
{
	struct checkpoint_statement first, second;
	enum err err = double_signing_verify(in, &client->network);

	if (err == ERR_OK)
		err = checkpoint_statement_decode(&first, in->first);
	if (err == ERR_OK)
		err = checkpoint_statement_decode(&second, in->second);
	if (err != ERR_OK)
		return err;
	give_key(&out->signer, &in->signer);
	out->chain = (unsigned)first.chain;
	out->height = first.height;
	give_hash(&out->first, &first.hash);
	give_hash(&out->second, &second.hash);
	return ERR_OK;
}

static enum err answer_evidence(struct perch *client, struct view body)
{
	struct evidence *in = &client->decoded->evidence;
	struct perch_evidence *out = &client->answer->evidence;
	enum err err = evidence_decode(in, body);

	if (err != ERR_OK)
		return err;
	memset(out, 0, sizeof(*out));
	out->total = in->count;
	for (size_t i = 0; i < in->items_count && err == ERR_OK; i++)
		err = read_double_signing(
			client, &out->items[out->count++], &in->items[i]);
	return err;
}

/* ---- the evaluator's ---- */

static void read_as_of(struct perch_as_of *out, const struct as_of *in)
{
	out->chain = (unsigned)in->chain;
	out->height = in->height;
	give_hash(&out->hash, &in->hash);
	give_hash(&out->state_root, &in->state_root);
	out->time = (int64_t)in->time;
}

static enum err answer_inquire(struct perch *client, struct view body)
{
	struct inquire *in = &client->decoded->inquire;
	struct perch_inquire *out = &client->answer->inquire;
	enum err err = inquire_decode(in, body);

	if (err != ERR_OK)
		return err;
	read_as_of(&out->as_of, &in->as_of);
	out->free_count = in->free_count;
	for (size_t i = 0; i < in->free_count; i++)
		give_text(out->free[i], sizeof(out->free[i]), in->free[i]);
	out->count = in->reservations_count;
	for (size_t i = 0; i < in->reservations_count; i++)
		give_reservation(&out->reservations[i], &in->reservations[i]);
	return ERR_OK;
}

static enum err answer_timetable(struct perch *client, struct view body)
{
	struct timetable *in = &client->decoded->timetable;
	struct perch_timetable *out = &client->answer->timetable;
	enum err err = timetable_decode(in, body);

	if (err != ERR_OK)
		return err;
	read_as_of(&out->as_of, &in->as_of);
	give_port(&out->port, &in->port);
	out->more = in->more == 1;
	out->count = in->reservations_count;
	for (size_t i = 0; i < in->reservations_count; i++)
		give_reservation(&out->reservations[i], &in->reservations[i]);
	return ERR_OK;
}

static enum err answer_history(struct perch *client, struct view body)
{
	struct history *in = &client->decoded->history;
	struct perch_history *out = &client->answer->history;
	enum err err = history_decode(in, body);

	if (err != ERR_OK)
		return err;
	read_as_of(&out->as_of, &in->as_of);
	out->more = in->more == 1;
	out->count = in->entries_count;
	for (size_t i = 0; i < in->entries_count; i++)
		give_move(&out->moves[i], &in->entries[i]);
	return ERR_OK;
}

/* A fate that nobody promises: what the receipt would be now. */
static enum err answer_simulate(struct perch *client, struct view body)
{
	struct simulate in;
	struct receipt *receipt = &client->decoded->receipt;
	struct perch_fate *out = &client->answer->fate;
	enum err err = simulate_decode(&in, body);

	if (err == ERR_OK)
		err = receipt_decode(receipt, in.receipt);
	if (err != ERR_OK)
		return err;
	memset(out, 0, sizeof(*out));
	out->chain = (unsigned)in.as_of.chain;
	out->as_of = in.as_of.height;
	out->as_of_time = (int64_t)in.as_of.time;
	out->receipt = in.receipt.data;
	out->receipt_size = in.receipt.size;
	return give_receipt(out, receipt);
}

static enum err answer_proof(struct perch *client, struct view body)
{
	enum err err = proof_decode(&client->decoded->proof, body);

	if (err != ERR_OK)
		return err;
	return prove_port(
		client, &client->decoded->proof, &client->answer->proof);
}

static enum err answer_ports(struct perch *client, struct view body)
{
	struct ports *in = &client->decoded->ports;
	struct perch_ports *out = &client->answer->ports;
	enum err err = ports_decode(in, body);

	if (err != ERR_OK)
		return err;
	read_as_of(&out->as_of, &in->as_of);
	out->count = in->ports_count;
	for (size_t i = 0; i < in->ports_count; i++)
		give_port(&out->ports[i], &in->ports[i]);
	return ERR_OK;
}

/* What each answer becomes. The union of answers begins where each of its
 * members does, so one pointer is all of them. */
static const struct {
	uint8_t wants;
	enum perch_event_type type;
	enum err (*read)(struct perch *client, struct view body);
} answers[] = {
	{MESSAGE_HEAD, PERCH_EVENT_HEAD, answer_head},
	{MESSAGE_BLOCKS, PERCH_EVENT_BLOCKS, answer_blocks},
	{MESSAGE_PEERS, PERCH_EVENT_PEERS, answer_peers},
	{MESSAGE_STATUS, PERCH_EVENT_STATUS, answer_status},
	{MESSAGE_STATE_CHUNK, PERCH_EVENT_STATE, answer_state},
	{MESSAGE_INQUIRE, PERCH_EVENT_INQUIRE, answer_inquire},
	{MESSAGE_TIMETABLE, PERCH_EVENT_TIMETABLE, answer_timetable},
	{MESSAGE_HISTORY, PERCH_EVENT_HISTORY, answer_history},
	{MESSAGE_SIMULATE, PERCH_EVENT_SIMULATE, answer_simulate},
	{MESSAGE_PROOF, PERCH_EVENT_PROOF, answer_proof},
	{MESSAGE_PORTS, PERCH_EVENT_PORTS, answer_ports},
	{MESSAGE_CERTIFICATE, PERCH_EVENT_CERTIFICATE, answer_certificate},
	{MESSAGE_EVIDENCE, PERCH_EVENT_EVIDENCE, answer_evidence},
};

enum err answer_read(struct perch *client, struct flight *flight,
	struct line *line, struct view body, struct perch_event *event,
	bool *told)
{
	if (flight->diverted)
		return answer_proof_of_fate(
			client, flight, line, body, event, told);
	if (flight->wants == MESSAGE_FATE)
		return answer_fate(client, flight, line, body, event, told);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		enum err err;

		if (answers[i].wants != flight->wants)
			continue;
		err = answers[i].read(client, body);
		if (err != ERR_OK)
			return err;
		event->fate = &client->answer->fate;
		tell(client, flight, line, answers[i].type, event);
		*told = true;
		return ERR_OK;
	}
	return ERR_TYPE;
}
