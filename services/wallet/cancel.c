/* wallet/cancel.c -- `cancel`: give reservations up, by their ids or by that of
 * the transaction that made them.
 */
#include "lookup.h"

static const struct setting own[] = {{0}};

static const struct verb_manual manual = {
	.doc = "Give a reservation up. ID is the reservation's, or the "
	       "transaction's that made it.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet cancel 5f0c... --config alice.conf",
};

/* All that a transaction reserved; false: it reserved nothing. One by one: of a
 * pair, the first takes the second with it. */
static bool cancel_all(struct perch_tx *tx, const struct perch_fate *fate)
{
	for (size_t i = 0; i < fate->op_count; i++) {
		const struct perch_outcome *op = &fate->ops[i];

		if (op->code == 0 && op->has_slot && op->has_reservation &&
			perch_tx_cancel(tx, &op->reservation) != PERCH_OK)
			return false;
	}
	return tx->op_count > 0;
}

int verb_cancel(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "cancelled",
		.japanese = "取り消しました",
		.any = true,
	};
	struct perch_event event;
	struct perch_id id;
	struct perch_tx tx;
	bool is_tx = false;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	code = lookup_tx(wallet, NULL, &id, &event, &is_tx);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	perch_tx_start(&tx, PERCH_EACH);
	if (is_tx && !cancel_all(&tx, event.fate))
		return wallet_close(wallet,
			wallet_say_none(wallet,
				"this transaction reserved nothing; see "
				"`perch-wallet status`",
				"この取引による予約はありません。"
				"perch-wallet status で確かめてください"));
	if (!is_tx && perch_tx_cancel(&tx, &id) != PERCH_OK)
		return wallet_close(wallet, EXIT_USAGE);
	return wallet_submit(wallet, &tx, &done);
}
