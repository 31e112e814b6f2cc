/* store/duration.c -- spans and points of time as text. */
#include "store/duration.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGITS_MAX = 12 };
#define TIME_MAX_MS INT64_C(4102444800000) /* the schemas' time: 2100 */

enum err duration_parse(const char *text, time_ms *out)
{
	static const struct {
		const char *unit;
		time_ms ms;
	} units[] = {
		{"ms", 1},
		{"s", 1000},
		{"m", 60 * 1000},
		{"h", 60 * 60 * 1000},
		{"d", 24 * 60 * 60 * 1000},
	};
	static const time_ms most = (time_ms)366 * 24 * 60 * 60 * 1000;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > DIGITS_MAX)
		return ERR_ENCODING;
	time_ms value = strtoll(text, NULL, 10);
	const char *unit = text + digits;
	if (value == 0 && *unit == '\0') {
		*out = 0;
		return ERR_OK;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].unit) != 0)
			continue;
		if (value > most / units[i].ms)
			return ERR_ENCODING;
		*out = value * units[i].ms;
		return ERR_OK;
	}
	return ERR_ENCODING;
}

enum err utc_parse(const char *text, time_ms *out)
{
	enum { SECONDS = 19 }; /* characters up to them */
	struct tm utc = {0};
	time_ms ms = 0;
	char again[32];
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	if (rest == NULL)
		return ERR_ENCODING;
	if (*rest == '.' && strspn(rest + 1, "0123456789") == 3) {
		ms = strtol(rest + 1, NULL, 10);
		rest += 4;
	}
	ms += (time_ms)timegm(&utc) * 1000;
	if (strcmp(rest, "Z") != 0 || ms < 0 || ms > TIME_MAX_MS)
		return ERR_ENCODING;
	/* strptime takes spaces and short numbers, timegm the 30th of February.
	 */
	if (strncmp(utc_format(again, ms), text, SECONDS) != 0)
		return ERR_ENCODING;
	*out = ms;
	return ERR_OK;
}

char *utc_format(char out[32], time_ms time)
{
	time_t seconds = (time_t)(time / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return out;
}
