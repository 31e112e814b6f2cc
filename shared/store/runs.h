/* store/runs.h -- sorted runs of finds, in chunks of one page.
 */
#ifndef PERCH_STORE_RUNS_H
#define PERCH_STORE_RUNS_H

#include <lmdb.h>
#include <stdatomic.h>

#include "store/find_table.h"

enum {
	FIND_SIZE = FIND_KEY + HASH_SIZE + 6 + 2,
	RUNS_MERGE = 8, /* so many small runs become a large one */
	RUNS_MAX = 4096,
};

struct runs {
	MDB_dbi meta;         /* "runs" -> the list of runs, oldest first */
	MDB_dbi run;          /* (number, chunk) -> finds in order of keys */
	atomic_bool *damaged; /* set when a record does not check */
};

/* FIND_SIZE bytes */
void find_write(uint8_t out[FIND_SIZE], const struct find *find);
void find_read(struct find *out, const uint8_t in[FIND_SIZE]);

/* A new run of finds in ascending order of keys. 0 or an LMDB code. */
int runs_add(const struct runs *runs, MDB_txn *txn, const struct find *sorted,
	size_t count);

/* The newest under key. */
bool runs_get(const struct runs *runs, MDB_txn *txn,
	const uint8_t key[FIND_KEY], struct find *out);

#endif
