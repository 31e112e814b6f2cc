/* tests/bench/load.c -- transactions at a rate, or as many at a time as asked,
 * and how long each took from the call to "final".
 *
 * The genesis names its ports p0, p1 ... and their pads a, b ...; windows are
 * dealt out one after another, and every third asks for a window that is taken
 * when --conflicts is given. Prints one JSON line.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <perch/client.h>

#include "base/check.h"
#include "clock/clock.h"

enum { LATENCIES_MAX = 4000000, FLIGHT_MAX = 16384 };

static struct options {
	const char *genesis, *key, *name;
	unsigned flight, ports, pads, ops, conflicts, nodes, seed;
	double rate, seconds;
} options = {
	.name = "load",
	.flight = 1,
	.ports = 20,
	.pads = 4,
	.ops = 1,
	.nodes = 64,
	.seconds = 5,
};

static const struct argp_option argp_options[] = {
	{"genesis", 'g', "FILE", 0, "the network", 0},
	{"key", 'k', "FILE", 0, "the operator's key", 0},
	{"name", 'n', "NAME", 0, "of this measurement", 0},
	{"flight", 'f', "N", 0, "transactions under way at most", 0},
	{"rate", 'r', "TX/S", 0, "sent a second; 0: as fast as answered", 0},
	{"seconds", 's', "S", 0, "how long", 0},
	{"ops", 'o', "N", 0, "reservations a transaction", 0},
	{"ports", 'p', "N", 0, "of the genesis", 0},
	{"pads", 'a', "N", 0, "of each port", 0},
	{"conflicts", 'c', NULL, 0, "every third window is taken", 0},
	{"nodes", 'N', "N", 0, "ask only the first N nodes", 0},
	{"seed", 'S', "N", 0, "first window", 0},
	{0},
};

static error_t on_option(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'g':
		options.genesis = text;
		return 0;
	case 'k':
		options.key = text;
		return 0;
	case 'n':
		options.name = text;
		return 0;
	case 'f':
		options.flight = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'r':
		options.rate = strtod(text, NULL);
		return 0;
	case 's':
		options.seconds = strtod(text, NULL);
		return 0;
	case 'o':
		options.ops = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'p':
		options.ports = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'a':
		options.pads = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'c':
		options.conflicts = 1;
		return 0;
	case 'N':
		options.nodes = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'S':
		options.seed = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case ARGP_KEY_END:
		if (options.genesis == NULL || options.key == NULL ||
			options.flight == 0 || options.flight > FLIGHT_MAX)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct flight {
	uint64_t request;
	uint64_t sent_us;
};

struct load {
	struct perch *client;
	uint64_t next_window;
	int64_t epoch; /* start of window 0 */
	struct flight flights[FLIGHT_MAX];
	size_t in_flight;
	uint64_t sent, granted, refused, lost, ops_granted;
	uint32_t *latencies; /* us */
	size_t latency_count;
};

/* Windows of 30 s, a minute apart, dealt to pads in turn. */
static void window(const struct load *load, uint64_t number, char port[16],
	char pad[4], int64_t *start)
{
	unsigned pads = options.ports * options.pads;
	unsigned place = (unsigned)(number % pads);
	snprintf(port, 16, "p%u", place / options.pads);
	snprintf(pad, 4, "%c", (char)('a' + place % options.pads));
	*start = load->epoch + (int64_t)(number / pads) * 60000;
}

static void send_one(struct load *load)
{
	struct perch_tx tx;
	perch_tx_start(&tx, PERCH_EACH);
	for (unsigned i = 0; i < options.ops; i++) {
		char port[16], pad[4];
		int64_t start;
		uint64_t number = load->next_window++;
		if (options.conflicts && number % 3 == 2)
			number -= 1;
		window(load, number, port, pad, &start);
		struct perch_reserve reserve = {
			.port = port,
			.pad = pad,
			.start = start,
			.end = start + 30000,
		};
		enum perch_err err = perch_tx_reserve(&tx, &reserve);
		CHECK(err == PERCH_OK);
	}
	struct flight *flight = &load->flights[load->in_flight];
	flight->sent_us = clock_monotonic_us();
	enum perch_err err =
		perch_submit(load->client, &tx, PERCH_FINAL, &flight->request);
	CHECK(err == PERCH_OK);
	load->in_flight++;
	load->sent++;
}

static void take_fate(struct load *load, const struct perch_event *event)
{
	size_t i = 0;
	while (i < load->in_flight &&
		load->flights[i].request != event->request)
		i++;
	if (i == load->in_flight)
		return;
	uint64_t took = clock_monotonic_us() - load->flights[i].sent_us;
	load->flights[i] = load->flights[--load->in_flight];
	const struct perch_fate *fate = event->fate;
	if (event->type != PERCH_EVENT_FATE || fate->status != PERCH_FINAL) {
		load->lost++;
		return;
	}
	if (load->latency_count < LATENCIES_MAX)
		load->latencies[load->latency_count++] = (uint32_t)took;
	uint64_t granted = 0;
	for (size_t op = 0; op < fate->op_count; op++)
		granted += fate->ops[op].code == 0;
	load->ops_granted += granted;
	if (granted > 0)
		load->granted++;
	else
		load->refused++;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void report(struct load *load, double seconds)
{
	size_t count = load->latency_count;
	qsort(load->latencies, count, sizeof(load->latencies[0]), by_value);
	double ms[3] = {0};
	if (count > 0) {
		ms[0] = load->latencies[count / 2] / 1000.0;
		ms[1] = load->latencies[count * 99 / 100] / 1000.0;
		ms[2] = load->latencies[count - 1] / 1000.0;
	}
	printf("{\"name\":\"%s\",\"seconds\":%.2f,\"sent\":%" PRIu64
	       ",\"granted\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"lost\":%" PRIu64 ",\"tx_per_second\":%.0f,"
	       "\"reservations_per_second\":%.0f,\"p50_ms\":%.2f,"
	       "\"p99_ms\":%.2f,\"max_ms\":%.2f}\n",
		options.name, seconds, load->sent, load->granted, load->refused,
		load->lost, (double)count / seconds,
		(double)load->ops_granted / seconds, ms[0], ms[1], ms[2]);
}

static void run(struct load *load)
{
	uint64_t start = clock_monotonic_us();
	uint64_t end = start + (uint64_t)(options.seconds * 1e6);
	uint64_t now = start;
	while (now < end || load->in_flight > 0) {
		struct perch_event event;
		uint64_t due = options.rate > 0
				       ? (uint64_t)((double)(now - start) /
						    1e6 * options.rate) +
						 1
				       : UINT64_MAX;
		while (now < end && load->in_flight < options.flight &&
			load->sent < due) {
			send_one(load);
			now = clock_monotonic_us();
		}
		if (perch_next(load->client, &event, 1) && event.request != 0)
			take_fate(load, &event);
		while (perch_next(load->client, &event, 0)) {
			if (event.request != 0)
				take_fate(load, &event);
		}
		now = clock_monotonic_us();
		if (now > end + 15000000)
			break;
	}
	report(load, (double)(now - start) / 1e6);
}

/* A first transaction, unmeasured: links are up then. */
static void warm_up(struct load *load)
{
	struct perch_event event;
	for (int i = 0; i < 20; i++) {
		send_one(load);
		do
			CHECK(perch_next(load->client, &event, 20000));
		while (event.type != PERCH_EVENT_FATE);
		take_fate(load, &event);
	}
	load->sent = load->granted = load->refused = load->lost = 0;
	load->ops_granted = 0;
	load->latency_count = 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = on_option,
		.doc = "Load for run/bench.sh.",
	};
	static struct load load;
	static struct perch_network network;
	uint8_t seed[32];
	char why[PERCH_WHY_MAX];
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (perch_genesis_read(options.genesis, &network, why) != PERCH_OK ||
		perch_key_read(options.key, NULL, seed, why) != PERCH_OK) {
		fprintf(stderr, "perch-load: %s\n", why);
		return 2;
	}
	struct perch_config config = {
		.network = network.id,
		.nodes = network.nodes,
		.node_count = network.node_count < options.nodes
				      ? network.node_count
				      : options.nodes,
		.seed = seed,
		.requests_max = options.flight + 1,
		.links_max = 5,
	};
	if (perch_open(&load.client, &config, why) != PERCH_OK) {
		fprintf(stderr, "perch-load: %s\n", why);
		return 2;
	}
	load.latencies = malloc(LATENCIES_MAX * sizeof(uint32_t));
	CHECK(load.latencies != NULL);
	load.next_window = options.seed;
	load.epoch = (perch_now() / 60000 + 10) * 60000;
	warm_up(&load);
	run(&load);
	perch_close(&load.client);
	free(load.latencies);
	return load.lost > 0;
}
