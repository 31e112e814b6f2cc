/* store/log_state.h -- what log.c and log_open.c share. */
#ifndef PERCH_STORE_LOG_STATE_H
#define PERCH_STORE_LOG_STATE_H

#include <pthread.h>

#include "store/log.h"
#include "store/segment.h"
#include "store/slots.h"

struct log {
	struct disk disk;
	struct slots slots;
	pthread_mutex_t lock;     /* of all that log_read looks at: */
	struct segment *segments; /* in order; blocks go to the last */
	size_t segment_count, segment_capacity;
	uint64_t base, tip;
	uint64_t cuts; /* how often a reader's place may have changed */
	/* The writer's own: */
	uint64_t synced;       /* <= tip */
	int file;              /* of the last segment; -1: there is none */
	uint32_t segment_size; /* of new ones */
	uint32_t zeroed; /* to here the last segment was written already */
	uint8_t link[RECORD_LINK]; /* sum of the last record */
	uint8_t buffer[RECORD_SPAN_MAX];
};

/* Readers only look; the log they are given is never const itself. */
void log_lock(const struct log *log);
void log_unlock(const struct log *log);

/* Under the lock, or before anybody else sees the log. */
void log_add_segment(struct log *log, const struct segment *segment);

/* Everything outside (base, height] goes: from the slots first, so that what is
 * left of it after a crash is known for old. */
void log_cut(struct log *log, uint64_t base, uint64_t height);

/* Remove names and make that durable. */
void log_remove_files(
	struct log *log, const struct segment *segments, size_t count);

void log_free(struct log *log);

#endif
