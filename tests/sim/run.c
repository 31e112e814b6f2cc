/* sim/run.c -- seeds in a process of their own, and what comes of them. */
#include "run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { TWICE_EVERY = 50, HANG_S = 120 };

/* For the signal handler: what this process is running. */
static struct report *running;

static void on_crash(int signal)
{
	running->verdict = signal == SIGALRM ? VERDICT_STUCK : VERDICT_CRASH;
	snprintf(running->why, sizeof(running->why), "%s",
		signal == SIGALRM   ? "a step does not end"
		: signal == SIGABRT ? "a CHECK failed"
				    : "a signal");
	_exit(running->verdict);
}

void run_catch_crashes(void)
{
	static const int signals[] = {
		SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
	static uint8_t stack[64 * 1024];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {
		.sa_handler = on_crash,
		.sa_flags = SA_ONSTACK,
	};
	int rc = sigaltstack(&other, NULL);
	CHECK(rc == 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		rc = sigaction(signals[i], &action, NULL);
		CHECK(rc == 0);
	}
}

void totals_add(struct totals *to, const struct totals *from)
{
	uint64_t *sum = (uint64_t *)to;
	const uint64_t *more = (const uint64_t *)from;
	uint64_t settle = to->settle_percent > from->settle_percent
				  ? to->settle_percent
				  : from->settle_percent;
	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += more[i];
	to->settle_percent = settle;
}

/* The same seed again must be the same run. */
static bool is_same_again(
	struct world *world, const struct options *options, uint64_t seed)
{
	struct options quiet = *options;
	struct totals totals = world->totals;
	uint64_t hash = world->trace.hash;
	uint64_t count = world->trace.count;
	quiet.trace = false;
	world_run(world, &quiet, seed);
	bool same = world->trace.hash == hash && world->trace.count == count;
	world->totals = totals;
	world->trace.hash = hash;
	return same;
}

static void run_one(struct world *world, const struct options *options,
	struct report *report, bool again)
{
	report->verdict = world_run(world, options, report->seed);
	if (report->verdict <= VERDICT_VOID && again &&
		!is_same_again(world, options, report->seed)) {
		report->verdict = VERDICT_WRONG;
		snprintf(world->why, sizeof(world->why),
			"the same seed made another trace");
	}
	memcpy(report->why, world->why, sizeof(report->why));
	report->hash += world->trace.hash;
	world->totals.voids = report->verdict == VERDICT_VOID;
	world->totals.failures = report->verdict > VERDICT_VOID;
	totals_add(&report->totals, &world->totals);
	if (options->verbose)
		printf("seed %" PRIu64 ": trace %016" PRIx64 " (%" PRIu64
		       " events), %" PRIu64
		       " acknowledged, done %.1f election timeouts after the "
		       "faults%s\n",
			report->seed, world->trace.hash, world->trace.count,
			world->totals.acknowledged,
			(double)world->totals.settle_percent / 100,
			report->verdict == VERDICT_VOID ? ", void" : "");
}

static const char *verdict_text(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASSED:
		return "passed";
	case VERDICT_VOID:
		return "void";
	case VERDICT_CRASH:
		return "CRASH";
	case VERDICT_STUCK:
		return "NO PROGRESS";
	case VERDICT_WRONG:
		return "WRONG";
	}
	return "?";
}

void print_failure(const struct options *options, const struct report *report)
{
	printf("%s: seed %" PRIu64 ": %s\n", verdict_text(report->verdict),
		report->seed, report->why);
	print_replay(options, report->seed);
	fflush(stdout); /* the next seed may crash */
}

static void run_here(const struct options *options, struct report *report,
	uint64_t from, uint64_t step, uint64_t count)
{
	static struct world world;
	static struct setup setup;
	running = report;
	run_catch_crashes();
	crypto_start();
	setup_open(&setup);
	world_open(&world, &setup);
	for (uint64_t i = 0; i < count; i++) {
		report->seed = from + i * step;
		alarm(HANG_S);
		run_one(&world, options, report,
			report->seed % TWICE_EVERY == 0);
		if (report->verdict <= VERDICT_VOID)
			continue;
		if (!options->go_on)
			break;
		print_failure(options, report);
		if (report->verdict > report->worst)
			report->worst = report->verdict;
	}
	alarm(0);
	report->done = true;
	world_close(&world);
	setup_close(&setup);
}

struct worker run_start(const struct options *options, uint64_t from,
	uint64_t step, uint64_t count, bool quiet)
{
	struct worker worker;
	worker.report = mmap(NULL, sizeof(*worker.report),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(worker.report != MAP_FAILED);
	fflush(stdout);
	worker.pid = fork();
	CHECK(worker.pid >= 0);
	if (worker.pid > 0)
		return worker;
	if (quiet && !freopen("/dev/null", "w", stderr))
		_exit(2);
	run_here(options, worker.report, from, step, count);
	fflush(stdout);
	_exit(0);
}

enum verdict run_wait(struct worker *worker)
{
	int status;
	pid_t pid = waitpid(worker->pid, &status, 0);
	CHECK(pid == worker->pid);
	struct report *report = worker->report;
	if (!report->done && report->verdict <= VERDICT_VOID) {
		/* It died without a word. */
		report->verdict = VERDICT_CRASH;
		snprintf(report->why, sizeof(report->why),
			"the process ended with status %#x", status);
	}
	if (!report->done) {
		report->totals.runs++;
		report->totals.failures++;
	}
	return report->verdict;
}

void run_end(struct worker *worker)
{
	munmap(worker->report, sizeof(*worker->report));
	worker->report = NULL;
}

void print_replay(const struct options *options, uint64_t seed)
{
	static const char *const modes[] = {"live", "harsh", "mixed"};
	printf("  run/sim.sh --engine %s --seed %" PRIu64
	       " --seeds 1 --seconds %u --mode %s",
		options->engine->name, seed, options->seconds,
		modes[options->mode]);
	if (options->nodes)
		printf(" --nodes %u", options->nodes);
	if (options->plant)
		printf(" --plant %s", plant_name(options->plant));
	if (options->faults != (1u << FAULT_KINDS) - 1) {
		printf(" --faults ");
		for (int i = 0, more = 0; i < FAULT_KINDS; i++) {
			if (options->faults >> i & 1)
				printf("%s%s", more++ ? "," : "",
					fault_name((enum fault_kind)i));
		}
	}
	printf(" --trace\n");
}
