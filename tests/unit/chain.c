/* tests/unit/chain.c -- blocks that are built here and connected there: equal
 * results, and the way back.
 */
#include "site.h"

#include "base/random.h"

static void assert_same_moves(const struct moves *a, const struct moves *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct move *x = &a->items[i], *y = &b->items[i];

		assert_int_equal(x->from, y->from);
		assert_int_equal(x->to, y->to);
		assert_int_equal(x->cause, y->cause);
		assert_int_equal(x->tx_index, y->tx_index);
		assert_true(id_equal(
			&x->record.reservation, &y->record.reservation));
		assert_true(view_equal(x->record.pad, y->record.pad));
		assert_true(view_equal(x->record.pair, y->record.pair));
	}
}

static void test_header(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct block_body *body = malloc(sizeof(*body));
	struct site site;

	(void)unused;
	site_open(&site, genesis, &state_limits_small);
	struct chain_tip tip = chain_tip(site.chain);
	assert_int_equal(tip.height, 0);
	assert_true(hash_equal(&tip.hash, &genesis->network));
	assert_int_equal(tip.time, T0);

	paper_begin(paper, ALICE, 1, T0 + MINUTE, TX_MODE_ALL);
	paper_reservation(paper, "east");
	assert_int_equal(pool_put(&site, paper, ALICE, genesis), ERR_OK);
	/* A clock behind the parent's time is raised. */
	struct block_ref block = build(&site, T0 - HOUR, false);
	assert_int_equal(block.header.time, T0 + 1);
	assert_int_equal(block.header.height, 1);
	assert_int_equal(block.header.chain, 0);
	assert_true(hash_equal(&block.header.parent, &genesis->network));
	assert_int_equal(block.header.engine.size, 2);
	struct hash root = root_of(&site);
	assert_true(hash_equal(&block.header.state_root, &root));
	assert_int_equal(block_verify(&block, &genesis->network), ERR_OK);
	assert_int_equal(block_body_open(body, &block), ERR_OK);
	assert_int_equal(body->decoded.txs_count, 1);
	struct hash txs = block_items_root(body->decoded.txs, 1);
	assert_true(hash_equal(&block.header.tx_root, &txs));
	tip = chain_tip(site.chain);
	assert_true(hash_equal(&tip.hash, &block.hash));

	struct block_ref next = build(&site, T0 + HOUR, false);
	assert_true(hash_equal(&next.header.parent, &block.hash));
	assert_int_equal(next.header.time, T0 + HOUR);
	site_close(&site);
	free(body);
	free(paper);
	free(genesis);
}

static void test_full_table(void **unused)
{
	struct state_limits limits = state_limits_small;
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct site site;

	(void)unused;
	limits.seen_max = 2;
	site_open(&site, genesis, &limits);
	for (uint64_t i = 1; i <= 3; i++) {
		paper_begin(
			paper, ALICE, i, T0 + MINUTE + (time_ms)i, TX_MODE_ALL);
		paper_reservation(paper, "east");
		assert_int_equal(
			pool_put(&site, paper, ALICE, genesis), ERR_OK);
	}
	build(&site, T0 + 1, false);
	assert_int_equal(site.moves->count, 2);
	/* The third waits, the first two go when they are met again. */
	build(&site, T0 + 2, false);
	assert_int_equal(site.moves->count, 0);
	assert_int_equal(mempool_count(site.pool), 1);
	site_close(&site);
	free(paper);
	free(genesis);
}

/* Transactions that never will be in a block leave the pool. */
static void test_useless(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct site site;

	(void)unused;
	site_open(&site, genesis, &state_limits_small);
	time_ms untils[] = {T0 + 100, T0 + MINUTE, T0 + 2 * HOUR};
	for (uint64_t i = 0; i < 3; i++) {
		paper_begin(paper, ALICE, i, untils[i], TX_MODE_ALL);
		paper_reservation(paper, "east");
		assert_int_equal(
			pool_put(&site, paper, ALICE, genesis), ERR_OK);
	}
	build(&site, T0 + 100, false);
	assert_int_equal(site.moves->count, 1);
	assert_int_equal(mempool_count(site.pool), 1);
	/* The one in the block stays until it is met again: not lost when
	 * the block is. */
	chain_disconnect(site.chain, 0);
	build(&site, T0 + 50, false);
	assert_int_equal(site.moves->count, 1);
	build(&site, T0 + 51, false);
	assert_int_equal(site.moves->count, 0);
	assert_int_equal(mempool_count(site.pool), 0);
	site_close(&site);
	free(paper);
	free(genesis);
}

static size_t txs_in(const struct block_ref *block)
{
	static struct block_body body;

	assert_int_equal(block_body_open(&body, block), ERR_OK);
	return body.decoded.txs_count;
}

/* A change of nodes goes alone, and waits while another one is under way. */
static void test_change_alone(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct site site, other;

	(void)unused;
	site_open(&site, genesis, &state_limits_small);
	site_open(&other, genesis, &state_limits_small);
	for (uint64_t i = 0; i < 4; i++) {
		enum who who = i == 1 ? AUTHORITY : ALICE;
		paper_begin(paper, who, i, T0 + MINUTE, TX_MODE_ALL);
		if (i == 0 || i == 3)
			paper_reservation(paper, "east");
		else /* ALICE may not, and so need not be alone */
			paper_set_node(paper, 9, "ten", 1);
		assert_int_equal(pool_put(&site, paper, who, genesis), ERR_OK);
	}
	struct block_ref block = build(&site, T0 + 1, true);
	assert_int_equal(txs_in(&block), 3);
	assert_int_equal(chain_connect(other.chain, &block, NULL), ERR_OK);
	assert_int_equal(state_node_count(site.home.state), NODES);
	block = build(&site, T0 + 2, false);
	assert_int_equal(txs_in(&block), 0);
	assert_int_equal(chain_connect(other.chain, &block, NULL), ERR_OK);
	block = build(&site, T0 + 3, true);
	assert_int_equal(txs_in(&block), 1);
	assert_int_equal(chain_connect(other.chain, &block, NULL), ERR_OK);
	assert_int_equal(state_node_count(other.home.state), NODES + 1);
	/* What waits behind it does not go with it. */
	for (uint64_t i = 4; i < 6; i++) {
		enum who who = i == 4 ? AUTHORITY : ALICE;
		paper_begin(paper, who, i, T0 + MINUTE, TX_MODE_ALL);
		if (who == AUTHORITY)
			paper_set_node(paper, 9, "ten", 0);
		else
			paper_reservation(paper, "east");
		assert_int_equal(pool_put(&site, paper, who, genesis), ERR_OK);
	}
	block = build(&site, T0 + 4, true);
	assert_int_equal(txs_in(&block), 1);
	assert_int_equal(chain_connect(other.chain, &block, NULL), ERR_OK);
	assert_int_equal(state_node_count(other.home.state), NODES);
	assert_same(&site, &other);
	site_close(&site);
	site_close(&other);
	free(paper);
	free(genesis);
}

/* Blocks stay within their limits, and nothing in the pool is passed over. */
static void test_limits(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct site site, other;
	size_t blocks = 0, txs = 0, most = 0;

	(void)unused;
	site_open(&site, genesis, &state_limits_small);
	site_open(&other, genesis, &state_limits_small);
	for (uint64_t i = 0; i < 400; i++) {
		/* Small ones, and some of 64 refusals with details. */
		int ops = i % 40 == 39 ? 64 : 1;
		paper_begin(paper, BOB, i, T0 + MINUTE, TX_MODE_EACH);
		for (int k = 0; k < ops; k++)
			paper_reserve(paper, "north", "a", T0 + HOUR,
				T0 + 2 * HOUR, "", 0, 0);
		assert_int_equal(pool_put(&site, paper, BOB, genesis), ERR_OK);
	}
	while (mempool_count(site.pool) > 0) {
		struct block_ref block =
			build(&site, T0 + 1 + (time_ms)blocks, false);
		assert_int_equal(
			chain_connect(other.chain, &block, NULL), ERR_OK);
		assert_same(&site, &other);
		assert_true(block.bytes.size <= BLOCK_BYTES_MAX);
		if (block.bytes.size > most)
			most = block.bytes.size;
		txs += txs_in(&block);
		blocks++;
		assert_true(blocks < 40);
	}
	assert_int_equal(txs, 400);
	assert_true(most > BLOCK_BYTES_MAX / 2);
	site_close(&site);
	site_close(&other);
	free(paper);
	free(genesis);
}

static void disconnect_too_far(void *argument)
{
	struct site *site = argument;

	chain_disconnect(site->chain, chain_reach(site->chain) - 1);
}

static void test_reach(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct site site;

	(void)unused;
	site_open(&site, genesis, &state_limits_small);
	for (int i = 1; i <= 2000; i++)
		build(&site, T0 + i, false);
	assert_int_equal(chain_reach(site.chain), 2000 - 1024);
	chain_final(site.chain, 1990);
	assert_int_equal(chain_reach(site.chain), 1990);
	assert_true(unit_aborts(disconnect_too_far, &site));
	chain_disconnect(site.chain, 1990);
	assert_int_equal(chain_tip(site.chain).height, 1990);
	assert_int_equal(chain_reach(site.chain), 1990);
	site_close(&site);

	/* A small journal forgets sooner. */
	home_open(&site.home, genesis, &state_limits_small, 1 << 15);
	site.chain = chain_init(
		calloc(1, chain_bytes()), site.home.state, genesis, 0);
	size_t size = mempool_bytes(64, 1 << 16);
	void *memory = aligned_alloc(64, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	site.pool = mempool_init(memory, 64, 1 << 16);
	site.moves = calloc(1, sizeof(*site.moves));
	site.block = malloc(BLOCK_BYTES_MAX);
	for (int i = 1; i <= 2000; i++)
		build(&site, T0 + i, false);
	uint64_t reach = chain_reach(site.chain);
	assert_true(reach > 2000 - 1024 && reach < 2000);
	chain_disconnect(site.chain, reach);
	assert_int_equal(chain_tip(site.chain).height, reach);
	assert_int_equal(state_height(site.home.state), reach);
	site_close(&site);
	free(genesis);
}

/* ---- what one block can change at most ---- */

enum { FLIGHTS = 2000 };

/* Pairs from one pad to another, as many as a group holds. */
static void reserve_flights(struct site *site, struct paper *paper,
	const struct genesis *genesis, struct id ids[FLIGHTS])
{
	for (uint64_t i = 0; i < FLIGHTS; i++) {
		time_ms at = T0 + HOUR + (time_ms)i * 5 * MINUTE;

		if (i % 32 == 0)
			paper_begin(
				paper, ALICE, i, T0 + 4 * MINUTE, TX_MODE_ALL);
		uint64_t pair = i % 32 + 1;
		paper_reserve(paper, "east", "c", at, at + MINUTE, "", pair,
			MOVEMENT_DEPARTURE);
		paper_reserve(paper, "west", "b", at + MINUTE, at + 2 * MINUTE,
			"", pair, MOVEMENT_ARRIVAL);
		if (i % 32 != 31 && i != FLIGHTS - 1)
			continue;
		assert_int_equal(pool_put(site, paper, ALICE, genesis), ERR_OK);
		build(site, T0 + 1, false);
		for (size_t k = 0; k < site->moves->count; k += 2)
			ids[i / 32 * 32 + k / 2] =
				site->moves->items[k].record.reservation;
		assert_int_equal(site->moves->count, paper->tx.ops_count);
	}
}

/* Nothing but cancels from the middle of full groups, each of a whole pair,
 * and everything that time may do in one block. */
static void test_journal(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct id *ids = calloc(FLIGHTS, sizeof(*ids));
	struct site site;
	uint64_t number = FLIGHTS;

	(void)unused;
	genesis->parties[0].quota = 3 * FLIGHTS;
	site_open(&site, genesis, &state_limits_default);
	reserve_flights(&site, paper, genesis, ids);
	assert_int_equal(state_live_count(site.home.state), 2 * FLIGHTS);

	uint64_t height = chain_tip(site.chain).height;
	arena_mark mark = arena_now(&site.home.arena);
	build(&site, T0 + 24 * 30 * HOUR, false);
	uint64_t by_time = arena_now(&site.home.arena) - mark;
	assert_int_equal(site.moves->count, MOVES_MAX);
	chain_disconnect(site.chain, height);

	for (size_t i = 0; i < 25 * 64; i++) {
		if (i % 64 == 0)
			paper_begin(paper, ALICE, ++number, T0 + 4 * MINUTE,
				TX_MODE_EACH);
		size_t step = i / 2 + 1;
		size_t flight =
			FLIGHTS / 2 + (i % 2 ? step - 1 : (size_t)0 - step);
		paper_cancel(paper, &ids[flight]);
		if (i % 64 == 63)
			assert_int_equal(
				pool_put(&site, paper, ALICE, genesis), ERR_OK);
	}
	mark = arena_now(&site.home.arena);
	struct block_ref block = build(&site, T0 + 1, false);
	uint64_t by_cancel = arena_now(&site.home.arena) - mark;
	assert_true(block.bytes.size > BLOCK_BYTES_MAX * 9 / 10);
	assert_true(site.moves->count > MOVES_MAX / 2);
	printf("journal: %llu bytes by time, %llu by %zu moves\n",
		(unsigned long long)by_time, (unsigned long long)by_cancel,
		site.moves->count + site.moves->lost);
	assert_true(by_time + by_cancel < CHAIN_JOURNAL_BYTES_MIN);
	site_close(&site);
	free(ids);
	free(paper);
	free(genesis);
}

/* ---- a walk ---- */

enum { WALK_BLOCKS_MAX = 600 };

static void write_random(struct random *random, struct paper *paper,
	time_ms now, const struct moves *moves)
{
	static const char *const ports[] = {"east", "north", "west"};
	static const char *const pads[] = {"a", "b", "c"};
	size_t ops = 1 + random_below(random, 3);

	for (size_t i = 0; i < ops; i++) {
		time_ms start =
			now + (time_ms)random_below(random, 90) * MINUTE;
		struct id id = {{0}};
		uint64_t version = 1;

		if (moves->count > 0) {
			const struct move *move = &moves->items[random_below(
				random, moves->count)];
			id = move->record.reservation;
			version = move->record.version;
		}
		switch (random_below(random, 5)) {
		case 0:
			paper_cancel(paper, &id);
			break;
		case 1:
			paper_amend(paper, &id, version,
				pads[random_below(random, 3)], start,
				start + 10 * MINUTE);
			break;
		case 2:
			paper_reservation(
				paper, ports[random_below(random, 3)]);
			break;
		default:
			paper_reserve(paper, ports[random_below(random, 3)],
				pads[random_below(random, 3)], start,
				start + 5 * MINUTE, "", 0, 0);
		}
	}
}

/* A builder and a follower; now and then both go back, and once the follower
 * takes the other branch. Roots at every height are what they were. */
static void test_walk(void **unused)
{
	struct genesis *genesis = genesis_new();
	struct paper *paper = malloc(sizeof(*paper));
	struct hash *roots = calloc(WALK_BLOCKS_MAX + 1, sizeof(*roots));
	struct site maker, checker;
	struct random random;
	uint64_t number = 0;

	(void)unused;
	random_seed(&random, test_seed("chain walk"));
	site_open(&maker, genesis, &state_limits_small);
	site_open(&checker, genesis, &state_limits_small);
	roots[0] = root_of(&maker);
	for (int step = 0; step < WALK_BLOCKS_MAX; step++) {
		struct chain_tip tip = chain_tip(maker.chain);
		time_ms now =
			tip.time + 1 + (time_ms)random_below(&random, MINUTE);
		uint64_t txs = random_below(&random, 8);

		for (uint64_t i = 0; i < txs; i++) {
			enum who who = random_below(&random, 3);
			paper_begin(paper, who, ++number,
				now + 1 +
					(time_ms)random_below(
						&random, TX_VALID_MS_MAX),
				random_below(&random, 2));
			write_random(&random, paper, now, maker.moves);
			assert_int_equal(
				pool_put(&maker, paper, who, genesis), ERR_OK);
		}
		struct block_ref block = build(&maker, now, true);
		checker.moves->count = 0;
		assert_int_equal(
			chain_connect(checker.chain, &block, checker.moves),
			ERR_OK);
		assert_same(&maker, &checker);
		assert_same_moves(maker.moves, checker.moves);
		tip = chain_tip(maker.chain);
		roots[tip.height] = root_of(&maker);
		if (random_chance(&random, 100)) {
			uint64_t back = random_below(&random, 5);
			if (back > tip.height)
				back = tip.height;
			chain_disconnect(maker.chain, tip.height - back);
			chain_disconnect(checker.chain, tip.height - back);
			assert_same(&maker, &checker);
			struct hash root = root_of(&maker);
			assert_true(
				hash_equal(&root, &roots[tip.height - back]));
		}
	}
	assert_true(state_live_count(maker.home.state) > 0);
	site_close(&maker);
	site_close(&checker);
	free(roots);
	free(paper);
	free(genesis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_useless),
		cmocka_unit_test(test_change_alone),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
