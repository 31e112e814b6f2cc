/* tests/bench/load.c -- transactions at a rate, or as many at a time as asked,
 * and how long each took from the call to "final".
 *
 * The genesis names its ports p0, p1 ... and their pads a, b ...; windows are
 * dealt out one after another, and every third asks for a window that is taken
 * when --conflicts is given. A ledger holds 65,536 live reservations and
 * refuses more: when --live of them live, the oldest are cancelled, as many in
 * a transaction as are reserved in one, or, with --fill, the run ends.
 *
 * Prints one JSON line. What is refused is no throughput: it is counted apart,
 * by its code, and its latency does not count.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <perch/client.h>

#include "base/check.h"
#include "clock/clock.h"

enum {
	LATENCIES_MAX = 4000000,
	FLIGHT_MAX = 16384,
	LIVE_MAX = 65536,    /* of a ledger */
	MINUTES_MAX = 40000, /* of windows; the horizon is 43,200 */
	FAILURES_MAX = 8,
};

static struct options {
	const char *genesis, *key, *name;
	unsigned flight, ports, pads, ops, conflicts, nodes, seed, live, fill;
	double rate, seconds;
} options = {
	.name = "load",
	.flight = 1,
	.ports = 20,
	.pads = 4,
	.ops = 1,
	.nodes = 64,
	.live = 60000,
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
	{"live", 'l', "N", 0, "reservations that live at most", 0},
	{"fill", 'F', NULL, 0, "end when as many live; cancel none", 0},
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
	case 'l':
		options.live = (unsigned)strtoul(text, NULL, 10);
		return 0;
	case 'F':
		options.fill = 1;
		return 0;
	case ARGP_KEY_END:
		/* Twice a transaction: one that reserves, one that cancels. */
		if (options.genesis == NULL || options.key == NULL ||
			options.flight == 0 || options.flight > FLIGHT_MAX ||
			options.ops == 0 || options.ops > PERCH_OPS_MAX ||
			options.live < 2 * options.ops ||
			options.live > LIVE_MAX)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct flight {
	uint64_t request;
	uint64_t sent_us;
	bool cancels;
	unsigned ops;
};

/* Answers that are no receipt, by their word. */
struct failure {
	char code[PERCH_NAME_MAX + 1];
	uint64_t count;
};

struct counts {
	uint64_t sent;
	uint64_t granted, cancels; /* transactions: every operation granted */
	uint64_t partly, refused;  /* some operations; none */
	uint64_t lost;             /* without a receipt */
	uint64_t ops_granted, ops_cancelled, ops_refused;
	uint64_t refused_by[UINT8_MAX + 1]; /* operations, by code */
	size_t failure_count;
	struct failure failures[FAILURES_MAX];
};

struct load {
	struct perch *client;
	uint64_t next_window;
	int64_t epoch; /* start of window 0 */
	struct flight flights[FLIGHT_MAX];
	size_t in_flight;
	/* Those that live, the oldest first, in a ring. */
	struct perch_id live[LIVE_MAX];
	size_t live_first, live_count;
	size_t ops_in_flight; /* may live, too */
	struct counts counts;
	uint32_t *latencies; /* us, of those all granted that reserve */
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

static int64_t next_epoch(void)
{
	return (perch_now() / 60000 + 10) * 60000;
}

/* Those of the first days are free again when the last ones are dealt. */
static uint64_t deal_window(struct load *load)
{
	uint64_t pads = (uint64_t)options.ports * options.pads;
	if (load->next_window >= pads * MINUTES_MAX) {
		load->next_window = 0;
		load->epoch = next_epoch();
	}
	return load->next_window++;
}

static void write_reserves(struct load *load, struct perch_tx *tx)
{
	for (unsigned i = 0; i < options.ops; i++) {
		char port[16], pad[4];
		int64_t start;
		uint64_t number = deal_window(load);
		if (options.conflicts && number % 3 == 2)
			number -= 1;
		window(load, number, port, pad, &start);
		struct perch_reserve reserve = {
			.port = port,
			.pad = pad,
			.start = start,
			.end = start + 30000,
		};
		enum perch_err err = perch_tx_reserve(tx, &reserve);
		CHECK(err == PERCH_OK);
	}
}

static void write_cancels(struct load *load, struct perch_tx *tx)
{
	for (unsigned i = 0; i < options.ops; i++) {
		enum perch_err err =
			perch_tx_cancel(tx, &load->live[load->live_first]);
		CHECK(err == PERCH_OK);
		load->live_first = (load->live_first + 1) % LIVE_MAX;
		load->live_count--;
	}
}

/* More may live if all in flight is granted. */
static bool has_room(const struct load *load)
{
	return load->live_count + load->ops_in_flight + options.ops <=
	       options.live;
}

static bool may_send(const struct load *load)
{
	return load->in_flight < options.flight &&
	       (has_room(load) ||
		       (!options.fill && load->live_count >= options.ops));
}

static void send_one(struct load *load)
{
	struct perch_tx tx;
	struct flight *flight = &load->flights[load->in_flight++];
	*flight = (struct flight){
		.cancels = !has_room(load),
		.ops = options.ops,
	};
	perch_tx_start(&tx, PERCH_EACH);
	if (flight->cancels)
		write_cancels(load, &tx);
	else
		write_reserves(load, &tx);
	flight->sent_us = clock_monotonic_us();
	enum perch_err err =
		perch_submit(load->client, &tx, PERCH_FINAL, &flight->request);
	CHECK(err == PERCH_OK);
	load->ops_in_flight += flight->ops;
	load->counts.sent++;
}

static void count_failure(
	struct counts *counts, const struct perch_failure *failure)
{
	const char *code = failure != NULL ? failure->code : "unanswered";
	struct failure *at = counts->failures;
	counts->lost++;
	while (at < counts->failures + counts->failure_count &&
		strcmp(at->code, code) != 0)
		at++;
	if (at == counts->failures + counts->failure_count) {
		if (counts->failure_count == FAILURES_MAX)
			return;
		counts->failure_count++;
		snprintf(at->code, sizeof(at->code), "%s", code);
	}
	at->count++;
}

/* How many of its operations were granted. */
static unsigned count_ops(struct load *load, const struct flight *flight,
	const struct perch_fate *fate)
{
	struct counts *counts = &load->counts;
	unsigned granted = 0;
	if (fate->code != 0)
		counts->refused_by[fate->code] += flight->ops;
	for (size_t i = 0; fate->code == 0 && i < fate->op_count; i++) {
		const struct perch_outcome *outcome = &fate->ops[i];
		if (outcome->code != 0) {
			counts->refused_by[outcome->code]++;
			continue;
		}
		granted++;
		if (flight->cancels)
			continue;
		CHECK(load->live_count < LIVE_MAX);
		load->live[(load->live_first + load->live_count++) % LIVE_MAX] =
			outcome->reservation;
	}
	counts->ops_refused += flight->ops - granted;
	if (flight->cancels)
		counts->ops_cancelled += granted;
	else
		counts->ops_granted += granted;
	return granted;
}

static void take_fate(struct load *load, const struct perch_event *event)
{
	struct counts *counts = &load->counts;
	size_t i = 0;
	while (i < load->in_flight &&
		load->flights[i].request != event->request)
		i++;
	if (i == load->in_flight)
		return;
	struct flight flight = load->flights[i];
	uint64_t took = clock_monotonic_us() - flight.sent_us;
	load->flights[i] = load->flights[--load->in_flight];
	load->ops_in_flight -= flight.ops;
	const struct perch_fate *fate = event->fate;
	if (event->type != PERCH_EVENT_FATE || fate->status != PERCH_FINAL) {
		count_failure(counts, event->failure);
		return;
	}
	unsigned granted = count_ops(load, &flight, fate);
	if (granted == 0)
		counts->refused++;
	else if (granted < flight.ops)
		counts->partly++;
	else if (flight.cancels)
		counts->cancels++;
	else
		counts->granted++;
	if (granted == flight.ops && !flight.cancels &&
		load->latency_count < LATENCIES_MAX)
		load->latencies[load->latency_count++] = (uint32_t)took;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void report_codes(const struct counts *counts)
{
	const char *comma = "";
	printf(",\"refused_by\":{");
	for (unsigned code = 0; code <= UINT8_MAX; code++) {
		if (counts->refused_by[code] == 0)
			continue;
		printf("%s\"%s\":%" PRIu64, comma,
			perch_refusal_name((uint8_t)code),
			counts->refused_by[code]);
		comma = ",";
	}
	printf("},\"lost_by\":{");
	for (size_t i = 0; i < counts->failure_count; i++)
		printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "",
			counts->failures[i].code, counts->failures[i].count);
	printf("}");
}

/* A transaction a second is one that is granted, all of it. */
static void report(struct load *load, double seconds)
{
	const struct counts *counts = &load->counts;
	size_t count = load->latency_count;
	qsort(load->latencies, count, sizeof(load->latencies[0]), by_value);
	double ms[3] = {0};
	if (count > 0) {
		ms[0] = load->latencies[count / 2] / 1000.0;
		ms[1] = load->latencies[count * 99 / 100] / 1000.0;
		ms[2] = load->latencies[count - 1] / 1000.0;
	}
	printf("{\"name\":\"%s\",\"seconds\":%.2f,\"sent\":%" PRIu64
	       ",\"granted\":%" PRIu64 ",\"cancels\":%" PRIu64
	       ",\"partly\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"lost\":%" PRIu64 ",\"ops_granted\":%" PRIu64
	       ",\"ops_cancelled\":%" PRIu64 ",\"ops_refused\":%" PRIu64,
		options.name, seconds, counts->sent, counts->granted,
		counts->cancels, counts->partly, counts->refused, counts->lost,
		counts->ops_granted, counts->ops_cancelled,
		counts->ops_refused);
	report_codes(counts);
	printf(",\"tx_per_second\":%.0f,\"reservations_per_second\":%.0f,"
	       "\"cancels_per_second\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
	       "\"max_ms\":%.2f}\n",
		(double)(counts->granted + counts->cancels) / seconds,
		(double)counts->ops_granted / seconds,
		(double)counts->ops_cancelled / seconds, ms[0], ms[1], ms[2]);
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
		if (options.fill && !has_room(load))
			end = now;
		while (now < end && may_send(load) && load->counts.sent < due) {
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
	for (; load->in_flight > 0; load->in_flight--)
		count_failure(&load->counts, NULL);
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
	load->counts = (struct counts){.sent = 0};
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
	load.epoch = next_epoch();
	warm_up(&load);
	run(&load);
	perch_close(&load.client);
	free(load.latencies);
	return load.counts.lost > 0;
}
