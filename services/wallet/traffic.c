/* wallet/traffic.c -- `traffic`: made-up reservations at a steady rate, for a
 * demo: some are refused, some are cancelled again.
 *
 * Two wallets in one process, so that they get into each other's way.
 */
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "clock/clock.h"
#include "service/signals.h"
#include "store/genesis.h"

enum { RECENT = 64, IN_FLIGHT_MAX = 256, WALLETS = 2, AHEAD_SLOTS = 24 };

static const struct setting own[] = {
	{"rate", "TX/S", "transactions a second", "1", false},
	{"other", "FILE", "the --config of a second wallet", NULL, false},
	{"seed", "N", "of what is made up", "1", false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Make reservations up at a steady rate until it is stopped. For "
	       "demonstrations.",
	.examples = "  perch-wallet traffic --rate 20 --config alice.conf "
		    "--other bob.conf",
};

struct actor {
	struct perch *client;
	unsigned in_flight;
	size_t recent_count; /* reservations to be cancelled later */
	struct perch_id recent[RECENT];
	uint64_t granted, refused, unknown;
};

struct traffic {
	struct wallet *wallet;
	struct genesis *genesis;
	struct random random;
	size_t actor_count;
	struct actor actors[WALLETS];
	int64_t epoch; /* slots are counted from here */
};

static void text_of(char out[PERCH_NAME_MAX + 1], struct view text)
{
	snprintf(out, PERCH_NAME_MAX + 1, "%.*s", (int)text.size,
		(const char *)text.data);
}

static void make_reservation(struct traffic *traffic, struct perch_tx *tx)
{
	const struct genesis *genesis = traffic->genesis;
	const struct record_port *port = &genesis->ports[random_below(
		&traffic->random, genesis->port_count)];
	const struct record_pad *pad =
		&port->pads[random_below(&traffic->random, port->pads_count)];
	int64_t length = (int64_t)port->duration;
	int64_t first = (perch_now() + (int64_t)port->lead) / length + 1;
	char port_name[PERCH_NAME_MAX + 1], pad_name[PERCH_NAME_MAX + 1];
	struct perch_reserve reserve = {.port = port_name, .pad = pad_name};
	enum perch_err err;

	text_of(port_name, port->name);
	text_of(pad_name, pad->name);
	reserve.start =
		(first + (int64_t)random_below(&traffic->random, AHEAD_SLOTS)) *
		length;
	reserve.end =
		reserve.start + length - (int64_t)(port->before + port->after);
	err = perch_tx_reserve(tx, &reserve);
	CHECK(err == PERCH_OK); /* the genesis' own names */
}

static void send_one(struct traffic *traffic)
{
	struct actor *actor = &traffic->actors[random_below(
		&traffic->random, traffic->actor_count)];
	struct perch_tx tx;
	uint64_t request;

	if (actor->in_flight == IN_FLIGHT_MAX)
		return; /* it is not our rate that is the limit */
	perch_tx_start(&tx, PERCH_ALL);
	if (actor->recent_count == RECENT ||
		(actor->recent_count > 0 &&
			random_chance(&traffic->random, 300))) {
		size_t index =
			random_below(&traffic->random, actor->recent_count);
		enum perch_err err =
			perch_tx_cancel(&tx, &actor->recent[index]);

		CHECK(err == PERCH_OK);
		actor->recent[index] = actor->recent[--actor->recent_count];
	} else {
		make_reservation(traffic, &tx);
	}
	if (perch_submit(actor->client, &tx, PERCH_FINAL, &request) == PERCH_OK)
		actor->in_flight++;
}

static void say(const struct traffic *traffic, const struct perch_fate *fate)
{
	struct result result = wallet_judge(traffic->wallet, fate);
	char hex[33];

	if (traffic->wallet->json) {
		wallet_say_result(traffic->wallet, &result);
		return;
	}
	printf("%s %s %s\n", perch_hex(hex, &fate->id, sizeof(fate->id)),
		perch_status_name(fate->status), result.word);
	fflush(stdout);
}

static void take(struct traffic *traffic, struct actor *actor,
	const struct perch_event *event)
{
	const struct perch_fate *fate = event->fate;
	const struct perch_outcome *op;

	if (event->type != PERCH_EVENT_FATE)
		return;
	actor->in_flight--;
	say(traffic, fate);
	if (fate->status != PERCH_FINAL || fate->op_count == 0) {
		actor->unknown++;
		return;
	}
	op = &fate->ops[0];
	if (op->code != 0) {
		actor->refused++;
		return;
	}
	actor->granted++;
	if (op->has_slot && actor->recent_count < RECENT)
		actor->recent[actor->recent_count++] = op->reservation;
}

/* Until it is stopped; the second wallet is looked at between the waits for the
 * first. */
static void run(struct traffic *traffic, double rate)
{
	uint64_t start = clock_monotonic_us(), sent = 0;

	for (;;) {
		double passed = (double)(clock_monotonic_us() - start) / 1e6;
		struct perch_event event;

		for (; (double)sent < passed * rate; sent++)
			send_one(traffic);
		for (size_t i = 0; i < traffic->actor_count; i++) {
			struct actor *actor = &traffic->actors[i];
			int64_t wait = i == 0 ? 5 : 0;

			while (perch_next(actor->client, &event, wait)) {
				if (event.type == PERCH_EVENT_WAKE)
					return;
				take(traffic, actor, &event);
				wait = 0;
			}
		}
	}
}

static void open_other(struct traffic *traffic, const char *path)
{
	static struct wallet other;
	const struct wallet *wallet = traffic->wallet;
	struct perch_config config = {
		.network = wallet->network.id,
		.nodes = wallet->network.nodes,
		.node_count = wallet->network.node_count,
		.chain = options_chain(&wallet->options),
	};
	char *argv[] = {other.program, "--config", (char *)path, NULL};
	uint8_t seed[32];
	char why[PERCH_WHY_MAX];

	memcpy(other.program, wallet->program, sizeof(other.program));
	wallet_read(&other, &manual, own, 3, argv);
	if (wallet_text(&other, "key") == NULL)
		wallet_refuse(wallet, path, "it names no key",
			"鍵が書かれていません");
	wallet_seed(&other, wallet_text(&other, "key"), seed);
	config.seed = seed;
	if (perch_open(&traffic->actors[1].client, &config, why) != PERCH_OK)
		wallet_refuse(wallet, path, why, why);
	explicit_bzero(seed, sizeof(seed));
	traffic->actor_count = 2;
}

int verb_traffic(struct wallet *wallet, int argc, char **argv)
{
	struct traffic traffic = {.wallet = wallet, .actor_count = 1};
	char why[GENESIS_WHY];
	double rate;

	wallet_read(wallet, &manual, own, argc, argv);
	rate = strtod(wallet_text(wallet, "rate"), NULL);
	if (!(rate > 0 && rate <= 100000))
		wallet_refuse(wallet, "--rate", "a number above 0",
			"0より大きい数にしてください");
	random_seed(&traffic.random,
		options_number(&wallet->options, "seed", 0, UINT64_MAX));
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	traffic.actors[0].client = wallet->client;
	if (wallet_text(wallet, "other") != NULL)
		open_other(&traffic, wallet_text(wallet, "other"));
	traffic.genesis = calloc(1, sizeof(*traffic.genesis));
	CHECK(traffic.genesis != NULL);
	if (genesis_load(traffic.genesis, wallet_text(wallet, "genesis"),
		    why) != ERR_OK ||
		traffic.genesis->port_count == 0)
		wallet_refuse(wallet, "--genesis", "it has no ports",
			"ポートがありません");
	run(&traffic, rate);
	genesis_free(traffic.genesis);
	free(traffic.genesis);
	perch_close(&traffic.actors[1].client);
	return wallet_close(wallet, EXIT_GRANTED);
}
