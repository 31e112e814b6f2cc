/* contract/main.c -- perch-contract: executes every final block again, and
 * answers questions about what it knows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "evaluator.h"
#include "service/limits.h"
#include "service/log.h"
#include "service/options.h"
#include "service/signals.h"
#include "store/genesis.h"
#include "store/keyfile.h"

enum { SAVE_MS = 1000, ALARM_CODE = 1 };

static struct setting settings[] = {
	{"genesis", "FILE", "the network", NULL, true},
	{"key", "FILE", "the evaluator's key file", NULL, true},
	{"data", "DIR", "where the history is kept", NULL, true},
	{"request", "ENDPOINT", "where it answers, like tcp://127.0.0.1:7100",
		NULL, true},
	{"chain", "NAME", "whose blocks: ordered (default) or pow", NULL,
		false},
	{"log-level", "LEVEL", "debug, info (default), warn or error", "info",
		false},
	{"json", NULL, "log lines are JSON objects", NULL, false},
	{0},
};

static struct options options = {
	.program = "perch-contract",
	.doc = "The evaluator of a Perch network: executes every final block "
	       "again, raises an alarm when one is not what it says, and "
	       "answers inquire, timetable, history, simulate and proof.",
	.examples =
		"Examples:\n"
		"  perch-contract --config contract.conf\n"
		"  perch-contract --genesis demo.zpl --key contract.key \\\n"
		"      --data contract/ --request tcp://127.0.0.1:7100\n"
		"A passphrase of the key file is taken from "
		"PERCH_PASSPHRASE.\n",
	.settings = settings,
	.has_config = true,
};

static bool admits(void *context, enum bus_kind kind, const struct key *known)
{
	struct evaluator *evaluator = context;
	(void)kind;
	return evaluator->genesis->observers_anyone || known != NULL;
}

static void know_everybody(struct evaluator *evaluator)
{
	const struct genesis *genesis = evaluator->genesis;
	for (size_t i = 0; i < genesis->party_count; i++) {
		if (bus_know(evaluator->bus, &genesis->parties[i].key) !=
			ERR_OK)
			log_warn("genesis", "a key in it cannot be used");
	}
	bus_set_admission(evaluator->bus, admits, evaluator);
}

static bool open_client(struct evaluator *evaluator, char *why)
{
	static struct perch_network network;
	struct perch_config config = {0};
	char cause[PERCH_WHY_MAX];
	if (perch_genesis_read(options_text(&options, "genesis"), &network,
		    cause) != PERCH_OK)
		goto failed;
	config.network = network.id;
	config.nodes = network.nodes;
	config.node_count = network.node_count;
	config.seed = evaluator->self->secret;
	config.chain = evaluator->number;
	if (perch_open(&evaluator->client, &config, cause) == PERCH_OK) {
		evaluator->bus = perch_bus(evaluator->client);
		return true;
	}
failed:
	snprintf(why, WHY_MAX, "%s", cause);
	return false;
}

static bool listen(struct evaluator *evaluator, char *why)
{
	char bound[128];
	const char *where = options_text(&options, "request");
	know_everybody(evaluator);
	enum err err = bus_bind(evaluator->bus, &evaluator->server,
		BUS_REQUEST_SERVER, where, bound);
	if (err == ERR_OK) {
		perch_wake_on_socket(evaluator->client, evaluator->server);
		log_info("contract", "answers on %s", bound);
		return true;
	}
	snprintf(why, WHY_MAX, "cannot listen on %s: %s", where,
		bus_bind_text(err));
	return false;
}

static bool start_verifier(struct evaluator *evaluator, char *why)
{
	enum err err = verifier_start(&evaluator->verifier, evaluator->bus);
	if (err != ERR_OK)
		snprintf(why, WHY_MAX, "cannot start threads: %s",
			err_text(err));
	return err == ERR_OK;
}

static void on_event(
	struct evaluator *evaluator, const struct perch_event *event)
{
	switch (event->type) {
	case PERCH_EVENT_BLOCK:
		if (!evaluator->alarmed)
			execute_block(evaluator, view_of(event->block->bytes,
							 event->block->size));
		return;
	case PERCH_EVENT_STALLED:
		log_warn("follow", "cannot go on: %s",
			perch_err_text(event->err));
		return;
	case PERCH_EVENT_NONE:
	case PERCH_EVENT_WAKE:
	case PERCH_EVENT_NODE:
	case PERCH_EVENT_FATE:
	case PERCH_EVENT_UNDONE:
	case PERCH_EVENT_FAILED:
	case PERCH_EVENT_HEAD:
	case PERCH_EVENT_BLOCKS:
	case PERCH_EVENT_PEERS:
	case PERCH_EVENT_STATUS:
	case PERCH_EVENT_STATE:
	case PERCH_EVENT_INQUIRE:
	case PERCH_EVENT_TIMETABLE:
	case PERCH_EVENT_HISTORY:
	case PERCH_EVENT_SIMULATE:
	case PERCH_EVENT_PROOF:
	case PERCH_EVENT_PORTS:
	case PERCH_EVENT_CERTIFICATE:
	case PERCH_EVENT_EVIDENCE:
	case PERCH_EVENT_HINT_STATUS:
	case PERCH_EVENT_HINT_TX:
	case PERCH_EVENT_HINT_SLOT:
	case PERCH_EVENT_HINT_CHAIN:
		return;
	}
}

static int run(struct evaluator *evaluator, int signal_fd)
{
	struct chain_tip tip = chain_tip(evaluator->chain);
	struct perch_hash parent;
	struct perch_event event;
	memcpy(&parent, &tip.hash, sizeof(parent));
	enum perch_err err =
		perch_follow(evaluator->client, tip.height + 1, &parent);
	CHECK(err == PERCH_OK);
	perch_wake_on(evaluator->client, signal_fd);
	while (signals_take(signal_fd) == 0) {
		perch_next(evaluator->client, &event, SAVE_MS);
		on_event(evaluator, &event);
		answer_requests(evaluator);
		time_ms now = clock_monotonic();
		if (now >= evaluator->save_at) {
			execute_save(evaluator, false);
			evaluator->save_at = now + SAVE_MS;
		}
	}
	log_info("contract", "stopping");
	execute_save(evaluator, true);
	return evaluator->alarmed ? ALARM_CODE : 0;
}

int main(int argc, char **argv)
{
	static struct genesis genesis;
	static struct evaluator evaluator;
	static struct keypair pair;
	char why[WHY_MAX] = "";
	options_read(&options, argc, argv);
	options_start_log(&options);
	limits_set();
	crypto_start();
	int fd = signals_open();
	evaluator.self = &pair;
	evaluator.genesis = &genesis;
	evaluator.number = options_chain(&options);
	if (genesis_load(&genesis, options_text(&options, "genesis"), why) !=
			ERR_OK ||
		keyfile_load(options_text(&options, "key"),
			getenv("PERCH_PASSPHRASE"), &pair, why) != ERR_OK) {
		fprintf(stderr, "perch-contract: %s\n", why);
		return EXIT_USAGE;
	}
	int code = 1;
	if (archive_open(&evaluator.archive, options_text(&options, "data"),
		    why) == ERR_OK &&
		execute_open(&evaluator, why) == ERR_OK &&
		open_client(&evaluator, why) && listen(&evaluator, why) &&
		start_verifier(&evaluator, why))
		code = run(&evaluator, fd);
	else
		fprintf(stderr, "perch-contract: %s\n", why);
	verifier_stop(&evaluator.verifier);
	free(evaluator.gathering);
	perch_close(&evaluator.client);
	archive_close(&evaluator.archive);
	return code;
}
