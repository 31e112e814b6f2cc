/* contract/tree.c -- levels one after another in one array.
 *
 * The shape of RFC 6962 for any count is what pairing from the left gives: a
 * level's last node without a partner moves up unchanged.
 */
#include "contract/tree.h"

#include <stdint.h>
#include <string.h>

#include "base/check.h"

enum { WORD_BITS = 64, WORDS_MAX = TREE_LEAVES_MAX / WORD_BITS };

static uint32_t word_count(uint32_t leaves)
{
	return (leaves + WORD_BITS - 1) / WORD_BITS;
}

static uint32_t node_count(uint32_t leaves)
{
	uint32_t sum = leaves;

	for (uint32_t width = leaves; width > 1;) {
		width = (width + 1) / 2;
		sum += width;
	}
	return sum;
}

size_t tree_bytes(uint32_t capacity)
{
	/* Both parts may skip up to 63 bytes to align. */
	return node_count(capacity) * sizeof(struct hash) +
	       word_count(capacity) * sizeof(uint64_t) + 2 * 64;
}

static void mark_all(struct tree *tree)
{
	memset(tree->marks, 0, word_count(tree->capacity) * sizeof(uint64_t));
	for (uint32_t leaf = 0; leaf < tree->count; leaf++)
		tree->marks[leaf / WORD_BITS] |= UINT64_C(1)
						 << leaf % WORD_BITS;
}

static uint8_t *align(uint8_t *at)
{
	return at + (64 - (uintptr_t)at % 64) % 64;
}

void tree_init_at(struct tree *tree, struct arena *arena, uint8_t *memory,
	uint32_t capacity, uint32_t count)
{
	CHECK(count <= capacity && capacity <= TREE_LEAVES_MAX);
	uint8_t *nodes = align(memory);
	uint8_t *marks =
		align(nodes + node_count(capacity) * sizeof(struct hash));

	*tree = (struct tree){
		.arena = arena,
		.count = count,
		.capacity = capacity,
		.nodes = (struct hash *)(void *)nodes,
		.marks = (uint64_t *)(void *)marks,
	};
	mark_all(tree);
}

void tree_init(struct tree *tree, struct arena *arena, uint32_t capacity,
	uint32_t count)
{
	tree_init_at(tree, arena, arena_take(arena, tree_bytes(capacity)),
		capacity, count);
}

void tree_grow(struct tree *tree)
{
	CHECK(tree->count < tree->capacity);
	arena_touch(tree->arena, &tree->count, sizeof(tree->count));
	arena_touch(tree->arena, tree->marks,
		word_count(tree->capacity) * sizeof(uint64_t));
	tree->count++;
	mark_all(tree);
}

void tree_mark(struct tree *tree, uint32_t leaf)
{
	CHECK(leaf < tree->count);
	uint64_t *word = &tree->marks[leaf / WORD_BITS];
	uint64_t bit = UINT64_C(1) << leaf % WORD_BITS;

	if (*word & bit)
		return;
	arena_touch(tree->arena, word, sizeof(*word));
	*word |= bit;
}

static bool next_bit(
	const uint64_t *words, uint32_t count, uint32_t from, uint32_t *out)
{
	for (uint32_t at = from; at < count;) {
		uint64_t word = words[at / WORD_BITS] >> at % WORD_BITS;

		if (word != 0) {
			*out = at + (uint32_t)__builtin_ctzll(word);
			return true;
		}
		at = (at / WORD_BITS + 1) * WORD_BITS;
	}
	return false;
}

bool tree_next_marked(const struct tree *tree, uint32_t from, uint32_t *leaf)
{
	return next_bit(tree->marks, tree->count, from, leaf);
}

static void set_node(
	struct tree *tree, struct hash *node, const struct hash *hash)
{
	arena_touch(tree->arena, node, sizeof(*node));
	*node = *hash;
}

void tree_set(struct tree *tree, uint32_t leaf, const struct hash *hash)
{
	CHECK(leaf < tree->count);
	set_node(tree, &tree->nodes[leaf], hash);
}

/* Recompute the parents of marked nodes; marks then says which those are. */
static void raise_level(struct tree *tree, const struct hash *level,
	struct hash *above, uint32_t width, uint64_t *marks)
{
	uint64_t raised[WORDS_MAX] = {0};
	uint32_t at;

	for (uint32_t from = 0; next_bit(marks, width, from, &at);) {
		uint32_t left = at & ~1u;
		struct hash hash = level[left];

		if (left + 1 < width)
			hash = merkle_node(&level[left], &level[left + 1]);
		set_node(tree, &above[left / 2], &hash);
		raised[left / 2 / WORD_BITS] |= UINT64_C(1)
						<< left / 2 % WORD_BITS;
		from = left + 2;
	}
	memcpy(marks, raised, word_count(width) * sizeof(uint64_t));
}

struct hash tree_root(struct tree *tree)
{
	uint32_t words = word_count(tree->count), any;
	uint64_t marks[WORDS_MAX];
	struct hash *level = tree->nodes;

	if (tree->count == 0)
		return merkle_root(NULL, 0);
	bool dirty = tree_next_marked(tree, 0, &any);
	if (dirty) {
		memcpy(marks, tree->marks, words * sizeof(uint64_t));
		arena_touch(tree->arena, tree->marks, words * sizeof(uint64_t));
		memset(tree->marks, 0, words * sizeof(uint64_t));
	}
	for (uint32_t width = tree->count; width > 1;) {
		if (dirty)
			raise_level(tree, level, level + width, width, marks);
		level += width;
		width = (width + 1) / 2;
	}
	return *level;
}

struct hash tree_leaf(const struct tree *tree, uint32_t leaf)
{
	CHECK(leaf < tree->count);
	return tree->nodes[leaf];
}

size_t tree_path(const struct tree *tree, uint32_t leaf,
	struct hash path[MERKLE_PATH_MAX])
{
	const struct hash *level = tree->nodes;
	size_t length = 0;

	CHECK(leaf < tree->count);
	for (uint32_t width = tree->count; width > 1;) {
		if ((leaf ^ 1) < width)
			path[length++] = level[leaf ^ 1];
		level += width;
		width = (width + 1) / 2;
		leaf /= 2;
	}
	return length;
}
