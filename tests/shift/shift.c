/* tests/shift/shift.c -- a wall clock that is wrong by PERCH_SHIFT_MS, for one
 * program that this library is loaded into (LD_PRELOAD). Other clocks are
 * right.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

int clock_gettime(clockid_t which, struct timespec *out)
{
	const char *text = getenv("PERCH_SHIFT_MS");
	long result = syscall(SYS_clock_gettime, which, out);

	if (result != 0 || which != CLOCK_REALTIME || text == NULL)
		return (int)result;
	long ms = strtol(text, NULL, 10);
	out->tv_sec += ms / 1000;
	out->tv_nsec += ms % 1000 * NS_PER_MS;
	if (out->tv_nsec < 0) {
		out->tv_sec--;
		out->tv_nsec += NS_PER_S;
	} else if (out->tv_nsec >= NS_PER_S) {
		out->tv_sec++;
		out->tv_nsec -= NS_PER_S;
	}
	return 0;
}
