/* unit/ordered_election.c -- who is voted for, who leads, and who waits. */
#include "unit/unit.h"

#include <string.h>

#include "net/net.h"

enum { A, B, C, D, E };

static struct net net;

static int setup(void **state)
{
	(void)state;
	net_init(&net, 3, 0, 0);
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

static const struct ordered *engine(size_t node)
{
	return net.nodes[node].engine;
}

static bool leads(size_t node)
{
	return engine(node)->role == ENGINE_LEADER;
}

static void ask(enum ordered_kind kind, size_t from, uint64_t term,
	const char *log, uint64_t flags)
{
	size_t size = strlen(log);
	struct ordered_message message = {
		.kind = kind,
		.term = term,
		.height = size,
		.log_term = size == 0 ? 0 : (uint64_t)(log[size - 1] - '0'),
		.flags = flags,
	};
	net_inject(&net, from, B, &message, NULL, 0);
}

/* RAFT §5.1, §5.2, §5.4.1; ONGARO §4.2.3, §9.6. */
enum answer { NOTHING, YES, NO };

struct vote_case {
	const char *what;
	uint64_t term; /* of the voter, its log and whom it voted for */
	const char *log;
	int vote;   /* a node, or -1 */
	bool heard; /* from C, the leader of its term, just now */
	uint64_t asked_term;
	const char *asked_log; /* the candidate's, by its last block */
	bool forced;
	enum answer vote_answer;
	uint64_t term_after;
	enum answer pre_answer; /* to the same question as a pre-vote */
};

static const struct vote_case vote_cases[] = {
	{"a newer term, empty logs", 0, "", -1, false, 1, "", false, YES, 1,
		YES},
	{"the same log", 2, "122", -1, false, 3, "122", false, YES, 3, YES},
	{"a longer log", 2, "122", -1, false, 3, "1222", false, YES, 3, YES},
	{"a shorter log", 2, "122", -1, false, 3, "12", false, NOTHING, 3, NO},
	{"a shorter log of a later term", 2, "122", -1, false, 4, "13", false,
		YES, 4, YES},
	{"a longer log of an earlier term", 2, "12", -1, false, 3, "1111111",
		false, NOTHING, 3, NO},
	{"an older term", 5, "1", -1, false, 4, "1", false, NO, 5, NO},
	{"this term, no vote yet", 3, "1", -1, false, 3, "1", false, YES, 3,
		NO},
	{"this term, the same vote", 3, "1", A, false, 3, "1", false, YES, 3,
		NO},
	{"this term, another vote", 3, "1", C, false, 3, "1", false, NO, 3, NO},
	{"a newer term, an old vote", 3, "1", C, false, 4, "1", false, YES, 4,
		YES},
	{"a leader is heard", 3, "1", C, true, 4, "1", false, NOTHING, 3, NO},
	{"a leader is heard, the same term", 3, "1", C, true, 3, "1", false,
		NOTHING, 3, NO},
	{"a leader is heard, and asks for it", 3, "1", C, true, 4, "1", true,
		YES, 4, NO},
	{"forced, with a log that is behind", 3, "1", C, true, 4, "", true,
		NOTHING, 4, NO},
};

static void begin_case(const struct vote_case *row)
{
	net_init(&net, 3, 0, 0);
	net_disk_write(&net, B, row->log);
	net_disk_write(&net, C, row->log);
	if (row->term > 0)
		net_disk_record(&net, B, row->term);
	if (row->vote >= 0) {
		struct key key = net_key((size_t)row->vote);
		net.nodes[B].record[8] = 1;
		memcpy(net.nodes[B].record + 9, key.bytes, KEY_SIZE);
	}
	net_start(&net, B);
	if (row->heard)
		net_append(&net, C, B, row->term, strlen(row->log), 0, 0);
	net_hush(&net);
}

static void check_answer(
	const char *what, enum ordered_kind kind, enum answer expected)
{
	struct ordered_message reply;
	bool said = net_said(&net, B, A, kind, &reply);
	enum answer answer = !said                                 ? NOTHING
			     : (reply.flags & ORDERED_REJECT) != 0 ? NO
								   : YES;
	if (answer != expected)
		print_message("%s (kind %d)\n", what, (int)kind);
	assert_int_equal(answer, expected);
}

static void test_votes(void **state)
{
	(void)state;
	size_t count = sizeof(vote_cases) / sizeof(vote_cases[0]);
	for (size_t i = 0; i < count; i++) {
		const struct vote_case *row = &vote_cases[i];
		begin_case(row);
		ask(ORDERED_VOTE, A, row->asked_term, row->asked_log,
			row->forced ? ORDERED_FORCED : 0);
		check_answer(row->what, ORDERED_VOTE_REPLY, row->vote_answer);
		assert_int_equal(engine(B)->term, row->term_after);
		teardown(NULL);
		begin_case(row);
		ask(ORDERED_PRE_VOTE, A, row->asked_term, row->asked_log, 0);
		check_answer(
			row->what, ORDERED_PRE_VOTE_REPLY, row->pre_answer);
		/* A pre-vote changes nothing. */
		assert_int_equal(engine(B)->term, row->term);
		teardown(NULL);
	}
}

static void test_a_vote_is_durable_before_the_answer(void **state)
{
	(void)state;
	net.saves_at_once = false;
	net_start(&net, B);
	ask(ORDERED_VOTE, A, 1, "", 0);
	assert_int_equal(net.message_count, 0);
	assert_int_equal(net.nodes[B].save_count, 1);
	net_saved_all(&net, B);
	check_answer("after the save", ORDERED_VOTE_REPLY, YES);
}

static void test_a_vote_survives_a_crash(void **state)
{
	(void)state;
	net_start(&net, B);
	ask(ORDERED_VOTE, A, 1, "", 0);
	check_answer("before", ORDERED_VOTE_REPLY, YES);
	net_hush(&net);
	net_crash(&net, B, 0);
	net_start(&net, B);
	struct ordered_message message = {.kind = ORDERED_VOTE, .term = 1};
	net_inject(&net, C, B, &message, NULL, 0);
	struct ordered_message reply;
	assert_true(net_said(&net, B, C, ORDERED_VOTE_REPLY, &reply));
	assert_int_equal(reply.flags, ORDERED_REJECT);
	ask(ORDERED_VOTE, A, 1, "", 0);
	check_answer("the same again", ORDERED_VOTE_REPLY, YES);
}

static void test_a_vote_that_is_lost_was_not_given(void **state)
{
	(void)state;
	net.saves_at_once = false;
	net_start(&net, B);
	ask(ORDERED_VOTE, A, 1, "", 0);
	net_crash(&net, B, 0);
	assert_int_equal(net.message_count, 0);
	net_start(&net, B);
	assert_int_equal(engine(B)->term, 0);
}

static void test_a_lost_record_votes_for_nobody(void **state)
{
	(void)state;
	net_disk_write(&net, B, "13");
	net_start(&net, B);
	assert_int_equal(engine(B)->term, 3);
	ask(ORDERED_VOTE, A, 3, "13", 0);
	check_answer("the term of its log", ORDERED_VOTE_REPLY, NO);
	net_hush(&net);
	ask(ORDERED_VOTE, A, 4, "13", 0);
	check_answer("the next", ORDERED_VOTE_REPLY, YES);
}

/* B, in term 4, acknowledged three blocks, the last of this term at most, and
 * lost the last two. */
static const struct {
	uint64_t log_term;
	const char *log;
	enum answer answer;
} forgotten_cases[] = {
	{2, "", NOTHING},
	{2, "1", NOTHING},
	{2, "12", NOTHING},  /* shorter than what was lost may have been */
	{2, "111", NOTHING}, /* of an earlier term */
	{2, "1111", NOTHING},
	{2, "112", YES}, /* as good as anything that was lost */
	{2, "1222", YES},
	{2, "13", YES}, /* of a later term: RAFT §5.4.1 */
	{1, "11", NOTHING},
	{1, "111", YES},
	{1, "12", YES},
};

static void begin_forgotten(uint64_t log_term)
{
	net_init(&net, 3, 0, 0);
	net_disk_write(&net, B, "1");
	if (log_term > 0) {
		net_disk_record(&net, B, 4);
		net.nodes[B].record[9 + KEY_SIZE + 7] = (uint8_t)log_term;
	}
	net.nodes[B].forgotten_height = 3;
	net_start(&net, B);
	net_hush(&net);
}

static void test_who_forgot_votes_for_who_did_not(void **state)
{
	(void)state;
	for (size_t i = 0;
		i < sizeof(forgotten_cases) / sizeof(forgotten_cases[0]); i++) {
		const char *log = forgotten_cases[i].log;
		enum answer answer = forgotten_cases[i].answer;
		net_free(&net);
		begin_forgotten(forgotten_cases[i].log_term);
		ask(ORDERED_PRE_VOTE, A, 5, log, 0);
		check_answer(
			log, ORDERED_PRE_VOTE_REPLY, answer == YES ? YES : NO);
		net_hush(&net);
		ask(ORDERED_VOTE, A, 5, log, 0);
		check_answer(log, ORDERED_VOTE_REPLY, answer);
	}
}

static void test_who_forgot_its_term_votes_for_nobody(void **state)
{
	(void)state;
	net_free(&net);
	begin_forgotten(0);
	ask(ORDERED_VOTE, A, 9, "1299", 0);
	check_answer("any log", ORDERED_VOTE_REPLY, NOTHING);
}

static void test_who_forgot_does_not_stand(void **state)
{
	(void)state;
	net_free(&net);
	begin_forgotten(2);
	net_run(&net, 20000);
	assert_int_equal(engine(B)->role, ENGINE_FOLLOWER);
	assert_int_equal(engine(B)->term, 4);
	/* A leader fills it up: then it is like any other. */
	net_disk_write(&net, C, "122");
	net_append(&net, C, B, 4, 1, 2, 1);
	net_run(&net, 2000);
	assert_int_equal(engine(B)->role, ENGINE_CANDIDATE);
	net_hush(&net);
	ask(ORDERED_VOTE, A, 9, "122", 0);
	check_answer("as always", ORDERED_VOTE_REPLY, YES);
}

static void test_a_candidate_asks_when_its_vote_is_durable(void **state)
{
	(void)state;
	struct ordered_message message;
	net.saves_at_once = false;
	net_start_all(&net);
	net_timer(&net, A);
	assert_int_equal(net_count(&net, A, 3, ORDERED_PRE_VOTE), 2);
	assert_int_equal(engine(A)->term, 0);
	assert_true(net_deliver(&net, A, B));
	assert_true(net_deliver(&net, B, A));
	assert_int_equal(engine(A)->term, 1);
	assert_int_equal(net_count(&net, A, 3, ORDERED_VOTE), 0);
	net_saved_all(&net, A);
	assert_int_equal(net_count(&net, A, 3, ORDERED_VOTE), 2);
	assert_true(net_said(&net, A, B, ORDERED_VOTE, &message));
	assert_int_equal(message.term, 1);
	assert_false(leads(A));
}

static void test_election(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	assert_true(leads(A));
	assert_int_equal(engine(A)->term, 1);
	/* RAFT §8: an empty block of its own term, final everywhere. */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(net.nodes[i].final, 1);
		assert_true(engine(i)->has_leader);
		assert_int_equal(engine(i)->leader.bytes[0], 'A');
	}
}

static void test_timeouts_are_drawn_from_an_interval(void **state)
{
	(void)state;
	const uint64_t draws[] = {0, 1, 999, 1000, 123456789, UINT64_MAX};
	for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++) {
		net.random_value = draws[i];
		net_start(&net, A);
		time_ms wait = net.nodes[A].timer_at - net.now;
		assert_true(wait >= net.election_ms);
		assert_true(wait < 2 * net.election_ms);
		assert_int_equal(wait, 1000 + (time_ms)(draws[i] % 1000));
		net_crash(&net, A, 0);
	}
}

static void test_a_single_voter_leads_by_itself(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 1, 0, 0);
	net.saves_at_once = false;
	net_start(&net, A);
	assert_false(leads(A));
	net_saved_all(&net, A); /* its vote, then its own block */
	assert_true(leads(A));
	assert_int_equal(net.nodes[A].final, 1);
	assert_true(net_propose(&net, A));
	assert_int_equal(net.nodes[A].final, 1);
	net_saved_all(&net, A);
	assert_int_equal(net.nodes[A].final, 2);
	net_crash(&net, A, 0);
	net_start(&net, A);
	assert_int_equal(net.nodes[A].final, 0); /* until it leads again */
	net_saved_all(&net, A);
	assert_int_equal(net.nodes[A].final, 3);
	assert_int_equal(engine(A)->term, 2);
	assert_int_equal(net.message_count, 0);
}

/* ONGARO §9.6 and §4.2.3: who was away does not disturb. */
static void test_who_comes_back_disturbs_nobody(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_cut(&net, C, true);
	for (int i = 0; i < 10; i++) {
		net_run(&net, 3000);
		assert_true(net_propose(&net, A));
	}
	assert_int_equal(engine(C)->term, 1); /* it asked, and won nothing */
	net_cut(&net, C, false);
	net_run(&net, 3000);
	assert_true(leads(A));
	assert_int_equal(engine(A)->term, 1);
	assert_int_equal(net.nodes[C].final, 11);
}

/* ONGARO §6.2. */
static void test_a_leader_alone_steps_down(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 500);
	net_cut(&net, A, true);
	net_run(&net, 400);
	assert_true(leads(A));
	net_run(&net, 700);
	assert_false(leads(A));
	assert_int_equal(net.nodes[A].seek.seek.kind, SEEK_NONE);
	net_run(&net, 3000);
	size_t leader = net_leader(&net);
	assert_true(leader == B || leader == C);
}

static void test_a_stale_leader_is_told(void **state)
{
	(void)state;
	struct ordered_message message;
	net_start_all(&net);
	net_elect(&net, A);
	net_cut(&net, A, true);
	time_ms begun = net.now;
	net_elect(&net, B);
	net.nodes[A].skew -= net.now - begun; /* its clock stood still */
	net_cut(&net, A, false);
	assert_true(leads(A));
	net_timer(&net, A); /* its heartbeat */
	assert_true(net_deliver(&net, A, C));
	assert_true(net_said(&net, C, A, ORDERED_APPEND_REPLY, &message));
	assert_int_equal(message.flags, ORDERED_REJECT);
	assert_int_equal(message.term, engine(B)->term);
	assert_true(net_deliver(&net, C, A));
	assert_false(leads(A));
	assert_int_equal(engine(A)->term, engine(B)->term);
}

static void test_two_candidates_one_leader(void **state)
{
	(void)state;
	net_start_all(&net);
	net_timer(&net, A);
	net_timer(&net, B);
	assert_true(net_deliver(&net, A, C));
	assert_true(net_deliver(&net, B, C));
	assert_true(net_deliver(&net, C, A));
	assert_true(net_deliver(&net, C, B));
	/* Both are candidates in term 1; C's vote decides. */
	assert_int_equal(engine(A)->term, 1);
	assert_int_equal(engine(B)->term, 1);
	net_settle(&net);
	assert_true(leads(A) != leads(B));
	assert_int_equal(net_log_tip(&net.final), 1);
}

static void test_votes_of_old_elections_do_not_count(void **state)
{
	(void)state;
	net_disk_record(&net, A, 2);
	net_start_all(&net);
	struct ordered_message message = {
		.kind = ORDERED_VOTE_REPLY, .term = 2};
	net_inject(&net, B, A, &message, NULL, 0); /* it did not ask */
	net_timer(&net, A);
	net_inject(&net, B, A, &message, NULL, 0); /* it only pre-votes */
	message.kind = ORDERED_PRE_VOTE_REPLY;
	net_inject(&net, B, A, &message, NULL, 0); /* for another term */
	message.kind = ORDERED_VOTE_REPLY;
	assert_int_equal(engine(A)->term, 2);
	net_deliver(&net, A, B);
	net_deliver(&net, B, A);
	assert_int_equal(engine(A)->term, 3);
	net_inject(&net, B, A, &message, NULL, 0); /* of the term before */
	message.term = 3;
	message.flags = ORDERED_REJECT;
	net_inject(&net, B, A, &message, NULL, 0);
	message.flags = 0;
	net_inject(&net, A, A, &message, NULL, 0); /* from itself */
	assert_int_equal(engine(A)->role, ENGINE_CANDIDATE);
	net_settle(&net);
	assert_true(leads(A));
}

static void test_a_node_does_not_hear_itself(void **state)
{
	(void)state;
	net_start(&net, B);
	struct ordered_message message = {.kind = ORDERED_VOTE, .term = 9};
	net_inject(&net, B, B, &message, NULL, 0);
	message.kind = ORDERED_APPEND;
	net_inject(&net, B, B, &message, NULL, 0);
	assert_int_equal(engine(B)->term, 0);
	assert_int_equal(net.message_count, 0);
}

/* A repaired log: no vote for one that lacks what it had acknowledged. */
static void test_who_forgot_does_not_vote(void **state)
{
	(void)state;
	net_disk_write(&net, A, "1111");
	net_disk_write(&net, B, "11");
	net_disk_record(&net, A, 1);
	net_disk_record(&net, B, 1);
	net.nodes[B].forgotten_height = 4;
	net_start(&net, B);
	ask(ORDERED_PRE_VOTE, A, 2, "111", 0);
	check_answer("before", ORDERED_PRE_VOTE_REPLY, NO);
	net_hush(&net);
	ask(ORDERED_VOTE, A, 2, "111", 0);
	check_answer("before", ORDERED_VOTE_REPLY, NOTHING);
	net_timer(&net, B);
	assert_int_equal(engine(B)->role, ENGINE_FOLLOWER);
	struct ordered_message message = {
		.kind = ORDERED_TIMEOUT_NOW, .term = 2};
	net_append(&net, A, B, 2, 2, 0, 2);
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(engine(B)->role, ENGINE_FOLLOWER);
	net_append(&net, A, B, 2, 2, 2, 4);
	assert_int_equal(net.nodes[B].final, 4);
	net.now += 5000;
	net_hush(&net);
	ask(ORDERED_VOTE, A, 3, "1111", 0);
	check_answer("after", ORDERED_VOTE_REPLY, YES);
}

static void test_nonsense_is_ignored(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	struct ordered before = *engine(B);
	struct ordered_message message = {
		.kind = ORDERED_APPEND, .term = ORDERED_TERM_MAX + 1};
	net_inject(&net, A, B, &message, NULL, 0);
	message.kind = 31;
	message.term = 1;
	net_inject(&net, A, B, &message, NULL, 0);
	message.kind = 0;
	net_inject(&net, A, B, &message, NULL, 0);
	message.kind = ORDERED_VOTE;
	message.term = 9;
	net_inject(&net, B, B, &message, NULL, 0);
	struct event event = {.type = EVENT_RECEIVE, .now = net.now};
	event.receive.from = net_key(A);
	event.receive.message = view_text("no msgpack");
	effects_clear(&net.effects);
	engine_ordered.step(net.nodes[B].engine, &net.effects, &event);
	assert_int_equal(net.effects.count, 0);
	assert_int_equal(engine(B)->term, before.term);
	assert_int_equal(engine(B)->role, before.role);
	assert_int_equal(engine(B)->entries.tip, before.entries.tip);
	assert_int_equal(net.message_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_votes),
		TEST(test_a_vote_is_durable_before_the_answer),
		TEST(test_a_vote_survives_a_crash),
		TEST(test_a_vote_that_is_lost_was_not_given),
		TEST(test_a_lost_record_votes_for_nobody),
		TEST(test_who_forgot_votes_for_who_did_not),
		TEST(test_who_forgot_its_term_votes_for_nobody),
		TEST(test_who_forgot_does_not_stand),
		TEST(test_a_candidate_asks_when_its_vote_is_durable),
		TEST(test_election),
		TEST(test_timeouts_are_drawn_from_an_interval),
		TEST(test_a_single_voter_leads_by_itself),
		TEST(test_who_comes_back_disturbs_nobody),
		TEST(test_a_leader_alone_steps_down),
		TEST(test_a_stale_leader_is_told),
		TEST(test_two_candidates_one_leader),
		TEST(test_votes_of_old_elections_do_not_count),
		TEST(test_nonsense_is_ignored),
		TEST(test_a_node_does_not_hear_itself),
		TEST(test_who_forgot_does_not_vote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
