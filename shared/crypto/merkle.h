/* crypto/merkle.h -- Merkle trees, shaped and hashed as in RFC 6962 §2.1 with
 * BLAKE2b-256: leaf = H(0x00 || data), node = H(0x01 || left || right); the
 * root of no leaves is H("").
 */
#ifndef PERCH_CRYPTO_MERKLE_H
#define PERCH_CRYPTO_MERKLE_H

#include "crypto/crypto.h"

enum { MERKLE_PATH_MAX = 32 };

struct hash merkle_leaf(struct view data);
struct hash merkle_node(const struct hash *left, const struct hash *right);

/* The root of leaves that are already leaf hashes. Does not change leaves. */
struct hash merkle_root(const struct hash *leaves, size_t count);

/* The audit path of leaf index (RFC 6962 §2.1.1), bottom up. Returns its
 * length, at most MERKLE_PATH_MAX. Does not change leaves. */
size_t merkle_path(struct hash path[MERKLE_PATH_MAX], const struct hash *leaves,
	size_t count, size_t index);

/* The root that leaf and path give for a tree of count leaves; ERR_LENGTH when
 * the path has the wrong length for (index, count). */
MUST_CHECK enum err merkle_root_from_path(struct hash *out,
	const struct hash *leaf, size_t index, size_t count,
	const struct hash *path, size_t path_length);

#endif
