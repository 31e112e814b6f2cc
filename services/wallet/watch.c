/* wallet/watch.c -- `watch`: final blocks as they come, in order, verified,
 * with what every operation asked for and got. Any node is enough.
 */
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct setting own[] = {
	{"height", "N", "from this height on; without, from now on", "0",
		false},
	{"port", "NAME", "operations on this port only", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Show every operation of every final block, as it comes. Each "
	       "block is verified; none is left out. With --wait ordered also "
	       "what a node says of this wallet's transactions before that: "
	       "ordered, or undone.",
	.examples = "  perch-wallet watch --config alice.conf\n"
		    "  perch-wallet watch --height 1 --json\n"
		    "  perch-wallet watch --wait ordered --config alice.conf",
};

static const char *kind_name(int kind)
{
	static const char *const names[] = {"?", "reserve", "amend", "cancel",
		"reservation", "set_node", "confirm", "request_clearance",
		"clear", "revoke", "departed", "landed", "vacated", "go_around",
		"declare_emergency", "grant_tier", "set_party",
		"register_party", "register_port", "close_pad", "open_pad"};

	if (kind < 0 || (size_t)kind >= sizeof(names) / sizeof(names[0]))
		return "?";
	return names[kind];
}

static void say_op(const struct wallet *wallet, const struct perch_block *block,
	const struct perch_block_tx *tx, const struct perch_op *op)
{
	const struct perch_outcome *outcome = &op->outcome;
	const struct perch_slot *slot =
		outcome->has_slot ? &outcome->slot : &op->slot;
	char hex[33], when[160];
	struct json json;

	perch_hex(hex, &tx->id, sizeof(tx->id));
	if (!wallet->json) {
		printf("%" PRIu64 "  %s  %s: %s  %s %s\n", block->height, hex,
			kind_name(op->kind), perch_refusal_name(outcome->code),
			outcome->has_slot ? outcome->port : op->port,
			slot->start == 0 ? "" : wallet_show_slot(when, slot));
		fflush(stdout);
		return;
	}
	json = wallet_json();
	json_number(&json, "height", (int64_t)block->height);
	json_number(&json, "time", block->time);
	json_text(&json, "id", hex);
	json_hex(&json, "wallet", view_of(&tx->wallet, sizeof(tx->wallet)));
	json_text(&json, "op", kind_name(op->kind));
	json_array(&json, "receipts");
	wallet_json_outcome(wallet, &json, outcome);
	json_end(&json);
	wallet_json_print(&json);
}

static void say_block(
	const struct wallet *wallet, const struct perch_block *block)
{
	const char *port = wallet_text(wallet, "port");

	for (size_t i = 0; i < block->tx_count; i++) {
		struct perch_block_tx tx;
		struct perch_op op;

		if (!perch_block_tx_at(block, i, &tx))
			continue;
		for (size_t j = 0; j < tx.op_count; j++) {
			if (!perch_block_op_at(block, i, j, &op))
				continue;
			if (port == NULL || strcmp(port, op.port) == 0 ||
				strcmp(port, op.outcome.port) == 0)
				say_op(wallet, block, &tx, &op);
		}
	}
}

/* Of a block that is not final: on the node's chain now, or gone from it. */
static void say_steps(
	const struct wallet *wallet, const struct perch_tx_hint *hint)
{
	struct perch_key self = perch_self(wallet->client);

	for (size_t i = 0; i < hint->count; i++) {
		enum perch_status status = hint->steps[i].status;
		const char *code = perch_refusal_name(hint->steps[i].code);
		char hex[33];
		struct json json;

		if (status == PERCH_FINAL || status == PERCH_UNKNOWN ||
			memcmp(&hint->steps[i].wallet, &self, sizeof(self)) !=
				0)
			continue;
		if (status == PERCH_RECEIVED)
			code = "undone";
		perch_hex(hex, &hint->steps[i].id, sizeof(struct perch_id));
		if (!wallet->json) {
			printf("%" PRIu64 "  %s  %s: %s\n",
				hint->steps[i].height, hex,
				perch_status_name(status), code);
			fflush(stdout);
			continue;
		}
		json = wallet_json();
		json_number(&json, "height", (int64_t)hint->steps[i].height);
		json_text(&json, "id", hex);
		json_text(&json, "status", perch_status_name(status));
		json_text(&json, "code", code);
		json_text(&json, "chain", hint->chain == 0 ? "ordered" : "pow");
		wallet_json_print(&json);
	}
}

/* The node that --node names, which is one of the genesis. */
static size_t preferred(const struct wallet *wallet)
{
	const char *name = wallet_text(wallet, "node");

	for (size_t i = 0; name != NULL && i < wallet->network.node_count;
		i++) {
		if (strcmp(wallet->network.nodes[i].name, name) == 0)
			return i;
	}
	return 0;
}

/* What one node publishes; the next one's when it goes. */
static void listen(struct wallet *wallet, size_t *node, bool next)
{
	size_t count = perch_node_count(wallet->client);

	for (size_t i = 0; i < count; i++) {
		if (next &&
			perch_subscribe(wallet->client, *node, 0) != PERCH_OK)
			return;
		if (next)
			*node = (*node + 1) % count;
		next = true;
		perch_prefer(wallet->client, *node);
		if (perch_subscribe(wallet->client, *node, PERCH_TOPIC_TX) ==
			PERCH_OK)
			return;
	}
}

int verb_watch(struct wallet *wallet, int argc, char **argv)
{
	struct perch_event event;
	struct perch_node_info info;
	uint64_t height;
	size_t node = 0;
	bool steps;

	wallet_read(wallet, &manual, own, argc, argv);
	height = options_number(&wallet->options, "height", 0, INT64_MAX);
	wallet_open(wallet, NEED_NODES);
	if (perch_follow(wallet->client, height, NULL) != PERCH_OK)
		return wallet_close(wallet, EXIT_USAGE);
	steps = wallet->wait == PERCH_ORDERED;
	if (steps) {
		node = preferred(wallet);
		listen(wallet, &node, false);
	}
	for (;;) {
		perch_next(wallet->client, &event, -1);
		if (steps && event.type == PERCH_EVENT_HINT_TX &&
			event.tx_hint->chain == options_chain(&wallet->options))
			say_steps(wallet, event.tx_hint);
		if (steps && event.type == PERCH_EVENT_NODE &&
			event.node == (int)node &&
			perch_node_at(wallet->client, event.node, &info) &&
			info.link == PERCH_DOWN)
			listen(wallet, &node, true);
		if (event.type == PERCH_EVENT_BLOCK)
			say_block(wallet, event.block);
		else if (event.type == PERCH_EVENT_STALLED)
			fprintf(stderr, "%s: %s: %s\n", wallet->program,
				perch_err_name(event.err),
				wallet_err_text(wallet, event.err));
		else if (event.type == PERCH_EVENT_WAKE)
			return wallet_close(wallet, EXIT_GRANTED);
		if (ferror(stdout))
			return wallet_close(wallet, EXIT_GRANTED);
	}
}
