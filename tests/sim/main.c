/* sim/main.c -- perch-sim: a whole cluster in one thread, decided by a seed. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "study.h"

static const char usage[] =
	"usage: perch-sim [options]\n"
	"  --engine NAME     which engine orders (ordered)\n"
	"  --seed S          first seed (1)\n"
	"  --seeds N         how many (100)\n"
	"  --nodes N         voters; 0: another number for each seed (0);\n"
	"                    engine pow: from 15 to 10000, a study of forks\n"
	"                    and retargeting without ledgers\n"
	"  --seconds T       virtual seconds of faults in a run (30)\n"
	"  --mode live|harsh|mixed   live: the faults end and everything must\n"
	"                    be done soon after; harsh: they never end "
	"(mixed)\n"
	"  --jobs N          processes side by side (2)\n"
	"  --faults A,B,...  only these kinds may happen (all)\n"
	"  --plant NAME      plant a mistake that must be found\n"
	"  --teeth           every plant must be found within --seeds\n"
	"  --shrink          when a seed fails, look for a smaller run\n"
	"  --go-on           do not stop at the first seed that fails\n"
	"  --trace           print everything that happens\n"
	"  --verbose         a line for each seed\n"
	"exit: 0 passed, 1 void or not found, 2 usage, 127 crash,\n"
	"128 no progress, 129 wrong\n"
	"example: perch-sim --seed 42 --seeds 1 --trace | less\n";

enum flag {
	FLAG_ENGINE = 256,
	FLAG_SEED,
	FLAG_SEEDS,
	FLAG_NODES,
	FLAG_SECONDS,
	FLAG_MODE,
	FLAG_JOBS,
	FLAG_FAULTS,
	FLAG_PLANT,
	FLAG_TEETH,
	FLAG_SHRINK,
	FLAG_GO_ON,
	FLAG_TRACE,
	FLAG_VERBOSE,
	FLAG_HELP,
};

static const struct option flags[] = {
	{"engine", required_argument, NULL, FLAG_ENGINE},
	{"seed", required_argument, NULL, FLAG_SEED},
	{"seeds", required_argument, NULL, FLAG_SEEDS},
	{"nodes", required_argument, NULL, FLAG_NODES},
	{"seconds", required_argument, NULL, FLAG_SECONDS},
	{"mode", required_argument, NULL, FLAG_MODE},
	{"jobs", required_argument, NULL, FLAG_JOBS},
	{"faults", required_argument, NULL, FLAG_FAULTS},
	{"plant", required_argument, NULL, FLAG_PLANT},
	{"teeth", no_argument, NULL, FLAG_TEETH},
	{"shrink", no_argument, NULL, FLAG_SHRINK},
	{"go-on", no_argument, NULL, FLAG_GO_ON},
	{"trace", no_argument, NULL, FLAG_TRACE},
	{"verbose", no_argument, NULL, FLAG_VERBOSE},
	{"help", no_argument, NULL, FLAG_HELP},
	{NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, uint64_t most, uint64_t *out)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || value > most)
		return false;
	*out = value;
	return true;
}

static bool parse_unsigned(const char *text, unsigned most, unsigned *out)
{
	uint64_t value;
	if (!parse_number(text, most, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

static bool parse_mode(const char *text, enum sim_mode *mode)
{
	static const char *const names[] = {"live", "harsh", "mixed"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(names[i], text) == 0) {
			*mode = (enum sim_mode)i;
			return true;
		}
	}
	return false;
}

static bool take_value(struct options *options, int flag, const char *value)
{
	switch (flag) {
	case FLAG_ENGINE:
		options->engine = engine_find(value);
		return options->engine != NULL;
	case FLAG_SEED:
		return parse_number(value, UINT64_MAX, &options->seed);
	case FLAG_SEEDS:
		return parse_number(value, UINT32_MAX, &options->seeds);
	case FLAG_NODES:
		return parse_unsigned(value, STUDY_NODES_MAX, &options->nodes);
	case FLAG_SECONDS:
		return parse_unsigned(value, 100000, &options->seconds) &&
		       options->seconds > 0;
	case FLAG_MODE:
		return parse_mode(value, &options->mode);
	case FLAG_JOBS:
		return parse_unsigned(value, 64, &options->jobs) &&
		       options->jobs > 0;
	case FLAG_FAULTS:
		return fault_parse(value, &options->faults);
	case FLAG_PLANT:
		return plant_find(value, &options->plant);
	}
	return false;
}

static bool take_flag(struct options *options, int flag)
{
	bool *switches[] = {&options->teeth, &options->shrink, &options->go_on,
		&options->trace, &options->verbose};
	if (flag < FLAG_TEETH || flag > FLAG_VERBOSE)
		return take_value(options, flag, optarg);
	*switches[flag - FLAG_TEETH] = true;
	return true;
}

int main(int argc, char **argv)
{
	struct options options = {
		.engine = engines[0],
		.seed = 1,
		.seeds = 100,
		.seconds = 30,
		.mode = MODE_MIXED,
		.jobs = 2,
		.faults = (1u << FAULT_KINDS) - 1,
	};
	int flag;
	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		if (flag == FLAG_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (flag == '?' || !take_flag(&options, flag)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || !options.engine) {
		fputs(usage, stderr);
		return 2;
	}
	if (options.nodes > ENGINE_MEMBERS_MAX - 2) {
		if (!options.engine->mines) {
			fputs(usage, stderr);
			return 2;
		}
		return study_run(&options);
	}
	if (options.trace)
		options.jobs = 1;
	return options.teeth ? run_teeth(&options) : run_all(&options);
}
