/* store/duration.h -- "250ms", "5s", "10m", "2h", "1d" as people write it. */
#ifndef PERCH_STORE_DURATION_H
#define PERCH_STORE_DURATION_H

#include "base/err.h"
#include "base/view.h"

/* Milliseconds, at most 366 days; ERR_ENCODING otherwise. "0" needs no unit. */
MUST_CHECK enum err duration_parse(const char *text, time_ms *out);

/* UTC as ISO 8601, to the second or millisecond, "Z" at the end:
 * 2026-01-31T08:30:00Z. ERR_ENCODING otherwise. */
MUST_CHECK enum err utc_parse(const char *text, time_ms *out);

/* The same with seconds, into 32 bytes; returns out. */
char *utc_format(char out[32], time_ms time);

#endif
