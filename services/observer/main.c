/* observer/main.c -- perch-observer: shows every node's chain and the pads'
 * timetable, and checks what it shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "clock/clock.h"
#include "observer.h"
#include "screen.h"
#include "service/limits.h"
#include "service/options.h"
#include "service/output.h"
#include "service/signals.h"
#include "store/genesis.h"

enum { DRAW_MS = 200, LINES_MS = 1000, STATUS_MS = 1000, EXIT_SILENCE = 3 };

static struct setting settings[] = {
	{"genesis", "FILE", "the network", NULL, true},
	{"key", "FILE", "who asks, where only those enrolled may", NULL, false},
	{"evaluator", "ENDPOINT", "whose timetable is shown", NULL, false},
	{"evaluator-key", "HEX", "its public key", NULL, false},
	{"chain", "NAME",
		"whose blocks are checked and whose timetable is shown: "
		"ordered (default) or pow",
		NULL, false},
	{"chains", NULL, "only the nodes' chains", NULL, false},
	{"status", NULL, "how every node is, once", NULL, false},
	{"follow", "TOPIC", "block, tx, slot, chain or status, as JSON lines",
		NULL, false},
	{"from", "HEIGHT", "JSON lines of blocks from here on (default: now)",
		NULL, false},
	{"json", NULL, "every event as a JSON line", NULL, false},
	{"seconds", "N", "stop after so long", NULL, false},
	{0},
};

static struct options options = {
	.program = "perch-observer",
	.doc = "Shows every node's chain and the pads' timetable, and raises "
	       "an alarm when two nodes call different blocks final.",
	.examples = "Examples:\n"
		    "  perch-observer --genesis demo.zpl\n"
		    "  perch-observer --genesis demo.zpl --chains\n"
		    "  perch-observer --genesis demo.zpl --status --json\n"
		    "  perch-observer --genesis demo.zpl --follow block "
		    "--from 1\n"
		    "The view ends with q or Ctrl-C. Exit code: 0 all agree, "
		    "1 an alarm was raised,\n2 wrong usage, 3 no node "
		    "answered. A passphrase of the key file is taken from\n"
		    "PERCH_PASSPHRASE.\n",
	.settings = settings,
	.has_config = true,
};

static unsigned topic(const char *name)
{
	static const char *const names[] = {
		"block", "tx", "slot", "chain", "status"};
	for (unsigned i = 0; i < 5; i++) {
		if (strcmp(name, names[i]) == 0)
			return 1U << i;
	}
	options_refuse(
		&options, "follow", "say block, tx, slot, chain or status");
}

static void read_parties(struct model *model, const struct genesis *genesis)
{
	snprintf(model->network, sizeof(model->network), "%s", genesis->name);
	for (size_t i = 0; i < genesis->party_count; i++) {
		const struct record_party *from = &genesis->parties[i];
		struct party *party = &model->parties[model->party_count++];
		snprintf(party->name, sizeof(party->name), "%.*s",
			(int)from->name.size, (const char *)from->name.data);
		memcpy(&party->key, &from->key, sizeof(party->key));
		party->is_operator = from->role == ROLE_OPERATOR;
	}
	for (size_t i = 0; i < genesis->port_count; i++) {
		const struct record_port *port = &genesis->ports[i];
		char name[PERCH_NAME_MAX + 1], pad[PERCH_NAME_MAX + 1];
		snprintf(name, sizeof(name), "%.*s", (int)port->name.size,
			(const char *)port->name.data);
		for (size_t j = 0; j < port->pads_count; j++) {
			snprintf(pad, sizeof(pad), "%.*s",
				(int)port->pads[j].name.size,
				(const char *)port->pads[j].name.data);
			model_row(model, name, pad);
		}
	}
}

static bool read_evaluator(struct perch_node *evaluator)
{
	const char *where = options_text(&options, "evaluator");
	const char *key = options_text(&options, "evaluator-key");
	if (where == NULL && key == NULL)
		return false;
	if (where == NULL)
		options_refuse(&options, "evaluator", "give its address too");
	if (strncmp(where, "tcp://", 6) != 0)
		options_refuse(&options, "evaluator", "say tcp://HOST:PORT");
	if (key == NULL || perch_unhex(&evaluator->key, 32, key) != PERCH_OK)
		options_refuse(&options, "evaluator-key",
			"give the evaluator's public key, 64 digits");
	snprintf(evaluator->name, sizeof(evaluator->name), "evaluator");
	snprintf(evaluator->request, sizeof(evaluator->request), "%s", where);
	return true;
}

static enum perch_err open_client(
	struct observer *observer, const char *path, char *why)
{
	static struct perch_network network;
	struct perch_node evaluator = {0};
	struct perch_config config = {0};
	uint8_t seed[32];
	const char *key = options_text(&options, "key");
	enum perch_err err = perch_genesis_read(path, &network, why);
	if (err == PERCH_OK && key != NULL)
		err = perch_key_read(
			key, getenv("PERCH_PASSPHRASE"), seed, why);
	if (err != PERCH_OK)
		return err;
	config.seed = key != NULL ? seed : NULL;
	config.network = network.id;
	config.nodes = network.nodes;
	config.node_count = network.node_count;
	config.links_max = (unsigned)network.node_count;
	observer->has_evaluator = read_evaluator(&evaluator);
	if (observer->has_evaluator)
		config.evaluator = &evaluator;
	config.timeout_ms = STATUS_MS;
	config.chain = observer->chain;
	observer->model.node_count = network.node_count;
	for (size_t i = 0; i < network.node_count; i++) {
		struct seen_node *node = &observer->model.nodes[i];
		memcpy(node->name, network.nodes[i].name, sizeof(node->name));
		node->key = network.nodes[i].key;
	}
	return perch_open(&observer->client, &config, why);
}

/* ---- for people, without a terminal ---- */

static void print_notes(struct observer *observer)
{
	struct model *model = &observer->model;
	if (model->note_count - observer->told_notes > MODEL_NOTES_MAX)
		observer->told_notes = model->note_count - MODEL_NOTES_MAX;
	while (observer->told_notes < model->note_count) {
		const struct note *note =
			&model->notes[observer->told_notes++ % MODEL_NOTES_MAX];
		int64_t day = note->time / 1000 % 86400;
		printf("%02d:%02d:%02d %s\n", (int)(day / 3600),
			(int)(day / 60 % 60), (int)(day % 60), note->text);
	}
	fflush(stdout);
}

static void print_chains(const struct frame *frame)
{
	for (unsigned i = 0; i < frame->count; i++)
		puts(frame->lines[i]);
	fflush(stdout);
}

static void report_alarms(struct observer *observer)
{
	if (observer->told_alarms == observer->model.alarms)
		return;
	observer->told_alarms = observer->model.alarms;
	if (observer->tells & TELL_NODE)
		tell_alarm(observer);
	else if (!observer->screen)
		fprintf(stderr, "perch-observer: ALARM %s\n",
			observer->model.alarm);
}

/* ---- the loop ---- */

static void show(struct observer *observer)
{
	static struct frame frame;
	int64_t now = clock_wall();
	if (observer->tells != 0)
		return;
	if (!observer->screen && !observer->chains_only) {
		print_notes(observer);
		return;
	}
	if (observer->replay != NULL)
		replay_timetable(observer->replay, &observer->model, now);
	screen_size(&frame.columns, &frame.rows);
	frame.colour = observer->screen;
	frame.chains_only = observer->chains_only;
	render(&frame, &observer->model, now);
	if (observer->screen)
		screen_draw(&frame);
	else
		print_chains(&frame);
}

static void subscribe(struct observer *observer)
{
	bool replays = observer->replay != NULL;
	uint64_t from = 0;
	if (options_text(&options, "from") != NULL)
		from = options_number(&options, "from", 1, INT64_MAX);
	observer->tell_from = from;
	for (size_t i = 0; i < observer->model.node_count; i++) {
		enum perch_err err = perch_subscribe(observer->client, i,
			PERCH_TOPIC_STATUS | PERCH_TOPIC_CHAIN);
		if (err != PERCH_OK)
			model_note(&observer->model, clock_wall(), true,
				"%s is asked only: %s",
				observer->model.nodes[i].name,
				perch_err_text(err));
	}
	enum perch_err err =
		perch_follow(observer->client, replays ? 1 : from, NULL);
	CHECK(err == PERCH_OK || observer->model.node_count == 0);
}

static void run(struct observer *observer, int64_t seconds)
{
	struct perch_event event;
	time_ms draw_at = 0;
	time_ms every =
		observer->chains_only && !observer->screen ? LINES_MS : DRAW_MS;
	time_ms until =
		seconds == 0 ? INT64_MAX : clock_monotonic() + 1000 * seconds;
	subscribe(observer);
	while (signals_take(observer->signal_fd) == 0 && !screen_quits()) {
		time_ms now = clock_monotonic();
		time_ms next = draw_at < until ? draw_at : until;
		if (now >= until || ferror(stdout))
			break;
		if (perch_next(observer->client, &event,
			    next > now ? next - now : 0))
			watch_event(observer, &event);
		watch_tick(observer);
		report_alarms(observer);
		now = clock_monotonic();
		if (now >= draw_at) {
			show(observer);
			draw_at = now + every;
		}
	}
	show(observer);
}

static void choose_view(struct observer *observer)
{
	const char *follow = options_text(&options, "follow");
	bool people;
	if (follow != NULL)
		observer->tells = topic(follow);
	else if (options_flag(&options, "json"))
		observer->tells = TELL_ALL;
	people = observer->tells == 0;
	observer->chains_only = options_flag(&options, "chains");
	bool moves =
		(observer->tells & TELL_SLOT) ||
		(people && !observer->chains_only && !observer->has_evaluator);
	if (moves && replay_open(&observer->replay, observer->genesis,
			     observer->chain) != ERR_OK)
		options_refuse(&options, "genesis", "it cannot be used");
	observer->screen = people && screen_open();
}

int main(int argc, char **argv)
{
	static struct genesis genesis;
	static struct observer observer;
	char why[GENESIS_WHY + PERCH_WHY_MAX] = "";
	options_read(&options, argc, argv);
	limits_set();
	crypto_start();
	observer.signal_fd = signals_open();
	observer.genesis = &genesis;
	observer.chain = options_chain(&options);
	observer.model.chain = observer.chain;
	const char *path = options_text(&options, "genesis");
	int64_t seconds = 0;
	if (options_text(&options, "seconds") != NULL)
		seconds = (int64_t)options_number(
			&options, "seconds", 1, 1000000000);
	if (genesis_load(&genesis, path, why) != ERR_OK ||
		open_client(&observer, path, why) != PERCH_OK) {
		fprintf(stderr, "perch-observer: %s\n", why);
		return EXIT_USAGE;
	}
	read_parties(&observer.model, &genesis);
	perch_wake_on(observer.client, observer.signal_fd);
	int code;
	if (options_flag(&options, "status")) {
		code = report_status(&observer, options_flag(&options, "json"));
	} else {
		choose_view(&observer);
		run(&observer, seconds);
		screen_close();
		code = observer.model.alarms > 0 ? 1
		       : observer.answered       ? 0
						 : EXIT_SILENCE;
		if (code == 1 && observer.screen)
			fprintf(stderr, "perch-observer: ALARM %s\n",
				observer.model.alarm);
		if (code == EXIT_SILENCE)
			fprintf(stderr,
				"perch-observer: no node answered; are they "
				"running, and is this their genesis?\n");
	}
	perch_close(&observer.client);
	return output_ends("perch-observer") ? code : EXIT_SILENCE;
}
