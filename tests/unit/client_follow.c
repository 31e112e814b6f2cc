/* tests/unit/client_follow.c -- the stream of final blocks: ordered, without
 * gaps, verified, whatever is lost, forged or gone.
 */
#include "unit.h"

#include <string.h>

#include "clock/clock.h"
#include "fake/bench.h"
#include "gen/table.h"

static int setup(void **state)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench_start(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	bench_stop(*state);
	free(*state);
	return 0;
}

static void grow(struct bench *bench, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_chain_add(&bench->chain, (struct view){0});
}

/* The next block of the stream is this one. */
static void assert_block(struct bench *bench, uint64_t height)
{
	const struct perch_block *block;

	assert_true(bench_until(bench, PERCH_EVENT_BLOCK));
	block = bench->event.block;
	assert_int_equal(block->height, height);
	assert_memory_equal(&block->hash, &bench->chain.blocks[height].hash,
		sizeof(block->hash));
	assert_int_equal(block->size, bench->chain.blocks[height].size);
	assert_memory_equal(
		block->bytes, bench->chain.blocks[height].bytes, block->size);
}

static void open_up(struct bench *bench)
{
	struct perch_node_info info;

	bench_open(bench);
	for (int i = 0; i < BENCH_NODES; i++)
		assert_true(bench_until_link(bench, i, PERCH_UP, &info));
}

/* Follow with a publisher that is heard. */
static void follow_live(struct bench *bench, uint64_t from)
{
	open_up(bench);
	assert_int_equal(perch_subscribe(bench->client, 0, PERCH_TOPIC_STATUS),
		PERCH_OK);
	do {
		fake_publish_status(&bench->nodes[0]);
		bench_step(bench);
	} while (bench->event.type != PERCH_EVENT_HINT_STATUS);
	assert_int_equal(perch_follow(bench->client, from, NULL), PERCH_OK);
}

static void test_from_the_beginning(void **state)
{
	struct bench *bench = *state;

	grow(bench, 300);
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	for (uint64_t height = 1; height <= 300; height++)
		assert_block(bench, height);
	/* 300 small blocks are two answers. */
	assert_true(bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY] <= 3);
}

static void test_one_at_a_time(void **state)
{
	struct bench *bench = *state;

	grow(bench, 20);
	bench->nodes[0].blocks_max = 1;
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 5, NULL), PERCH_OK);
	for (uint64_t height = 5; height <= 20; height++)
		assert_block(bench, height);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY], 16);
}

static void test_published(void **state)
{
	struct bench *bench = *state;
	unsigned asked;

	grow(bench, 3);
	follow_live(bench, 0);
	while (bench->nodes[0].seen[MESSAGE_HEAD_QUERY] == 0)
		bench_step(bench);
	bench_step(bench);
	grow(bench, 1);
	fake_publish_block(&bench->nodes[0], 4);
	assert_block(bench, 4);
	asked = bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY];
	for (uint64_t height = 5; height < 30; height++) {
		grow(bench, 1);
		fake_publish_block(&bench->nodes[0], height);
		assert_block(bench, height);
	}
	/* What was published was not asked for; but a silence, as when this
	 * process is stopped, makes the client ask. */
	assert_in_range(
		bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY], asked, asked + 3);
}

/* A block is published while the answer that has it, too, is on its way. */
static void test_published_and_answered(void **state)
{
	struct bench *bench = *state;
	struct perch_event event;
	time_ms until;

	grow(bench, 2);
	follow_live(bench, 1);
	assert_block(bench, 1);
	assert_block(bench, 2);
	grow(bench, 1);
	/* Nobody answers meanwhile: the client asks, then hears. */
	fake_publish_status(&bench->nodes[0]);
	do
		perch_next(bench->client, &event, 100);
	while (event.type != PERCH_EVENT_HINT_STATUS);
	perch_next(bench->client, &event, 50);
	fake_publish_block(&bench->nodes[0], 3);
	do
		assert_true(perch_next(bench->client, &event, 20000));
	while (event.type != PERCH_EVENT_BLOCK);
	assert_int_equal(event.block->height, 3);
	until = clock_monotonic() + 500;
	while (clock_monotonic() < until ||
		bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY] < 2) {
		assert_true(clock_monotonic() < until + 20000);
		bench_step(bench);
		assert_int_not_equal(bench->event.type, PERCH_EVENT_STALLED);
	}
	grow(bench, 1);
	fake_publish_block(&bench->nodes[0], 4);
	assert_block(bench, 4);
}

static void test_gaps_are_filled(void **state)
{
	struct bench *bench = *state;

	grow(bench, 3);
	follow_live(bench, 1);
	for (uint64_t height = 1; height <= 3; height++)
		assert_block(bench, height);
	/* Three of four are lost. */
	for (uint64_t height = 4; height < 40; height++) {
		grow(bench, 1);
		bench->nodes[0].drops_published = height % 4 != 3;
		fake_publish_block(&bench->nodes[0], height);
		if (height % 4 != 3)
			continue;
		for (uint64_t next = height - 3; next <= height; next++)
			assert_block(bench, next);
	}
}

/* The last message is lost, and nothing more is published for a while: the
 * heartbeat tells. */
static void test_the_heartbeat_tells(void **state)
{
	struct bench *bench = *state;

	grow(bench, 2);
	follow_live(bench, 1);
	assert_block(bench, 1);
	assert_block(bench, 2);
	grow(bench, 2);
	fake_publish_status(&bench->nodes[0]);
	assert_block(bench, 3);
	assert_block(bench, 4);
}

/* Nothing is published at all. */
static void test_without_publishers(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < BENCH_NODES; i++)
		bench->config_nodes[i].publish[0] = '\0';
	grow(bench, 2);
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	assert_block(bench, 1);
	assert_block(bench, 2);
	grow(bench, 1);
	assert_block(bench, 3);
}

static void assert_lie_is_refused(
	struct bench *bench, enum fake_lie lie, enum perch_err err)
{
	struct perch_node_info info;

	bench->nodes[0].lie = lie;
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_STALLED));
	assert_int_equal(bench->event.err, err);
	assert_int_equal(bench->event.node, 0);
	for (uint64_t height = 1; height <= bench->chain.count; height++) {
		assert_block(bench, height);
		assert_int_not_equal(bench->event.node, 0);
	}
	assert_true(perch_node_at(bench->client, 0, &info));
	assert_int_equal(info.err, err);
	perch_close(&bench->client);
}

static void test_lies(void **state)
{
	struct bench *bench = *state;

	grow(bench, 5);
	assert_lie_is_refused(bench, FAKE_SIGNATURE, PERCH_ERR_SIGNATURE);
	assert_lie_is_refused(bench, FAKE_PARENT, PERCH_ERR_PARENT);
	assert_lie_is_refused(bench, FAKE_BODY, PERCH_ERR_ROOT);
	assert_lie_is_refused(bench, FAKE_PROPOSER, PERCH_ERR_KEY);
}

/* A node that joined after our list was made may propose: the nodes that we
 * know say so. */
static void test_a_node_that_joined_later(void **state)
{
	struct bench *bench = *state;

	bench->chain.proposer = bench->chain.stranger;
	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].knows_stranger = true;
	grow(bench, 3);
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	for (uint64_t height = 1; height <= 3; height++)
		assert_block(bench, height);
}

/* The node that is asked first has forgotten these blocks. */
static void test_a_pruned_node_is_passed_over(void **state)
{
	struct bench *bench = *state;

	grow(bench, 20);
	bench->nodes[0].first_height = 15;
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	for (uint64_t height = 1; height <= 20; height++) {
		assert_block(bench, height);
		assert_true(height > 1 || bench->event.node != 0);
	}
}

static void test_pruned_everywhere_is_told(void **state)
{
	struct bench *bench = *state;

	grow(bench, 20);
	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].first_height = 15;
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_STALLED));
	assert_int_equal(bench->event.err, PERCH_ERR_NOT_FOUND);
}

/* Nobody names it any more: those who built on its blocks have vouched. */
static void test_a_node_that_has_left(void **state)
{
	struct bench *bench = *state;
	struct keypair proposer = bench->chain.proposer;

	bench->chain.proposer = bench->chain.stranger;
	grow(bench, 3);
	bench->chain.proposer = proposer;
	grow(bench, 2);
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 2, NULL), PERCH_OK);
	for (uint64_t height = 2; height <= 5; height++)
		assert_block(bench, height);
}

static void test_another_history(void **state)
{
	struct bench *bench = *state;
	struct perch_hash parent;

	grow(bench, 5);
	open_up(bench);
	memcpy(&parent, &bench->chain.blocks[2].hash, sizeof(parent));
	assert_int_equal(perch_follow(bench->client, 3, &parent), PERCH_OK);
	assert_block(bench, 3);
	parent.bytes[0] ^= 1;
	assert_int_equal(perch_follow(bench->client, 3, &parent), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_STALLED));
	assert_int_equal(bench->event.err, PERCH_ERR_PARENT);
}

/* A forged block is published: the true one is asked for. */
static void test_published_lie(void **state)
{
	struct bench *bench = *state;
	struct perch_node_info info;
	uint8_t *bytes;

	grow(bench, 1);
	follow_live(bench, 1);
	assert_block(bench, 1);
	grow(bench, 1);
	bytes = bench->chain.blocks[2].bytes;
	bytes[60] ^= 1;
	bench->nodes[0].mute = true;
	do { /* until it is heard */
		fake_publish_block(&bench->nodes[0], 2);
		bench_step(bench);
		assert_true(perch_node_at(bench->client, 0, &info));
	} while (info.hint_err == PERCH_OK);
	bytes[60] ^= 1;
	bench->nodes[0].mute = false;
	assert_block(bench, 2);
}

static void test_publisher_dies(void **state)
{
	struct bench *bench = *state;

	grow(bench, 1);
	follow_live(bench, 1);
	assert_block(bench, 1);
	fake_stop(&bench->nodes[0]);
	fake_start(&bench->nodes[0], &bench->chain, 77);
	grow(bench, 1);
	assert_block(bench, 2);
}

/* Cut off, it answers everything and knows nothing; and one that lost its old
 * blocks. The others are asked in turn. */
static void test_a_node_with_nothing_new(void **state)
{
	static struct fake_chain behind;
	struct bench *bench = *state;

	fake_chain_start(&behind, 1);
	bench->nodes[0].chain = &behind;
	bench->nodes[1].first_height = 1000;
	grow(bench, 3);
	open_up(bench);
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	for (uint64_t height = 1; height <= 3; height++)
		assert_block(bench, height);
	/* Nor does its heartbeat, of a publisher, hold anything up. */
	grow(bench, 1);
	do {
		fake_publish_status(&bench->nodes[0]);
		bench_step(bench);
	} while (bench->event.type != PERCH_EVENT_BLOCK);
	assert_int_equal(bench->event.block->height, 4);
	bench->nodes[0].chain = &bench->chain;
	fake_chain_free(&behind);
}

static void test_hints_are_counted(void **state)
{
	struct bench *bench = *state;

	follow_live(bench, 0);
	perch_unfollow(bench->client);
	bench->event.type = PERCH_EVENT_NONE;
	while (bench->event.type != PERCH_EVENT_HINT_STATUS) {
		fake_publish_status(&bench->nodes[0]);
		bench_step(bench);
	}
	while (bench_step(bench))
		; /* all that is under way */
	bench->nodes[0].counters[1] += 7;
	fake_publish_status(&bench->nodes[0]);
	assert_true(bench_until(bench, PERCH_EVENT_HINT_STATUS));
	assert_true(bench->event.lost >= 7);
	assert_int_equal(bench->event.status->chain_count, 1);
	bench->nodes[0].boot++;
	bench->nodes[0].counters[1] = 0;
	fake_publish_status(&bench->nodes[0]);
	assert_true(bench_until(bench, PERCH_EVENT_HINT_STATUS));
	assert_true(bench->event.lost == UINT64_MAX);
	fake_publish_status(&bench->nodes[0]);
	assert_true(bench_until(bench, PERCH_EVENT_HINT_STATUS));
	assert_int_equal(bench->event.lost, 0);
}

/* What is given up beside them costs no hint. */
static void test_hints_outlast_the_stream(void **state)
{
	struct bench *bench = *state;

	follow_live(bench, 0);
	bench->event.type = PERCH_EVENT_NONE;
	while (bench->event.type != PERCH_EVENT_HINT_STATUS) {
		fake_publish_status(&bench->nodes[0]);
		bench_step(bench);
	}
	while (bench_step(bench))
		; /* all that is under way */
	perch_unfollow(bench->client);
	fake_publish_status(&bench->nodes[0]);
	assert_true(bench_until(bench, PERCH_EVENT_HINT_STATUS));
	assert_int_equal(bench->event.lost, 0);
}

static void test_blocks_are_walked(void **state)
{
	struct bench *bench = *state;
	struct perch_block_tx tx;
	struct perch_op op;
	struct perch_tx sent;
	uint64_t request;

	open_up(bench);
	bench_tx(&sent);
	assert_int_equal(
		perch_submit(bench->client, &sent, PERCH_FINAL, &request),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(perch_follow(bench->client, 1, NULL), PERCH_OK);
	assert_block(bench, 1);
	assert_int_equal(bench->event.block->tx_count, 1);
	assert_true(perch_block_tx_at(bench->event.block, 0, &tx));
	assert_memory_equal(&tx.id, &sent.id, sizeof(tx.id));
	assert_int_equal(tx.op_count, 1);
	assert_int_equal(tx.valid_until, sent.valid_until);
	assert_true(perch_block_op_at(bench->event.block, 0, 0, &op));
	assert_int_equal(op.kind, PERCH_OP_RESERVE);
	assert_string_equal(op.port, "haneda");
	assert_int_equal(op.outcome.code, 0);
	assert_true(op.outcome.has_reservation);
	assert_false(perch_block_tx_at(bench->event.block, 1, &tx));
	assert_false(perch_block_op_at(bench->event.block, 0, 1, &op));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_the_beginning),
		TEST(test_one_at_a_time),
		TEST(test_published),
		TEST(test_published_and_answered),
		TEST(test_gaps_are_filled),
		TEST(test_the_heartbeat_tells),
		TEST(test_without_publishers),
		TEST(test_lies),
		TEST(test_a_node_that_joined_later),
		TEST(test_a_pruned_node_is_passed_over),
		TEST(test_pruned_everywhere_is_told),
		TEST(test_a_node_that_has_left),
		TEST(test_another_history),
		TEST(test_published_lie),
		TEST(test_publisher_dies),
		TEST(test_a_node_with_nothing_new),
		TEST(test_hints_are_counted),
		TEST(test_hints_outlast_the_stream),
		TEST(test_blocks_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
