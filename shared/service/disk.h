/* service/disk.h -- the log, behind a worker thread.
 *
 * Jobs that gather while the disk is busy are made durable by one fdatasync: a
 * job is handed back only when it and all before it are durable.
 */
#ifndef PERCH_SERVICE_DISK_H
#define PERCH_SERVICE_DISK_H

#include "consensus/engine.h"
#include "service/worker.h"
#include "store/store.h"

enum disk_verb {
	DISK_SAVE,    /* cut at the first block's height, append, record */
	DISK_RESET,   /* the log begins again after height */
	DISK_CUT,     /* forget what is above height */
	DISK_COMPACT, /* forget what is at or below height */
};

struct disk_job {
	enum disk_verb verb;
	uint64_t task; /* the engine's; 0 when it is not a SAVE */
	uint64_t height;
	size_t record_size;
	uint8_t record[ENGINE_RECORD_MAX];
	size_t block_count;
	struct {
		uint64_t height;
		struct view bytes; /* in bytes[] below */
	} blocks[ENGINE_ATTACH_MAX];
	uint8_t bytes[];
};

MUST_CHECK enum err disk_start(
	struct worker **out, struct bus *bus, struct log *log);

/* A job that owns copies of record and blocks; free() it when it is done. */
struct disk_job *disk_save(uint64_t task, struct view record,
	const struct engine_block *blocks, size_t block_count);
struct disk_job *disk_verb(enum disk_verb verb, uint64_t height);

#endif
