/* consensus/certify.h -- checkpoints gathered until they certify a block.
 *
 * A place for each of a few heights, the newest and those that somebody asks
 * for; in it, what each signer said last. Signatures are verified before they
 * come here. Who signs two statements at one height is found out here.
 */
#ifndef PERCH_CONSENSUS_CERTIFY_H
#define PERCH_CONSENSUS_CERTIFY_H

#include "ledger/checkpoint.h"

enum {
	CERTIFY_SIGNERS_MAX = 16,
	CERTIFY_CASES_MAX = 16, /* of one signer; no more are looked into */
};

struct certify; /* opaque; in caller's zeroed memory of certify_bytes() */

size_t certify_bytes(size_t heights_max);
struct certify *certify_init(void *memory, size_t heights_max);

enum certify_word {
	CERTIFY_NEW,
	CERTIFY_KNOWN, /* the same statement, or one who was convicted here */
	CERTIFY_TWICE, /* signed another statement at this height before */
	CERTIFY_FULL,  /* too many signers at this height */
};

/* Somebody asks for this height: there is a place for what comes. */
void certify_open(struct certify *certify, uint64_t height);
bool certify_is_open(const struct certify *certify, uint64_t height);

/* Every block up to height is final: when these have half of the places, they
 * make room first, but for those that somebody waits for. */
void certify_settle(struct certify *certify, uint64_t height);

/* What keeping it would give; a KNOWN one needs no verification. */
enum certify_word certify_look(const struct certify *certify,
	const struct signed_checkpoint *checkpoint);

/* Keep a verified one. Where there is no place, what only one has signed makes
 * room, and of these the least recently used height. TWICE:
 * before is what was signed first, which stays; its signer is asked for no
 * other evidence at this height. */
enum certify_word certify_add(struct certify *certify,
	const struct signed_checkpoint *checkpoint,
	struct signed_checkpoint *before);

/* A certificate of a statement (encoded), when enough of the signers have
 * signed it: its size, or 0. Others' signatures are left out. also (or NULL):
 * enough of these, too, so that it holds against the genesis although other
 * nodes sign now. Once given it is not given again: certify_again. */
size_t certify_take(struct certify *certify,
	const struct checkpoint_statement *statement,
	const struct signers *signers, const struct signers *also,
	uint8_t out[CERTIFICATE_BYTES_MAX]);
void certify_again(struct certify *certify, uint64_t height);

/* What is kept of a height, one after another: false at the end. */
bool certify_next(const struct certify *certify, uint64_t height,
	size_t *cursor, struct signed_checkpoint *out);
/* What this signer said at a height; false: nothing that is kept. */
bool certify_find(const struct certify *certify, uint64_t height,
	const struct key *signer, struct signed_checkpoint *out);

#endif
