/* unit/ordered_append.c -- what a follower takes, and what it says of it. */
#include "unit/unit.h"

#include <string.h>

#include "net/net.h"

enum { A, B, C };

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

static void assert_log(size_t node, const char *terms)
{
	char text[256];
	assert_string_equal(net_text(&net, node, text), terms);
}

/* The follower's answer, which must be there. */
static struct ordered_message answer(void)
{
	struct ordered_message reply;
	assert_true(net_said(&net, B, A, ORDERED_APPEND_REPLY, &reply));
	return reply;
}

/* RAFT §5.3. The leader A has a log; it sends count blocks after prev. */
struct append_case {
	const char *what;
	const char *leader;
	const char *follower;
	uint64_t term;
	uint64_t prev;
	size_t count;
	uint64_t commit;
	const char *after; /* the follower's log */
	bool accepted;
	uint64_t height; /* acknowledged, or the rejected prev */
	uint64_t hint;
	uint64_t hint_term;
	uint64_t final;
};

static const struct append_case append_cases[] = {
	{"the first block", "1", "", 1, 0, 1, 0, "1", true, 1, 0, 0, 0},
	{"more blocks", "1123", "1", 3, 1, 3, 0, "1123", true, 4, 0, 0, 0},
	{"no blocks", "11", "11", 1, 2, 0, 0, "11", true, 2, 0, 0, 0},
	{"what is there already", "111", "111", 1, 0, 3, 0, "111", true, 3, 0,
		0, 0},
	{"half of it is there", "1111", "11", 1, 0, 4, 0, "1111", true, 4, 0, 0,
		0},
	/* An answer is for this message, not for all that is there. */
	{"exactly prev + n", "11", "1111", 2, 0, 2, 0, "1111", true, 2, 0, 0,
		0},
	{"exactly prev", "1", "1111", 2, 1, 0, 0, "1111", true, 1, 0, 0, 0},
	{"a gap", "1111", "1", 1, 3, 1, 0, "1", false, 3, 1, 1, 0},
	{"a gap before nothing", "1111", "", 1, 3, 1, 0, "", false, 3, 0, 0, 0},
	{"another term at prev", "1122", "1111", 2, 3, 1, 0, "1111", false, 3,
		3, 1, 0},
	{"a whole term back", "1133", "112222", 3, 4, 0, 0, "112222", false, 4,
		4, 2, 0},
	{"back over later terms", "1111", "2345", 6, 4, 0, 0, "2345", false, 4,
		0, 0, 0},
	{"a conflict is cut", "1133", "1122", 3, 2, 2, 0, "1133", true, 4, 0, 0,
		0},
	{"a longer conflict is cut", "13", "1222", 3, 1, 1, 0, "13", true, 2, 0,
		0, 0},
	{"the same beginning stays", "1123", "112255", 5, 1, 3, 0, "1123", true,
		4, 0, 0, 0},
	/* RAFT §5.3: commit is min(leader's commit, the last new block). */
	{"commit", "111", "", 1, 0, 3, 2, "111", true, 3, 0, 0, 2},
	{"commit no further than shown", "1111", "1111", 1, 1, 1, 4, "1111",
		true, 2, 0, 0, 2},
	{"commit with no blocks", "111", "111", 1, 2, 0, 3, "111", true, 2, 0,
		0, 2},
	{"a rejected append commits nothing", "1222", "1111", 2, 3, 0, 3,
		"1111", false, 3, 3, 1, 0},
};

static void begin_case(const struct append_case *row)
{
	net_init(&net, 3, 0, 0);
	net_disk_write(&net, A, row->leader);
	net_disk_write(&net, B, row->follower);
	net_disk_record(&net, B, row->term);
	net_start(&net, B);
}

static void test_appends(void **state)
{
	(void)state;
	size_t count = sizeof(append_cases) / sizeof(append_cases[0]);
	for (size_t i = 0; i < count; i++) {
		const struct append_case *row = &append_cases[i];
		begin_case(row);
		net_append(&net, A, B, row->term, row->prev, row->count,
			row->commit);
		struct ordered_message reply = answer();
		char text[256];
		bool good = (reply.flags == 0) == row->accepted &&
			    reply.term == row->term &&
			    reply.height == row->height &&
			    reply.hint == row->hint &&
			    reply.hint_term == row->hint_term &&
			    reply.round == 1 &&
			    net.nodes[B].final == row->final &&
			    strcmp(net_text(&net, B, text), row->after) == 0;
		if (!good)
			print_message("%s: height %lu, hint %lu of %lu, final "
				      "%lu, log %s\n",
				row->what, reply.height, reply.hint,
				reply.hint_term, net.nodes[B].final, text);
		assert_true(good);
		/* The same again changes nothing and has the same answer. */
		net_hush(&net);
		net_append(&net, A, B, row->term, row->prev, row->count,
			row->commit);
		struct ordered_message again = answer();
		assert_memory_equal(&again, &reply, sizeof(reply));
		assert_log(B, row->after);
		teardown(NULL);
	}
}

/* RAFT figure 7: whatever a follower's log is, a leader makes it its own. */
static void test_figure_7(void **state)
{
	(void)state;
	const char *logs[] = {"111445566", "1114", "11144556666",
		"111445566677", "1114444", "11122233333"};
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		net_init(&net, 3, 0, 0);
		net_disk_write(&net, A, "1114455666");
		net_disk_write(&net, B, logs[i]);
		net_disk_write(&net, C, "1114");
		for (size_t n = 0; n < 3; n++)
			net_disk_record(&net, n, 7);
		net_start(&net, A);
		net_start(&net, C);
		net_elect(&net, A);
		net_start(&net, B);
		net_run(&net, 300);
		assert_log(B, "11144556668");
		assert_log(C, "11144556668");
		assert_int_equal(net.nodes[B].final, 11);
		teardown(NULL);
	}
}

static void test_the_answer_waits_for_the_disk(void **state)
{
	(void)state;
	struct ordered_message reply;
	net.saves_at_once = false;
	net_disk_write(&net, A, "111");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 2, 2);
	/* A term that is new, and two blocks: one SAVE, no word yet. */
	assert_int_equal(net.nodes[B].save_count, 1);
	assert_true(net.nodes[B].saves[0].record_size > 0);
	assert_int_equal(net.message_count, 0);
	assert_int_equal(net.nodes[B].final, 0);
	net_append(&net, A, B, 1, 2, 1, 2);
	assert_int_equal(net.message_count, 0);
	net_saved(&net, B, 1);
	assert_int_equal(answer().height, 2);
	assert_int_equal(net.nodes[B].final, 2);
	net_hush(&net);
	/* A heartbeat is answered at once, with what is durable. */
	net_append(&net, A, B, 1, 3, 0, 3);
	assert_int_equal(answer().height, 2);
	net_hush(&net);
	net_saved(&net, B, 1);
	assert_int_equal(answer().height, 3);
	assert_int_equal(net.nodes[B].final, 3);
	assert_false(net_said(&net, B, C, ORDERED_APPEND_REPLY, &reply));
}

static void test_a_save_that_was_cut_acknowledges_nothing(void **state)
{
	(void)state;
	net.saves_at_once = false;
	net_disk_write(&net, A, "111");
	net_disk_write(&net, C, "122");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 3, 0);
	net_append(&net, C, B, 2, 0, 3, 0);
	assert_log(B, "122");
	net_saved(&net, B, 1); /* of the blocks that are gone */
	assert_int_equal(net.message_count, 0);
	net_saved(&net, B, 1);
	struct ordered_message reply;
	assert_true(net_said(&net, B, C, ORDERED_APPEND_REPLY, &reply));
	assert_int_equal(reply.height, 3);
	assert_int_equal(reply.term, 2);
	assert_false(net_said(&net, B, A, ORDERED_APPEND_REPLY, &reply));
}

static void test_an_old_save_does_not_count_for_new_blocks(void **state)
{
	(void)state;
	struct ordered_message reply;
	net.saves_at_once = false;
	net_disk_write(&net, A, "111");
	net_disk_write(&net, C, "122");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 3, 0); /* a SAVE of three blocks */
	struct ordered_message vote = {.kind = ORDERED_VOTE,
		.term = 2,
		.height = 9,
		.log_term = 9,
		.flags = ORDERED_FORCED};
	net_inject(&net, C, B, &vote, NULL, 0); /* one of the record */
	net_append(&net, C, B, 2, 0, 3, 0);     /* one of two blocks */
	net_saved(&net, B, 2);
	assert_true(net_said(&net, B, C, ORDERED_APPEND_REPLY, &reply));
	assert_int_equal(reply.height, 1);
	net_saved_all(&net, B);
	assert_true(net_said(&net, B, C, ORDERED_APPEND_REPLY, &reply));
	assert_int_equal(reply.height, 3);
}

static void test_many_saves_at_once(void **state)
{
	(void)state;
	net.saves_at_once = false;
	net_disk_write(&net, A,
		"1111111111111111111111111111111111111111111111111111111111");
	net_start(&net, B);
	for (uint64_t h = 0; h < 50; h++)
		net_append(&net, A, B, 1, h, 1, 0);
	for (int i = 0; i < 50; i++)
		net_saved(&net, B, 1);
	assert_int_equal(answer().height, 50);
}

static void test_a_term_that_is_new_is_durable_first(void **state)
{
	(void)state;
	struct ordered_message reply;
	net.saves_at_once = false;
	net_disk_write(&net, A, "22");
	net_disk_write(&net, B, "1");
	net_disk_record(&net, B, 1);
	net_start(&net, B);
	net_append(&net, A, B, 2, 2, 0, 0);
	assert_int_equal(net.message_count, 0);
	net_saved_all(&net, B);
	assert_true(net_said(&net, B, A, ORDERED_APPEND_REPLY, &reply));
	assert_int_equal(reply.flags, ORDERED_REJECT);
	assert_int_equal(reply.term, 2);
}

static void test_nothing_is_said_to_quiet_appends(void **state)
{
	(void)state;
	net_disk_write(&net, A, "11");
	net_disk_write(&net, B, "11");
	net_disk_record(&net, B, 1);
	net_start(&net, B);
	struct ordered_message message = {
		.kind = ORDERED_APPEND,
		.term = 1,
		.height = 2,
		.log_term = 1,
		.commit = 1,
		.flags = ORDERED_QUIET,
	};
	net_append(&net, A, B, 1, 2, 0, 0);
	net_hush(&net);
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(net.message_count, 0);
	assert_int_equal(net.nodes[B].final, 1);
	message.height = 3;
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(answer().flags, ORDERED_REJECT);
}

/* ---- what is not taken ---- */

static uint32_t made(uint32_t parent, uint64_t height, uint64_t term)
{
	struct net_block block = {
		.parent = parent,
		.height = height,
		.term = term,
		.payload = ++net.payload,
		.size = 1000,
	};
	return net_make(&net, &block);
}

/* An append of two blocks after height 2 of "11", of term 3. */
static bool is_taken(uint32_t first, uint32_t second, struct hash hash)
{
	struct ordered_message message = {
		.kind = ORDERED_APPEND,
		.term = 3,
		.height = 2,
		.log_term = 1,
		.hash = hash,
		.round = 1,
	};
	uint32_t blocks[] = {first, second};
	net_hush(&net);
	net_inject(&net, A, B, &message, blocks, 2);
	return net_log_tip(&net.nodes[B].chain) == 4;
}

static void test_what_is_no_chain_is_ignored(void **state)
{
	(void)state;
	struct hash none = {{0}}, other = {{1}};
	net_disk_write(&net, B, "11");
	net_disk_record(&net, B, 3);
	net_start(&net, B);
	uint32_t one = net_log_at(&net.nodes[B].chain, 1);
	uint32_t two = net_log_at(&net.nodes[B].chain, 2);
	struct hash hash = net_hash_of(&net, two);
	uint32_t three = made(two, 3, 2), four = made(three, 4, 3);
	assert_false(is_taken(made(two, 4, 2), four, hash)); /* heights */
	assert_false(is_taken(three, made(three, 5, 3), hash));
	assert_false(is_taken(made(one, 3, 2), four, hash)); /* parents */
	assert_false(is_taken(three, made(two, 4, 3), hash));
	uint32_t other_three = made(one, 3, 2);
	assert_false(is_taken(other_three, made(other_three, 4, 3), none));
	assert_false(is_taken(three, four, other));
	assert_false(is_taken(three, made(three, 4, 1), hash)); /* terms */
	assert_false(is_taken(three, made(three, 4, 4), hash));
	assert_false(is_taken(made(two, 3, 0), four, hash));
	assert_int_equal(net.message_count, 0); /* and not a word */
	assert_true(is_taken(three, four, hash));
	assert_log(B, "1123");
}

static void test_a_field_of_another_engine_is_ignored(void **state)
{
	(void)state;
	net_start(&net, B);
	struct engine_block block = {0};
	uint8_t bytes[ORDERED_MESSAGE_BYTES_MAX];
	struct ordered_message message = {.kind = ORDERED_APPEND, .term = 1};
	struct event event = {.type = EVENT_RECEIVE, .now = net.now};
	event.receive.from = net_key(A);
	event.receive.message = view_of(
		bytes, ordered_message_encode(bytes, sizeof(bytes), &message));
	event.receive.blocks = &block;
	event.receive.block_count = 1;
	block.ref.header.height = 1;
	block.ref.header.parent = net_hash_of(&net, 0);
	const char *fields[] = {"", "x", "\x91", "\x91\x01\x01", "\x92\x01\x01",
		"\x91\xcc\x01"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		block.ref.header.engine = view_text(fields[i]);
		effects_clear(&net.effects);
		engine_ordered.step(net.nodes[B].engine, &net.effects, &event);
		assert_int_equal(net.effects.count, 0);
	}
	block.ref.header.engine = view_text("\x91\x01");
	engine_ordered.step(net.nodes[B].engine, &net.effects, &event);
	assert_int_equal(net.effects.items[0].type, EFFECT_SAVE);
}

static void test_what_is_final_is_never_cut(void **state)
{
	(void)state;
	net_disk_write(&net, A, "111");
	net_disk_write(&net, C, "122");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 3, 2);
	assert_int_equal(net.nodes[B].final, 2);
	/* No leader that was elected could say this. */
	net_append(&net, C, B, 2, 0, 3, 0);
	net_append(&net, C, B, 2, 1, 2, 0);
	assert_log(B, "111");
	assert_int_equal(net.nodes[B].final, 2);
}

/* What is final need not be looked at again, whatever a leader says. */
static void test_back_off_ends_at_what_is_final(void **state)
{
	(void)state;
	net_disk_write(&net, A, "1222");
	net_disk_write(&net, B, "1222");
	net_disk_record(&net, B, 2);
	net_start(&net, B);
	net_append(&net, A, B, 2, 4, 0, 3);
	assert_int_equal(net.nodes[B].final, 3);
	struct ordered_message message = {.kind = ORDERED_APPEND,
		.term = 3,
		.height = 4,
		.log_term = 1,
		.round = 1};
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(answer().flags, ORDERED_REJECT);
	assert_int_equal(answer().hint, 3);
}

static void test_blocks_come_with_appends_only(void **state)
{
	(void)state;
	net_start(&net, B);
	struct ordered_message message = {.kind = ORDERED_VOTE, .term = 1};
	uint32_t block = made(0, 1, 1);
	net_inject(&net, A, B, &message, &block, 1);
	assert_int_equal(net.message_count, 0);
	assert_int_equal(net.nodes[B].engine->term, 0);
}

static void change_at(uint64_t term, size_t who, uint8_t role)
{
	struct net_log *disk = &net.nodes[B].disk;
	uint64_t tip = net_log_tip(disk);
	struct net_block block = {
		.parent = net_log_at(disk, tip),
		.height = tip + 1,
		.term = term,
		.has_change = true,
		.change = {.key = net_key(who), .role = role},
	};
	net_log_push(disk, net_make(&net, &block));
}

/* Of two changes the first was committed before the second was made; nobody
 * who was elected lacks it. */
static void test_two_changes_are_not_cut(void **state)
{
	(void)state;
	net_disk_write(&net, A, "1333");
	net_disk_write(&net, B, "1");
	change_at(1, C, ROLE_STANDBY);
	change_at(2, C, ROLE_LEAVES);
	net_disk_record(&net, B, 2);
	net_start(&net, B);
	net_append(&net, A, B, 3, 0, 4, 0);
	assert_log(B, "112");
	assert_int_equal(net.nodes[B].engine->members.count, 2);
}

/* Long after a restart: nothing is known to be final, and what a leader sends
 * lies far behind the newest blocks. What is there is not written again; what
 * cannot be told is left alone. */
static void test_blocks_of_long_ago(void **state)
{
	(void)state;
	net_disk_put(&net, A, 1, 5000);
	net_disk_put(&net, B, 1, 5000);
	net_disk_record(&net, B, 1);
	net.saves_at_once = false;
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 16, 0);
	assert_int_equal(net.nodes[B].save_count, 0);
	assert_int_equal(answer().height, 16);
	assert_int_equal(net_log_tip(&net.nodes[B].chain), 5000);
}

static void test_blocks_of_forgotten_terms(void **state)
{
	(void)state;
	for (uint64_t term = 1; term <= 400; term++) {
		net_disk_put(&net, A, term, 15);
		net_disk_put(&net, B, term, 15);
	}
	net_disk_record(&net, B, 400);
	net_start(&net, B);
	net_append(&net, A, B, 400, 0, 16, 0);
	assert_int_equal(net.message_count, 0);
	assert_int_equal(net_log_tip(&net.nodes[B].chain), 6000);
	/* Before what is remembered nothing matches but what is final. */
	net_append(&net, A, B, 400, 100, 1, 0);
	assert_int_equal(answer().flags, ORDERED_REJECT);
	assert_int_equal(answer().hint, 0);
	net_append(&net, A, B, 400, 6000, 0, 0);
	assert_int_equal(answer().height, 6000);
}

static void test_a_second_leader_of_a_term_is_not_followed(void **state)
{
	(void)state;
	net_disk_write(&net, A, "11");
	net_disk_write(&net, C, "11");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 1, 0);
	net_hush(&net);
	net_append(&net, C, B, 1, 0, 2, 2);
	assert_int_equal(net.message_count, 0);
	assert_log(B, "1");
	net_append(&net, A, B, 1, 1, 1, 0);
	assert_log(B, "11");
}

static void test_an_older_leader_is_refused(void **state)
{
	(void)state;
	net_disk_write(&net, A, "11");
	net_disk_record(&net, B, 5);
	net_start(&net, B);
	net_append(&net, A, B, 4, 0, 2, 2);
	struct ordered_message reply = answer();
	assert_int_equal(reply.flags, ORDERED_REJECT);
	assert_int_equal(reply.term, 5);
	assert_log(B, "");
	assert_false(net.nodes[B].engine->has_leader);
}

static void test_strangers_are_not_heard_beside_a_leader(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 2, 0, 2);
	net_disk_write(&net, A, "1");
	net_disk_write(&net, C, "2");
	net_start(&net, B);
	net_append(&net, A, B, 1, 0, 1, 0);
	net_hush(&net);
	net_append(&net, C, B, 2, 0, 1, 0);
	struct ordered_message message = {
		.kind = ORDERED_VOTE, .term = 9, .height = 9, .log_term = 9};
	net_inject(&net, C, B, &message, NULL, 0);
	message.kind = ORDERED_PRE_VOTE;
	net_inject(&net, C, B, &message, NULL, 0);
	message.kind = ORDERED_READ;
	net_inject(&net, C, B, &message, NULL, 0);
	assert_int_equal(net.message_count, 0);
	assert_log(B, "1");
	assert_int_equal(net.nodes[B].engine->term, 1);
	/* Without a leader they may be the only ones who can lead. */
	net_run(&net, 3000);
	net_append(&net, C, B, 2, 0, 1, 0);
	assert_log(B, "2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_figure_7),
		TEST(test_the_answer_waits_for_the_disk),
		TEST(test_a_save_that_was_cut_acknowledges_nothing),
		TEST(test_many_saves_at_once),
		TEST(test_a_term_that_is_new_is_durable_first),
		TEST(test_nothing_is_said_to_quiet_appends),
		TEST(test_what_is_no_chain_is_ignored),
		TEST(test_a_field_of_another_engine_is_ignored),
		TEST(test_what_is_final_is_never_cut),
		TEST(test_a_second_leader_of_a_term_is_not_followed),
		TEST(test_an_older_leader_is_refused),
		TEST(test_strangers_are_not_heard_beside_a_leader),
		TEST(test_an_old_save_does_not_count_for_new_blocks),
		TEST(test_back_off_ends_at_what_is_final),
		TEST(test_blocks_come_with_appends_only),
		TEST(test_two_changes_are_not_cut),
		TEST(test_blocks_of_long_ago),
		TEST(test_blocks_of_forgotten_terms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
