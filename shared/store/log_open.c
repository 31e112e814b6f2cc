/* store/log_open.c -- what a process finds on the disk, and what it may
 * believe.
 *
 * Nothing is changed before everything is understood. A last record that does
 * not hold is cut only if it cannot have been acknowledged: no record behind it
 * saw it durable, the slots do not count it, and it was torn (a sector of it is
 * still zeros). Everything else that does not hold is damage with a height.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/log_state.h"

struct opening {
	struct log *log;
	struct segment *found; /* of the names, sorted; not yet read */
	size_t found_count;
	struct segment *stale; /* files to be removed */
	size_t stale_count;
	uint32_t dirty; /* of the last segment: end of what is not zeros */
	bool repair;    /* verify every block */
	/* What is wrong, if anything is: */
	uint64_t bad;
	const char *what;
	int error;
};

static enum err damaged(struct opening *opening, uint64_t bad, const char *what)
{
	opening->bad = bad;
	opening->what = what;
	return ERR_DAMAGED;
}

static enum err refused(struct opening *opening, int error)
{
	opening->error = error;
	return ERR_IO;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a;
	const struct segment *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

/* The segments by their names. */
static enum err list_segments(struct opening *opening)
{
	const struct disk *disk = &opening->log->disk;
	char(*names)[DISK_NAME_MAX] = NULL;
	int count = disk->ops->list(disk->context, NULL, 0);
	int again;

	if (count < 0)
		return refused(opening, count);
	names = calloc((size_t)count + 1, sizeof(*names));
	opening->found = calloc((size_t)count + 1, sizeof(*opening->found));
	opening->stale = calloc((size_t)count + 1, sizeof(*opening->stale));
	CHECK(names && opening->found && opening->stale);
	again = disk->ops->list(disk->context, names, (size_t)count);
	for (int i = 0; i < again && i < count; i++) {
		struct segment *next = &opening->found[opening->found_count];

		if (segment_parse_name(next, names[i]))
			opening->found_count++;
	}
	free(names);
	qsort(opening->found, opening->found_count, sizeof(*opening->found),
		compare_segments);
	return again == count ? ERR_OK : refused(opening, -EAGAIN);
}

/* The vote file of a log that has nothing yet, or has lost its own. */
static void make_slots(struct opening *opening, uint64_t epoch, uint64_t owed)
{
	struct slots *slots = &opening->log->slots;

	slots->now = (struct slot){.epoch = epoch, .owed = owed};
	randombytes_buf(slots->now.salt, sizeof(slots->now.salt));
	slots_make(slots, &opening->log->disk);
}

static enum err open_slots(struct opening *opening)
{
	struct log *log = opening->log;
	enum err err = slots_open(&log->slots, &log->disk);

	if (err == ERR_NOT_FOUND && opening->found_count == 0) {
		make_slots(opening, 1, 0);
		return ERR_OK;
	}
	if (err == ERR_NOT_FOUND)
		return damaged(opening, 0, "the vote file is missing");
	if (err == ERR_DAMAGED)
		return damaged(opening, 0, "the vote file is damaged");
	if (err)
		return refused(opening, -EIO);
	for (size_t i = 0; i < opening->found_count; i++)
		if (opening->found[i].epoch > log->slots.now.epoch)
			return damaged(opening, 0,
				"the vote file is older than the blocks");
	return ERR_OK;
}

static void make_stale(struct opening *opening, struct segment *segment)
{
	segment_free(segment);
	opening->stale[opening->stale_count++] = *segment;
}

/* Set apart what a truncation or a compaction did not come to remove. */
static void set_stale_apart(struct opening *opening)
{
	const struct slot *now = &opening->log->slots.now;
	size_t kept = 0;

	for (size_t i = 0; i < opening->found_count; i++) {
		struct segment *segment = &opening->found[i];

		if (segment->first <= now->base ||
			(segment->first > now->cut &&
				segment->epoch < now->epoch))
			make_stale(opening, segment);
		else
			opening->found[kept++] = *segment;
	}
	opening->found_count = kept;
}

static enum err judge_last(struct opening *opening, struct segment_walk *walk,
	const struct segment *last)
{
	uint64_t next = last->first + last->count;
	struct segment_witness witness = segment_judge(walk, last);

	opening->dirty = witness.dirty;
	if (witness.durable >= next)
		return damaged(
			opening, next, "it does not hold, and later blocks do");
	switch (witness.tail) {
	case TAIL_EMPTY:
	case TAIL_OLD:
	case TAIL_TORN:
		return ERR_OK;
	case TAIL_ROT:
		return damaged(opening, next,
			"what is there does not match its checksum");
	case TAIL_UNREADABLE:
		return damaged(opening, next,
			"the file ends too early or cannot be read");
	}
	CHECK(!"a tail is one of these");
	return ERR_DAMAGED;
}

/* Read one segment. The last one stays open: blocks are appended to it. */
static enum err walk_segment(struct opening *opening, struct segment_walk *walk,
	struct segment *segment, bool last)
{
	struct log *log = opening->log;
	const struct disk *disk = &log->disk;
	uint64_t next = log->tip + 1;
	enum err err = ERR_OK;
	char name[DISK_NAME_MAX];

	if (segment->first != next)
		return damaged(opening, next, "it is damaged or missing");
	segment_name(name, segment);
	walk->file = disk->ops->open(disk->context, name, false);
	if (walk->file < 0)
		return refused(opening, walk->file);
	if (!segment_walk_head(walk, segment, log->segment_count > 0)) {
		err = damaged(opening, next,
			"the head of its file does not match its checksum");
		goto out;
	}
	segment_walk_records(walk, segment, last || opening->repair);
	log_add_segment(log, segment);
	log->tip += segment->count;
	if (last)
		err = judge_last(opening, walk, segment);
out:
	if (last && !err)
		log->file = walk->file;
	else
		disk->ops->close(disk->context, walk->file);
	return err;
}

/* Fill the log's segments up to its end, or to the first damage. */
static enum err walk_segments(struct opening *opening)
{
	struct log *log = opening->log;
	const struct slot *now = &log->slots.now;
	struct segment_walk walk = {
		.disk = &log->disk,
		.rules = {now->salt, now->cut, now->epoch},
		.window = malloc(SEGMENT_WINDOW),
	};
	enum err err = ERR_OK;

	CHECK(walk.window);
	log->base = now->base;
	log->tip = now->base;
	for (size_t i = 0; i < opening->found_count && !err; i++)
		err = walk_segment(opening, &walk, &opening->found[i],
			i + 1 == opening->found_count);
	memcpy(log->link, walk.link, RECORD_LINK);
	free(walk.window);
	if (!err && log->tip < now->head)
		err = damaged(opening, log->tip + 1,
			"it was acknowledged and is not there");
	return err;
}

/* Everything is understood: now tidy up what crashes left. */
static void tidy(struct opening *opening)
{
	struct log *log = opening->log;
	const struct disk *disk = &log->disk;
	struct segment *last;
	int error;

	/* Syncs the names too: a file may be older than its name's sync. */
	log_remove_files(log, opening->stale, opening->stale_count);
	if (log->segment_count > 0) {
		last = &log->segments[log->segment_count - 1];
		log->zeroed = last->used;
		error = disk_write_zeros(disk, log->file,
			opening->dirty - last->used, last->used);
		/* What was read may not have been synced by its writer. */
		if (!error)
			error = disk->ops->sync(disk->context, log->file);
		if (error)
			disk_failed(disk, "tidying", "the last segment", error);
	}
	log->synced = log->tip;
	log->slots.now.head = log->tip;
	slots_note(&log->slots);
}

static enum err start(
	struct opening *opening, const struct disk *disk, uint32_t segment_size)
{
	struct log *log = calloc(1, sizeof(*log));

	CHECK(log);
	CHECK(segment_size >= SEGMENT_SIZE_MIN &&
		segment_size <= SEGMENT_SIZE_MAX &&
		segment_size % RECORD_ALIGN == 0);
	log->disk = *disk;
	log->slots.file = -1;
	log->file = -1;
	log->segment_size = segment_size;
	CHECK(pthread_mutex_init(&log->lock, NULL) == 0);
	*opening = (struct opening){.log = log};
	return list_segments(opening);
}

/* Free what was only for opening; and the log and the disk unless all went
 * well. why says what did not. */
static enum err finish(struct opening *opening, enum err err, char why[200])
{
	struct disk disk = opening->log->disk;

	free(opening->found);
	free(opening->stale);
	if (!err)
		return ERR_OK;
	if (err == ERR_DAMAGED && opening->bad == 0)
		snprintf(why, 200,
			"%s: %s; repair begins the log anew, and the node must "
			"not vote before it has caught up",
			disk.where, opening->what);
	else if (err == ERR_DAMAGED)
		snprintf(why, 200,
			"%s: block %" PRIu64 ": %s; repair cuts the log there, "
			"then peers give the rest",
			disk.where, opening->bad, opening->what);
	else
		snprintf(why, 200, "%s: cannot be read or written: %s",
			disk.where, strerror(-opening->error));
	log_free(opening->log);
	disk.ops->shut(disk.context);
	return err;
}

enum err log_open_on(struct log **out, const struct disk *disk,
	uint32_t segment_size, uint64_t *first_bad, char why[200])
{
	struct opening opening;
	enum err err = start(&opening, disk, segment_size);

	if (!err)
		err = open_slots(&opening);
	if (!err) {
		set_stale_apart(&opening);
		err = walk_segments(&opening);
	}
	if (!err)
		tidy(&opening);
	err = finish(&opening, err, why);
	if (err == ERR_DAMAGED)
		*first_bad = opening.bad;
	if (!err)
		*out = opening.log;
	return err;
}

enum err log_open(struct log **out, const char *directory, uint64_t *first_bad,
	char why[200])
{
	struct disk disk;
	enum err err = disk_open(&disk, directory, "log", why);

	if (err)
		return err;
	return log_open_on(out, &disk, LOG_SEGMENT_SIZE, first_bad, why);
}

/* The highest block that a record of the last segment tells of. */
static uint64_t highest_seen(struct opening *opening)
{
	const struct disk *disk = &opening->log->disk;
	const struct segment *last;
	char name[DISK_NAME_MAX];
	uint64_t highest;
	int file;

	if (opening->found_count == 0)
		return 0;
	last = &opening->found[opening->found_count - 1];
	segment_name(name, last);
	file = disk->ops->open(disk->context, name, false);
	if (file < 0)
		return last->first;
	highest = segment_highest(disk, file);
	disk->ops->close(disk->context, file);
	return highest > last->first ? highest : last->first;
}

/* The vote file cannot be believed: then nothing can. The old segments are
 * stale to the new one, for their epochs are lower. */
static void begin_anew(struct opening *opening)
{
	uint64_t owed = highest_seen(opening);
	uint64_t epoch = 0;

	for (size_t i = 0; i < opening->found_count; i++)
		if (opening->found[i].epoch > epoch)
			epoch = opening->found[i].epoch;
	if (opening->log->slots.file >= 0)
		slots_close(&opening->log->slots);
	/* A vote may be forgotten even where no block was. */
	make_slots(opening, epoch + 1, owed ? owed : 1);
	set_stale_apart(opening);
	log_remove_files(opening->log, opening->stale, opening->stale_count);
}

/* Keep what holds up to height keep. Then zeros to the end of its file, which
 * may be shorter than it was. */
static void cut_damage(struct opening *opening, uint64_t keep)
{
	struct log *log = opening->log;
	struct slot *now = &log->slots.now;
	uint64_t seen = highest_seen(opening);
	const struct segment *last;
	int error;

	for (size_t i = log->segment_count; i < opening->found_count; i++)
		make_stale(opening, &opening->found[i]);
	if (seen < now->head)
		seen = now->head;
	if (seen < opening->bad)
		seen = opening->bad;
	if (now->owed < seen)
		now->owed = seen;
	log_cut(log, log->base, keep < log->base ? log->base : keep);
	if (opening->stale_count)
		log_remove_files(log, opening->stale, opening->stale_count);
	if (log->segment_count == 0)
		return;
	last = &log->segments[log->segment_count - 1];
	error = disk_write_zeros(
		&log->disk, log->file, last->size - last->used, last->used);
	if (!error)
		error = log->disk.ops->sync(log->disk.context, log->file);
	if (error)
		disk_failed(&log->disk, "repairing", "the last segment", error);
}

enum err log_repair_on(
	const struct disk *disk, uint64_t first_bad, char why[200])
{
	struct opening opening;
	enum err err = start(&opening, disk, LOG_SEGMENT_SIZE);

	opening.repair = true;
	if (!err)
		err = open_slots(&opening);
	if (err == ERR_DAMAGED) {
		begin_anew(&opening);
		err = ERR_OK;
	} else if (!err) {
		uint64_t keep;

		set_stale_apart(&opening);
		err = walk_segments(&opening);
		keep = opening.log->tip;
		if (first_bad > 0 && first_bad <= keep)
			keep = first_bad - 1;
		if (err == ERR_DAMAGED || keep < opening.log->tip) {
			cut_damage(&opening, keep);
			err = ERR_OK;
		} else if (!err) {
			tidy(&opening);
		}
	}
	err = finish(&opening, err, why);
	if (!err)
		log_close(&opening.log);
	return err;
}

enum err log_repair(const char *directory, uint64_t first_bad, char why[200])
{
	struct disk disk;
	enum err err = disk_open(&disk, directory, "log", why);

	if (err)
		return err;
	return log_repair_on(&disk, first_bad, why);
}
