/* store/directory.c -- a directory that one process owns, by a lock file.
 *
 * flock and not a file that exists: the kernel takes the lock back when the
 * process dies, so there is never a stale one to remove by hand.
 */
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err refuse(char why[200], const char *parent, const char *child,
	const char *what, int error)
{
	snprintf(why, 200, "%.90s/%s: cannot %s: %s", parent, child, what,
		strerror(error));
	return ERR_IO;
}

/* Open name below at, made when it is missing. Its name is durable, whoever
 * made it. */
static int open_made(int at, const char *name)
{
	int fd;
	int parent;
	int synced;

	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Who may not read it has not made a name in it either. */
	synced = parent < 0 ? -(errno != EACCES) : fsync(parent);
	if (parent >= 0)
		close(parent);
	if (synced != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum err directory_take(struct directory *out, const char *parent,
	const char *child, char why[200])
{
	struct directory taken = {.fd = -1, .lock = -1};
	enum err err = ERR_OK;
	int top = open_made(AT_FDCWD, parent);

	if (top < 0)
		return refuse(why, parent, child, "make the directory", errno);
	taken.fd = open_made(top, child);
	if (taken.fd < 0) {
		err = refuse(why, parent, child, "make the directory", errno);
		goto out;
	}
	taken.lock =
		openat(taken.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (taken.lock < 0) {
		err = refuse(why, parent, child, "open its lock file", errno);
		goto out;
	}
	if (flock(taken.lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK) {
			err = refuse(why, parent, child, "lock it", errno);
			goto out;
		}
		snprintf(why, 200,
			"%.90s/%s is in use by another process; stop that one "
			"or choose another directory",
			parent, child);
		err = ERR_IN_USE;
	}
out:
	close(top);
	if (err)
		directory_leave(&taken);
	else
		*out = taken;
	return err;
}

void directory_leave(struct directory *directory)
{
	if (directory->lock >= 0)
		close(directory->lock);
	if (directory->fd >= 0)
		close(directory->fd);
	*directory = (struct directory){.fd = -1, .lock = -1};
}
