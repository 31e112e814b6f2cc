/* service/disk.c -- write what has gathered, then sync once. */
#include "service/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void append(struct log *log, const struct disk_job *job)
{
	for (size_t i = 0; i < job->block_count; i++) {
		uint64_t height = job->blocks[i].height;
		if (i == 0 && log_tip(log) >= height)
			log_truncate(log, height - 1);
		CHECK(height == log_tip(log) + 1);
		log_append(log, height, job->blocks[i].bytes);
	}
	if (job->record_size > 0)
		log_save_record(log, view_of(job->record, job->record_size));
}

static void run(void *context, void *const *jobs, size_t count)
{
	struct log *log = context;
	bool appended = false;
	for (size_t i = 0; i < count; i++) {
		const struct disk_job *job = jobs[i];
		switch (job->verb) {
		case DISK_SAVE:
			append(log, job);
			appended = appended || job->block_count > 0;
			break;
		case DISK_RESET:
			log_reset(log, job->height);
			break;
		case DISK_CUT:
			if (log_tip(log) > job->height)
				log_truncate(log, job->height);
			break;
		case DISK_COMPACT:
			log_compact(log, job->height);
			break;
		}
	}
	if (appended)
		log_sync(log);
}

enum err disk_start(struct worker **out, struct bus *bus, struct log *log)
{
	return worker_start(out, bus, run, log);
}

struct disk_job *disk_save(uint64_t task, struct view record,
	const struct engine_block *blocks, size_t block_count)
{
	size_t size = 0;
	CHECK(block_count <= ENGINE_ATTACH_MAX &&
		record.size <= ENGINE_RECORD_MAX);
	for (size_t i = 0; i < block_count; i++)
		size += blocks[i].ref.bytes.size;
	struct disk_job *job = malloc(sizeof(*job) + size);
	CHECK(job != NULL);
	memset(job, 0, sizeof(*job));
	job->verb = DISK_SAVE;
	job->task = task;
	job->record_size = record.size;
	if (record.size > 0)
		memcpy(job->record, record.data, record.size);
	job->block_count = block_count;
	uint8_t *at = job->bytes;
	for (size_t i = 0; i < block_count; i++) {
		struct view bytes = blocks[i].ref.bytes;
		memcpy(at, bytes.data, bytes.size);
		job->blocks[i].height = blocks[i].ref.header.height;
		job->blocks[i].bytes = view_of(at, bytes.size);
		at += bytes.size;
	}
	return job;
}

struct disk_job *disk_verb(enum disk_verb verb, uint64_t height)
{
	struct disk_job *job = calloc(1, sizeof(*job));
	CHECK(job != NULL);
	job->verb = verb;
	job->height = height;
	return job;
}
