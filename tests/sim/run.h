/* sim/run.h -- many seeds: in turn, side by side, with planted mistakes, or
 * made smaller when one fails.
 */
#ifndef PERCH_SIM_RUN_H
#define PERCH_SIM_RUN_H

#include "world.h"

/* What a process found; shared with its parent, so that it outlives a crash. */
struct report {
	bool done; /* all seeds were run */
	uint64_t seed;
	enum verdict verdict; /* of seed */
	enum verdict worst;   /* of those that were gone on after */
	uint64_t hash;        /* of all traces, whatever their order */
	char why[400];
	struct totals totals;
};

/* Print what crashed, and leave with VERDICT_CRASH. */
void run_catch_crashes(void);

/* Run seeds from, from + step, ... in a process of its own, at most count, and
 * stop at the first that fails. quiet: say nothing. Returns the process. */
struct worker {
	int pid;
	struct report *report;
};
struct worker run_start(const struct options *options, uint64_t from,
	uint64_t step, uint64_t count, bool quiet);
/* Wait for it, and fill in what a crash could not. The caller gives the report
 * back with run_end. */
enum verdict run_wait(struct worker *worker);
void run_end(struct worker *worker);

/* All seeds of the options, in options->jobs processes. Prints the summary;
 * returns the exit code. */
int run_all(const struct options *options);
/* Every plant must be found, and nothing without it. */
int run_teeth(const struct options *options);
/* Fewer kinds of faults and less time, while the seed still fails. */
void run_shrink(const struct options *options, uint64_t seed);

void totals_add(struct totals *to, const struct totals *from);
/* What failed, and how to see it again. */
void print_failure(const struct options *options, const struct report *report);
void print_replay(const struct options *options, uint64_t seed);

#endif
