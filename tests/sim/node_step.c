/* sim/node_step.c -- what reaches a node: packets, its disk, its timer. */
#include "node.h"

#include "base/check.h"
#include "world.h"

enum { FETCH_AGAIN_US = 200 * 1000 };

void node_plan(struct world *world, const struct node *node, int64_t after_us,
	enum plan_kind kind, uint64_t value, const void *what)
{
	queue_put(&world->queue, (struct plan){
					 .at_us = world->now_us + after_us,
					 .kind = kind,
					 .who = node->number,
					 .stamp = node->life,
					 .value = value,
					 .what = (void *)what,
				 });
}

int64_t node_disk_us(struct world *world, const struct node *node)
{
	return world_between(world, 50, 2000) + node->disk.slow_us;
}

void node_plan_timer(struct world *world, struct node *node, time_ms at)
{
	struct tick tick = {.now = node_now_us(world, node) / 1000};
	int64_t after = (at - tick.now) * 1000 + world_between(world, 0, 500);
	int64_t most = 3600 * (int64_t)1000000;
	if (after < 0)
		after = 0;
	if (at > tick.now + most / 1000)
		after = most;
	node_plan(world, node, after, PLAN_TIMER, ++node->timer_stamp, NULL);
	node->timer_at = at;
}

static void on_timer(struct world *world, struct node *node, uint64_t stamp)
{
	if (stamp != node->timer_stamp)
		return;
	struct tick tick = node_tick(world, node);
	if (tick.now < node->timer_at) {
		/* Its clock runs slow against the true one. */
		node_plan_timer(world, node, node->timer_at);
		return;
	}
	world_note(world, node, NOTE_TIMER, 0, 0, 0);
	replica_timer(node->replica, &tick, &world->outputs);
	node_carry_out(world, node);
}

static void on_disk(struct world *world, struct node *node)
{
	uint64_t task;
	if (fault_io(world, node)) {
		/* A failed sync is fatal: the process stops (design.md). */
		node_crash(world, node, false);
		fault_restart_later(world, node);
		return;
	}
	bool voted;
	bool done = disk_done(&node->disk, &task, &voted);
	CHECK(done);
	world_note(world, node, NOTE_SAVED, task, node->disk.durable.tip, 0);
	/* The answer to a later one may stand for this one too. */
	if (!plant_says_saved(world, node, &task) ||
		(disk_syncs(&node->disk) > 0 && world_chance(world, 200)))
		return;
	struct tick tick = node_tick(world, node);
	replica_saved(node->replica, &tick, task, &world->outputs);
	node_carry_out(world, node);
	if (voted)
		fault_voted(world, node);
}

static void on_saved(struct world *world, struct node *node, uint64_t task)
{
	struct tick tick = node_tick(world, node);
	replica_saved(node->replica, &tick, task, &world->outputs);
	node_carry_out(world, node);
}

/* ---- snapshots ---- */

static void on_fetch(struct world *world, struct node *node, uint64_t task)
{
	if (replica_fetching(node->replica) != task || node->fetch_task != task)
		return;
	struct node *peer = node_of_key(world, &node->fetch_from);
	struct packet *ask = packet_new(
		&world->net, PACKET_ASK_STATE, node->number, peer->number);
	ask->a = node->fetch_height;
	net_send(world, ask);
	node_plan(world, node, FETCH_AGAIN_US, PLAN_FETCH, task, NULL);
}

static void on_ask_state(
	struct world *world, struct node *node, const struct packet *packet)
{
	const struct bank_state *kept = disk_kept(&node->disk, packet->a);
	if (!kept || plant_is(world, PLANT_NO_STATE))
		return;
	struct packet *answer = packet_new(
		&world->net, PACKET_STATE, node->number, packet->from);
	answer->a = packet->a;
	answer->state = plant_state(world, kept);
	net_send(world, answer);
}

/* A fetched state is made durable before the engine hears of it. */
static void on_state(
	struct world *world, struct node *node, const struct packet *packet)
{
	if (replica_fetching(node->replica) != node->fetch_task ||
		packet->a != node->fetch_height)
		return;
	node->disk.keeping = packet->state;
	node_plan(world, node, node_disk_us(world, node), PLAN_KEPT,
		node->fetch_task, packet->state);
}

static void fetched(struct world *world, struct node *node,
	const struct bank_state *state, uint64_t task)
{
	/* Blocks may have come after all while it was fetched. */
	if (replica_fetching(node->replica) != task)
		return;
	const struct block_ref *ref = &state->block->ref;
	struct block_ref header;
	enum err err = block_open_header(&header, ref->header_bytes,
		&ref->signature, &world->setup->genesis->network);
	CHECK(err == ERR_OK);
	world_note(world, node, NOTE_FETCHED, ref->header.height, 0, task);
	check_snapshot(world, node, state->block);
	/* The log begins anew; the SAVE that follows makes that durable. */
	if (!plant_is(world, PLANT_KEEP_LOG))
		disk_reset(&node->disk, ref->header.height);
	uint64_t before = node->final;
	struct tick tick = node_tick(world, node);
	replica_fetched(node->replica, &tick, task, &header, state->bytes,
		&world->outputs);
	/* What was not final here may be undone first. */
	node->undo_floor = before;
	node->final = ref->header.height;
	node_carry_out(world, node);
	node->undo_floor = UINT64_MAX;
	world->totals.fetches++;
}

static void on_kept(
	struct world *world, struct node *node, const struct plan *plan)
{
	const struct bank_state *state = plan->what;
	struct disk *disk = &node->disk;
	uint64_t height = state->block->ref.header.height;
	if (disk->keeping == state)
		disk->keeping = NULL;
	disk_keep(disk, state);
	world_note(world, node, NOTE_KEPT, height, 0, 0);
	if (plan->value > 0)
		fetched(world, node, state, plan->value);
	else
		node_compact(world, node);
}

/* ---- the rest ---- */

static void on_relay(
	struct world *world, struct node *node, struct packet *packet)
{
	struct view blocks[ENGINE_ATTACH_MAX];
	static uint8_t headers[ENGINE_ATTACH_MAX][REPLICA_HEADER_MAX];
	for (size_t i = 0; i < packet->block_count; i++) {
		blocks[i] = packet->blocks[i]->ref.bytes;
		if (packet->headers)
			blocks[i] = view_of(headers[i],
				replica_header_only(headers[i], blocks[i]));
	}
	uint32_t from = plant_sender(world, packet);
	struct view message = view_of(packet->message, packet->message_size);
	world_note(world, node, NOTE_RECEIVE, from, message.size,
		packet->block_count);
	trace_bytes(&world->trace, message.data, message.size);
	world_remark(world, message);
	struct tick tick = node_tick(world, node);
	enum err err = replica_receive(node->replica, &tick,
		&world->nodes[from].self->key, message, blocks,
		packet->block_count, &world->outputs);
	if (err == ERR_OK) {
		node_carry_out(world, node);
		return;
	}
	world_note(world, node, NOTE_REFUSE, from, err, 0);
	if (err != ERR_TIME)
		world_fail(world, VERDICT_WRONG,
			"node %u refuses an honest message of node %u: %s",
			node->number, from, err_name(err));
}

static void on_build(struct world *world, struct node *node)
{
	node->build_planned = false;
	struct tick tick = node_tick(world, node);
	world_note(world, node, NOTE_BUILD, 0, 0, 0);
	replica_build(node->replica, &tick, &world->outputs);
	node_carry_out(world, node);
}

void node_packet(struct world *world, struct node *node, struct packet *packet)
{
	switch (packet->kind) {
	case PACKET_RELAY:
		on_relay(world, node, packet);
		return;
	case PACKET_CHECKPOINT:
		node_checkpoint(world, node, packet);
		return;
	case PACKET_FORWARD:
		node_forwarded(world, node, packet);
		return;
	case PACKET_ASK_STATE:
		on_ask_state(world, node, packet);
		return;
	case PACKET_STATE:
		on_state(world, node, packet);
		return;
	case PACKET_SUBMIT:
		node_submit(world, node, packet);
		return;
	case PACKET_READ:
		node_read(world, node, packet);
		return;
	case PACKET_ANSWER:
		CHECK(false);
	}
}

void node_on_plan(
	struct world *world, struct node *node, const struct plan *plan)
{
	if (plan->stamp != node->life || !node->up)
		return;
	if (plan->kind == PLAN_TIMER)
		on_timer(world, node, plan->value);
	else if (plan->kind == PLAN_DISK)
		on_disk(world, node);
	else if (plan->kind == PLAN_SAVED)
		on_saved(world, node, plan->value);
	else if (plan->kind == PLAN_KEPT)
		on_kept(world, node, plan);
	else if (plan->kind == PLAN_RECEIVED)
		node_received(world, node, plan->what);
	else if (plan->kind == PLAN_FOUND)
		node_found(world, node, plan->value);
	else if (plan->kind == PLAN_SIGN)
		node_signed(world, node, plan->what);
	else if (plan->kind == PLAN_FETCH)
		on_fetch(world, node, plan->value);
	else
		on_build(world, node);
}
