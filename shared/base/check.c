/* base/check.c -- how a broken promise ends: said on stderr, then abort. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, what);
	fflush(stderr);
	abort();
}
