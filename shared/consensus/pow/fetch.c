/* consensus/pow/fetch.c -- what is asked of whom, and what when nobody answers.
 *
 * Bodies along the best headers, lowest first, from somebody who said that he
 * has them; who does not give in time is passed over, and a block that nobody
 * gives stands back for a while, so that it cannot hide a chain that is there.
 */
#include "consensus/pow/state.h"

#include <string.h>

/* Bodies that miss below a header, lowest first; at most count of them. */
static size_t missing(
	const struct pow *pow, pow_at best, pow_at *list, size_t count)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	size_t found = 0;
	for (pow_at at = best; at != 0 && !pow_entry_at(tree, at)->ready;
		at = pow_entry_at(tree, at)->parent) {
		const struct pow_entry *entry = pow_entry_at(tree, at);
		if (entry->body)
			continue;
		if (found == count) {
			memmove(list + 1, list, (count - 1) * sizeof(*list));
			found--;
		} else {
			memmove(list + 1, list, found * sizeof(*list));
		}
		list[0] = at;
		found++;
	}
	return found;
}

static size_t asked_count(const struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	size_t count = 0;
	for (size_t i = 1; i <= tree->capacity; i++)
		count += tree->entries[i].used && tree->entries[i].asked;
	return count;
}

/* Who has a block: who said so, or who has one that stands on it. */
static uint16_t holders(const struct pow *pow, pow_at at, pow_at best)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint16_t who = pow_entry_at(tree, at)->known;
	for (pow_at on = best; on != at && on != 0;
		on = pow_entry_at(tree, on)->parent)
		who |= pow_entry_at(tree, on)->known;
	return who;
}

static void shun(struct pow *pow, pow_at from)
{
	struct pow_tree *tree = pow_tree_of(pow);
	time_ms until = pow->now + POW_SHUN_MS;
	for (size_t i = 1; i <= tree->capacity; i++) {
		struct pow_entry *entry = &tree->entries[i];
		if (entry->used && pow_tree_descends(tree, (pow_at)i, from))
			entry->shunned_until = until;
	}
	pow_entry_at(tree, from)->tried = 0;
}

/* The peer to ask, or -1: all were tried. Not always the same one first. */
static int choose(const struct pow *pow, uint16_t who, uint16_t tried)
{
	unsigned start = (unsigned)(pow->race.sent + pow->save_task);
	for (unsigned i = 0; i < POW_PEERS_MAX; i++) {
		unsigned slot = (start + i) % POW_PEERS_MAX;
		if (pow->peers[slot].used && (who >> slot & 1) != 0 &&
			(tried >> slot & 1) == 0)
			return (int)slot;
	}
	return -1;
}

static void ask(struct pow *pow, struct effects *out, const pow_at *list,
	size_t count, int slot)
{
	struct pow_message message = {.kind = POW_GETDATA};
	for (size_t i = 0; i < count; i++) {
		struct pow_entry *entry = pow_entry_of(pow, list[i]);
		if (!entry->asked || entry->from != slot + 1 ||
			entry->asked_until != pow->now + POW_FETCH_MS)
			continue;
		size_t n = message.hashes_count++;
		message.heights_count++;
		message.hashes[n] = entry->hash;
		message.heights[n] = entry->past.height;
	}
	if (message.hashes_count > 0)
		pow_send(pow, out, slot, &message);
}

void pow_fetch(struct pow *pow, struct effects *out)
{
	pow_at list[POW_FETCH_MAX];
	pow_at best = pow_best_header(pow);
	size_t under_way = asked_count(pow);
	if (best == 0 || pow_entry_of(pow, best)->ready)
		return;
	size_t count = missing(pow, best, list, POW_FETCH_MAX);
	uint32_t asked = 0;
	for (size_t i = 0; i < count && under_way < POW_FETCH_MAX; i++) {
		struct pow_entry *entry = pow_entry_of(pow, list[i]);
		if (entry->asked)
			continue;
		int slot =
			choose(pow, holders(pow, list[i], best), entry->tried);
		if (slot < 0) {
			shun(pow, list[i]);
			break;
		}
		entry->asked = true;
		entry->asked_until = pow->now + POW_FETCH_MS;
		entry->from = (uint8_t)(slot + 1);
		asked |= 1u << slot;
		under_way++;
	}
	for (int slot = 0; slot < POW_PEERS_MAX; slot++) {
		if ((asked >> slot & 1) != 0)
			ask(pow, out, list, count, slot);
	}
}

void pow_expire(struct pow *pow, struct effects *out)
{
	struct pow_tree *tree = pow_tree_of(pow);
	for (size_t i = 1; i <= tree->capacity; i++) {
		struct pow_entry *entry = &tree->entries[i];
		if (!entry->used || !entry->asked ||
			entry->asked_until > pow->now)
			continue;
		entry->asked = false;
		entry->tried |= (uint16_t)(1u << (entry->from - 1));
		pow_fault(pow, out, entry->from - 1, ENGINE_FAULT_WITHHELD,
			entry->past.height, &entry->hash);
	}
}

/* ---- where does a peer's chain leave ours? ---- */

/* What this peer gave last; else blocks of the best headers: each of the last
 * ones, then ever fewer. */
static void fill_locators(const struct pow *pow, const struct pow_peer *peer,
	struct pow_message *message)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	if (peer->common.height > 0 &&
		pow_tree_find(tree, &peer->common.hash) != 0) {
		message->hashes[0] = peer->common.hash;
		message->heights[0] = peer->common.height;
		message->hashes_count = message->heights_count = 1;
		return;
	}
	pow_at at = pow_best_header(pow);
	uint64_t step = 1;
	if (at == 0)
		at = pow->active;
	while (message->hashes_count < 16) {
		const struct pow_entry *entry = pow_entry_at(tree, at);
		uint64_t height = entry->past.height;
		size_t n = message->hashes_count++;
		message->hashes[n] = entry->hash;
		message->heights[n] = height;
		if (at == tree->root)
			break;
		uint64_t root = pow_entry_at(tree, tree->root)->past.height;
		uint64_t next = height - root > step ? height - step : root;
		if (n == 14)
			next = root;
		at = pow_tree_ancestor(tree, at, next);
		if (n >= 4)
			step *= 2;
	}
	message->heights_count = message->hashes_count;
}

void pow_seek(struct pow *pow, struct effects *out)
{
	uint64_t tip = pow_entry_of(pow, pow->active)->past.height;
	pow_at best = pow_best_header(pow);
	if (best != 0 &&
		pow_entry_of(pow, best)->past.height >= tip + POW_AHEAD)
		return; /* enough to do */
	for (int slot = 0; slot < POW_PEERS_MAX; slot++) {
		struct pow_peer *peer = &pow->peers[slot];
		if (!peer->used || !peer->behind || peer->seek_until > pow->now)
			continue;
		struct pow_message message = {.kind = POW_SEEK};
		fill_locators(pow, peer, &message);
		peer->seek_until = pow->now + POW_SEEK_MS;
		peer->behind = false;
		pow_send(pow, out, slot, &message);
	}
}
