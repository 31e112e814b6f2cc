/* clock/clock.c -- time and chance from the kernel. Neither can fail on Linux,
 * so a failure is a broken machine and stops the process.
 */
#include "clock/clock.h"

#include <sys/random.h>
#include <time.h>

#include "base/check.h"

static uint64_t read_us(clockid_t id)
{
	struct timespec now;

	CHECK(clock_gettime(id, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

time_ms clock_monotonic(void)
{
	return (time_ms)(read_us(CLOCK_MONOTONIC) / 1000);
}

uint64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

time_ms clock_wall(void)
{
	return (time_ms)(read_us(CLOCK_REALTIME) / 1000);
}

uint64_t clock_random(void)
{
	uint64_t bits;

	/* Up to 256 bytes are never cut short by a signal (getrandom(2)). */
	CHECK(getrandom(&bits, sizeof(bits), 0) == sizeof(bits));
	return bits;
}
