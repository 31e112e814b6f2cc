/* sim/check.c -- the judges. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

typedef unsigned long long big; /* for printing */

void check_clear(struct world *world)
{
	struct checker *checker = &world->checker;
	const struct genesis *genesis = world->setup->genesis;
	checker->final_tip = 0;
	checker->acknowledged_height = 0;
	checker->acknowledged_count = 0;
	memset(checker->leaders, 0, checker->term_top + 1);
	checker->term_top = 0;
	checker->voters = 0;
	if (world->options->engine->mines)
		memset(checker->signed_at, 0, sizeof(checker->signed_at));
	memset(checker->members, 0, sizeof(checker->members));
	for (size_t i = 0; i < genesis->node_count; i++) {
		const struct node *node =
			node_of_key(world, &genesis->nodes[i].key);
		check_member(world, node, (uint8_t)genesis->nodes[i].role);
	}
	model_clear(&checker->model, genesis);
}

void check_free(struct checker *checker)
{
	free(checker->final);
	free(checker->moves);
	free(checker->acknowledged);
	model_free(&checker->model);
	memset(checker, 0, sizeof(*checker));
}

void check_member(struct world *world, const struct node *node, uint8_t role)
{
	struct checker *checker = &world->checker;
	struct checker_member *member = &checker->members[node->number];
	member->voter = role == 2;
	member->standby = role == 1;
	checker->voters = 0;
	for (size_t i = 0; i < SIM_NODES_MAX; i++)
		checker->voters += checker->members[i].voter;
	if (role == 0)
		fault_left(world, node->number);
}

/* ---- final blocks ---- */

static bool has_durably(const struct node *node, const struct bank_block *block)
{
	uint64_t height = block->ref.header.height;
	/* Who forgot it votes for nobody before it is back. */
	return node->disk.durable.base >= height ||
	       disk_owed(&node->disk) >= height ||
	       disk_durable(&node->disk, height) == block;
}

/*
 * Final means durable on a majority of the voters. While members change, the
 * engine counts by the change it has already written: one node more or fewer.
 */
static void check_durable(struct world *world, const struct bank_block *block)
{
	const struct checker *checker = &world->checker;
	if (world->totals.leaders == 0)
		return; /* an engine without leaders has another rule */
	size_t has = 0, others = 0;
	for (size_t i = 0; i < world->node_count; i++) {
		if (!has_durably(&world->nodes[i], block))
			continue;
		if (checker->members[i].voter)
			has++;
		else
			others++;
	}
	size_t voters = checker->voters;
	bool enough = has >= voters / 2 + 1;
	if (!enough && world->fault.member_changes > 0)
		enough = has >= (voters - 1) / 2 + 1 ||
			 (others > 0 && has + 1 >= (voters + 1) / 2 + 1);
	if (!enough)
		world_fail(world, VERDICT_WRONG,
			"height %llu is final and durable on %zu of %zu voters",
			(big)block->ref.header.height, has, voters);
}

static void check_next(struct world *world, const struct bank_block *block)
{
	const struct checker *checker = &world->checker;
	const struct genesis *genesis = world->setup->genesis;
	const struct header *header = &block->ref.header;
	const struct bank_block *before =
		header->height > 1 ? checker->final[header->height - 1] : NULL;
	const struct hash *parent =
		before ? &before->ref.hash : &genesis->network;
	uint64_t time =
		before ? before->ref.header.time : (uint64_t)genesis->time;
	if (!hash_equal(&header->parent, parent))
		world_fail(world, VERDICT_WRONG,
			"final height %llu is not on final height %llu",
			(big)header->height, (big)header->height - 1);
	if (header->time <= time)
		world_fail(world, VERDICT_WRONG,
			"block time does not increase at height %llu",
			(big)header->height);
	/* Clocks are within half of the skew, until faults are harsh. */
	time_ms now = world->setup->start + world->now_us / 1000;
	if (!world->harsh && (time_ms)header->time > now + SKEW_MS)
		world_fail(world, VERDICT_WRONG,
			"height %llu is made in the future",
			(big)header->height);
}

static void append_final(struct world *world, const struct bank_block *block)
{
	struct checker *checker = &world->checker;
	uint64_t height = block->ref.header.height;
	if (height >= checker->final_room) {
		checker->final_room =
			checker->final_room ? 2 * checker->final_room : 1024;
		checker->final = realloc(checker->final,
			checker->final_room * sizeof(*checker->final));
		checker->moves = realloc(checker->moves,
			checker->final_room * sizeof(*checker->moves));
		CHECK(checker->final && checker->moves);
	}
	checker->final[height] = block;
	checker->moves[height] = 0;
	checker->final_tip = height;
	world->totals.blocks++;
	world->totals.txs += block->tx_count;
	for (size_t i = 0; i < block->tx_count; i++) {
		struct sim_tx *tx = block->txs[i];
		if (tx->final)
			world_fail(world, VERDICT_WRONG,
				"transaction %u is in heights %llu and %llu",
				tx->index, (big)tx->final->ref.header.height,
				(big)height);
		if (height <= tx->floor)
			world_fail(world, VERDICT_WRONG,
				"transaction %u is at height %llu, and %llu "
				"was acknowledged before it was made",
				tx->index, (big)height, (big)tx->floor);
		tx->final = block;
		tx->final_index = (uint16_t)i;
	}
}

void check_final(struct world *world, const struct node *node,
	const struct bank_block *block)
{
	struct checker *checker = &world->checker;
	uint64_t height = block->ref.header.height;
	if (height > checker->final_tip + 1) {
		world_fail(world, VERDICT_WRONG,
			"node %u: height %llu is final before height %llu",
			node->number, (big)height, (big)checker->final_tip + 1);
		return;
	}
	if (height <= checker->final_tip) {
		if (checker->final[height] != block)
			world_fail(world, VERDICT_WRONG,
				"node %u: another final block at height %llu",
				node->number, (big)height);
		return;
	}
	check_next(world, block);
	check_durable(world, block);
	if (world->verdict != VERDICT_PASSED)
		return;
	append_final(world, block);
	char why[200];
	if (!model_apply(&checker->model, world, block, why))
		world_fail(world, VERDICT_WRONG, "height %llu: %s", (big)height,
			why);
}

void check_signed(struct world *world, const struct node *node,
	const struct bank_block *block)
{
	uint64_t height = block->ref.header.height;
	CHECK(height < CHECK_SIGNED_MAX);
	const struct bank_block **at =
		&world->checker.signed_at[node->number][height];
	if (*at && *at != block)
		world_fail(world, VERDICT_WRONG,
			"node %u signs two blocks at height %llu", node->number,
			(big)height);
	*at = block;
}

/* Whoever executed a block saw the same reservations move. */
void check_moves(struct world *world, const struct node *node,
	const struct bank_block *block, const struct moves *moves)
{
	struct trace digest = {.hash = 1};
	trace_bytes(&digest, &moves->count, sizeof(moves->count));
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		const uint64_t numbers[] = {move->from, move->to, move->cause,
			move->tx_index, move->record.version,
			move->record.start, move->record.end};
		trace_bytes(&digest, numbers, sizeof(numbers));
		trace_bytes(&digest, &move->record.reservation, ID_SIZE);
	}
	uint64_t *known = &world->checker.moves[block->ref.header.height];
	if (*known == 0)
		*known = digest.hash;
	if (*known != digest.hash)
		world_fail(world, VERDICT_WRONG,
			"node %u: other reservations moved at height %llu",
			node->number, (big)block->ref.header.height);
}

void check_snapshot(struct world *world, const struct node *node,
	const struct bank_block *block)
{
	uint64_t height = block->ref.header.height;
	const struct checker *checker = &world->checker;
	if (height > checker->final_tip || checker->final[height] != block)
		world_fail(world, VERDICT_WRONG,
			"node %u: begins after height %llu, which is not final",
			node->number, (big)height);
}

/* ---- what clients are told ---- */

const struct bank_block *check_find(
	const struct world *world, const struct sim_tx *tx, uint16_t *index)
{
	(void)world;
	*index = tx->final_index;
	return tx->final;
}

void check_acknowledged(struct world *world, const struct node *node,
	const struct sim_tx *tx, uint64_t height, uint16_t index,
	struct view receipt)
{
	struct checker *checker = &world->checker;
	if (checker->acknowledged_count == checker->acknowledged_room) {
		size_t room = checker->acknowledged_room
				      ? 2 * checker->acknowledged_room
				      : 1024;
		checker->acknowledged_room = room;
		checker->acknowledged = realloc(checker->acknowledged,
			room * sizeof(*checker->acknowledged));
		CHECK(checker->acknowledged);
	}
	checker->acknowledged[checker->acknowledged_count++] =
		(struct acknowledged){
			.tx = tx,
			.node = node->number,
			.height = height,
			.index = index,
			.receipt = receipt,
		};
	if (height > checker->acknowledged_height)
		checker->acknowledged_height = height;
	world->totals.acknowledged++;
}

void check_read(struct world *world, const struct node *node, uint64_t height,
	uint64_t floor)
{
	world->totals.reads++;
	/* Where nobody leads, a node knows what it has heard of. */
	if (height < floor && !world->options->engine->mines)
		world_fail(world, VERDICT_WRONG,
			"node %u reads at height %llu, and %llu had been "
			"acknowledged before",
			node->number, (big)height, (big)floor);
	if (height > node->final)
		world_fail(world, VERDICT_WRONG,
			"node %u reads at height %llu, and its final one is "
			"%llu",
			node->number, (big)height, (big)node->final);
}

/* ---- after every step ---- */

static void check_leader(struct world *world, const struct node *node)
{
	struct checker *checker = &world->checker;
	uint64_t term = node->status.term;
	if (node->status.role != ENGINE_LEADER)
		return;
	if (term >= CHECK_TERMS_MAX) {
		world_fail(world, VERDICT_STUCK, "term %llu", (big)term);
		return;
	}
	uint8_t *leader = &checker->leaders[term];
	if (*leader == node->number + 1)
		return;
	if (*leader != 0) {
		world_fail(world, VERDICT_WRONG,
			"nodes %u and %u both lead in term %llu", *leader - 1u,
			node->number, (big)term);
		return;
	}
	*leader = (uint8_t)(node->number + 1);
	if (term > checker->term_top)
		checker->term_top = term;
	world->totals.leaders++;
	world_note(world, node, NOTE_LEADER, term, 0, 0);
}

void check_node(struct world *world, struct node *node)
{
	replica_status(node->replica, &node->status);
	check_leader(world, node);
	if (!replica_holds(node->replica))
		world_fail(world, VERDICT_WRONG,
			"node %u: an invariant of its engine does not hold",
			node->number);
	if (replica_final(node->replica) != node->final)
		world_fail(world, VERDICT_WRONG,
			"node %u: final height is %llu, and it reported %llu",
			node->number, (big)replica_final(node->replica),
			(big)node->final);
}

/* ---- at the end ---- */

static void check_kept(
	struct world *world, const struct acknowledged *acknowledged)
{
	const struct checker *checker = &world->checker;
	const struct bank_block *block =
		acknowledged->height <= checker->final_tip
			? checker->final[acknowledged->height]
			: NULL;
	if (!block || acknowledged->index >= block->tx_count ||
		block->txs[acknowledged->index] != acknowledged->tx ||
		!view_equal(block->receipts[acknowledged->index],
			acknowledged->receipt))
		world_fail(world, VERDICT_WRONG,
			"node %u acknowledged transaction %u at height %llu, "
			"and the final chain does not say so",
			acknowledged->node, acknowledged->tx->index,
			(big)acknowledged->height);
}

static void check_root(struct world *world, const struct node *node)
{
	const struct chain *chain = replica_chain(node->replica);
	struct chain_tip tip = chain_tip(chain);
	const struct bank_block *block = disk_read(&node->disk, tip.height);
	if (!block)
		return;
	struct hash root = state_root(chain_state(chain));
	if (!hash_equal(&root, &block->ref.header.state_root) ||
		!hash_equal(&tip.hash, &block->ref.hash))
		world_fail(world, VERDICT_WRONG,
			"node %u: its state is not the one of height %llu",
			node->number, (big)tip.height);
	if (tip.height == world->checker.final_tip &&
		block == world->checker.final[tip.height] &&
		!model_equals(&world->checker.model, chain_state(chain)))
		world_fail(world, VERDICT_WRONG,
			"node %u: its reservations at height %llu are not the "
			"model's",
			node->number, (big)tip.height);
}

void check_end(struct world *world)
{
	const struct checker *checker = &world->checker;
	for (size_t i = 0; i < checker->acknowledged_count; i++)
		check_kept(world, &checker->acknowledged[i]);
	for (size_t i = 0; i < world->node_count; i++) {
		if (world->nodes[i].up)
			check_root(world, &world->nodes[i]);
	}
}
