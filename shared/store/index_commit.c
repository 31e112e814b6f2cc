/* store/index_commit.c -- what was gathered becomes durable.
 *
 * Changes are gathered in memory and written, in the order of their keys, by
 * one transaction. A failed write ends the process, as everywhere in the store;
 * only a full map is made larger.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/index_state.h"

/* LMDB's own codes are below 0; of those two name a limit. A page whose number
 * is wrong is written where no file can be. */
static bool is_damage(int code)
{
	return (code < 0 && code != MDB_DBS_FULL && code != MDB_TXN_FULL) ||
	       code == EFBIG || code == EINVAL;
}

_Noreturn static void failed(
	const struct index *index, const char *what, int code)
{
	fprintf(stderr,
		"perch: %s: %s failed: %s; make room, or check the disk "
		"(dmesg, smartctl), and start again. Stopped at once; what the "
		"log has is not lost.\n",
		index->where, what, mdb_strerror(code));
	abort();
}

_Noreturn static void commit_failed(const struct index *index, int code)
{
	if (!is_damage(code) ||
		index_remove_files(index->directory.fd) != ERR_OK)
		failed(index, "a commit", code);
	fprintf(stderr,
		"perch: %s: a commit failed: %s; it is damaged and was "
		"removed. Stopped at once; start again, and the log rebuilds "
		"it.\n",
		index->where, mdb_strerror(code));
	abort();
}

void index_drop_changes(struct index *index)
{
	for (size_t i = 0; i < index->change_count; i++)
		free(index->changes[i].value);
	index->change_count = 0;
}

static int compare_keys(const struct change *a, const struct change *b)
{
	size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order;

	if (a->base != b->base)
		return a->base < b->base ? -1 : 1;
	order = memcmp(a->key, b->key, size);
	if (order || a->key_size == b->key_size)
		return order;
	return a->key_size < b->key_size ? -1 : 1;
}

static int by_key(const void *a, const void *b)
{
	const struct change *x = a;
	const struct change *y = b;
	int order = compare_keys(x, y);

	if (order)
		return order;
	return x->order < y->order ? -1 : 1;
}

static int write_change(
	struct index *index, MDB_txn *txn, const struct change *change)
{
	MDB_dbi base = index->bases[change->base];
	struct view key = view_of(change->key, change->key_size);
	MDB_val name = {key.size, (void *)(uintptr_t)key.data};
	int code;

	if (!change->removes)
		return checked_put(txn, base, key,
			view_of(change->value, change->size), 0);
	code = mdb_del(txn, base, &name, NULL);
	return code == MDB_NOTFOUND ? 0 : code;
}

static int write_changes(struct index *index, MDB_txn *txn)
{
	bool snapshot = false, checkpoint = false;
	int code = 0;

	for (size_t i = 0; i < index->change_count && !code; i++) {
		const struct change *change = &index->changes[i];

		snapshot = snapshot || change->base == BASE_SNAPSHOT;
		checkpoint = checkpoint || change->base >= BASE_SIGNED;
		/* Of several for one key the last. */
		if (i + 1 < index->change_count &&
			compare_keys(change, change + 1) == 0)
			continue;
		code = write_change(index, txn, change);
	}
	if (!code && snapshot)
		code = index_drop_snapshots(index, txn);
	if (!code && checkpoint)
		code = index_trim_checkpoints(index, txn);
	return code;
}

static int write_all(struct index *index, uint64_t applied, bool *flushed)
{
	uint8_t height[8];
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (code)
		return code;
	big_put64(height, applied);
	code = finds_write(&index->finds, txn, flushed);
	if (!code)
		code = write_changes(index, txn);
	if (!code && atomic_load(&index->damaged))
		code = MDB_CORRUPTED;
	if (!code)
		code = checked_put(txn, index->bases[BASE_META],
			view_text("applied"), view_of(height, 8), 0);
	if (!code)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

/* No transaction may be open in this process while the map changes. */
static void grow_map(struct index *index)
{
	MDB_envinfo info;
	int code;

	CHECK(pthread_rwlock_wrlock(&index->map_lock) == 0);
	code = mdb_env_info(index->env, &info);
	if (!code)
		code = mdb_env_set_mapsize(index->env, 2 * info.me_mapsize);
	CHECK(pthread_rwlock_unlock(&index->map_lock) == 0);
	if (code)
		failed(index, "making the map larger", code);
}

void index_commit(struct index *index, uint64_t applied_height)
{
	bool flushed;
	int code;

	if (index->change_count)
		qsort(index->changes, index->change_count,
			sizeof(*index->changes), by_key);
	while ((code = write_all(index, applied_height, &flushed)) ==
		MDB_MAP_FULL)
		grow_map(index);
	if (code)
		commit_failed(index, code);
	finds_written(&index->finds, flushed);
	index_drop_changes(index);
}
