/* wallet/close_pad.c -- `close-pad`: nothing new and no clearance there.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, true},
	{"pad", "NAME", "the pad", NULL, true},
	{"from", "TIME",
		"at least 10 minutes from now; without, at once, with a reason",
		NULL, false},
	{"until", "TIME", "without, until it is opened", NULL, false},
	{"reason", "TEXT", "why, for a closure at once", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Close a pad. Reservations in the closure go to their "
	       "alternates or end; who is in the air is diverted. A pad has "
	       "one closure, and a new one opens nothing: closed at once, it "
	       "stays closed until both are over; another one is planned "
	       "after open-pad only. Signed by the port's controller or the "
	       "authority.",
	.examples = "  perch-wallet close-pad --port haneda --pad A --reason "
		    "ice \\\n"
		    "      --config authority.conf\n"
		    "  perch-wallet close-pad --port haneda --pad A --from "
		    "+1h --until +3h \\\n"
		    "      --config authority.conf",
};

static int64_t or_zero(int64_t time)
{
	return time < 0 ? 0 : time;
}

int verb_close_pad(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the pad is closed",
		.japanese = "パッドを閉鎖しました",
	};
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_close_pad(&tx, wallet_text(wallet, "port"),
		    wallet_text(wallet, "pad"),
		    or_zero(wallet_time(wallet, "from")),
		    or_zero(wallet_time(wallet, "until")),
		    wallet_text(wallet, "reason")) != PERCH_OK)
		wallet_refuse(wallet, "--port --pad --reason",
			"names are 1 to 32 letters, digits, _ or -; a reason "
			"is at most 64 bytes",
			"名前は英数字と _ - で1から32文字、"
			"理由は64バイト以内です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
