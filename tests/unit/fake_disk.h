/* tests/unit/fake_disk.h -- a disk in memory that can lose power.
 *
 * It keeps what was written apart from what was synced, sector by sector and
 * name by name. fake_disk_cut leaves what a power cut may leave: all that was
 * synced, of the rest any subset of sectors, some of them torn, and the first
 * few of the changes of names. It lies in shared memory, so that a parent can
 * look at what an aborted child left.
 */
#ifndef PERCH_TESTS_UNIT_FAKE_DISK_H
#define PERCH_TESTS_UNIT_FAKE_DISK_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/random.h"
#include "store/disk.h"

enum {
	FAKE_FILES = 24,
	FAKE_FILE_SIZE = 1 << 17,
	FAKE_SECTORS = FAKE_FILE_SIZE / DISK_SECTOR,
	FAKE_CHANGES = 64,
};

struct fake_file {
	bool used;
	uint32_t size, durable_size;
	bool dirty[FAKE_SECTORS];
	uint8_t now[FAKE_FILE_SIZE];
	uint8_t durable[FAKE_FILE_SIZE];
};

struct fake_name {
	char text[DISK_NAME_MAX];
	int file;
};

/* The names of a directory; a change of them is a whole new list. */
struct fake_names {
	size_t count;
	struct fake_name items[FAKE_FILES];
};

struct fake_disk {
	struct random random;
	uint64_t calls;    /* that change something */
	uint64_t fail_at;  /* the call that fails; 0: none */
	int fail_with;     /* -EIO */
	bool fail_reserve; /* every reserve fails: the disk is full */
	bool short_writes; /* writes and reads move less than asked, at times */
	bool lies;         /* sync does nothing */
	bool tears; /* a power cut leaves the first words of every sector */
	uint64_t cut_at;         /* the call before which it crashes; 0: none */
	struct fake_disk *image; /* where that leaves the rest */
	struct fake_names names;
	size_t history_count; /* of names not yet durable: [0] is */
	struct fake_names history[FAKE_CHANGES];
	struct fake_file files[FAKE_FILES];
};

__attribute__((unused)) static struct fake_disk *fake_disk_new(uint64_t seed)
{
	struct fake_disk *fake = mmap(NULL, sizeof(*fake),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(fake != MAP_FAILED);
	random_seed(&fake->random, seed);
	fake->history_count = 1;
	return fake;
}

/* As new, but for its random numbers. */
static void fake_disk_clear(struct fake_disk *fake)
{
	struct random random = fake->random;

	for (size_t i = 0; i < FAKE_FILES; i++)
		if (fake->files[i].used)
			memset(&fake->files[i], 0, sizeof(fake->files[i]));
	memset(fake, 0, offsetof(struct fake_disk, files));
	fake->random = random;
	fake->history_count = 1;
}

__attribute__((unused)) static void fake_disk_copy(
	struct fake_disk *to, const struct fake_disk *from)
{
	fake_disk_clear(to);
	memcpy(to, from, offsetof(struct fake_disk, files));
	for (size_t i = 0; i < FAKE_FILES; i++)
		if (from->files[i].used)
			memcpy(&to->files[i], &from->files[i],
				sizeof(to->files[i]));
}

__attribute__((unused)) static void fake_disk_free(struct fake_disk *fake)
{
	CHECK(munmap(fake, sizeof(*fake)) == 0);
}

static struct fake_name *fake_find(struct fake_disk *fake, const char *name)
{
	for (size_t i = 0; i < fake->names.count; i++)
		if (strcmp(fake->names.items[i].text, name) == 0)
			return &fake->names.items[i];
	return NULL;
}

/* Forget files that no list of names has. */
static void fake_collect(struct fake_disk *fake)
{
	bool named[FAKE_FILES] = {false};

	for (size_t i = 0; i < fake->names.count; i++)
		named[fake->names.items[i].file] = true;
	for (size_t h = 0; h < fake->history_count; h++)
		for (size_t i = 0; i < fake->history[h].count; i++)
			named[fake->history[h].items[i].file] = true;
	for (size_t i = 0; i < FAKE_FILES; i++)
		if (!named[i] && fake->files[i].used)
			memset(&fake->files[i], 0, sizeof(fake->files[i]));
}

static void fake_changed_names(struct fake_disk *fake)
{
	CHECK(fake->history_count < FAKE_CHANGES);
	fake->history[fake->history_count++] = fake->names;
}

/* A sector reaches the disk, now and then only the first words of it. */
static void fake_keep_sector(
	struct fake_disk *from, uint8_t *out, const uint8_t *now)
{
	struct random *random = &from->random;
	size_t size = DISK_SECTOR;

	if (from->tears || random_chance(random, 30))
		size = 8 * random_below(random, DISK_SECTOR / 8);
	memcpy(out, now, size);
}

/* What a power cut leaves of from, in to: of what was not synced each sector
 * with a chance of keep in 1000. */
__attribute__((unused)) static void fake_disk_cut(
	struct fake_disk *from, struct fake_disk *to, unsigned keep)
{
	struct random *random = &from->random;

	fake_disk_clear(to);
	to->names =
		from->history[keep ? random_below(random, from->history_count)
				   : 0];
	for (size_t n = 0; n < to->names.count; n++) {
		int i = to->names.items[n].file;
		const struct fake_file *in = &from->files[i];
		struct fake_file *out = &to->files[i];

		out->used = true;
		out->size = random_chance(random, keep) ? in->size
							: in->durable_size;
		memcpy(out->now, in->durable, in->durable_size);
		for (uint32_t s = 0; s * DISK_SECTOR < out->size; s++)
			if (in->dirty[s] && random_chance(random, keep))
				fake_keep_sector(from,
					out->now + s * DISK_SECTOR,
					in->now + s * DISK_SECTOR);
		out->durable_size = out->size;
		memcpy(out->durable, out->now, out->size);
	}
	to->history[0] = to->names;
	to->random = from->random;
	to->short_writes = from->short_writes;
	to->lies = from->lies;
}

/* What a crash leaves: of the process alone, or of the machine too. */
__attribute__((unused)) static void fake_disk_crash(
	struct fake_disk *from, struct fake_disk *to)
{
	unsigned keep = (unsigned)random_below(&from->random, 6) * 333;

	if (from->tears)
		keep = 1000;
	if (keep <= 1000) {
		fake_disk_cut(from, to, keep);
	} else {
		fake_disk_copy(to, from);
		to->cut_at = 0;
	}
}

/* Before each call that changes something: 0, or how it fails. */
static int fake_step(struct fake_disk *fake)
{
	fake->calls++;
	if (fake->calls == fake->cut_at)
		fake_disk_crash(fake, fake->image);
	return fake->calls == fake->fail_at ? fake->fail_with : 0;
}

static int fake_open(void *context, const char *name, bool make)
{
	struct fake_disk *fake = context;
	struct fake_name *found = fake_find(fake, name);
	int error;
	int i = 0;

	if (!make)
		return found ? found->file : -ENOENT;
	error = fake_step(fake);
	if (error)
		return error;
	if (found)
		return -EEXIST;
	while (i < FAKE_FILES && fake->files[i].used)
		i++;
	CHECK(i < FAKE_FILES);
	fake->files[i].used = true;
	found = &fake->names.items[fake->names.count++];
	memcpy(found->text, name, strlen(name) + 1);
	found->file = i;
	fake_changed_names(fake);
	return i;
}

static void fake_close(void *context, int file)
{
	(void)context;
	(void)file;
}

static size_t fake_part(struct fake_disk *fake, size_t size)
{
	/* A copy stops between words, not inside one. */
	if (!fake->short_writes || size < 16 ||
		!random_chance(&fake->random, 300))
		return size;
	return 8 * (1 + random_below(&fake->random, size / 8 - 1));
}

static ssize_t fake_read(
	void *context, int file, void *to, size_t size, uint64_t offset)
{
	struct fake_disk *fake = context;
	const struct fake_file *in = &fake->files[file];

	if (fake->short_writes && random_chance(&fake->random, 50))
		return -EINTR;
	if (offset >= in->size)
		return 0;
	if (size > in->size - offset)
		size = in->size - offset;
	size = fake_part(fake, size);
	memcpy(to, in->now + offset, size);
	return (ssize_t)size;
}

static ssize_t fake_write(
	void *context, int file, const void *from, size_t size, uint64_t offset)
{
	struct fake_disk *fake = context;
	struct fake_file *out = &fake->files[file];
	int error = fake_step(fake);

	if (error)
		return error;
	if (fake->short_writes && random_chance(&fake->random, 50))
		return -EINTR;
	size = fake_part(fake, size);
	CHECK(offset + size <= FAKE_FILE_SIZE);
	memcpy(out->now + offset, from, size);
	for (uint64_t s = offset / DISK_SECTOR;
		s <= (offset + size - 1) / DISK_SECTOR; s++)
		out->dirty[s] = true;
	if (out->size < offset + size)
		out->size = (uint32_t)(offset + size);
	return (ssize_t)size;
}

static int fake_reserve(void *context, int file, uint64_t size)
{
	struct fake_disk *fake = context;
	int error = fake_step(fake);

	if (error)
		return error;
	if (fake->fail_reserve)
		return -ENOSPC;
	CHECK(size <= FAKE_FILE_SIZE);
	if (fake->files[file].size < size)
		fake->files[file].size = (uint32_t)size;
	return 0;
}

static int64_t fake_size(void *context, int file)
{
	const struct fake_disk *fake = context;

	return fake->files[file].size;
}

static int fake_sync(void *context, int file)
{
	struct fake_disk *fake = context;
	struct fake_file *out = &fake->files[file];
	int error = fake_step(fake);

	if (error || fake->lies)
		return error;
	for (size_t s = 0; s < FAKE_SECTORS; s++) {
		if (out->dirty[s])
			memcpy(out->durable + s * DISK_SECTOR,
				out->now + s * DISK_SECTOR, DISK_SECTOR);
		out->dirty[s] = false;
	}
	out->durable_size = out->size;
	return 0;
}

static int fake_remove(void *context, const char *name)
{
	struct fake_disk *fake = context;
	struct fake_name *found = fake_find(fake, name);
	int error = fake_step(fake);

	if (error)
		return error;
	if (!found)
		return -ENOENT;
	*found = fake->names.items[--fake->names.count];
	fake_changed_names(fake);
	return 0;
}

static int fake_rename(void *context, const char *from, const char *to)
{
	struct fake_disk *fake = context;
	struct fake_name *old = fake_find(fake, to);
	struct fake_name *found = fake_find(fake, from);
	int error = fake_step(fake);

	if (error)
		return error;
	if (!found)
		return -ENOENT;
	memcpy(found->text, to, strlen(to) + 1);
	if (old)
		*old = fake->names.items[--fake->names.count];
	fake_changed_names(fake);
	return 0;
}

static int fake_sync_names(void *context)
{
	struct fake_disk *fake = context;
	int error = fake_step(fake);

	if (error || fake->lies)
		return error;
	fake->history[0] = fake->names;
	fake->history_count = 1;
	fake_collect(fake);
	return 0;
}

static int fake_list(void *context, char (*names)[DISK_NAME_MAX], size_t max)
{
	const struct fake_disk *fake = context;

	for (size_t i = 0; i < fake->names.count && i < max; i++)
		memcpy(names[i], fake->names.items[i].text, DISK_NAME_MAX);
	return (int)fake->names.count;
}

static int fake_used_percent(void *context)
{
	(void)context;
	return 42;
}

static void fake_shut(void *context)
{
	(void)context;
}

__attribute__((unused)) static struct disk fake_disk_of(struct fake_disk *fake)
{
	static const struct disk_ops ops = {
		.open = fake_open,
		.close = fake_close,
		.read = fake_read,
		.write = fake_write,
		.reserve = fake_reserve,
		.size = fake_size,
		.sync = fake_sync,
		.rename = fake_rename,
		.remove = fake_remove,
		.sync_names = fake_sync_names,
		.list = fake_list,
		.used_percent = fake_used_percent,
		.shut = fake_shut,
	};

	return (struct disk){.ops = &ops, .context = fake, .where = "fake"};
}

#endif
