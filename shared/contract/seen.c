/* contract/seen.c -- transactions that have had their effect, until they could
 * not be valid again.
 *
 * So an id means one effect however often its bytes arrive. Entries wait in a
 * ring of slots by the time they end; a slot is a chain of hashes from `base`
 * to `tip`, and its first entries can be dropped by moving base: a block drops
 * a bounded number, however long the ledger stood still.
 */
#include "contract/inside.h"

#include <string.h>

#include "base/check.h"

struct hash seen_key(const struct key *wallet, const struct id *id)
{
	uint8_t bytes[KEY_SIZE + ID_SIZE];

	memcpy(bytes, wallet, KEY_SIZE);
	memcpy(bytes + KEY_SIZE, id, ID_SIZE);
	return hash_bytes(view_of(bytes, sizeof(bytes)));
}

struct hash seen_chain(const struct hash *before, const struct seen *seen)
{
	uint8_t bytes[HASH_SIZE + RECORD_SEEN_BYTES_MAX];
	struct record_seen record;

	record_of_seen(seen, &record);
	memcpy(bytes, before, HASH_SIZE);
	size_t size = record_seen_encode(
		bytes + HASH_SIZE, RECORD_SEEN_BYTES_MAX, &record);
	CHECK(size > 0);
	return hash_bytes(view_of(bytes, HASH_SIZE + size));
}

static uint32_t slot_of(time_ms time)
{
	return (uint32_t)((uint64_t)time / SEEN_SLOT_MS % SEEN_SLOTS);
}

static struct seen *seen_at(const struct state *state, uint32_t index)
{
	return table_at(&state->seen, index);
}

bool seen_put(struct state *state, const struct hash *key,
	const struct record_seen *record)
{
	if (state->seen.count >= state->limits.seen_max)
		return false;
	uint32_t index = table_put(&state->seen, key);
	CHECK(index != TABLE_NONE);
	struct seen *seen = seen_at(state, index); /* touched by table_put */
	seen->wallet = record->wallet;
	seen->id = record->id;
	seen->tx = record->tx;
	seen->height = record->height;
	seen->valid_until = (time_ms)record->valid_until;
	seen->index = (uint16_t)record->index;
	seen->next = TABLE_NONE;

	uint32_t place = slot_of(seen->valid_until);
	struct seen_slot *slot = &state->seen_slots[place];
	arena_touch(state->arena, slot, sizeof(*slot));
	if (slot->count == 0)
		slot->first = index;
	else
		set_u32(state, &seen_at(state, slot->last)->next, index);
	slot->last = index;
	slot->count++;
	slot->tip = seen_chain(&slot->tip, seen);
	tree_mark(&state->seen_tree, place);
	return true;
}

/* How many of a slot's first entries have ended; at most most. */
static uint32_t count_ended(
	const struct state *state, const struct seen_slot *slot, uint32_t most)
{
	uint32_t index = slot->first, ended = 0;

	if (most > slot->count)
		most = slot->count;
	while (ended < most &&
		seen_at(state, index)->valid_until <= state->time) {
		index = seen_at(state, index)->next;
		ended++;
	}
	return ended;
}

static uint32_t sweep_slot(struct state *state, uint32_t place, uint32_t most)
{
	struct seen_slot *slot = &state->seen_slots[place];
	uint32_t ended = count_ended(state, slot, most);

	if (ended == 0)
		return 0;
	bool whole = ended == slot->count;
	arena_touch(state->arena, slot, sizeof(*slot));
	tree_mark(&state->seen_tree, place);
	for (uint32_t i = 0; i < ended; i++) {
		const struct seen *seen = seen_at(state, slot->first);
		uint32_t next = seen->next;

		if (!whole)
			slot->base = seen_chain(&slot->base, seen);
		table_remove(&state->seen, slot->first);
		slot->first = next;
	}
	slot->count -= ended;
	if (whole)
		memset(slot, 0, sizeof(*slot));
	return ended;
}

void seen_sweep(struct state *state)
{
	uint64_t past = (uint64_t)state->time / SEEN_SLOT_MS;
	uint64_t at = state->seen_swept;
	uint32_t left = SEEN_DROPS_MAX;

	if (past - at > SEEN_SLOTS)
		at = past - SEEN_SLOTS; /* once around meets every slot */
	while (at < past) {
		left -= sweep_slot(state, (uint32_t)(at % SEEN_SLOTS), left);
		if (left == 0)
			break;
		at++;
	}
	if (at == state->seen_swept)
		return;
	arena_touch(state->arena, &state->seen_swept, sizeof(uint64_t));
	state->seen_swept = at;
}
