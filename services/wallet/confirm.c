/* wallet/confirm.c -- `confirm`: keep what is held, and the other half of its
 * pair, before it lapses.
 */
#include "lookup.h"

static const struct setting own[] = {{0}};

static const struct verb_manual manual = {
	.doc = "Keep a reservation that is held, and the other half of its "
	       "pair. Without it, it lapses.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet confirm 5f0c... --config alice.conf",
};

int verb_confirm(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "reserved",
		.japanese = "予約しました",
	};
	struct perch_reservation held;
	struct perch_id id;
	struct perch_tx tx;
	bool found;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	wallet_open(wallet, NEED_NODES | NEED_KEY | NEED_EVALUATOR);
	code = lookup_reservation(wallet, &id, &held, &found);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	if (!found)
		return wallet_close(wallet, lookup_say_none(wallet));
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_confirm(&tx, &id, held.version) != PERCH_OK)
		return wallet_close(wallet, EXIT_USAGE);
	return wallet_submit(wallet, &tx, &done);
}
