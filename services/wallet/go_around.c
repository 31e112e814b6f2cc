/* wallet/go_around.c -- `go-around`: an arrival does not land now.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "where it lands instead; without, its alternate", NULL,
		false},
	{"pad", "NAME", "on which pad", NULL, false},
	{"from", "TIME", "from when on", "+1m", false},
	{"for", "TIME", "how long", "5m", false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "An arrival does not land: it takes the window that is named, "
	       "or its alternate, or else it becomes contingent and keeps the "
	       "place it has.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet go-around 5f0c... --port haneda --pad B "
		    "--from +2m --for 5m \\\n"
		    "      --config alice.conf",
};

int verb_go_around(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "it has a place to land",
		.japanese = "着陸場所を変更しました",
	};
	struct perch_id id;
	struct perch_tx tx;
	int64_t start;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	start = wallet_time(wallet, "from");
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_go_around(&tx, &id, wallet_text(wallet, "port"),
		    wallet_text(wallet, "pad"), start,
		    start + wallet_duration(wallet, "for")) != PERCH_OK)
		wallet_refuse(wallet, "--port --pad",
			"name both, a port and a pad, or neither",
			"ポートとパッドは両方を指定するか、どちらも省いてくださ"
			"い");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
