/* sim/plant.c -- mistakes on purpose. */
#include "plant.h"

#include <string.h>

#include "world.h"

struct plant_row {
	const char *name, *text;
};

static const struct plant_row rows[PLANTS] = {
#define X(name, word, what) [PLANT_##name] = {(word), (what)},
	PLANT_LIST(X)
#undef X
};

const char *plant_name(enum plant plant)
{
	return rows[plant].name;
}

const char *plant_text(enum plant plant)
{
	return rows[plant].text;
}

bool plant_find(const char *name, enum plant *plant)
{
	for (int i = 0; i < PLANTS; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*plant = (enum plant)i;
			return true;
		}
	}
	return false;
}

bool plant_is(const struct world *world, enum plant plant)
{
	return world->options->plant == plant;
}

/* ---- the disk ---- */

void plant_after_save(struct world *world, struct node *node, uint64_t task)
{
	node->disk.keeps_old = plant_is(world, PLANT_KEEP_OLD);
	if (plant_is(world, PLANT_EARLY_SAVED))
		node_plan(world, node, 1, PLAN_SAVED, task, NULL);
}

bool plant_says_saved(
	struct world *world, const struct node *node, uint64_t *task)
{
	if (plant_is(world, PLANT_EARLY_SAVED))
		return false; /* said long ago */
	if (plant_is(world, PLANT_SAVED_AHEAD) && node->disk.write_count > 0) {
		const struct disk_write *last =
			&node->disk.writes[node->disk.write_count - 1];
		*task = last->task;
	}
	return true;
}

void plant_after_crash(struct world *world, struct node *node)
{
	struct disk *disk = &node->disk;
	if (plant_is(world, PLANT_FORGET_VOTE))
		disk->durable.record_size = disk->written.record_size = 0;
	if (plant_is(world, PLANT_BEGIN_ANEW) && world_chance(world, 300))
		disk_wipe(disk);
	if (plant_is(world, PLANT_FORGET_LOG) &&
		disk->durable.tip >= disk->durable.base + 3) {
		disk_cut(disk, disk->durable.tip - 3);
		disk->owed = 0; /* and it does not know */
	}
}

/* ---- the network and the clock ---- */

uint32_t plant_sender(struct world *world, const struct packet *packet)
{
	if (!plant_is(world, PLANT_WRONG_SENDER) || !world_chance(world, 100))
		return packet->from;
	uint32_t other = (uint32_t)world_below(world, world->node_count);
	return other == packet->to ? packet->from : other;
}

bool plant_loses_timer(struct world *world)
{
	return plant_is(world, PLANT_LOST_TIMER) && world_chance(world, 20);
}

/* ---- what clients are told ---- */

void plant_on_ordered(
	struct world *world, struct node *node, const struct bank_block *block)
{
	if (plant_is(world, PLANT_ACK_ORDERED))
		node_answer_final(world, node, block);
}

struct view plant_receipt(struct world *world, struct view receipt)
{
	if (!plant_is(world, PLANT_FORGED_RECEIPT) || !world_chance(world, 20))
		return receipt;
	uint8_t *forged = bank_take(&world->bank, receipt.size);
	memcpy(forged, receipt.data, receipt.size);
	forged[receipt.size - 1] ^= 1;
	return view_of(forged, receipt.size);
}

bool plant_forgets_received(const struct world *world)
{
	return plant_is(world, PLANT_FORGET_RECEIVED);
}

bool plant_reads_at_once(struct world *world, struct node *node)
{
	if (!plant_is(world, PLANT_STALE_READ))
		return false;
	struct output ready = {
		.type = OUTPUT_READY,
		.task = node->read_task,
		.ok = true,
		.height = node->final,
	};
	node_ready(world, node, &ready);
	return true;
}

const struct bank_state *plant_state(
	struct world *world, const struct bank_state *state)
{
	if (!plant_is(world, PLANT_OLD_STATE))
		return state;
	for (const struct bank_state *older = world->bank.states; older;
		older = older->next) {
		if (older->block->ref.header.height >=
			state->block->ref.header.height)
			continue;
		struct bank_state *mixed =
			bank_take(&world->bank, sizeof(*mixed));
		*mixed = *state;
		mixed->bytes = older->bytes;
		return mixed;
	}
	return state;
}

/* ---- functions of the replica that the linker replaces ---- */

static enum plant planted; /* the replaced functions know no world */

void plant_begin(enum plant plant)
{
	planted = plant;
}

bool __real_state_seen(const struct state *state, const struct key *wallet,
	const struct id *id, struct record_seen *out);
bool __wrap_state_seen(const struct state *state, const struct key *wallet,
	const struct id *id, struct record_seen *out);
bool __wrap_state_seen(const struct state *state, const struct key *wallet,
	const struct id *id, struct record_seen *out)
{
	if (planted == PLANT_TWICE)
		return false;
	return __real_state_seen(state, wallet, id, out);
}

void __real_arena_rollback(struct arena *arena, arena_mark mark);
void __wrap_arena_rollback(struct arena *arena, arena_mark mark);
void __wrap_arena_rollback(struct arena *arena, arena_mark mark)
{
	if (planted != PLANT_NO_UNDO)
		__real_arena_rollback(arena, mark);
}

bool __real_contract_execute(struct state *state, const struct tx_view *tx,
	uint16_t tx_index, bool *member_free, struct receipt *receipt,
	uint8_t *scratch, struct moves *moves);
bool __wrap_contract_execute(struct state *state, const struct tx_view *tx,
	uint16_t tx_index, bool *member_free, struct receipt *receipt,
	uint8_t *scratch, struct moves *moves);
bool __wrap_contract_execute(struct state *state, const struct tx_view *tx,
	uint16_t tx_index, bool *member_free, struct receipt *receipt,
	uint8_t *scratch, struct moves *moves)
{
	arena_mark mark = arena_now(state_arena(state));
	bool done = __real_contract_execute(
		state, tx, tx_index, member_free, receipt, scratch, moves);
	if (planted == PLANT_OVERLAP && done && tx->hash.bytes[0] < 64)
		__real_arena_rollback(state_arena(state), mark);
	return done;
}
