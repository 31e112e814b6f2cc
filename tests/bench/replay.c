/* tests/bench/replay.c -- a recorded workload, signed and sent at its times,
 * and a line for everything that its wallet was told.
 *
 * A line of the workload is "at wallet id port pad start length wait": when it
 * is sent (ms after the beginning), who signs, 32 hex digits, the slot (ms
 * after
 * --epoch), and the step that is waited for first. What was told below final is
 * asked for again until it is final. Prints "time,event,id,step,status,code,
 * height" (microseconds UTC): sent; told (step: what was asked for); undone,
 * and again (what became of it then); failed (no answer in time).
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <perch/client.h>

#include "base/check.h"
#include "clock/clock.h"

enum { ITEMS_MAX = 100000 };

struct item {
	int64_t at, start, length;
	struct perch_id id;
	char port[PERCH_NAME_MAX + 1], pad[PERCH_NAME_MAX + 1];
	enum perch_status wait; /* for which it was sent last */
	uint64_t request;       /* 0: not sent, or settled */
	uint64_t first;         /* that an `undone` names */
	uint8_t *bytes;         /* as signed */
	size_t size;
};

static struct {
	const char *genesis, *key, *workload, *wallet, *chain;
	int64_t epoch, begin, patience_s;
} options = {.chain = "ordered", .patience_s = 60};

static struct {
	struct perch *client;
	size_t count, next, open;
	struct item items[ITEMS_MAX];
	int64_t wall_us; /* to be added to the monotonic clock */
} replay;

static const struct argp_option argp_options[] = {
	{"genesis", 'g', "FILE", 0, "the network", 0},
	{"key", 'k', "FILE", 0, "of the wallet", 0},
	{"workload", 'w', "FILE", 0, "what is sent", 0},
	{"wallet", 'n', "NAME", 0, "whose lines of it", 0},
	{"chain", 'c', "NAME", 0, "ordered or pow", 0},
	{"epoch", 'e', "MS", 0, "UTC; slots are counted from here", 0},
	{"begin", 'b', "MS", 0, "UTC; lines are sent from here on", 0},
	{"patience", 'p', "S", 0, "after the last line", 0},
	{0},
};

static error_t on_option(int key, char *text, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case 'g':
		options.genesis = text;
		return 0;
	case 'k':
		options.key = text;
		return 0;
	case 'w':
		options.workload = text;
		return 0;
	case 'n':
		options.wallet = text;
		return 0;
	case 'c':
		options.chain = text;
		return 0;
	case 'e':
		options.epoch = strtoll(text, NULL, 10);
		return 0;
	case 'b':
		options.begin = strtoll(text, NULL, 10);
		return 0;
	case 'p':
		options.patience_s = strtoll(text, NULL, 10);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* ---- what is sent ---- */

static enum perch_status step_of(const char *word)
{
	for (int i = PERCH_RECEIVED; i <= PERCH_FINAL; i++) {
		if (strcmp(word, perch_status_name((enum perch_status)i)) == 0)
			return (enum perch_status)i;
	}
	fprintf(stderr, "perch-replay: %s is no step\n", word);
	exit(2);
}

static _Noreturn void refuse(const char *what)
{
	fprintf(stderr, "perch-replay: %s: %s\n", options.workload, what);
	exit(2);
}

static const char *word(char **rest)
{
	const char *found = strtok_r(NULL, " \n", rest);
	if (found == NULL)
		refuse("a line has eight words");
	return found;
}

static int64_t number(const char *text)
{
	char *end;
	int64_t value = strtoll(text, &end, 10);
	if (*text == '\0' || *end != '\0')
		refuse("a time is a whole number");
	return value;
}

/* A line of the workload; false: of another wallet. */
static bool read_item(char *line, struct item *out)
{
	char *rest;
	const char *at = strtok_r(line, " \n", &rest);
	*out = (struct item){.at = number(at == NULL ? "" : at)};
	if (strcmp(word(&rest), options.wallet) != 0)
		return false;
	if (perch_unhex(&out->id, sizeof(out->id), word(&rest)) != PERCH_OK)
		refuse("an id is 32 hexadecimal digits");
	snprintf(out->port, sizeof(out->port), "%s", word(&rest));
	snprintf(out->pad, sizeof(out->pad), "%s", word(&rest));
	out->start = number(word(&rest));
	out->length = number(word(&rest));
	out->wait = step_of(word(&rest));
	return true;
}

static void read_workload(void)
{
	char line[256];
	FILE *file = fopen(options.workload, "r");
	if (file == NULL)
		refuse("cannot be read");
	while (fgets(line, sizeof(line), file) != NULL) {
		if (replay.count == ITEMS_MAX)
			refuse("too many lines");
		if (read_item(line, &replay.items[replay.count]))
			replay.count++;
	}
	fclose(file);
}

static void say(const struct item *item, const char *event,
	enum perch_status status, const char *code, uint64_t height)
{
	char id[33];
	printf("%" PRId64 ",%s,%s,%s,%s,%s,%" PRIu64 "\n",
		(int64_t)clock_monotonic_us() + replay.wall_us, event,
		perch_hex(id, &item->id, sizeof(item->id)),
		perch_status_name(item->wait), perch_status_name(status), code,
		height);
}

static void ask(struct item *item)
{
	enum perch_err err = perch_submit_signed(replay.client, item->bytes,
		item->size, item->wait, &item->request);
	if (err == PERCH_OK)
		return;
	say(item, "failed", PERCH_UNKNOWN, perch_err_name(err), 0);
	item->request = 0;
	replay.open--;
}

static void send_item(struct item *item)
{
	struct perch_tx tx;
	struct perch_reserve reserve = {
		.port = item->port,
		.pad = item->pad,
		.start = options.epoch + item->start,
		.end = options.epoch + item->start + item->length,
	};
	uint8_t bytes[PERCH_TX_BYTES_MAX];
	perch_tx_start(&tx, PERCH_ALL);
	tx.id = item->id;
	CHECK(perch_tx_reserve(&tx, &reserve) == PERCH_OK);
	CHECK(perch_sign(replay.client, &tx, bytes, &item->size) == PERCH_OK);
	item->bytes = malloc(item->size);
	CHECK(item->bytes != NULL);
	memcpy(item->bytes, bytes, item->size);
	say(item, "sent", PERCH_UNKNOWN, "", 0);
	replay.open++;
	ask(item);
	item->first = item->request;
}

/* ---- what is told ---- */

static const char *code_of(const struct perch_fate *fate)
{
	if (!fate->has_receipt)
		return "";
	return perch_refusal_name(fate->code == 0 && fate->op_count > 0
					  ? fate->ops[0].code
					  : fate->code);
}

static void take_fate(struct item *item, const struct perch_event *event)
{
	const struct perch_fate *fate = event->fate;
	if (event->failure != NULL || fate->status == PERCH_UNKNOWN) {
		say(item, "failed", PERCH_UNKNOWN,
			event->failure != NULL ? event->failure->code
					       : "not_found",
			0);
		item->request = 0;
		replay.open--;
		return;
	}
	say(item, "told", fate->status, code_of(fate), fate->height);
	item->request = 0;
	if (fate->status == PERCH_FINAL) {
		replay.open--;
		return;
	}
	item->wait = PERCH_FINAL;
	ask(item);
}

static void take(const struct perch_event *event)
{
	for (size_t i = 0; i < replay.next && event->request != 0; i++) {
		struct item *item = &replay.items[i];
		if (event->type == PERCH_EVENT_UNDONE &&
			item->first == event->request)
			say(item, "undone", PERCH_RECEIVED, "",
				event->fate->height);
		else if (event->type == PERCH_EVENT_FATE &&
			 item->request == event->request)
			take_fate(item, event);
		else if (event->type == PERCH_EVENT_FATE &&
			 item->first == event->request)
			say(item, "again", event->fate->status,
				code_of(event->fate), event->fate->height);
		else
			continue;
		return;
	}
}

static void run(void)
{
	struct perch_event event;
	int64_t offset = replay.wall_us / 1000, give_up = INT64_MAX;
	for (;;) {
		int64_t now = clock_monotonic() + offset;
		int64_t wait = give_up - now;
		for (; replay.next < replay.count; replay.next++) {
			struct item *item = &replay.items[replay.next];
			wait = options.begin + item->at - now;
			if (wait > 0)
				break;
			send_item(item);
		}
		if (replay.next == replay.count) {
			if (give_up == INT64_MAX)
				give_up = now + 1000 * options.patience_s;
			if (replay.open == 0 || now >= give_up)
				return;
			wait = give_up - now;
		}
		if (perch_next(replay.client, &event, wait))
			take(&event);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = on_option,
		.doc = "A recorded workload, for run/compare.sh.",
	};
	static struct perch_network network;
	uint8_t seed[32];
	char why[PERCH_WHY_MAX];
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (options.workload == NULL || options.genesis == NULL ||
		options.key == NULL || options.wallet == NULL) {
		fprintf(stderr,
			"perch-replay: --workload, --genesis, --wallet and "
			"--key are needed; see --help\n");
		return 2;
	}
	read_workload();
	if (perch_genesis_read(options.genesis, &network, why) != PERCH_OK ||
		perch_key_read(options.key, NULL, seed, why) != PERCH_OK) {
		fprintf(stderr, "perch-replay: %s\n", why);
		return 2;
	}
	struct perch_config config = {
		.network = network.id,
		.nodes = network.nodes,
		.node_count = network.node_count,
		.seed = seed,
		.chain = strcmp(options.chain, "pow") == 0,
		.requests_max = 8192,
		.timeout_ms = 1000 * options.patience_s,
	};
	if (perch_open(&replay.client, &config, why) != PERCH_OK) {
		fprintf(stderr, "perch-replay: %s\n", why);
		return 2;
	}
	replay.wall_us = 1000 * clock_wall() - (int64_t)clock_monotonic_us();
	run();
	for (size_t i = 0; i < replay.count; i++) {
		if (replay.items[i].request != 0)
			say(&replay.items[i], "failed", PERCH_UNKNOWN,
				"timeout", 0);
		free(replay.items[i].bytes);
	}
	perch_close(&replay.client);
	return 0;
}
