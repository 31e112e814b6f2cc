/* sim/disk.h -- the disk of one node: what is written, and what is durable.
 *
 * The log and the vote have two images each. A write goes to the first at once
 * and to the second when its sync is done, in order; a crash keeps a random
 * beginning of what was on its way and cuts a torn record.
 */
#ifndef PERCH_SIM_DISK_H
#define PERCH_SIM_DISK_H

#include "bank.h"
#include "base/random.h"

enum { DISK_RECORD_MAX = 256, DISK_KEPT_MAX = 2 };

/* Heights (base, tip], as in store.h. */
struct disk_image {
	uint64_t base, tip;
	size_t room;
	const struct bank_block **blocks; /* by height */
	size_t record_size;
	uint8_t record[DISK_RECORD_MAX];
};

enum disk_kind {
	DISK_APPEND, /* a block; what stands at or above its height goes */
	DISK_RECORD, /* the vote */
	DISK_RESET,  /* the log begins anew after height */
	DISK_SYNC,   /* everything before is durable: task is done */
};

struct disk_write {
	enum disk_kind kind;
	uint64_t height;
	uint64_t task;
	const struct bank_block *block;
	size_t record_size;
	uint8_t record[DISK_RECORD_MAX];
};

struct disk {
	struct disk_image written, durable;
	struct disk_write *writes; /* on their way, oldest first */
	size_t write_count, write_room;
	bool keeps_old; /* a planted mistake */
	/* Acknowledged once, thrown away by a repair, and not back yet. */
	uint64_t owed;
	int64_t idle_us; /* when it has done all it was given */
	int64_t slow_us; /* added to every sync while it is slow */
	const struct bank_state
		*kept[DISK_KEPT_MAX];     /* durable, newest first */
	const struct bank_state *keeping; /* on its way */
};

void disk_clear(struct disk *disk);
void disk_free(struct disk *disk);

void disk_append(struct disk *disk, const struct bank_block *block);
void disk_record(struct disk *disk, struct view record);
void disk_reset(struct disk *disk, uint64_t height);
void disk_sync(struct disk *disk, uint64_t task);

/* The oldest sync is done: its task, and whether the vote was written with it.
 * False when none is on its way. */
bool disk_done(struct disk *disk, uint64_t *task, bool *voted);
/* Syncs that are on their way. */
size_t disk_syncs(const struct disk *disk);

/* Power fails (or, kept_all, only the process dies). Returns how many writes
 * were lost. */
size_t disk_crash(struct disk *disk, struct random *random, bool kept_all);

/* A written block, or NULL. */
const struct bank_block *disk_read(const struct disk *disk, uint64_t height);
const struct bank_block *disk_durable(const struct disk *disk, uint64_t height);
void disk_compact(struct disk *disk, uint64_t height);
/* A snapshot is durable. */
void disk_keep(struct disk *disk, const struct bank_state *state);
const struct bank_state *disk_kept(const struct disk *disk, uint64_t height);
/* While the node is down: everything is gone. */
void disk_wipe(struct disk *disk);
/* While the node is down: the log begins anew after height. */
void disk_restart(struct disk *disk, uint64_t height);
/* Cut everything above height while the node is down (a damaged record). The
 * disk remembers what is owed, as store/log.h does. */
void disk_cut(struct disk *disk, uint64_t height);
/* Up to where this node forgot what it acknowledged, or 0. */
uint64_t disk_owed(const struct disk *disk);

#endif
