/* store/index_read.c -- what the index knows. Any thread; a read is short and
 * copies what it found. A record that does not check is as if it were not
 * there, and is remembered until the next commit.
 */
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "store/index_state.h"

MDB_txn *index_begin_read(struct index *index)
{
	MDB_txn *txn;

	CHECK(pthread_rwlock_rdlock(&index->map_lock) == 0);
	if (mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn) == 0)
		return txn;
	CHECK(pthread_rwlock_unlock(&index->map_lock) == 0);
	return NULL;
}

void index_end_read(struct index *index, MDB_txn *txn)
{
	mdb_txn_abort(txn);
	CHECK(pthread_rwlock_unlock(&index->map_lock) == 0);
}

bool index_get(struct index *index, MDB_txn *txn, enum index_base base,
	struct view key, struct view *value)
{
	int code = checked_get(txn, index->bases[base], key, value);

	if (code && code != MDB_NOTFOUND)
		atomic_store(&index->damaged, true);
	return code == 0;
}

uint64_t index_applied(struct index *index)
{
	MDB_txn *txn = index_begin_read(index);
	uint64_t height = 0;
	struct view value;

	if (!txn)
		return 0;
	if (index_get(index, txn, BASE_META, view_text("applied"), &value) &&
		value.size == 8)
		height = big_get64(value.data);
	index_end_read(index, txn);
	return height;
}

static bool find(
	struct index *index, const uint8_t key[FIND_KEY], struct find *out)
{
	MDB_txn *txn;
	bool found;

	if (finds_get_recent(&index->finds, key, out))
		return true;
	txn = index_begin_read(index);
	if (!txn)
		return false;
	found = runs_get(&index->finds.runs, txn, key, out);
	index_end_read(index, txn);
	return found;
}

bool index_find_tx(struct index *index, const struct key *wallet,
	const struct id *id, struct hash *tx, uint64_t *height,
	uint16_t *tx_index)
{
	uint8_t key[FIND_KEY];
	struct find found;

	index_tx_key(key, wallet, id);
	if (!find(index, key, &found))
		return false;
	*tx = found.hash;
	*height = found.height;
	*tx_index = found.index;
	return true;
}

bool index_find_block(
	struct index *index, const struct hash *hash, uint64_t *height)
{
	uint8_t key[FIND_KEY];
	struct find found;

	index_block_key(key, hash);
	if (!find(index, key, &found) || !hash_equal(&found.hash, hash))
		return false;
	*height = found.height;
	return true;
}

/* Copy a walk's record without its first skip bytes; false when it is damaged
 * or does not fit. */
static bool copy_record(struct index *index, const MDB_val *key,
	const MDB_val *record, size_t skip, uint8_t *out, size_t *size,
	size_t size_max)
{
	struct view value;

	if (!checked_open(key, record, &value) || value.size < skip) {
		atomic_store(&index->damaged, true);
		return false;
	}
	if (value.size - skip > size_max)
		return false;
	*size = value.size - skip;
	memcpy(out, value.data + skip, *size);
	return true;
}

/* Few: the cursor counts them. */
bool index_next(struct index *index, enum index_base base, uint64_t *cursor,
	uint8_t *out, size_t *size, size_t size_max)
{
	MDB_txn *txn = index_begin_read(index);
	MDB_cursor *walk;
	MDB_val key;
	MDB_val record;
	bool found = false;
	int code;

	if (!txn)
		return false;
	code = mdb_cursor_open(txn, index->bases[base], &walk);
	if (code)
		goto out;
	code = mdb_cursor_get(walk, &key, &record, MDB_FIRST);
	for (uint64_t i = 0; !code && i < *cursor; i++)
		code = mdb_cursor_get(walk, &key, &record, MDB_NEXT);
	while (!code && !found) {
		++*cursor;
		found = copy_record(
			index, &key, &record, 0, out, size, size_max);
		code = mdb_cursor_get(walk, &key, &record, MDB_NEXT);
	}
	mdb_cursor_close(walk);
out:
	index_end_read(index, txn);
	return found;
}

bool index_next_peer(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max)
{
	return index_next(index, BASE_PEER, cursor, out, size, size_max);
}

/* Many: the cursor is the number of the last one. */
bool index_next_received(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max)
{
	MDB_txn *txn = index_begin_read(index);
	MDB_cursor *walk;
	MDB_val key;
	MDB_val record;
	uint8_t name[8];
	bool found = false;
	int code;

	if (!txn)
		return false;
	code = mdb_cursor_open(txn, index->bases[BASE_RECEIVED], &walk);
	if (code)
		goto out;
	big_put64(name, *cursor + 1);
	key = (MDB_val){sizeof(name), name};
	code = mdb_cursor_get(walk, &key, &record, MDB_SET_RANGE);
	while (!code && !found) {
		if (key.mv_size == 8)
			*cursor = big_get64(key.mv_data);
		found = copy_record(
			index, &key, &record, FIND_KEY, out, size, size_max);
		code = mdb_cursor_get(walk, &key, &record, MDB_NEXT);
	}
	mdb_cursor_close(walk);
out:
	index_end_read(index, txn);
	return found;
}
