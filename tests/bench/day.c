/* tests/bench/day.c -- a city's day, executed again from nothing.
 *
 *   perch-bench-day [--hours N] [--out DIR --port N]
 *
 * A block each second is built at one place and connected at another, which is
 * what is timed: block by block, every signature verified, roots and receipts
 * compared. Prints JSON lines, one every tenth of the way: {"txs", "granted",
 * "blocks", "live", "ended", "verify_s", "connect_s", "us_per_tx" (of both),
 * "rss_mb"}. Times are of the processor, on one core; nothing is read from a
 * disk. With --out the day is written for day.py, which times real programs.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "city.h"
#include "contract/chain.h"
#include "gen/table.h"

enum { JOURNAL = 64 << 20 };

struct site {
	struct arena arena;
	struct state *state;
	struct chain *chain;
};

static struct city *city;

static struct {
	int64_t hours;
	unsigned port;
	const char *out;
} options = {.hours = 24};

static const struct argp_option argp_options[] = {
	{"hours", 'h', "N", 0, "of the day; 24, if not given", 0},
	{"out", 'o', "DIR", 0, "only write it: genesis, keys and log", 0},
	{"port", 'p', "N", 0, "the nodes' first, in that genesis", 0},
	{0},
};

static error_t on_option(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'h':
		options.hours = strtol(text, NULL, 10);
		return 0;
	case 'o':
		options.out = text;
		return 0;
	case 'p':
		options.port = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case ARGP_KEY_END:
		if (options.hours < 1 ||
			(options.out != NULL && options.port == 0))
			argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Of this process: others on this machine do not count. */
static uint64_t cpu_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static void site_open(struct site *site)
{
	size_t size = state_bytes(&state_limits_default);
	void *memory = calloc(1, size + 64), *journal = malloc(JOURNAL);

	CHECK(memory != NULL && journal != NULL);
	arena_init(&site->arena, memory, size + 64, journal, JOURNAL);
	enum err err = state_init(&site->state, &site->arena,
		&state_limits_default, &city->genesis);
	CHECK(err == ERR_OK);
	void *chain = calloc(1, chain_bytes());
	CHECK(chain != NULL);
	site->chain = chain_init(chain, site->state, &city->genesis, 0);
}

/* ---- the day ---- */

struct sum {
	uint64_t txs, blocks, granted, reserved, verify_us, connect_us;
};

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

static void count(struct sum *sum, const struct block_ref *block)
{
	static struct block_body body;
	static struct receipt receipt;
	enum err err = block_body_open(&body, block);

	CHECK(err == ERR_OK);
	for (size_t i = 0; i < body.decoded.receipts_count; i++) {
		err = receipt_decode(&receipt, body.decoded.receipts[i]);
		CHECK(err == ERR_OK);
		sum->granted += receipt.code == 0 && receipt.ops[0].code == 0;
		sum->reserved += receipt.ops_count == 2 ? 2 : 0;
	}
	sum->txs += body.decoded.txs_count;
	sum->blocks++;
}

static void verify(const struct block_ref *block)
{
	static struct block_body body;
	struct tx_view tx;
	enum err err = block_body_open(&body, block);

	CHECK(err == ERR_OK);
	for (size_t i = 0; i < body.decoded.txs_count; i++) {
		err = tx_open(&tx, body.decoded.txs[i]);
		CHECK(err == ERR_OK);
		err = tx_verify(&tx, &city->genesis.network);
		CHECK(err == ERR_OK);
	}
}

static void one_second(struct site *maker, struct site *checker,
	struct mempool *pool, int64_t now, struct sum *sum)
{
	static uint8_t out[BLOCK_BYTES_MAX];
	struct chain_template template = {
		.now = city_time(now),
		.proposer = &city->nodes[0],
		.txs_max = BLOCK_TXS_MAX,
	};
	struct block_ref block;

	city_fill(pool, now);
	chain_build(maker->chain, pool, &template, out, &block, NULL);
	uint64_t start = cpu_us();
	verify(&block);
	uint64_t verified = cpu_us();
	enum err err = chain_connect(checker->chain, &block, NULL);
	sum->connect_us += cpu_us() - verified;
	sum->verify_us += verified - start;
	CHECK(err == ERR_OK);
	count(sum, &block);
	unpool(pool);
}

static long rss_mb(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	CHECK(file != NULL);
	char line[128] = "", *end = line;
	if (fgets(line, sizeof(line), file) != NULL)
		strtol(line, &end, 10);
	pages = strtol(end, NULL, 10);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void print(const struct sum *sum, const struct site *site)
{
	size_t live = state_live_count(site->state);

	printf("{\"txs\":%llu,\"granted\":%llu,\"blocks\":%llu,\"live\":%zu,"
	       "\"ended\":%llu,\"verify_s\":%.1f,\"connect_s\":%.1f,"
	       "\"us_per_tx\":%.2f,\"rss_mb\":%ld}\n",
		(unsigned long long)sum->txs, (unsigned long long)sum->granted,
		(unsigned long long)sum->blocks, live,
		(unsigned long long)(sum->reserved - live),
		(double)sum->verify_us / 1e6, (double)sum->connect_us / 1e6,
		(double)(sum->verify_us + sum->connect_us) / (double)sum->txs,
		rss_mb());
	fflush(stdout);
}

static void measure(int64_t seconds)
{
	static struct site maker, checker;
	size_t pool_size = mempool_bytes(1000, 1 << 20);
	struct sum sum = {0};

	site_open(&maker);
	site_open(&checker);
	void *memory = aligned_alloc(64, (pool_size + 63) / 64 * 64);
	CHECK(memory != NULL);
	memset(memory, 0, pool_size);
	struct mempool *pool = mempool_init(memory, 1000, 1 << 20);
	for (int64_t now = 1; now <= seconds; now++) {
		one_second(&maker, &checker, pool, now, &sum);
		if (now % (seconds / 10) == 0)
			print(&sum, &checker);
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = on_option,
		.doc = "A city's day: 1.15 million transactions.",
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	crypto_start();
	city = city_open();
	if (options.out != NULL)
		city_write(
			city, options.out, options.port, options.hours * 3600);
	else
		measure(options.hours * 3600);
	return 0;
}
