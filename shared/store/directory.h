/* store/directory.h -- a directory that one process owns, by a lock file.
 */
#ifndef PERCH_STORE_DIRECTORY_H
#define PERCH_STORE_DIRECTORY_H

#include "base/err.h"

struct directory {
	int fd;
	int lock; /* flock: it goes with the process, however that ends */
};

/* Make parent and parent/child if they are missing (mode 0700) and own
 * parent/child. ERR_IN_USE: another process does; ERR_IO. why: 200 bytes for
 * cause and cure. */
MUST_CHECK enum err directory_take(struct directory *out, const char *parent,
	const char *child, char why[200]);
void directory_leave(struct directory *directory);

#endif
