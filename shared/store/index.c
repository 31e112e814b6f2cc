/* store/index.c -- LMDB in DIR/index: opened, closed, thrown away.
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
#include "store/seal.h"

#define DATA "data.mdb"
#define SEAL "data.seal"
/* Changes whenever what is stored under a key does. */
#define FORMAT "perch-index 2"

static const char *const base_names[INDEX_BASES] = {"meta", "snapshot", "peer",
	"received", "signed", "certificate", "evidence"};

/* Pages that LMDB wrote are not as they were, or of another release. */
static bool is_damage(int code)
{
	return code == MDB_INVALID || code == MDB_CORRUPTED ||
	       code == MDB_VERSION_MISMATCH || code == MDB_PAGE_NOTFOUND ||
	       code == MDB_PANIC;
}

enum err index_remove_files(int directory)
{
	static const char *const names[] = {DATA, "lock.mdb", SEAL};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlinkat(directory, names[i], 0) != 0 && errno != ENOENT)
			return ERR_IO;
	return fsync(directory) == 0 ? ERR_OK : ERR_IO;
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
	if (!code && atomic_load(&index->damaged))
		code = MDB_CORRUPTED;
	if (!code)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

/* what: NULL to say it with LMDB's words. */
static enum err refuse(
	const struct index *index, const char *what, int code, char why[200])
{
	bool damaged = is_damage(code);

	snprintf(why, 200, "%.99s: %.50s; %s", index->where,
		what ? what : mdb_strerror(code),
		damaged ? "remove it: the log rebuilds it"
			: "check the disk and its rights");
	return damaged ? ERR_DAMAGED : ERR_IO;
}

enum err index_open_sized(struct index **out, const char *directory,
	size_t map_size, size_t run_size, char why[200])
{
	struct index *index = calloc(1, sizeof(*index));
	char path[4096];
	const char *what = NULL;
	enum err err;
	int code = 0;

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
	err = seal_break(index->directory.fd, DATA, SEAL);
	if (err == ERR_DAMAGED) {
		code = MDB_CORRUPTED;
		what = "it changed while it was closed";
	} else if (err) {
		code = errno;
	}
	if (!code)
		code = open_env(index, path, map_size);
	if (!code)
		code = open_bases(index, run_size);
	if (code) {
		err = refuse(index, what, code, why);
		index_close(&index);
		return err;
	}
	index->is_open = true;
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
	err = index_remove_files(taken.fd);
	if (err)
		snprintf(why, 200, "%.90s/index cannot be removed: %s",
			directory, strerror(errno));
	directory_leave(&taken);
	return err;
}

void index_close(struct index **closed)
{
	struct index *index = *closed;

	if (!index)
		return;
	*closed = NULL;
	index_drop_changes(index);
	free(index->changes);
	if (index->finds.run_size)
		finds_close(&index->finds);
	received_close(&index->received);
	if (index->env)
		mdb_env_close(index->env);
	if (index->is_open && !atomic_load(&index->damaged))
		seal_make(index->directory.fd, DATA, SEAL);
	pthread_rwlock_destroy(&index->map_lock);
	directory_leave(&index->directory);
	free(index);
}
