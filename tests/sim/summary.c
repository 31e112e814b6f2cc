/* sim/summary.c -- all seeds, and what to say about them at the end. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "run.h"

enum { JOBS_MAX = 64 };

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_summary(const struct options *options,
	const struct totals *totals, uint64_t hash, double took)
{
	uint64_t faults = 0;
	for (int i = 0; i < FAULT_KINDS; i++)
		faults += totals->faults[i];
	printf("sim %s: %" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64
	       " void; %.2f virtual hours in %.1f s; %" PRIu64 " faults (",
		options->engine->name, totals->runs, totals->failures,
		totals->voids, (double)totals->virtual_us / 3.6e9, took,
		faults);
	for (int i = 0; i < FAULT_KINDS; i++)
		printf("%s%s %" PRIu64, i ? ", " : "",
			fault_name((enum fault_kind)i), totals->faults[i]);
	printf("); %" PRIu64 " blocks, %" PRIu64 " transactions, %" PRIu64
	       " acknowledged, %" PRIu64 " refused, %" PRIu64 " reads; %" PRIu64
	       " leaders, %" PRIu64 " reverts, %" PRIu64 " snapshots, %" PRIu64
	       " fetched; slowest end %.1f election timeouts; trace "
	       "%016" PRIx64 "\n",
		totals->blocks, totals->txs, totals->acknowledged,
		totals->refusals, totals->reads, totals->leaders,
		totals->reverts, totals->snapshots, totals->fetches,
		(double)totals->settle_percent / 100, hash);
}

/* More than one in ten void: the runs say too little. */
static enum verdict judge(const struct totals *totals, enum verdict worst)
{
	if (worst <= VERDICT_VOID)
		return totals->voids * 10 > totals->runs ? VERDICT_VOID
							 : VERDICT_PASSED;
	return worst;
}

/* One of the processes of a run, and what is left for it to do. */
struct share {
	struct worker worker;
	uint64_t next, left;
};

static void start(const struct options *options, struct share *share)
{
	share->worker = run_start(
		options, share->next, options->jobs, share->left, false);
}

/* All results so far. */
struct sum {
	struct totals totals;
	uint64_t hash, failed;
	enum verdict worst;
};

/* Wait for a share; after a failure the rest of it may be wanted too. */
static bool collect(
	const struct options *options, struct share *share, struct sum *sum)
{
	enum verdict verdict = run_wait(&share->worker);
	const struct report *report = share->worker.report;
	totals_add(&sum->totals, &report->totals);
	sum->hash += report->hash;
	if (report->worst > sum->worst)
		sum->worst = report->worst;
	if (verdict > sum->worst)
		sum->worst = verdict;
	bool more = false;
	if (verdict > VERDICT_VOID && !(report->done && options->go_on)) {
		print_failure(options, report);
		sum->failed = report->seed;
		uint64_t seen =
			(report->seed - share->next) / options->jobs + 1;
		share->next = report->seed + options->jobs;
		share->left -= seen;
		more = options->go_on && share->left > 0;
	}
	run_end(&share->worker);
	return more;
}

int run_all(const struct options *options)
{
	struct share shares[JOBS_MAX];
	struct sum sum;
	double began = seconds_now();
	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < options->jobs; i++) {
		shares[i].next = options->seed + i;
		shares[i].left = (options->seeds + options->jobs - 1 - i) /
				 options->jobs;
		start(options, &shares[i]);
	}
	for (unsigned i = 0; i < options->jobs; i++) {
		while (collect(options, &shares[i], &sum))
			start(options, &shares[i]);
	}
	if (sum.worst > VERDICT_VOID && options->shrink)
		run_shrink(options, sum.failed);
	print_summary(options, &sum.totals, sum.hash, seconds_now() - began);
	return judge(&sum.totals, sum.worst);
}

/* ---- teeth ---- */

/* The seed at which a plant was found, or 0. */
static uint64_t find_plant(const struct options *options, enum plant plant)
{
	struct options planted = *options;
	planted.plant = plant;
	struct worker worker =
		run_start(&planted, options->seed, 1, options->seeds, true);
	enum verdict verdict = run_wait(&worker);
	uint64_t seed = verdict > VERDICT_VOID ? worker.report->seed : 0;
	if (seed)
		printf("%-16s found at seed %" PRIu64 ": %d: %s\n",
			plant_name(plant), seed, verdict, worker.report->why);
	else
		printf("%-16s NOT FOUND in %" PRIu64 " seeds: %s\n",
			plant_name(plant), options->seeds, plant_text(plant));
	run_end(&worker);
	return seed;
}

int run_teeth(const struct options *options)
{
	uint64_t last = options->seed;
	unsigned missed = 0;
	for (int plant = PLANT_NONE + 1; plant < PLANTS; plant++) {
		if (options->plant && options->plant != (enum plant)plant)
			continue;
		uint64_t seed = find_plant(options, (enum plant)plant);
		missed += seed == 0;
		if (seed > last)
			last = seed;
	}
	struct options clean = *options;
	clean.plant = PLANT_NONE;
	clean.seeds = last - options->seed + 1;
	printf("the same seeds without a plant:\n");
	int code = run_all(&clean);
	if (code > VERDICT_VOID)
		return code;
	return missed > 0 ? VERDICT_VOID : VERDICT_PASSED;
}

/* ---- smaller ---- */

static bool fails(const struct options *options, uint64_t seed)
{
	struct worker worker = run_start(options, seed, 1, 1, true);
	enum verdict verdict = run_wait(&worker);
	run_end(&worker);
	return verdict > VERDICT_VOID;
}

void run_shrink(const struct options *options, uint64_t seed)
{
	struct options best = *options;
	best.trace = best.verbose = false;
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		struct options fewer = best;
		fewer.faults &= ~(1u << kind);
		if (fewer.faults != best.faults && fails(&fewer, seed))
			best = fewer;
	}
	for (;;) {
		struct options sooner = best;
		sooner.seconds = best.seconds * 3 / 4;
		if (sooner.seconds == 0 || !fails(&sooner, seed))
			break;
		best = sooner;
	}
	printf("still fails with less:\n");
	print_replay(&best, seed);
}
