/* wallet/open_pad.c -- `open-pad`: a pad has no closure any more.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, true},
	{"pad", "NAME", "the pad", NULL, true},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Open a pad that was closed, or is going to be. Signed by the "
	       "port's controller or the authority.",
	.examples = "  perch-wallet open-pad --port haneda --pad A --config "
		    "authority.conf",
};

int verb_open_pad(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the pad is open",
		.japanese = "パッドを開放しました",
	};
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_open_pad(&tx, wallet_text(wallet, "port"),
		    wallet_text(wallet, "pad")) != PERCH_OK)
		wallet_refuse(wallet, "--port --pad",
			"names are 1 to 32 letters, digits, _ or -",
			"名前は英数字と _ - で1から32文字です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
