/* controller/main.c -- perch-controller: a port's controller, a wallet that
 * watches over pads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "desk.h"
#include "service/limits.h"
#include "service/signals.h"
#include "store/duration.h"

enum { SETTINGS_MAX = 38 };

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, true},
	{"genesis", "FILE", "the network", NULL, false},
	{"key", "FILE", "the controller's key", NULL, false},
	{"evaluator", "KEY@TCP", "the evaluator: its key in hex, and where",
		NULL, false},
	{"node", "NAME", "ask this node first", NULL, false},
	{"chain", "NAME", "ordered or pow, where nodes keep both", NULL, false},
	{"clearance", "TIME", "how long a clearance lasts (60s)", "60s", false},
	{"driver", "NAME", "what the pads are: sim or mavlink", NULL, true},
	{"try", NULL, "move the device by hand, without a ledger", NULL, false},
	{"pads", "LIST", "its pads; with --try or --fault: A,B", "A", false},
	{"fault", "NAME", "sim: lost, goaround, stuck, overstay or intruder",
		NULL, false},
	{"for", "TIME", "how long it lasts (10s)", "10s", false},
	{"json", NULL, "one JSON object a line", NULL, false},
	{"lang", "LANG", "en or ja; without, as the locale says", NULL, false},
	{0},
};

static struct setting settings[SETTINGS_MAX];

static struct options options = {
	.program = "perch-controller",
	.doc = "A drone port's controller: measures its pads, clears take-offs "
	       "and landings on the ledger, and lets an aircraft move only "
	       "once its clearance is final.",
	.examples =
		"Examples:\n"
		"  perch-controller --port haneda --driver sim --sim-world w "
		"\\\n      --config haneda.conf\n"
		"  perch-controller --port haneda --driver sim --sim-world w "
		"--try --pads A,B\n"
		"      prepare A JA01XY\n"
		"      depart A JA01XY 30s\n"
		"  perch-controller --port haneda --driver sim --sim-world w "
		"\\\n      --fault lost --pads A --for 30s\n"
		"  perch-controller --port haneda --driver mavlink --pads A "
		"--try \\\n      --mavlink-vehicles 1:JA01XY:A\n"
		"Runs until Ctrl-C. A passphrase of the key file is taken "
		"from PERCH_PASSPHRASE.\nExit code: 0 done, 2 wrong usage, 3 "
		"the device does not answer.\n",
	.settings = settings,
	.has_config = true,
};

/* Its own settings, then those of every driver. */
static void collect_settings(void)
{
	size_t count = 0;

	for (size_t i = 0; own[i].name != NULL; i++)
		settings[count++] = own[i];
	for (size_t i = 0; drivers[i] != NULL; i++) {
		for (const struct setting *s = drivers[i]->settings;
			s->name != NULL; s++) {
			CHECK(count + 1 < SETTINGS_MAX);
			settings[count++] = *s;
		}
	}
}

static bool locale_is_japanese(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strncmp(value, "ja", 2) == 0;
	}
	return false;
}

const char *controller_say(const struct controller *controller,
	const char *english, const char *japanese)
{
	return controller->japanese ? japanese : english;
}

static bool read_language(void)
{
	const char *text = options_text(&options, "lang");

	if (text == NULL)
		return locale_is_japanese();
	if (strcmp(text, "en") != 0 && strcmp(text, "ja") != 0)
		options_refuse(&options, "lang", "say en or ja");
	return strcmp(text, "ja") == 0;
}

/* "A,B" */
static void read_pads(struct driver_setup *setup)
{
	const char *at = options_text(&options, "pads");

	while (*at != '\0') {
		size_t size = strcspn(at, ",");

		if (size == 0 || size > PERCH_NAME_MAX ||
			setup->pad_count == PERCH_PADS_MAX)
			options_refuse(&options, "pads",
				"1 to 16 names of up to 32 letters, like A,B");
		memcpy(setup->pads[setup->pad_count++], at, size);
		at += size + (at[size] == ',');
	}
}

void controller_open(struct controller *controller)
{
	char why[DRIVER_WHY] = "";

	controller->device = calloc(1, controller->driver->size);
	CHECK(controller->device != NULL);
	if (controller->driver->open(controller->device, &controller->setup,
		    clock_wall(), why) == ERR_OK) {
		controller->driver->poll(controller->device, clock_wall());
		return;
	}
	fprintf(stderr, "%s: %s: %s\n", options.program,
		controller->driver->name, why);
	exit(EXIT_USAGE);
}

void controller_close(struct controller *controller)
{
	if (controller->driver->end != NULL)
		controller->driver->end(controller->device);
	free(controller->device);
}

/* Something goes wrong on purpose, on all the pads that were named. */
static int make_fault(struct controller *controller, const char *name)
{
	const struct driver *driver = controller->driver;
	time_ms how_long;

	if (driver->fault == NULL)
		options_refuse(&options, "fault",
			"only a simulation goes wrong on demand");
	if (duration_parse(options_text(&options, "for"), &how_long) != ERR_OK)
		options_refuse(&options, "for", "a duration is like 90s or 5m");
	controller_open(controller);
	for (size_t i = 0; i < controller->setup.pad_count; i++) {
		enum err err =
			driver->fault(controller->device, i, name, how_long);

		if (err == ERR_NOT_FOUND)
			options_refuse(&options, "fault",
				"say lost, goaround, stuck, overstay or "
				"intruder");
		if (err != ERR_OK) {
			fprintf(stderr, "%s: %s: %s\n", options.program,
				driver->name, err_text(err));
			return EXIT_SILENCE;
		}
	}
	controller_close(controller);
	return 0;
}

/* ---- the ledger ---- */

static const char *needed(const char *name)
{
	const char *text = options_text(&options, name);

	if (text == NULL || text[0] == '\0')
		options_refuse(&options, name,
			"is needed, unless with --try or --fault");
	return text;
}

/* KEY@tcp://host:port */
static void read_evaluator(struct perch_node *out)
{
	const char *text = needed("evaluator"), *at = strchr(text, '@');
	char key[2 * sizeof(out->key) + 1];

	if (at == NULL || (size_t)(at - text) != sizeof(key) - 1 ||
		strncmp(at + 1, "tcp://", 6) != 0 ||
		strlen(at + 1) > PERCH_ENDPOINT_MAX)
		options_refuse(&options, "evaluator",
			"expected its key as 64 hex digits, @, and "
			"tcp://host:port");
	memcpy(key, text, sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	if (perch_unhex(&out->key, sizeof(out->key), key) != PERCH_OK)
		options_refuse(
			&options, "evaluator", "its key is not 64 hex digits");
	snprintf(out->name, sizeof(out->name), "evaluator");
	snprintf(out->request, sizeof(out->request), "%s", at + 1);
}

static void prefer(struct perch *client)
{
	const char *name = options_text(&options, "node");
	struct perch_node_info info;

	if (name == NULL)
		return;
	for (size_t i = 0; i < perch_node_count(client); i++) {
		if (perch_node_at(client, (int)i, &info) &&
			strcmp(info.node.name, name) == 0) {
			perch_prefer(client, i);
			return;
		}
	}
	options_refuse(
		&options, "node", "no node of the genesis has this name");
}

static struct perch *open_client(void)
{
	static struct perch_network network;
	struct perch_node evaluator = {0};
	struct perch_config config = {.evaluator = &evaluator, .prove = true};
	struct perch *client;
	char why[PERCH_WHY_MAX] = "";
	uint8_t seed[32];
	enum perch_err err;

	read_evaluator(&evaluator);
	err = perch_genesis_read(needed("genesis"), &network, why);
	if (err == PERCH_OK)
		err = perch_key_read(
			needed("key"), getenv("PERCH_PASSPHRASE"), seed, why);
	config.network = network.id;
	config.nodes = network.nodes;
	config.node_count = network.node_count;
	config.seed = seed;
	config.chain = options_chain(&options);
	if (err == PERCH_OK)
		err = perch_open(&client, &config, why);
	memset(seed, 0, sizeof(seed));
	if (err != PERCH_OK) {
		fprintf(stderr, "%s: %s\n", options.program, why);
		exit(EXIT_USAGE);
	}
	prefer(client);
	return client;
}

static int run(struct controller *controller)
{
	static struct desk desk;
	struct core_config config = {.clearance_ms = 0};
	time_ms clearance;

	if (duration_parse(options_text(&options, "clearance"), &clearance) !=
			ERR_OK ||
		clearance < CORE_CLEARANCE_MIN || clearance > 290000)
		options_refuse(&options, "clearance", "from 15s to 290s");
	config.clearance_ms = clearance;
	snprintf(config.port, sizeof(config.port), "%s",
		options_text(&options, "port"));
	desk.controller = controller;
	desk.client = open_client();
	core_start(&desk.core, &config);
	int code = desk_run(&desk);
	perch_close(&desk.client);
	return code;
}

int main(int argc, char **argv)
{
	static struct controller controller;
	const char *fault;
	int code;

	collect_settings();
	options_read(&options, argc, argv);
	limits_set();
	controller = (struct controller){
		.options = &options,
		.json = options_flag(&options, "json"),
		.japanese = read_language(),
		.driver = driver_find(options_text(&options, "driver")),
		.setup = {.port = options_text(&options, "port"),
			.settings = settings},
	};
	if (controller.driver == NULL)
		options_refuse(&options, "driver", "there are sim and mavlink");
	fault = options_text(&options, "fault");
	controller.signals = signals_open();
	if (fault == NULL && !options_flag(&options, "try"))
		return run(&controller);
	read_pads(&controller.setup);
	if (fault != NULL)
		return make_fault(&controller, fault);
	controller_open(&controller);
	code = controller_try(&controller);
	controller_close(&controller);
	return code;
}
