/* ledger/envelope.c -- one way in and one way out for every message. */
#include "ledger/envelope.h"

#include <string.h>

#include "base/check.h"

size_t envelope_seal(uint8_t *out, size_t size, enum message_type type,
	struct view body, const struct keypair *pair,
	const struct hash *network)
{
	const char *name = message_name((uint8_t)type);
	struct signature signature;
	struct envelope envelope = {
		.version = PROTOCOL_VERSION,
		.type = type,
		.sender = pair->key,
		.body = body,
	};
	CHECK(name != NULL);
	if (message_signed((uint8_t)type)) {
		signature_make(&signature, pair, name, network, body);
		envelope.signature = view_of(&signature, sizeof(signature));
	}
	return envelope_encode(out, size, &envelope);
}

static enum err check_signature(
	const struct envelope *envelope, const struct hash *network)
{
	const char *name = message_name((uint8_t)envelope->type);
	struct signature signature;
	if (!message_signed((uint8_t)envelope->type))
		return envelope->signature.size == 0 ? ERR_OK : ERR_SIGNATURE;
	if (envelope->signature.size != sizeof(signature))
		return ERR_SIGNATURE;
	memcpy(&signature, envelope->signature.data, sizeof(signature));
	return signature_check(
		&signature, &envelope->sender, name, network, envelope->body);
}

enum err envelope_open(
	struct envelope *out, struct view bytes, const struct hash *network)
{
	struct envelope envelope;
	enum err err = envelope_decode(&envelope, bytes);
	if (err != ERR_OK)
		return err;
	if (envelope.version != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (envelope.type == MESSAGE_TX ||
		message_name((uint8_t)envelope.type) == NULL)
		return ERR_TYPE;
	err = check_signature(&envelope, network);
	if (err != ERR_OK)
		return err;
	*out = envelope;
	return ERR_OK;
}
