/* unit/ordered_leader.c -- appending, counting, telling, and how fast. */
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

static void assert_log(size_t node, const char *terms)
{
	char text[256];
	assert_string_equal(net_text(&net, node, text), terms);
}

/* ---- the order of effects ---- */

enum { EFFECTS_SEEN_MAX = 64 };

struct seen {
	size_t count;
	enum effect_type types[EFFECTS_SEEN_MAX];
	enum event_type event;
	size_t node;
};

static void see(void *context, struct net *of, size_t node,
	const struct event *event, const struct effects *effects)
{
	struct seen *seen = context;
	(void)of;
	if (event->type != seen->event || node != seen->node)
		return;
	seen->count = effects->count;
	for (size_t i = 0; i < effects->count; i++)
		seen->types[i] = effects->items[i].type;
}

static void test_sends_stand_before_the_save(void **state)
{
	(void)state;
	struct seen seen = {.event = EVENT_FOUND, .node = A};
	net_start_all(&net);
	net_elect(&net, A);
	net.watch = see;
	net.watch_context = &seen;
	net.saves_at_once = false;
	assert_true(net_propose(&net, A));
	const enum effect_type expected[] = {
		EFFECT_SEND, EFFECT_SEND, EFFECT_SAVE, EFFECT_SEEK};
	assert_int_equal(seen.count, 4);
	assert_memory_equal(seen.types, expected, sizeof(expected));
	net_saved_all(&net, A);
}

static void test_a_leader_seeks_its_own_block_at_once(void **state)
{
	(void)state;
	net.proposes_own = false;
	net_start_all(&net);
	net_elect(&net, A);
	const struct effect *seek = &net.nodes[A].seek;
	assert_int_equal(seek->seek.kind, SEEK_BLOCK);
	assert_int_equal(seek->seek.height, 1);
	assert_true(seek->seek.empty);
	assert_false(seek->seek.member_free);
	struct ordered_field field;
	assert_int_equal(
		ordered_field_decode(&field,
			view_of(seek->seek.field, seek->seek.field_size)),
		ERR_OK);
	assert_int_equal(field.term, 1);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(seek->seek.height, 2);
	assert_false(seek->seek.empty);
	assert_true(seek->seek.member_free);
}

/* ---- counting ---- */

static void test_a_leader_counts_its_own_disk_like_others(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net.saves_at_once = false;
	assert_true(net_propose(&net, A));
	assert_true(net_deliver(&net, A, B));
	net_saved_all(&net, B);
	assert_true(net_deliver(&net, B, A));
	/* On one disk of three. */
	assert_int_equal(engine(A)->commit, 1);
	assert_true(net_deliver(&net, A, C));
	net_saved_all(&net, C);
	assert_true(net_deliver(&net, C, A));
	/* On a majority without the leader; here it is not final yet. */
	assert_int_equal(engine(A)->commit, 2);
	assert_int_equal(net.nodes[A].final, 1);
	net_saved_all(&net, A);
	assert_int_equal(net.nodes[A].final, 2);
	net_settle(&net);
	assert_int_equal(net.nodes[B].final, 2);
}

static void test_followers_know_what_is_final_at_once(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	time_ms begun = net.now;
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(net.now, begun); /* no heartbeat was needed */
	assert_int_equal(net.nodes[B].final, 2);
	assert_int_equal(net.nodes[C].final, 2);
}

/* RAFT §5.4.2, figure 8, (a) to (d) with five servers; the leader of (c) must
 * not commit the block of term 2 though it is on a majority. */
static void test_figure_8(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 5, 0, 0);
	net.proposes_own = false;
	/* (a), (b): S1 and S2 have a block of term 2, S5 one of term 3. */
	net_disk_write(&net, A, "12");
	net_disk_write(&net, B, "12");
	net_disk_write(&net, C, "1");
	net_disk_write(&net, D, "1");
	net_disk_write(&net, E, "13");
	for (size_t i = 0; i < 5; i++)
		net_disk_record(&net, i, 3);
	for (size_t i = A; i <= D; i++)
		net_start(&net, i);
	/* (c): S1 leads in term 4 and brings block 2 to S3. */
	net_elect(&net, A);
	net_run(&net, 500);
	assert_int_equal(engine(A)->term, 4);
	assert_log(C, "12");
	/* The block of term 2 is on four of five, and not final. */
	assert_int_equal(engine(A)->commit, 0);
	assert_int_equal(net.nodes[A].final, 0);
	/* (d): S5 may still be elected, by S3 and S4 if they lack it. */
	for (size_t i = A; i <= D; i++)
		net_crash(&net, i, 0);
	net_hush(&net);
	net_start(&net, E);
	net_start(&net, B);
	net_start(&net, C);
	net.proposes_own = true;
	net_elect(&net, E);
	net_run(&net, 500);
	assert_log(B, "135");
	assert_log(C, "135");
	assert_int_equal(net.nodes[B].final, 3);
}

/* Figure 8 (e): with a block of its own term all before it is final. */
static void test_figure_8_e(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 5, 0, 0);
	net_disk_write(&net, A, "12");
	net_disk_write(&net, B, "12");
	net_disk_write(&net, C, "1");
	net_disk_write(&net, E, "13");
	for (size_t i = 0; i < 5; i++)
		net_disk_record(&net, i, 3);
	for (size_t i = A; i <= C; i++)
		net_start(&net, i);
	net_elect(&net, A);
	assert_log(C, "124");
	assert_int_equal(net.nodes[A].final, 3);
	net_crash(&net, A, 0);
	net_start(&net, E);
	net_start(&net, D);
	net_run(&net, 10000);
	assert_true(leads(B) || leads(C));
	assert_log(E, net_text(&net, B, (char[256]){0}));
}

/* ---- how much, how fast ---- */

static void test_at_most_so_many_are_unfinal(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_cut(&net, A, true);
	for (int i = 0; i < ORDERED_WINDOW; i++)
		assert_true(net_propose(&net, A));
	assert_false(net_propose(&net, A)); /* none is sought */
	net_cut(&net, A, false);
	net_run(&net, 300);
	assert_int_equal(net.nodes[A].final, 1 + ORDERED_WINDOW);
	assert_true(net_propose(&net, A));
}

static void test_many_are_in_flight(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	for (int i = 0; i < 10; i++)
		assert_true(net_propose(&net, A));
	/* Each went out when it was found, not when the last was answered. */
	assert_int_equal(net_count(&net, A, B, ORDERED_APPEND), 10);
	net_settle(&net);
	assert_int_equal(net.nodes[C].final, 11);
}

/* Catching up: as much as a message holds, no more than a window of them. */
static void catch_up(uint32_t block_size, size_t per_message)
{
	net_init(&net, 3, 0, 0);
	net.block_size = block_size;
	net_disk_put(&net, A, 1, 600);
	net_disk_put(&net, B, 1, 600);
	for (size_t i = A; i <= B; i++)
		net_disk_record(&net, i, 1);
	net_start(&net, A);
	net_start(&net, B);
	net_elect(&net, A);
	net_start(&net, C);
	net_timer(&net, A);
	while (net_deliver(&net, A, B) || net_deliver(&net, B, A))
		;
	size_t most = 0;
	for (int i = 0; i < 10000 && net.message_count > 0; i++) {
		for (size_t m = 0; m < net.message_count; m++) {
			const struct net_message *message = &net.messages[m];
			if (message->count > most)
				most = message->count;
			assert_true(message->count * block_size <=
				    ENGINE_ATTACH_BYTES_MAX);
		}
		assert_true(net_count(&net, A, C, ORDERED_APPEND) <=
			    ORDERED_FLIGHTS_MAX + 2);
		net_deliver_at(&net, 0, false);
	}
	assert_int_equal(most, per_message);
	assert_int_equal(net.nodes[C].final, 601);
	teardown(NULL);
}

static void test_catching_up(void **state)
{
	(void)state;
	net_free(&net);
	catch_up(100, 16);
	catch_up(10000, 6);
	catch_up(40000, 1);
	net_init(&net, 1, 0, 0);
}

/* Of blocks that are long gone from the ring the size is not known. */
static void test_old_blocks_go_one_by_one(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 3, 0, 0);
	for (uint64_t term = 1; term <= 5; term++) {
		net_disk_put(&net, A, term, 1000);
		net_disk_put(&net, B, term, 1000);
	}
	for (size_t i = A; i <= B; i++)
		net_disk_record(&net, i, 5);
	net_start(&net, A);
	net_start(&net, B);
	net_elect(&net, A);
	net_start(&net, C);
	net_timer(&net, A);
	uint64_t rounds = 0;
	while (net.message_count > 0 && ++rounds < 100000) {
		const struct net_message *message = &net.messages[0];
		if (message->count > 1)
			assert_true(message->first_height > 5001 - 4096);
		net_deliver_at(&net, 0, false);
	}
	assert_int_equal(net.nodes[C].final, 5001);
}

/* Terms that are forgotten: the parent of the first block stands in. */
static void test_forgotten_terms(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 3, 0, 0);
	for (uint64_t term = 1; term <= 400; term++) {
		net_disk_put(&net, A, term, 15);
		net_disk_put(&net, B, term, 15);
	}
	net_disk_put(&net, C, 1, 15);
	net_disk_put(&net, C, 2, 3);
	for (size_t i = A; i <= C; i++)
		net_disk_record(&net, i, 400);
	net_start(&net, A);
	net_start(&net, B);
	net_elect(&net, A);
	uint64_t term;
	assert_false(entries_term(&engine(A)->entries, 18, &term));
	net_start(&net, C);
	net_run(&net, 1000);
	assert_int_equal(net.nodes[C].final, 6001);
}

/* RAFT §5.3: a message a term, not a message a block. */
static void test_back_off_is_a_term_at_a_time(void **state)
{
	(void)state;
	net_free(&net);
	net_init(&net, 3, 0, 0);
	net_disk_put(&net, A, 1, 100);
	net_disk_put(&net, B, 1, 100);
	net_disk_put(&net, C, 1, 50);
	net_disk_put(&net, A, 4, 300);
	net_disk_put(&net, B, 4, 300);
	net_disk_put(&net, C, 2, 150);
	net_disk_put(&net, C, 3, 150);
	for (size_t i = A; i <= C; i++)
		net_disk_record(&net, i, 4);
	net_start(&net, A);
	net_start(&net, B);
	net_elect(&net, A);
	net_start(&net, C);
	net_timer(&net, A);
	size_t rejections = 0;
	while (net.message_count > 0) {
		struct ordered_message said;
		const struct net_message *message = &net.messages[0];
		assert_int_equal(
			ordered_message_decode(
				&said, view_of(message->bytes, message->size)),
			ERR_OK);
		rejections += said.kind == ORDERED_APPEND_REPLY &&
			      said.flags == ORDERED_REJECT;
		net_deliver_at(&net, 0, false);
	}
	assert_int_equal(net.nodes[C].final, 401);
	assert_in_range(rejections, 1, 3);
}

static void test_what_is_lost_is_sent_again(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	for (int i = 0; i < 5; i++) {
		assert_true(net_propose(&net, A));
		if (i % 2 == 0)
			net_drop(&net, A, B);
	}
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, 6); /* with C */
	assert_int_equal(net.nodes[B].final, 6); /* a gap is a rejection */
	assert_true(net_propose(&net, A));
	net_drop(&net, A, B); /* the last one: nothing follows it */
	net_drop(&net, A, B);
	net_settle(&net);
	net_hush(&net);
	net_run(&net, 250);
	assert_int_equal(net.nodes[B].final, 7); /* the next heartbeat */
}

static void test_answers_in_any_order(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	for (int i = 0; i < 8; i++)
		assert_true(net_propose(&net, A));
	while (net_deliver(&net, A, B))
		;
	assert_int_equal(net_count(&net, B, A, ORDERED_APPEND_REPLY), 8);
	for (int i = 0; i < 8; i++) {
		/* The newest first; older ones take nothing back. */
		for (size_t at = net.message_count; at > 0; at--) {
			if (net.messages[at - 1].from == B) {
				net_deliver_at(&net, at - 1, false);
				break;
			}
		}
		assert_int_equal(engine(A)->peers[0].match, 9);
	}
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].final, 9);
}

static void test_impossible_answers_are_ignored(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_cut(&net, A, true);
	assert_true(net_propose(&net, A));
	struct ordered_message message = {.kind = ORDERED_APPEND_REPLY,
		.term = 1,
		.round = 1,
		.height = 9};
	net_inject(&net, B, A, &message, NULL, 0); /* beyond the tip */
	message.height = 2;
	message.round = 1000;
	net_inject(&net, B, A, &message, NULL, 0); /* a round to come */
	message.round = 1;
	message.term = 0;
	net_inject(&net, B, A, &message, NULL, 0); /* an older term */
	assert_int_equal(engine(A)->commit, 1);
	message.term = 1;
	message.flags = ORDERED_REJECT;
	message.height = 99;
	net_inject(&net, B, A, &message, NULL, 0);
	message.height = 0;
	net_inject(&net, B, A, &message, NULL, 0);
	assert_true(leads(A));
}

/* A repaired log: a follower lacks what it has acknowledged. An overtaken
 * rejection looks alike and must not be believed. */
static void test_who_forgot_is_filled_up_again(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	for (int i = 0; i < 9; i++) {
		assert_true(net_propose(&net, A));
		net_settle(&net);
	}
	struct ordered_message late = {.kind = ORDERED_APPEND_REPLY,
		.term = 1,
		.height = 5,
		.hint = 2,
		.hint_term = 1,
		.round = engine(A)->peers[1].match_round,
		.flags = ORDERED_REJECT};
	net_inject(&net, C, A, &late, NULL, 0);
	assert_int_equal(engine(A)->peers[1].match, 10);
	assert_int_equal(engine(A)->peers[1].state, PEER_REPLICATE);
	net_crash(&net, C, 0);
	net_log_cut(&net.nodes[C].disk, 4);
	net_start(&net, C);
	net_run(&net, 300);
	assert_int_equal(net.nodes[C].final, 10);
	assert_int_equal(engine(A)->peers[1].match, 10);
}

static void test_a_late_find_is_undone(void **state)
{
	(void)state;
	struct seen seen = {.event = EVENT_FOUND, .node = A};
	net_start_all(&net);
	net_elect(&net, A);
	struct effect seek = net.nodes[A].seek;
	net_cut(&net, A, true);
	net_run(&net, 1200); /* A steps down */
	assert_int_equal(net.nodes[A].seek.seek.kind, SEEK_NONE);
	net.nodes[A].seek = seek; /* as if the word had crossed the block */
	net.watch = see;
	net.watch_context = &seen;
	assert_true(net_propose(&net, A));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.types[0], EFFECT_REVERT);
	assert_log(A, "1");
}

static void found_nonsense(void *argument)
{
	struct engine_block *block = argument;
	struct event event = {.type = EVENT_FOUND, .now = net.now};
	event.found.task = net.nodes[A].seek.seek.task;
	event.found.block = block;
	effects_clear(&net.effects);
	engine_ordered.step(net.nodes[A].engine, &net.effects, &event);
}

static void test_a_find_of_another_block_is_a_bug(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	struct engine_block block = {0};
	block.ref.header.height = 2;
	block.ref.header.engine = view_text("\x91\x01");
	block.ref.header.parent = net.nodes[A].seek.seek.hash;
	assert_false(unit_aborts(found_nonsense, &block));
	block.ref.header.height = 3;
	assert_true(unit_aborts(found_nonsense, &block));
	block.ref.header.height = 2;
	block.ref.header.engine = view_text("\x91\x02");
	assert_true(unit_aborts(found_nonsense, &block));
	block.ref.header.engine = view_text("\x91\x01");
	block.ref.header.parent.bytes[0] ^= 1;
	assert_true(unit_aborts(found_nonsense, &block));
}

/* ---- handing over (ONGARO §3.10) ---- */

static void test_transfer(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	time_ms begun = net.now;
	net_transfer(&net, A);
	assert_int_equal(net_count(&net, A, 3, ORDERED_TIMEOUT_NOW), 1);
	assert_false(net_propose(&net, A)); /* no more blocks from A */
	net_settle(&net);
	assert_int_equal(net.now, begun); /* at once */
	assert_true(leads(B) || leads(C));
	assert_false(leads(A));
	assert_int_equal(engine(A)->term, 2);
	assert_int_equal(net.nodes[A].final, 2);
}

static void test_transfer_waits_until_the_successor_has_all(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_cut(&net, C, true);
	assert_true(net_propose(&net, A));
	net_transfer(&net, A);
	assert_int_equal(net_count(&net, A, 3, ORDERED_TIMEOUT_NOW), 0);
	net_settle(&net);
	assert_true(leads(B));
	assert_log(B, "112");
}

static void test_the_successor_is_who_lacks_least(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_run(&net, 200);
	assert_true(net_propose(&net, A));
	net_drop(&net, A, B);
	assert_true(net_deliver(&net, A, C));
	assert_true(net_deliver(&net, C, A));
	net_transfer(&net, A);
	assert_int_equal(net_count(&net, A, C, ORDERED_TIMEOUT_NOW), 1);
	assert_int_equal(net_count(&net, A, B, ORDERED_TIMEOUT_NOW), 0);
	net_settle(&net);
	assert_true(leads(C));
}

static void test_transfer_is_bounded_in_time(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_transfer(&net, A);
	net_hush(&net);
	/* The successor is gone; the other keeps the leader. */
	size_t to = net_find(&net, &engine(A)->transfer_to);
	net_cut(&net, to, true);
	net_run(&net, 900);
	assert_true(leads(A));
	assert_false(net_propose(&net, A));
	net_run(&net, 200);
	assert_true(net_propose(&net, A));
	net_settle(&net);
	assert_int_equal(net.nodes[A].final, 2);
}

static void test_transfer_that_cannot_be(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	net_transfer(&net, B); /* has nothing to hand over */
	assert_int_equal(net.message_count, 0);
	net_crash(&net, B, 0);
	net_crash(&net, C, 0);
	net.now += 5000;
	net_transfer(&net, A); /* heard from nobody lately */
	assert_int_equal(net.message_count, 0);
	assert_false(engine(A)->transferring);
}

static void test_only_the_leader_may_hand_over(void **state)
{
	(void)state;
	net_start_all(&net);
	net_elect(&net, A);
	struct ordered_message message = {
		.kind = ORDERED_TIMEOUT_NOW, .term = 1};
	net_inject(&net, C, B, &message, NULL, 0);
	assert_int_equal(engine(B)->role, ENGINE_FOLLOWER);
	message.term = 0;
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(engine(B)->role, ENGINE_FOLLOWER);
	message.term = 1;
	net_inject(&net, A, B, &message, NULL, 0);
	assert_int_equal(engine(B)->role, ENGINE_CANDIDATE);
	assert_int_equal(engine(B)->term, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sends_stand_before_the_save),
		TEST(test_a_leader_seeks_its_own_block_at_once),
		TEST(test_a_leader_counts_its_own_disk_like_others),
		TEST(test_followers_know_what_is_final_at_once),
		TEST(test_figure_8),
		TEST(test_figure_8_e),
		TEST(test_at_most_so_many_are_unfinal),
		TEST(test_many_are_in_flight),
		TEST(test_catching_up),
		TEST(test_old_blocks_go_one_by_one),
		TEST(test_forgotten_terms),
		TEST(test_back_off_is_a_term_at_a_time),
		TEST(test_what_is_lost_is_sent_again),
		TEST(test_answers_in_any_order),
		TEST(test_impossible_answers_are_ignored),
		TEST(test_a_late_find_is_undone),
		TEST(test_a_find_of_another_block_is_a_bug),
		TEST(test_transfer),
		TEST(test_transfer_waits_until_the_successor_has_all),
		TEST(test_transfer_is_bounded_in_time),
		TEST(test_transfer_that_cannot_be),
		TEST(test_only_the_leader_may_hand_over),
		TEST(test_who_forgot_is_filled_up_again),
		TEST(test_the_successor_is_who_lacks_least),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
