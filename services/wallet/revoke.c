/* wallet/revoke.c -- `revoke`: take a clearance back that was not used.
 */
#include "wallet.h"

static const struct setting own[] = {{0}};

static const struct verb_manual manual = {
	.doc = "Take back a clearance that was not used yet. Signed by the "
	       "controller of the port or the authority.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet revoke 5f0c... --config authority.conf",
};

int verb_revoke(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the clearance is taken back",
		.japanese = "許可を取り消しました",
	};
	struct perch_id id;
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_revoke(&tx, &id) != PERCH_OK)
		wallet_refuse(wallet, wallet->options.words[0], "no such id",
			"番号が正しくありません");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
