/* tests/unit/directory.h -- a directory for one test, gone after it.
 */
#ifndef PERCH_TESTS_UNIT_DIRECTORY_H
#define PERCH_TESTS_UNIT_DIRECTORY_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { PATH_SIZE = 200 };

/* A new empty one under TMPDIR. */
__attribute__((unused)) static void directory_make(char out[PATH_SIZE])
{
	const char *top = getenv("TMPDIR");

	snprintf(out, PATH_SIZE, "%s/perch-test-XXXXXX", top ? top : "/tmp");
	CHECK(mkdtemp(out));
}

static int directory_forget(const char *path, const struct stat *status,
	int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

__attribute__((unused)) static void directory_remove(const char *path)
{
	CHECK(nftw(path, directory_forget, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* parent/child */
__attribute__((unused)) static char *path_of(
	char out[PATH_SIZE], const char *parent, const char *child)
{
	snprintf(out, PATH_SIZE, "%.120s/%.70s", parent, child);
	return out;
}

#endif
