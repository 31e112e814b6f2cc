/* wallet/reservation.c -- `reservation`: the first prototypes' word. The ledger
 * itself picks the port's first free pad, from now, for the usual time.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Reserve a port's first free pad, from now, for the port's "
	       "usual time.",
	.words = "[PORT]",
	.words_max = 1,
	.examples = "  perch-wallet reservation haneda --config alice.conf",
};

int verb_reservation(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "reserved",
		.japanese = "予約しました",
	};
	const char *port;
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	port = wallet_text(wallet, "port");
	if (wallet->options.word_count == 1)
		port = wallet->options.words[0];
	perch_tx_start(&tx, PERCH_ALL);
	if (port == NULL || perch_tx_reservation(&tx, port) != PERCH_OK)
		wallet_refuse(wallet, "--port", "which port?",
			"ポートを指定してください");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
