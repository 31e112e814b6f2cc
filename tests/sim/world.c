/* sim/world.c -- one run, from its seed to its verdict. */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "gen/peer.h"

enum {
	SETTLE_LOOK_US = 20000,
	SETTLE_INTERVALS = 300, /* likewise, of proof of work */
	SETTLE_ELECTIONS = 25, /* after the faults everything is done by then */
	VERIFY_EVERY = 16,     /* a signature costs as much as all else */
	STORM_MAX = 200000,    /* things at one instant */
};

/* ---- what the parts use ---- */

void world_fail(
	struct world *world, enum verdict verdict, const char *format, ...)
{
	if (world->verdict != VERDICT_PASSED)
		return;
	world->verdict = verdict;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(world->why, sizeof(world->why), format, arguments);
	va_end(arguments);
}

void world_plan(struct world *world, int64_t after_us, enum plan_kind kind,
	uint32_t who, uint64_t stamp)
{
	queue_put(&world->queue, (struct plan){
					 .at_us = world->now_us + after_us,
					 .kind = kind,
					 .who = who,
					 .stamp = stamp,
				 });
}

void world_note(struct world *world, const struct node *node, enum note note,
	uint64_t a, uint64_t b, uint64_t c)
{
	trace_note(&world->trace, world->now_us, node ? 'n' : '-',
		node ? node->number : 0, note, a, b, c);
}

uint64_t world_below(struct world *world, uint64_t bound)
{
	return random_below(&world->random, bound);
}

bool world_chance(struct world *world, unsigned permille)
{
	return random_chance(&world->random, permille);
}

int64_t world_between(struct world *world, int64_t low, int64_t high)
{
	return low + (int64_t)random_below(
			     &world->random, (uint64_t)(high - low) + 1);
}

void world_remark(struct world *world, struct view bytes)
{
	struct ordered_message message;
	if (!world->trace.out ||
		strcmp(world->options->engine->name, "ordered") != 0 ||
		ordered_message_decode(&message, bytes) != ERR_OK)
		return;
	static const char *const kinds[] = {"?", "pre-vote", "pre-vote reply",
		"vote", "vote reply", "append", "append reply", "snapshot",
		"snapshot reply", "timeout-now", "read", "read reply"};
	trace_remark(&world->trace,
		"%s term %" PRIu64 " height %" PRIu64 " (term %" PRIu64
		") commit %" PRIu64 " round %" PRIu64 " flags %" PRIu64
		" hint %" PRIu64 " (term %" PRIu64 ")",
		message.kind < 12 ? kinds[message.kind] : "?", message.term,
		message.height, message.log_term, message.commit, message.round,
		message.flags, message.hint, message.hint_term);
}

/* ---- blocks, when they are first seen ---- */

static bool open_body(struct world *world, struct bank_block *block)
{
	static struct block body;
	if (block_decode(&body, block->ref.bytes) != ERR_OK ||
		body.txs_count != body.receipts_count)
		return false;
	block->tx_count = body.txs_count;
	block->txs = bank_take(
		&world->bank, body.txs_count * sizeof(*block->txs) + 1);
	block->receipts = bank_take(
		&world->bank, body.txs_count * sizeof(*block->receipts) + 1);
	for (size_t i = 0; i < body.txs_count; i++) {
		block->txs[i] = client_tx_of_bytes(world, body.txs[i]);
		block->receipts[i] = body.receipts[i];
		if (!block->txs[i])
			return false;
	}
	return true;
}

const struct bank_block *world_block(
	struct world *world, const struct block_ref *ref)
{
	const struct hash *network = &world->setup->genesis->network;
	bool is_new;
	struct bank_block *block =
		bank_put(&world->bank, ref, network, &is_new);
	unsigned long long height = ref->header.height;
	if (!block)
		world_fail(world, VERDICT_WRONG,
			"two blocks at height %llu have one hash", height);
	if (!block || !is_new)
		return block;
	if (block->number % VERIFY_EVERY == 0 &&
		block_verify(&block->ref, network) != ERR_OK)
		world_fail(world, VERDICT_WRONG,
			"the signature of a block at height %llu does not "
			"verify",
			height);
	if (!open_body(world, block)) {
		world_fail(world, VERDICT_WRONG,
			"a block at height %llu holds a transaction that "
			"nobody made",
			height);
		return NULL;
	}
	return block;
}

/* ---- a run ---- */

void world_open(struct world *world, struct setup *setup)
{
	memset(world, 0, sizeof(*world));
	world->setup = setup;
	bank_open(&world->bank);
}

void world_close(struct world *world)
{
	for (size_t i = 0; i < SIM_NODES_MAX; i++)
		node_free(&world->nodes[i]);
	bank_close(&world->bank);
	queue_free(&world->queue);
	net_free(&world->net);
	client_free(&world->clients);
	check_free(&world->checker);
}

static size_t draw_voters(struct world *world)
{
	static const uint8_t sizes[] = {1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 7};
	return sizes[world_below(world, sizeof(sizes))];
}

/* Packets of the run before go back to the list of free ones. */
static void drop_plans(struct world *world)
{
	for (size_t i = 0; i < world->queue.count; i++) {
		if (world->queue.items[i].kind == PLAN_PACKET)
			packet_drop(&world->net, world->queue.items[i].what);
	}
	queue_clear(&world->queue);
}

/* Blocks that are easy enough to be really mined. */
static void draw_rules(struct world *world)
{
	struct pow_rules *rules = &world->setup->genesis->pow;
	rules->bits = 0x2000ffff;
	rules->interval_ms = world_between(world, 150, 600);
	rules->retarget = POW_RETARGET_ASERT;
	rules->half_life_ms = POW_HALF_LIFE_INTERVALS * rules->interval_ms;
	rules->depth = (uint32_t)world_between(world, 1, 5);
	world->snapshot_every = 0; /* its log is kept for ever */
	world->mesh = true;
	world->election_ms = rules->interval_ms;
}

/* Some have many times the hash power of others. */
static double draw_rate(struct world *world)
{
	double share = 1000.0 / (double)world->setup->genesis->pow.interval_ms /
		       (double)world->node_count;
	return 256 * share * (double)world_between(world, 25, 300) / 100;
}

static void draw_settings(struct world *world, const struct options *options)
{
	world->harsh = options->mode == MODE_HARSH ||
		       (options->mode == MODE_MIXED && world->seed % 2 == 1);
	world->election_ms = world_between(world, 100, 300);
	world->heartbeat_ms = world->election_ms / 6;
	world->mesh = world_chance(world, 300);
	world->snapshot_every = (uint64_t)world_between(world, 4, 40);
	world->end_us = (int64_t)options->seconds * 1000000;
	if (options->engine->mines)
		draw_rules(world);
	size_t voters = options->nodes ? options->nodes : draw_voters(world);
	size_t others = voters + 2 <= SIM_NODES_MAX
				? (size_t)world_between(world, 0, 2)
				: 0;
	size_t standbys =
		others > 0 ? (size_t)world_below(world, others + 1) : 0;
	world->node_count = voters + others;
	setup_members(world->setup, voters, standbys);
}

static void begin_nodes(struct world *world)
{
	size_t members = world->setup->genesis->node_count;
	int64_t most = SKEW_MS * 1000 / 2;
	for (uint32_t i = 0; i < world->node_count; i++) {
		struct node *node = &world->nodes[i];
		node_clear(world, node, i);
		node->drift_ppm = world_between(world, -2000, 2000);
		node->wall_us = world_between(world, -most, most);
		node->gone = i >= members;
		if (world->options->engine->mines)
			node->mining.rate = draw_rate(world);
	}
	check_clear(world);
	for (uint32_t i = 0; i < members; i++)
		world_plan(world, world_between(world, 0, 100000), PLAN_START,
			i, world->nodes[i].life);
}

static void begin(
	struct world *world, const struct options *options, uint64_t seed)
{
	drop_plans(world);
	net_clear(&world->net);
	bank_clear(&world->bank);
	trace_clear(&world->trace);
	memset(&world->totals, 0, sizeof(world->totals));
	world->options = options;
	world->seed = seed;
	world->verdict = VERDICT_PASSED;
	world->why[0] = '\0';
	world->now_us = 0;
	world->healed = false;
	world->trace.out = options->trace ? stdout : NULL;
	random_seed(&world->random, seed);
	plant_begin(options->plant);
	draw_settings(world, options);
	fault_begin(world);
	begin_nodes(world);
	client_begin(world);
	if (!world->harsh)
		world_plan(world, world->end_us, PLAN_HEAL, 0, 0);
	else
		world_plan(world, world->end_us, PLAN_END, 0, 0);
}

/* ---- after the faults ---- */

static bool is_member(const struct world *world, const struct node *node)
{
	const struct checker_member *member =
		&world->checker.members[node->number];
	return member->voter || member->standby;
}

/* A node promised to remember it, and can bring it to the others. */
static bool is_owed(const struct world *world, const struct sim_tx *tx)
{
	const struct node *node = &world->nodes[tx->promised_by];
	return tx->promised && !tx->final && !(tx->twin && tx->twin->final) &&
	       node->core && is_member(world, node) &&
	       (time_ms)tx->view.body.valid_until > world->checker.model.time;
}

/* What is not done yet, or NULL. */
static const char *unsettled(const struct world *world, uint32_t *who)
{
	const struct checker *checker = &world->checker;
	*who = 0;
	if (client_waits(world))
		return "a client waits for its answer";
	for (size_t i = 0; i < world->clients.tx_count; i++) {
		const struct sim_tx *tx = world->clients.txs[i];
		*who = (uint32_t)i;
		if (is_owed(world, tx))
			return "a transaction that was received is not final";
	}
	for (size_t i = 0; i < world->node_count; i++) {
		const struct node *node = &world->nodes[i];
		*who = (uint32_t)i;
		if (node->core && is_member(world, node) &&
			node->final < checker->final_tip)
			return "a node is behind";
	}
	return NULL;
}

static int64_t settle_us(const struct world *world)
{
	int64_t limit = 2000 * SETTLE_ELECTIONS * world->election_ms;
	if (!world->options->engine->mines)
		return limit;
	/* Who has a small part of the hash power needs long for a block. */
	return 1000 * SETTLE_INTERVALS * world->setup->genesis->pow.interval_ms;
}

static void settle(struct world *world)
{
	int64_t since = world->now_us - world->heal_us;
	uint32_t who;
	const char *what = unsettled(world, &who);
	if (since > 3000 * world->election_ms && !what) {
		world->end_us = world->now_us;
		world->totals.settle_percent =
			(uint64_t)(since / (20 * world->election_ms));
		return;
	}
	if (since > settle_us(world)) {
		world_fail(world, VERDICT_STUCK,
			"%.1f s after the faults: %s (%u)", (double)since / 1e6,
			what ? what : "", who);
		return;
	}
	world_plan(world, SETTLE_LOOK_US, PLAN_SETTLE, 0, 0);
}

/* ---- one thing after another ---- */

static void on_packet(struct world *world, const struct plan *plan)
{
	struct packet *packet = plan->what;
	if (packet->to >= SIM_CLIENT) {
		client_packet(world, packet);
	} else if (world->nodes[packet->to].up && net_passes(world, packet)) {
		world->net.delivered++;
		node_packet(world, &world->nodes[packet->to], packet);
	}
	packet_drop(&world->net, packet);
}

/* Nothing reaches a process that is stopped: it waits. */
static bool waits(struct world *world, const struct plan *plan)
{
	bool node_plan_kind = plan->kind <= PLAN_FETCH;
	if (!node_plan_kind || plan->who >= world->node_count)
		return false;
	const struct node *node = &world->nodes[plan->who];
	if (!node->up || node->stopped_us <= world->now_us)
		return false;
	struct plan later = *plan;
	later.at_us = node->stopped_us;
	queue_put(&world->queue, later);
	return true;
}

static void happen(struct world *world, const struct plan *plan)
{
	switch (plan->kind) {
	case PLAN_PACKET:
		on_packet(world, plan);
		return;
	case PLAN_TIMER:
	case PLAN_DISK:
	case PLAN_SAVED:
	case PLAN_KEPT:
	case PLAN_RECEIVED:
	case PLAN_BUILD:
	case PLAN_FOUND:
	case PLAN_SIGN:
	case PLAN_FETCH:
		node_on_plan(world, &world->nodes[plan->who], plan);
		return;
	case PLAN_CLIENT:
		client_plan(world, plan);
		return;
	case PLAN_START:
	case PLAN_FAULT:
	case PLAN_MEND:
	case PLAN_WIPE:
		fault_plan(world, plan);
		return;
	case PLAN_HEAL:
		fault_heal(world);
		world->end_us = INT64_MAX;
		settle(world);
		return;
	case PLAN_SETTLE:
		settle(world);
		return;
	case PLAN_END:
		world->end_us = world->now_us;
		return;
	}
}

static bool is_void(const struct world *world)
{
	const struct totals *totals = &world->totals;
	return totals->acknowledged < 10 || totals->blocks < 10 ||
	       world->fault.count < 5;
}

enum verdict world_run(
	struct world *world, const struct options *options, uint64_t seed)
{
	struct plan plan;
	uint64_t storm = 0;
	begin(world, options, seed);
	while (world->verdict == VERDICT_PASSED &&
		world->now_us < world->end_us &&
		queue_take(&world->queue, &plan)) {
		storm = plan.at_us == world->now_us ? storm + 1 : 0;
		world->now_us = plan.at_us;
		if (storm > STORM_MAX)
			world_fail(world, VERDICT_STUCK, "time stands still");
		if (!waits(world, &plan))
			happen(world, &plan);
	}
	if (world->verdict == VERDICT_PASSED)
		check_end(world);
	world->totals.runs = 1;
	world->totals.virtual_us = (uint64_t)world->now_us;
	world->totals.packets = world->net.delivered;
	if (world->verdict == VERDICT_PASSED && is_void(world))
		return VERDICT_VOID;
	return world->verdict;
}
