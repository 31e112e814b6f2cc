/* sim/study.c -- forks by propagation, and retargeting, at the scale of a
 * public network.
 */
#include "study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "consensus/pow/retarget.h"
#include "consensus/pow/target.h"

enum {
	LINKS = 4,               /* that each node opens; others open as many */
	INTERVAL_US = 600000000, /* Bitcoin's ten minutes */
	UNIT_US = 10000,         /* of a link, to measure a network with */
	TRIALS = 400,
	SETTLED = 20, /* blocks after a change of hash power */
};

struct study_block {
	uint32_t parent; /* 0: the genesis */
	struct pow_past past;
	struct number work;
	int64_t found_us;
	double waited_us; /* sum over the nodes that have heard of it */
	uint32_t heard;
};

struct study {
	struct random random;
	uint32_t node_count, block_count, block_room;
	struct pow_rules rules;
	double scale; /* of every link */
	struct study_block *blocks;
	uint32_t *tips;  /* of each node */
	uint8_t *knows;  /* a bit a node and block */
	uint32_t *links; /* of each node: to whom, and how slow */
	float *slow;
	uint32_t *degree;
	struct queue queue;
};

/* ---- chance ---- */

static double uniform(struct random *random)
{
	return ((double)(random_next(random) >> 12) + 1) / 4503599627370497.0;
}

static double exponential(struct random *random, double mean)
{
	return -log(uniform(random)) * mean;
}

/* ---- a network ---- */

enum { DEGREE_MAX = 32 };

static void link_nodes(struct study *study, uint32_t a, uint32_t b)
{
	float slow = (float)(0.2 + exponential(&study->random, 0.8));
	if (a == b || study->degree[a] == DEGREE_MAX ||
		study->degree[b] == DEGREE_MAX)
		return;
	size_t at = (size_t)a * DEGREE_MAX + study->degree[a]++;
	study->links[at] = b;
	study->slow[at] = slow;
	at = (size_t)b * DEGREE_MAX + study->degree[b]++;
	study->links[at] = a;
	study->slow[at] = slow;
}

static void open(
	struct study *study, uint32_t nodes, uint32_t blocks, uint64_t seed)
{
	memset(study, 0, sizeof(*study));
	random_seed(&study->random, seed);
	study->node_count = nodes;
	study->block_room = blocks + 1;
	study->rules = (struct pow_rules){
		.interval_ms = INTERVAL_US / 1000,
		.bits = 0x1d00ffff,
		.retarget = POW_RETARGET_FIXED,
	};
	study->scale = 1;
	size_t ends = (size_t)nodes * DEGREE_MAX;
	study->blocks = calloc(study->block_room, sizeof(*study->blocks));
	study->tips = calloc(nodes, sizeof(*study->tips));
	study->knows = calloc(study->block_room, nodes / 8 + 1);
	study->links = calloc(ends, sizeof(*study->links));
	study->slow = calloc(ends, sizeof(*study->slow));
	study->degree = calloc(nodes, sizeof(*study->degree));
	CHECK(study->blocks && study->tips && study->knows && study->links &&
		study->slow && study->degree);
	/* A ring, so that nobody is alone, and links across it. */
	for (uint32_t i = 0; i < nodes; i++) {
		link_nodes(study, i, (i + 1) % nodes);
		for (int j = 1; j < LINKS; j++)
			link_nodes(study, i,
				(uint32_t)random_below(&study->random, nodes));
	}
}

static void close_study(struct study *study)
{
	free(study->blocks);
	free(study->tips);
	free(study->knows);
	free(study->links);
	free(study->slow);
	free(study->degree);
	queue_free(&study->queue);
}

static uint8_t *knows(
	struct study *study, uint32_t node, uint32_t block, uint8_t *bit)
{
	size_t row = study->node_count / 8 + 1;
	*bit = (uint8_t)(1u << node % 8);
	return &study->knows[block * row + node / 8];
}

/* Announce, ask, get: three times the way. */
static void tell_neighbours(
	struct study *study, uint32_t node, uint32_t block, int64_t now)
{
	for (uint32_t i = 0; i < study->degree[node]; i++) {
		size_t at = (size_t)node * DEGREE_MAX + i;
		uint8_t bit, *has = knows(study, study->links[at], block, &bit);
		if (*has & bit)
			continue;
		queue_put(&study->queue,
			(struct plan){
				.at_us = now + (int64_t)(3 * study->scale *
							 study->slow[at]),
				.kind = PLAN_PACKET,
				.who = study->links[at],
				.value = block,
			});
	}
}

/* More work than the tip's; a tie is no reason to move. */
static void hear(
	struct study *study, uint32_t node, uint32_t block, int64_t now)
{
	uint8_t bit, *has = knows(study, node, block, &bit);
	if (*has & bit)
		return;
	*has |= bit;
	struct study_block *heard = &study->blocks[block];
	heard->waited_us += (double)(now - heard->found_us);
	heard->heard++;
	const struct study_block *tip = &study->blocks[study->tips[node]];
	if (number_compare(&heard->work, &tip->work) > 0)
		study->tips[node] = block;
	tell_neighbours(study, node, block, now);
}

static void find(struct study *study, uint32_t node, int64_t now)
{
	uint32_t number = ++study->block_count;
	uint32_t parent = study->tips[node];
	const struct study_block *above = &study->blocks[parent];
	uint32_t bits = pow_next_bits(&study->rules, &above->past);
	struct number work = work_of_bits(bits);
	study->blocks[number] = (struct study_block){
		.parent = parent,
		.past = pow_past_of(&above->past, now / 1000, bits),
		.work = number_add(&above->work, &work),
		.found_us = now,
	};
	hear(study, node, number, now);
}

/* Blocks are found by nodes of equal hash power, as a Poisson process. */
static void run(struct study *study)
{
	struct plan plan;
	int64_t next = 0;
	while (study->block_count + 1 < study->block_room) {
		next += (int64_t)exponential(
			&study->random, (double)INTERVAL_US);
		while (study->queue.count > 0 &&
			study->queue.items[0].at_us <= next) {
			bool taken = queue_take(&study->queue, &plan);
			CHECK(taken);
			hear(study, plan.who, (uint32_t)plan.value, plan.at_us);
		}
		find(study,
			(uint32_t)random_below(
				&study->random, study->node_count),
			next);
	}
	while (queue_take(&study->queue, &plan))
		hear(study, plan.who, (uint32_t)plan.value, plan.at_us);
}

/* Mean time until a node hears of a block: the area above the curve of those
 * who have. */
static double propagation(const struct study *study)
{
	double sum = 0;
	for (uint32_t i = 1; i <= study->block_count; i++)
		sum += study->blocks[i].waited_us / study->blocks[i].heard;
	return sum / study->block_count;
}

/* Blocks that are not on the chain that won, of all. */
static double stale(const struct study *study)
{
	uint32_t best = 0, length = 0;
	for (uint32_t i = 1; i <= study->block_count; i++) {
		if (number_compare(&study->blocks[i].work,
			    &study->blocks[best].work) > 0)
			best = i;
	}
	for (; best != 0; best = study->blocks[best].parent)
		length++;
	return 1 - (double)length / study->block_count;
}

/* ---- forks ---- */

static double unit_propagation(uint32_t nodes, uint64_t seed)
{
	struct study study;
	open(&study, nodes, 20, seed);
	study.scale = UNIT_US;
	run(&study);
	double unit = propagation(&study) / UNIT_US;
	close_study(&study);
	return unit;
}

/* Decker and Wattenhofer (2013): a block is found elsewhere before everybody
 * has heard of this one with probability 1 - (1 - p)^A, p a second's chance of
 * a block and A the area above. */
static bool fork_row(
	uint32_t nodes, uint32_t blocks, uint64_t seed, double ratio)
{
	struct study study;
	double unit = unit_propagation(nodes, seed);
	open(&study, nodes, blocks, seed);
	study.scale = ratio * INTERVAL_US / unit;
	run(&study);
	double reached = propagation(&study) / INTERVAL_US;
	double theory = 1 - exp(-reached);
	double measured = stale(&study);
	/* Three deviations of the count, and those who raced a race. */
	double most =
		3 * sqrt(theory * (1 - theory) / blocks) + theory * theory;
	bool good = fabs(measured - theory) <= most;
	printf("  %9.4f %9.2f %% %9.2f %% %8u blocks  %s\n", reached,
		100 * measured, 100 * theory, blocks,
		good ? "" : "NOT AS THEORY SAYS");
	close_study(&study);
	return good;
}

static bool forks(const struct options *options)
{
	static const double ratios[] = {0.002, 0.018, 0.05, 0.1, 0.2};
	uint32_t blocks = 4000000 / options->nodes;
	bool good = true;
	if (blocks > 8000)
		blocks = 8000;
	printf("forks of %u nodes: mean propagation over interval, stale "
	       "blocks, Decker-Wattenhofer\n",
		options->nodes);
	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++)
		good = fork_row(options->nodes, blocks, options->seed,
			       ratios[i]) &&
		       good;
	printf("  Bitcoin, published: 11.37 s of 633 s = 0.0180: 1.69 %% "
	       "measured, 1.78 %% by theory\n");
	return good;
}

/* ---- retargeting ---- */

/* Mean interval, as a part of the target's, of the blocks from `from` on after
 * hash power became `factor` times what the chain was used to. */
static double interval_after(struct random *random, double factor,
	unsigned from, unsigned count, double *longest)
{
	struct pow_rules rules = {
		.interval_ms = POW_INTERVAL_MS_DEFAULT,
		.bits = POW_BITS_DEFAULT,
		.retarget = POW_RETARGET_ASERT,
		.half_life_ms =
			POW_HALF_LIFE_INTERVALS * POW_INTERVAL_MS_DEFAULT,
	};
	struct pow_past past = {.bits = rules.bits};
	struct number first = work_of_bits(rules.bits);
	double rate = number_double(&first) / POW_INTERVAL_MS_DEFAULT;
	double now = 0, began = 0;
	for (unsigned i = 0; i < 100 + from + count; i++) {
		uint32_t bits = pow_next_bits(&rules, &past);
		struct number work = work_of_bits(bits);
		double took = exponential(
			random, number_double(&work) /
					(i < 100 ? rate : rate * factor));
		if (i >= 100 && took > *longest)
			*longest = took;
		if (i == 100 + from)
			began = now;
		now += took;
		time_ms time = (time_ms)now;
		past = pow_past_of(
			&past, time > past.time ? time : past.time + 1, bits);
	}
	return (now - began) / count / POW_INTERVAL_MS_DEFAULT;
}

static bool retarget_row(struct random *random, const char *what, double factor)
{
	double before = 0, after = 0, longest = 0;
	for (unsigned i = 0; i < TRIALS; i++) {
		before += interval_after(random, factor, 0, 5, &longest);
		after += interval_after(
			random, factor, SETTLED, SETTLED, &longest);
	}
	before /= TRIALS;
	after /= TRIALS;
	bool good = after > 0.75 && after < 1.25;
	printf("  %-26s %8.2f %18.2f %16.1f s  %s\n", what, before, after,
		longest / 1000, good ? "" : "NOT WITHIN 25 %");
	return good;
}

static bool retargets(const struct options *options)
{
	struct random random;
	random_seed(&random, options->seed);
	printf("asert, half-life %d intervals, %d trials: mean interval over "
	       "the target's\n"
	       "  hash power                 5 blocks  20 to 40 after it   "
	       "longest block\n",
		POW_HALF_LIFE_INTERVALS, TRIALS);
	bool good = retarget_row(&random, "as before", 1);
	good = retarget_row(&random, "4 times as much", 4) && good;
	good = retarget_row(&random, "a quarter (75 % left)", 0.25) && good;
	return good;
}

int study_run(const struct options *options)
{
	bool good = forks(options);
	good = retargets(options) && good;
	printf("study pow: %u nodes, seed %" PRIu64 ": %s\n", options->nodes,
		options->seed, good ? "as it must be" : "WRONG");
	return good ? 0 : VERDICT_WRONG;
}
