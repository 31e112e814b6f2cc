/* tests/fake/bench.h -- a client of libperch and the fakes it talks to, in one
 * thread.
 */
#ifndef PERCH_TESTS_FAKE_BENCH_H
#define PERCH_TESTS_FAKE_BENCH_H

#include "fake/fake.h"
#include <perch/client.h>

enum { BENCH_NODES = 3 };

struct bench {
	struct fake_chain chain;
	struct fake nodes[BENCH_NODES]; /* the first one proposes */
	struct fake evaluator;
	struct perch_node config_nodes[BENCH_NODES];
	struct perch_node config_evaluator;
	struct perch_config config; /* change it before bench_open */
	struct perch *client;
	struct perch_event event; /* the last one */
};

void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);
/* The client, with the configuration as it is. */
void bench_open(struct bench *bench);
/* Let everybody work for a moment. True: bench->event is a new one. */
bool bench_step(struct bench *bench);
/* The next event of this type, others being dropped; false: none in time. */
bool bench_until(struct bench *bench, enum perch_event_type type);
/* Until this node of the configuration (or PERCH_EVALUATOR) is in this state.
 */
bool bench_until_link(struct bench *bench, int node, enum perch_link link,
	struct perch_node_info *info);
/* A transaction with one good reservation. */
void bench_tx(struct perch_tx *tx);

#endif
