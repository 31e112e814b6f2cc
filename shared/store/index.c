/* store/index.c -- LMDB in DIR/index: opening, and the commit.
 *
 * Changes are gathered in memory and written, in the order of their keys, by
 * one transaction. A failed write ends the process, as everywhere in the store;
 * only a full map is made larger.
 */
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "store/index_state.h"

/* Changes whenever what is stored under a key does. */
#define FORMAT "perch-index 2"

static const char *const base_names[INDEX_BASES] = {"meta", "snapshot", "peer",
	"received", "signed", "certificate", "evidence"};

/* Pages that LMDB wrote are not as they were. */
static bool is_damage(int code)
{
	return code == MDB_INVALID || code == MDB_CORRUPTED ||
	       code == MDB_VERSION_MISMATCH || code == MDB_PAGE_NOTFOUND ||
	       code == MDB_PANIC;
}

/* A page whose number is wrong is written where no file can be. */
static bool is_damage_in_commit(int code)
{
	return is_damage(code) || code == EFBIG || code == EINVAL;
}

static enum err remove_files(int directory)
{
	if ((unlinkat(directory, "data.mdb", 0) != 0 && errno != ENOENT) ||
		(unlinkat(directory, "lock.mdb", 0) != 0 && errno != ENOENT) ||
		fsync(directory) != 0)
		return ERR_IO;
	return ERR_OK;
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
	if (!is_damage_in_commit(code) ||
		remove_files(index->directory.fd) != ERR_OK)
		failed(index, "a commit", code);
	fprintf(stderr,
		"perch: %s: a commit failed: %s; it is damaged and was "
		"removed. Stopped at once; start again, and the log rebuilds "
		"it.\n",
		index->where, mdb_strerror(code));
	abort();
}

/* ---- opening ---- */

/* A file that is shorter than LMDB thinks is a SIGBUS when it is read. */
static int check_size(struct index *index)
{
	MDB_envinfo info;
	MDB_stat pages;
	struct stat file;
	int fd;
	int code = mdb_env_info(index->env, &info);

	if (!code)
		code = mdb_env_stat(index->env, &pages);
	if (!code)
		code = mdb_env_get_fd(index->env, &fd);
	if (!code && fstat(fd, &file) != 0)
		code = errno;
	if (!code && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		code = errno;
	if (!code && (uint64_t)file.st_size <
			     (uint64_t)(info.me_last_pgno + 1) * pages.ms_psize)
		code = MDB_CORRUPTED;
	return code;
}

static int open_env(struct index *index, const char *path, size_t map_size)
{
	int dead;
	int code = mdb_env_create(&index->env);

	if (!code)
		code = mdb_env_set_mapsize(index->env, map_size);
	if (!code)
		code = mdb_env_set_maxdbs(index->env, INDEX_BASES + 2);
	if (!code)
		code = mdb_env_open(index->env, path, MDB_NOTLS, 0600);
	/* A reader that was killed holds on to old pages for ever. */
	if (!code)
		code = mdb_reader_check(index->env, &dead);
	return code ? code : check_size(index);
}

/* An index of another format says so; a new one gets this one. */
static int check_format(struct index *index, MDB_txn *txn)
{
	MDB_dbi meta = index->bases[BASE_META];
	MDB_stat stat;
	struct view format;
	int code = mdb_stat(txn, meta, &stat);

	if (!code && stat.ms_entries == 0)
		return checked_put(
			txn, meta, view_text("format"), view_text(FORMAT), 0);
	if (!code)
		code = checked_get(txn, meta, view_text("format"), &format);
	if (code == MDB_NOTFOUND ||
		(!code && !view_equal(format, view_text(FORMAT))))
		code = MDB_VERSION_MISMATCH;
	return code;
}

static int read_received(struct index *index, MDB_txn *txn)
{
	struct received *received = &index->received;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val record;
	int code = mdb_cursor_open(txn, index->bases[BASE_RECEIVED], &cursor);

	if (code)
		return code;
	code = mdb_cursor_get(cursor, &key, &record, MDB_FIRST);
	while (!code) {
		struct view value;

		if (key.mv_size != 8 || !checked_open(&key, &record, &value) ||
			value.size < FIND_KEY)
			atomic_store(&index->damaged, true);
		else if (received->count < RECEIVED_MAX &&
			 !received_find(received, value.data))
			received_add(
				received, value.data, big_get64(key.mv_data));
		if (key.mv_size == 8)
			received->next = big_get64(key.mv_data) + 1;
		code = mdb_cursor_get(cursor, &key, &record, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

static int open_bases(struct index *index, size_t run_size)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (code)
		return code;
	for (size_t i = 0; i < INDEX_BASES && !code; i++)
		code = mdb_dbi_open(
			txn, base_names[i], MDB_CREATE, &index->bases[i]);
	if (!code)
		code = check_format(index, txn);
	if (!code)
		code = finds_open(&index->finds, txn, index->bases[BASE_META],
			run_size, &index->damaged);
	if (!code)
		code = read_received(index, txn);
	if (!code)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

static enum err refuse(const struct index *index, int code, char why[200])
{
	bool damaged = is_damage(code);

	snprintf(why, 200, "%.99s: %.40s; %s", index->where, mdb_strerror(code),
		damaged ? "remove it: the log rebuilds it"
			: "check the disk and its rights");
	return damaged ? ERR_DAMAGED : ERR_IO;
}

enum err index_open_sized(struct index **out, const char *directory,
	size_t map_size, size_t run_size, char why[200])
{
	struct index *index = calloc(1, sizeof(*index));
	char path[4096];
	enum err err;
	int code;

	CHECK(index);
	err = directory_take(&index->directory, directory, "index", why);
	if (err) {
		free(index);
		return err;
	}
	snprintf(index->where, sizeof(index->where), "%.90s/index", directory);
	snprintf(path, sizeof(path), "%s/index", directory);
	CHECK(pthread_rwlock_init(&index->map_lock, NULL) == 0);
	received_open(&index->received);
	code = open_env(index, path, map_size);
	if (!code)
		code = open_bases(index, run_size);
	if (code) {
		err = refuse(index, code, why);
		index_close(&index);
		return err;
	}
	*out = index;
	return ERR_OK;
}

enum err index_open(struct index **out, const char *directory, char why[200])
{
	return index_open_sized(
		out, directory, (size_t)64 << 30, FINDS_RUN, why);
}

enum err index_throw_away(const char *directory, char why[200])
{
	struct directory taken;
	enum err err = directory_take(&taken, directory, "index", why);

	if (err)
		return err;
	err = remove_files(taken.fd);
	if (err)
		snprintf(why, 200, "%.90s/index cannot be removed: %s",
			directory, strerror(errno));
	directory_leave(&taken);
	return err;
}

static void drop_changes(struct index *index)
{
	for (size_t i = 0; i < index->change_count; i++)
		free(index->changes[i].value);
	index->change_count = 0;
}

void index_close(struct index **closed)
{
	struct index *index = *closed;

	if (!index)
		return;
	*closed = NULL;
	drop_changes(index);
	free(index->changes);
	if (index->finds.run_size)
		finds_close(&index->finds);
	received_close(&index->received);
	if (index->env)
		mdb_env_close(index->env);
	pthread_rwlock_destroy(&index->map_lock);
	directory_leave(&index->directory);
	free(index);
}

bool index_is_damaged(const struct index *index)
{
	return atomic_load(&index->damaged);
}

/* ---- the commit ---- */

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
	drop_changes(index);
}
