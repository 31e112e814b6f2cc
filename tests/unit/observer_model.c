/* tests/unit/observer_model.c -- what the observer believes, and when it raises
 * an alarm.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "observer/model.h"

enum { NOW = 1000000 };

static int setup(void **state)
{
	struct model *model = calloc(1, sizeof(*model));
	model->node_count = 3;
	for (size_t i = 0; i < 3; i++)
		snprintf(model->nodes[i].name, sizeof(model->nodes[i].name),
			"node_%zu", i);
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct perch_hash hash(uint64_t number)
{
	struct perch_hash out = {{0}};
	memcpy(out.bytes, &number, sizeof(number));
	return out;
}

/* A node at a height, everything below it final but the last one. */
static struct perch_node_status status(uint64_t height, uint64_t root)
{
	struct perch_node_status out = {.chain_count = 1};
	struct perch_chain_status *chain = &out.chains[0];
	chain->height = height;
	chain->final_height = height - 1;
	chain->final_hash = hash(height - 1);
	chain->state_root = hash(root);
	chain->recent_count = height < 4 ? height : 4;
	for (size_t i = 0; i < chain->recent_count; i++)
		chain->recent[i] = hash(height - chain->recent_count + 1 + i);
	chain->hash = hash(height);
	return out;
}

static struct perch_chain_hint hint(int event, uint64_t height, uint64_t number)
{
	return (struct perch_chain_hint){
		.event = event,
		.height = height,
		.hash = hash(number),
		.parent = hash(number - 1),
	};
}

static void assert_tower(
	const struct model *model, uint64_t height, uint64_t number)
{
	const struct perch_hash *found =
		tower_at(&model->nodes[0].towers[0], height);
	struct perch_hash wanted = hash(number);
	assert_non_null(found);
	assert_memory_equal(found, &wanted, sizeof(wanted));
}

static void blocks_are_kept_by_height(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	assert_true(model_status(model, 0, &said, NOW));
	assert_null(tower_at(&model->nodes[0].towers[0], 6));
	assert_tower(model, 7, 7);
	assert_tower(model, 10, 10);
	for (uint64_t height = 11; height <= 40; height++) {
		struct perch_chain_hint more = hint(1, height, height);
		assert_true(model_chain(model, 0, &more, NOW));
	}
	assert_tower(model, 40, 40);
	assert_tower(model, 25, 25);
	assert_null(tower_at(&model->nodes[0].towers[0], 24));
	assert_null(tower_at(&model->nodes[0].towers[0], 41));
}

static void numbers_have_names(void **state)
{
	struct model *model = *state;
	const struct tower *tower = &model->nodes[0].towers[0];
	struct perch_node_status said = status(10, 1);
	assert_int_equal(tower_number(tower, "hash_rate"), 0);
	said.chains[0].number_count = 2;
	said.chains[0].numbers[0] = (struct perch_number){"hashes", 7};
	said.chains[0].numbers[1] = (struct perch_number){"hash_rate", 9};
	assert_true(model_status(model, 0, &said, NOW));
	assert_int_equal(tower_number(tower, "hash_rate"), 9);
	assert_int_equal(tower_number(tower, "hash"), 0);
	said.chains[0].number_count = 1;
	assert_true(model_status(model, 0, &said, NOW));
	assert_int_equal(tower_number(tower, "hash_rate"), 0);
}

static void disconnected_blocks_are_gone(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	struct perch_chain_hint back = hint(2, 10, 10);
	struct perch_chain_hint other = hint(1, 10, 77);
	assert_true(model_status(model, 0, &said, NOW));
	assert_true(model_chain(model, 0, &back, NOW));
	assert_int_equal(model->nodes[0].towers[0].height, 9);
	assert_null(tower_at(&model->nodes[0].towers[0], 10));
	assert_true(model_chain(model, 0, &other, NOW));
	assert_tower(model, 9, 9);
	assert_tower(model, 10, 77);
	assert_int_equal(model->alarms, 0);
}

static void a_reorganisation_is_told_once(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	assert_true(model_status(model, 0, &said, NOW));
	for (uint64_t height = 10; height > 7; height--) {
		struct perch_chain_hint back = hint(2, height, height);
		assert_true(model_chain(model, 0, &back, NOW));
	}
	assert_int_equal(model->news_count, 0);
	for (uint64_t height = 8; height < 13; height++) {
		struct perch_chain_hint other = hint(1, height, 100 + height);
		assert_true(model_chain(model, 0, &other, NOW));
	}
	const struct tower *tower = &model->nodes[0].towers[0];
	assert_int_equal(tower->reorganisations, 1);
	assert_int_equal(tower->deepest, 3);
	for (uint64_t height = 8; height <= 10; height++) {
		struct perch_hash wanted = hash(height);
		assert_memory_equal(branch_at(&tower->left, height), &wanted,
			sizeof(wanted));
	}
	assert_null(branch_at(&tower->left, 7));
	assert_null(branch_at(&tower->left, 11));
	/* Three rivals, and the change itself after the first of them. */
	assert_int_equal(model->forks[0], 3);
	assert_int_equal(model->news_count, 4);
	const struct news *news = &model->news[1];
	struct perch_hash left = hash(8), joined = hash(108);
	assert_int_equal(news->what, NEWS_REORGANISATION);
	assert_int_equal(news->height, 7);
	assert_int_equal(news->depth, 3);
	assert_memory_equal(&news->other, &left, sizeof(left));
	assert_memory_equal(&news->hash, &joined, sizeof(joined));
	/* The heartbeat that follows says nothing new. */
	said = status(12, 1);
	said.chains[0].final_height = 0;
	for (size_t i = 0; i < said.chains[0].recent_count; i++)
		said.chains[0].recent[i] = hash(109 + i);
	assert_true(model_status(model, 0, &said, NOW));
	assert_int_equal(model->news_count, 4);
}

/* The hints were lost: the heartbeat names other blocks than before. */
static void a_lost_reorganisation_is_found(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	said.chains[0].final_height = 0;
	assert_true(model_status(model, 0, &said, NOW));
	said.chains[0].height = 11;
	said.chains[0].recent[0] = hash(8);
	for (size_t i = 1; i < 4; i++)
		said.chains[0].recent[i] = hash(108 + i);
	assert_true(model_status(model, 0, &said, NOW));
	const struct tower *tower = &model->nodes[0].towers[0];
	assert_int_equal(tower->reorganisations, 1);
	assert_int_equal(tower->deepest, 2);
	assert_int_equal(tower->left.above, 8);
	assert_int_equal(model->forks[0], 2);
	assert_int_equal(model->alarms, 0);
}

/* Many blocks of one height are a storm, and a list has an end. */
static void rivals_are_bounded(void **state)
{
	struct model *model = *state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct perch_chain_hint hint_of = hint(1, 5, 1000 + i);
		assert_true(model_chain(model, i % 3, &hint_of, NOW));
	}
	assert_int_equal(model->forks[0], MODEL_RIVALS_MAX - 1);
}

static void a_gap_forgets_what_was_before(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	struct perch_chain_hint far = hint(1, 100, 100);
	assert_true(model_status(model, 0, &said, NOW));
	assert_true(model_chain(model, 0, &far, NOW));
	assert_tower(model, 100, 100);
	assert_null(tower_at(&model->nodes[0].towers[0], 99));
	assert_null(tower_at(&model->nodes[0].towers[0], 10));
}

static void nodes_that_agree_raise_nothing(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	struct perch_node_status later = status(11, 2);
	struct perch_chain_hint final = hint(3, 9, 9);
	assert_true(model_status(model, 0, &said, NOW));
	assert_true(model_status(model, 1, &later, NOW));
	assert_true(model_status(model, 2, &said, NOW));
	assert_true(model_chain(model, 1, &final, NOW));
	assert_int_equal(model->alarms, 0);
}

static void two_final_blocks_raise_an_alarm(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	struct perch_chain_hint final = hint(3, 9, 1234);
	assert_true(model_status(model, 0, &said, NOW));
	assert_false(model_chain(model, 2, &final, NOW));
	assert_false(model_chain(model, 2, &final, NOW));
	assert_int_equal(model->alarms, 1);
	assert_non_null(strstr(model->alarm, "two blocks"));
	assert_non_null(strstr(model->alarm, "final at 9:"));
	assert_non_null(strstr(model->alarm, "node_0"));
	assert_non_null(strstr(model->alarm, "node_2"));
}

static void two_state_roots_raise_an_alarm(void **state)
{
	struct model *model = *state;
	struct perch_chain_hint first = hint(3, 9, 9);
	struct perch_node_status said = status(10, 1), other = status(10, 2);
	assert_true(model_chain(model, 0, &first, NOW)); /* without a root */
	assert_true(model_status(model, 1, &said, NOW));
	assert_false(model_status(model, 2, &other, NOW));
	assert_non_null(strstr(model->alarm, "two state roots"));
}

static void a_verified_block_counts_as_a_witness(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	struct perch_block block = {
		.height = 9, .hash = hash(9), .state_root = hash(1)};
	assert_true(model_block(model, &block, 0, 0));
	assert_true(model_status(model, 0, &said, NOW));
	said = status(10, 3);
	assert_false(model_status(model, 1, &said, NOW));
	assert_non_null(strstr(model->alarm, "a verified block"));
}

static void a_lie_far_below_is_still_caught(void **state)
{
	struct model *model = *state;
	struct perch_block block = {0};
	for (uint64_t i = 1; i <= 5000; i++) {
		block.height = i;
		block.hash = hash(i);
		block.state_root = hash(i);
		assert_true(model_block(model, &block, 0, 0));
	}
	struct perch_chain_hint caught = hint(3, 4000, 1);
	struct perch_chain_hint too_old = hint(3, 10, 1);
	assert_false(model_chain(model, 0, &caught, NOW));
	assert_true(model_chain(model, 0, &too_old, NOW));
}

static void up_and_down_are_told_once(void **state)
{
	struct model *model = *state;
	struct perch_node_status said = status(10, 1);
	assert_true(model_status(model, 0, &said, NOW));
	assert_true(model_status(model, 0, &said, NOW + 1));
	assert_int_equal(model->note_count, 1);
	model_link(model, 0, false, "gone", NOW + 5);
	model_link(model, 0, false, "gone still", NOW + 9);
	assert_int_equal(model->note_count, 2);
	assert_int_equal(model->nodes[0].seen, SEEN_DOWN);
	assert_int_equal(model->nodes[0].since, NOW + 5);
}

static void the_rate_is_of_the_last_seconds(void **state)
{
	struct model *model = *state;
	struct perch_block block = {0};
	for (uint64_t i = 0; i < 20; i++) {
		block.height = i + 1;
		block.hash = hash(i);
		block.time = NOW + 1000 * (int64_t)i;
		block.tx_count = 9;
		assert_true(model_block(model, &block, 9, 0));
	}
	double rate = model_rate(model, NOW + 20000);
	assert_true(rate > 8.9 && rate < 9.1);
	rate = model_rate(model, NOW + 24000);
	assert_true(rate > 4.9 && rate < 5.1);
	assert_true(model_rate(model, NOW + 60000) < 0.1);
	assert_int_equal(model->granted, 180);
}

static void bookings_are_of_one_port(void **state)
{
	struct model *model = *state;
	struct perch_reservation one = {.port = "a", .pad = "1", .end = 9};
	model_row(model, "a", "1");
	model_row(model, "b", "1");
	model_booking(model, &one);
	memcpy(one.port, "b", 2);
	model_booking(model, &one);
	memcpy(one.port, "c", 2);
	model_booking(model, &one); /* no such pad */
	assert_int_equal(model->booking_count, 2);
	model_bookings_clear(model, "a");
	assert_int_equal(model->booking_count, 1);
	assert_int_equal(model->bookings[0].row, 1);
	for (size_t i = 0; i < 2 * MODEL_BOOKINGS_MAX; i++)
		model_booking(model, &one);
	memcpy(one.port, "b", 2);
	for (size_t i = 0; i < 2 * MODEL_BOOKINGS_MAX; i++)
		model_booking(model, &one);
	assert_int_equal(model->booking_count, MODEL_BOOKINGS_MAX);
	model_bookings_clear(model, NULL);
	assert_int_equal(model->booking_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_are_kept_by_height),
		TEST(numbers_have_names),
		TEST(disconnected_blocks_are_gone),
		TEST(a_reorganisation_is_told_once),
		TEST(a_lost_reorganisation_is_found),
		TEST(rivals_are_bounded),
		TEST(a_gap_forgets_what_was_before),
		TEST(nodes_that_agree_raise_nothing),
		TEST(two_final_blocks_raise_an_alarm),
		TEST(two_state_roots_raise_an_alarm),
		TEST(a_verified_block_counts_as_a_witness),
		TEST(a_lie_far_below_is_still_caught),
		TEST(up_and_down_are_told_once),
		TEST(the_rate_is_of_the_last_seconds),
		TEST(bookings_are_of_one_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
