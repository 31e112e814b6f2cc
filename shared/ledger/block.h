/* ledger/block.h -- transactions and blocks as bytes: opened, checked, built.
 *
 * Signed content travels as bytes and is hashed as received. A transaction is
 * the bytes of its envelope; a block is the bytes of its encoding. Opening
 * one borrows from those bytes and allocates nothing.
 */
#ifndef PERCH_LEDGER_BLOCK_H
#define PERCH_LEDGER_BLOCK_H

#include "base/err.h"
#include "base/view.h"
#include "crypto/crypto.h"
#include "gen/ledger.h"

enum { BLOCK_BYTES_MAX = 60000, BLOCK_TXS_MAX = 256, TX_BYTES_MAX = 40000 };
enum { TX_VALID_MS_MAX = 5 * 60 * 1000 };

/* An opened transaction. Views borrow from the envelope's bytes. */
struct tx_view {
	struct view bytes; /* the whole envelope */
	struct hash hash;  /* of the body: the transaction's identity */
	struct tx body;
	struct view signed_bytes; /* the body's bytes, as signed */
	struct signature signature;
};

/* Decode and check all but the signature. ERR_ENCODING, ERR_LENGTH,
 * ERR_VERSION, ERR_TYPE; ERR_SIGNATURE: there is none; ERR_KEY: wallet is not
 * the sender. */
MUST_CHECK enum err tx_open(struct tx_view *out, struct view bytes);
MUST_CHECK enum err tx_verify(
	const struct tx_view *tx, const struct hash *network);

/* Encode and sign; out holds TX_BYTES_MAX. Returns the size, or 0 when it does
 * not fit. body->wallet must be pair->key (CHECK). */
size_t tx_seal(uint8_t *out, const struct tx *body, const struct keypair *pair,
	const struct hash *network);

/* What an engine needs to know of a block: its header, decoded, and its bytes.
 */
struct block_ref {
	struct hash hash;
	struct header header; /* views borrow from bytes */
	struct view bytes;    /* the whole block; empty when only a header */
	struct view header_bytes;
	struct signature signature;
};

/* Decode the header and check version, network, lengths. Cheap: the body is
 * not looked into. ERR_ENCODING, ERR_LENGTH, ERR_VERSION, ERR_NETWORK, and
 * ERR_PARENT for height 0, which has no block. */
MUST_CHECK enum err block_open(
	struct block_ref *out, struct view bytes, const struct hash *network);
/* The same for a header alone. */
MUST_CHECK enum err block_open_header(struct block_ref *out,
	struct view header_bytes, const struct signature *signature,
	const struct hash *network);
/* The proposer's signature. */
MUST_CHECK enum err block_verify(
	const struct block_ref *block, const struct hash *network);

/* The Merkle root over items as bytes (tx_root, receipt_root). */
struct hash block_items_root(const struct view *items, size_t count);

#endif
