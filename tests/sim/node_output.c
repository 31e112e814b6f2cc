/* sim/node_output.c -- doing what a replica's outputs say, in their order. */
#include "node.h"

#include <string.h>

#include "base/check.h"
#include "world.h"

/* A block that the replica has at hand, or the log's. */
static const struct bank_block *block_at(
	struct world *world, struct node *node, uint64_t height)
{
	struct block_ref ref;
	struct view bytes;
	if (!replica_block(node->replica, height, &bytes))
		return disk_read(&node->disk, height);
	enum err err = block_open(&ref, bytes, &world->setup->genesis->network);
	CHECK(err == ERR_OK);
	return world_block(world, &ref);
}

/* Blocks that are not in the log, by their hashes. */
static bool attach_kept(struct world *world, struct node *node,
	struct packet *packet, const struct output *output)
{
	CHECK(output->hashes.size <= ENGINE_ATTACH_MAX * HASH_SIZE);
	for (size_t at = 0; at < output->hashes.size; at += HASH_SIZE) {
		struct block_ref ref;
		struct hash hash;
		struct view bytes;
		memcpy(hash.bytes, output->hashes.data + at, HASH_SIZE);
		bool kept = replica_shelf(node->replica, &hash, &bytes);
		CHECK(kept);
		enum err err = block_open(
			&ref, bytes, &world->setup->genesis->network);
		CHECK(err == ERR_OK);
		packet->blocks[packet->block_count++] =
			world_block(world, &ref);
	}
	return world->verdict == VERDICT_PASSED;
}

/* False: one is not in the log any more. */
static bool attach(struct world *world, struct node *node,
	struct packet *packet, const struct output *output)
{
	size_t bytes_used = 0;
	uint64_t wrong = plant_is(world, PLANT_WRONG_BLOCKS);
	if (output->hashes.size > 0)
		return attach_kept(world, node, packet, output);
	packet->headers = output->headers;
	CHECK(output->block_count <= ENGINE_ATTACH_MAX);
	for (uint32_t i = 0; i < output->block_count; i++) {
		const struct bank_block *block =
			block_at(world, node, output->blocks_from + i + wrong);
		if (!block)
			return false;
		bytes_used += output->headers ? REPLICA_HEADER_MAX
					      : block->ref.bytes.size;
		packet->blocks[packet->block_count++] = block;
	}
	CHECK(bytes_used <= ENGINE_ATTACH_BYTES_MAX);
	return true;
}

static void on_send(
	struct world *world, struct node *node, const struct output *output)
{
	const struct node *to = node_of_key(world, &output->to);
	CHECK(to && output->message.size <= ENGINE_MESSAGE_MAX);
	struct packet *packet =
		packet_new(&world->net, PACKET_RELAY, node->number, to->number);
	packet->message_size = output->message.size;
	memcpy(packet->message, output->message.data, output->message.size);
	if (!attach(world, node, packet, output)) {
		packet_drop(&world->net, packet);
		return;
	}
	world_note(world, node, NOTE_SEND, to->number, packet->message_size,
		packet->block_count);
	net_send(world, packet);
}

static void on_forward(
	struct world *world, struct node *node, const struct output *output)
{
	const struct node *to = node_of_key(world, &output->to);
	struct sim_tx *tx = client_tx_of_bytes(world, output->bytes);
	CHECK(to);
	if (!tx) {
		world_fail(world, VERDICT_WRONG,
			"node %u forwards a transaction that nobody made",
			node->number);
		return;
	}
	if (plant_is(world, PLANT_NO_FORWARD))
		return;
	struct packet *packet = packet_new(
		&world->net, PACKET_FORWARD, node->number, to->number);
	packet->tx = tx;
	world_note(world, node, NOTE_FORWARD, to->number, tx->index, 0);
	net_send(world, packet);
}

static void plan_sync(struct world *world, struct node *node)
{
	struct disk *disk = &node->disk;
	int64_t from =
		disk->idle_us > world->now_us ? disk->idle_us : world->now_us;
	disk->idle_us = from + node_disk_us(world, node);
	node_plan(
		world, node, disk->idle_us - world->now_us, PLAN_DISK, 0, NULL);
}

static void on_save(
	struct world *world, struct node *node, const struct output *output)
{
	struct disk *disk = &node->disk;
	if (output->message.size > 0)
		disk_record(disk, output->message);
	for (uint32_t i = 0; i < output->block_count; i++) {
		const struct bank_block *block =
			world_block(world, &output->blocks[i].ref);
		if (!block)
			return;
		uint64_t height = block->ref.header.height;
		if (height <= disk->written.base ||
			height > disk->written.tip + 1) {
			world_fail(world, VERDICT_WRONG,
				"node %u saves height %llu onto a log of "
				"(%llu, %llu]",
				node->number, (unsigned long long)height,
				(unsigned long long)disk->written.base,
				(unsigned long long)disk->written.tip);
			return;
		}
		disk_append(disk, block);
	}
	disk_sync(disk, output->task);
	world_note(world, node, NOTE_SAVE, output->task, output->block_count,
		output->message.size);
	plan_sync(world, node);
	plant_after_save(world, node, output->task);
}

static void on_timer(struct world *world, struct node *node, time_ms at)
{
	if (!plant_loses_timer(world))
		node_plan_timer(world, node, at);
}

static void on_fetch(
	struct world *world, struct node *node, const struct output *output)
{
	const struct node *from = node_of_key(world, &output->to);
	CHECK(from);
	node->fetch_task = output->task;
	node->fetch_height = output->height;
	node->fetch_from = output->to;
	world_note(world, node, NOTE_FETCH, output->height, from->number, 0);
	node_plan(world, node, 0, PLAN_FETCH, output->task, NULL);
}

/* Several heights may be said by the last one: the log has the others. */
static void on_final(
	struct world *world, struct node *node, const struct output *output)
{
	while (node->final < output->height) {
		uint64_t height = ++node->final;
		const struct bank_block *block = disk_read(&node->disk, height);
		if (!block || (height == output->height &&
				      output->block.bytes.size > 0 &&
				      !hash_equal(&block->ref.hash,
					      &output->block.hash))) {
			world_fail(world, VERDICT_WRONG,
				"node %u says height %llu is final and has "
				"%s block there",
				node->number, (unsigned long long)height,
				block ? "another" : "no");
			return;
		}
		world_note(world, node, NOTE_FINAL, height, block->number, 0);
		check_final(world, node, block);
		if (world->verdict != VERDICT_PASSED)
			return;
		if (height == output->height && output->moves)
			check_moves(world, node, block, output->moves);
		node_answer_final(world, node, block);
	}
}

static void on_ordered(
	struct world *world, struct node *node, const struct output *output)
{
	const struct bank_block *block = world_block(world, &output->block);
	if (!block)
		return;
	world_note(world, node, NOTE_ORDERED, output->height, block->number, 0);
	plant_on_ordered(world, node, block);
}

static void on_reverted(
	struct world *world, struct node *node, const struct output *output)
{
	world->totals.reverts++;
	world_note(world, node, NOTE_REVERTED, output->height, 0, 0);
	uint64_t floor =
		node->final < node->undo_floor ? node->final : node->undo_floor;
	if (output->height < floor)
		world_fail(world, VERDICT_WRONG,
			"node %u undoes above %llu, which is below its final "
			"%llu",
			node->number, (unsigned long long)output->height,
			(unsigned long long)floor);
}

static void on_snapshot(
	struct world *world, struct node *node, const struct output *output)
{
	const struct bank_block *block = world_block(world, &output->block);
	if (!block)
		return;
	const struct bank_state *state =
		bank_put_state(&world->bank, block, output->bytes);
	world_note(world, node, NOTE_SNAPSHOT, output->height,
		output->bytes.size, 0);
	if (!state) {
		world_fail(world, VERDICT_WRONG,
			"node %u: its snapshot at height %llu differs from "
			"another node's",
			node->number, (unsigned long long)output->height);
		return;
	}
	world->totals.snapshots++;
	node->disk.keeping = state;
	node_plan(world, node, 4 * node_disk_us(world, node), PLAN_KEPT, 0,
		state);
}

/* Not in the middle of a list. */
static void on_replay(struct world *world, struct node *node, uint64_t height)
{
	node->again = true;
	node->again_at = height;
	node_plan(world, node, 0, PLAN_START, 0, NULL);
}

static void carry_out(
	struct world *world, struct node *node, const struct output *output)
{
	switch (output->type) {
	case OUTPUT_SEND:
		on_send(world, node, output);
		return;
	case OUTPUT_FORWARD:
		on_forward(world, node, output);
		return;
	case OUTPUT_SAVE:
		on_save(world, node, output);
		return;
	case OUTPUT_TIMER:
		on_timer(world, node, output->at);
		return;
	case OUTPUT_FETCH:
		on_fetch(world, node, output);
		return;
	case OUTPUT_ORDERED:
		on_ordered(world, node, output);
		return;
	case OUTPUT_REVERTED:
		on_reverted(world, node, output);
		return;
	case OUTPUT_FINAL:
		on_final(world, node, output);
		return;
	case OUTPUT_SNAPSHOT:
		on_snapshot(world, node, output);
		return;
	case OUTPUT_READY:
		node_ready(world, node, output);
		return;
	case OUTPUT_MEMBERS:
		world_note(world, node, NOTE_MEMBERS, 0, 0, 0);
		return;
	case OUTPUT_MINE:
		node_mine(world, node, output);
		return;
	case OUTPUT_SIGN:
		node_sign(world, node, output);
		return;
	case OUTPUT_FAULT:
		node_fault(world, node, output);
		return;
	case OUTPUT_CHECKPOINT:
		node_send_checkpoint(world, node, output);
		return;
	case OUTPUT_CERTIFIED:
		node_certified(world, node, output);
		return;
	case OUTPUT_EVIDENCE:
		world_fail(world, VERDICT_WRONG,
			"node %u: evidence that somebody signed twice at "
			"height %llu",
			node->number, (unsigned long long)output->height);
		return;
	case OUTPUT_REPLAY:
		on_replay(world, node, output->height);
		return;
	case OUTPUT_HALT:
		world_note(
			world, node, NOTE_HALT, output->err, output->height, 0);
		world_fail(world, VERDICT_WRONG,
			"node %u must hold block %llu and finds it invalid: %s",
			node->number, (unsigned long long)output->height,
			err_name(output->err));
		return;
	}
}

void node_carry_out(struct world *world, struct node *node)
{
	for (size_t i = 0; i < world->outputs.count; i++) {
		if (world->verdict != VERDICT_PASSED)
			return;
		carry_out(world, node, &world->outputs.items[i]);
	}
	check_node(world, node);
}
