/* tests/unit/replica_mine.c -- what a replica asks of miners, and what becomes
 * of what they find: the one miner here is this test.
 */
#include "paper.h"

#include "consensus/pow/seal.h"
#include "consensus/pow/target.h"
#include "consensus/replica.h"
#include "contract/state.h"
#include "gen/peer.h"

enum { EASY_BITS = 0x207fffff /* every second hash */, TRIES = 1000 };

/* What the replica wants to be searched. */
struct wish {
	unsigned count; /* times that it wanted something else */
	uint64_t task;
	size_t size; /* of the header; 0: nothing */
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
	size_t field;
	uint32_t bits;
};

struct bench {
	struct genesis *genesis;
	void *memory;
	struct replica *replica;
	struct tick tick;
	struct wish wish;
	unsigned ordered, forwarded, replays;
	uint64_t replay_at;
	uint64_t saved; /* last task */
	time_ms timer_at;
	struct outputs out;
};

static void take(struct bench *bench, const struct output *output)
{
	switch (output->type) {
	case OUTPUT_MINE:
		bench->wish.count++;
		bench->wish.task = output->task;
		bench->wish.size = output->bytes.size;
		if (output->bytes.size > 0)
			memcpy(bench->wish.header, output->bytes.data,
				output->bytes.size);
		bench->wish.field = output->field;
		bench->wish.bits = output->bits;
		return;
	case OUTPUT_ORDERED:
		bench->ordered++;
		return;
	case OUTPUT_FORWARD:
		bench->forwarded++;
		return;
	case OUTPUT_SAVE:
		bench->saved = output->task;
		return;
	case OUTPUT_TIMER:
		bench->timer_at = output->at;
		return;
	case OUTPUT_REPLAY:
		bench->replays++;
		bench->replay_at = output->height;
		return;
	case OUTPUT_HALT:
	case OUTPUT_FAULT:
		fail_msg("halt or fault");
		return;
	case OUTPUT_SEND:
	case OUTPUT_FETCH:
	case OUTPUT_REVERTED:
	case OUTPUT_FINAL:
	case OUTPUT_SNAPSHOT:
	case OUTPUT_READY:
	case OUTPUT_MEMBERS:
	case OUTPUT_SIGN:
	case OUTPUT_CHECKPOINT:
	case OUTPUT_CERTIFIED:
	case OUTPUT_EVIDENCE:
		return;
	}
}

/* Carry out, and make durable at once what is to be saved. */
static void carry_out(struct bench *bench)
{
	uint64_t saved = bench->saved;
	for (size_t i = 0; i < bench->out.count; i++)
		take(bench, &bench->out.items[i]);
	assert_true(replica_holds(bench->replica));
	if (bench->saved == saved)
		return;
	replica_saved(bench->replica, &bench->tick, bench->saved, &bench->out);
	carry_out(bench);
}

static void open_with(struct bench *bench, enum replica_mine mine)
{
	struct replica_config config = {
		.engine = engine_find("pow"),
		.genesis = bench->genesis,
		.self = node_pair(0),
		.limits = replica_limits_small,
		.skew_ms = 10000,
		.mine = mine,
	};
	size_t size = replica_bytes(&config);
	free(bench->memory);
	bench->memory = aligned_alloc(64, (size + 63) / 64 * 64);
	assert_non_null(bench->memory);
	memset(bench->memory, 0, size);
	bench->wish = (struct wish){0};
	bench->ordered = bench->forwarded = bench->replays = 0;
	bench->saved = 0;
	bench->tick = (struct tick){.now = 1000, .wall = T0 + 1000};
	assert_int_equal(
		replica_init(&bench->replica, bench->memory, &config), ERR_OK);
	replica_start(
		bench->replica, &bench->tick, view_of(NULL, 0), &bench->out);
	carry_out(bench);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	bench->genesis = genesis_new();
	bench->genesis->pow = (struct pow_rules){
		.interval_ms = 1000,
		.bits = EASY_BITS,
		.retarget = POW_RETARGET_FIXED,
		.depth = 6,
	};
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	free(bench->memory);
	free(bench->genesis);
	free(bench);
	return 0;
}

static void pass(struct bench *bench, time_ms ms)
{
	bench->tick.now += ms;
	bench->tick.wall += ms;
	bench->tick.random++;
	replica_timer(bench->replica, &bench->tick, &bench->out);
	carry_out(bench);
}

/* A nonce for the wish, or (meets false) one that does not meet it. */
static uint32_t nonce_of(const struct wish *wish, uint64_t extra, bool meets)
{
	struct number target;
	uint8_t seal[SEAL_SIZE], bytes[32];
	uint32_t nonce, found;
	assert_true(wish->size > 0);
	assert_true(target_of_bits(&target, wish->bits));
	number_little(&target, bytes);
	pow_seal(seal, view_of(wish->header, wish->size), wish->field, extra);
	for (nonce = 0; nonce < TRIES; nonce++) {
		if (sha256d_search(seal, bytes, nonce, 1, &found) == meets)
			return nonce;
	}
	fail_msg("%d nonces and none", TRIES);
	return 0;
}

static bool answer(
	struct bench *bench, uint64_t task, uint64_t extra, uint32_t nonce)
{
	bool meets = replica_mined(
		bench->replica, &bench->tick, task, extra, nonce, &bench->out);
	carry_out(bench);
	return meets;
}

static uint64_t height(const struct bench *bench)
{
	return chain_tip(replica_chain(bench->replica)).height;
}

static void submit(struct bench *bench, uint64_t number)
{
	static uint8_t bytes[TX_BYTES_MAX];
	static struct paper paper;
	struct tx_view tx;
	paper_begin(&paper, ALICE, number, bench->tick.wall + MINUTE, 0);
	paper_reserve(&paper, "east", "a",
		T0 + HOUR + (time_ms)number * 10 * MINUTE,
		T0 + HOUR + (time_ms)number * 10 * MINUTE + 5 * MINUTE, "", 0,
		0);
	size_t size = tx_seal(
		bytes, &paper.tx, who_pair(ALICE), &bench->genesis->network);
	assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
	assert_int_equal(replica_submit(bench->replica, &bench->tick, &tx, true,
				 &bench->out),
		ERR_OK);
	carry_out(bench);
	replica_build(bench->replica, &bench->tick, &bench->out);
	carry_out(bench);
}

/* Each found nonce is a block, and the next one is wanted at once. */
static void test_blocks(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_ALWAYS);
	for (uint64_t i = 1; i <= 20; i++) {
		struct wish wish = bench->wish;
		assert_int_equal(wish.bits, EASY_BITS);
		assert_true(
			answer(bench, wish.task, i, nonce_of(&wish, i, true)));
		assert_int_equal(height(bench), i);
		assert_int_equal(bench->ordered, i);
		assert_true(bench->wish.task > wish.task);
		pass(bench, 1000);
	}
}

/* The work of a block is in its header, under its signature. */
static void test_header(void **state)
{
	struct bench *bench = *state;
	struct block_ref block;
	struct view bytes;
	open_with(bench, MINE_ALWAYS);
	uint32_t nonce = nonce_of(&bench->wish, 77, true);
	assert_true(answer(bench, bench->wish.task, 77, nonce));
	assert_true(replica_block(bench->replica, 1, &bytes));
	assert_int_equal(
		block_open(&block, bytes, &bench->genesis->network), ERR_OK);
	assert_int_equal(
		block_verify(&block, &bench->genesis->network), ERR_OK);
	struct pow_field field = pow_field_of(block.header.engine.data);
	assert_int_equal(field.bits, EASY_BITS);
	assert_int_equal(field.nonce, nonce);
	assert_int_equal(field.extra, 77);
	assert_true(pow_seal_meets(block.header_bytes,
		(size_t)(block.header.engine.data - block.header_bytes.data)));
}

/* One that is not below the target is said to be none and changes nothing; one
 * for what is not wanted any more neither. */
static void test_wrong(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_ALWAYS);
	struct wish wish = bench->wish;
	assert_false(answer(bench, wish.task, 5, nonce_of(&wish, 5, false)));
	assert_int_equal(height(bench), 0);
	assert_true(answer(bench, wish.task, 5, nonce_of(&wish, 5, true)));
	assert_int_equal(height(bench), 1);
	assert_true(answer(bench, wish.task, 6, nonce_of(&wish, 6, true)));
	assert_int_equal(height(bench), 1);
	assert_true(answer(bench, bench->wish.task + 1, 6, 0));
	assert_int_equal(height(bench), 1);
}

/* What came since is in the next template, but not in one each. */
static void test_fresh(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_ALWAYS);
	unsigned wishes = bench->wish.count;
	for (uint64_t i = 1; i <= 10; i++)
		submit(bench, i);
	assert_int_equal(bench->wish.count, wishes);
	assert_true(bench->timer_at <= bench->tick.now + 200);
	pass(bench, 200);
	assert_int_equal(bench->wish.count, wishes + 1);
	uint64_t extra = 3;
	assert_true(answer(bench, bench->wish.task, extra,
		nonce_of(&bench->wish, extra, true)));
	assert_int_equal(mempool_count(replica_mempool(bench->replica)), 0);
	struct replica_fate fate;
	for (uint64_t i = 1; i <= 10; i++) {
		struct id id = id_of(i);
		assert_true(replica_fate(
			bench->replica, &who_pair(ALICE)->key, &id, &fate));
		assert_int_equal(fate.height, 1);
	}
}

static void test_never(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_NEVER);
	submit(bench, 1);
	pass(bench, 5000);
	assert_int_equal(bench->wish.count, 0);
}

/* The other two voters sign this. */
static void sign(
	struct bench *bench, const struct checkpoint_statement *statement)
{
	for (int node = 1; node < NODES; node++) {
		struct signed_checkpoint said;
		uint8_t body[CHECKPOINT_BYTES_MAX];
		checkpoint_sign(&said, statement, node_pair(node),
			&bench->genesis->network);
		size_t size = checkpoint_seal(body, &said);
		assert_int_equal(replica_checkpoint(bench->replica,
					 &bench->tick, &node_pair(node)->key,
					 view_of(body, size), &bench->out),
			ERR_OK);
		carry_out(bench);
	}
}

static struct block_ref block_at(struct bench *bench, uint64_t at)
{
	struct block_ref block;
	struct view bytes;
	assert_true(replica_block(bench->replica, at, &bytes));
	assert_int_equal(
		block_open(&block, bytes, &bench->genesis->network), ERR_OK);
	return block;
}

static void sign_all(struct bench *bench, uint64_t at)
{
	struct block_ref block = block_at(bench, at);
	struct checkpoint_statement statement = checkpoint_of(&block);
	sign(bench, &statement);
}

/* Until what waits is in a block that is final, and no longer. */
static void test_demand(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_DEMAND);
	pass(bench, 5000);
	assert_int_equal(bench->wish.size, 0);
	submit(bench, 1);
	pass(bench, 1000);
	for (uint64_t i = 1; i <= 6; i++) {
		struct wish wish = bench->wish;
		assert_true(wish.size > 0);
		assert_true(
			answer(bench, wish.task, i, nonce_of(&wish, i, true)));
		assert_int_equal(height(bench), i);
		pass(bench, 1000);
	}
	assert_true(bench->wish.size > 0); /* nobody has signed */
	uint32_t wishes = bench->wish.count;
	sign_all(bench, 1);
	assert_int_equal(replica_final(bench->replica), 1);
	assert_int_equal(bench->wish.count, wishes + 1);
	assert_int_equal(bench->wish.size, 0);
	submit(bench, 2);
	pass(bench, 200);
	assert_true(bench->wish.size > 0);
}

/* ---- what cannot be undone ---- */

static void mine_until(struct bench *bench, uint64_t last)
{
	for (uint64_t i = height(bench) + 1; i <= last; i++) {
		struct wish wish = bench->wish;
		assert_true(
			answer(bench, wish.task, i, nonce_of(&wish, i, true)));
		pass(bench, 1000);
	}
	assert_int_equal(height(bench), last);
}

/* As if very much had changed: the journal forgets all that was before. */
static void fill_journal(struct bench *bench)
{
	struct arena *arena =
		state_arena(chain_state(replica_chain(bench->replica)));
	arena_mark before = arena_now(arena);
	while (arena_can_rollback(arena, before))
		arena_touch(arena, arena->memory, 1 << 16);
}

/* Node 1 answers with a block of another chain. */
static void hear_another(struct bench *bench, uint64_t at)
{
	static struct block body;
	uint8_t message[POW_MESSAGE_BYTES_MAX], head[BLOCK_HEADER_BYTES_MAX];
	uint8_t bytes[1024];
	struct block_ref block = block_at(bench, at);
	struct pow_message headers = {.kind = 2, .height = at};
	block.header.parent.bytes[0] ^= 1;
	size_t size = header_encode(head, sizeof(head), &block.header);
	body.header = view_of(head, size);
	body.signature = block.signature;
	size = block_encode(bytes, sizeof(bytes), &body);
	struct view blocks = view_of(bytes, size);
	size = pow_message_encode(message, sizeof(message), &headers);
	assert_int_equal(replica_receive(bench->replica, &bench->tick,
				 &node_pair(1)->key, view_of(message, size),
				 &blocks, 1, &bench->out),
		ERR_OK);
	for (size_t i = 0; i < bench->out.count; i++) {
		if (bench->out.items[i].type == OUTPUT_FAULT)
			bench->out.items[i].type = OUTPUT_READY;
	}
	carry_out(bench);
}

/* The others have signed a chain that leaves this one where its ledger cannot
 * go back to: it begins again from what is final, and nothing happens before.
 */
static void test_begins_again(void **state)
{
	struct bench *bench = *state;
	open_with(bench, MINE_ALWAYS);
	mine_until(bench, 9);
	sign_all(bench, 2);
	assert_int_equal(replica_final(bench->replica), 2);
	fill_journal(bench);
	mine_until(bench, 12);
	assert_int_equal(chain_reach(replica_chain(bench->replica)), 9);
	struct block_ref block = block_at(bench, 6);
	struct checkpoint_statement statement = checkpoint_of(&block);
	statement.hash.bytes[0] ^= 1;
	sign(bench, &statement);
	hear_another(bench, 10);
	assert_int_equal(bench->replays, 0);
	bench->tick.now += 10000;
	hear_another(bench, 10);
	assert_int_equal(bench->replays, 1);
	assert_int_equal(bench->replay_at, 2);
	unsigned wishes = bench->wish.count;
	pass(bench, 5000);
	assert_int_equal(bench->wish.count, wishes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks),
		TEST(test_header),
		TEST(test_wrong),
		TEST(test_fresh),
		TEST(test_never),
		TEST(test_demand),
		TEST(test_begins_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
