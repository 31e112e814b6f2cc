/* ledger/checkpoint.h -- what a node signs of a final block, and what many such
 * signatures prove.
 *
 * A checkpoint says: this block stands at this height, for ever. M of N of them
 * are a certificate, which needs no network to be checked; two of one key at
 * one height are evidence against it. The statement is signed as bytes, with
 * the type name `checkpoint`, so that it is worth nothing as anything else.
 */
#ifndef PERCH_LEDGER_CHECKPOINT_H
#define PERCH_LEDGER_CHECKPOINT_H

#include "gen/checkpoint.h"
#include "ledger/block.h"

enum { SIGNERS_MAX = 64 };

/* Whose signatures count, and how many of them make a block certain. */
struct signers {
	size_t needed; /* M */
	size_t count;  /* N */
	struct key keys[SIGNERS_MAX];
};

/* M as a genesis sets it; 0: a majority of so many. */
size_t signers_needed(size_t setting, size_t count);
bool signers_have(const struct signers *signers, const struct key *key);

struct signed_checkpoint {
	struct checkpoint_statement statement;
	struct key signer;
	struct signature signature;
};

/* What there is to sign of a block. */
struct checkpoint_statement checkpoint_of(const struct block_ref *block);
bool statement_equal(const struct checkpoint_statement *a,
	const struct checkpoint_statement *b);

void checkpoint_sign(struct signed_checkpoint *out,
	const struct checkpoint_statement *statement,
	const struct keypair *pair, const struct hash *network);
/* The signature. */
MUST_CHECK enum err checkpoint_verify(
	const struct signed_checkpoint *checkpoint, const struct hash *network);

/* As message `checkpoint`: out holds CHECKPOINT_BYTES_MAX; returns the size. */
size_t checkpoint_seal(uint8_t out[CHECKPOINT_BYTES_MAX],
	const struct signed_checkpoint *checkpoint);
/* Decoded, not verified. ERR_ENCODING, ERR_LENGTH. */
MUST_CHECK enum err checkpoint_open(
	struct signed_checkpoint *out, struct view bytes);

/*
 * Every one of the signatures holds, each of another key, in ascending order;
 * and at least signers->needed are of signers: others do no harm, but a changed
 * byte anywhere does. ERR_ENCODING: the order; ERR_SIGNATURE; ERR_SIGNERS: too
 * few. statement: the encoded checkpoint_statement.
 */
MUST_CHECK enum err endorsements_verify(struct view statement,
	const struct endorsement *endorsements, size_t count,
	const struct hash *network, const struct signers *signers);

/* The same for a certificate; out is what it certifies. */
MUST_CHECK enum err certificate_verify(struct checkpoint_statement *out,
	const struct certificate *certificate, const struct hash *network,
	const struct signers *signers);

/* Two valid signatures of one key under different statements of one chain and
 * height; else ERR_ENCODING, ERR_SIGNATURE. */
MUST_CHECK enum err double_signing_verify(
	const struct double_signing *evidence, const struct hash *network);

#endif
