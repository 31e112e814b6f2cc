/* store/slots.c -- the small things that the log must never forget.
 *
 * The slots are in pages of their own, so that a disk with sectors of 4096
 * bytes does not tear both.
 */
#include "store/slots.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "store/little.h"

#define SLOTS_NAME "vote"
#define SLOTS_NAME_NEW "vote.new"
#define MAGIC 0x31544f56U /* "VOT1" */

enum {
	SLOT_SIZE = DISK_SECTOR,
	SLOT_STRIDE = 4096,
	SLOTS_SIZE = 2 * SLOT_STRIDE,
	AT_MAGIC = 0,
	AT_RECORD_SIZE = 4,
	AT_COUNTER = 8,
	AT_EPOCH = 16,
	AT_CUT = 24,
	AT_BASE = 32,
	AT_HEAD = 40,
	AT_OWED = 48,
	AT_SALT = 56,
	AT_RECORD = 72,
	AT_CHECK = SLOT_SIZE - 32,
};

_Static_assert(AT_RECORD + SLOTS_RECORD_MAX <= AT_CHECK, "a slot is a sector");

static void slot_write(uint8_t out[SLOT_SIZE], const struct slot *slot)
{
	memset(out, 0, SLOT_SIZE);
	little_put32(out + AT_MAGIC, MAGIC);
	little_put32(out + AT_RECORD_SIZE, slot->record_size);
	little_put64(out + AT_COUNTER, slot->counter);
	little_put64(out + AT_EPOCH, slot->epoch);
	little_put64(out + AT_CUT, slot->cut);
	little_put64(out + AT_BASE, slot->base);
	little_put64(out + AT_HEAD, slot->head);
	little_put64(out + AT_OWED, slot->owed);
	memcpy(out + AT_SALT, slot->salt, RECORD_SALT);
	memcpy(out + AT_RECORD, slot->record, slot->record_size);
	CHECK(crypto_generichash(out + AT_CHECK, 32, out, AT_CHECK, NULL, 0) ==
		0);
}

static bool slot_read(struct slot *out, const uint8_t in[SLOT_SIZE])
{
	uint8_t check[32];

	CHECK(crypto_generichash(check, 32, in, AT_CHECK, NULL, 0) == 0);
	if (little_get32(in + AT_MAGIC) != MAGIC ||
		memcmp(check, in + AT_CHECK, 32) != 0)
		return false;
	*out = (struct slot){
		.record_size = little_get32(in + AT_RECORD_SIZE),
		.counter = little_get64(in + AT_COUNTER),
		.epoch = little_get64(in + AT_EPOCH),
		.cut = little_get64(in + AT_CUT),
		.base = little_get64(in + AT_BASE),
		.head = little_get64(in + AT_HEAD),
		.owed = little_get64(in + AT_OWED),
	};
	if (out->record_size > SLOTS_RECORD_MAX)
		return false;
	memcpy(out->salt, in + AT_SALT, RECORD_SALT);
	memcpy(out->record, in + AT_RECORD, out->record_size);
	return true;
}

static void put(struct slots *slots, int i)
{
	uint8_t bytes[SLOT_SIZE];
	int error;

	slot_write(bytes, &slots->now);
	error = disk_write(slots->disk, slots->file, bytes, SLOT_SIZE,
		(uint64_t)i * SLOT_STRIDE);
	if (error)
		disk_failed(slots->disk, "write", SLOTS_NAME, error);
}

static void sync_slots(struct slots *slots)
{
	int error = slots->disk->ops->sync(slots->disk->context, slots->file);

	if (error)
		disk_failed(slots->disk, "fdatasync", SLOTS_NAME, error);
}

enum err slots_open(struct slots *out, const struct disk *disk)
{
	struct slots slots = {.disk = disk};
	int newer = -1;

	slots.file = disk->ops->open(disk->context, SLOTS_NAME, false);
	if (slots.file < 0)
		return slots.file == -ENOENT ? ERR_NOT_FOUND : ERR_IO;
	for (int i = 0; i < 2; i++) {
		uint8_t bytes[SLOT_SIZE];
		struct slot slot;

		/* A sector that cannot be read is a sector that is damaged. */
		if (disk_read(disk, slots.file, bytes, SLOT_SIZE,
			    (uint64_t)i * SLOT_STRIDE) != 0 ||
			!slot_read(&slot, bytes))
			continue;
		if (newer >= 0 && slot.counter <= slots.now.counter)
			continue;
		slots.now = slot;
		newer = i;
	}
	if (newer < 0) {
		slots_close(&slots);
		return ERR_DAMAGED;
	}
	/* What was read may have been noted only. It must be on the disk before
	 * the other slot is written to. */
	sync_slots(&slots);
	put(&slots, 1 - newer);
	sync_slots(&slots);
	*out = slots;
	return ERR_OK;
}

static int slots_write_file(
	const struct disk *disk, int file, const struct slot *slot)
{
	uint8_t bytes[SLOT_SIZE];
	int error = disk->ops->reserve(disk->context, file, SLOTS_SIZE);

	slot_write(bytes, slot);
	for (uint64_t i = 0; i < 2 && !error; i++)
		error = disk_write(
			disk, file, bytes, SLOT_SIZE, i * SLOT_STRIDE);
	return error ? error : disk->ops->sync(disk->context, file);
}

void slots_make(struct slots *slots, const struct disk *disk)
{
	int error;
	int file;

	/* What an interrupted call may have left. */
	(void)disk->ops->remove(disk->context, SLOTS_NAME_NEW);
	file = disk->ops->open(disk->context, SLOTS_NAME_NEW, true);
	if (file < 0)
		disk_failed(disk, "making", SLOTS_NAME_NEW, file);
	error = slots_write_file(disk, file, &slots->now);
	if (!error)
		error = disk->ops->rename(
			disk->context, SLOTS_NAME_NEW, SLOTS_NAME);
	if (!error)
		error = disk->ops->sync_names(disk->context);
	if (error)
		disk_failed(disk, "making", SLOTS_NAME, error);
	slots->disk = disk;
	slots->file = file;
}

void slots_close(struct slots *slots)
{
	slots->disk->ops->close(slots->disk->context, slots->file);
	slots->file = -1;
}

void slots_note(struct slots *slots)
{
	slots->now.counter++;
	put(slots, 1);
}

void slots_save(struct slots *slots)
{
	slots->now.counter++;
	put(slots, 1);
	sync_slots(slots);
	put(slots, 0);
	sync_slots(slots);
}
