/* store/finds.h -- where transactions and blocks are: a map from random keys,
 * written in ascending runs.
 *
 * A B-tree pays a page for every random key that it takes in. So what is new is
 * appended in the order of its coming and kept in memory as well; when that is
 * much, it is sorted and becomes a run, and eight small runs become a large
 * one. A look-up goes through memory, then the runs from the newest on: slower
 * than a tree, for a question that is asked rarely, and a tenth of the work for
 * what is written all the time.
 */
#ifndef PERCH_STORE_FINDS_H
#define PERCH_STORE_FINDS_H

#include <pthread.h>

#include "store/runs.h"

enum { FINDS_RUN = 1 << 16 }; /* so many become a run */

struct finds {
	struct runs runs;
	MDB_dbi recent;             /* sequence -> finds in order of coming */
	uint64_t sequence;          /* next of recent */
	size_t run_size;            /* FINDS_RUN, less in tests */
	pthread_mutex_t lock;       /* of table */
	struct find_table table;    /* what is in recent */
	struct find_table gathered; /* the writer's own: not yet committed */
};

/* Open within txn and read what is recent. 0 or an LMDB code. */
int finds_open(struct finds *finds, MDB_txn *txn, MDB_dbi meta, size_t run_size,
	atomic_bool *damaged);
void finds_close(struct finds *finds);

/* Gather; the writer's thread. */
void finds_put(struct finds *finds, const struct find *find);
/* Write what was gathered within txn. Not 0, an LMDB code: then txn is to be
 * aborted, and nothing has changed. *flushed goes to finds_written. */
int finds_write(struct finds *finds, MDB_txn *txn, bool *flushed);
/* The txn is durable: what it wrote is seen from now on. */
void finds_written(struct finds *finds, bool flushed);

/* Any thread. First look into what is recent; then, with a txn that began
 * after that, into the runs: what has left memory is there. */
bool finds_get_recent(
	struct finds *finds, const uint8_t key[FIND_KEY], struct find *out);

#endif
