/* consensus/pow/checkpoint.c -- what shall never be undone, whatever the work.
 *
 * A node signs the block `depth` below its tip, at each height once, and when
 * enough have signed one block it is final: the chain goes through it.
 *
 * Once a height is not all: after a deep reorganisation a node may sign another
 * branch, higher up, and two branches could both be signed by enough. So what
 * was signed is a pledge: a block of another branch is signed only when every
 * pledge beside it is refuted, that is when so many voters are known to have
 * signed another block at its height that enough can never sign it.
 */
#include "consensus/pow/state.h"

#include <string.h>

#include "base/check.h"

/* ---- the record: what must survive a crash ---- */

static void put_64(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_64(const uint8_t *at)
{
	uint64_t value = 0;
	for (int i = 7; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

enum {
	RECORD_PLEDGES_AT = 49, /* certified, signed height, count */
	RECORD_APART = 0x80, /* beside count: certified is not on the chain */
	RECORD_PLEDGE = 2 + 2 * HASH_SIZE,
	RECORD_FINAL = 8, /* then: the height that is final */
	RECORD_SIZE = RECORD_PLEDGES_AT + POW_PLEDGES_MAX * RECORD_PLEDGE +
		      RECORD_FINAL,
};
_Static_assert((int)RECORD_SIZE <= (int)ENGINE_RECORD_MAX, "too long");

static bool is_apart(const struct pow *pow, const struct pow_checkpoint *mark)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at at = pow_tree_ancestor(tree, pow->active, mark->height);
	return mark->height > pow->final &&
	       (at == 0 ||
		       !hash_equal(&pow_entry_at(tree, at)->hash, &mark->hash));
}

static size_t write_record(struct pow *pow, uint8_t out[RECORD_SIZE])
{
	uint8_t *at = out + RECORD_PLEDGES_AT;
	const struct pow_checkpoint *mark = &pow->certified;
	if (pow->pending.height > mark->height)
		mark = &pow->pending;
	pow->apart = is_apart(pow, mark);
	put_64(out, mark->height);
	memcpy(out + 8, mark->hash.bytes, HASH_SIZE);
	put_64(out + 40, pow->signed_height);
	out[48] =
		(uint8_t)(pow->pledge_count | (pow->apart ? RECORD_APART : 0));
	for (size_t i = 0; i < pow->pledge_count; i++) {
		/* How far below signed_height; no more than 2^16 fit. */
		uint64_t below = pow->signed_height - pow->pledges[i].height;
		CHECK(below <= UINT16_MAX);
		at[0] = (uint8_t)below;
		at[1] = (uint8_t)(below >> 8);
		memcpy(at + 2, pow->pledges[i].hash.bytes, HASH_SIZE);
		memcpy(at + 34, pow->pledges[i].state_root.bytes, HASH_SIZE);
		at += RECORD_PLEDGE;
	}
	if (pow->apart) {
		put_64(at, pow->final);
		at += RECORD_FINAL;
	}
	return (size_t)(at - out);
}

uint64_t pow_read_record(struct pow *pow, struct view record)
{
	if (record.size < RECORD_PLEDGES_AT)
		return 0;
	const uint8_t *at = record.data + RECORD_PLEDGES_AT;
	size_t count = record.data[48] % RECORD_APART;
	pow->apart = (record.data[48] & RECORD_APART) != 0;
	CHECK(count <= POW_PLEDGES_MAX &&
		record.size == RECORD_PLEDGES_AT + count * RECORD_PLEDGE +
				       (pow->apart ? RECORD_FINAL : 0));
	pow->certified.height = get_64(record.data);
	memcpy(pow->certified.hash.bytes, record.data + 8, HASH_SIZE);
	pow->signed_height = get_64(record.data + 40);
	pow->pledge_count = count;
	for (size_t i = 0; i < count; i++) {
		struct pow_pledge *pledge = &pow->pledges[i];
		memset(pledge, 0, sizeof(*pledge));
		pledge->height = pow->signed_height -
				 ((uint64_t)at[0] | (uint64_t)at[1] << 8);
		memcpy(pledge->hash.bytes, at + 2, HASH_SIZE);
		memcpy(pledge->state_root.bytes, at + 34, HASH_SIZE);
		at += RECORD_PLEDGE;
	}
	return pow->apart ? get_64(at) : pow->certified.height;
}

void pow_save(struct pow *pow, struct effects *out, uint64_t height,
	const struct hash *hash)
{
	uint8_t record[RECORD_SIZE];
	struct effect *effect = effects_add(out, EFFECT_SAVE);
	effect->save.task = ++pow->save_task;
	if (pow->record_dirty)
		effect->save.record = effects_bytes(
			out, view_of(record, write_record(pow, record)));
	pow->record_dirty = false;
	if (hash == NULL)
		return;
	pow->saving = (struct engine_block){.ref.hash = *hash};
	pow->saving.ref.header.height = height;
	effect->save.blocks = &pow->saving;
	effect->save.block_count = 1;
}

/* ---- pledges ---- */

static size_t voters(const struct pow *pow)
{
	size_t count = 0;
	for (size_t i = 0; i < pow->member_count; i++)
		count += pow->members[i].role == 2;
	return count;
}

static size_t enough(const struct pow *pow)
{
	return pow->config.signers > 0 ? pow->config.signers
				       : voters(pow) / 2 + 1;
}

/* A voter who signed something else at this height. */
static bool differs(const struct pow *pow, const struct pow_votes *votes,
	const struct pow_pledge *pledge)
{
	if (!pow_is_voter(pow, &votes->key))
		return false;
	for (size_t i = 0; i < POW_VOTES_MAX; i++) {
		const struct pow_vote *vote = &votes->items[i];
		if (vote->height == pledge->height &&
			!hash_equal(&vote->hash, &pledge->hash))
			return true;
	}
	return false;
}

static bool is_refuted(const struct pow *pow, const struct pow_pledge *pledge)
{
	size_t others = 0;
	for (size_t i = 0; i < ENGINE_MEMBERS_MAX; i++)
		others += differs(pow, &pow->votes[i], pledge);
	return voters(pow) - others < enough(pow);
}

static bool is_on_chain(const struct pow *pow, const struct pow_pledge *pledge)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	pow_at at = pow_tree_ancestor(tree, pow->active, pledge->height);
	return at != 0 &&
	       hash_equal(&pow_entry_at(tree, at)->hash, &pledge->hash);
}

/* Those that are settled: final, or never to be. What is not signed yet still
 * has to be: others may hold on to a pledge of theirs until they see it. */
static void drop_pledges(struct pow *pow)
{
	size_t kept = 0;
	for (size_t i = 0; i < pow->pledge_count; i++) {
		const struct pow_pledge *pledge = &pow->pledges[i];
		bool settled = pledge->height <= pow->certified.height ||
			       (pledge->kept && is_refuted(pow, pledge));
		if (!settled)
			pow->pledges[kept++] = *pledge;
	}
	if (kept != pow->pledge_count)
		pow->record_dirty = true;
	pow->pledge_count = kept;
}

static bool may_sign(const struct pow *pow)
{
	for (size_t i = 0; i < pow->pledge_count; i++) {
		if (!is_on_chain(pow, &pow->pledges[i]))
			return false;
	}
	/* A block is final that is not even known here: this chain may be
	 * another one. */
	return pow->pledge_count < POW_PLEDGES_MAX && pow->pending.height == 0;
}

static bool is_settled_here(const struct pow *pow)
{
	pow_at best = pow_best_header(pow);
	return best == 0 || number_compare(&pow_entry_of(pow, best)->work,
				    &pow_entry_of(pow, pow->active)->work) <= 0;
}

void pow_pledge(struct pow *pow, struct effects *out)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t tip = pow_entry_at(tree, pow->active)->past.height;
	uint64_t depth = pow->config.pow.depth;
	uint64_t next = pow->signed_height > pow->certified.height
				? pow->signed_height + 1
				: pow->certified.height + 1;
	if (depth == 0 || !pow_is_voter(pow, &pow->config.self) ||
		!is_settled_here(pow))
		return;
	drop_pledges(pow);
	for (; next + depth <= tip && may_sign(pow); next++) {
		pow_at at = pow_tree_ancestor(tree, pow->active, next);
		if (at == 0)
			continue; /* deeper than the tree: too late */
		struct pow_pledge *pledge = &pow->pledges[pow->pledge_count++];
		pledge->height = next;
		pledge->hash = pow_entry_at(tree, at)->hash;
		pledge->state_root = pow_entry_at(tree, at)->state_root;
		pledge->task = pow->save_task + 1;
		pledge->kept = false;
		pow->signed_height = next;
		pow->record_dirty = true;
	}
	if (pow->record_dirty)
		pow_save(pow, out, 0, NULL);
}

static void say(struct effects *out, const struct pow_pledge *pledge)
{
	struct effect *effect = effects_add(out, EFFECT_SIGN);
	effect->sign.height = pledge->height;
	effect->sign.hash = pledge->hash;
	effect->sign.state_root = pledge->state_root;
}

void pow_say_pledges(struct pow *pow, struct effects *out)
{
	for (size_t i = 0; i < pow->pledge_count; i++) {
		struct pow_pledge *pledge = &pow->pledges[i];
		if (pledge->task == 0 || pledge->task > pow->saved_task)
			continue;
		say(out, pledge);
		pledge->task = 0;
	}
}

/* Signatures may have been lost, and others wait for them. */
void pow_repeat_pledges(struct pow *pow, struct effects *out)
{
	for (size_t i = 0; i < pow->pledge_count; i++) {
		if (pow->pledges[i].task == 0)
			say(out, &pow->pledges[i]);
	}
}

/* ---- what others signed ---- */

static struct pow_votes *votes_of(struct pow *pow, const struct key *key)
{
	static const struct key nobody = {{0}};
	struct pow_votes *free = NULL;
	for (size_t i = 0; i < ENGINE_MEMBERS_MAX; i++) {
		struct pow_votes *votes = &pow->votes[i];
		if (key_equal(&votes->key, key))
			return votes;
		if (key_equal(&votes->key, &nobody) ||
			!pow_is_voter(pow, &votes->key))
			free = votes;
	}
	if (free != NULL)
		*free = (struct pow_votes){.key = *key};
	return free;
}

/* A node hears of its own signature when that is on the disk. */
static void keep_own(struct pow *pow, uint64_t height, const struct hash *hash)
{
	for (size_t i = 0; i < pow->pledge_count; i++) {
		struct pow_pledge *pledge = &pow->pledges[i];
		if (pledge->height == height && hash_equal(&pledge->hash, hash))
			pledge->kept = true;
	}
}

void pow_vouched(
	struct pow *pow, struct effects *out, const struct event *event)
{
	const struct key *key = &event->vouched.key;
	if (key_equal(key, &pow->config.self)) {
		keep_own(pow, event->vouched.height, &event->vouched.hash);
		return;
	}
	struct pow_votes *votes =
		pow_is_voter(pow, key) ? votes_of(pow, key) : NULL;
	if (votes == NULL)
		return;
	for (size_t i = 0; i < POW_VOTES_MAX; i++) {
		if (votes->items[i].height == event->vouched.height)
			return; /* the first counts; two are evidence */
	}
	struct pow_vote *vote = &votes->items[votes->next];
	votes->next = (votes->next + 1) % POW_VOTES_MAX;
	vote->height = event->vouched.height;
	vote->hash = event->vouched.hash;
	if (pow->connecting == 0)
		pow_pledge(pow, out);
}

/*~ Work decides until enough have signed; then it does not decide any more. A
 * branch from below that block is refused however heavy it is, and the chain
 * goes through that block even if another one is heavier.
 */
void pow_certified(struct pow *pow, struct effects *out, uint64_t height,
	const struct hash *hash)
{
	struct pow_tree *tree = pow_tree_of(pow);
	if (height <= pow->certified.height)
		return;
	pow_at at = pow_tree_find(tree, hash);
	if (at == 0) {
		if (height > pow->pending.height) {
			pow->pending = (struct pow_checkpoint){height, *hash};
			pow->record_dirty = true;
			pow_save(pow, out, 0, NULL);
		}
		return;
	}
	if (pow_entry_at(tree, at)->past.height != height ||
		pow_entry_at(tree, at)->dead || pow_entry_at(tree, at)->invalid)
		return;
	pow->certified = (struct pow_checkpoint){height, *hash};
	if (pow->pending.height <= height)
		pow->pending = (struct pow_checkpoint){0};
	pow->record_dirty = true;
	pow_mark_dead(pow);
	drop_pledges(pow);
	pow_save(pow, out, 0, NULL);
	pow->certified_task = pow->save_task;
}

void pow_finalise(struct pow *pow, struct effects *out)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t height = pow->certified.height;
	if (height <= pow->final || pow->certified_task > pow->saved_task ||
		height > pow_entry_at(tree, pow->active)->past.height)
		return;
	pow_at at = pow_tree_ancestor(tree, pow->active, height);
	if (at == 0 || !hash_equal(&pow_entry_at(tree, at)->hash,
			       &pow->certified.hash))
		return;
	pow->final = height;
	effects_add(out, EFFECT_COMMIT)->commit.height = height;
	if (!pow->apart)
		return;
	pow->record_dirty = true; /* it says what is final */
	pow_save(pow, out, 0, NULL);
}

/* ---- too far away ---- */

/* Enough have signed a block that is not here, and who has it is on a chain
 * that leaves this one above what is final, but below what the tree, or the
 * ledger's journal, still has: no block of it can be placed. Unless one can
 * after all. */
void pow_go_astray(struct pow *pow)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	if (pow->pending.height == 0 || root <= pow->final)
		return;
	if (pow->astray_at == 0)
		pow->astray_at = pow->now;
	pow->lost = pow->now - pow->astray_at >= POW_LOST_MS;
}

/* A ledger that cannot be undone so far can still be made again: the log has
 * all its blocks. What is cut off cannot be final any more. */
void pow_replay(struct pow *pow, struct effects *out, uint64_t height)
{
	CHECK(height >= pow->final);
	effects_add(out, EFFECT_REPLAY)->replay.height = height;
	pow->replaying = true;
}
