/* wallet/set_party.c -- `set-party`: how much an operator may hold, and whether
 * somebody may act at all.
 */
#include "wallet.h"

#include <string.h>

static const struct setting own[] = {
	{"party", "KEY", "its public key", NULL, true},
	{"quota", "N", "live reservations at most", "1000", false},
	{"set", "WORD", "up or down", "up", false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Set a party's quota, and set it up or down: who is down signs "
	       "nothing. Signed by the authority.",
	.examples = "  perch-wallet set-party --party b1c4... --set down "
		    "--config authority.conf",
};

int verb_set_party(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the party is set",
		.japanese = "参加者を設定しました",
	};
	struct perch_key party;
	struct perch_tx tx;
	uint64_t quota;
	const char *set;

	wallet_read(wallet, &manual, own, argc, argv);
	party = wallet_key(wallet, "party");
	quota = options_number(&wallet->options, "quota", 0, 1000000);
	set = wallet_text(wallet, "set");
	if (strcmp(set, "up") != 0 && strcmp(set, "down") != 0)
		wallet_refuse(wallet, "--set", "say up or down",
			"up か down にしてください");
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_set_party(&tx, &party, (unsigned)quota,
		    strcmp(set, "up") == 0) != PERCH_OK)
		return EXIT_USAGE;
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
