/* tests/unit/pow_checkpoint.c -- what is signed, when, and only once; and what
 * enough signatures do to chains of whatever work.
 */
#include "pow_world.h"

static struct forged blocks[64], others[64];

static void grow(struct pow_world *world, struct forged *chain, size_t count,
	const struct forged *from, time_ms after, uint8_t tag)
{
	for (size_t i = 0; i < count; i++)
		forge(world, &chain[i], i > 0 ? &chain[i - 1] : from, after, 1,
			tag);
}

static void say_all(struct pow_world *world, size_t from,
	const struct forged *chain, size_t count)
{
	for (size_t i = 0; i < count; i++)
		world_tip(world, from, &chain[i]);
}

static void certify(struct pow_world *world, const struct forged *block)
{
	struct event event = {.type = EVENT_CERTIFIED};
	event.certified.height = block->past.height;
	event.certified.hash = block->block.ref.hash;
	world_step(world, &event);
}

static void vouch(struct pow_world *world, size_t who, uint64_t height,
	const struct hash *hash)
{
	struct event event = {.type = EVENT_VOUCHED};
	event.vouched.key = pow_pair(who)->key;
	event.vouched.height = height;
	event.vouched.hash = *hash;
	world_step(world, &event);
}

static const struct pow_checkpoint *last_sign(const struct pow_world *world)
{
	return &world->signs[(world->signed_count - 1) % 64];
}

static void again(
	struct pow_world *world, const struct forged *chain, size_t count)
{
	world_begin(world);
	for (size_t i = 0; i < count; i++)
		engine_find("pow")->restore(world->pow, &chain[i].block);
	world->tip = count;
	world->signed_count = 0;
	world_start(world);
}

/* ---- signing ---- */

static void test_signed_at_depth_when_it_is_durable(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 4, NULL, INTERVAL, 0);
	world->slow_disk = true;
	say_all(world, 1, blocks, 3);
	assert_int_equal(world->signed_count, 0);
	world_saved(world);
	assert_int_equal(world->signed_count, 1);
	assert_int_equal(last_sign(world)->height, 1);
	assert_true(
		hash_equal(&last_sign(world)->hash, &blocks[0].block.ref.hash));
	world_tip(world, 1, &blocks[3]);
	world_saved(world);
	assert_int_equal(last_sign(world)->height, 2);
}

static void test_once_a_height_across_a_crash(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 4, NULL, INTERVAL, 0);
	grow(world, others, 6, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 4);
	assert_int_equal(world->pow->signed_height, 2);
	again(world, blocks, 4);
	assert_int_equal(world->pow->signed_height, 2);
	assert_int_equal(world->pow->pledge_count, 2);
	/* Another branch, heavier: followed, and nothing of it is signed. */
	say_all(world, 2, others, 6);
	assert_int_equal(world->tip, 6);
	for (size_t i = 0; i < world->signed_count; i++)
		assert_true(hash_equal(&world->signs[i].hash,
			&blocks[world->signs[i].height - 1].block.ref.hash));
}

static void test_a_pledge_is_kept_until_it_is_refuted(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 3, NULL, INTERVAL, 0);
	grow(world, others, 6, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 3);
	say_all(world, 2, others, 6);
	assert_int_equal(world->pow->signed_height, 1);
	/* Five voters, three are enough: one who differs refutes nothing. */
	vouch(world, 1, 1, &others[0].block.ref.hash);
	vouch(world, 2, 1, &blocks[0].block.ref.hash);
	vouch(world, 2, 1, &others[0].block.ref.hash); /* its second word */
	vouch(world, 9, 1, &others[0].block.ref.hash); /* a stranger's */
	vouch(world, 3, 1, &others[0].block.ref.hash);
	assert_int_equal(world->pow->signed_height, 1);
	vouch(world, 4, 1, &others[0].block.ref.hash);
	assert_int_equal(world->pow->signed_height, 4);
	assert_true(
		hash_equal(&last_sign(world)->hash, &others[3].block.ref.hash));
}

/* That others differ says nothing of what this node signed: they wait for its
 * signature, which may not be on the disk yet when power fails. */
static void test_a_pledge_is_kept_until_it_is_signed(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 3, NULL, INTERVAL, 0);
	grow(world, others, 6, NULL, INTERVAL, 1);
	world->slow_pen = true;
	say_all(world, 1, blocks, 3);
	assert_int_equal(world->signed_count, 1);
	say_all(world, 2, others, 6);
	for (size_t who = 1; who < PEERS; who++)
		vouch(world, who, 1, &others[0].block.ref.hash);
	assert_int_equal(world->pow->signed_height, 1);
	again(world, blocks, 3);
	assert_int_equal(world->pow->pledge_count, 1);
	world->slow_pen = false;
	world_wait(world, 5 * INTERVAL);
	assert_true(world->signed_count > 0);
	assert_true(
		hash_equal(&last_sign(world)->hash, &blocks[0].block.ref.hash));
	say_all(world, 2, others, 6);
	for (size_t who = 1; who < PEERS; who++)
		vouch(world, who, 1, &others[0].block.ref.hash);
	assert_true(world->pow->signed_height > 1);
}

static void test_few_pledges_at_a_time(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 12, NULL, INTERVAL, 0);
	say_all(world, 1, blocks, 12);
	assert_int_equal(world->pow->pledge_count, POW_PLEDGES_MAX);
	assert_int_equal(world->pow->signed_height, POW_PLEDGES_MAX);
	certify(world, &blocks[POW_PLEDGES_MAX - 1]);
	assert_int_equal(world->pow->signed_height, 2 * POW_PLEDGES_MAX);
}

/* ---- final ---- */

static void test_final_when_it_is_durable(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 4, NULL, INTERVAL, 0);
	say_all(world, 1, blocks, 4);
	world->slow_disk = true;
	certify(world, &blocks[1]);
	assert_int_equal(world->final, 0);
	world_saved(world);
	assert_int_equal(world->final, 2);
	again(world, blocks, 4);
	assert_int_equal(world->final, 2);
}

static void test_a_secret_branch(void **state)
{
	struct pow_world *world = *state;
	static struct forged above[8];
	grow(world, blocks, 5, NULL, INTERVAL, 0);
	grow(world, others, 12, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 5);
	certify(world, &blocks[2]);
	assert_int_equal(world->final, 3);
	/* From below the checkpoint: refused however heavy. */
	for (size_t i = 0; i < 12; i++) {
		const struct forged *list = &others[i];
		struct pow_message headers = {
			.kind = POW_HEADERS, .height = 12};
		world_hear(world, 2, &headers, &list, 1);
	}
	assert_true(world_faults(world, ENGINE_FAULT_CHECKPOINT) > 0);
	assert_int_equal(world->tip, 5);
	assert_true(hash_equal(&world->chain[5], &blocks[4].block.ref.hash));
	/* From above it: adopted. */
	grow(world, above, 4, &blocks[2], INTERVAL, 2);
	say_all(world, 2, above, 4);
	assert_int_equal(world->tip, 7);
	assert_true(hash_equal(&world->chain[7], &above[3].block.ref.hash));
}

static void test_the_lighter_branch_is_final(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 6, NULL, INTERVAL, 0);
	grow(world, others, 3, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 6);
	/* Others know more: the block is not even here. */
	certify(world, &others[1]);
	assert_int_equal(world->tip, 6);
	say_all(world, 2, others, 3);
	assert_int_equal(world->final, 2);
	assert_int_equal(world->tip, 3);
	assert_true(hash_equal(&world->chain[3], &others[2].block.ref.hash));
	/* And the heavier one does not come back. */
	world->now += 5000;
	say_all(world, 1, blocks, 6);
	assert_int_equal(world->tip, 3);
}

static void test_nothing_is_signed_while_the_final_block_is_unknown(
	void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 6, NULL, INTERVAL, 0);
	grow(world, others, 3, NULL, INTERVAL, 1);
	certify(world, &others[1]);
	say_all(world, 1, blocks, 6);
	assert_int_equal(world->tip, 6);
	assert_int_equal(world->signed_count, 0);
	again(world, blocks, 6); /* also after a crash */
	assert_int_equal(world->signed_count, 0);
}

static void test_old_branches_are_pruned(void **state)
{
	struct pow_world *world = *state;
	static struct forged chain[2];
	grow(world, others, 3, NULL, INTERVAL / 4, 1);
	say_all(world, 2, others, 3);
	world->now += 100000000;
	forge(world, &chain[0], NULL, INTERVAL, 1, 0);
	for (size_t i = 0; i < 600; i++) {
		world->now += 20;
		world_tip(world, 1, &chain[i % 2]);
		forge(world, &chain[(i + 1) % 2], &chain[i % 2], INTERVAL, 1,
			0);
	}
	const struct pow_tree *tree = pow_tree_of(world->pow);
	assert_int_equal(world->tip, 600);
	assert_true(tree->count <= POW_REACH + 2);
	assert_true(world->pow->bodies <= POW_BODIES_MAX);
	assert_int_equal(pow_tree_find(tree, &others[2].block.ref.hash), 0);
	assert_true(world->drops > 300);
}

/* What was left for a heavier branch may still become final; nobody else may
 * have its blocks, and after a restart they were in this log alone. */
static void test_what_was_left_is_come_back_to(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 4, NULL, INTERVAL, 0);
	grow(world, others, 6, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 4);
	again(world, blocks, 4);
	say_all(world, 2, others, 6);
	assert_int_equal(world->tip, 6);
	assert_int_equal(world->kept_to, 4);
	certify(world, &blocks[1]);
	assert_int_equal(world->tip, 4);
	assert_int_equal(world->final, 2);
	assert_true(hash_equal(&world->chain[4], &blocks[3].block.ref.hash));
}

/* Unless it was forgotten: then it is asked for. */
static void test_what_was_left_and_forgotten_is_fetched(void **state)
{
	struct pow_world *world = *state;
	struct pow_message message = {.kind = POW_BODY};
	const struct forged *list = &blocks[1];
	grow(world, blocks, 4, NULL, INTERVAL, 0);
	grow(world, others, 6, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 4);
	say_all(world, 2, others, 6);
	world->invalid = blocks[1].block.ref.hash;
	world->wrong = ERR_NOT_FOUND;
	certify(world, &blocks[1]);
	assert_int_equal(world->tip, 1);
	const struct sent *asked = world_last(world, POW_GETDATA, 1);
	assert_non_null(asked);
	assert_int_equal(asked->message.heights[0], 2);
	world->invalid = NETWORK;
	world_hear(world, 1, &message, &list, 1);
	assert_int_equal(world->tip, 4);
	assert_int_equal(world->final, 2);
	assert_int_equal(world_faults(world, ENGINE_FAULT_INVALID), 0);
}

/* ---- far above what is final ---- */

static void test_nobody_mines_far_ahead_of_what_is_final(void **state)
{
	struct pow_world *world = *state;
	const size_t most = 2 + (POW_REACH - 2) / 2;
	static struct forged chain[POW_REACH];
	time_ms before = 0;
	world->now += 100000000;
	grow(world, chain, POW_REACH, NULL, INTERVAL, 0);
	for (size_t i = 0; i < POW_REACH; i++) {
		world->now += 10;
		world_tip(world, 1, &chain[i]);
		assert_int_equal(world->tip, i + 1);
		assert_int_equal(
			world->seek, i + 1 <= most ? SEEK_BLOCK : SEEK_NONE);
		if (i + 1 <= most)
			continue;
		/* The further, the longer. */
		time_ms wait = world->pow->seek_at - world->now;
		assert_true(wait >= before && wait >= INTERVAL / 2);
		before = wait;
	}
	assert_true(before > 10000 * INTERVAL);
	/* Slower and slower, and never not at all. */
	world->now = world->pow->seek_at - 1;
	world_wait(world, 0);
	assert_int_equal(world->seek, SEEK_NONE);
	assert_true(world->timer_at <= world->pow->seek_at);
	world_wait(world, 1);
	assert_int_equal(world->seek, SEEK_BLOCK);
}

static void test_what_becomes_final_is_mined_on_at_once(void **state)
{
	struct pow_world *world = *state;
	static struct forged chain[POW_REACH];
	world->now += 100000000;
	grow(world, chain, POW_REACH, NULL, INTERVAL, 0);
	for (size_t i = 0; i < POW_REACH; i++) {
		world->now += 10;
		world_tip(world, 1, &chain[i]);
	}
	assert_int_equal(world->seek, SEEK_NONE);
	certify(world, &chain[POW_REACH - 3]);
	assert_int_equal(world->final, POW_REACH - 2);
	assert_int_equal(world->seek, SEEK_BLOCK);
}

/* Nor above what the ledger could still be taken back to. */
static void test_nobody_mines_what_cannot_be_undone(void **state)
{
	struct pow_world *world = *state;
	const size_t late = 2 + POW_LAG;
	world->now += 100000000;
	grow(world, blocks, late + 1, NULL, INTERVAL, 0);
	world->reach = 1;
	for (size_t i = 0; i <= late; i++) {
		assert_int_equal(world->seek, SEEK_BLOCK);
		world->now += 10;
		world_tip(world, 1, &blocks[i]);
	}
	assert_int_equal(world->seek, SEEK_NONE);
	assert_true(world->pow->seek_at > world->now + 10000 * INTERVAL);
	certify(world, &blocks[0]);
	assert_int_equal(world->final, 1);
	assert_int_equal(world->seek, SEEK_BLOCK);
}

/* Without signatures nothing is ever final, and nothing to wait for. */
static void test_without_checkpoints_nobody_waits(void **state)
{
	struct pow_world *world = *state;
	static struct forged chain[POW_REACH];
	world->rules.depth = 0;
	world_begin(world);
	world->now += 100000000;
	grow(world, chain, POW_REACH, NULL, INTERVAL, 0);
	for (size_t i = 0; i < POW_REACH; i++) {
		world->now += 10;
		world_tip(world, 1, &chain[i]);
	}
	assert_int_equal(world->tip, POW_REACH);
	assert_int_equal(world->seek, SEEK_BLOCK);
}

/* A ledger that cannot be taken back so far is not asked to be. */
static void test_no_further_back_than_the_ledger_reaches(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 7, NULL, INTERVAL, 0);
	grow(world, others, 9, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 6);
	say_all(world, 2, others, 6);
	world->reach = 2;
	world_tip(world, 1, &blocks[6]);
	say_all(world, 2, others + 6, 3);
	assert_int_equal(world->tip, 7);
	assert_int_equal(world->reverts, 0);
	grow(world, others, 6, &blocks[1], INTERVAL, 2);
	say_all(world, 2, others, 6);
	assert_int_equal(world->tip, 8);
	assert_int_equal(world->reverts, 1);
}

/* Also when the branch that it went to turns out to be invalid. */
static void test_no_way_back_from_an_invalid_branch(void **state)
{
	struct pow_world *world = *state;
	const struct forged *list[5];
	struct pow_message headers = {.kind = POW_HEADERS, .height = 5};
	grow(world, blocks, 3, NULL, INTERVAL, 0);
	grow(world, others, 5, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 3);
	world->invalid = others[2].block.ref.hash;
	for (size_t i = 0; i < 5; i++)
		list[i] = &others[i];
	for (size_t i = 4; i > 0; i--)
		others[i].block.whole = false;
	world_hear(world, 2, &headers, list, 5);
	headers.kind = POW_BODY;
	for (size_t i = 1; i < 5; i++) {
		others[i].block.whole = true;
		world->reach = i >= 3 ? 2 : 0;
		world_hear(world, 2, &headers, &list[i], 1);
	}
	assert_int_equal(world->reverts, 1);
	assert_int_equal(world->tip, 2);
	assert_true(hash_equal(&world->chain[2], &others[1].block.ref.hash));
	assert_int_equal(world->seek, SEEK_BLOCK);
}

/* ---- deeper than the ledger can be taken back ---- */

/* What enough have signed leaves this chain where the ledger cannot go back to,
 * and is still in the tree: it is begun again there. */
static void test_a_checkpoint_too_deep_to_undo(void **state)
{
	struct pow_world *world = *state;
	const size_t fork = 35, late = 40;
	grow(world, blocks, late, NULL, INTERVAL, 0);
	grow(world, others, 2, &blocks[fork - 1], INTERVAL, 1);
	say_all(world, 1, blocks, late - 1);
	say_all(world, 2, others, 2);
	world->reach = late - 1;
	world->slow_disk = true; /* so that it is not forgotten at once */
	world_tip(world, 1, &blocks[late - 1]);
	assert_int_equal(world->tip, late);
	certify(world, &others[0]);
	assert_int_equal(world->reverts, 0);
	assert_int_equal(world->replays, 1);
	assert_int_equal(world->replay_height, fork);
	world->reach = 0;
	world->slow_disk = false;
	again(world, blocks, fork);
	say_all(world, 2, others, 2);
	assert_int_equal(world->final, fork + 1);
	assert_int_equal(world->tip, fork + 2);
	assert_int_equal(world->replays, 1);
}

/* The answer of somebody whose chain does not have the root here. */
static void answer_from(
	struct pow_world *world, const struct forged *block, uint64_t tip)
{
	struct pow_message message = {.kind = POW_HEADERS, .height = tip};
	world_hear(world, 2, &message, &block, 1);
}

/* One final block, and a branch from there that the tree has forgotten: others
 * have signed it. */
static void go_astray(struct pow_world *world)
{
	grow(world, blocks, 9, NULL, INTERVAL, 0);
	grow(world, others, 8, &blocks[0], INTERVAL, 1);
	say_all(world, 1, blocks, 3);
	certify(world, &blocks[0]);
	assert_int_equal(world->final, 1);
	world->reach = 5;
	say_all(world, 1, blocks + 3, 6);
	certify(world, &others[2]);
}

static void test_a_checkpoint_on_a_forgotten_branch(void **state)
{
	struct pow_world *world = *state;
	go_astray(world);
	answer_from(world, &others[4], 9);
	assert_int_equal(world->replays, 0);
	world->now += POW_LOST_MS;
	answer_from(world, &others[4], 9);
	assert_int_equal(world->replays, 1);
	assert_int_equal(world->replay_height, 1);
	world->reach = 0;
	again(world, blocks, 1);
	assert_int_equal(world->final, 1);
	say_all(world, 2, others, 8);
	assert_int_equal(world->final, 4);
	assert_int_equal(world->tip, 9);
	assert_true(hash_equal(&world->chain[9], &others[7].block.ref.hash));
}

/* Also when power failed before: what was final is known, and where. */
static void test_a_checkpoint_on_a_forgotten_branch_after_a_crash(void **state)
{
	struct pow_world *world = *state;
	go_astray(world);
	again(world, blocks, 9);
	assert_int_equal(world->final, 1);
	assert_int_equal(world->pow->pending.height, 4);
	world->reach = 5;
	forge(world, &blocks[9], &blocks[8], INTERVAL, 1, 0);
	world_tip(world, 1, &blocks[9]);
	answer_from(world, &others[4], 9);
	world->now += POW_LOST_MS;
	answer_from(world, &others[4], 9);
	assert_int_equal(world->replays, 1);
	assert_int_equal(world->replay_height, 1);
}

/* Who is only behind, or is told that he is by somebody who has nothing signed,
 * goes on. */
static void test_nobody_begins_again_without_need(void **state)
{
	struct pow_world *world = *state;
	static struct forged more[4];
	grow(world, blocks, 9, NULL, INTERVAL, 0);
	grow(world, others, 8, &blocks[0], INTERVAL, 1);
	grow(world, more, 4, &blocks[8], INTERVAL, 0);
	say_all(world, 1, blocks, 3);
	certify(world, &blocks[0]);
	world->reach = 5;
	say_all(world, 1, blocks + 3, 6);
	world->now += POW_LOST_MS;
	answer_from(world, &others[4], 9);
	assert_int_equal(world->replays, 0);
	/* Signed, and still to come. */
	certify(world, &more[3]);
	world->now += 10 * POW_LOST_MS;
	world_wait(world, 0);
	assert_int_equal(world->replays, 0);
	for (size_t i = 0; i < 4; i++) {
		answer_from(world, &others[4], 9);
		world->now += POW_LOST_MS - 1;
		world_tip(world, 1, &more[i]);
	}
	assert_int_equal(world->replays, 0);
	assert_int_equal(world->final, 13);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signed_at_depth_when_it_is_durable),
		TEST(test_once_a_height_across_a_crash),
		TEST(test_a_pledge_is_kept_until_it_is_refuted),
		TEST(test_a_pledge_is_kept_until_it_is_signed),
		TEST(test_few_pledges_at_a_time),
		TEST(test_final_when_it_is_durable),
		TEST(test_a_secret_branch),
		TEST(test_the_lighter_branch_is_final),
		TEST(test_nothing_is_signed_while_the_final_block_is_unknown),
		TEST(test_old_branches_are_pruned),
		TEST(test_what_was_left_is_come_back_to),
		TEST(test_what_was_left_and_forgotten_is_fetched),
		TEST(test_nobody_mines_far_ahead_of_what_is_final),
		TEST(test_what_becomes_final_is_mined_on_at_once),
		TEST(test_nobody_mines_what_cannot_be_undone),
		TEST(test_without_checkpoints_nobody_waits),
		TEST(test_no_further_back_than_the_ledger_reaches),
		TEST(test_no_way_back_from_an_invalid_branch),
		TEST(test_a_checkpoint_too_deep_to_undo),
		TEST(test_a_checkpoint_on_a_forgotten_branch),
		TEST(test_a_checkpoint_on_a_forgotten_branch_after_a_crash),
		TEST(test_nobody_begins_again_without_need),
	};

	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
