/* observer/tell.c -- one JSON object a line, an event each; README.md lists the
 * fields.
 */
#include "observer.h"

#include <string.h>

#include "base/check.h"
#include "client/give.h"
#include "clock/clock.h"
#include "service/json.h"

enum { LINE_BYTES = 64 << 10 };

static struct json begin(char *buffer, const char *event)
{
	struct json json = json_of(buffer, LINE_BYTES);
	json_object(&json, NULL);
	json_text(&json, "event", event);
	return json;
}

/* A reader that went away ends the program with the next signal or line. */
static void finish(struct json *json)
{
	json_end(json);
	enum err err = json_print(json, stdout);
	CHECK(err != ERR_FULL); /* every line is bounded */
}

static void put_hash(
	struct json *json, const char *name, const struct perch_hash *hash)
{
	json_hex(json, name, view_of(hash, sizeof(*hash)));
}

/* An identity by its key, and by its name if it has one. */
static void put_who(struct json *json, const struct model *model,
	const char *key_name, const char *name_name,
	const struct perch_key *key)
{
	char room[12];
	const char *name = model_name(model, key, room);
	json_hex(json, key_name, view_of(key, sizeof(*key)));
	if (name == room)
		json_null(json, name_name);
	else
		json_text(json, name_name, name);
}

void tell_block(const struct observer *observer,
	const struct perch_block *block, size_t granted, size_t refused)
{
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "block");
	json_text(&json, "chain", model_chain_name(block->chain));
	json_number(&json, "height", (int64_t)block->height);
	put_hash(&json, "hash", &block->hash);
	put_hash(&json, "parent", &block->parent);
	json_number(&json, "time", block->time);
	put_who(&json, &observer->model, "proposer", "proposer_name",
		&block->proposer);
	put_hash(&json, "state_root", &block->state_root);
	json_number(&json, "txs", (int64_t)block->tx_count);
	json_number(&json, "granted", (int64_t)granted);
	json_number(&json, "refused", (int64_t)refused);
	finish(&json);
}

static const char *kind_word(int kind)
{
	static const char *const words[] = {"time", "reserve", "amend",
		"cancel", "reservation", "set_node", "confirm",
		"request_clearance", "clear", "revoke", "departed", "landed",
		"vacated", "go_around", "declare_emergency", "grant_tier",
		"set_party", "register_party", "register_port", "close_pad",
		"open_pad"};
	int count = sizeof(words) / sizeof(words[0]);
	return kind >= 0 && kind < count ? words[kind] : "unknown";
}

static void put_slot(
	struct json *json, const char *port, const struct perch_slot *slot)
{
	json_text(json, "port", port);
	json_text(json, "pad", slot->pad);
	json_number(json, "start", slot->start);
	json_number(json, "end", slot->end);
}

static void put_op(struct json *json, const struct perch_op *op)
{
	const struct perch_outcome *outcome = &op->outcome;
	json_object(json, NULL);
	json_text(json, "kind", kind_word(op->kind));
	json_text(json, "code", perch_refusal_name(outcome->code));
	if (outcome->has_reservation)
		json_hex(json, "reservation",
			view_of(&outcome->reservation,
				sizeof(outcome->reservation)));
	else if (op->kind == PERCH_OP_AMEND || op->kind == PERCH_OP_CANCEL)
		json_hex(json, "reservation",
			view_of(&op->reservation, sizeof(op->reservation)));
	else
		json_null(json, "reservation");
	if (outcome->has_slot)
		put_slot(json, outcome->port, &outcome->slot);
	else if (op->slot.end > 0)
		put_slot(json, op->port, &op->slot);
	json_end(json);
}

void tell_txs(const struct observer *observer, const struct perch_block *block)
{
	char buffer[LINE_BYTES];
	struct perch_block_tx tx;
	struct perch_op op;
	for (size_t i = 0; perch_block_tx_at(block, i, &tx); i++) {
		struct json json = begin(buffer, "tx");
		json_text(&json, "chain", model_chain_name(block->chain));
		json_number(&json, "height", (int64_t)block->height);
		json_number(&json, "index", (int64_t)i);
		json_number(&json, "time", block->time);
		json_hex(&json, "id", view_of(&tx.id, sizeof(tx.id)));
		put_hash(&json, "hash", &tx.hash);
		put_who(&json, &observer->model, "wallet", "operator",
			&tx.wallet);
		json_text(&json, "status", "final");
		json_text(&json, "mode", tx.mode == PERCH_ALL ? "all" : "each");
		json_text(&json, "code", perch_refusal_name(tx.code));
		json_array(&json, "ops");
		for (size_t j = 0; perch_block_op_at(block, i, j, &op); j++)
			put_op(&json, &op);
		json_end(&json);
		finish(&json);
	}
}

void tell_moves(const struct observer *observer,
	const struct perch_block *block, const struct moves *moves)
{
	char buffer[LINE_BYTES];
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		struct perch_reservation now;
		give_reservation(&now, &move->record);
		struct json json = begin(buffer, "slot");
		json_text(&json, "chain", model_chain_name(block->chain));
		json_number(&json, "height", (int64_t)block->height);
		json_number(&json, "time", block->time);
		json_hex(
			&json, "reservation", view_of(&now.id, sizeof(now.id)));
		json_text(&json, "from", perch_state_name((int)move->from));
		json_text(&json, "to", perch_state_name((int)move->to));
		json_text(&json, "cause", kind_word(move->cause));
		json_text(&json, "port", now.port);
		json_text(&json, "pad", now.pad);
		json_number(&json, "start", now.start);
		json_number(&json, "end", now.end);
		put_who(&json, &observer->model, "wallet", "operator",
			&now.operator_key);
		if (now.aircraft[0] != '\0')
			json_text(&json, "aircraft", now.aircraft);
		else
			json_null(&json, "aircraft");
		json_number(&json, "version", now.version);
		finish(&json);
	}
}

void tell_chain(const struct observer *observer, size_t node,
	const struct perch_chain_hint *hint, uint64_t lost, int64_t now)
{
	static const char *const words[] = {
		"unknown", "connected", "disconnected", "final"};
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "chain");
	json_text(&json, "node", observer->model.nodes[node].name);
	json_text(&json, "chain", model_chain_name(hint->chain));
	json_text(&json, "change",
		words[hint->event > 0 && hint->event < 4 ? hint->event : 0]);
	json_number(&json, "height", (int64_t)hint->height);
	put_hash(&json, "hash", &hint->hash);
	put_hash(&json, "parent", &hint->parent);
	if (lost == UINT64_MAX)
		json_null(&json, "lost");
	else
		json_number(&json, "lost", (int64_t)lost);
	json_number(&json, "time", now);
	finish(&json);
}

static void tell_fork(const struct observer *observer, const struct news *news)
{
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "fork");
	json_text(&json, "chain", model_chain_name(news->chain));
	json_text(&json, "node", observer->model.nodes[news->node].name);
	json_number(&json, "height", (int64_t)news->height);
	put_hash(&json, "hash", &news->hash);
	put_hash(&json, "beside", &news->other);
	json_number(&json, "time", news->time);
	finish(&json);
}

static void tell_reorganisation(
	const struct observer *observer, const struct news *news)
{
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "reorganisation");
	json_text(&json, "chain", model_chain_name(news->chain));
	json_text(&json, "node", observer->model.nodes[news->node].name);
	json_number(&json, "above", (int64_t)news->height);
	json_number(&json, "depth", (int64_t)news->depth);
	put_hash(&json, "left", &news->other);
	put_hash(&json, "joined", &news->hash);
	json_number(&json, "time", news->time);
	finish(&json);
}

void tell_news(struct observer *observer)
{
	const struct model *model = &observer->model;
	if (model->news_count - observer->told_news > MODEL_NEWS_MAX)
		observer->told_news = model->news_count - MODEL_NEWS_MAX;
	while (observer->told_news < model->news_count) {
		const struct news *news =
			&model->news[observer->told_news++ % MODEL_NEWS_MAX];
		if ((observer->tells & TELL_CHAIN) == 0)
			continue;
		if (news->what == NEWS_FORK)
			tell_fork(observer, news);
		else
			tell_reorganisation(observer, news);
	}
}

void tell_status(const struct observer *observer, size_t node,
	const struct perch_node_status *status)
{
	const struct model *model = &observer->model;
	char buffer[LINE_BYTES], room[12];
	struct json json = begin(buffer, "status");
	json_text(&json, "node", model->nodes[node].name);
	json_text(&json, "release", status->release);
	json_text(&json, "role", model_role(status->role));
	json_number(&json, "term", (int64_t)status->term);
	if (status->has_leader)
		json_text(&json, "leader",
			model_name(model, &status->leader, room));
	else
		json_null(&json, "leader");
	json_array(&json, "chains");
	for (size_t i = 0; i < status->chain_count; i++)
		tell_tower(&json, status->chains[i].chain,
			&model->nodes[node].towers[status->chains[i].chain %
						   MODEL_CHAINS]);
	json_end(&json);
	json_number(&json, "mempool", status->mempool);
	json_number(&json, "peers", status->peers);
	json_number(&json, "time", status->time);
	json_number(&json, "uptime", status->uptime);
	json_number(&json, "sent", (int64_t)status->sent);
	json_number(&json, "sent_bytes", (int64_t)status->sent_bytes);
	finish(&json);
}

void tell_tower(struct json *json, unsigned chain, const struct tower *tower)
{
	json_object(json, NULL);
	json_text(json, "chain", model_chain_name(chain));
	json_number(json, "height", (int64_t)tower->height);
	put_hash(json, "hash", &tower->hash);
	json_number(json, "final_height", (int64_t)tower->final_height);
	put_hash(json, "final_hash", &tower->final_hash);
	put_hash(json, "state_root", &tower->state_root);
	json_object(json, "numbers");
	for (size_t i = 0; i < tower->number_count; i++)
		json_number(json, tower->numbers[i].name,
			(int64_t)tower->numbers[i].value);
	json_end(json);
	json_number(json, "reorganisations", (int64_t)tower->reorganisations);
	json_number(json, "deepest", (int64_t)tower->deepest);
	json_end(json);
}

void tell_node(const struct observer *observer, size_t node)
{
	const struct seen_node *seen = &observer->model.nodes[node];
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "node");
	json_text(&json, "node", seen->name);
	json_bool(&json, "up", seen->seen == SEEN_UP);
	json_text(&json, "why", seen->why);
	json_number(&json, "time", seen->since);
	finish(&json);
}

void tell_alarm(const struct observer *observer)
{
	char buffer[LINE_BYTES];
	struct json json = begin(buffer, "alarm");
	json_text(&json, "text", observer->model.alarm);
	json_number(&json, "time", clock_wall());
	finish(&json);
}
