/* sim/world.h -- one run: a cluster, its clients, its faults and its judges,
 * all decided by one seed.
 */
#ifndef PERCH_SIM_WORLD_H
#define PERCH_SIM_WORLD_H

#include "check.h"
#include "client.h"
#include "fault.h"
#include "net.h"
#include "node.h"
#include "plant.h"
#include "queue.h"
#include "setup.h"
#include "trace.h"

enum verdict {
	VERDICT_PASSED = 0,
	VERDICT_VOID = 1, /* too little happened to say anything */
	VERDICT_CRASH = 127,
	VERDICT_STUCK = 128, /* no progress */
	VERDICT_WRONG = 129,
};

enum sim_mode { MODE_LIVE, MODE_HARSH, MODE_MIXED };

struct options {
	const struct engine_ops *engine;
	uint64_t seed, seeds;
	unsigned nodes; /* 0: drawn */
	unsigned seconds;
	enum sim_mode mode;
	unsigned jobs;
	unsigned faults; /* bits of enum fault_kind that may happen */
	enum plant plant;
	bool teeth, shrink, go_on, trace, verbose;
};

/* What happened in a run, or in all of them. */
struct totals {
	uint64_t runs, voids, failures;
	uint64_t virtual_us;
	uint64_t faults[FAULT_KINDS];
	uint64_t blocks, txs, acknowledged, reads, refusals, snapshots;
	uint64_t fetches, leaders, packets, reverts;
	uint64_t settle_percent; /* of an election timeout, longest */
};

struct world {
	const struct options *options;
	struct setup *setup;
	uint64_t seed;
	bool harsh;
	struct random random; /* the only source of chance */
	int64_t now_us;
	int64_t heal_us; /* faults end, in a live run */
	int64_t end_us;
	bool healed;
	time_ms election_ms, heartbeat_ms;
	bool mesh;
	uint64_t snapshot_every;
	struct queue queue;
	struct trace trace;
	struct bank bank;
	struct net net;
	size_t node_count;
	struct node nodes[SIM_NODES_MAX];
	struct clients clients;
	struct fault_state fault;
	struct checker checker;
	struct totals totals;
	struct outputs outputs;
	enum verdict verdict;
	char why[400];
};

/* Run one seed. The world is used again for the next: open it once. */
void world_open(struct world *world, struct setup *setup);
void world_close(struct world *world);
enum verdict world_run(
	struct world *world, const struct options *options, uint64_t seed);

/* ---- for the parts of the world ---- */

/* The run has failed; the first reason is kept. */
void world_fail(struct world *world, enum verdict verdict, const char *format,
	...) __attribute__((format(printf, 3, 4)));
void world_plan(struct world *world, int64_t after_us, enum plan_kind kind,
	uint32_t who, uint64_t stamp);
void world_note(struct world *world, const struct node *node, enum note note,
	uint64_t a, uint64_t b, uint64_t c);
/* The bank's copy of a block, checked when it is new: signatures, and that
 * every transaction is one that a client made. NULL after world_fail. */
const struct bank_block *world_block(
	struct world *world, const struct block_ref *ref);
/* What an engine's message says, for readers of a trace. */
void world_remark(struct world *world, struct view message);
uint64_t world_below(struct world *world, uint64_t bound);
bool world_chance(struct world *world, unsigned permille);
/* In [low, high]. */
int64_t world_between(struct world *world, int64_t low, int64_t high);

#endif
