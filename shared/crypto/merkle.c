/* crypto/merkle.c -- roots and audit paths in one pass, without memory of their
 * own beyond one hash a level.
 */
#include "crypto/merkle.h"

#include <string.h>

#include "base/check.h"

struct hash merkle_leaf(struct view data)
{
	static const uint8_t prefix = 0x00;
	struct view parts[] = {view_of(&prefix, 1), data};

	return hash_parts(parts, 2);
}

struct hash merkle_node(const struct hash *left, const struct hash *right)
{
	uint8_t bytes[1 + 2 * HASH_SIZE] = {0x01};

	memcpy(bytes + 1, left->bytes, HASH_SIZE);
	memcpy(bytes + 1 + HASH_SIZE, right->bytes, HASH_SIZE);
	return hash_bytes(view_of(bytes, sizeof(bytes)));
}

/*
 * The stack holds the roots of full subtrees, one for each bit that is set in
 * the number of leaves so far, largest first; a leaf merges as a carry does in
 * an addition. What is left at the end is folded from the right, which gives
 * the shape of (RFC 6962 §2.1): the left subtree is the largest full one.
 */
struct hash merkle_root(const struct hash *leaves, size_t count)
{
	struct hash stack[MERKLE_PATH_MAX + 1];
	size_t depth = 0;

	if (count == 0)
		return hash_bytes(view_of(NULL, 0));
	CHECK(((uint64_t)count - 1) >> MERKLE_PATH_MAX == 0);
	for (size_t i = 0; i < count; i++) {
		stack[depth++] = leaves[i];
		for (size_t carry = i; carry & 1; carry >>= 1) {
			depth--;
			stack[depth - 1] =
				merkle_node(&stack[depth - 1], &stack[depth]);
		}
	}
	while (depth > 1) {
		depth--;
		stack[depth - 1] =
			merkle_node(&stack[depth - 1], &stack[depth]);
	}
	return stack[0];
}

/* The largest power of two smaller than count, which is at least 2. */
static size_t split_of(size_t count)
{
	size_t split = 1;

	while (split * 2 < count)
		split *= 2;
	return split;
}

size_t merkle_path(struct hash path[MERKLE_PATH_MAX], const struct hash *leaves,
	size_t count, size_t index)
{
	size_t length = 0;

	CHECK(index < count);
	CHECK(((uint64_t)count - 1) >> MERKLE_PATH_MAX == 0);
	/* From the root down, beside the subtree that holds the leaf. */
	while (count > 1) {
		size_t split = split_of(count);

		if (index < split) {
			path[length++] =
				merkle_root(leaves + split, count - split);
			count = split;
		} else {
			path[length++] = merkle_root(leaves, split);
			leaves += split;
			count -= split;
			index -= split;
		}
	}
	for (size_t i = 0; i < length / 2; i++) {
		struct hash other = path[length - 1 - i];

		path[length - 1 - i] = path[i];
		path[i] = other;
	}
	return length;
}

/* (RFC 9162 §2.1.3.2): last is the index of the rightmost node on a level. */
enum err merkle_root_from_path(struct hash *out, const struct hash *leaf,
	size_t index, size_t count, const struct hash *path, size_t path_length)
{
	struct hash root = *leaf;

	if (index >= count || path_length > MERKLE_PATH_MAX)
		return ERR_LENGTH;
	size_t last = count - 1;
	for (size_t i = 0; i < path_length; i++) {
		if (last == 0)
			return ERR_LENGTH;
		if ((index & 1) == 1 || index == last) {
			root = merkle_node(&path[i], &root);
			/* Levels on which it was alone: nothing beside it. */
			while ((index & 1) == 0) {
				index >>= 1;
				last >>= 1;
			}
		} else {
			root = merkle_node(&root, &path[i]);
		}
		index >>= 1;
		last >>= 1;
	}
	if (last != 0)
		return ERR_LENGTH;
	*out = root;
	return ERR_OK;
}
