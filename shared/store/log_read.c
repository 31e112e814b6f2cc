/* store/log_read.c -- a block by its height, for any thread at any time.
 *
 * Readers hold the lock for finding the place only, never while they wait for
 * the disk; who finds damage looks again whether the block has just been taken
 * away under its hands.
 */
#include <errno.h>

#include "store/log_state.h"

/* Where a block is, as of one moment. */
struct place {
	char name[DISK_NAME_MAX];
	uint32_t offset, span;
	uint64_t cuts;
};

static bool find_place(
	const struct log *log, uint64_t height, struct place *out)
{
	const struct segment *segment;
	size_t low = 0;
	size_t high = log->segment_count;
	uint32_t i;

	if (height <= log->base || height > log->tip)
		return false;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (log->segments[middle].first <= height)
			low = middle;
		else
			high = middle;
	}
	segment = &log->segments[low];
	i = (uint32_t)(height - segment->first);
	segment_name(out->name, segment);
	out->offset = segment->offsets[i];
	out->span = segment_end(segment, i) - out->offset;
	out->cuts = log->cuts;
	return true;
}

static enum err read_place(const struct log *log, const struct place *place,
	uint64_t height, uint8_t *out, size_t *size)
{
	const struct disk *disk = &log->disk;
	uint8_t bytes[RECORD_HEAD];
	uint8_t filling[RECORD_ALIGN];
	struct record_head head;
	enum err err = ERR_DAMAGED;
	uint32_t filling_size;
	int file;

	/* By name and not by a file kept open: there may be more segments than
	 * a process may have files, and a removed one is no special case. */
	file = disk->ops->open(disk->context, place->name, false);
	if (file < 0)
		return file == -ENOENT || file == -EIO ? ERR_DAMAGED : ERR_IO;
	if (disk_read(disk, file, bytes, sizeof(bytes), place->offset) != 0 ||
		!record_read_head(&head, bytes, log->slots.now.salt) ||
		head.height != height || record_span(head.size) != place->span)
		goto out;
	filling_size = place->span - RECORD_HEAD - head.size;
	if (disk_read(disk, file, out, head.size,
		    place->offset + RECORD_HEAD) != 0 ||
		disk_read(disk, file, filling, filling_size,
			place->offset + place->span - filling_size) != 0 ||
		!record_holds(bytes, log->slots.now.salt, out, filling))
		goto out;
	*size = head.size;
	err = ERR_OK;
out:
	disk->ops->close(disk->context, file);
	return err;
}

enum err log_read(struct log *log, uint64_t height, uint8_t *out, size_t *size)
{
	for (;;) {
		struct place place;
		bool changed;
		bool here;
		enum err err;

		log_lock(log);
		here = find_place(log, height, &place);
		log_unlock(log);
		if (!here)
			return ERR_NOT_FOUND;
		err = read_place(log, &place, height, out, size);
		if (err != ERR_DAMAGED)
			return err;
		/* Was it taken away while it was read? Then look again. */
		log_lock(log);
		changed = log->cuts != place.cuts;
		log_unlock(log);
		if (!changed)
			return ERR_DAMAGED;
	}
}
