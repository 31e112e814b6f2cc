/* tests/bench/day.c -- a city's day, executed again from nothing.
 *
 *   perch-bench-day [hours]      24 of them: 1.15 million transactions
 *
 * 100 ports of 4 pads, 30 movements an hour on each pad, 8 transactions a
 * flight: reserved as a pair, then twice asked, cleared and told, and the pad
 * measured empty. A block each second is built at one place and connected at
 * another, which is what is timed: block by block, every signature verified,
 * roots and receipts compared. Prints JSON lines, one every tenth of the way:
 * {"txs", "granted", "blocks", "live", "ended", "verify_s", "connect_s",
 * "us_per_tx" (of both), "rss_mb"}. Times are of the processor, on one core;
 * nothing is read from a disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "contract/chain.h"
#include "gen/table.h"

enum {
	PORTS = 100,
	PADS = 4,
	ALL_PADS = PORTS * PADS,
	OPERATORS = 50,
	SLOT_S = 120,
	CYCLE_S = 2 * SLOT_S, /* a departure, then an arrival */
	AHEAD_S = 900,        /* that a flight is reserved before it leaves */
	JOURNAL = 64 << 20,
};
#define T0 INT64_C(1700000000000)

struct site {
	struct arena arena;
	struct state *state;
	struct chain *chain;
};

static struct genesis genesis;
static struct keypair proposer, operators[OPERATORS], controllers[PORTS];
static char names[PORTS][8];
static const char *const pads[PADS] = {"a", "b", "c", "d"};
static uint64_t number;

/* Of this process: others on this machine do not count. */
static uint64_t cpu_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static void add_party(struct keypair *pair, uint8_t role, uint8_t a, uint8_t b)
{
	uint8_t seed[32] = {a, b, 3};

	keypair_from_seed(pair, seed);
	genesis.parties[genesis.party_count++] = (struct record_party){
		.key = pair->key,
		.name = view_text("party"),
		.role = role,
		.quota = role == ROLE_OPERATOR ? 1000000 : 0,
		.up = 1,
	};
}

static void make_genesis(void)
{
	uint8_t seed[32] = {1};

	keypair_from_seed(&proposer, seed);
	genesis.time = T0;
	for (uint8_t i = 0; i < OPERATORS; i++)
		add_party(&operators[i], ROLE_OPERATOR, 1, i);
	for (uint8_t i = 0; i < PORTS; i++) {
		struct record_port *port = &genesis.ports[genesis.port_count++];

		add_party(&controllers[i], ROLE_CONTROLLER, 2, i);
		snprintf(names[i], sizeof(names[i]), "port%02d", i);
		port->name = view_text(names[i]);
		port->controller = controllers[i].key;
		port->duration = 100000;
		port->before = port->after = 10000;
		for (int k = 0; k < PADS; k++)
			port->pads[port->pads_count++] = (struct record_pad){
				.name = view_text(pads[k]),
				.group = view_text(pads[k]),
				.open = 1,
			};
	}
}

static void site_open(struct site *site)
{
	size_t size = state_bytes(&state_limits_default);
	void *memory = calloc(1, size + 64), *journal = malloc(JOURNAL);

	CHECK(memory != NULL && journal != NULL);
	arena_init(&site->arena, memory, size + 64, journal, JOURNAL);
	enum err err = state_init(
		&site->state, &site->arena, &state_limits_default, &genesis);
	CHECK(err == ERR_OK);
	void *chain = calloc(1, chain_bytes());
	CHECK(chain != NULL);
	site->chain = chain_init(chain, site->state, &genesis, 0);
}

/* ---- a flight ---- */

struct flight {
	int pad, landing; /* of all pads */
	int64_t leaves, lands;
	char aircraft[24];
	struct id ids[2];
	const struct keypair *operator_pair;
};

static int64_t stagger(int pad)
{
	return (int64_t)pad * SLOT_S / ALL_PADS;
}

/* The ids that its two halves get: of the transaction that reserves them. */
static void name_halves(struct flight *flight, const struct id *tx)
{
	for (uint8_t i = 0; i < 2; i++) {
		struct view parts[] = {
			view_text("perch/reservation"),
			view_of(&flight->operator_pair->key, KEY_SIZE),
			view_of(tx, ID_SIZE),
			view_of(&i, 1),
		};
		struct hash hash = hash_parts(parts, 4);
		memcpy(&flight->ids[i], &hash, ID_SIZE);
	}
}

/* Everything of a flight follows from its pad and when it leaves. */
static struct flight flight_of(int pad, int64_t leaves)
{
	struct flight flight = {
		.pad = pad,
		.landing = (pad + 17 * PADS) % ALL_PADS,
		.leaves = leaves,
		.operator_pair = &operators[pad % OPERATORS],
	};
	int64_t phase = stagger(flight.landing) + SLOT_S;
	int64_t late = (leaves + 480 - phase) % CYCLE_S;
	struct id tx = {{9}};

	flight.lands = leaves + 480 + (late == 0 ? 0 : CYCLE_S - late);
	snprintf(flight.aircraft, sizeof(flight.aircraft), "F%d-%lld", pad,
		(long long)(leaves % 100000000));
	memcpy(tx.bytes + 4, &pad, 4);
	memcpy(tx.bytes + 8, &leaves, 8);
	name_halves(&flight, &tx);
	return flight;
}

/* ---- its transactions ---- */

enum step { RESERVE, ASK, CLEAR, DEPART, ASK_2, CLEAR_2, LAND, VACATE, STEPS };

static time_ms ms(int64_t second)
{
	return T0 + second * 1000;
}

static size_t write_half(
	const struct flight *flight, bool lands, uint8_t out[1280])
{
	int pad = lands ? flight->landing : flight->pad;
	time_ms start = ms(lands ? flight->lands : flight->leaves);
	struct op_reserve op = {
		.port = view_text(names[pad / PADS]),
		.pad = view_text(pads[pad % PADS]),
		.start = (uint64_t)start,
		.end = (uint64_t)(start + 100000),
		.aircraft = view_text(flight->aircraft),
		.pair = 1,
		.movement = lands ? MOVEMENT_ARRIVAL : MOVEMENT_DEPARTURE,
	};

	return op_reserve_encode(out, 1280, &op);
}

static size_t write_clear(
	const struct flight *flight, bool lands, int64_t now, uint8_t out[1280])
{
	struct op_clear op = {
		.reservation = flight->ids[lands],
		.nonce = 1,
		.movement = lands ? MOVEMENT_ARRIVAL : MOVEMENT_DEPARTURE,
		.until = (uint64_t)ms(now + 60),
		.pad_state = lands ? 1 : 2,
		.on_pad = view_text(lands ? "" : flight->aircraft),
		.measured = (uint64_t)ms(now),
	};

	return op_clear_encode(out, 1280, &op);
}

static size_t write_fact(
	const struct flight *flight, enum step step, uint8_t out[1280])
{
	int pad = step == DEPART ? flight->pad : flight->landing;
	struct op_departed op = {
		.port = view_text(names[pad / PADS]),
		.pad = view_text(pads[pad % PADS]),
		.reservation = view_of(&flight->ids[step != DEPART], ID_SIZE),
		.aircraft = view_text(flight->aircraft),
	};
	struct op_landed landed = {
		op.port, op.pad, op.reservation, op.aircraft, 0};
	struct op_vacated vacated = {op.port, op.pad, 0};

	if (step == DEPART)
		return op_departed_encode(out, 1280, &op);
	return step == LAND ? op_landed_encode(out, 1280, &landed)
			    : op_vacated_encode(out, 1280, &vacated);
}

static size_t write_step(const struct flight *flight, enum step step,
	int64_t now, uint8_t out[1280], uint64_t *kind)
{
	static const uint64_t kinds[STEPS] = {OP_RESERVE, OP_REQUEST_CLEARANCE,
		OP_CLEAR, OP_DEPARTED, OP_REQUEST_CLEARANCE, OP_CLEAR,
		OP_LANDED, OP_VACATED};
	struct op_request_clearance ask = {
		.reservation = flight->ids[step == ASK_2], .nonce = 1};

	*kind = kinds[step];
	if (step == RESERVE)
		return write_half(flight, false, out);
	if (step == ASK || step == ASK_2)
		return op_request_clearance_encode(out, 1280, &ask);
	if (step == CLEAR || step == CLEAR_2)
		return write_clear(flight, step == CLEAR_2, now, out);
	return write_fact(flight, step, out);
}

static const struct keypair *signer(const struct flight *flight, enum step step)
{
	int pad =
		step == CLEAR || step == DEPART ? flight->pad : flight->landing;

	if (step == RESERVE || step == ASK || step == ASK_2)
		return flight->operator_pair;
	return &controllers[pad / PADS];
}

static void add_tx(struct mempool *pool, const struct flight *flight,
	enum step step, int64_t now)
{
	static uint8_t bodies[2][1280], out[TX_BYTES_MAX];
	static struct tx tx;
	const struct keypair *pair = signer(flight, step);
	struct tx_view view;
	uint64_t kind;
	size_t size = write_step(flight, step, now, bodies[0], &kind);

	CHECK(size > 0);
	memset(&tx, 0, sizeof(tx));
	tx.wallet = pair->key;
	tx.valid_until = (uint64_t)ms(now + 60);
	tx.ops[tx.ops_count++] =
		(struct op){.kind = kind, .body = view_of(bodies[0], size)};
	number++;
	memcpy(&tx.id, &number, sizeof(number));
	if (step == RESERVE) {
		tx.id = (struct id){{9}};
		memcpy(tx.id.bytes + 4, &flight->pad, 4);
		memcpy(tx.id.bytes + 8, &flight->leaves, 8);
		size = write_half(flight, true, bodies[1]);
		tx.ops[tx.ops_count++] = (struct op){
			.kind = kind, .body = view_of(bodies[1], size)};
	}
	size = tx_seal(out, &tx, pair, &genesis.network);
	enum err err = tx_open(&view, view_of(out, size));
	CHECK(err == ERR_OK);
	err = mempool_put(pool, &view, false);
	CHECK(err == ERR_OK);
}

/* What happens in this second. */
static void fill(struct mempool *pool, int64_t now)
{
	/* After leaving, or after the start of the landing. */
	static const int64_t after[STEPS] = {-AHEAD_S, 1, 2, 3, 1, 2, 3, 30};

	static int64_t flying[ALL_PADS]; /* from start to start */

	for (int pad = 0; flying[ALL_PADS - 1] == 0 && pad < ALL_PADS; pad++) {
		struct flight flight = flight_of(pad, stagger(pad));
		flying[pad] = flight.lands - flight.leaves;
	}
	for (int pad = 0; pad < ALL_PADS; pad++) {
		for (enum step step = RESERVE; step < STEPS; step++) {
			bool lands = step >= ASK_2;
			int64_t leaves = now - after[step];

			if (lands)
				leaves -= flying[pad];
			if (leaves < AHEAD_S ||
				(leaves - stagger(pad)) % CYCLE_S != 0)
				continue;
			struct flight flight = flight_of(pad, leaves);
			add_tx(pool, &flight, step, now);
		}
	}
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
		err = tx_verify(&tx, &genesis.network);
		CHECK(err == ERR_OK);
	}
}

static void one_second(struct site *maker, struct site *checker,
	struct mempool *pool, int64_t now, struct sum *sum)
{
	static uint8_t out[BLOCK_BYTES_MAX];
	struct chain_template template = {
		.now = ms(now),
		.proposer = &proposer,
		.txs_max = BLOCK_TXS_MAX,
	};
	struct block_ref block;

	fill(pool, now);
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

int main(int argc, char **argv)
{
	static struct site maker, checker;
	int64_t seconds =
		(argc > 1 ? strtol(argv[1], NULL, 10) : 24) * INT64_C(3600);
	size_t pool_size = mempool_bytes(1000, 1 << 20);
	struct sum sum = {0};

	crypto_start();
	make_genesis();
	site_open(&maker);
	site_open(&checker);
	void *memory = aligned_alloc(64, (pool_size + 63) / 64 * 64);
	CHECK(memory != NULL && seconds > 0);
	memset(memory, 0, pool_size);
	struct mempool *pool = mempool_init(memory, 1000, 1 << 20);
	for (int64_t now = 1; now <= seconds; now++) {
		one_second(&maker, &checker, pool, now, &sum);
		if (now % (seconds / 10) == 0)
			print(&sum, &checker);
	}
	return 0;
}
