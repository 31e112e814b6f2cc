/* ledger/tx.c -- a transaction and the bytes of its envelope.
 *
 * The identity of a transaction is the hash of its body, so that another
 * signature over the same body is no other transaction.
 */
#include "ledger/block.h"

#include <string.h>

#include "base/check.h"
#include "ledger/envelope.h"

enum err tx_open(struct tx_view *out, struct view bytes)
{
	struct envelope envelope;
	struct tx_view tx;
	enum err err;

	if (bytes.size > TX_BYTES_MAX)
		return ERR_LENGTH;
	err = envelope_decode(&envelope, bytes);
	if (err != ERR_OK)
		return err;
	if (envelope.version != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (envelope.type != MESSAGE_TX)
		return ERR_TYPE;
	if (envelope.signature.size != SIGNATURE_SIZE)
		return ERR_SIGNATURE;
	err = tx_decode(&tx.body, envelope.body);
	if (err != ERR_OK)
		return err;
	if (!key_equal(&tx.body.wallet, &envelope.sender))
		return ERR_KEY;

	tx.bytes = bytes;
	tx.signed_bytes = envelope.body;
	tx.hash = hash_bytes(envelope.body);
	memcpy(tx.signature.bytes, envelope.signature.data, SIGNATURE_SIZE);
	*out = tx;
	return ERR_OK;
}

enum err tx_verify(const struct tx_view *tx, const struct hash *network)
{
	return signature_check(&tx->signature, &tx->body.wallet,
		message_name(MESSAGE_TX), network, tx->signed_bytes);
}

size_t tx_seal(uint8_t *out, const struct tx *body, const struct keypair *pair,
	const struct hash *network)
{
	uint8_t bytes[TX_BYTES_MAX];

	CHECK(key_equal(&body->wallet, &pair->key));
	size_t size = tx_encode(bytes, sizeof(bytes), body);
	if (size == 0)
		return 0;
	return envelope_seal(out, TX_BYTES_MAX, MESSAGE_TX,
		view_of(bytes, size), pair, network);
}
