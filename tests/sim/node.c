/* sim/node.c -- a node's life: start from what is durable, step, crash. */
#include "node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "world.h"

void node_clear(struct world *world, struct node *node, uint32_t number)
{
	disk_clear(&node->disk);
	node->number = number;
	node->self = &world->setup->nodes[number];
	node->up = false;
	node->stopped_us = 0;
	node->gone = false;
	node->core = false;
	node->again = false;
	memset(&node->status, 0, sizeof(node->status));
	node->life = 0;
	node->replica = NULL;
	node->drift_ppm = 0;
	node->wall_us = 0;
	node->certificate_size = 0;
	memset(node->signed_blocks, 0, sizeof(node->signed_blocks));
	node->received_count = 0;
	node->read_task = 0;
}

void node_free(struct node *node)
{
	disk_free(&node->disk);
	if (node->memory)
		munmap(node->memory, node->memory_size);
	memset(node, 0, sizeof(*node));
}

struct node *node_of_key(struct world *world, const struct key *key)
{
	for (size_t i = 0; i < world->node_count; i++) {
		if (key_equal(&world->nodes[i].self->key, key))
			return &world->nodes[i];
	}
	return NULL;
}

/* Each node's monotonic clock starts elsewhere and runs a little wrong. */
int64_t node_now_us(const struct world *world, const struct node *node)
{
	return (int64_t)node->number * 1000000 + world->now_us +
	       world->now_us * node->drift_ppm / 1000000;
}

struct tick node_tick(struct world *world, const struct node *node)
{
	return (struct tick){
		.now = node_now_us(world, node) / 1000,
		.wall = world->setup->start +
			(world->now_us + node->wall_us) / 1000,
		.random = random_next(&world->random),
	};
}

/* Zeroed memory: only the pages that a life touched are given back. */
static void *fresh_memory(struct node *node, size_t size)
{
	if (node->memory_size >= size) {
		int rc =
			madvise(node->memory, node->memory_size, MADV_DONTNEED);
		CHECK(rc == 0);
		return node->memory;
	}
	if (node->memory)
		munmap(node->memory, node->memory_size);
	node->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(node->memory != MAP_FAILED);
	node->memory_size = size;
	return node->memory;
}

static struct replica *fresh_replica(struct world *world, struct node *node)
{
	struct replica_config config = {
		.engine = world->options->engine,
		.genesis = world->setup->genesis,
		.self = node->self,
		.limits = replica_limits_small,
		.election_ms = world->election_ms,
		.heartbeat_ms = world->heartbeat_ms,
		.skew_ms = SKEW_MS,
		.mesh = world->mesh,
		.forgotten_height = disk_owed(&node->disk),
	};
	config.limits.snapshot_every = world->snapshot_every;
	struct replica *replica = NULL;
	void *memory = fresh_memory(node, replica_bytes(&config));
	enum err err = replica_init(&replica, memory, &config);
	CHECK(err == ERR_OK);
	return replica;
}

/* A snapshot that the log does not lead to: the log begins anew after it. */
static const struct bank_state *boot_snapshot(
	struct world *world, struct node *node)
{
	struct disk *disk = &node->disk;
	const struct bank_state *kept = disk->kept[0];
	if (!kept)
		return NULL;
	uint64_t height = kept->block->ref.header.height;
	if (height < disk->durable.base) {
		world_fail(world, VERDICT_WRONG,
			"node %u: no snapshot reaches its log", node->number);
		return NULL;
	}
	bool leads = height == disk->durable.base ||
		     disk_durable(disk, height) == kept->block;
	if (!leads)
		disk_restart(disk, height);
	else if (disk->durable.base == 0 && world_chance(world, 500))
		return NULL; /* the log alone is enough */
	return kept;
}

static void restore(struct world *world, struct node *node)
{
	const struct bank_state *kept = boot_snapshot(world, node);
	uint64_t height = 0;
	enum err err = ERR_OK;
	if (kept) {
		height = kept->block->ref.header.height;
		err = replica_restore_snapshot(
			node->replica, &kept->block->ref, kept->bytes);
	}
	node->final = height;
	if (kept)
		check_snapshot(world, node, kept->block);
	while (err == ERR_OK && height < node->disk.durable.tip) {
		const struct bank_block *block =
			disk_durable(&node->disk, ++height);
		err = replica_restore_block(node->replica, block->ref.bytes);
	}
	if (err != ERR_OK)
		world_fail(world, VERDICT_WRONG,
			"node %u: its own disk is refused at height %llu: %s",
			node->number, (unsigned long long)height,
			err_name(err));
}

void node_start(struct world *world, struct node *node)
{
	CHECK(!node->up);
	node->again = false;
	node->up = true;
	node->stopped_us = 0;
	node->life++;
	node->build_planned = false;
	node->fetch_task = 0;
	node->undo_floor = UINT64_MAX;
	node->waiter_count = 0;
	node->reading_count = 0;
	memset(&node->status, 0, sizeof(node->status));
	node->replica = fresh_replica(world, node);
	restore(world, node);
	struct disk_image *disk = &node->disk.durable;
	world_note(world, node, NOTE_START, disk->tip, disk->base,
		disk->record_size);
	if (world->verdict != VERDICT_PASSED)
		return;
	struct tick tick = node_tick(world, node);
	replica_start(node->replica, &tick,
		view_of(disk->record, disk->record_size), &world->outputs);
	node_carry_out(world, node);
	node_prove(world, node);
	node_remember(world, node);
}

void node_crash(struct world *world, struct node *node, bool kept_all)
{
	if (!node->up)
		return;
	size_t lost = disk_crash(&node->disk, &world->random, kept_all);
	plant_after_crash(world, node);
	size_t kept = 0;
	for (size_t i = 0; i < node->received_count; i++) {
		const struct received *one = &node->received[i];
		if (kept_all || one->durable_us <= world->now_us)
			node->received[kept++] = *one;
	}
	node->received_count = kept;
	node->up = false;
	node->stopped_us = 0;
	node->life++;
	node->replica = NULL;
	world_note(world, node, NOTE_CRASH, lost, 0, 0);
}

void node_begin_again(struct world *world, struct node *node)
{
	uint64_t height = node->again_at;
	node_crash(world, node, true);
	disk_cut(&node->disk, height);
	node_start(world, node);
}

void node_transfer(struct world *world, struct node *node)
{
	struct tick tick = node_tick(world, node);
	replica_transfer(node->replica, &tick, &world->outputs);
	node_carry_out(world, node);
}

/* Forget the beginning of the log: a snapshot stands for it. The files are
 * deleted one by one, so more may be left than the engine counts on. */
void node_compact(struct world *world, struct node *node)
{
	struct disk *disk = &node->disk;
	const struct bank_state *kept =
		disk->kept[disk->kept[1] && world_chance(world, 600)];
	if (!kept)
		return;
	uint64_t height = kept->block->ref.header.height;
	if (height > disk->durable.tip || height > node->final ||
		height <= disk->written.base)
		return;
	uint64_t left = world_below(world, height - disk->written.base);
	disk_compact(disk, height - left);
	world_note(world, node, NOTE_COMPACT, height, left, 0);
	struct tick tick = node_tick(world, node);
	replica_forgot(node->replica, &tick, height, &world->outputs);
	node_carry_out(world, node);
}
