/* consensus/pow/holds.c -- what is true of the engine between two events. */
#include "consensus/pow/state.h"

static bool chain_holds(const struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	size_t logged = 0;
	for (pow_at at = pow->active; at != 0;
		at = pow_entry_at(tree, at)->parent) {
		const struct pow_entry *entry = pow_entry_at(tree, at);
		if (!entry->logged || !entry->ready || entry->invalid)
			return false;
		logged++;
	}
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (entry->used && entry->logged)
			logged--;
	}
	return logged == 0;
}

static bool counts_hold(const struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	size_t bodies = 0;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (!entry->used)
			continue;
		bodies += entry->body;
		if (entry->asked && (entry->from == 0 || entry->body))
			return false;
	}
	return bodies == pow->bodies && bodies <= POW_BODIES_MAX + 1;
}

static bool pledges_hold(const struct pow *pow)
{
	for (size_t i = 0; i < pow->pledge_count; i++) {
		const struct pow_pledge *pledge = &pow->pledges[i];
		if (pledge->height > pow->signed_height ||
			(i > 0 && pledge->height <= pow->pledges[i - 1].height))
			return false;
	}
	return pow->pledge_count <= POW_PLEDGES_MAX;
}

bool pow_holds(const void *state)
{
	const struct pow *pow = state;
	const struct pow_tree *tree = pow_tree_of(pow);
	const struct pow_entry *tip = pow_entry_at(tree, pow->active);
	return pow_tree_holds(tree) && chain_holds(pow) && counts_hold(pow) &&
	       pledges_hold(pow) && pow->final <= tip->past.height &&
	       pow->saved_task <= pow->save_task;
}
