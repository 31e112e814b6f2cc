/* store/disk.c -- the operating system's files as a struct disk.
 */
#include "store/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"
#include "store/directory.h"

static int real_open(void *context, const char *name, bool make)
{
	const struct directory *directory = context;
	int flags = O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0);
	int file = openat(directory->fd, name, flags, 0600);

	return file < 0 ? -errno : file;
}

static void real_close(void *context, int file)
{
	(void)context;
	close(file);
}

static ssize_t real_read(
	void *context, int file, void *to, size_t size, uint64_t offset)
{
	ssize_t got = pread(file, to, size, (off_t)offset);

	(void)context;
	return got < 0 ? -errno : got;
}

static ssize_t real_write(
	void *context, int file, const void *from, size_t size, uint64_t offset)
{
	ssize_t put = pwrite(file, from, size, (off_t)offset);

	(void)context;
	return put < 0 ? -errno : put;
}

static int real_reserve(void *context, int file, uint64_t size)
{
	(void)context;
	/* Writes zeros where the file system has no fallocate. */
	return -posix_fallocate(file, 0, (off_t)size);
}

static int64_t real_size(void *context, int file)
{
	struct stat status;

	(void)context;
	return fstat(file, &status) == 0 ? status.st_size : -errno;
}

static int real_sync(void *context, int file)
{
	(void)context;
	return fdatasync(file) == 0 ? 0 : -errno;
}

static int real_rename(void *context, const char *from, const char *to)
{
	const struct directory *directory = context;

	return renameat(directory->fd, from, directory->fd, to) == 0 ? 0
								     : -errno;
}

static int real_remove(void *context, const char *name)
{
	const struct directory *directory = context;

	return unlinkat(directory->fd, name, 0) == 0 ? 0 : -errno;
}

static int real_sync_names(void *context)
{
	const struct directory *directory = context;

	return fsync(directory->fd) == 0 ? 0 : -errno;
}

static int real_list(void *context, char (*names)[DISK_NAME_MAX], size_t max)
{
	const struct directory *directory = context;
	int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t count = 0;

	if (!stream) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return -error;
	}
	while ((entry = readdir(stream))) {
		/* Longer ones, and hidden ones, are not the log's. */
		if (entry->d_name[0] == '.' ||
			strlen(entry->d_name) >= DISK_NAME_MAX)
			continue;
		if (count < max)
			memcpy(names[count], entry->d_name,
				strlen(entry->d_name) + 1);
		count++;
	}
	closedir(stream);
	return (int)count;
}

static int real_used_percent(void *context)
{
	const struct directory *directory = context;
	struct statvfs space;
	uint64_t used;
	uint64_t usable;

	if (fstatvfs(directory->fd, &space) != 0)
		return -errno;
	used = space.f_blocks - space.f_bfree;
	usable = used + space.f_bavail;
	if (usable == 0)
		return 100;
	return (int)((used * 100 + usable - 1) / usable);
}

static void real_shut(void *context)
{
	struct directory *directory = context;

	directory_leave(directory);
	free(directory);
}

enum err disk_open(
	struct disk *out, const char *parent, const char *child, char why[200])
{
	static const struct disk_ops real = {
		.open = real_open,
		.close = real_close,
		.read = real_read,
		.write = real_write,
		.reserve = real_reserve,
		.size = real_size,
		.sync = real_sync,
		.rename = real_rename,
		.remove = real_remove,
		.sync_names = real_sync_names,
		.list = real_list,
		.used_percent = real_used_percent,
		.shut = real_shut,
	};
	struct directory *directory = malloc(sizeof(*directory));
	enum err err;

	CHECK(directory);
	err = directory_take(directory, parent, child, why);
	if (err) {
		free(directory);
		return err;
	}
	*out = (struct disk){.ops = &real, .context = directory};
	snprintf(out->where, sizeof(out->where), "%.80s/%.16s", parent, child);
	return ERR_OK;
}

int disk_read(const struct disk *disk, int file, void *to, size_t size,
	uint64_t offset)
{
	uint8_t *at = to;

	while (size > 0) {
		ssize_t got =
			disk->ops->read(disk->context, file, at, size, offset);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? (int)got : -ENODATA;
		at += got;
		size -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int disk_write(const struct disk *disk, int file, const void *from, size_t size,
	uint64_t offset)
{
	const uint8_t *at = from;

	while (size > 0) {
		ssize_t put =
			disk->ops->write(disk->context, file, at, size, offset);

		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? (int)put : -EIO;
		at += put;
		size -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

int disk_write_zeros(
	const struct disk *disk, int file, uint64_t size, uint64_t offset)
{
	static const uint8_t zeros[1 << 16];

	while (size > 0) {
		size_t part = size < sizeof(zeros) ? size : sizeof(zeros);
		int error = disk_write(disk, file, zeros, part, offset);

		if (error)
			return error;
		size -= part;
		offset += part;
	}
	return 0;
}

void disk_failed(
	const struct disk *disk, const char *what, const char *name, int error)
{
	const char *cure =
		error == -ENOSPC || error == -EDQUOT
			? "the disk is full: make room there and start again"
			: "check the disk (dmesg, smartctl) and start again";

	fprintf(stderr,
		"perch: %s/%s: %s failed: %s; %s. Stopped at once; nothing "
		"that was acknowledged is lost.\n",
		disk->where, name, what, strerror(-error), cure);
	abort();
}
