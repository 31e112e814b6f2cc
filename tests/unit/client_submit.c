/* tests/unit/client_submit.c -- a transaction's way to its fate: over dead,
 * lying and busy nodes, with one effect, and never a better word than was
 * proved.
 */
#include "unit.h"

#include <string.h>
#include <zmq.h>

#include "clock/clock.h"
#include "fake/bench.h"
#include "gen/table.h"

static int setup(void **state)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench_start(bench);
	bench->config.prove = true;
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	bench_stop(*state);
	free(*state);
	return 0;
}

/* With nodes that are up before they are asked: so 0 is, and then 1. */
static void open_up(struct bench *bench)
{
	struct perch_node_info info;

	bench_open(bench);
	for (int i = 0; i < BENCH_NODES; i++)
		assert_true(bench_until_link(bench, i, PERCH_UP, &info));
}

/* Submit one transaction and wait for its fate. */
static const struct perch_fate *submit(
	struct bench *bench, struct perch_tx *tx, enum perch_status wait)
{
	uint64_t request = 0;

	bench_tx(tx);
	assert_int_equal(
		perch_submit(bench->client, tx, wait, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(bench->event.request, request);
	assert_memory_equal(&bench->event.fate->id, &tx->id, sizeof(tx->id));
	return bench->event.fate;
}

static void assert_final(const struct perch_fate *fate)
{
	assert_int_equal(fate->status, PERCH_FINAL);
	assert_true(fate->has_receipt);
	assert_int_equal(fate->code, 0);
	assert_int_equal(fate->op_count, 1);
	assert_int_equal(fate->ops[0].code, 0);
	assert_true(fate->ops[0].has_reservation);
	assert_true(fate->receipt_size > 0);
}

static void test_final_is_proved(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	const struct perch_fate *fate;

	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_final(fate);
	assert_true(fate->proved);
	assert_int_equal(fate->height, 1);
	assert_int_equal(bench->event.err, PERCH_OK);
	assert_null(bench->event.failure);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_SUBMIT], 1);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY], 1);
}

static void test_unproved_when_not_asked(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	const struct perch_fate *fate;

	bench->config.prove = false;
	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_final(fate);
	assert_false(fate->proved);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY], 0);
}

/* A node may say less than was asked for, to who asks twice: that is no end. */
static void test_less_than_asked_is_no_answer(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	uint64_t request;
	time_ms until = clock_monotonic() + 20000;

	open_up(bench);
	bench_tx(&tx);
	bench->chain.open = 1;
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (bench->nodes[0].seen[MESSAGE_SUBMIT] +
			bench->nodes[1].seen[MESSAGE_SUBMIT] +
			bench->nodes[2].seen[MESSAGE_SUBMIT] <
		3) {
		assert_true(clock_monotonic() < until);
		if (bench_step(bench))
			assert_int_equal(bench->event.request, 0);
	}
	bench->chain.open = 0;
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(bench->event.request, request);
	assert_final(bench->event.fate);
}

static void test_asked_again_by_id(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	uint64_t request;

	open_up(bench);
	submit(bench, &tx, PERCH_FINAL);
	assert_int_equal(
		perch_ask_tx(bench->client, NULL, &tx.id, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_true(bench->event.fate->proved);
	tx.id.bytes[0] ^= 1;
	assert_int_equal(
		perch_ask_tx(bench->client, NULL, &tx.id, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(bench->event.fate->status, PERCH_UNKNOWN);
	assert_false(bench->event.fate->refused);
	/* Where its block is gone, another node has it. */
	tx.id.bytes[0] ^= 1;
	bench->nodes[0].first_height = 2;
	assert_int_equal(
		perch_ask_tx(bench->client, NULL, &tx.id, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_true(bench->event.fate->proved);
	assert_int_not_equal(bench->event.node, 0);
	/* If it is gone everywhere, the fate is still told. */
	bench->nodes[1].first_height = bench->nodes[2].first_height = 2;
	assert_int_equal(
		perch_ask_tx(bench->client, NULL, &tx.id, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_false(bench->event.fate->proved);
}

static void test_many_in_flight(void **state)
{
	enum { MANY = 500 };
	struct bench *bench = *state;
	uint64_t requests[MANY];
	unsigned answers = 0;
	struct perch_tx tx;

	bench->config.prove = false;
	bench->config.requests_max = MANY;
	bench_open(bench);
	for (int i = 0; i < MANY; i++) {
		bench_tx(&tx);
		assert_int_equal(perch_submit(bench->client, &tx, PERCH_FINAL,
					 &requests[i]),
			PERCH_OK);
	}
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &requests[0]),
		PERCH_ERR_FULL);
	while (answers < MANY) {
		bool known = false;

		assert_true(bench_until(bench, PERCH_EVENT_FATE));
		assert_final(bench->event.fate);
		for (int i = 0; i < MANY; i++) {
			if (requests[i] != bench->event.request)
				continue;
			requests[i] = 0; /* one answer each */
			known = true;
		}
		assert_true(known);
		answers++;
	}
	assert_int_equal(bench->chain.count, MANY);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &requests[0]),
		PERCH_OK);
}

static void test_dead_node_same_id(void **state)
{
	struct bench *bench = *state;
	struct perch_node_info info;
	struct perch_tx tx;

	bench->nodes[0].mute = true;
	open_up(bench);
	assert_final(submit(bench, &tx, PERCH_FINAL));
	assert_int_equal(bench->event.node, 1);
	assert_int_equal(bench->chain.count, 1);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_SUBMIT], 1);
	assert_int_equal(bench->nodes[1].seen[MESSAGE_SUBMIT], 1);
	assert_true(perch_node_at(bench->client, 0, &info));
	assert_int_equal(info.err, PERCH_ERR_TIMEOUT);
}

static void test_lost_answer_one_effect(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;

	/* It orders the transaction, and its answer is of another id. */
	bench->nodes[0].lie = FAKE_OTHER_ID;
	open_up(bench);
	assert_final(submit(bench, &tx, PERCH_FINAL));
	assert_int_equal(bench->chain.count, 1);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_SUBMIT], 1);
	assert_int_equal(bench->event.node, 1);
}

static void test_connection_lost(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	uint64_t request;

	bench->nodes[0].mute = true;
	bench->config.patience_ms = 60000;
	bench->config.timeout_ms = 60000;
	open_up(bench);
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (bench->nodes[0].seen[MESSAGE_SUBMIT] == 0)
		bench_step(bench);
	fake_stop(&bench->nodes[0]);
	fake_start(&bench->nodes[0], &bench->chain, 77);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_int_not_equal(bench->event.node, 0);
}

static void test_lies(void **state)
{
	static const struct {
		enum fake_lie lie;
		enum perch_err err;
	} cases[] = {
		{FAKE_GARBAGE, PERCH_ERR_ENCODING},
		{FAKE_TYPE, PERCH_ERR_TYPE},
		{FAKE_OTHER_ID, PERCH_ERR_NOT_FOUND},
		{FAKE_SIGNATURE, PERCH_ERR_SIGNATURE},
		{FAKE_PROPOSER, PERCH_ERR_KEY},
		{FAKE_PARENT, PERCH_ERR_ROOT},
		{FAKE_BODY, PERCH_ERR_ROOT},
		{FAKE_RECEIPT, PERCH_ERR_ROOT},
	};
	struct bench *bench = *state;
	struct perch_node_info info;
	struct perch_tx tx;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench->nodes[0].lie = cases[i].lie;
		open_up(bench);
		assert_final(submit(bench, &tx, PERCH_FINAL));
		assert_true(bench->event.fate->proved);
		assert_int_equal(bench->event.node, 1);
		assert_true(perch_node_at(bench->client, 0, &info));
		assert_int_equal(info.err, cases[i].err);
		perch_close(&bench->client);
	}
	assert_int_equal(bench->chain.count, sizeof(cases) / sizeof(cases[0]));
}

/* A node that joined after our list was made leads now: its blocks prove a fate
 * as soon as the nodes that we know have named it. */
static void test_a_node_that_joined_later(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;

	bench->chain.proposer = bench->chain.stranger;
	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].knows_stranger = true;
	open_up(bench);
	for (int i = 0; i < 3; i++) {
		assert_final(submit(bench, &tx, PERCH_FINAL));
		assert_true(bench->event.fate->proved);
		assert_int_equal(bench->event.node, 0);
	}
	assert_int_equal(bench->chain.count, 3);
	assert_int_equal(bench->nodes[0].seen[MESSAGE_PEERS_QUERY], 1);
}

/* It has left again, so that nobody names it: a known node's next block is as
 * good as a signature of its own. */
static void test_a_node_that_has_left(void **state)
{
	struct bench *bench = *state;
	struct keypair proposer = bench->chain.proposer;
	struct perch_tx tx;
	uint64_t request;

	bench->chain.proposer = bench->chain.stranger;
	open_up(bench);
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (bench->nodes[0].seen[MESSAGE_BLOCKS_QUERY] < 3)
		assert_false(bench_step(bench) &&
			     bench->event.type == PERCH_EVENT_FATE);
	bench->chain.proposer = proposer;
	fake_chain_add(&bench->chain, view_text(""));
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_true(bench->event.fate->proved);
	assert_int_equal(bench->event.node, 0);
	assert_int_equal(bench->chain.count, 2);
}

/* What should vouch for it is not signed by who it says, or is of another
 * branch. */
static void test_nobody_vouches(void **state)
{
	struct bench *bench = *state;
	struct keypair proposer = bench->chain.proposer;
	struct perch_tx tx;
	uint64_t request;

	bench->config.timeout_ms = 3000;
	for (int i = 0; i < BENCH_NODES; i++) {
		bench->nodes[i].lie = i == 0 ? FAKE_SIGNATURE : FAKE_PARENT;
		bench->nodes[i].lie_from = 2;
	}
	bench->chain.proposer = bench->chain.stranger;
	open_up(bench);
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (bench->chain.count == 0)
		bench_step(bench);
	bench->chain.proposer = proposer;
	fake_chain_add(&bench->chain, view_text(""));
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_int_equal(bench->event.fate->status, PERCH_UNKNOWN);
	/* Of an old one it is said, but not proved. */
	perch_set_timeout(bench->client, 15000);
	assert_int_equal(
		perch_ask_tx(bench->client, NULL, &tx.id, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_false(bench->event.fate->proved);
}

static void test_a_proposer_that_nobody_names(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;

	bench->chain.proposer = bench->chain.stranger;
	bench->config.timeout_ms = 3000;
	open_up(bench);
	assert_int_equal(
		submit(bench, &tx, PERCH_FINAL)->status, PERCH_UNKNOWN);
	/* Asked who that is, but not again and again. */
	assert_true(bench->nodes[0].seen[MESSAGE_PEERS_QUERY] >= 1);
	for (int i = 0; i < BENCH_NODES; i++)
		assert_true(bench->nodes[i].seen[MESSAGE_PEERS_QUERY] <= 4);
}

static void test_all_lie(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;

	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].lie = FAKE_SIGNATURE;
	bench->config.timeout_ms = 3000;
	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_int_equal(fate->status, PERCH_UNKNOWN);
	assert_false(fate->has_receipt);
	assert_false(fate->refused);
	assert_int_equal(bench->event.err, PERCH_ERR_TIMEOUT);
}

static void test_time_out_is_unknown(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;
	time_ms before;

	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].mute = true;
	bench->config.patience_ms = 300;
	bench->config.timeout_ms = 5000;
	open_up(bench);
	before = clock_monotonic();
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_true(clock_monotonic() - before >= 5000);
	assert_int_equal(fate->status, PERCH_UNKNOWN);
	assert_false(fate->refused);
	assert_int_equal(bench->event.err, PERCH_ERR_TIMEOUT);
	assert_string_equal(bench->event.failure->code, "timeout");
	/* Every node was asked: the same bytes. */
	for (int i = 0; i < BENCH_NODES; i++)
		assert_true(bench->nodes[i].seen[MESSAGE_SUBMIT] >= 1);
}

static void test_nobody_there(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;

	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].refuses_all = true;
	bench->config.timeout_ms = 60000; /* it is not waited for */
	bench_open(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_int_equal(fate->status, PERCH_UNKNOWN);
	assert_int_equal(bench->event.err, PERCH_ERR_UNREACHABLE);
	assert_string_equal(bench->event.failure->code, "role");
	assert_non_null(strstr(bench->event.failure->text, "node_0"));
	assert_non_null(strstr(bench->event.failure->text, "enrol"));
}

static void test_refused(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;

	bench->nodes[0].refusal = "expired";
	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_true(fate->refused);
	assert_int_equal(fate->status, PERCH_UNKNOWN);
	assert_int_equal(bench->event.err, PERCH_ERR_EXPIRED);
	assert_string_equal(bench->event.failure->code, "expired");
	assert_string_equal(bench->event.failure->text, "says the fake");
}

/* Node 0 took it and said nothing; node 1 says "expired", which may well be
 * because it is in a block by now. That is not a refusal. */
static void test_refused_the_second_time_is_unknown(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;

	bench->nodes[0].mute = true;
	bench->nodes[1].refusal = "expired";
	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_false(fate->refused);
	assert_int_equal(fate->status, PERCH_UNKNOWN);
	assert_int_equal(bench->event.err, PERCH_ERR_EXPIRED);
}

static void test_busy_is_asked_again(void **state)
{
	struct bench *bench = *state;
	struct perch_tx tx;
	uint64_t request;

	for (int i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].refusal = "busy";
	open_up(bench);
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (bench->nodes[0].seen[MESSAGE_SUBMIT] < 2)
		bench_step(bench);
	bench->nodes[2].refusal = NULL;
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_final(bench->event.fate);
	assert_int_equal(bench->event.node, 2);
}

static void test_the_contract_refuses(void **state)
{
	struct bench *bench = *state;
	const struct perch_fate *fate;
	struct perch_tx tx;

	bench->chain.code = 6;
	open_up(bench);
	fate = submit(bench, &tx, PERCH_FINAL);
	assert_int_equal(fate->status, PERCH_FINAL);
	assert_true(fate->proved);
	assert_false(fate->refused);
	assert_int_equal(fate->ops[0].code, 6);
	assert_string_equal(perch_refusal_name(fate->ops[0].code), "quota");
}

static void test_wait(void **state)
{
	struct bench *bench = *state;
	uint64_t first, second;
	struct perch_event event;
	struct perch_tx tx;

	bench->config.timeout_ms = 500;
	bench_open(bench);
	assert_int_equal(
		perch_wait(bench->client, 1, &event), PERCH_ERR_NOT_FOUND);
	bench_tx(&tx);
	assert_int_equal(perch_submit(bench->client, &tx, PERCH_FINAL, &first),
		PERCH_OK);
	bench_tx(&tx);
	assert_int_equal(perch_submit(bench->client, &tx, PERCH_FINAL, &second),
		PERCH_OK);
	assert_int_equal(
		perch_wait(bench->client, first, &event), PERCH_ERR_IN_USE);
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	assert_true(bench_until(bench, PERCH_EVENT_FATE));
	/* Nobody lets the fakes work now. */
	bench_tx(&tx);
	assert_int_equal(perch_submit(bench->client, &tx, PERCH_FINAL, &first),
		PERCH_OK);
	assert_int_equal(perch_wait(bench->client, first, &event), PERCH_OK);
	assert_int_equal(event.err, PERCH_ERR_TIMEOUT);
	assert_int_equal(event.fate->status, PERCH_UNKNOWN);
}

/* A server with the right key that answers with a frame above the limit: the
 * connection is cut, nothing is kept, the next node is asked. */
static void test_oversized(void **state)
{
	struct bench *bench = *state;
	static uint8_t large[BUS_FRAME_MAX + 4096];
	char *at = bench->config_nodes[0].request;
	size_t size = sizeof(bench->config_nodes[0].request);
	int one = 1, hello = 0;
	void *context = zmq_ctx_new();
	void *router = zmq_socket(context, ZMQ_ROUTER);
	struct curve_pair curve;
	struct perch_tx tx;
	uint64_t request;

	curve_from_keypair(&curve, &bench->nodes[0].pair);
	zmq_setsockopt(router, ZMQ_CURVE_SERVER, &one, sizeof(one));
	zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, curve.secret_key, 32);
	assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
	assert_int_equal(
		zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, at, &size), 0);
	bench_open(bench);
	bench_tx(&tx);
	assert_int_equal(
		perch_submit(bench->client, &tx, PERCH_FINAL, &request),
		PERCH_OK);
	while (!bench_step(bench) || bench->event.type != PERCH_EVENT_FATE) {
		zmq_msg_t route, rest;
		int more = 1;

		zmq_msg_init(&route);
		zmq_msg_init(&rest);
		if (zmq_msg_recv(&route, router, ZMQ_DONTWAIT) >= 0) {
			while (more && zmq_msg_recv(&rest, router, 0) >= 0)
				more = zmq_msg_more(&rest);
			hello++;
			zmq_msg_send(&route, router, ZMQ_SNDMORE);
			zmq_send(router, large, sizeof(large), ZMQ_DONTWAIT);
		}
		zmq_msg_close(&route);
		zmq_msg_close(&rest);
	}
	assert_true(hello >= 1);
	assert_final(bench->event.fate);
	assert_int_not_equal(bench->event.node, 0);
	one = 0;
	zmq_setsockopt(router, ZMQ_LINGER, &one, sizeof(one));
	zmq_close(router);
	zmq_ctx_term(context);
}

static void test_evaluator(void **state)
{
	struct bench *bench = *state;
	const struct perch_reservation *taken;
	uint64_t request, again;

	bench_open(bench);
	assert_int_equal(
		perch_inquire(bench->client, "haneda", NULL, 1, 2, &request),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_INQUIRE));
	assert_int_equal(bench->event.request, request);
	assert_int_equal(bench->event.node, PERCH_EVALUATOR);
	assert_int_equal(bench->event.inquire->free_count, 1);
	assert_string_equal(bench->event.inquire->free[0], "b");
	taken = &bench->event.inquire->reservations[0];
	assert_string_equal(taken->port, "haneda");
	assert_int_equal(taken->state, PERCH_CONFIRMED);
	assert_int_equal(perch_ports(bench->client, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_PORTS));
	assert_int_equal(bench->event.ports->ports[0].pad_count, 2);
	assert_int_equal(perch_timetable(bench->client, "haneda", 0, &request),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_TIMETABLE));
	assert_int_equal(bench->event.timetable->count, 1);
	assert_int_equal(
		perch_history(bench->client, NULL, NULL, "haneda", 0, &request),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_HISTORY));
	assert_int_equal(bench->event.history->moves[0].to, PERCH_CONFIRMED);
	/* Its refusals are told as they are. */
	bench->evaluator.refusal = "unknown_pad";
	assert_int_equal(
		perch_inquire(bench->client, "narita", NULL, 1, 2, &again),
		PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_FAILED));
	assert_int_equal(bench->event.request, again);
	assert_string_equal(bench->event.failure->code, "unknown_pad");
}

static void test_one_node_is_asked(void **state)
{
	struct bench *bench = *state;
	uint64_t request;

	bench->config.links_max = 1;
	bench_open(bench);
	assert_int_equal(
		perch_ask_status(bench->client, 2, &request), PERCH_OK);
	assert_true(bench_until(bench, PERCH_EVENT_STATUS));
	assert_int_equal(bench->event.node, 2);
	assert_memory_equal(&bench->event.status->key,
		&bench->config_nodes[2].key, sizeof(struct perch_key));
	const struct perch_chain_status *chain =
		&bench->event.status->chains[0];
	assert_int_equal(chain->number_count, 1);
	assert_string_equal(chain->numbers[0].name, "hash_rate");
	assert_int_equal(chain->numbers[0].value, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_final_is_proved),
		TEST(test_unproved_when_not_asked),
		TEST(test_less_than_asked_is_no_answer),
		TEST(test_asked_again_by_id),
		TEST(test_many_in_flight),
		TEST(test_dead_node_same_id),
		TEST(test_lost_answer_one_effect),
		TEST(test_connection_lost),
		TEST(test_lies),
		TEST(test_a_node_that_joined_later),
		TEST(test_a_node_that_has_left),
		TEST(test_nobody_vouches),
		TEST(test_a_proposer_that_nobody_names),
		TEST(test_all_lie),
		TEST(test_time_out_is_unknown),
		TEST(test_nobody_there),
		TEST(test_refused),
		TEST(test_refused_the_second_time_is_unknown),
		TEST(test_busy_is_asked_again),
		TEST(test_the_contract_refuses),
		TEST(test_wait),
		TEST(test_oversized),
		TEST(test_evaluator),
		TEST(test_one_node_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
