/* wallet/lookup.c -- what an id stands for: a transaction, or a reservation.
 */
#include "lookup.h"

static int ask_tx(struct wallet *wallet, const struct perch_key *owner,
	const struct perch_id *id, struct perch_event *event)
{
	uint64_t request;

	if (perch_ask_tx(wallet->client, owner, id, &request) != PERCH_OK ||
		!wallet_wait(wallet, request, event))
		return EXIT_UNKNOWN;
	if (event->failure != NULL)
		return wallet_say_failure(wallet, event);
	return EXIT_GRANTED;
}

int lookup_tx(struct wallet *wallet, const struct perch_key *owner,
	const struct perch_id *id, struct perch_event *event, bool *found)
{
	int code = ask_tx(wallet, owner, id, event);

	if (code == EXIT_GRANTED)
		*found = event->fate->status > PERCH_UNKNOWN;
	return code;
}

int lookup_reservation(struct wallet *wallet, const struct perch_id *id,
	struct perch_reservation *out, bool *found)
{
	struct perch_event event;
	uint64_t request, after = 0;
	bool more = true;

	*found = false;
	wallet_catch_up(wallet);
	while (more) {
		if (perch_history(wallet->client, id, NULL, NULL, after,
			    &request) != PERCH_OK ||
			!wallet_wait(wallet, request, &event))
			return EXIT_UNKNOWN;
		if (event.type != PERCH_EVENT_HISTORY)
			return wallet_say_failure(wallet, &event);
		for (size_t i = 0; i < event.history->count; i++) {
			*out = event.history->moves[i].reservation;
			after = event.history->moves[i].sequence;
			*found = true;
		}
		more = event.history->more && event.history->count > 0;
	}
	return EXIT_GRANTED;
}

int lookup_say_none(const struct wallet *wallet)
{
	return wallet_say_none(wallet,
		"no reservation has this id; see `perch-wallet history`",
		"この番号の予約はありません。"
		"perch-wallet history で確かめてください");
}
