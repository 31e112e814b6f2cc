/* store/log.h -- blocks on disk, one after another, and the engine's record.
 *
 * DIR/log/<first height>-<epoch>.segment: preallocated files of checksummed
 * records (record.h). DIR/log/vote: two sectors with the engine's record and
 * what the log must not forget about itself (slots.h). Durable when log_sync
 * returns. A failed write or fsync aborts the process: it never goes on.
 *
 * One thread writes; log_read, log_base and log_tip may be called by any.
 * crypto_start comes first.
 */
#ifndef PERCH_STORE_LOG_H
#define PERCH_STORE_LOG_H

#include "base/err.h"
#include "base/view.h"
#include "store/disk.h"

enum {
	LOG_BLOCK_MAX = 60000, /* bytes */
	LOG_RECORD_MAX = 256,
	LOG_SEGMENT_SIZE = 64 << 20,
};

struct log; /* opaque */

/* Open or create DIR/log. The last segment is verified, the heads of all others
 * are walked; what was never acknowledged and is torn is cut. ERR_IN_USE:
 * another process has it; ERR_DAMAGED: the block at height first_bad, which was
 * acknowledged, is damaged or missing (0: the vote file is): see log_repair;
 * ERR_IO. why: 200 bytes for the cause and the cure. */
MUST_CHECK enum err log_open(struct log **out, const char *directory,
	uint64_t *first_bad, char why[200]);
/* Syncs, then forgets. */
void log_close(struct log **log);

/* Heights held: (base, tip]; base is 0 or what was compacted or skipped. */
uint64_t log_base(const struct log *log);
uint64_t log_tip(const struct log *log);

/* Write a block's bytes (1..LOG_BLOCK_MAX) at height = tip + 1; durable only
 * after log_sync. */
void log_append(struct log *log, uint64_t height, struct view block);
/* Drop everything above height, which is in [base, tip]; durable when it
 * returns. */
void log_truncate(struct log *log, uint64_t height);
/* fdatasync of what was written. */
void log_sync(struct log *log);
/* Durable when it returns. At most LOG_RECORD_MAX bytes. */
void log_save_record(struct log *log, struct view record);
/* Bytes of the saved record into out; size 0 when there is none. */
size_t log_record(const struct log *log, uint8_t out[LOG_RECORD_MAX]);

/* Copy the block at height to out (LOG_BLOCK_MAX bytes, undefined on an error);
 * checks its checksum. ERR_NOT_FOUND, ERR_DAMAGED, ERR_IO (no file descriptor
 * left). Any thread, at any time. */
MUST_CHECK enum err log_read(
	struct log *log, uint64_t height, uint8_t *out, size_t *size);

/* Delete whole segments that end at or below height; never the last one. */
void log_compact(struct log *log, uint64_t height);
/* Throw all blocks away; the next append is at height + 1 (after a snapshot).
 */
void log_reset(struct log *log, uint64_t height);

/* The state at its base is lost: the log begins anew before the first block,
 * and what it had is owed. */
void log_begin_anew(struct log *log);

/* 0..100 of the disk's space. A node refuses work at 90: a full disk stops it.
 */
int log_disk_used_percent(const struct log *log);

/* 0, or a height above the tip up to which this node once acknowledged blocks
 * that a repair threw away, as far as what is left can tell. Until it has them
 * back, others count on what it forgot: it must not vote. */
uint64_t log_owed(const struct log *log);

/* After ERR_DAMAGED: cut the log below first_bad, so that the node can fetch
 * the rest from its peers, and remember what is owed. With first_bad 0 the log
 * begins anew, without the engine's record. */
MUST_CHECK enum err log_repair(
	const char *directory, uint64_t first_bad, char why[200]);

/* The same on any disk (borrowed content, shut by log_close or on an error) and
 * with segments of another size: for tests. */
MUST_CHECK enum err log_open_on(struct log **out, const struct disk *disk,
	uint32_t segment_size, uint64_t *first_bad, char why[200]);
MUST_CHECK enum err log_repair_on(
	const struct disk *disk, uint64_t first_bad, char why[200]);

#endif
