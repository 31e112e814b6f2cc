/* wallet/pair.c -- `pair`: take-off here and landing there, or neither.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"port", "NAME", "where it takes off", NULL, true},
	{"pad", "NAME", "from which pad", NULL, true},
	{"from", "TIME", "the take-off's window starts", "+10m", false},
	{"to-port", "NAME", "where it lands", NULL, true},
	{"to-pad", "NAME", "on which pad", NULL, true},
	{"arrive", "TIME", "the landing's window starts", NULL, true},
	{"for", "TIME", "how long each window is", "5m", false},
	{"aircraft", "SERIAL", "of the aircraft (F3411)", NULL, false},
	{"alternate", "PLACE", "PORT/PAD, where it lands if need be", NULL,
		false},
	{"tier", "N", "0 to 7: displaces lower ones", "0", false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Reserve a take-off and a landing, linked for life: both or "
	       "neither.",
	.examples = "  perch-wallet pair --port haneda --pad A --from +10m "
		    "\\\n"
		    "      --to-port kansai --to-pad B --arrive +70m \\\n"
		    "      --aircraft JA01XY --config alice.conf",
};

int verb_pair(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "both reserved",
		.japanese = "離陸と着陸の両方を予約しました",
	};
	struct perch_reserve departure = {0}, arrival = {0};
	struct wallet_place alternate;
	struct perch_tx tx;
	int64_t duration;

	wallet_read(wallet, &manual, own, argc, argv);
	duration = wallet_duration(wallet, "for");
	departure.port = wallet_text(wallet, "port");
	departure.pad = wallet_text(wallet, "pad");
	departure.aircraft = wallet_text(wallet, "aircraft");
	departure.start = wallet_time(wallet, "from");
	departure.end = departure.start + duration;
	arrival.port = wallet_text(wallet, "to-port");
	arrival.pad = wallet_text(wallet, "to-pad");
	arrival.aircraft = departure.aircraft;
	departure.tier = arrival.tier =
		(unsigned)options_number(&wallet->options, "tier", 0, 7);
	if (!wallet_place(wallet, "alternate", &alternate))
		wallet_refuse(wallet, "--alternate", "a place is PORT/PAD",
			"場所は PORT/PAD の形です");
	arrival.alternate_port = alternate.port;
	arrival.alternate_pad = alternate.pad;
	arrival.start = wallet_time(wallet, "arrive");
	arrival.end = arrival.start + duration;
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_pair(&tx, &departure, &arrival) != PERCH_OK)
		wallet_refuse(wallet, "--port --pad --to-port --to-pad",
			"names are 1 to 32 letters, digits, _ or -; the times "
			"are before 2100",
			"名前は英数字と _ - で1から32文字、"
			"時刻は2100年より前です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
