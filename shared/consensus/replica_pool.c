/* consensus/replica_pool.c -- transactions on their way to a block. */
#include "consensus/replica_state.h"

#include <string.h>

static void forward_to(
	struct view tx, const struct key *to, struct outputs *out)
{
	if (out->count >= OUTPUTS_MAX / 2)
		return; /* brought again later */
	struct output *output = outputs_add(out, OUTPUT_FORWARD);
	output->to = *to;
	output->bytes = tx;
}

void replica_forward(
	struct replica *replica, struct view tx, struct outputs *out)
{
	const struct engine_status *status = &replica->status;
	const struct key *self = &replica->config.self->key;
	if (!replica->config.mesh && !replica->config.engine->mines) {
		if (status->has_leader && !key_equal(&status->leader, self))
			forward_to(tx, &status->leader, out);
		return;
	}
	for (size_t i = 0; i < status->member_count; i++) {
		if (!key_equal(&status->members[i].key, self))
			forward_to(tx, &status->members[i].key, out);
	}
}

/* A new leader is told at once of what waits here, as much at a time as fits,
 * an old one once a second: the message before may have been lost. */
static bool bring_again(struct replica *replica)
{
	const struct engine_status *status = &replica->status;
	if (replica->config.engine->mines) {
		if (replica->tick.now < replica->forward_at)
			return false;
		replica->forward_at = replica->tick.now + FORWARD_AGAIN_MS;
		return true;
	}
	if (!status->has_leader || status->role == ENGINE_LEADER)
		return false;
	if (key_equal(&status->leader, &replica->forward_to) &&
		replica->tick.now < replica->forward_at)
		return false;
	if (!key_equal(&status->leader, &replica->forward_to))
		replica->forward_cursor = 0;
	replica->forward_to = status->leader;
	return true;
}

static bool has_no_effect(
	const struct replica *replica, const struct mempool_item *item)
{
	struct record_seen seen;
	return item->valid_until <= state_time(replica->state) ||
	       state_seen(replica->state, &item->wallet, &item->id, &seen);
}

void replica_sweep(struct replica *replica, struct outputs *out)
{
	bool bring = bring_again(replica);
	if (!bring && replica->tick.now < replica->forward_at)
		return;
	struct mempool_item item;
	size_t brought = 0;
	while (brought < FORWARD_BATCH_MAX &&
		mempool_next(replica->pool, &replica->forward_cursor, &item)) {
		struct key wallet = item.wallet;
		struct id id = item.id;
		if (has_no_effect(replica, &item)) {
			mempool_remove(replica->pool, &wallet, &id);
		} else if (bring && item.local) {
			replica_forward(replica, item.bytes, out);
			brought++;
		}
	}
	if (brought == FORWARD_BATCH_MAX) {
		replica->forward_at = replica->tick.now + FORWARD_STEP_MS;
		return;
	}
	replica->forward_cursor = 0;
	replica->forward_at = replica->tick.now + FORWARD_AGAIN_MS;
}
