/* unit/ordered_read.c -- reads that are never older than their question. */
#include "unit/unit.h"

#include <string.h>

#include "net/net.h"

enum { A, B, C, D, E };

static struct net net;

static int setup(void **state)
{
	(void)state;
	net_init(&net, 3, 1, 0);
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 200);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (net.violation != NULL)
		print_message("%s\n", net.violation);
	assert_null(net.violation);
	net_free(&net);
	return 0;
}

/* The answer to a node's read; NULL when there is none yet. */
static const struct net_read *answer_to(size_t node, uint64_t task)
{
	for (size_t i = 0; i < net.nodes[node].read_count; i++) {
		const struct net_read *read = &net.nodes[node].reads[i];
		if (read->task == task && read->answered)
			return read;
	}
	return NULL;
}

static void assert_answer(size_t node, uint64_t task, bool ok, uint64_t height)
{
	const struct net_read *read = answer_to(node, task);
	assert_non_null(read);
	assert_int_equal(read->ok, ok);
	if (ok)
		assert_int_equal(read->height, height);
}

static void test_a_leader_asks_a_majority(void **state)
{
	(void)state;
	net_read(&net, A, 1);
	assert_null(answer_to(A, 1));
	assert_true(net_deliver(&net, A, D)); /* a stand-by is none */
	assert_true(net_deliver(&net, D, A));
	assert_null(answer_to(A, 1));
	assert_true(net_deliver(&net, A, B));
	assert_true(net_deliver(&net, B, A));
	assert_answer(A, 1, true, 1);
}

static void test_one_round_for_many(void **state)
{
	(void)state;
	for (uint64_t task = 1; task <= 10; task++)
		net_read(&net, A, task);
	/* One round is under way, nine wait for the next. */
	assert_int_equal(net_count(&net, A, B, ORDERED_APPEND), 1);
	assert_true(net_deliver(&net, A, B));
	assert_true(net_deliver(&net, B, A));
	assert_answer(A, 1, true, 1);
	assert_null(answer_to(A, 2));
	assert_int_equal(net_count(&net, A, B, ORDERED_APPEND), 1);
	net_settle(&net);
	for (uint64_t task = 2; task <= 10; task++)
		assert_answer(A, task, true, 1);
}

/* An answer to an older round proves nothing for a newer question. */
static void test_old_answers_do_not_count(void **state)
{
	(void)state;
	net_timer(&net, A); /* a heartbeat before the question */
	assert_true(net_deliver(&net, A, B));
	net_read(&net, A, 1);
	assert_true(net_deliver(&net, B, A));
	assert_null(answer_to(A, 1));
	net_settle(&net);
	assert_answer(A, 1, true, 1);
}

static void test_a_deposed_leader_does_not_answer(void **state)
{
	(void)state;
	time_ms begun = net.now;
	net_cut(&net, A, true);
	net_elect(&net, B);
	assert_true(net_propose(&net, B));
	net_settle(&net);
	net.nodes[A].skew -= net.now - begun; /* A has not noticed */
	net_cut(&net, A, false);
	assert_int_equal(net.nodes[A].engine->role, ENGINE_LEADER);
	net_read(&net, A, 1);
	assert_null(answer_to(A, 1));
	net_settle(&net);
	assert_answer(A, 1, false, 0);
}

static void test_a_new_leader_waits_for_its_own_block(void **state)
{
	(void)state;
	net.proposes_own = false;
	net_elect(&net, B);
	net_run(&net, 150);
	net_read(&net, B, 1);
	net_settle(&net);
	assert_null(answer_to(B, 1));
	assert_true(net_propose(&net, B));
	net_settle(&net);
	assert_answer(B, 1, true, 2);
}

static void test_a_follower_asks_the_leader(void **state)
{
	(void)state;
	net_read(&net, C, 7);
	assert_int_equal(net_count(&net, C, A, ORDERED_READ), 1);
	net_settle(&net);
	assert_answer(C, 7, true, 1);
	net_read(&net, D, 8);
	net_settle(&net);
	assert_answer(D, 8, true, 1);
}

static void test_a_follower_waits_until_it_is_final_here(void **state)
{
	(void)state;
	assert_true(net_propose(&net, A));
	assert_true(net_deliver(&net, A, B));
	assert_true(net_deliver(&net, B, A));
	assert_int_equal(net.nodes[A].final, 2);
	assert_int_equal(net.nodes[C].final, 1);
	net_read(&net, C, 1);
	assert_true(net_deliver(&net, C, A));
	/* C's answer to the round arrives, the block does not. */
	for (size_t i = 0; i < net.message_count; i++) {
		struct net_message *message = &net.messages[i];
		if (message->to == C && message->count > 0)
			net_drop(&net, A, C);
	}
	while (net_deliver(&net, A, B) || net_deliver(&net, B, A))
		;
	while (net_deliver(&net, A, C)) {
		if (net.nodes[C].engine->read_count > 0 &&
			net.nodes[C].engine->reads[0].state == READ_INDEXED)
			break;
	}
	assert_null(answer_to(C, 1));
	net_settle(&net);
	net_run(&net, 150);
	assert_answer(C, 1, true, 2);
}

static void test_no_leader_no_answer(void **state)
{
	(void)state;
	net_cut(&net, C, true);
	net_read(&net, C, 1);
	assert_null(answer_to(C, 1));
	net_run(&net, 3000);
	assert_answer(C, 1, false, 0);
	net_read(&net, C, 2); /* it knows of no leader by now */
	assert_answer(C, 2, false, 0);
}

static void test_a_question_ends_in_time(void **state)
{
	(void)state;
	net_read(&net, C, 1);
	net_hush(&net); /* it is lost, though the leader is there */
	net_run(&net, 900);
	assert_null(answer_to(C, 1));
	net_run(&net, 200);
	assert_answer(C, 1, false, 0);
}

static void test_a_change_of_leader_ends_questions(void **state)
{
	(void)state;
	net_read(&net, C, 1);
	net_hush(&net);
	net_transfer(&net, A);
	net_settle(&net);
	assert_answer(C, 1, false, 0);
}

static void test_a_bounded_number_waits(void **state)
{
	(void)state;
	for (uint64_t task = 1; task <= ORDERED_READS_MAX + 2; task++)
		net_read(&net, A, task);
	assert_answer(A, ORDERED_READS_MAX + 1, false, 0);
	assert_answer(A, ORDERED_READS_MAX + 2, false, 0);
	net_settle(&net);
	for (uint64_t task = 1; task <= ORDERED_READS_MAX; task++)
		assert_answer(A, task, true, 1);
	net_read(&net, A, 100);
	net_settle(&net);
	assert_answer(A, 100, true, 1);
}

static void test_answers_from_before_a_restart(void **state)
{
	(void)state;
	struct ordered_message reply;
	net.random_value = 1ull << 40;
	net_read(&net, C, 1);
	assert_true(net_deliver(&net, C, A));
	while (net_deliver(&net, A, B) || net_deliver(&net, B, A))
		;
	assert_true(net_said(&net, A, C, ORDERED_READ_REPLY, &reply));
	net_hush(&net);
	net_crash(&net, C, 0);
	net.random_value = 2ull << 40; /* the driver draws anew */
	net_start(&net, C);
	net_timer(&net, A);
	net_settle(&net);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	net_read(&net, C, 2);
	net_inject(&net, A, C, &reply, NULL, 0); /* the old answer */
	assert_null(answer_to(C, 2));
	net_settle(&net);
	assert_answer(C, 2, true, 2);
}

static void test_answers_nobody_asked_for(void **state)
{
	(void)state;
	net_read(&net, C, 1);
	struct ordered_message message = {.kind = ORDERED_READ_REPLY,
		.term = 1,
		.round = net.nodes[C].engine->reads[0].id};
	net_inject(&net, B, C, &message, NULL, 0); /* not the leader */
	assert_null(answer_to(C, 1));
	message.round++;
	net_inject(&net, A, C, &message, NULL, 0);
	assert_null(answer_to(C, 1));
	message.kind = ORDERED_READ; /* to one that does not lead */
	net_inject(&net, C, B, &message, NULL, 0);
	struct ordered_message reply;
	assert_true(net_said(&net, B, C, ORDERED_READ_REPLY, &reply));
	assert_int_equal(reply.flags, ORDERED_REJECT);
	net_settle(&net);
	assert_answer(C, 1, true, 1);
}

static void test_a_single_voter_answers_at_once(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 1, 0, 0);
	net_start(&net, A);
	net_read(&net, A, 1);
	assert_answer(A, 1, true, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_leader_asks_a_majority),
		TEST(test_one_round_for_many),
		TEST(test_old_answers_do_not_count),
		TEST(test_a_deposed_leader_does_not_answer),
		TEST(test_a_new_leader_waits_for_its_own_block),
		TEST(test_a_follower_asks_the_leader),
		TEST(test_a_follower_waits_until_it_is_final_here),
		TEST(test_no_leader_no_answer),
		TEST(test_a_question_ends_in_time),
		TEST(test_a_change_of_leader_ends_questions),
		TEST(test_a_bounded_number_waits),
		TEST(test_answers_from_before_a_restart),
		TEST(test_answers_nobody_asked_for),
		TEST(test_a_single_voter_answers_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
