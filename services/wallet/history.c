/* wallet/history.c -- `history`: every move of a reservation, a wallet or a
 * port, oldest first.
 */
#include "lookup.h"

#include <inttypes.h>
#include <stdio.h>

static const struct setting own[] = {
	{"port", "NAME", "of this port", NULL, false},
	{"wallet", "KEY", "of this wallet", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Every move of a reservation (ID), of a port, or of a wallet; "
	       "without any of them, of this wallet.",
	.words = "[ID]",
	.words_max = 1,
	.examples = "  perch-wallet history --config alice.conf\n"
		    "  perch-wallet history --port haneda --json",
};

/* What is asked for: one of them. */
struct subject {
	bool has_id, has_key;
	struct perch_id id;
	struct perch_key key;
	const char *port;
};

static void read_subject(struct wallet *wallet, struct subject *subject)
{
	const char *text = wallet_text(wallet, "wallet");

	subject->port = wallet_text(wallet, "port");
	subject->has_id = wallet->options.word_count == 1;
	if (subject->has_id)
		subject->id = wallet_id(wallet, wallet->options.words[0]);
	subject->has_key = text != NULL;
	if (text != NULL && perch_unhex(&subject->key, sizeof(subject->key),
				    text) != PERCH_OK)
		wallet_refuse(wallet, "--wallet", "a key is 64 hex digits",
			"鍵は16進数64桁です");
	if (subject->has_id + subject->has_key + (subject->port != NULL) > 1)
		wallet_refuse(wallet, "ID --port --wallet",
			"one of them at a time", "どれか一つにしてください");
}

static void say_move(const struct wallet *wallet, const struct perch_move *move)
{
	struct json json;
	char when[64];

	if (!wallet->json) {
		printf("%s  %s -> %s\n", wallet_show_time(when, move->time),
			perch_state_name(move->from),
			perch_state_name(move->to));
		wallet_print_reservation(wallet, &move->reservation);
		return;
	}
	json = wallet_json();
	json_number(&json, "sequence", (int64_t)move->sequence);
	json_number(&json, "height", (int64_t)move->height);
	json_number(&json, "time", move->time);
	json_text(&json, "from", perch_state_name(move->from));
	json_text(&json, "to", perch_state_name(move->to));
	json_number(&json, "cause", move->cause);
	wallet_json_reservation(&json, "reservation", &move->reservation);
	wallet_json_print(&json);
}

int verb_history(struct wallet *wallet, int argc, char **argv)
{
	struct subject subject;
	struct perch_event event;
	uint64_t after = 0, request;
	bool more = true;

	wallet_read(wallet, &manual, own, argc, argv);
	read_subject(wallet, &subject);
	wallet_open(wallet,
		NEED_EVALUATOR | (subject.has_id || subject.has_key ||
							 subject.port != NULL
						 ? 0
						 : (unsigned)NEED_KEY));
	wallet_catch_up(wallet);
	if (!subject.has_id && !subject.has_key && subject.port == NULL) {
		subject.has_key = true;
		subject.key = perch_self(wallet->client);
	}
	while (more) {
		if (perch_history(wallet->client,
			    subject.has_id ? &subject.id : NULL,
			    subject.has_key ? &subject.key : NULL, subject.port,
			    after, &request) != PERCH_OK)
			wallet_refuse(wallet, "--port",
				"a name is 1 to 32 letters, digits, _ or -",
				"名前は英数字と _ - で1から32文字です");
		if (!wallet_wait(wallet, request, &event))
			return wallet_close(wallet, EXIT_UNKNOWN);
		if (event.type != PERCH_EVENT_HISTORY)
			return wallet_close(
				wallet, wallet_say_failure(wallet, &event));
		for (size_t i = 0; i < event.history->count; i++) {
			say_move(wallet, &event.history->moves[i]);
			after = event.history->moves[i].sequence;
		}
		more = event.history->more && event.history->count > 0;
	}
	if (after == 0 && subject.has_id)
		return wallet_close(wallet, lookup_say_none(wallet));
	if (after == 0 && !wallet->json)
		puts(wallet_say(wallet, "nothing has happened yet",
			"まだ何もありません"));
	return wallet_close(wallet, EXIT_GRANTED);
}
