/* contract/tree.h -- a Merkle tree that is kept, not recomputed.
 *
 * The root is that of RFC 6962 over `count` leaf hashes. Marking a leaf costs a
 * bit; the root recomputes only what lies above marked leaves. Hashes and
 * marks lie in the arena and are touched like everything else, so a rollback
 * leaves neither a stale hash nor a lost mark.
 */
#ifndef PERCH_CONTRACT_TREE_H
#define PERCH_CONTRACT_TREE_H

#include "base/arena.h"
#include "crypto/merkle.h"

enum { TREE_LEAVES_MAX = 4096 };

/* Lies in the arena itself. */
struct tree {
	struct arena *arena;
	uint32_t count, capacity;
	struct hash *nodes; /* the leaves, then each level above them */
	uint64_t *marks;    /* a bit a leaf: its hash is out of date */
};

/* Bytes that tree_init takes from the arena. */
size_t tree_bytes(uint32_t capacity);
/* count <= capacity <= TREE_LEAVES_MAX leaves, all marked. The second one lies
 * in memory of tree_bytes(capacity), inside the arena. */
void tree_init(struct tree *tree, struct arena *arena, uint32_t capacity,
	uint32_t count);

void tree_init_at(struct tree *tree, struct arena *arena, uint8_t *memory,
	uint32_t capacity, uint32_t count);
/* One more leaf somewhere among them: all are marked. */
void tree_grow(struct tree *tree);

void tree_mark(struct tree *tree, uint32_t leaf);
/* The first marked leaf at or after from; false when there is none. */
bool tree_next_marked(const struct tree *tree, uint32_t from, uint32_t *leaf);
/* Give a marked leaf its hash; the mark stays until tree_root. */
void tree_set(struct tree *tree, uint32_t leaf, const struct hash *hash);
/* The root, every marked leaf having been set. */
struct hash tree_root(struct tree *tree);

/* The leaf's hash and its audit path (RFC 6962 §2.1.1) as of the last
 * tree_root. Returns the path's length. */
struct hash tree_leaf(const struct tree *tree, uint32_t leaf);
size_t tree_path(const struct tree *tree, uint32_t leaf,
	struct hash path[MERKLE_PATH_MAX]);

#endif
