/* tests/unit/client_hold.c -- whoever was told `ordered` is told, once, when it
 * is not true any more; and then what became of it.
 */
#include "unit.h"

#include <string.h>

#include "clock/clock.h"
#include "fake/bench.h"
#include "gen/table.h"

struct world {
	struct bench bench;
	struct perch_tx tx;
	uint8_t bytes[PERCH_TX_BYTES_MAX];
	size_t size;
	uint64_t request;
	struct hash block; /* that it was in */
};

static void release(struct world *world)
{
	bench_stop(&world->bench);
	free(world);
}

static int teardown(void **state)
{
	release(*state);
	return 0;
}

/* A transaction that is ordered in block 2 and not final, and a client that was
 * told so. */
static int ordered(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct bench *bench = &world->bench;
	struct perch_node_info info;

	bench_start(bench);
	bench_open(bench);
	assert_true(bench_until_link(bench, 0, PERCH_UP, &info));
	bench->chain.open = 1;
	fake_chain_add(&bench->chain, view_of(NULL, 0));
	bench_tx(&world->tx);
	assert_int_equal(perch_sign(bench->client, &world->tx, world->bytes,
				 &world->size),
		PERCH_OK);
	assert_int_equal(perch_submit_signed(bench->client, world->bytes,
				 world->size, PERCH_ORDERED, &world->request),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(bench->event.fate->status, PERCH_ORDERED);
	assert_int_equal(bench->event.fate->height, 2);
	memcpy(&world->block, &bench->event.fate->block, 32);
	*state = world;
	return 0;
}

/* Say something until the client, which may just be subscribing, has heard it
 * and asks. */
static void publish_until_asked(
	struct world *world, uint64_t event, uint64_t height)
{
	struct fake *node = &world->bench.nodes[0];
	unsigned before = node->seen[MESSAGE_TX_QUERY];
	time_ms until = clock_monotonic() + 20000;

	while (node->seen[MESSAGE_TX_QUERY] == before) {
		assert_true(clock_monotonic() < until);
		fake_publish_chain(node, event, height, &world->block);
		for (int i = 0; i < 20; i++) {
			bool told = bench_step(&world->bench);

			if (told && world->bench.event.request != 0)
				return;
		}
	}
}

/* No answer to anything comes for a moment, in which this process runs. */
static void assert_silence(struct world *world)
{
	time_ms until = clock_monotonic() + 300;

	for (int i = 0; i < 100 || clock_monotonic() < until; i++) {
		bool told = bench_step(&world->bench);

		assert_false(told && world->bench.event.request != 0);
	}
}

static void await(struct world *world, enum perch_event_type type)
{
	struct perch_event *event = &world->bench.event;

	if (event->type != type || event->request != world->request)
		assert_true(bench_until(&world->bench, type));
	assert_int_equal(event->request, world->request);
	assert_memory_equal(
		&event->fate->id, &world->tx.id, sizeof(world->tx.id));
}

static void undo(struct world *world)
{
	fake_chain_undo(&world->bench.chain);
	memset(&world->bench.event, 0, sizeof(world->bench.event));
	publish_until_asked(world, 2, 2);
	await(world, PERCH_EVENT_UNDONE);
	assert_int_equal(world->bench.event.fate->height, 2);
	assert_int_equal(world->bench.event.fate->status, PERCH_RECEIVED);
	assert_memory_equal(&world->bench.event.fate->block, &world->block, 32);
}

static void test_undone_then_ordered_again(void **state)
{
	struct world *world = *state;
	struct bench *bench = &world->bench;

	undo(world);
	assert_silence(world);
	fake_chain_add(&bench->chain, view_of(NULL, 0)); /* another block 2 */
	fake_chain_add(&bench->chain, view_of(world->bytes, world->size));
	await(world, PERCH_EVENT_FATE);
	assert_int_equal(bench->event.fate->status, PERCH_ORDERED);
	assert_int_equal(bench->event.fate->height, 3);
	assert_int_equal(bench->event.fate->op_count, 1);
	assert_int_equal(bench->event.fate->ops[0].code, 0);
	memcpy(&world->block, &bench->event.fate->block, 32);
	/* And once more: that is another `ordered` that is not true. */
	fake_chain_undo(&bench->chain);
	memset(&bench->event, 0, sizeof(bench->event));
	publish_until_asked(world, 2, 3);
	await(world, PERCH_EVENT_UNDONE);
	assert_int_equal(bench->event.fate->height, 3);
}

static void test_final_ends_it_in_silence(void **state)
{
	struct world *world = *state;
	struct bench *bench = &world->bench;
	unsigned asked;

	bench->chain.open = 0;
	publish_until_asked(world, 3, 2);
	assert_silence(world);
	asked = bench->nodes[0].seen[MESSAGE_TX_QUERY];
	fake_publish_chain(&bench->nodes[0], 2, 2, &world->block);
	assert_silence(world);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_TX_QUERY], asked);
}

static void test_still_there_is_not_told(void **state)
{
	struct world *world = *state;

	publish_until_asked(world, 2, 1);
	assert_silence(world);
	undo(world);
}

static void test_lost_hints_are_made_up_for(void **state)
{
	struct world *world = *state;
	struct bench *bench = &world->bench;
	struct fake *node = &bench->nodes[0];

	publish_until_asked(world, 2, 1); /* it listens now */
	assert_silence(world);
	fake_chain_undo(&bench->chain);
	node->drops_published = true;
	fake_publish_chain(node, 2, 2, &world->block);
	node->drops_published = false;
	memset(&bench->event, 0, sizeof(bench->event));
	fake_publish_chain(node, 1, 9, &world->block); /* says nothing of it */
	await(world, PERCH_EVENT_UNDONE);
}

static void test_what_expires_has_a_last_fate(void **state)
{
	struct world *world = *state;
	struct bench *bench = &world->bench;

	undo(world);
	bench->chain.later = world->tx.valid_until;
	await(world, PERCH_EVENT_FATE);
	assert_int_equal(bench->event.fate->status, PERCH_UNKNOWN);
	assert_silence(world);
}

static void test_waiting_for_another_loses_nothing(void **state)
{
	struct world *world = *state;
	struct bench *bench = &world->bench;
	struct perch_event event;
	uint64_t request;
	unsigned before = bench->nodes[0].seen[MESSAGE_TX_QUERY];

	publish_until_asked(world, 2, 1);
	assert_silence(world);
	fake_chain_undo(&bench->chain);
	fake_publish_chain(&bench->nodes[0], 2, 2, &world->block);
	assert_int_equal(
		perch_ask_head(bench->client, false, &request), PERCH_OK);
	/* The fake is in this thread: the answer is made, then waited for. */
	time_ms until = clock_monotonic() + 5000;
	while (bench->nodes[0].seen[MESSAGE_HEAD_QUERY] == 0) {
		assert_true(clock_monotonic() < until);
		fake_step(&bench->nodes[0], 1);
	}
	assert_int_equal(perch_wait(bench->client, request, &event), PERCH_OK);
	assert_int_equal(event.type, PERCH_EVENT_HEAD);
	assert_true(bench->nodes[0].seen[MESSAGE_TX_QUERY] > before);
	memset(&bench->event, 0, sizeof(bench->event));
	await(world, PERCH_EVENT_UNDONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ordered, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_undone_then_ordered_again),
		TEST(test_final_ends_it_in_silence),
		TEST(test_still_there_is_not_told),
		TEST(test_lost_hints_are_made_up_for),
		TEST(test_what_expires_has_a_last_fate),
		TEST(test_waiting_for_another_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
