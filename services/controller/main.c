/* controller/main.c -- perch-controller: a port's controller, a wallet that
 * watches over pads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "controller.h"
#include "service/limits.h"
#include "service/signals.h"
#include "store/duration.h"

enum { SETTINGS_MAX = 38 };

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, true},
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
		"--try --pads A,B\n"
		"      prepare A JA01XY\n"
		"      depart A JA01XY 30s\n"
		"  perch-controller --port haneda --driver sim --sim-world w "
		"--fault lost --pads A \\\n      --for 30s\n"
		"  perch-controller --port haneda --driver mavlink --pads A "
		"--try \\\n      --mavlink-vehicles 1:JA01XY:A\n",
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
	read_pads(&controller.setup);
	if (fault != NULL)
		return make_fault(&controller, fault);
	controller_open(&controller);
	code = controller_try(&controller);
	controller_close(&controller);
	return code;
}
