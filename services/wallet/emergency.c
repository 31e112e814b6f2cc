/* wallet/emergency.c -- `emergency`: what was planned does not hold any more.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "where it wants to land", NULL, false},
	{"pad", "NAME", "on which pad", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Declare an emergency: nothing else is asked, no quota, no "
	       "proof. The reservation becomes contingent and keeps its place, "
	       "or takes the pad that is named, even over others.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet emergency 5f0c... --port haneda --pad A "
		    "--config alice.conf",
};

int verb_emergency(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the emergency is on the ledger",
		.japanese = "緊急事態を宣言しました",
	};
	struct perch_id id;
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_declare_emergency(&tx, &id, wallet_text(wallet, "port"),
		    wallet_text(wallet, "pad")) != PERCH_OK)
		wallet_refuse(wallet, "--port --pad",
			"name both, a port and a pad, or neither",
			"ポートとパッドは両方を指定するか、どちらも省いてくださ"
			"い");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
