/* store/index_put.c -- changes of the index, gathered in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "store/index_state.h"

static struct change *add_change(
	struct index *index, enum index_base base, struct view key)
{
	struct change *change;

	CHECK(key.size <= INDEX_KEY_MAX);
	if (index->change_count == index->change_room) {
		index->change_room = 2 * index->change_room + 64;
		index->changes = realloc(index->changes,
			index->change_room * sizeof(*index->changes));
		CHECK(index->changes);
	}
	change = &index->changes[index->change_count];
	*change = (struct change){.base = base,
		.order = index->change_count++,
		.key_size = key.size};
	memcpy(change->key, key.data, key.size);
	return change;
}

void index_put(struct index *index, enum index_base base, struct view key,
	struct view value)
{
	struct change *change = add_change(index, base, key);

	change->size = value.size;
	change->value = malloc(value.size + 1);
	CHECK(change->value);
	if (value.size)
		memcpy(change->value, value.data, value.size);
}

void index_remove(struct index *index, enum index_base base, struct view key)
{
	add_change(index, base, key)->removes = true;
}

void index_tx_key(
	uint8_t out[FIND_KEY], const struct key *wallet, const struct id *id)
{
	struct view parts[] = {
		view_of(wallet->bytes, KEY_SIZE), view_of(id->bytes, ID_SIZE)};
	struct hash hash = hash_parts(parts, 2);

	memcpy(out, hash.bytes, FIND_KEY);
}

/* Hashed again, for a hash with work in it begins with zeros. */
void index_block_key(uint8_t out[FIND_KEY], const struct hash *block)
{
	struct hash hash = hash_bytes(view_of(block->bytes, HASH_SIZE));

	memcpy(out, hash.bytes, FIND_KEY);
}

void index_put_tx(struct index *index, const struct key *wallet,
	const struct id *id, const struct hash *tx, uint64_t height,
	uint16_t tx_index)
{
	struct find find = {.hash = *tx, .height = height, .index = tx_index};

	index_tx_key(find.key, wallet, id);
	finds_put(&index->finds, &find);
}

void index_put_block(
	struct index *index, const struct hash *hash, uint64_t height)
{
	struct find find = {.hash = *hash, .height = height};

	index_block_key(find.key, hash);
	finds_put(&index->finds, &find);
}

void index_put_peer(
	struct index *index, const struct key *key, struct view entry)
{
	index_put(index, BASE_PEER, view_of(key->bytes, KEY_SIZE), entry);
}

void index_remove_peer(struct index *index, const struct key *key)
{
	index_remove(index, BASE_PEER, view_of(key->bytes, KEY_SIZE));
}

static void remove_received(struct index *index, const uint8_t key[FIND_KEY])
{
	uint64_t number = received_find(&index->received, key);
	uint8_t name[8];

	if (number == 0)
		return;
	received_remove(&index->received, key);
	big_put64(name, number);
	index_remove(index, BASE_RECEIVED, view_of(name, 8));
}

void index_put_received(struct index *index, const struct key *wallet,
	const struct id *id, struct view tx)
{
	struct received *received = &index->received;
	uint8_t name[8];
	uint8_t *value = malloc(FIND_KEY + tx.size);

	CHECK(value && tx.size > 0);
	index_tx_key(value, wallet, id);
	memcpy(value + FIND_KEY, tx.data, tx.size);
	remove_received(index, value);
	if (received->count == RECEIVED_MAX) {
		uint8_t oldest[FIND_KEY];

		received_oldest(received, oldest);
		remove_received(index, oldest);
	}
	received_add(received, value, received->next);
	big_put64(name, received->next++);
	index_put(index, BASE_RECEIVED, view_of(name, 8),
		view_of(value, FIND_KEY + tx.size));
	free(value);
}

void index_remove_received(
	struct index *index, const struct key *wallet, const struct id *id)
{
	uint8_t key[FIND_KEY];

	index_tx_key(key, wallet, id);
	remove_received(index, key);
}
