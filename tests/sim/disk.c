/* sim/disk.c -- two images and the writes between them. */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void image_clear(struct disk_image *image)
{
	image->base = 0;
	image->tip = 0;
	image->record_size = 0;
}

void disk_clear(struct disk *disk)
{
	image_clear(&disk->written);
	image_clear(&disk->durable);
	disk->write_count = 0;
	disk->keeps_old = false;
	disk->owed = 0;
	disk->idle_us = 0;
	disk->slow_us = 0;
	memset(disk->kept, 0, sizeof(disk->kept));
	disk->keeping = NULL;
}

void disk_free(struct disk *disk)
{
	free(disk->written.blocks);
	free(disk->durable.blocks);
	free(disk->writes);
	memset(disk, 0, sizeof(*disk));
}

static void image_room(struct disk_image *image, uint64_t height)
{
	if (height < image->room)
		return;
	size_t room = image->room ? image->room : 512;
	while (room <= height)
		room *= 2;
	image->blocks = realloc(image->blocks, room * sizeof(*image->blocks));
	CHECK(image->blocks);
	image->room = room;
}

static void image_put(struct disk_image *image, const struct bank_block *block,
	bool keeps_old)
{
	uint64_t height = block->ref.header.height;
	CHECK(height > image->base && height <= image->tip + 1);
	image_room(image, height);
	if (keeps_old && height <= image->tip)
		return;
	image->blocks[height] = block;
	image->tip = height;
}

static void image_copy(struct disk_image *to, const struct disk_image *from)
{
	image_room(to, from->tip);
	to->base = from->base;
	to->tip = from->tip;
	if (from->tip > from->base)
		memcpy(to->blocks + from->base + 1,
			from->blocks + from->base + 1,
			(from->tip - from->base) * sizeof(*to->blocks));
	to->record_size = from->record_size;
	memcpy(to->record, from->record, from->record_size);
}

static void image_apply(struct disk_image *image,
	const struct disk_write *write, bool keeps_old)
{
	switch (write->kind) {
	case DISK_APPEND:
		image_put(image, write->block, keeps_old);
		return;
	case DISK_RECORD:
		image->record_size = write->record_size;
		memcpy(image->record, write->record, write->record_size);
		return;
	case DISK_RESET:
		image->base = write->height;
		image->tip = write->height;
		return;
	case DISK_SYNC:
		return;
	}
}

static struct disk_write *write_add(struct disk *disk, enum disk_kind kind)
{
	if (disk->write_count == disk->write_room) {
		disk->write_room = disk->write_room ? 2 * disk->write_room : 64;
		disk->writes = realloc(
			disk->writes, disk->write_room * sizeof(*disk->writes));
		CHECK(disk->writes);
	}
	struct disk_write *write = &disk->writes[disk->write_count++];
	write->kind = kind;
	return write;
}

void disk_append(struct disk *disk, const struct bank_block *block)
{
	struct disk_write *write = write_add(disk, DISK_APPEND);
	write->block = block;
	image_apply(&disk->written, write, disk->keeps_old);
}

void disk_record(struct disk *disk, struct view record)
{
	CHECK(record.size <= DISK_RECORD_MAX);
	struct disk_write *write = write_add(disk, DISK_RECORD);
	write->record_size = record.size;
	memcpy(write->record, record.data, record.size);
	image_apply(&disk->written, write, disk->keeps_old);
}

void disk_reset(struct disk *disk, uint64_t height)
{
	struct disk_write *write = write_add(disk, DISK_RESET);
	write->height = height;
	image_apply(&disk->written, write, disk->keeps_old);
}

void disk_sync(struct disk *disk, uint64_t task)
{
	write_add(disk, DISK_SYNC)->task = task;
}

static void write_drop(struct disk *disk, size_t count)
{
	disk->write_count -= count;
	memmove(disk->writes, disk->writes + count,
		disk->write_count * sizeof(*disk->writes));
}

uint64_t disk_owed(const struct disk *disk)
{
	return disk->owed > disk->durable.tip ? disk->owed : 0;
}

bool disk_done(struct disk *disk, uint64_t *task, bool *voted)
{
	*voted = false;
	for (size_t i = 0; i < disk->write_count; i++) {
		image_apply(&disk->durable, &disk->writes[i], disk->keeps_old);
		*voted |= disk->writes[i].kind == DISK_RECORD;
		if (disk->writes[i].kind != DISK_SYNC)
			continue;
		*task = disk->writes[i].task;
		if (disk->owed <= disk->durable.tip)
			disk->owed = 0;
		write_drop(disk, i + 1);
		return true;
	}
	return false;
}

size_t disk_syncs(const struct disk *disk)
{
	size_t count = 0;
	for (size_t i = 0; i < disk->write_count; i++)
		count += disk->writes[i].kind == DISK_SYNC;
	return count;
}

/* Log and vote are different files: each keeps a beginning of its own. */
size_t disk_crash(struct disk *disk, struct random *random, bool kept_all)
{
	size_t count = disk->write_count;
	size_t log_kept = count, vote_kept = count;
	bool torn = false;
	if (!kept_all && count > 0) {
		log_kept = (size_t)random_below(random, count + 1);
		vote_kept = (size_t)random_below(random, count + 1);
		torn = random_chance(random, 500);
	}
	for (size_t i = 0; i < count; i++) {
		const struct disk_write *write = &disk->writes[i];
		size_t kept = write->kind == DISK_RECORD ? vote_kept : log_kept;
		if (i < kept) {
			image_apply(&disk->durable, write, disk->keeps_old);
		} else if (i == log_kept && torn &&
			   write->kind == DISK_APPEND) {
			/* What it replaced was cut first; it is torn. */
			uint64_t below = write->block->ref.header.height - 1;
			if (disk->durable.tip > below)
				disk->durable.tip = below;
		}
	}
	if (kept_all && disk->keeping)
		disk_keep(disk, disk->keeping);
	disk->keeping = NULL;
	disk->write_count = 0;
	disk->idle_us = 0;
	image_copy(&disk->written, &disk->durable);
	return count - log_kept;
}

static const struct bank_block *image_read(
	const struct disk_image *image, uint64_t height)
{
	return height > image->base && height <= image->tip
		       ? image->blocks[height]
		       : NULL;
}

const struct bank_block *disk_read(const struct disk *disk, uint64_t height)
{
	return image_read(&disk->written, height);
}

const struct bank_block *disk_durable(const struct disk *disk, uint64_t height)
{
	return image_read(&disk->durable, height);
}

void disk_compact(struct disk *disk, uint64_t height)
{
	CHECK(height <= disk->durable.tip);
	if (height > disk->written.base)
		disk->written.base = height;
	if (height > disk->durable.base)
		disk->durable.base = height;
}

void disk_cut(struct disk *disk, uint64_t height)
{
	CHECK(disk->write_count == 0);
	if (disk->owed < disk->durable.tip)
		disk->owed = disk->durable.tip;
	if (disk->durable.tip > height && height >= disk->durable.base)
		disk->durable.tip = height;
	image_copy(&disk->written, &disk->durable);
}

void disk_keep(struct disk *disk, const struct bank_state *state)
{
	uint64_t height = state->block->ref.header.height;
	if (disk->kept[0] && disk->kept[0]->block->ref.header.height >= height)
		return;
	disk->kept[1] = disk->kept[0];
	disk->kept[0] = state;
}

const struct bank_state *disk_kept(const struct disk *disk, uint64_t height)
{
	for (int i = 0; i < DISK_KEPT_MAX; i++) {
		const struct bank_state *kept = disk->kept[i];
		if (kept && kept->block->ref.header.height == height)
			return kept;
	}
	return NULL;
}

void disk_restart(struct disk *disk, uint64_t height)
{
	CHECK(disk->write_count == 0);
	disk->durable.base = height;
	disk->durable.tip = height;
	image_copy(&disk->written, &disk->durable);
}

void disk_wipe(struct disk *disk)
{
	memset(disk->kept, 0, sizeof(disk->kept));
	disk->owed = 0;
	disk->durable.record_size = 0;
	disk_restart(disk, 0);
}
