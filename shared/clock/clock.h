/* clock/clock.h -- the only caller of the clock. */
#ifndef PERCH_CLOCK_CLOCK_H
#define PERCH_CLOCK_CLOCK_H

#include "base/view.h"

/* For timers and latencies: never steps back. */
time_ms clock_monotonic(void);
uint64_t clock_monotonic_us(void);
/* UTC, for block time and people. */
time_ms clock_wall(void);
/* 64 bits of the system's randomness, for engines' timeouts and ids. */
uint64_t clock_random(void);

#endif
