/* tests/fake/bench.c -- who waits for the client lets the fakes work, too. */
#include "fake/bench.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"

enum { BENCH_MS = 20000, EVALUATOR_SEED = 9 };

static void node_of(
	struct perch_node *out, const struct fake *fake, const char *name)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	memcpy(&out->key, &fake->pair.key, sizeof(out->key));
	memcpy(out->request, fake->request_at, sizeof(fake->request_at));
	memcpy(out->publish, fake->publish_at, sizeof(fake->publish_at));
}

void bench_start(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	fake_chain_start(&bench->chain, 1);
	for (size_t i = 0; i < BENCH_NODES; i++) {
		char name[] = "node_0";

		name[5] = (char)('0' + i);
		fake_start(&bench->nodes[i], &bench->chain, (uint8_t)(1 + i));
		node_of(&bench->config_nodes[i], &bench->nodes[i], name);
	}
	fake_start(&bench->evaluator, &bench->chain, EVALUATOR_SEED);
	node_of(&bench->config_evaluator, &bench->evaluator, "evaluator");
	memcpy(&bench->config.network, &bench->chain.network,
		sizeof(bench->config.network));
	bench->config.nodes = bench->config_nodes;
	bench->config.node_count = BENCH_NODES;
	bench->config.evaluator = &bench->config_evaluator;
	/* The fakes answer at once, but this process may be stopped meanwhile.
	 */
	bench->config.patience_ms = 3000;
	bench->config.timeout_ms = 15000;
}

void bench_stop(struct bench *bench)
{
	perch_close(&bench->client);
	for (size_t i = 0; i < BENCH_NODES; i++)
		fake_stop(&bench->nodes[i]);
	fake_stop(&bench->evaluator);
	fake_chain_free(&bench->chain);
}

void bench_open(struct bench *bench)
{
	char why[PERCH_WHY_MAX];
	enum perch_err err = perch_open(&bench->client, &bench->config, why);

	CHECK(err == PERCH_OK);
}

bool bench_step(struct bench *bench)
{
	for (size_t i = 0; i < BENCH_NODES; i++)
		fake_step(&bench->nodes[i], 0);
	fake_step(&bench->evaluator, 0);
	return bench->client != NULL &&
	       perch_next(bench->client, &bench->event, 1);
}

bool bench_until(struct bench *bench, enum perch_event_type type)
{
	time_ms until = clock_monotonic() + BENCH_MS;

	while (clock_monotonic() < until) {
		if (bench_step(bench) && bench->event.type == type)
			return true;
	}
	return false;
}

bool bench_until_link(struct bench *bench, int node, enum perch_link link,
	struct perch_node_info *info)
{
	time_ms until = clock_monotonic() + BENCH_MS;

	while (clock_monotonic() < until) {
		bench_step(bench);
		if (perch_node_at(bench->client, node, info) &&
			info->link == link)
			return true;
	}
	return false;
}

void bench_tx(struct perch_tx *tx)
{
	struct perch_reserve reserve = {
		.port = "haneda",
		.pad = "a",
		.start = 1700000600000,
		.end = 1700000900000,
	};
	enum perch_err err;

	perch_tx_start(tx, PERCH_ALL);
	err = perch_tx_reserve(tx, &reserve);
	CHECK(err == PERCH_OK);
}
