/* store/store.h -- what a node keeps on disk, in one directory.
 *
 * DIR/log    the blocks, and the engine's record (log.h). The truth.
 * DIR/index  where a transaction or a block is, snapshots, peers, received
 *            transactions (index.h). Behind the log by a moment.
 *
 * Each is owned by one process at a time, and written by one thread.
 */
#ifndef PERCH_STORE_STORE_H
#define PERCH_STORE_STORE_H

#include "store/index.h"
#include "store/log.h"

#endif
