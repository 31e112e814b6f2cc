/* ledger/envelope.h -- what one frame carries: sealed and opened.
 *
 * A type that the message table marks signed carries a signature, and no other
 * does: on a link it is CURVE that authenticates the sender.
 */
#ifndef PERCH_LEDGER_ENVELOPE_H
#define PERCH_LEDGER_ENVELOPE_H

#include "crypto/crypto.h"
#include "gen/common.h"
#include "gen/table.h"

enum { PROTOCOL_VERSION = 1 };

/* Returns the size, or 0 when it does not fit. */
size_t envelope_seal(uint8_t *out, size_t size, enum message_type type,
	struct view body, const struct keypair *pair,
	const struct hash *network);

/*
 * ERR_ENCODING, ERR_LENGTH; ERR_VERSION: another protocol; ERR_TYPE: unknown;
 * ERR_SIGNATURE: missing, superfluous, or it does not verify. A transaction's
 * own signature is checked by tx_verify, because it is worth doing in batches:
 * ERR_TYPE here.
 */
MUST_CHECK enum err envelope_open(
	struct envelope *out, struct view bytes, const struct hash *network);

#endif
