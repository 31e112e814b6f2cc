/* store/slots.h -- the small things that the log must never forget, in two
 * checksummed sectors of the file `vote`.
 *
 * A save writes the second, syncs, writes the first, syncs: one of the two is
 * whole at any instant, and both hold the same when it returns, so rot in
 * either loses nothing. A note writes the second only and does not wait.
 */
#ifndef PERCH_STORE_SLOTS_H
#define PERCH_STORE_SLOTS_H

#include "store/disk.h"
#include "store/record.h"

enum { SLOTS_RECORD_MAX = 256 };

struct slot {
	uint64_t counter; /* the higher one of two is the newer */
	uint64_t epoch;   /* raised by every truncation */
	uint64_t cut;     /* blocks above it have this epoch */
	uint64_t base;    /* the log begins after it */
	uint64_t head;    /* up to here blocks were acknowledged, at least */
	uint64_t owed; /* so far they were, before a repair threw some away */
	uint8_t salt[RECORD_SALT]; /* of this log */
	uint32_t record_size;
	uint8_t record[SLOTS_RECORD_MAX]; /* the engine's */
};

struct slots {
	const struct disk *disk;
	int file;
	int durable;     /* the slot not to be written to now */
	struct slot now; /* change it, then save or note it */
};

/* Read the newer valid slot. ERR_NOT_FOUND: there is no file; ERR_DAMAGED:
 * neither slot is valid; ERR_IO. On success both hold it, durably. */
MUST_CHECK enum err slots_open(struct slots *out, const struct disk *disk);
/* Make the file with what now holds, in place of any that is there. */
void slots_make(struct slots *slots, const struct disk *disk);
void slots_close(struct slots *slots);

/* now is durable, twice, when it returns. */
void slots_save(struct slots *slots);
/* Write now without waiting: it survives the process at once, and a power cut
 * after a while. For what may be a little behind, like head. */
void slots_note(struct slots *slots);

#endif
