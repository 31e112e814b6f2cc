/* service/limits.c -- rlimits and prctl. */
#include "service/limits.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "service/log.h"

enum { DESCRIPTORS = 65536 };

void limits_set(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max
							      : DESCRIPTORS;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			log_warn("limits", "cannot open more files");
	}
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("limits", "a crash may write keys into a core file");
}
