/* store/finds.c -- where transactions and blocks are, in runs.
 */
#include "store/finds.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/checked.h"
#include "store/runs.h"

enum { ROW_FINDS = 512 }; /* of recent: 28 KiB */

static void lock(struct finds *finds)
{
	CHECK(pthread_mutex_lock(&finds->lock) == 0);
}

static void unlock(struct finds *finds)
{
	CHECK(pthread_mutex_unlock(&finds->lock) == 0);
}

static int read_recent(struct finds *finds, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val record;
	int code = mdb_cursor_open(txn, finds->recent, &cursor);

	if (code)
		return code;
	code = mdb_cursor_get(cursor, &key, &record, MDB_FIRST);
	while (code == 0) {
		struct view row;

		if (key.mv_size == 8 && checked_open(&key, &record, &row)) {
			for (size_t i = 0; i < row.size / FIND_SIZE; i++) {
				struct find find;

				find_read(&find, row.data + i * FIND_SIZE);
				find_table_put(&finds->table, &find);
			}
			finds->sequence = big_get64(key.mv_data) + 1;
		} else {
			atomic_store(finds->runs.damaged, true);
		}
		code = mdb_cursor_get(cursor, &key, &record, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

int finds_open(struct finds *finds, MDB_txn *txn, MDB_dbi meta, size_t run_size,
	atomic_bool *damaged)
{
	int code;

	*finds = (struct finds){
		.run_size = run_size,
		.runs = {.meta = meta, .damaged = damaged},
	};
	CHECK(pthread_mutex_init(&finds->lock, NULL) == 0);
	code = mdb_dbi_open(txn, "recent", MDB_CREATE, &finds->recent);
	if (!code)
		code = mdb_dbi_open(txn, "run", MDB_CREATE, &finds->runs.run);
	return code ? code : read_recent(finds, txn);
}

void finds_close(struct finds *finds)
{
	find_table_free(&finds->table);
	find_table_free(&finds->gathered);
	pthread_mutex_destroy(&finds->lock);
}

void finds_put(struct finds *finds, const struct find *find)
{
	find_table_put(&finds->gathered, find);
}

static int by_key(const void *a, const void *b)
{
	const struct find *x = a;
	const struct find *y = b;

	return memcmp(x->key, y->key, FIND_KEY);
}

/* Only the writer changes the table, so it need not lock to read it. */
static int flush(struct finds *finds, MDB_txn *txn)
{
	size_t size = finds->table.count * sizeof(struct find);
	struct find *sorted = malloc(size);
	int code;

	CHECK(sorted);
	memcpy(sorted, finds->table.items, size);
	qsort(sorted, finds->table.count, sizeof(*sorted), by_key);
	code = runs_add(&finds->runs, txn, sorted, finds->table.count);
	free(sorted);
	return code ? code : mdb_drop(txn, finds->recent, 0);
}

int finds_write(struct finds *finds, MDB_txn *txn, bool *flushed)
{
	uint8_t row[ROW_FINDS * FIND_SIZE];
	uint64_t sequence = finds->sequence;
	int code = 0;

	*flushed = finds->table.count >= finds->run_size;
	if (*flushed)
		code = flush(finds, txn);
	for (size_t i = 0; i < finds->gathered.count && !code;) {
		uint8_t key[8];
		size_t size = 0;

		while (i < finds->gathered.count && size < sizeof(row)) {
			find_write(row + size, &finds->gathered.items[i++]);
			size += FIND_SIZE;
		}
		big_put64(key, sequence++);
		code = checked_put(txn, finds->recent, view_of(key, 8),
			view_of(row, size), MDB_APPEND);
	}
	return code;
}

void finds_written(struct finds *finds, bool flushed)
{
	lock(finds);
	if (flushed)
		find_table_clear(&finds->table);
	for (size_t i = 0; i < finds->gathered.count; i++)
		find_table_put(&finds->table, &finds->gathered.items[i]);
	unlock(finds);
	finds->sequence += (finds->gathered.count + ROW_FINDS - 1) / ROW_FINDS;
	find_table_clear(&finds->gathered);
}

bool finds_get_recent(
	struct finds *finds, const uint8_t key[FIND_KEY], struct find *out)
{
	bool found;

	lock(finds);
	found = find_table_get(&finds->table, key, out);
	unlock(finds);
	return found;
}
