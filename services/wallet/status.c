/* wallet/status.c -- `status`: what became of a transaction, or how a
 * reservation stands.
 */
#include "lookup.h"

#include <inttypes.h>
#include <stdio.h>

static const struct setting own[] = {
	{"wallet", "KEY", "whose transaction, if not this wallet's", NULL,
		false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "What became of a transaction (any node knows), or how a "
	       "reservation stands (the evaluator knows).",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet status 5f0c... --config alice.conf",
};

static int print_reservation(
	const struct wallet *wallet, const struct perch_reservation *r)
{
	struct json json;

	if (!wallet->json) {
		printf("%s %s\n", wallet_say(wallet, "reservation:", "予約:"),
			perch_state_name(r->state));
		wallet_print_reservation(wallet, r);
		return EXIT_GRANTED;
	}
	json = wallet_json();
	json_hex(&json, "id", view_of(&r->id, sizeof(r->id)));
	json_text(&json, "status", "final");
	json_text(&json, "result", "granted");
	json_text(&json, "code", perch_state_name(r->state));
	json_text(&json, "text", perch_state_name(r->state));
	json_number(&json, "height", (int64_t)r->height);
	json_array(&json, "receipts");
	json_end(&json);
	wallet_json_reservation(&json, "reservation", r);
	wallet_json_print(&json);
	return EXIT_GRANTED;
}

int verb_status(struct wallet *wallet, int argc, char **argv)
{
	struct perch_reservation reservation;
	struct perch_key owner;
	struct perch_event event;
	struct perch_id id;
	struct result result;
	const char *text;
	bool found = false;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	text = wallet_text(wallet, "wallet");
	if (text != NULL &&
		perch_unhex(&owner, sizeof(owner), text) != PERCH_OK)
		wallet_refuse(wallet, "--wallet", "a key is 64 hex digits",
			"鍵は16進数64桁です");
	wallet_open(wallet, NEED_NODES);
	code = lookup_tx(
		wallet, text == NULL ? NULL : &owner, &id, &event, &found);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	result = wallet_judge(wallet, event.fate);
	if (!found && wallet->has_evaluator) {
		code = lookup_reservation(wallet, &id, &reservation, &found);
		if (code != EXIT_GRANTED)
			return wallet_close(wallet, code);
		if (found)
			return wallet_close(wallet,
				print_reservation(wallet, &reservation));
	}
	return wallet_close(wallet, wallet_say_result(wallet, &result));
}
