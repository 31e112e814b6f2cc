/* sim/node_mine.c -- miners, and what nodes sign: for engines that mine.
 *
 * When a block is found is drawn, as a Poisson process of the node's own hash
 * power; the nonce is then really searched, so a block of the simulation is a
 * block.
 */
#include "node.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "consensus/pow/seal.h"
#include "consensus/pow/target.h"
#include "world.h"

void node_mine(
	struct world *world, struct node *node, const struct output *output)
{
	struct mining *mining = &node->mining;
	mining->task = output->task;
	mining->header_size = output->bytes.size;
	world_note(world, node, NOTE_MINE, output->task, output->height,
		output->bytes.size);
	if (output->bytes.size == 0)
		return;
	CHECK(output->bytes.size <= sizeof(mining->header));
	memcpy(mining->header, output->bytes.data, output->bytes.size);
	mining->field = output->field;
	mining->bits = output->bits;
	struct number work = work_of_bits(output->bits);
	double chance = (double)(world_below(world, 1 << 30) + 1) / (1 << 30);
	double seconds = -log(chance) * number_double(&work) / mining->rate;
	if (seconds > 3600)
		seconds = 3600;
	node_plan(world, node, (int64_t)(seconds * 1e6), PLAN_FOUND,
		output->task, NULL);
}

/* The nonce that makes this seal one, and the extra that it took. */
static uint32_t search(
	struct world *world, const struct mining *mining, uint64_t *extra)
{
	struct view header = view_of(mining->header, mining->header_size);
	uint8_t seal[SEAL_SIZE], target[32];
	struct number number;
	uint32_t nonce;
	bool good = target_of_bits(&number, mining->bits);
	CHECK(good);
	number_little(&number, target);
	*extra = random_next(&world->random);
	for (;; (*extra)++) {
		pow_seal(seal, header, mining->field, *extra);
		if (sha256d_search(seal, target, 0, UINT32_MAX, &nonce))
			return nonce;
	}
}

void node_found(struct world *world, struct node *node, uint64_t task)
{
	const struct mining *mining = &node->mining;
	uint64_t extra;
	if (task != mining->task || mining->header_size == 0)
		return;
	uint32_t nonce = search(world, mining, &extra);
	struct tick tick = node_tick(world, node);
	world_note(world, node, NOTE_MINED, task, 0, 0);
	bool meets = replica_mined(
		node->replica, &tick, task, extra, nonce, &world->outputs);
	CHECK(meets);
	node_carry_out(world, node);
}

/* ---- signatures ---- */

static const struct bank_block **signed_at(struct node *node, uint64_t height)
{
	return &node->signed_blocks[height % SIGNED_MAX];
}

static void sign_again(struct world *world, struct node *node, uint64_t height)
{
	const struct bank_block *block = *signed_at(node, height);
	if (block && block->ref.header.height == height)
		node_plan(world, node, 0, PLAN_SIGN, 0, block);
}

void node_sign(
	struct world *world, struct node *node, const struct output *output)
{
	static const struct hash nothing = {{0}};
	if (hash_equal(&output->hash, &nothing)) {
		sign_again(world, node, output->height);
		return;
	}
	const struct bank_block *block = bank_find(&world->bank, &output->hash);
	if (!block ||
		!hash_equal(&block->ref.header.state_root, &output->state_root))
		world_fail(world, VERDICT_WRONG,
			"node %u signs a block that nobody made", node->number);
	world_note(world, node, NOTE_SIGN, output->height,
		block ? block->number : 0, 0);
	if (world->verdict == VERDICT_PASSED)
		node_plan(world, node, 0, PLAN_SIGN, 0, block);
}

void node_signed(
	struct world *world, struct node *node, const struct bank_block *block)
{
	struct checkpoint_statement statement = checkpoint_of(&block->ref);
	struct signed_checkpoint said;
	checkpoint_sign(
		&said, &statement, node->self, &world->setup->genesis->network);
	struct tick tick = node_tick(world, node);
	check_signed(world, node, block);
	*signed_at(node, block->ref.header.height) = block;
	replica_signed(node->replica, &tick, &said, &world->outputs);
	node_carry_out(world, node);
	replica_signed_kept(node->replica, &tick, &said, &world->outputs);
	node_carry_out(world, node);
}

void node_send_checkpoint(
	struct world *world, struct node *node, const struct output *output)
{
	const struct node *to = node_of_key(world, &output->to);
	CHECK(to && output->bytes.size <= ENGINE_MESSAGE_MAX);
	struct packet *packet = packet_new(
		&world->net, PACKET_CHECKPOINT, node->number, to->number);
	packet->message_size = output->bytes.size;
	memcpy(packet->message, output->bytes.data, output->bytes.size);
	net_send(world, packet);
}

void node_checkpoint(
	struct world *world, struct node *node, const struct packet *packet)
{
	struct tick tick = node_tick(world, node);
	enum err err = replica_checkpoint(node->replica, &tick,
		&world->nodes[packet->from].self->key,
		view_of(packet->message, packet->message_size),
		&world->outputs);
	if (err == ERR_OK)
		node_carry_out(world, node);
	else
		world_fail(world, VERDICT_WRONG,
			"node %u refuses a checkpoint of node %u: %s",
			node->number, packet->from, err_name(err));
}

/* On disk at once; a crash may then forget the block that it is about. */
void node_certified(
	struct world *world, struct node *node, const struct output *output)
{
	world_note(world, node, NOTE_CERTIFIED, output->height, 0, 0);
	CHECK(output->bytes.size <= sizeof(node->certificate));
	node->certificate_size = output->bytes.size;
	memcpy(node->certificate, output->bytes.data, output->bytes.size);
}

void node_prove(struct world *world, struct node *node)
{
	uint8_t copy[CERTIFICATE_BYTES_MAX];
	size_t size = node->certificate_size;
	if (size == 0 || world->verdict != VERDICT_PASSED)
		return;
	memcpy(copy, node->certificate, size);
	struct tick tick = node_tick(world, node);
	enum err err = replica_certificate(
		node->replica, &tick, view_of(copy, size), &world->outputs);
	CHECK(err == ERR_OK);
	node_carry_out(world, node);
}

/* ---- faults that an engine finds in honest peers ---- */

void node_fault(
	struct world *world, struct node *node, const struct output *output)
{
	static const bool honest[ENGINE_FAULTS] = {
		[ENGINE_FAULT_TIME] = true,       /* its clock, or ours */
		[ENGINE_FAULT_CHECKPOINT] = true, /* it has not heard of it */
		[ENGINE_FAULT_PARENT] = true,     /* the answer was lost */
		[ENGINE_FAULT_WITHHELD] = true,
	};
	const struct node *of = node_of_key(world, &output->to);
	world_note(world, node, NOTE_BLAME, of ? of->number : 99, output->fault,
		output->height);
	if (!honest[output->fault])
		world_fail(world, VERDICT_WRONG,
			"node %u blames node %u: %s (height %llu)",
			node->number, of ? of->number : 99,
			engine_fault_text(output->fault),
			(unsigned long long)output->height);
}
