/* unit/ordered_members.c -- stand-bys, members that come and go, states. */
#include "unit/unit.h"

#include <string.h>

#include "net/net.h"

enum { A, B, C, D, E, F };

static struct net net;

static int setup(void **state)
{
	(void)state;
	net_init(&net, 3, 1, 2); /* D stands by; E and F are strangers */
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

static struct engine_status status_of(size_t node)
{
	struct engine_status status;
	engine_ordered.status(engine(node), &status);
	return status;
}

/* "A2 B2 D1": key and role of each member. */
static void assert_members(size_t node, const char *expected)
{
	struct engine_status status = status_of(node);
	char text[256] = "";
	size_t size = 0;
	for (size_t i = 0; i < status.member_count; i++) {
		text[size++] = (char)status.members[i].key.bytes[0];
		text[size++] = (char)('0' + status.members[i].role);
		text[size++] = ' ';
	}
	text[size > 0 ? size - 1 : 0] = '\0';
	assert_string_equal(text, expected);
}

static void begin(void)
{
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 200);
}

/* ---- stand-bys ---- */

static void test_a_standby_follows(void **state)
{
	(void)state;
	begin();
	assert_int_equal(status_of(D).role, ENGINE_STANDBY);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(net.nodes[D].final, 2);
}

static void test_a_standby_is_not_counted(void **state)
{
	(void)state;
	begin();
	net_cut(&net, B, true);
	net_cut(&net, C, true);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(net_log_tip(&net.nodes[D].disk), 2);
	assert_int_equal(net.nodes[A].final, 1);
	/* Nor does its answer keep a leader that is cut off in office. */
	net_run(&net, 1500);
	assert_false(leads(A));
}

static void test_a_standby_never_stands(void **state)
{
	(void)state;
	begin();
	net_crash(&net, A, 0);
	net_crash(&net, B, 0);
	net_run(&net, 20000);
	assert_int_equal(engine(D)->role, ENGINE_FOLLOWER);
	assert_int_equal(engine(D)->term, 1);
	/* C may, but D is not asked and there is no majority. */
	assert_false(leads(C));
	net_timer(&net, C);
	assert_int_equal(net_count(&net, C, B, ORDERED_PRE_VOTE), 1);
	assert_int_equal(net_count(&net, C, D, ORDERED_PRE_VOTE), 0);
	struct ordered_message message = {
		.kind = ORDERED_TIMEOUT_NOW, .term = 1};
	net_inject(&net, A, D, &message, NULL, 0);
	assert_int_equal(engine(D)->role, ENGINE_FOLLOWER);
}

static void test_votes_of_standbys_do_not_count(void **state)
{
	(void)state;
	net_start(&net, A);
	net_timer(&net, A);
	struct ordered_message message = {
		.kind = ORDERED_PRE_VOTE_REPLY, .term = 1};
	net_inject(&net, D, A, &message, NULL, 0);
	assert_int_equal(engine(A)->term, 0);
	net_inject(&net, B, A, &message, NULL, 0);
	assert_int_equal(engine(A)->term, 1);
	message.kind = ORDERED_VOTE_REPLY;
	net_inject(&net, D, A, &message, NULL, 0);
	net_inject(&net, E, A, &message, NULL, 0);
	assert_false(leads(A));
	net_inject(&net, C, A, &message, NULL, 0);
	assert_true(leads(A));
}

/* ---- changes (ONGARO §4) ---- */

static void test_a_change_is_in_effect_at_once(void **state)
{
	(void)state;
	begin();
	assert_members(A, "A2 B2 C2 D1");
	assert_true(net_propose_change(&net, A, D, ROLE_VOTER));
	assert_members(A, "A2 B2 C2 D2"); /* not final yet */
	assert_members(B, "A2 B2 C2 D1");
	assert_int_equal(engine(A)->voter_count, 4);
	/* It takes three of four to make it final. */
	net_cut(&net, C, true);
	net_cut(&net, D, true);
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, 1);
	net_cut(&net, C, false);
	net_run(&net, 300);
	assert_int_equal(net.nodes[A].final, 2);
	assert_members(C, "A2 B2 C2 D2");
}

static void test_one_change_at_a_time(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, D, ROLE_VOTER));
	assert_false(net.nodes[A].seek.seek.member_free);
	assert_true(net_propose(&net, A));
	assert_false(net.nodes[A].seek.seek.member_free);
	net_settle(&net);
	assert_true(net.nodes[A].seek.seek.member_free);
	assert_true(net_propose_change(&net, A, E, ROLE_STANDBY));
}

static void test_no_change_before_an_own_block_is_final(void **state)
{
	(void)state;
	net_disk_write(&net, A, "11");
	net_disk_record(&net, A, 1);
	net_start_all(&net);
	net_timer(&net, A);
	for (int i = 0; i < 3 && !leads(A); i++) {
		while (net_deliver(&net, A, B) || net_deliver(&net, B, A)) {
			if (leads(A))
				break;
		}
	}
	assert_true(leads(A));
	assert_false(net.nodes[A].seek.seek.member_free);
	net_settle(&net);
	assert_true(net.nodes[A].seek.seek.member_free);
}

static void test_a_cut_change_is_undone(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, E, ROLE_STANDBY));
	net_settle(&net);
	net_cut(&net, A, true);
	assert_true(net_propose_change(&net, A, C, ROLE_LEAVES));
	assert_members(A, "A2 B2 D1 E1");
	net_elect(&net, B);
	net_cut(&net, A, false);
	net_run(&net, 3000);
	assert_members(A, "A2 B2 C2 D1 E1");
	assert_int_equal(net.nodes[A].final, net.nodes[B].final);
}

static void test_a_stranger_joins(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 40; i++) {
		assert_true(net_propose(&net, A));
		net_settle(&net);
	}
	assert_int_equal(net_log_tip(&net.nodes[E].chain), 0);
	assert_int_equal(status_of(E).role, ENGINE_STANDBY);
	assert_true(net_propose_change(&net, A, E, ROLE_STANDBY));
	net_settle(&net);
	assert_int_equal(net.nodes[E].final, 42);
	assert_members(E, "A2 B2 C2 D1 E1");
	assert_true(net_propose_change(&net, A, E, ROLE_VOTER));
	net_settle(&net);
	assert_members(E, "A2 B2 C2 D1 E2");
	assert_int_equal(status_of(E).role, ENGINE_FOLLOWER);
}

/* ONGARO §4.2.2. */
static void test_a_leader_leaves(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, A, ROLE_LEAVES));
	assert_true(leads(A)); /* until it is final */
	assert_members(A, "B2 C2 D1");
	/* It does not count itself: two of B and C are needed. */
	assert_true(net_deliver(&net, A, B));
	assert_true(net_deliver(&net, B, A));
	assert_int_equal(net.nodes[A].final, 1);
	time_ms begun = net.now;
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, 2);
	assert_false(leads(A));
	/* It hands over, so nobody waits for a timeout. */
	assert_int_equal(net.now, begun);
	assert_true(leads(B) || leads(C));
	net_run(&net, 10000);
	assert_int_equal(engine(A)->role, ENGINE_FOLLOWER);
	assert_int_equal(status_of(A).role, ENGINE_STANDBY);
}

static void test_a_leader_becomes_a_standby(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, A, ROLE_STANDBY));
	net_settle(&net);
	assert_false(leads(A));
	net_run(&net, 5000);
	size_t leader = net_leader(&net);
	assert_true(leader == B || leader == C);
	assert_true(net_propose(&net, leader));
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, net.nodes[leader].final);
}

/* ONGARO §4.2.2: the change is only on A's disk, and makes B the only voter; B
 * needs the vote of A as long as it does not know it, and A's log is longer. */
static void leave_alone(uint8_t role)
{
	net_free(&net);
	net_init(&net, 2, 0, 0);
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 200);
	net_cut(&net, B, true);
	assert_true(net_propose_change(&net, A, A, role));
	net_settle(&net);
	net_crash(&net, A, 0);
	net_start(&net, A);
	net_cut(&net, B, false);
	net_run(&net, 20000);
	assert_true(leads(B));
	assert_members(B, role == ROLE_STANDBY ? "A1 B2" : "B2");
	if (role == ROLE_LEAVES)
		return; /* A will never hear that it is final */
	uint64_t term = engine(A)->term;
	net_cut(&net, B, true);
	net_run(&net, 20000);
	assert_int_equal(engine(A)->role, ENGINE_FOLLOWER);
	assert_int_equal(engine(A)->term, term);
}

static void test_who_leaves_may_have_to_lead(void **state)
{
	(void)state;
	leave_alone(ROLE_STANDBY);
	leave_alone(ROLE_LEAVES);
}

static void test_who_left_knows_it(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, C, ROLE_LEAVES));
	net_settle(&net);
	assert_members(C, "A2 B2 D1");
	assert_int_equal(net.nodes[C].final, 2);
	net_run(&net, 10000);
	assert_int_equal(engine(C)->role, ENGINE_FOLLOWER);
	assert_true(leads(A));
	assert_int_equal(engine(A)->term, 1);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(net_log_tip(&net.nodes[C].chain), 2);
}

/* One that left without knowing it cannot disturb. */
static void test_who_left_unknowingly_disturbs_nobody(void **state)
{
	(void)state;
	begin();
	net_cut(&net, C, true);
	assert_true(net_propose_change(&net, A, C, ROLE_LEAVES));
	net_settle(&net);
	net_run(&net, 5000);
	net_cut(&net, C, false);
	net_run(&net, 10000);
	assert_true(leads(A));
	assert_int_equal(engine(A)->term, 1);
}

/* A needed voter that was away does not know the only possible leader. */
static void test_who_was_away_votes_for_one_who_joined(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 2, 0, 1);
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 200);
	net_cut(&net, B, true);
	assert_true(net_propose_change(&net, A, C, ROLE_VOTER));
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, 2); /* by A and C */
	net_crash(&net, A, 0);
	net_cut(&net, B, false);
	net_run(&net, 10000);
	assert_true(leads(C));
	assert_int_equal(net.nodes[B].final, net.nodes[C].final);
	assert_members(B, "A2 B2 C2");
}

static void test_sixteen_members(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 16, 0, 1);
	net_start_all(&net);
	net_elect(&net, A);
	for (int i = 0; i < 50; i++) {
		assert_true(net_propose(&net, A));
		if (i % 3 == 0)
			net_settle(&net);
	}
	net_settle(&net);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(net.nodes[i].final, 51);
	/* There is no seventeenth: all skip such a change alike. */
	struct net_members members = net.genesis;
	assert_true(net_propose_change(&net, A, 16, ROLE_VOTER));
	net_settle(&net);
	assert_int_equal(status_of(B).member_count, 16);
	assert_int_equal(members.count, 16);
	assert_true(leads(A));
}

static void test_changes_that_are_none(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 1, 1, 1);
	net_start_all(&net);
	net_settle(&net);
	assert_true(net_propose_change(&net, A, A, ROLE_LEAVES));
	assert_members(A, "A2 B1"); /* the last voter stays */
	assert_true(net_propose_change(&net, A, C, ROLE_LEAVES));
	assert_members(A, "A2 B1");
	assert_true(leads(A));
}

static void test_members_survive_a_restart(void **state)
{
	(void)state;
	begin();
	assert_true(net_propose_change(&net, A, D, ROLE_VOTER));
	net_settle(&net);
	assert_true(net_propose_change(&net, A, C, ROLE_LEAVES));
	net_settle(&net);
	for (size_t i = A; i <= D; i++) {
		net_crash(&net, i, 0);
		net_start(&net, i);
		assert_members(i, "A2 B2 D2");
	}
	net_run(&net, 5000);
	assert_true(net_leader(&net) < net.node_count);
}

/* ---- states instead of blocks (RAFT §7) ---- */

static void propose_many(size_t leader, int count)
{
	for (int i = 0; i < count; i++) {
		assert_true(net_propose(&net, leader));
		net_settle(&net);
	}
}

static void test_a_state_is_fetched(void **state)
{
	(void)state;
	begin();
	net_crash(&net, C, 0);
	propose_many(A, 20);
	assert_true(net_propose_change(&net, A, D, ROLE_VOTER));
	propose_many(A, 5);
	net_forget(&net, A, 24);
	net_start(&net, C);
	net.saves_at_once = false;
	net_run(&net, 300);
	const struct effect *seek = &net.nodes[C].seek;
	assert_int_equal(seek->seek.kind, SEEK_STATE);
	assert_int_equal(seek->seek.height, 24);
	assert_int_equal(seek->seek.peer.bytes[0], 'A');
	uint64_t task = seek->seek.task;
	net_run(&net, 500); /* more of the same does not begin it anew */
	assert_int_equal(seek->seek.task, task);
	assert_true(net_fetch(&net, C));
	/* Acknowledged only when it is durable. */
	assert_int_equal(net.nodes[C].final, 24);
	assert_int_equal(net_count(&net, C, A, ORDERED_APPEND_REPLY), 0);
	net_saved_all(&net, C);
	assert_int_equal(net_count(&net, C, A, ORDERED_APPEND_REPLY), 1);
	net_settle(&net);
	assert_int_equal(net.nodes[C].final, 27);
	assert_members(C, "A2 B2 C2 D2");
	/* And it is what the node has when it starts again. */
	net_crash(&net, C, 0);
	net_start(&net, C);
	assert_int_equal(net.nodes[C].final, 24);
	assert_members(C, "A2 B2 C2 D2");
}

static void test_a_state_that_is_not_needed(void **state)
{
	(void)state;
	begin();
	propose_many(A, 10);
	net_crash(&net, C, 0);
	propose_many(A, 10);
	net_forget(&net, A, 11); /* just where C's log ends */
	net_start(&net, C);
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].seek.seek.kind, SEEK_NONE);
	assert_int_equal(net.nodes[C].final, 21);
}

static void test_a_snapshot_of_what_is_there_commits_it(void **state)
{
	(void)state;
	net_disk_write(&net, B, "1111");
	net_disk_record(&net, B, 1);
	net_start(&net, B);
	struct ordered_message message = {
		.kind = ORDERED_SNAPSHOT,
		.term = 2,
		.height = 3,
		.log_term = 1,
		.round = 1,
	};
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(net.nodes[B].seek.seek.kind, SEEK_NONE);
	assert_int_equal(net.nodes[B].final, 3);
	assert_int_equal(net_log_tip(&net.nodes[B].chain), 4); /* stays */
	struct ordered_message reply;
	assert_true(net_said(&net, B, A, ORDERED_APPEND_REPLY, &reply));
	assert_int_equal(reply.height, 3); /* exactly */
}

/* What is not known to differ is not given up: it may be acknowledged. */
static void test_a_snapshot_that_cannot_be_judged(void **state)
{
	(void)state;
	for (uint64_t term = 1; term <= 400; term++)
		net_disk_put(&net, B, term, 15);
	net_disk_record(&net, B, 400);
	net_start(&net, B);
	struct ordered_message message = {
		.kind = ORDERED_SNAPSHOT,
		.term = 401,
		.height = 100,
		.log_term = 7,
		.round = 1,
	};
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(net.nodes[B].seek.seek.kind, SEEK_NONE);
	message.height = 5990;
	message.log_term = 0;
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(net.nodes[B].seek.seek.kind, SEEK_NONE);
	message.log_term = 401; /* certainly another one */
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(net.nodes[B].seek.seek.kind, SEEK_STATE);
}

static void test_a_newer_state_replaces_the_search(void **state)
{
	(void)state;
	begin();
	net_crash(&net, C, 0);
	propose_many(A, 20);
	net_forget(&net, A, 10);
	net_start(&net, C);
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].seek.seek.height, 10);
	net_forget(&net, A, 20);
	assert_false(net_fetch(&net, C)); /* gone */
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].seek.seek.height, 20);
	assert_true(net_fetch(&net, C));
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].final, 21);
}

static void test_blocks_that_come_end_the_search(void **state)
{
	(void)state;
	begin();
	net_crash(&net, C, 0);
	propose_many(A, 20);
	net_forget(&net, A, 10);
	net_start(&net, C);
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].seek.seek.kind, SEEK_STATE);
	/* B still has all blocks, and leads from now on. */
	net_transfer(&net, A);
	net_settle(&net);
	if (!leads(B))
		net_elect(&net, B);
	net_run(&net, 500);
	assert_int_equal(net.nodes[C].seek.seek.kind, SEEK_NONE);
	assert_int_equal(net.nodes[C].final, net.nodes[B].final);
}

static void test_a_state_replaces_a_conflict(void **state)
{
	(void)state;
	net_disk_write(&net, A, "11333333");
	net_disk_write(&net, B, "11333333");
	net_disk_write(&net, C, "1122222");
	for (size_t i = A; i <= C; i++)
		net_disk_record(&net, i, 3);
	net_start(&net, A);
	net_start(&net, B);
	net_elect(&net, A);
	net_run(&net, 300);
	net_forget(&net, A, 6);
	net_start(&net, C);
	net_run(&net, 500);
	assert_int_equal(net.nodes[C].seek.seek.kind, SEEK_STATE);
	assert_true(net_fetch(&net, C));
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].final, 9);
	assert_int_equal(net.nodes[C].chain.base, 6);
}

static void test_the_whole_log_is_forgotten(void **state)
{
	(void)state;
	begin();
	propose_many(A, 9);
	for (size_t i = A; i <= D; i++)
		net_forget(&net, i, 10);
	propose_many(A, 3);
	assert_int_equal(net.nodes[C].final, 13);
	for (size_t i = A; i <= D; i++) {
		net_crash(&net, i, 0);
		net_start(&net, i);
	}
	net_run(&net, 5000);
	assert_int_equal(net.nodes[C].final, 14);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_standby_follows),
		TEST(test_a_standby_is_not_counted),
		TEST(test_a_standby_never_stands),
		TEST(test_votes_of_standbys_do_not_count),
		TEST(test_a_change_is_in_effect_at_once),
		TEST(test_one_change_at_a_time),
		TEST(test_no_change_before_an_own_block_is_final),
		TEST(test_a_cut_change_is_undone),
		TEST(test_a_stranger_joins),
		TEST(test_a_leader_leaves),
		TEST(test_a_leader_becomes_a_standby),
		TEST(test_who_leaves_may_have_to_lead),
		TEST(test_who_left_knows_it),
		TEST(test_who_left_unknowingly_disturbs_nobody),
		TEST(test_who_was_away_votes_for_one_who_joined),
		TEST(test_sixteen_members),
		TEST(test_changes_that_are_none),
		TEST(test_members_survive_a_restart),
		TEST(test_a_state_is_fetched),
		TEST(test_a_state_that_is_not_needed),
		TEST(test_a_snapshot_of_what_is_there_commits_it),
		TEST(test_a_newer_state_replaces_the_search),
		TEST(test_blocks_that_come_end_the_search),
		TEST(test_a_state_replaces_a_conflict),
		TEST(test_the_whole_log_is_forgotten),
		TEST(test_a_snapshot_that_cannot_be_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
