/* consensus/pow/tree.h -- the blocks that may still become the chain.
 *
 * Headers with what must be known of them, each under its parent, in a fixed
 * number of entries. The root is the deepest block that anything may hang on;
 * what is below it, or beside it, is gone.
 */
#ifndef PERCH_CONSENSUS_POW_TREE_H
#define PERCH_CONSENSUS_POW_TREE_H

#include "base/view.h"
#include "consensus/pow/retarget.h"
#include "consensus/pow/target.h"

/* An entry by its number, from 1; 0 is none. */
typedef uint16_t pow_at;

struct pow_entry {
	struct hash hash;
	struct hash state_root; /* as its header says */
	struct pow_past past;
	struct number work; /* of the chain up to here */
	pow_at parent, first_child, next_sibling;
	pow_at bucket, next; /* of the table of hashes */
	bool used;
	bool body;    /* on the shelf */
	bool logged;  /* on the chain, and so in the log */
	bool ready;   /* body here, and those of all its ancestors */
	bool invalid; /* it or an ancestor */
	bool dead;    /* not compatible with a checkpoint: to be swept */
	uint8_t from; /* peer who gave it, or the one who is asked for its
		       * body, + 1; 0: none */
	bool asked;
	uint16_t known; /* peers who have it */
	uint16_t tried; /* peers who did not give it */
	time_ms asked_until;
	time_ms shunned_until; /* nobody gave its body or an ancestor's */
	uint64_t seen; /* order in which it became ready; the first wins */
};

struct pow_tree {
	pow_at capacity, count, root, free;
	struct pow_entry entries[]; /* [0] is nobody */
};

enum { POW_MEDIAN_OF = 11 };

size_t pow_tree_bytes(size_t capacity);
/* tree: pow_tree_bytes(capacity). A root to begin with, ready. */
void pow_tree_init(struct pow_tree *tree, size_t capacity,
	const struct hash *hash, const struct pow_past *past);

static inline struct pow_entry *pow_entry_at(
	const struct pow_tree *tree, pow_at at)
{
	return &((struct pow_tree *)tree)->entries[at];
}

pow_at pow_tree_find(const struct pow_tree *tree, const struct hash *hash);
/* A child of parent. 0: the tree is full. */
pow_at pow_tree_add(struct pow_tree *tree, pow_at parent,
	const struct hash *hash, time_ms time, uint32_t bits);
/* CHECKs that it has no children and is not the root. */
void pow_tree_remove(struct pow_tree *tree, pow_at leaf);
/* Make the only child of the root, or one whose siblings are gone, the root. */
void pow_tree_advance(struct pow_tree *tree, pow_at child);

/* The ancestor (or itself) at this height; 0: below the root or above it. */
pow_at pow_tree_ancestor(
	const struct pow_tree *tree, pow_at at, uint64_t height);
bool pow_tree_descends(const struct pow_tree *tree, pow_at at, pow_at ancestor);
/* The last block that two chains share. */
pow_at pow_tree_fork(const struct pow_tree *tree, pow_at a, pow_at b);
/* Of the times of this block and its last ten ancestors (fewer at the root). */
time_ms pow_tree_median(const struct pow_tree *tree, pow_at at);

/* Links, table and counts are what they must be. */
bool pow_tree_holds(const struct pow_tree *tree);

#endif
