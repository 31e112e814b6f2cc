/* ledger/checkpoint.c -- checkpoints, certificates and evidence: made, checked.
 */
#include "ledger/checkpoint.h"

#include <string.h>

#include "base/check.h"
#include "gen/table.h"

size_t signers_needed(size_t setting, size_t count)
{
	return setting > 0 ? setting : count / 2 + 1;
}

bool signers_have(const struct signers *signers, const struct key *key)
{
	for (size_t i = 0; i < signers->count; i++) {
		if (key_equal(&signers->keys[i], key))
			return true;
	}
	return false;
}

struct checkpoint_statement checkpoint_of(const struct block_ref *block)
{
	return (struct checkpoint_statement){
		.chain = block->header.chain,
		.height = block->header.height,
		.hash = block->hash,
		.state_root = block->header.state_root,
	};
}

bool statement_equal(const struct checkpoint_statement *a,
	const struct checkpoint_statement *b)
{
	return a->chain == b->chain && a->height == b->height &&
	       hash_equal(&a->hash, &b->hash) &&
	       hash_equal(&a->state_root, &b->state_root);
}

static struct view encode(uint8_t out[CHECKPOINT_STATEMENT_BYTES_MAX],
	const struct checkpoint_statement *statement)
{
	size_t size = checkpoint_statement_encode(
		out, CHECKPOINT_STATEMENT_BYTES_MAX, statement);

	CHECK(size > 0);
	return view_of(out, size);
}

static enum err check(struct view statement, const struct key *signer,
	const struct signature *signature, const struct hash *network)
{
	return signature_check(signature, signer,
		message_name(MESSAGE_CHECKPOINT), network, statement);
}

void checkpoint_sign(struct signed_checkpoint *out,
	const struct checkpoint_statement *statement,
	const struct keypair *pair, const struct hash *network)
{
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];

	out->statement = *statement;
	out->signer = pair->key;
	signature_make(&out->signature, pair, message_name(MESSAGE_CHECKPOINT),
		network, encode(bytes, statement));
}

enum err checkpoint_verify(
	const struct signed_checkpoint *checkpoint, const struct hash *network)
{
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];

	return check(encode(bytes, &checkpoint->statement), &checkpoint->signer,
		&checkpoint->signature, network);
}

size_t checkpoint_seal(uint8_t out[CHECKPOINT_BYTES_MAX],
	const struct signed_checkpoint *checkpoint)
{
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];
	struct checkpoint message = {
		.body = encode(bytes, &checkpoint->statement),
		.signer = checkpoint->signer,
		.signature = checkpoint->signature,
	};
	size_t size = checkpoint_encode(out, CHECKPOINT_BYTES_MAX, &message);

	CHECK(size > 0);
	return size;
}

enum err checkpoint_open(struct signed_checkpoint *out, struct view bytes)
{
	struct checkpoint message;
	struct checkpoint_statement statement;
	enum err err = checkpoint_decode(&message, bytes);

	if (err == ERR_OK)
		err = checkpoint_statement_decode(&statement, message.body);
	if (err != ERR_OK)
		return err;
	out->statement = statement;
	out->signer = message.signer;
	out->signature = message.signature;
	return ERR_OK;
}

/*~ Every signature that is carried must hold, also one that does not count, and
 * their order is fixed: so nobody can add to a certificate, take from it or
 * change it without being noticed, and two of one signer never count twice.
 */
enum err endorsements_verify(struct view statement,
	const struct endorsement *endorsements, size_t count,
	const struct hash *network, const struct signers *signers)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		const struct endorsement *by = &endorsements[i];

		if (i > 0 && memcmp(by->signer.bytes, by[-1].signer.bytes,
				     KEY_SIZE) <= 0)
			return ERR_ENCODING;
		enum err err =
			check(statement, &by->signer, &by->signature, network);
		if (err != ERR_OK)
			return err;
		known += signers_have(signers, &by->signer);
	}
	return known > 0 && known >= signers->needed ? ERR_OK : ERR_SIGNERS;
}

enum err certificate_verify(struct checkpoint_statement *out,
	const struct certificate *certificate, const struct hash *network,
	const struct signers *signers)
{
	struct checkpoint_statement statement;
	enum err err =
		checkpoint_statement_decode(&statement, certificate->statement);

	if (err == ERR_OK)
		err = endorsements_verify(certificate->statement,
			certificate->endorsements,
			certificate->endorsements_count, network, signers);
	if (err != ERR_OK)
		return err;
	*out = statement;
	return ERR_OK;
}

enum err double_signing_verify(
	const struct double_signing *evidence, const struct hash *network)
{
	struct checkpoint_statement first, second;
	enum err err = checkpoint_statement_decode(&first, evidence->first);

	if (err == ERR_OK)
		err = checkpoint_statement_decode(&second, evidence->second);
	if (err == ERR_OK &&
		(first.chain != second.chain || first.height != second.height ||
			statement_equal(&first, &second)))
		err = ERR_ENCODING;
	if (err == ERR_OK)
		err = check(evidence->first, &evidence->signer,
			&evidence->first_signature, network);
	if (err == ERR_OK)
		err = check(evidence->second, &evidence->signer,
			&evidence->second_signature, network);
	return err;
}
