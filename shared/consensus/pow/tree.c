/* consensus/pow/tree.c -- entries linked by numbers, so that the whole tree can
 * be copied as bytes.
 */
#include "consensus/pow/tree.h"

#include <string.h>

#include "base/check.h"

size_t pow_tree_bytes(size_t capacity)
{
	return sizeof(struct pow_tree) +
	       (capacity + 1) * sizeof(struct pow_entry);
}

/* ---- the table of hashes: entry n also holds the head of bucket n ---- */

static pow_at *bucket_of(const struct pow_tree *tree, const struct hash *hash)
{
	uint32_t number = (uint32_t)hash->bytes[0] | (uint32_t)hash->bytes[1]
							     << 8;
	return &pow_entry_at(tree, (pow_at)(1 + number % tree->capacity))
			->bucket;
}

pow_at pow_tree_find(const struct pow_tree *tree, const struct hash *hash)
{
	pow_at at = *bucket_of(tree, hash);
	while (at != 0 && !hash_equal(&pow_entry_at(tree, at)->hash, hash))
		at = pow_entry_at(tree, at)->next;
	return at;
}

static void unlink_hash(struct pow_tree *tree, pow_at at)
{
	pow_at *link = bucket_of(tree, &pow_entry_at(tree, at)->hash);
	while (*link != at)
		link = &pow_entry_at(tree, *link)->next;
	*link = pow_entry_at(tree, at)->next;
}

/* ---- entries ---- */

static pow_at take(struct pow_tree *tree, const struct hash *hash)
{
	pow_at at = tree->free;
	if (at == 0)
		return 0;
	struct pow_entry *entry = pow_entry_at(tree, at);
	pow_at bucket = entry->bucket;
	tree->free = entry->next;
	memset(entry, 0, sizeof(*entry));
	entry->bucket = bucket;
	entry->hash = *hash;
	entry->used = true;
	pow_at *head = bucket_of(tree, hash);
	entry->next = *head;
	*head = at;
	tree->count++;
	return at;
}

static void give(struct pow_tree *tree, pow_at at)
{
	struct pow_entry *entry = pow_entry_at(tree, at);
	unlink_hash(tree, at);
	entry->used = false;
	entry->next = tree->free;
	tree->free = at;
	tree->count--;
}

void pow_tree_init(struct pow_tree *tree, size_t capacity,
	const struct hash *hash, const struct pow_past *past)
{
	CHECK(capacity > 1 && capacity < UINT16_MAX);
	memset(tree, 0, pow_tree_bytes(capacity));
	tree->capacity = (pow_at)capacity;
	for (size_t i = 1; i < capacity; i++)
		tree->entries[i].next = (pow_at)(i + 1);
	tree->free = 1;
	tree->root = take(tree, hash);
	struct pow_entry *root = pow_entry_at(tree, tree->root);
	root->past = *past;
	root->ready = root->logged = true;
}

pow_at pow_tree_add(struct pow_tree *tree, pow_at parent,
	const struct hash *hash, time_ms time, uint32_t bits)
{
	pow_at at = take(tree, hash);
	if (at == 0)
		return 0;
	struct pow_entry *entry = pow_entry_at(tree, at);
	struct pow_entry *above = pow_entry_at(tree, parent);
	struct number work = work_of_bits(bits);
	entry->parent = parent;
	entry->next_sibling = above->first_child;
	above->first_child = at;
	entry->past = pow_past_of(&above->past, time, bits);
	entry->work = number_add(&above->work, &work);
	entry->invalid = above->invalid;
	entry->dead = above->dead;
	entry->shunned_until = above->shunned_until;
	return at;
}

static void unlink_child(struct pow_tree *tree, pow_at at)
{
	struct pow_entry *entry = pow_entry_at(tree, at);
	pow_at *link = &pow_entry_at(tree, entry->parent)->first_child;
	while (*link != at)
		link = &pow_entry_at(tree, *link)->next_sibling;
	*link = entry->next_sibling;
}

void pow_tree_remove(struct pow_tree *tree, pow_at leaf)
{
	CHECK(pow_entry_at(tree, leaf)->used && leaf != tree->root &&
		pow_entry_at(tree, leaf)->first_child == 0);
	unlink_child(tree, leaf);
	give(tree, leaf);
}

void pow_tree_advance(struct pow_tree *tree, pow_at child)
{
	struct pow_entry *entry = pow_entry_at(tree, child);
	CHECK(entry->used && entry->parent == tree->root);
	CHECK(pow_entry_at(tree, tree->root)->first_child == child &&
		entry->next_sibling == 0);
	entry->parent = 0;
	give(tree, tree->root);
	tree->root = child;
}

/* ---- looking ---- */

pow_at pow_tree_ancestor(
	const struct pow_tree *tree, pow_at at, uint64_t height)
{
	while (at != 0 && pow_entry_at(tree, at)->past.height > height)
		at = pow_entry_at(tree, at)->parent;
	if (at != 0 && pow_entry_at(tree, at)->past.height != height)
		return 0;
	return at;
}

bool pow_tree_descends(const struct pow_tree *tree, pow_at at, pow_at ancestor)
{
	uint64_t height = pow_entry_at(tree, ancestor)->past.height;
	return pow_tree_ancestor(tree, at, height) == ancestor;
}

pow_at pow_tree_fork(const struct pow_tree *tree, pow_at a, pow_at b)
{
	while (a != b) {
		const struct pow_entry *x = pow_entry_at(tree, a);
		const struct pow_entry *y = pow_entry_at(tree, b);
		CHECK(a != 0 && b != 0);
		if (x->past.height >= y->past.height)
			a = x->parent;
		if (y->past.height >= x->past.height)
			b = y->parent;
	}
	return a;
}

time_ms pow_tree_median(const struct pow_tree *tree, pow_at at)
{
	time_ms times[POW_MEDIAN_OF];
	size_t count = 0;
	for (; at != 0 && count < POW_MEDIAN_OF;
		at = pow_entry_at(tree, at)->parent) {
		time_ms time = pow_entry_at(tree, at)->past.time;
		size_t i = count++;
		for (; i > 0 && times[i - 1] > time; i--)
			times[i] = times[i - 1];
		times[i] = time;
	}
	return times[count / 2];
}

static bool entry_holds(const struct pow_tree *tree, pow_at at)
{
	const struct pow_entry *entry = pow_entry_at(tree, at);
	if (pow_tree_find(tree, &entry->hash) != at)
		return false;
	if (at == tree->root)
		return entry->parent == 0;
	const struct pow_entry *parent = pow_entry_at(tree, entry->parent);
	return entry->parent != 0 && parent->used &&
	       parent->past.height + 1 == entry->past.height &&
	       number_compare(&entry->work, &parent->work) > 0 &&
	       (!entry->ready || parent->ready) &&
	       (!parent->invalid || entry->invalid);
}

bool pow_tree_holds(const struct pow_tree *tree)
{
	size_t used = 0;
	for (size_t i = 1; i <= tree->capacity; i++) {
		if (!tree->entries[i].used)
			continue;
		used++;
		if (!entry_holds(tree, (pow_at)i))
			return false;
	}
	return used == tree->count;
}
