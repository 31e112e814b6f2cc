/* store/disk.h -- the few file operations that the log needs, behind a table.
 *
 * The log calls the operating system through this table only. So a test can be
 * a disk that forgets what was not synced, tears sectors, fills up, or fails
 * at the k-th call, and the log under test is the one that runs.
 */
#ifndef PERCH_STORE_DISK_H
#define PERCH_STORE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { DISK_NAME_MAX = 48, DISK_SECTOR = 512 };

/* Names are of files in the disk's one directory. Whatever can fail answers
 * -errno. */
struct disk_ops {
	/* A file number. make: the file must not exist, and is empty. */
	int (*open)(void *context, const char *name, bool make);
	void (*close)(void *context, int file);
	/* Bytes moved, perhaps fewer than asked for; 0 is the end of file. */
	ssize_t (*read)(void *context, int file, void *to, size_t size,
		uint64_t offset);
	ssize_t (*write)(void *context, int file, const void *from, size_t size,
		uint64_t offset);
	/* Make the file size long and reserve its space; it reads as zeros. */
	int (*reserve)(void *context, int file, uint64_t size);
	int64_t (*size)(void *context, int file);
	/* Bytes and size are durable when it returns. */
	int (*sync)(void *context, int file);
	/* Names are durable after sync_names. rename replaces what is there. */
	int (*rename)(void *context, const char *from, const char *to);
	int (*remove)(void *context, const char *name);
	int (*sync_names)(void *context);
	/* Up to max names; returns how many there are. */
	int (*list)(void *context, char (*names)[DISK_NAME_MAX], size_t max);
	/* 0..100 of the file system's space. */
	int (*used_percent)(void *context);
	/* The disk is not used any more. */
	void (*shut)(void *context);
};

struct disk {
	const struct disk_ops *ops;
	void *context;
	char where[100]; /* the directory, for messages */
};

/* The real one: parent/child, made when missing, owned by this process. */
MUST_CHECK enum err disk_open(
	struct disk *out, const char *parent, const char *child, char why[200]);

/* All of size bytes; 0 or -errno. Reading past the end is -ENODATA. */
int disk_read(const struct disk *disk, int file, void *to, size_t size,
	uint64_t offset);
int disk_write(const struct disk *disk, int file, const void *from, size_t size,
	uint64_t offset);
int disk_write_zeros(
	const struct disk *disk, int file, uint64_t size, uint64_t offset);

/* A write or sync failed. What reached the disk is unknown and asking again
 * would not tell (an error of fsync is reported once), so the process prints
 * cause and cure and aborts: it never acknowledges anything again. */
_Noreturn void disk_failed(
	const struct disk *disk, const char *what, const char *name, int error);

#endif
