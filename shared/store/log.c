/* store/log.c -- blocks on disk, one after another, and the engine's record.
 *
 * An append costs one write and, with its group, one fdatasync. Space is
 * reserved a segment at a time and written with zeros a stretch at a time:
 * a sync after writing into space that was never written to must also sync the
 * file system's own notes, which takes nearly twice as long.
 */
#include "store/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/log_state.h"

enum { ZERO_AHEAD = 1 << 20 };

void log_lock(const struct log *log)
{
	CHECK(pthread_mutex_lock((pthread_mutex_t *)&log->lock) == 0);
}

void log_unlock(const struct log *log)
{
	CHECK(pthread_mutex_unlock((pthread_mutex_t *)&log->lock) == 0);
}

static struct segment *last_segment(struct log *log)
{
	return log->segment_count ? &log->segments[log->segment_count - 1]
				  : NULL;
}

static _Noreturn void failed(const struct log *log, const char *what, int error)
{
	char name[DISK_NAME_MAX] = "";

	if (log->segment_count)
		segment_name(name, &log->segments[log->segment_count - 1]);
	disk_failed(&log->disk, what, name, error);
}

static void sync_file(struct log *log)
{
	int error = log->disk.ops->sync(log->disk.context, log->file);

	if (error)
		failed(log, "fdatasync", error);
}

void log_add_segment(struct log *log, const struct segment *segment)
{
	if (log->segment_count == log->segment_capacity) {
		size_t capacity =
			log->segment_capacity ? 2 * log->segment_capacity : 16;

		log->segments = realloc(
			log->segments, capacity * sizeof(*log->segments));
		CHECK(log->segments);
		log->segment_capacity = capacity;
	}
	log->segments[log->segment_count++] = *segment;
}

void log_free(struct log *log)
{
	for (size_t i = 0; i < log->segment_count; i++)
		segment_free(&log->segments[i]);
	free(log->segments);
	if (log->file >= 0)
		log->disk.ops->close(log->disk.context, log->file);
	if (log->slots.file >= 0)
		slots_close(&log->slots);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

void log_close(struct log **log)
{
	struct disk disk;

	if (!*log)
		return;
	log_sync(*log);
	slots_save(&(*log)->slots);
	disk = (*log)->disk;
	log_free(*log);
	disk.ops->shut(disk.context);
	*log = NULL;
}

uint64_t log_base(const struct log *log)
{
	uint64_t base;

	log_lock(log);
	base = log->base;
	log_unlock(log);
	return base;
}

uint64_t log_tip(const struct log *log)
{
	uint64_t tip;

	log_lock(log);
	tip = log->tip;
	log_unlock(log);
	return tip;
}

/* A new last segment. What is in the one before is synced first, so that the
 * group of a log_sync is in one file, and that a segment is a witness of all
 * that lies before it. */
static void roll(struct log *log)
{
	struct segment segment = {
		.first = log->tip + 1,
		.epoch = log->slots.now.epoch,
		.size = log->segment_size,
	};

	log_sync(log);
	if (log->file >= 0)
		log->disk.ops->close(log->disk.context, log->file);
	log->file = segment_make(
		&segment, &log->disk, log->link, log->slots.now.salt);
	log->zeroed = segment.used;
	log_lock(log);
	log_add_segment(log, &segment);
	log_unlock(log);
}

void log_append(struct log *log, uint64_t height, struct view block)
{
	struct segment *segment = last_segment(log);
	struct record_head head = {
		.size = (uint32_t)block.size,
		.height = height,
		.durable = log->synced,
		.epoch = log->slots.now.epoch,
	};
	uint32_t span;
	uint32_t end;
	int error = 0;

	CHECK(height == log->tip + 1);
	CHECK(block.size > 0 && block.size <= LOG_BLOCK_MAX);
	span = record_span(head.size);
	if (!segment || segment->size - segment->used < span) {
		roll(log);
		segment = last_segment(log);
		head.durable = log->synced;
	}
	memcpy(head.link, log->link, RECORD_LINK);
	record_write(log->buffer, &head, log->slots.now.salt, block.data);
	end = segment->used + span;
	if (end > log->zeroed) {
		uint32_t left = segment->size - end;

		log->zeroed = end + (left < ZERO_AHEAD ? left : ZERO_AHEAD);
		error = disk_write_zeros(
			&log->disk, log->file, log->zeroed - end, end);
	}
	if (!error)
		error = disk_write(&log->disk, log->file, log->buffer, span,
			segment->used);
	if (error)
		failed(log, "write", error);
	memcpy(log->link, head.sum, RECORD_LINK);
	log_lock(log);
	segment_add(segment, span);
	log->tip = height;
	log_unlock(log);
}

void log_sync(struct log *log)
{
	struct slot *now = &log->slots.now;

	if (log->synced == log->tip)
		return;
	sync_file(log);
	log->synced = log->tip;
	now->head = log->synced;
	if (now->owed <= log->synced)
		now->owed = 0;
	slots_note(&log->slots);
}

void log_remove_files(
	struct log *log, const struct segment *segments, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		char name[DISK_NAME_MAX];

		segment_name(name, &segments[i]);
		error = log->disk.ops->remove(log->disk.context, name);
	}
	if (!error)
		error = log->disk.ops->sync_names(log->disk.context);
	if (error)
		failed(log, "removing segments", error);
}

/* The last segment is the one to append to: open it, know its last sum. */
static void reopen_last(struct log *log)
{
	struct segment *segment = last_segment(log);
	uint8_t bytes[RECORD_HEAD];
	struct record_head head;
	char name[DISK_NAME_MAX];
	int error;

	if (log->file >= 0)
		log->disk.ops->close(log->disk.context, log->file);
	log->file = -1;
	memset(log->link, 0, sizeof(log->link));
	if (!segment)
		return;
	segment_name(name, segment);
	log->file = log->disk.ops->open(log->disk.context, name, false);
	if (log->file < 0)
		failed(log, "open", log->file);
	log->zeroed = segment->used;
	error = disk_read(&log->disk, log->file, bytes, sizeof(bytes),
		segment->offsets[segment->count - 1]);
	if (!error && !record_read_head(&head, bytes, log->slots.now.salt))
		error = -EBADMSG;
	if (error)
		failed(log, "read", error);
	memcpy(log->link, head.sum, RECORD_LINK);
}

/*~ A truncation must not be half undone by a power cut: no block that it took
 * away may come back behind blocks that were written later. So it is done when
 * the slots say so: from then on blocks above the cut count only with the new
 * epoch, wherever old ones still lie. The zeros that follow are for telling a
 * torn record from a rotten one, and are durable before the next append. */
void log_cut(struct log *log, uint64_t base, uint64_t height)
{
	struct slot *now = &log->slots.now;
	struct segment *gone;
	struct segment *segment;
	size_t kept = log->segment_count;
	size_t gone_count;
	uint32_t end = 0;
	int error;

	now->epoch++;
	now->cut = height;
	now->base = base;
	now->head = height;
	slots_save(&log->slots);

	log_lock(log);
	while (kept > 0 &&
		(height == base || log->segments[kept - 1].first > height))
		kept--;
	gone = log->segments + kept;
	gone_count = log->segment_count - kept;
	log->segment_count = kept;
	segment = last_segment(log);
	if (segment) {
		uint32_t count = (uint32_t)(height - segment->first + 1);

		end = segment->used;
		segment->used = segment_end(segment, count - 1);
		segment->count = count;
	}
	log->base = base;
	log->tip = height;
	log->cuts++;
	log_unlock(log);

	reopen_last(log);
	if (segment && end > segment->used) {
		error = disk_write_zeros(&log->disk, log->file,
			end - segment->used, segment->used);
		if (error)
			failed(log, "write", error);
		sync_file(log);
	}
	if (gone_count)
		log_remove_files(log, gone, gone_count);
	for (size_t i = 0; i < gone_count; i++)
		segment_free(&gone[i]);
	log->synced = height;
}

void log_truncate(struct log *log, uint64_t height)
{
	CHECK(height >= log->base && height <= log->tip);
	if (height == log->tip)
		return;
	/* The cut is also a promise that all below it is there. */
	if (log->synced < height)
		log_sync(log);
	log_cut(log, log->base, height);
}

void log_compact(struct log *log, uint64_t height)
{
	struct segment *gone;
	size_t count = 0;

	while (count + 1 < log->segment_count &&
		log->segments[count + 1].first <= height + 1)
		count++;
	if (count == 0)
		return;
	log->slots.now.base = log->segments[count].first - 1;
	slots_save(&log->slots);
	gone = malloc(count * sizeof(*gone));
	CHECK(gone);
	memcpy(gone, log->segments, count * sizeof(*gone));
	log_lock(log);
	log->segment_count -= count;
	memmove(log->segments, log->segments + count,
		log->segment_count * sizeof(*log->segments));
	log->base = log->slots.now.base;
	log->cuts++;
	log_unlock(log);
	log_remove_files(log, gone, count);
	for (size_t i = 0; i < count; i++)
		segment_free(&gone[i]);
	free(gone);
}

void log_reset(struct log *log, uint64_t height)
{
	log_cut(log, height, height);
}

void log_begin_anew(struct log *log)
{
	struct slot *now = &log->slots.now;

	if (now->owed < log->tip)
		now->owed = log->tip;
	log_cut(log, 0, 0);
}

void log_save_record(struct log *log, struct view record)
{
	struct slot *now = &log->slots.now;

	CHECK(record.size <= SLOTS_RECORD_MAX);
	if (record.size > 0)
		memcpy(now->record, record.data, record.size);
	now->record_size = (uint32_t)record.size;
	slots_save(&log->slots);
}

size_t log_record(const struct log *log, uint8_t out[LOG_RECORD_MAX])
{
	const struct slot *now = &log->slots.now;

	memcpy(out, now->record, now->record_size);
	return now->record_size;
}

int log_disk_used_percent(const struct log *log)
{
	int percent = log->disk.ops->used_percent(log->disk.context);

	/* Unknown counts as full: refusing work is the safe answer. */
	return percent < 0 ? 100 : percent;
}

uint64_t log_owed(const struct log *log)
{
	return log->slots.now.owed > log->tip ? log->slots.now.owed : 0;
}
