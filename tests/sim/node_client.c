/* sim/node_client.c -- what a node tells its clients, and when it may. */
#include "node.h"

#include <string.h>

#include "base/check.h"
#include "world.h"

static void plan_build(struct world *world, struct node *node)
{
	if (node->build_planned)
		return;
	node->build_planned = true;
	node_plan(world, node, world_between(world, 0, 1500), PLAN_BUILD, 0,
		NULL);
}

static struct packet *answer(struct world *world, struct node *node,
	const struct waiter *waiter, uint8_t status)
{
	struct packet *packet = packet_new(
		&world->net, PACKET_ANSWER, node->number, waiter->client);
	packet->a = waiter->request;
	packet->tx = waiter->tx;
	packet->status = status;
	return packet;
}

static void send_answer(
	struct world *world, struct node *node, struct packet *packet)
{
	world_note(world, node, NOTE_ANSWER, packet->to,
		packet->tx ? packet->tx->index : 0, packet->status);
	net_send(world, packet);
}

static void answer_refused(struct world *world, struct node *node,
	const struct waiter *waiter, enum err err)
{
	struct packet *packet = answer(world, node, waiter, TOLD_REFUSED);
	packet->err = err;
	send_answer(world, node, packet);
}

/* Say that it is final, which is what the ledger must keep for ever. */
static void answer_final(struct world *world, struct node *node,
	const struct waiter *waiter, const struct bank_block *block,
	uint16_t index)
{
	struct view receipt = plant_receipt(world, block->receipts[index]);
	check_acknowledged(world, node, waiter->tx, block->ref.header.height,
		index, receipt);
	struct packet *packet = answer(world, node, waiter, TOLD_FINAL);
	packet->height = block->ref.header.height;
	packet->index = index;
	packet->receipt = receipt;
	send_answer(world, node, packet);
}

/* A transaction of this block has waiters: answer and forget them. */
static void answer_waiters(struct world *world, struct node *node,
	const struct bank_block *block, uint16_t index)
{
	size_t kept = 0;
	for (size_t i = 0; i < node->waiter_count; i++) {
		struct waiter waiter = node->waiters[i];
		if (waiter.tx == block->txs[index])
			answer_final(world, node, &waiter, block, index);
		else
			node->waiters[kept++] = waiter;
	}
	node->waiter_count = kept;
}

static void forget_received(struct node *node, const struct sim_tx *tx)
{
	size_t kept = 0;
	for (size_t i = 0; i < node->received_count; i++) {
		if (node->received[i].tx != tx)
			node->received[kept++] = node->received[i];
	}
	node->received_count = kept;
}

void node_answer_final(
	struct world *world, struct node *node, const struct bank_block *block)
{
	for (size_t i = 0; i < block->tx_count; i++) {
		answer_waiters(world, node, block, (uint16_t)i);
		forget_received(node, block->txs[i]);
	}
}

static void wait(struct node *node, const struct waiter *waiter)
{
	for (size_t i = 0; i < node->waiter_count; i++) {
		if (node->waiters[i].request == waiter->request &&
			node->waiters[i].client == waiter->client)
			return;
	}
	if (node->waiter_count == WAITERS_MAX) {
		node->waiter_count--;
		memmove(node->waiters, node->waiters + 1,
			node->waiter_count * sizeof(node->waiters[0]));
	}
	node->waiters[node->waiter_count++] = *waiter;
}

static void receive(
	struct world *world, struct node *node, const struct sim_tx *tx)
{
	for (size_t i = 0; i < node->received_count; i++) {
		if (node->received[i].tx == tx)
			return;
	}
	if (node->received_count == RECEIVED_MAX)
		return; /* not promised then */
	int64_t after = node_disk_us(world, node);
	node->received[node->received_count++] = (struct received){
		.tx = tx,
		.durable_us = world->now_us + after,
	};
	node_plan(world, node, after, PLAN_RECEIVED, 0, tx);
}

/* The promise is on disk: say so to who waits. */
void node_received(
	struct world *world, struct node *node, const struct sim_tx *tx)
{
	for (size_t i = 0; i < node->waiter_count; i++) {
		const struct waiter *waiter = &node->waiters[i];
		if (waiter->tx == tx)
			send_answer(world, node,
				answer(world, node, waiter, TOLD_RECEIVED));
	}
}

void node_submit(
	struct world *world, struct node *node, const struct packet *packet)
{
	struct sim_tx *tx = packet->tx;
	struct waiter waiter = {
		.client = packet->from,
		.request = packet->a,
		.tx = tx,
	};
	uint16_t index;
	const struct bank_block *block = check_find(world, tx, &index);
	if (block && block->ref.header.height <= node->final) {
		/* The index has it. */
		answer_final(world, node, &waiter, block, index);
		return;
	}
	struct tick tick = node_tick(world, node);
	enum err err = replica_submit(
		node->replica, &tick, &tx->view, true, &world->outputs);
	world_note(world, node, NOTE_SUBMIT, packet->from, tx->index, err);
	if (err != ERR_OK && err != ERR_EXISTS) {
		answer_refused(world, node, &waiter, err);
		return;
	}
	wait(node, &waiter);
	receive(world, node, tx);
	if (err == ERR_OK) {
		node_carry_out(world, node);
		plan_build(world, node);
	}
}

void node_forwarded(
	struct world *world, struct node *node, const struct packet *packet)
{
	struct tick tick = node_tick(world, node);
	enum err err = replica_submit(node->replica, &tick, &packet->tx->view,
		false, &world->outputs);
	world_note(world, node, NOTE_FORWARDED, packet->from, packet->tx->index,
		err);
	if (err != ERR_OK)
		return;
	node_carry_out(world, node);
	plan_build(world, node);
}

void node_remember(struct world *world, struct node *node)
{
	size_t kept = 0;
	if (plant_forgets_received(world))
		node->received_count = 0;
	for (size_t i = 0; i < node->received_count; i++) {
		struct received one = node->received[i];
		struct tick tick = node_tick(world, node);
		enum err err = replica_submit(node->replica, &tick,
			&one.tx->view, true, &world->outputs);
		if (err == ERR_OK)
			node_carry_out(world, node);
		if (err == ERR_OK || err == ERR_EXISTS || err == ERR_BUSY)
			node->received[kept++] = one;
	}
	node->received_count = kept;
	plan_build(world, node);
}

/* ---- reads ---- */

void node_read(
	struct world *world, struct node *node, const struct packet *packet)
{
	if (node->reading_count == WAITERS_MAX)
		return;
	struct reading *reading = &node->readings[node->reading_count++];
	*reading = (struct reading){
		.client = packet->from,
		.request = packet->a,
		.task = ++node->read_task,
		.floor = world->checker.acknowledged_height,
	};
	world_note(world, node, NOTE_READ, packet->from, reading->task, 0);
	if (plant_reads_at_once(world, node))
		return;
	struct tick tick = node_tick(world, node);
	replica_read(node->replica, &tick, reading->task, &world->outputs);
	node_carry_out(world, node);
}

/* What is read is the final state here; it must not be older than anything
 * that was acknowledged anywhere before the read began. */
void node_ready(
	struct world *world, struct node *node, const struct output *output)
{
	world_note(world, node, NOTE_READY, output->task, output->ok,
		output->height);
	for (size_t i = 0; i < node->reading_count; i++) {
		struct reading reading = node->readings[i];
		if (reading.task != output->task)
			continue;
		node->readings[i] = node->readings[--node->reading_count];
		struct packet *packet = packet_new(&world->net, PACKET_ANSWER,
			node->number, reading.client);
		packet->a = reading.request;
		packet->status = output->ok ? TOLD_READ : TOLD_REFUSED;
		packet->err = output->ok ? ERR_OK : ERR_BEHIND;
		packet->height = output->height;
		if (output->ok)
			check_read(world, node, output->height, reading.floor);
		send_answer(world, node, packet);
		return;
	}
}
