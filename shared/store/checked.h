/* store/checked.h -- LMDB records that end with a checksum of key and value.
 *
 * LMDB has none, and returns what the disk gives it.
 */
#ifndef PERCH_STORE_CHECKED_H
#define PERCH_STORE_CHECKED_H

#include <lmdb.h>

#include "base/view.h"

enum { CHECKED_SUM = 16, CHECKED_VALUE_MAX = 1 << 16 };

/* Put value and its sum; flags as of mdb_put. 0 or an LMDB code. */
int checked_put(MDB_txn *txn, MDB_dbi base, struct view key, struct view value,
	unsigned flags);

/* Whether a record holds; value is then without the sum, and valid as LMDB's
 * are: until the txn ends or writes. */
bool checked_open(
	const MDB_val *key, const MDB_val *record, struct view *value);

/* 0; MDB_NOTFOUND; MDB_CORRUPTED when it does not check; another LMDB code. */
int checked_get(
	MDB_txn *txn, MDB_dbi base, struct view key, struct view *value);

/* Integers of keys are big-endian, so that their order is that of the bytes. */
void big_put32(uint8_t out[4], uint32_t value);
uint32_t big_get32(const uint8_t in[4]);
void big_put64(uint8_t out[8], uint64_t value);
uint64_t big_get64(const uint8_t in[8]);

#endif
