/* store/store.h -- what a node keeps on disk, in one directory.
 *
 * log/   blocks in preallocated segment files, one checksummed record after
 *        another; durable when store_log_sync returns. The truth.
 * vote   the engine's record (term, vote): two checksummed slots.
 * index/ LMDB: where a transaction or a block hash is, snapshots, saved peers,
 *        received transactions. Behind the log by a moment; rebuilt from it.
 *
 * One process at a time (a lock file). Log and vote are used by one thread,
 * the index by another. A failed write or fsync of the log aborts the process:
 * it never goes on (reliability.md: fail-stop).
 */
#ifndef PERCH_STORE_STORE_H
#define PERCH_STORE_STORE_H

#include "base/err.h"
#include "base/view.h"

/* ---- the log and the vote: one thread ---- */

struct log; /* opaque */

/* Open or create DIR/log and DIR/vote. Scans the last segment, cuts a torn
 * tail (a record that was never acknowledged: nothing valid follows it).
 * ERR_IN_USE: another process has it; ERR_DAMAGED: a record inside is damaged
 * and first_bad is its height: see log_repair; ERR_IO. why: 200 bytes for the
 * cause and the cure. */
MUST_CHECK enum err log_open(struct log **out, const char *directory,
	uint64_t *first_bad, char why[200]);
void log_close(struct log **log);

/* Heights held: (base, tip]; base is 0 or what was compacted or skipped. */
uint64_t log_base(const struct log *log);
uint64_t log_tip(const struct log *log);

/* Write a block's bytes at height = tip + 1; durable only after log_sync. */
void log_append(struct log *log, uint64_t height, struct view block);
/* Drop everything above height (durably before a later append is). */
void log_truncate(struct log *log, uint64_t height);
/* fdatasync of what was written. */
void log_sync(struct log *log);
/* Durable when it returns. At most 256 bytes. */
void log_save_record(struct log *log, struct view record);
/* Bytes of the saved record into out[256]; size 0 when there is none. */
size_t log_record(const struct log *log, uint8_t out[256]);

/* Copy the block at height to out (60000 bytes); checks its checksum.
 * ERR_NOT_FOUND, ERR_DAMAGED. Any thread, at any time. */
MUST_CHECK enum err log_read(struct log *log, uint64_t height, uint8_t *out,
	size_t *size);

/* Delete whole segments that end at or below height. */
void log_compact(struct log *log, uint64_t height);
/* Throw all blocks away; the next append is at height + 1 (after a snapshot). */
void log_reset(struct log *log, uint64_t height);
/* Cut the log below a damaged height, so that a node can refetch the rest. */
MUST_CHECK enum err log_repair(const char *directory, uint64_t first_bad,
	char why[200]);

/* ---- the index: another thread ---- */

struct index; /* opaque */

MUST_CHECK enum err index_open(struct index **out, const char *directory,
	char why[200]);
void index_close(struct index **index);

/* Changes are gathered and become durable, all at once, with index_commit. */
void index_put_tx(struct index *index, const struct key *wallet,
	const struct id *id, const struct hash *tx, uint64_t height,
	uint16_t tx_index);
void index_put_block(struct index *index, const struct hash *hash,
	uint64_t height);
void index_put_snapshot(struct index *index, uint64_t height,
	struct view header, const struct signature *signature,
	struct view bytes); /* keeps the newest two */
void index_put_peer(struct index *index, const struct key *key,
	struct view entry);
void index_put_received(struct index *index, const struct key *wallet,
	const struct id *id, struct view tx);
void index_remove_received(struct index *index, const struct key *wallet,
	const struct id *id);
void index_commit(struct index *index, uint64_t applied_height);

/* Reads see what is committed; any thread. */
uint64_t index_applied(struct index *index);
bool index_find_tx(struct index *index, const struct key *wallet,
	const struct id *id, struct hash *tx, uint64_t *height,
	uint16_t *tx_index);
bool index_find_block(struct index *index, const struct hash *hash,
	uint64_t *height);
/* Newest snapshot at most at height (0: any): copies up to size bytes at
 * offset to out; total is its whole size. header holds 400 bytes. */
bool index_find_snapshot(struct index *index, uint64_t *height,
	uint8_t header[400], size_t *header_size, struct signature *signature,
	uint64_t offset, uint8_t *out, size_t *size, uint64_t *total);
/* Walk saved peers, or received transactions: cursor starts at 0. */
bool index_next_peer(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max);
bool index_next_received(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max);

#endif
