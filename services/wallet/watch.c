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
	       "block is verified; none is left out.",
	.examples = "  perch-wallet watch --config alice.conf\n"
		    "  perch-wallet watch --height 1 --json",
};

static const char *kind_name(int kind)
{
	static const char *const names[] = {
		"?", "reserve", "amend", "cancel", "reservation", "set_node"};

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

int verb_watch(struct wallet *wallet, int argc, char **argv)
{
	struct perch_event event;
	uint64_t height;

	wallet_read(wallet, &manual, own, argc, argv);
	height = options_number(&wallet->options, "height", 0, INT64_MAX);
	wallet_open(wallet, NEED_NODES);
	if (perch_follow(wallet->client, height, NULL) != PERCH_OK)
		return wallet_close(wallet, EXIT_USAGE);
	for (;;) {
		perch_next(wallet->client, &event, -1);
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
