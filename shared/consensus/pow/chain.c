/* consensus/pow/chain.c -- the chain is the one that took most work to make.
 *
 * NAKAMOTO §5: nodes always consider the longest chain to be the correct one,
 * and of two equal ones the one they received first. Longest means most work:
 * nine easy blocks are less than five hard ones.
 */
#include "consensus/pow/state.h"

#include "base/check.h"
#include "consensus/pow/seal.h"

/* ---- choosing ---- */

static bool is_better(const struct pow_entry *a, const struct pow_entry *b)
{
	int order = number_compare(&a->work, &b->work);
	return order > 0 || (order == 0 && a->seen < b->seen);
}

pow_at pow_best_ready(const struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at best = 0;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (entry->used && entry->ready && !entry->invalid &&
			!entry->dead &&
			(best == 0 ||
				is_better(entry, pow_entry_at(tree, best))))
			best = (pow_at)i;
	}
	return best;
}

pow_at pow_best_header(const struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at best = 0;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (entry->used && !entry->invalid && !entry->dead &&
			entry->shunned_until <= pow->now &&
			(best == 0 ||
				number_compare(&entry->work,
					&pow_entry_at(tree, best)->work) > 0))
			best = (pow_at)i;
	}
	return best;
}

/* ---- bodies ---- */

/* Everything whose bodies are complete now, down from here. */
static void spread_ready(struct pow *pow, pow_at from)
{
	struct pow_tree *tree = pow_tree_of(pow);
	pow_at at = from;
	while (at != 0) {
		struct pow_entry *entry = pow_entry_at(tree, at);
		bool down = false;
		if (!entry->ready && (entry->body || entry->logged) &&
			pow_entry_at(tree, entry->parent)->ready) {
			entry->ready = true;
			entry->seen = ++pow->seen;
		}
		down = entry->ready && entry->first_child != 0;
		if (down) {
			at = entry->first_child;
			continue;
		}
		while (at != from && pow_entry_at(tree, at)->next_sibling == 0)
			at = pow_entry_at(tree, at)->parent;
		at = at == from ? 0 : pow_entry_at(tree, at)->next_sibling;
	}
}

/* The same flag on a block and all that stands on it. */
enum mark { MARK_INVALID, MARK_UNREADY, MARK_DEAD };
static void mark_below(struct pow *pow, pow_at from, enum mark mark)
{
	struct pow_tree *tree = pow_tree_of(pow);
	pow_at at = from;
	while (at != 0) {
		struct pow_entry *entry = pow_entry_at(tree, at);
		switch (mark) {
		case MARK_INVALID:
			entry->invalid = true;
			break;
		case MARK_UNREADY:
			entry->ready = false;
			break;
		case MARK_DEAD:
			entry->dead = true;
			break;
		}
		if (entry->first_child != 0) {
			at = entry->first_child;
			continue;
		}
		while (at != from && pow_entry_at(tree, at)->next_sibling == 0)
			at = pow_entry_at(tree, at)->parent;
		at = at == from ? 0 : pow_entry_at(tree, at)->next_sibling;
	}
}

void pow_condemn(struct pow *pow, pow_at at)
{
	mark_below(pow, at, MARK_INVALID);
}

void pow_drop_body(struct pow *pow, struct effects *out, pow_at at)
{
	struct pow_entry *entry = pow_entry_of(pow, at);
	if (!entry->body)
		return;
	effects_add(out, EFFECT_DROP)->drop.hash = entry->hash;
	entry->body = false;
	pow->bodies--;
	if (!entry->logged)
		mark_below(pow, at, MARK_UNREADY);
}

/* The body of least work that is not on the chain makes room. */
static bool make_shelf_room(
	struct pow *pow, struct effects *out, const struct number *work)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at worst = 0;
	if (pow->bodies < POW_BODIES_MAX)
		return true;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (!entry->used || !entry->body || entry->logged ||
			(pow_at)i == pow->connecting)
			continue;
		if (worst == 0 || number_compare(&entry->work,
					  &pow_entry_at(tree, worst)->work) < 0)
			worst = (pow_at)i;
	}
	if (worst == 0 ||
		number_compare(&pow_entry_at(tree, worst)->work, work) >= 0)
		return false;
	pow_drop_body(pow, out, worst);
	return true;
}

void pow_keep(struct pow *pow, struct effects *out, pow_at at,
	const struct engine_block *block)
{
	struct pow_entry *entry = pow_entry_of(pow, at);
	entry->asked = false;
	if (entry->body || entry->logged || entry->invalid || entry->dead ||
		!make_shelf_room(pow, out, &entry->work))
		return;
	effects_add(out, EFFECT_KEEP)->keep.block = block;
	entry->body = true;
	entry->shunned_until = 0;
	pow->bodies++;
	spread_ready(pow, at);
}

/* ---- going there ---- */

/* After a restart a block is in the log and not on the shelf. */
static uint64_t last_unshelved(const struct pow *pow, pow_at fork)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at at = pow->active;
	while (at != fork && pow_entry_at(tree, at)->body)
		at = pow_entry_at(tree, at)->parent;
	return pow_entry_at(tree, at)->past.height;
}

/* Back to where both chains are one. What is undone is kept: a signature of
 * this node may be under it. */
static void revert(struct pow *pow, struct effects *out, pow_at fork)
{
	struct pow_tree *tree = pow_tree_of(pow);
	uint64_t height = pow_entry_at(tree, fork)->past.height;
	uint64_t depth = pow_entry_at(tree, pow->active)->past.height - height;
	uint64_t room = POW_BODIES_MAX - pow->bodies;
	uint64_t keep_to = last_unshelved(pow, fork);
	CHECK(height >= pow->final && pow->bodies <= POW_BODIES_MAX);
	if (keep_to > height + room)
		keep_to = height + room;
	struct effect *effect = effects_add(out, EFFECT_REVERT);
	effect->revert.height = height;
	effect->revert.keep_to = keep_to;
	pow->race.reverts++;
	if (depth > pow->race.deepest)
		pow->race.deepest = depth;
	while (pow->active != fork) {
		struct pow_entry *entry = pow_entry_at(tree, pow->active);
		bool kept = !entry->body && entry->past.height <= keep_to;
		entry->logged = false;
		entry->body = entry->body || kept;
		pow->bodies += kept;
		if (!entry->body)
			mark_below(pow, pow->active, MARK_UNREADY);
		pow->active = entry->parent;
	}
}

static void seek_block(struct pow *pow, struct effects *out)
{
	const struct pow_entry *tip = pow_entry_of(pow, pow->active);
	struct pow_field field = {
		.bits = pow_next_bits(&pow->config.pow, &tip->past),
	};
	struct effect *effect = effects_add(out, EFFECT_SEEK);
	pow->seek_at = 0;
	effect->seek.kind = SEEK_BLOCK;
	effect->seek.task = ++pow->seek_task;
	effect->seek.height = tip->past.height + 1;
	effect->seek.hash = tip->hash;
	effect->seek.field_size = POW_FIELD_SIZE;
	effect->seek.member_free = true;
	pow_field_put(effect->seek.field, &field);
}

/* Branches that part by more than POW_REACH, or than the ledger can undo,
 * cannot become one again, so nobody goes so far alone. From half of it above
 * what could be final on, each block is waited for before it is sought, and the
 * wait doubles: miners that are cut off for a night, or whose blocks come
 * faster than they can be told, do not lose each other, and a chain without its
 * signers becomes slow and does not stand.
 */
static time_ms caution(const struct pow *pow)
{
	uint64_t depth = pow->config.pow.depth;
	uint64_t half = (POW_REACH - depth) / 2;
	uint64_t open =
		pow_entry_of(pow, pow->active)->past.height - pow->final;
	uint64_t doublings = POW_DOUBLINGS_MAX;
	if (depth == 0 || open <= depth + POW_LAG)
		return 0;
	if (pow->reach <= pow->final) {
		if (open <= depth + half)
			return 0;
		doublings = (open - depth - half) * POW_DOUBLINGS_MAX / half;
	}
	if (doublings > POW_DOUBLINGS_MAX)
		doublings = POW_DOUBLINGS_MAX;
	time_ms wait = pow->config.pow.interval_ms << doublings;
	/* Not all of them at the same moment. */
	return wait / 2 + (time_ms)(pow->random % (uint64_t)wait);
}

static void rest(struct pow *pow, struct effects *out, time_ms wait)
{
	effects_add(out, EFFECT_SEEK)->seek.kind = SEEK_NONE;
	pow->seek_task++;
	pow->seek_at = pow->now + wait;
}

/* At rest on the best chain there is. */
static void arrived(struct pow *pow, struct effects *out)
{
	const struct hash *tip = &pow_entry_of(pow, pow->active)->hash;
	pow->round = 0;
	pow_finalise(pow, out);
	pow_pledge(pow, out);
	time_ms wait = caution(pow);
	if (hash_equal(&pow->sought, tip) && pow->seek_task > 0) {
		if (pow->seek_at > 0 && (wait == 0 || pow->now >= pow->seek_at))
			seek_block(pow, out);
		return;
	}
	pow->sought = *tip;
	if (wait > 0)
		rest(pow, out, wait);
	else
		seek_block(pow, out);
	pow_say_tip(pow, out, false);
}

/* The ledger cannot be taken back to where this branch leaves, so that it is
 * none; unless it is that of the checkpoint, and there is no other. */
static bool is_too_deep(struct pow *pow, pow_at best, pow_at fork)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t height = pow_entry_at(tree, fork)->past.height;
	if (height >= pow->reach || pow_entry_of(pow, pow->active)->dead)
		return false;
	mark_below(pow, pow_tree_ancestor(tree, best, height + 1), MARK_DEAD);
	pow->dirty = true;
	return true;
}

void pow_advance(struct pow *pow, struct effects *out)
{
	struct pow_tree *tree = pow_tree_of(pow);
	if (pow->connecting != 0)
		return;
	pow_at best = pow_best_ready(pow);
	CHECK(best != 0);
	const struct pow_entry *from = pow_entry_at(tree, pow->active);
	const struct pow_entry *to = pow_entry_at(tree, best);
	/* A chain that is as good is no reason to leave this one. */
	if (best == pow->active ||
		(!from->dead && number_compare(&to->work, &from->work) <= 0)) {
		arrived(pow, out);
		return;
	}
	if (pow->round >= POW_CONNECT_ROUND) {
		pow->again = true;
		return;
	}
	pow_at fork = pow_tree_fork(tree, pow->active, best);
	if (is_too_deep(pow, best, fork)) {
		pow->again = true;
		return;
	}
	if (pow_entry_at(tree, fork)->past.height < pow->reach) {
		pow_replay(pow, out, pow_entry_at(tree, fork)->past.height);
		return;
	}
	if (fork != pow->active)
		revert(pow, out, fork);
	if (fork == best) {
		arrived(pow, out);
		return;
	}
	pow_at next = pow_tree_ancestor(
		tree, best, pow_entry_at(tree, fork)->past.height + 1);
	struct effect *effect = effects_add(out, EFFECT_CONNECT);
	effect->connect.hash = pow_entry_at(tree, next)->hash;
	effect->connect.height = pow_entry_at(tree, next)->past.height;
	pow->connecting = next;
	pow->round++;
}

void pow_connected(
	struct pow *pow, struct effects *out, const struct event *event)
{
	pow_at at = pow->connecting;
	struct pow_entry *entry = pow_entry_of(pow, at);
	CHECK(at != 0 && hash_equal(&entry->hash, &event->connected.hash));
	pow->connecting = 0;
	if (event->connected.err == ERR_NOT_FOUND) {
		pow_drop_body(pow, out, at); /* others are asked for it */
		return;
	}
	if (event->connected.err != ERR_OK) {
		pow_condemn(pow, at);
		pow_fault(pow, out, entry->from - 1, ENGINE_FAULT_INVALID,
			entry->past.height, &entry->hash);
		pow_drop_body(pow, out, at);
		pow->dirty = true;
		return;
	}
	pow->active = at;
	pow->astray_at = 0;
	pow->reach = event->connected.reach;
	entry->logged = true;
	pow->member_count = event->connected.member_count;
	for (size_t i = 0; i < pow->member_count; i++)
		pow->members[i] = event->connected.members[i];
	pow_follow_members(pow);
	pow_save(pow, out, entry->past.height, &entry->hash);
}

/* ---- forgetting ---- */

void pow_mark_dead(struct pow *pow)
{
	struct pow_tree *tree = pow_tree_of(pow);
	pow_at mark = pow_tree_find(tree, &pow->certified.hash);
	if (mark == 0)
		return;
	/* What hangs beside the way from the root to the mark. */
	for (pow_at on = mark; on != tree->root;
		on = pow_entry_at(tree, on)->parent) {
		pow_at parent = pow_entry_at(tree, on)->parent;
		for (pow_at child = pow_entry_at(tree, parent)->first_child;
			child != 0;
			child = pow_entry_at(tree, child)->next_sibling) {
			if (child != on)
				mark_below(pow, child, MARK_DEAD);
		}
	}
	pow->dirty = true;
}

/* The root: the final block, or as deep as a reorganisation may go. */
static uint64_t root_height(const struct pow *pow)
{
	uint64_t tip = pow_entry_of(pow, pow->active)->past.height;
	uint64_t deepest = tip > POW_REACH ? tip - POW_REACH : 0;
	if (deepest < pow->reach)
		deepest = pow->reach;
	return pow->final > deepest ? pow->final : deepest;
}

static size_t sweep_dead(struct pow *pow, struct effects *out, size_t limit)
{
	struct pow_tree *tree = pow_tree_of(pow);
	size_t swept = 0;
	for (size_t i = 1; i <= tree->capacity && swept < limit; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (!entry->used || !entry->dead || entry->first_child != 0 ||
			entry->logged || (pow_at)i == pow->connecting)
			continue;
		pow_drop_body(pow, out, (pow_at)i);
		pow_tree_remove(tree, (pow_at)i);
		swept++;
	}
	return swept;
}

/* Branches that leave below the root can never win any more. */
static bool advance_root(struct pow *pow, struct effects *out)
{
	struct pow_tree *tree = pow_tree_of(pow);
	uint64_t height = pow_entry_at(tree, tree->root)->past.height;
	if (height >= root_height(pow))
		return false;
	pow_at next = pow_tree_ancestor(tree, pow->active, height + 1);
	bool alone = true;
	for (pow_at child = pow_entry_at(tree, tree->root)->first_child;
		child != 0; child = pow_entry_at(tree, child)->next_sibling) {
		if (child == next)
			continue;
		mark_below(pow, child, MARK_DEAD);
		alone = false;
	}
	if (!alone) {
		pow->dirty = true;
		return false;
	}
	pow_drop_body(pow, out, tree->root);
	pow_tree_advance(tree, next);
	return true;
}

void pow_sweep(struct pow *pow, struct effects *out)
{
	size_t left = POW_SWEEP_ROUND;
	if (pow->connecting != 0)
		return;
	while (left-- > 0) {
		if (pow->dirty) {
			size_t swept = sweep_dead(pow, out, left + 1);
			left -= swept > left ? left : swept;
			/* A leaf gone may make another leaf. */
			pow->dirty = swept > 0;
		} else if (!advance_root(pow, out) && !pow->dirty) {
			return;
		}
	}
	pow->again = true;
}
