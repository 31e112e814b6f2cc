/* observer/fork.c -- blocks that stand beside each other: of two nodes at one
 * height, and of one node before and after it changed its mind.
 *
 * A reorganisation is whole once the first block of the new branch is there;
 * what hints lost is found by the next heartbeat, which names the last blocks.
 */
#include <string.h>

#include "model.h"

static struct news *add_news(struct model *model)
{
	return &model->news[model->news_count++ % MODEL_NEWS_MAX];
}

static bool same(const struct perch_hash *a, const struct perch_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- two nodes, one height ---- */

static void tell_fork(struct model *model, unsigned chain, size_t node,
	const struct rivals *rivals, int64_t now)
{
	const struct perch_hash *hash = &rivals->blocks[rivals->count - 1];
	char first[7], second[7];
	model->forks[chain]++;
	*add_news(model) = (struct news){
		.what = NEWS_FORK,
		.chain = chain,
		.node = node,
		.height = rivals->height,
		.hash = *hash,
		.other = rivals->blocks[0],
		.time = now,
	};
	model_note(model, now, true, "%s: fork at %llu, %.5s beside %.5s (%s)",
		model_chain_name(chain), (unsigned long long)rivals->height,
		perch_hex(second, hash, 3),
		perch_hex(first, &rivals->blocks[0], 3),
		model->nodes[node].name);
}

void fork_seen(struct model *model, unsigned chain, size_t node,
	uint64_t height, const struct perch_hash *hash, int64_t now)
{
	struct rivals *rivals =
		&model->rivals[chain][height % MODEL_HEIGHTS_MAX];
	if (height < rivals->height)
		return; /* of long ago */
	if (height > rivals->height)
		*rivals = (struct rivals){.height = height};
	for (size_t i = 0; i < rivals->count; i++) {
		if (same(&rivals->blocks[i], hash))
			return;
	}
	if (rivals->count == MODEL_RIVALS_MAX)
		return; /* a storm: the first ones say enough */
	rivals->blocks[rivals->count++] = *hash;
	if (rivals->count > 1)
		tell_fork(model, chain, node, rivals, now);
}

/* ---- one node, another branch ---- */

const struct perch_hash *branch_at(const struct branch *branch, uint64_t height)
{
	if (height <= branch->above || height > branch->top ||
		height > branch->above + MODEL_RECENT_MAX)
		return NULL;
	return &branch->blocks[height % MODEL_RECENT_MAX];
}

/* The newest goes first, so the lowest blocks are those that are kept. */
void fork_left(struct tower *tower, uint64_t height,
	const struct perch_hash *hash, int64_t now)
{
	struct branch *left = &tower->left;
	if (!left->open || height != left->above)
		*left = (struct branch){.top = height, .open = true};
	left->above = height - 1;
	left->time = now;
	left->blocks[height % MODEL_RECENT_MAX] = *hash;
}

void fork_joined(struct model *model, unsigned chain, size_t node,
	const struct perch_hash *hash, int64_t now)
{
	struct tower *tower = &model->nodes[node].towers[chain];
	struct branch *left = &tower->left;
	char from[7], to[7];
	if (!left->open)
		return;
	left->open = false;
	uint64_t depth = left->top - left->above;
	const struct perch_hash *gone = branch_at(left, left->above + 1);
	tower->reorganisations++;
	if (depth > tower->deepest)
		tower->deepest = depth;
	*add_news(model) = (struct news){
		.what = NEWS_REORGANISATION,
		.chain = chain,
		.node = node,
		.height = left->above,
		.depth = depth,
		.hash = *hash,
		.other = *gone,
		.time = now,
	};
	model_note(model, now, true,
		"%s: %s reorganised above %llu, %llu undone: %.5s, now %.5s",
		model_chain_name(chain), model->nodes[node].name,
		(unsigned long long)left->above, (unsigned long long)depth,
		perch_hex(from, gone, 3), perch_hex(to, hash, 3));
}
