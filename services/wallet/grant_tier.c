/* wallet/grant_tier.c -- `grant-tier`: with which tiers an operator may
 * reserve.
 */
#include "wallet.h"

static const struct setting own[] = {
	{"party", "KEY", "the operator's public key", NULL, true},
	{"tier", "N", "0 to 7; a higher one displaces a lower one", NULL, true},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Grant an operator the right to reserve up to a tier. Signed by "
	       "the authority.",
	.examples = "  perch-wallet grant-tier --party b1c4... --tier 3 "
		    "--config authority.conf",
};

int verb_grant_tier(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the tier is granted",
		.japanese = "優先度を与えました",
	};
	struct perch_key party;
	struct perch_tx tx;
	uint64_t tier;

	wallet_read(wallet, &manual, own, argc, argv);
	party = wallet_key(wallet, "party");
	tier = options_number(&wallet->options, "tier", 0, 7);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_grant_tier(&tx, &party, (unsigned)tier) != PERCH_OK)
		return EXIT_USAGE;
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
