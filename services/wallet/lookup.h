/* wallet/lookup.h -- what an id stands for: a transaction, or a reservation.
 */
#ifndef PERCH_WALLET_LOOKUP_H
#define PERCH_WALLET_LOOKUP_H

#include "wallet.h"

/* A transaction of this owner (NULL: this wallet). event holds its fate when it
 * was found. EXIT_GRANTED, or the exit code after having said why. */
int lookup_tx(struct wallet *wallet, const struct perch_key *owner,
	const struct perch_id *id, struct perch_event *event, bool *found);

/* The newest record of a reservation, from the evaluator. Returns as above. */
int lookup_reservation(struct wallet *wallet, const struct perch_id *id,
	struct perch_reservation *out, bool *found);

/* The evaluator knows no reservation of an id. Returns the exit code. */
int lookup_say_none(const struct wallet *wallet);

#endif
