/* observer/replay.c -- a state of the observer's own, so that the timetable is
 * what the blocks prove and not what somebody says.
 */
#include "observer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "client/give.h"
#include "contract/never.h"

enum { JOURNAL_BYTES = 64 << 20 };

struct replay {
	const struct genesis *genesis;
	struct arena arena;
	struct state *state;
	struct chain *chain;
	struct moves moves;
	struct never_watch never;
	struct never_found found; /* rule 0: nothing */
};

static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(memory != MAP_FAILED);
	return memory;
}

enum err replay_open(
	struct replay **out, const struct genesis *genesis, unsigned chain)
{
	const struct state_limits *limits = &state_limits_default;
	size_t size = state_bytes(limits);
	struct replay *replay = reserve(sizeof(*replay));
	replay->genesis = genesis;
	arena_init(&replay->arena, reserve(size), size, reserve(JOURNAL_BYTES),
		JOURNAL_BYTES);
	enum err err =
		state_init(&replay->state, &replay->arena, limits, genesis);
	if (err != ERR_OK)
		return err;
	replay->chain = chain_init(
		reserve(chain_bytes()), replay->state, genesis, (uint8_t)chain);
	*out = replay;
	return ERR_OK;
}

enum err replay_block(struct replay *replay, const struct perch_block *block)
{
	struct block_ref ref;
	struct record_node proposer;
	enum err err = block_open(&ref, view_of(block->bytes, block->size),
		&replay->genesis->network);
	if (err != ERR_OK)
		return err;
	if (!state_node(replay->state, &ref.header.proposer, &proposer) ||
		proposer.role != 2)
		return ERR_ROLE;
	replay->moves.count = replay->moves.lost = 0;
	err = chain_connect(replay->chain, &ref, &replay->moves);
	if (err != ERR_OK)
		return err;
	chain_final(replay->chain, block->height);
	replay->found.rule = 0;
	never_block(&replay->never, replay->state, &ref, &replay->moves,
		&replay->found);
	return ERR_OK;
}

const char *replay_never(const struct replay *replay)
{
	return replay->found.rule != 0 ? replay->found.what : NULL;
}

const struct moves *replay_moves(const struct replay *replay)
{
	return &replay->moves;
}

bool replay_find(const struct replay *replay, const struct perch_id *id,
	struct perch_reservation *out)
{
	struct id own;
	struct record_reservation record;
	memcpy(&own, id, sizeof(own));
	if (!state_reservation(replay->state, &own, &record))
		return false;
	give_reservation(out, &record);
	return true;
}

void replay_timetable(
	const struct replay *replay, struct model *model, int64_t now)
{
	struct record_reservation record;
	struct perch_reservation plain;
	size_t count = state_port_count(replay->state);
	model_bookings_clear(model, NULL);
	for (size_t port = 0; port < count; port++) {
		uint64_t cursor = 0;
		while (model->booking_count < MODEL_BOOKINGS_MAX &&
			state_timetable_next(
				replay->state, port, now, &cursor, &record) &&
			(time_ms)record.start < now + MODEL_SPAN_MS) {
			give_reservation(&plain, &record);
			model_booking(model, &plain);
		}
	}
}
