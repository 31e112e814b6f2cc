/* wallet/request_clearance.c -- `request-clearance`: ask the port to let an
 * aircraft take off or land. The controller answers with a clearance, or not at
 * all.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"aircraft", "SERIAL", "when the reservation names none", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Ask the controller of the port for a clearance. The answer is "
	       "the controller's: see it with history or status.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples =
		"  perch-wallet request-clearance 5f0c... --config alice.conf",
};

int verb_request_clearance(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "asked; the controller answers",
		.japanese = "申請しました。管制者の返答をお待ちください",
	};
	struct perch_id id;
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_request_clearance(&tx, &id, (uint64_t)perch_now(),
		    wallet_text(wallet, "aircraft")) != PERCH_OK)
		wallet_refuse(wallet, "--aircraft",
			"a serial is at most 32 bytes of UTF-8",
			"機体番号は UTF-8 で32バイト以内です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
