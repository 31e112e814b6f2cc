/* wallet/amend.c -- `amend`: move a reservation. What is not said stays as it
 * is, and if the new place is refused, the old one stays, too.
 */
#include "lookup.h"

#include <string.h>

static const struct setting own[] = {
	{"pad", "NAME", "another pad of the same port", NULL, false},
	{"from", "TIME", "another start", NULL, false},
	{"for", "TIME", "another length", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Move a reservation to another window or pad. What is not "
	       "given stays; if the ledger refuses, the old one stays.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet amend 5f0c... --from +20m --config "
		    "alice.conf",
};

/* Nothing is signed that was not read: two who amend at once do not overwrite
 * each other (the version). */
static int read_old(struct wallet *wallet, const struct perch_id *id,
	struct perch_reservation *old)
{
	bool found;
	int code = lookup_reservation(wallet, id, old, &found);

	return code == EXIT_GRANTED && !found ? lookup_say_none(wallet) : code;
}

int verb_amend(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "amended",
		.japanese = "変更しました",
	};
	struct perch_reservation old;
	struct perch_id id;
	struct perch_tx tx;
	int64_t start, duration;
	const char *pad;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	start = wallet_time(wallet, "from");
	duration = wallet_duration(wallet, "for");
	pad = wallet_text(wallet, "pad");
	if (pad == NULL && start < 0 && duration < 0)
		wallet_refuse(wallet, "--from --for --pad",
			"what shall be different?",
			"変更する内容を指定してください");
	wallet_open(wallet, NEED_NODES | NEED_KEY | NEED_EVALUATOR);
	code = read_old(wallet, &id, &old);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	if (pad == NULL)
		pad = old.pad;
	if (start < 0)
		start = old.start;
	if (duration < 0)
		duration = old.end - old.start;
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_amend(&tx, &id, old.version, pad, start,
		    start + duration) != PERCH_OK)
		wallet_refuse(wallet, pad, "not a name of a pad",
			"パッドの名前ではありません");
	return wallet_submit(wallet, &tx, &done);
}
