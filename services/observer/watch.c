/* observer/watch.c -- what the client tells, put into the model, checked, and
 * told on.
 */
#include "observer.h"

#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "ledger/block.h"

enum { SILENT_MS = 3500, TIMETABLE_MS = 1000 };

/* ---- blocks ---- */

/* How many operations were granted and how many not. */
static void count_ops(
	const struct block *block, size_t *granted, size_t *refused)
{
	*granted = *refused = 0;
	for (size_t i = 0; i < block->txs_count; i++) {
		struct tx_view tx;
		struct receipt receipt;
		if (tx_open(&tx, block->txs[i]) != ERR_OK ||
			receipt_decode(&receipt, block->receipts[i]) != ERR_OK)
			continue;
		if (receipt.code != 0)
			*refused += tx.body.ops_count;
		for (size_t j = 0; j < receipt.ops_count; j++)
			*(receipt.ops[j].code == 0 ? granted : refused) += 1;
	}
}

static const char *verb_of(int kind)
{
	static const char *const verbs[] = {"did", "reserved", "amended",
		"cancelled", "reserved", "changed a node", "confirmed",
		"asks for", "clears", "takes back", "saw leave", "saw land",
		"saw empty", "sends around",
		"has an emergency:", "granted a tier", "set a party",
		"registered a party", "registered a port", "closed", "opened"};
	int count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs[kind > 0 && kind < count ? kind : 0];
}

/* UTC; with seconds only when there are any. */
static const char *hour(char room[16], int64_t time)
{
	unsigned day = (unsigned)(time / 1000 % 86400);
	unsigned hours = day / 3600 % 24, minutes = day / 60 % 60;
	if (day % 60 == 0)
		snprintf(room, 16, "%02u:%02u", hours, minutes);
	else
		snprintf(room, 16, "%02u:%02u:%02u", hours, minutes, day % 60);
	return room;
}

/* "alice reserved haneda/a 02:50-02:55" */
static void note_op(struct observer *observer, const struct perch_block *block,
	const struct perch_block_tx *tx, const struct perch_op *op)
{
	struct model *model = &observer->model;
	struct perch_reservation old;
	struct perch_slot slot =
		op->outcome.has_slot ? op->outcome.slot : op->slot;
	const char *port = op->outcome.has_slot ? op->outcome.port : op->port;
	char room[12], from[16], to[16], where[130] = "", id[33], also[24] = "";
	bool refused = op->outcome.code != 0;
	const char *verb = verb_of(op->kind);
	if (op->kind == PERCH_OP_CANCEL || op->kind == PERCH_OP_AMEND) {
		if (observer->replay != NULL &&
			replay_find(observer->replay, &op->reservation, &old)) {
			port = old.port;
			if (op->kind == PERCH_OP_CANCEL) {
				memcpy(slot.pad, old.pad, sizeof(slot.pad));
				slot.start = old.start;
				slot.end = old.end;
			}
		}
	}
	if (op->kind == PERCH_OP_CLOSE_PAD && slot.start == 0)
		slot.start = block->time; /* at once */
	if (!refused && op->outcome.displaced > 0)
		snprintf(also, sizeof(also), ", displaces %u",
			op->outcome.displaced);
	if (slot.end > 0)
		snprintf(where, sizeof(where), " %s/%s %s-%s", port, slot.pad,
			hour(from, slot.start), hour(to, slot.end));
	else if (slot.pad[0] != '\0')
		snprintf(where, sizeof(where), " %s/%s %s", port, slot.pad,
			op->aircraft);
	else if (op->kind != PERCH_OP_SET_NODE)
		snprintf(where, sizeof(where), " %s%.8s", port,
			*port != '\0' ? ""
				      : perch_hex(id, &op->reservation, 16));
	model_note(model, block->time, refused, "%s %s%s%s%s%s",
		model_name(model, &tx->wallet, room),
		refused ? "refused:" : verb, where, refused ? " " : "",
		refused ? perch_refusal_name(op->outcome.code) : "", also);
}

/* Only as many as are kept: the last ones. */
static void note_block(
	struct observer *observer, const struct perch_block *block)
{
	size_t ops = 0, first = block->tx_count;
	struct perch_block_tx tx;
	struct perch_op op;
	while (first > 0 && ops < MODEL_NOTES_MAX / 4 &&
		perch_block_tx_at(block, first - 1, &tx)) {
		ops += tx.op_count;
		first--;
	}
	for (size_t i = first; i < block->tx_count; i++) {
		if (!perch_block_tx_at(block, i, &tx))
			return;
		for (size_t j = 0; j < tx.op_count; j++) {
			if (perch_block_op_at(block, i, j, &op))
				note_op(observer, block, &tx, &op);
		}
	}
}

static void credit(struct model *model, const struct block *block)
{
	for (size_t i = 0; i < block->txs_count; i++) {
		struct tx_view tx;
		struct receipt receipt;
		struct perch_key key;
		if (tx_open(&tx, block->txs[i]) != ERR_OK ||
			receipt_decode(&receipt, block->receipts[i]) != ERR_OK)
			continue;
		memcpy(&key, &tx.body.wallet, sizeof(key));
		int party = model_party(model, &key);
		for (size_t j = 0; party >= 0 && j < receipt.ops_count; j++)
			model->parties[party].granted +=
				receipt.ops[j].code == 0;
	}
}

static void execute(struct observer *observer, const struct perch_block *block)
{
	char hash[65];
	enum err err = replay_block(observer->replay, block);
	const char *never = replay_never(observer->replay);
	if (err == ERR_OK && never != NULL)
		model_alarm(&observer->model,
			"block %llu (%.10s) does what must never happen: %s",
			(unsigned long long)block->height,
			perch_hex(hash, &block->hash, 32), never);
	if (err == ERR_OK)
		return;
	model_alarm(&observer->model,
		"block %llu (%.10s) is not what it says: %s. Stop granting on "
		"it and compare the nodes' releases",
		(unsigned long long)block->height,
		perch_hex(hash, &block->hash, 32), err_text(err));
	perch_unfollow(observer->client);
}

static void on_block(struct observer *observer, const struct perch_block *block)
{
	static struct block decoded;
	size_t granted, refused;
	/* Verified by the client, so it decodes. */
	if (block_decode(&decoded, view_of(block->bytes, block->size)) !=
		ERR_OK)
		return;
	if (!observer->has_evaluator)
		observer->model.is_stale = observer->replay == NULL;
	count_ops(&decoded, &granted, &refused);
	credit(&observer->model, &decoded);
	if (observer->tell_from == 0)
		observer->tell_from = block->final_height + 1;
	bool is_old = block->height < observer->tell_from;
	if (observer->screen || (observer->tells == 0 && !is_old))
		note_block(observer, block);
	if (observer->replay != NULL)
		execute(observer, block);
	model_block(&observer->model, block, granted, refused);
	if (is_old)
		return;
	if (observer->tells & TELL_BLOCK)
		tell_block(observer, block, granted, refused);
	if (observer->tells & TELL_TX)
		tell_txs(observer, block);
	if ((observer->tells & TELL_SLOT) && observer->replay != NULL)
		tell_moves(observer, block, replay_moves(observer->replay));
}

/* Where those look who see no view. */
static void say_stalled(struct observer *observer, const char *why)
{
	model_note(&observer->model, clock_wall(), true,
		"blocks do not come: %s", why);
	if (observer->tells != 0)
		fprintf(stderr, "perch-observer: blocks do not come: %s\n",
			why);
}

/* The nodes may have no more the blocks from the first on. */
static void on_stalled(struct observer *observer, enum perch_err err)
{
	struct model *model = &observer->model;
	bool are_gone = err == PERCH_ERR_BEHIND || err == PERCH_ERR_NOT_FOUND;
	if (!observer->has_evaluator)
		model->is_stale = true;
	if (!are_gone || model->height > 0) {
		say_stalled(observer, perch_err_text(err));
		return;
	}
	say_stalled(observer,
		observer->tells == 0
			? "nobody has the first ones any more; for the "
			  "timetable give --evaluator"
			: "nobody has the first ones any more; give a later "
			  "--from, or follow another topic than slot");
	if (observer->replay == NULL)
		return;
	observer->replay = NULL;
	err = perch_follow(observer->client, 0, NULL);
	(void)err; /* there are nodes: that is all it wants */
}

/* ---- nodes ---- */

static void on_status(struct observer *observer, size_t node,
	const struct perch_node_status *status)
{
	bool was_up = observer->model.nodes[node].seen == SEEN_UP;
	observer->heard_at[node] = clock_monotonic();
	observer->answered = true;
	model_status(&observer->model, node, status, clock_wall());
	evidence_status(observer, node, status);
	tell_news(observer);
	if (!was_up && (observer->tells & TELL_NODE))
		tell_node(observer, node);
	if (observer->tells & TELL_STATUS)
		tell_status(observer, node, status);
}

static void on_chain(struct observer *observer, const struct perch_event *event)
{
	int64_t now = clock_wall();
	if (observer->tells & TELL_CHAIN)
		tell_chain(observer, (size_t)event->node, event->chain_hint,
			event->lost, now);
	model_chain(
		&observer->model, (size_t)event->node, event->chain_hint, now);
	tell_news(observer);
}

static void goes_down(struct observer *observer, size_t node, const char *why)
{
	bool was_down = observer->model.nodes[node].seen == SEEN_DOWN;
	model_link(&observer->model, node, false, why, clock_wall());
	if (!was_down && (observer->tells & TELL_NODE))
		tell_node(observer, node);
}

static void on_node(struct observer *observer, int node)
{
	struct perch_node_info info;
	uint64_t request;
	if (node < 0 || !perch_node_at(observer->client, node, &info))
		return;
	if (info.link == PERCH_DOWN)
		goes_down(observer, (size_t)node, info.why);
	else if (info.link == PERCH_UP &&
		 perch_ask_status(observer->client, (size_t)node, &request) !=
			 PERCH_OK)
		return; /* its heartbeat will tell */
}

static void on_timetable(
	struct observer *observer, const struct perch_timetable *timetable)
{
	struct model *model = &observer->model;
	if (model->is_stale)
		model_note(model, clock_wall(), false, "the evaluator answers");
	model->is_stale = false;
	model_bookings_clear(model, timetable->port.name);
	model_port(model, &timetable->port);
	for (size_t i = 0; i < timetable->count; i++)
		model_booking(model, &timetable->reservations[i]);
}

static void on_no_timetable(
	struct observer *observer, const struct perch_failure *failure)
{
	struct model *model = &observer->model;
	if (!model->is_stale)
		model_note(model, clock_wall(), true, "the evaluator: %s",
			failure == NULL ? "no answer" : failure->text);
	model->is_stale = true;
	observer->ask_at = clock_monotonic() + TIMETABLE_MS;
}

/* The evaluator is asked for one port after another. */
static void ask_timetable(struct observer *observer, time_ms now)
{
	const struct genesis *genesis = observer->genesis;
	char name[PERCH_NAME_MAX + 1];
	if (!observer->has_evaluator || observer->question != 0 ||
		now < observer->ask_at || genesis->port_count == 0)
		return;
	const struct view *port = &genesis->ports[observer->asked_port].name;
	snprintf(name, sizeof(name), "%.*s", (int)port->size,
		(const char *)port->data);
	if (perch_timetable(observer->client, name, clock_wall(),
		    &observer->question) != PERCH_OK)
		return;
	observer->asked_port = (observer->asked_port + 1) % genesis->port_count;
	if (observer->asked_port == 0)
		observer->ask_at = now + TIMETABLE_MS;
}

void watch_tick(struct observer *observer)
{
	time_ms now = clock_monotonic();
	ask_timetable(observer, now);
	for (size_t i = 0; i < observer->model.node_count; i++) {
		if (observer->model.nodes[i].seen == SEEN_UP &&
			now - observer->heard_at[i] > SILENT_MS)
			goes_down(observer, i, "connected, but silent");
	}
}

void watch_event(struct observer *observer, const struct perch_event *event)
{
	if (event->request != 0 && event->request == observer->question) {
		observer->question = 0;
		if (event->type == PERCH_EVENT_FAILED)
			on_no_timetable(observer, event->failure);
	}
	switch (event->type) {
	case PERCH_EVENT_NODE:
		on_node(observer, event->node);
		return;
	case PERCH_EVENT_STATUS:
	case PERCH_EVENT_HINT_STATUS:
		on_status(observer, (size_t)event->node, event->status);
		return;
	case PERCH_EVENT_HINT_CHAIN:
		on_chain(observer, event);
		return;
	case PERCH_EVENT_BLOCK:
		on_block(observer, event->block);
		return;
	case PERCH_EVENT_STALLED:
		on_stalled(observer, event->err);
		return;
	case PERCH_EVENT_EVIDENCE:
		evidence_event(observer, (size_t)event->node, event->evidence);
		return;
	case PERCH_EVENT_TIMETABLE:
		on_timetable(observer, event->timetable);
		return;
	case PERCH_EVENT_NONE:
	case PERCH_EVENT_WAKE:
	case PERCH_EVENT_FATE:
	case PERCH_EVENT_UNDONE:
	case PERCH_EVENT_FAILED:
	case PERCH_EVENT_HEAD:
	case PERCH_EVENT_BLOCKS:
	case PERCH_EVENT_PEERS:
	case PERCH_EVENT_STATE:
	case PERCH_EVENT_INQUIRE:
	case PERCH_EVENT_HISTORY:
	case PERCH_EVENT_SIMULATE:
	case PERCH_EVENT_PROOF:
	case PERCH_EVENT_PORTS:
	case PERCH_EVENT_CERTIFICATE:
	case PERCH_EVENT_HINT_TX:
	case PERCH_EVENT_HINT_SLOT:
		return;
	}
}
