/* tests/unit/client_ask.c -- questions that no program of ours asks through
 * libperch, but others may: peers, a snapshot, what would become of something.
 */
#include "unit.h"

#include <string.h>

#include "fake/bench.h"
#include "gen/request.h"

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL)
		return -1;
	bench_start(bench);
	bench_open(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	bench_stop(*state);
	free(*state);
	return 0;
}

static void test_peers(void **state)
{
	struct bench *bench = *state;
	uint64_t request;

	bench->nodes[0].knows_stranger = true;
	bench->nodes[1].knows_stranger = true;
	bench->nodes[2].knows_stranger = true;
	assert_int_equal(perch_ask_peers(bench->client, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_PEERS));
	assert_int_equal(bench->event.request, request);
	assert_int_equal(bench->event.peers->count, 1);
	assert_string_equal(bench->event.peers->peers[0].node.name, "stranger");
	assert_int_equal(bench->event.peers->peers[0].role, PERCH_NODE_VOTER);
	assert_false(bench->event.peers->peers[0].up);
}

static void test_snapshot(void **state)
{
	static uint8_t body[STATE_CHUNK_BYTES_MAX];
	struct bench *bench = *state;
	const struct state_chunk chunk = {
		.height = 7,
		.total = 9,
		.offset = 4,
		.bytes = view_of("tail!", 5),
	};
	struct view said =
		view_of(body, state_chunk_encode(body, sizeof(body), &chunk));
	uint64_t request;

	for (size_t i = 0; i < 3; i++)
		bench->nodes[i].chunk = said;
	assert_int_equal(
		perch_ask_state(bench->client, 7, 4, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_STATE));
	assert_int_equal(bench->event.request, request);
	assert_int_equal(bench->event.state->height, 7);
	assert_int_equal(bench->event.state->total, 9);
	assert_int_equal(bench->event.state->offset, 4);
	assert_int_equal(bench->event.state->size, 5);
	assert_memory_equal(bench->event.state->bytes, "tail!", 5);
}

static void test_simulate(void **state)
{
	static uint8_t body[SIMULATE_BYTES_MAX];
	static struct receipt receipt = {.ops_count = 1, .ops = {{.code = 2}}};
	uint8_t bytes[256];
	struct bench *bench = *state;
	struct simulate answer = {
		.as_of = {.height = 5, .time = 77},
		.receipt = view_of(
			bytes, receipt_encode(bytes, sizeof(bytes), &receipt)),
	};
	struct perch_tx tx;
	uint64_t request;

	bench->evaluator.simulated =
		view_of(body, simulate_encode(body, sizeof(body), &answer));
	bench_tx(&tx);
	assert_int_equal(
		perch_simulate(bench->client, &tx, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_SIMULATE));
	assert_int_equal(bench->event.request, request);
	assert_int_equal(bench->event.fate->status, PERCH_UNKNOWN);
	assert_int_equal(bench->event.fate->as_of, 5);
	assert_int_equal(bench->event.fate->as_of_time, 77);
	assert_int_equal(bench->event.fate->op_count, 1);
	assert_string_equal(perch_refusal_name(bench->event.fate->ops[0].code),
		"pad_closed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peers),
		TEST(test_snapshot),
		TEST(test_simulate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
