/* tests/bench/contract.c -- what a block costs the contract, roots included.
 *
 * 20 ports of 4 pads, 40,000 live reservations; then blocks of 200 and of one
 * transaction, and 64 operations in one, built from a pool and connected
 * elsewhere. Prints JSON lines: {"block", "txs", "ops", "live", "p50_us",
 * "p99_us", "us_per_op", "journal_per_op"}; signatures are made beforehand and
 * never checked here. Times are of the processor, so a busy machine inflates
 * them less than its clock would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/random.h"
#include "contract/chain.h"
#include "gen/table.h"

enum {
	PORTS = 20,
	PADS = 4,
	OPERATORS = 50,
	LIVE = 40000,
	JOURNAL = 64 << 20,
	SAMPLES = 300,
};
#define T0 INT64_C(1700000000000)
#define MINUTE INT64_C(60000)

struct site {
	struct arena arena;
	struct state *state;
	struct chain *chain;
};

static struct genesis genesis;
static struct keypair operators[OPERATORS], proposer;
static char names[PORTS][8];
static uint8_t out[BLOCK_BYTES_MAX];
static uint64_t number;

/* Of this process: others on this machine do not count. */
static uint64_t cpu_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static void make_genesis(void)
{
	static const char *const pads[PADS] = {"a", "b", "c", "d"};
	uint8_t seed[32] = {1};

	keypair_from_seed(&proposer, seed);
	genesis.time = T0;
	for (int i = 0; i < OPERATORS; i++) {
		seed[1] = (uint8_t)(i + 1);
		keypair_from_seed(&operators[i], seed);
		genesis.parties[genesis.party_count++] = (struct record_party){
			.key = operators[i].key,
			.name = view_text("operator"),
			.role = ROLE_OPERATOR,
			.quota = 1000000,
			.up = 1,
		};
	}
	for (int i = 0; i < PORTS; i++) {
		struct record_port *port = &genesis.ports[genesis.port_count++];
		snprintf(names[i], sizeof(names[i]), "port%02d", i);
		port->name = view_text(names[i]);
		port->duration = (uint64_t)(5 * MINUTE);
		port->before = port->after = 60000;
		for (int k = 0; k < PADS; k++)
			port->pads[port->pads_count++] = (struct record_pad){
				.name = view_text(pads[k]),
				.group = view_text(pads[k]),
				.open = 1,
			};
	}
}

static void *zeroed(size_t size)
{
	void *memory = aligned_alloc(64, (size + 63) / 64 * 64);

	CHECK(memory != NULL);
	memset(memory, 0, size);
	return memory;
}

static void site_open(struct site *site)
{
	size_t size = state_bytes(&state_limits_default);
	/* Not written beforehand: what is not used is not there. */
	void *memory = calloc(1, size + 64);

	arena_init(&site->arena, memory, size + 64, zeroed(JOURNAL), JOURNAL);
	enum err err = state_init(
		&site->state, &site->arena, &state_limits_default, &genesis);
	CHECK(err == ERR_OK);
	site->chain =
		chain_init(zeroed(chain_bytes()), site->state, &genesis, 0);
}

/* A transaction of ops reservations anywhere in the next 29 days. */
static void add_tx(
	struct random *random, struct mempool *pool, time_ms now, size_t ops)
{
	static uint8_t bodies[64][512], bytes[TX_BYTES_MAX];
	static struct tx tx;
	struct tx_view view;
	const struct keypair *who = &operators[random_below(random, OPERATORS)];

	memset(&tx, 0, sizeof(tx));
	tx.wallet = who->key;
	number++;
	memcpy(&tx.id, &number, sizeof(number));
	tx.valid_until = (uint64_t)(now + MINUTE);
	tx.mode = TX_MODE_EACH;
	for (size_t i = 0; i < ops; i++) {
		char serial[16],
			pad[2] = {(char)('a' + random_below(random, PADS)), 0};
		time_ms start =
			now + MINUTE +
			(time_ms)random_below(random, 29 * 24 * 60) * MINUTE;
		snprintf(serial, sizeof(serial), "JA%04u",
			(unsigned)random_below(random, 5000));
		struct op_reserve op = {
			.port = view_text(names[random_below(random, PORTS)]),
			.pad = view_text(pad),
			.start = (uint64_t)start,
			.end = (uint64_t)(start + 5 * MINUTE),
			.aircraft = view_text(serial),
		};
		size_t size = op_reserve_encode(bodies[i], 512, &op);
		CHECK(size > 0);
		tx.ops[tx.ops_count++] = (struct op){
			.kind = OP_RESERVE, .body = view_of(bodies[i], size)};
	}
	size_t size = tx_seal(bytes, &tx, who, &genesis.network);
	CHECK(size > 0);
	enum err err = tx_open(&view, view_of(bytes, size));
	CHECK(err == ERR_OK);
	err = mempool_put(pool, &view, false);
	CHECK(err == ERR_OK);
}

static void unpool(struct mempool *pool)
{
	struct mempool_item item;
	uint64_t cursor = 0;

	while (mempool_next(pool, &cursor, &item)) {
		struct key wallet = item.wallet;
		struct id id = item.id;
		mempool_remove(pool, &wallet, &id);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *what, uint64_t *samples, size_t txs, size_t ops,
	const struct site *site, uint64_t journal)
{
	qsort(samples, SAMPLES, sizeof(*samples), by_value);
	uint64_t middle = samples[SAMPLES / 2];
	printf("{\"block\":\"%s\",\"txs\":%zu,\"ops\":%zu,\"live\":%zu,"
	       "\"p50_us\":%llu,\"p99_us\":%llu,\"us_per_op\":%.2f,"
	       "\"journal_per_op\":%llu}\n",
		what, txs, txs * ops, state_live_count(site->state),
		(unsigned long long)middle,
		(unsigned long long)samples[SAMPLES * 99 / 100],
		(double)middle / (double)(txs * ops),
		(unsigned long long)(journal / SAMPLES / (txs * ops)));
	fflush(stdout);
}

/* Blocks of txs transactions of ops operations: build here, connect there, and
 * take both back, so that the number of live reservations stays. */
static void measure(struct random *random, struct site *maker,
	struct site *checker, struct mempool *pool, size_t txs, size_t ops)
{
	static uint64_t built[SAMPLES], connected[SAMPLES];
	struct chain_template template = {
		.proposer = &proposer, .txs_max = BLOCK_TXS_MAX};
	uint64_t journal = 0, height = chain_tip(maker->chain).height;

	for (int i = 0; i < SAMPLES; i++) {
		struct block_ref block;

		template.now = chain_tip(maker->chain).time + 1;
		for (size_t k = 0; k < txs; k++)
			add_tx(random, pool, template.now, ops);
		arena_mark mark = arena_now(&maker->arena);
		uint64_t start = cpu_us();
		chain_build(maker->chain, pool, &template, out, &block, NULL);
		uint64_t middle = cpu_us();
		enum err err = chain_connect(checker->chain, &block, NULL);
		uint64_t end = cpu_us();
		CHECK(err == ERR_OK);
		journal += arena_now(&maker->arena) - mark;
		built[i] = middle - start;
		connected[i] = end - middle;
		unpool(pool);
		chain_disconnect(maker->chain, height);
		chain_disconnect(checker->chain, height);
	}
	print("build", built, txs, ops, maker, journal);
	print("connect", connected, txs, ops, checker, journal);
}

/* Saving and loading a state as large as this. */
static void measure_snapshot(struct site *site, struct site *other)
{
	uint8_t *bytes = malloc(state_save_bytes(site->state));
	uint64_t start = cpu_us();
	CHECK(bytes != NULL);
	size_t size = state_save(site->state, bytes);
	uint64_t saved = cpu_us();
	struct hash root = state_root(site->state);
	enum err err =
		state_load(other->state, &genesis, view_of(bytes, size), &root);
	CHECK(err == ERR_OK);
	uint64_t loaded = cpu_us();
	printf("{\"snapshot_bytes\":%zu,\"save_us\":%llu,\"load_us\":%llu}\n",
		size, (unsigned long long)(saved - start),
		(unsigned long long)(loaded - saved));
	free(bytes);
}

int main(void)
{
	static struct site maker, checker;
	struct random random;
	struct mempool *pool;

	crypto_start();
	random_seed(&random, 1);
	make_genesis();
	site_open(&maker);
	site_open(&checker);
	pool = mempool_init(
		zeroed(mempool_bytes(1000, 1 << 20)), 1000, 1 << 20);
	while (state_live_count(maker.state) < LIVE) {
		struct chain_template template = {
			.now = chain_tip(maker.chain).time + 1,
			.proposer = &proposer,
			.txs_max = BLOCK_TXS_MAX,
		};
		struct block_ref block;

		for (int k = 0; k < 4; k++)
			add_tx(&random, pool, template.now, 64);
		chain_build(maker.chain, pool, &template, out, &block, NULL);
		enum err err = chain_connect(checker.chain, &block, NULL);
		CHECK(err == ERR_OK);
		unpool(pool);
	}
	measure(&random, &maker, &checker, pool, 200, 1);
	measure(&random, &maker, &checker, pool, 1, 1);
	measure(&random, &maker, &checker, pool, 4, 64);
	measure_snapshot(&maker, &checker);
	return 0;
}
