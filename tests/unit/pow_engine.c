/* tests/unit/pow_engine.c -- what a header is refused for, which chain wins,
 * and peers that are bad company: bounded, named, survived.
 */
#include "pow_world.h"

static struct forged blocks[64], others[64], one;

static void grow(struct pow_world *world, struct forged *chain, size_t count,
	const struct forged *from, time_ms after, uint8_t tag)
{
	for (size_t i = 0; i < count; i++)
		forge(world, &chain[i], i > 0 ? &chain[i - 1] : from, after, 1,
			tag);
}

static void say_all(struct pow_world *world, size_t from,
	const struct forged *chain, size_t count)
{
	for (size_t i = 0; i < count; i++)
		world_tip(world, from, &chain[i]);
}

/* ---- refusals ---- */

static void expect(struct pow_world *world, enum engine_fault fault)
{
	uint64_t before = world_faults(world, fault);
	uint64_t tip = world->tip;
	world->now += 1000; /* each is reported again */
	size_t told = world->fault_count;
	world_tip(world, 1, &one);
	if (world_faults(world, fault) != before + 1)
		fail_msg("no fault %s", engine_fault_name(fault));
	assert_int_equal(world->fault_count, told + 1);
	assert_int_equal(world->last_fault, fault);
	assert_int_equal(world->tip, tip);
}

static void test_forged_headers(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 3, NULL, INTERVAL, 0);
	say_all(world, 1, blocks, 3);
	assert_int_equal(world->tip, 3);

	forge(world, &one, &blocks[2], INTERVAL, 1, 9);
	for (uint8_t i = 1; pow_seal_meets(
		     view_of(one.header, one.header_size), one.field_at);
		i++)
		one.header[one.field_at + POW_FIELD_NONCE_AT] ^= i;
	forged_close(&one, 1);
	expect(world, ENGINE_FAULT_NONCE);

	forge_bits(&one, &blocks[2], blocks[2].past.time + INTERVAL, 0x207fffff,
		1, 0);
	expect(world, ENGINE_FAULT_TARGET);
	forge(world, &one, &blocks[2], 0, 1, 0);
	expect(world, ENGINE_FAULT_TIME);
	forge(world, &one, &blocks[2],
		WALL + world->now + POW_FUTURE_MS + 5000 - blocks[2].past.time,
		1, 0);
	expect(world, ENGINE_FAULT_TIME);

	forge(world, &one, &blocks[2], INTERVAL, 1, 0);
	forged_close(&one, 2);
	expect(world, ENGINE_FAULT_SIGNATURE);
	forge(world, &one, &blocks[2], INTERVAL, 9, 0);
	expect(world, ENGINE_FAULT_ROLE);
	assert_true(engine_find("pow")->holds(world->pow));
	forge(world, &one, &blocks[2], INTERVAL, 1, 0);
	world_tip(world, 1, &one);
	assert_int_equal(world->tip, 4);
}

static void test_another_genesis(void **state)
{
	struct pow_world *world = *state;
	struct header header;
	forge(world, &one, NULL, INTERVAL, 1, 0);
	enum err err =
		header_decode(&header, view_of(one.header, one.header_size));
	assert_int_equal(err, ERR_OK);
	header.parent.bytes[0] ^= 1;
	uint8_t field[POW_FIELD_SIZE];
	memcpy(field, header.engine.data, sizeof(field));
	header.engine = view_of(field, sizeof(field));
	one.header_size =
		header_encode(one.header, sizeof(one.header), &header);
	forged_mine(&one);
	forged_close(&one, 1);
	expect(world, ENGINE_FAULT_GENESIS);
}

/* ---- which chain ---- */

static void test_work_wins_not_length(void **state)
{
	struct pow_world *world = *state;
	/* Nine that came ever more slowly, five that did not. */
	grow(world, blocks, 9, NULL, 9 * INTERVAL, 0);
	grow(world, others, 5, NULL, INTERVAL / 2, 1);
	say_all(world, 1, blocks, 9);
	assert_int_equal(world->tip, 9);
	say_all(world, 2, others, 5);
	assert_int_equal(world->tip, 5);
	assert_true(hash_equal(&world->chain[5], &others[4].block.ref.hash));
	assert_int_equal(world->pow->race.deepest, 9);
}

static void test_first_seen_on_a_tie(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 2, NULL, INTERVAL, 0);
	grow(world, others, 3, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 2);
	say_all(world, 2, others, 2);
	assert_true(hash_equal(&world->chain[2], &blocks[1].block.ref.hash));
	assert_int_equal(world->reverts, 0);
	world_tip(world, 2, &others[2]);
	assert_true(hash_equal(&world->chain[3], &others[2].block.ref.hash));
	assert_int_equal(world->reverts, 1);
}

static void test_an_invalid_block_and_its_children(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 2, NULL, INTERVAL, 0);
	grow(world, others, 4, NULL, INTERVAL, 1);
	say_all(world, 1, blocks, 2);
	world->invalid = others[2].block.ref.hash;
	say_all(world, 2, others, 4);
	assert_int_equal(world_faults(world, ENGINE_FAULT_INVALID), 2);
	assert_int_equal(world->tip, 2);
	assert_true(hash_equal(&world->chain[2], &others[1].block.ref.hash));
}

/* ---- fetching ---- */

static void as_header(struct forged *block)
{
	block->block.whole = false;
}

static void body(struct pow_world *world, size_t from, struct forged *block)
{
	struct pow_message message = {.kind = POW_BODY};
	const struct forged *list = block;
	block->block.whole = true;
	world_hear(world, from, &message, &list, 1);
}

static void test_a_body_is_asked_for_once(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 1, NULL, INTERVAL, 0);
	as_header(&blocks[0]);
	world_tip(world, 1, &blocks[0]);
	world_tip(world, 2, &blocks[0]);
	const struct sent *asked = world_last(world, POW_GETDATA, 1);
	assert_non_null(asked);
	assert_int_equal(asked->message.hashes_count, 1);
	assert_null(world_last(world, POW_GETDATA, 2));
	assert_int_equal(world->tip, 0);
	body(world, 1, &blocks[0]);
	assert_int_equal(world->tip, 1);
	/* Who said it has it; the others hear of it, by its header. */
	assert_null(world_last(world, POW_TIP, 1));
	assert_null(world_last(world, POW_TIP, 2));
	assert_true(world_last(world, POW_TIP, 3)->headers);
	assert_null(world_last(world, POW_BODY, 3));
	body(world, 1, &blocks[0]);
	assert_int_equal(world->pow->race.doubled, 1);
}

static void test_who_never_answers_is_passed_over(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 1, NULL, INTERVAL, 0);
	as_header(&blocks[0]);
	world_tip(world, 1, &blocks[0]);
	world_tip(world, 2, &blocks[0]);
	world_wait(world, POW_FETCH_MS);
	assert_int_equal(world_faults(world, ENGINE_FAULT_WITHHELD), 1);
	assert_non_null(world_last(world, POW_GETDATA, 2));
	world_wait(world, POW_FETCH_MS);
	assert_int_equal(world_faults(world, ENGINE_FAULT_WITHHELD), 2);
	/* Nobody gives it: another chain with less work is not hidden by it. */
	grow(world, others, 1, NULL, INTERVAL, 1);
	world_tip(world, 3, &others[0]);
	assert_int_equal(world->tip, 1);
	world_wait(world, POW_SHUN_MS);
	body(world, 2, &blocks[0]);
	assert_int_equal(world->tip, 1);
}

static void test_missing_parents_are_fetched(void **state)
{
	struct pow_world *world = *state;
	const struct forged *list[ENGINE_ATTACH_MAX];
	struct pow_message headers = {.kind = POW_HEADERS, .height = 20};
	grow(world, blocks, 20, NULL, INTERVAL, 0);
	world_tip(world, 1, &blocks[19]);
	const struct sent *seek = world_last(world, POW_SEEK, 1);
	assert_non_null(seek);
	assert_int_equal(seek->message.heights[0], 0);
	for (size_t i = 0; i < 16; i++)
		list[i] = &blocks[i];
	world_hear(world, 1, &headers, list, 16);
	assert_int_equal(world->tip, 16);
	seek = world_last(world, POW_SEEK, 1);
	assert_int_equal(seek->message.heights[0], 16);
	for (size_t i = 0; i < 4; i++)
		list[i] = &blocks[16 + i];
	world_hear(world, 1, &headers, list, 4);
	world_wait(world, 0);
	assert_int_equal(world->tip, 20);
}

static void test_what_is_asked_is_given(void **state)
{
	struct pow_world *world = *state;
	struct pow_message ask = {
		.kind = POW_GETDATA, .hashes_count = 2, .heights_count = 2};
	grow(world, blocks, 2, NULL, INTERVAL, 0);
	say_all(world, 1, blocks, 2);
	ask.hashes[0] = blocks[1].block.ref.hash;
	ask.heights[0] = 2;
	ask.hashes[1].bytes[0] = 99;
	ask.heights[1] = 7;
	world_hear(world, 3, &ask, NULL, 0);
	assert_int_equal(world_last(world, POW_BODY, 3)->blocks_from, 2);
	assert_int_equal(
		world_last(world, POW_ABSENT, 3)->message.heights[0], 7);
	assert_int_equal(world->pow->race.sent, 1);
	struct pow_message seek = {
		.kind = POW_SEEK, .hashes_count = 1, .heights_count = 1};
	seek.hashes[0] = NETWORK;
	world_hear(world, 3, &seek, NULL, 0);
	assert_int_equal(world_last(world, POW_HEADERS, 3)->block_count, 2);
	assert_true(world_last(world, POW_HEADERS, 3)->headers);
}

/* ---- bad company ---- */

static void test_parentless_blocks_for_ever(void **state)
{
	struct pow_world *world = *state;
	forge(world, &one, NULL, INTERVAL, 1, 0);
	for (unsigned i = 0; i < 3000; i++) {
		struct forged orphan;
		one.block.ref.hash.bytes[0] = (uint8_t)i;
		one.block.ref.hash.bytes[1] = (uint8_t)(i >> 8);
		forge_bits(
			&orphan, &one, WALL + 2000, 0x207fffff, 1, (uint8_t)i);
		world->now += 10;
		world_tip(world, 1, &orphan);
	}
	assert_true(world_faults(world, ENGINE_FAULT_PARENT) > 2000);
	assert_int_equal(pow_tree_of(world->pow)->count, 1);
	assert_true(world->sent_count < 100);
}

static void test_headers_of_no_work(void **state)
{
	struct pow_world *world = *state;
	static struct forged chain[2];
	world->now += 100000000;
	grow(world, blocks, 12, NULL, INTERVAL / 2, 0);
	say_all(world, 1, blocks, 12);
	assert_int_equal(world->tip, 12);
	/* 4,000 headers are more than a megabyte. */
	forge(world, &chain[0], NULL, 10 * INTERVAL, 2, 2);
	for (unsigned i = 0; i < 4000; i++) {
		as_header(&chain[i % 2]);
		world->now += 20;
		world_tip(world, 2, &chain[i % 2]);
		forge(world, &chain[(i + 1) % 2], &chain[i % 2], 10 * INTERVAL,
			2, 2);
	}
	assert_int_equal(world->tip, 12);
	assert_true(pow_tree_of(world->pow)->count <= POW_TREE_MAX);
	assert_true(hash_equal(&world->chain[12], &blocks[11].block.ref.hash));
}

static void test_an_announce_storm(void **state)
{
	struct pow_world *world = *state;
	grow(world, blocks, 1, NULL, INTERVAL, 0);
	for (unsigned i = 0; i < 10000; i++)
		world_tip(world, 1, &blocks[0]);
	assert_int_equal(world->tip, 1);
	assert_true(world_faults(world, ENGINE_FAULT_STORM) > 9000);
	assert_int_equal(world->fault_count, 1);
	assert_true(world->sent_count < 20);
}

static void test_words_that_are_none(void **state)
{
	struct pow_world *world = *state;
	struct event event = {.type = EVENT_RECEIVE};
	event.receive.from = pow_pair(1)->key;
	event.receive.message = view_text("\x95 hello");
	world_step(world, &event);
	struct pow_message empty = {.kind = POW_TIP}, odd = {.kind = 15};
	world_hear(world, 1, &empty, NULL, 0);
	world_hear(world, 1, &odd, NULL, 0);
	assert_int_equal(world_faults(world, ENGINE_FAULT_ENCODING), 3);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_forged_headers),
		TEST(test_another_genesis),
		TEST(test_work_wins_not_length),
		TEST(test_first_seen_on_a_tie),
		TEST(test_an_invalid_block_and_its_children),
		TEST(test_a_body_is_asked_for_once),
		TEST(test_who_never_answers_is_passed_over),
		TEST(test_missing_parents_are_fetched),
		TEST(test_what_is_asked_is_given),
		TEST(test_parentless_blocks_for_ever),
		TEST(test_headers_of_no_work),
		TEST(test_an_announce_storm),
		TEST(test_words_that_are_none),
	};

	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
