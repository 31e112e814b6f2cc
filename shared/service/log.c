/* service/log.c -- lines on standard error, each written at once and whole.
 *
 * The repetition guard is the process' only shared state here: a small table by
 * format, under a lock, because any thread may have something to say.
 */
#include "service/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock/clock.h"
#include "service/json.h"

enum { LINE_MAX_BYTES = 1024, GUARDS = 64, GUARD_LINES = 20, GUARD_MS = 10000 };

struct guard {
	const char *format;
	time_ms since;
	unsigned lines;
};

static struct {
	pthread_mutex_t lock;
	enum log_level lowest;
	bool json;
	struct guard guards[GUARDS];
} logger = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.lowest = LOG_LEVEL_INFO,
};

static const char *const words[] = {"debug", "info", "warn", "error"};

void log_start(enum log_level lowest, bool json)
{
	logger.lowest = lowest;
	logger.json = json;
}

static void write_json(const char *stamp, enum log_level level,
	const char *name, const char *text)
{
	char line[8 * LINE_MAX_BYTES]; /* an escaped character is six */
	struct json json = json_of(line, sizeof(line));

	json_object(&json, NULL);
	json_text(&json, "time", stamp);
	json_text(&json, "level", words[level]);
	json_text(&json, "name", name);
	json_text(&json, "text", text);
	json_end(&json);
	if (json_print(&json, stderr) != ERR_OK)
		return; /* there is nowhere left to say so */
}

/* What could break the line, or move a terminal's cursor, becomes a space. */
static void write_plain(
	const char *stamp, enum log_level level, const char *name, char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 32 || *at == 127)
			*at = ' ';
	}
	fprintf(stderr, "%s %-5s %s: %s\n", stamp, words[level], name, text);
}

static void write_line(enum log_level level, const char *name, char *text)
{
	char second[32], stamp[48];
	time_ms now = clock_wall();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp, sizeof(stamp), "%s.%03dZ", second, (int)(now % 1000));
	if (logger.json)
		write_json(stamp, level, name, text);
	else
		write_plain(stamp, level, name, text);
}

/* Whether one more may be said; tells of those that might not, afterwards. */
static bool allowed(const char *name, const char *format)
{
	size_t place = ((size_t)format >> 3) % GUARDS;
	struct guard *guard = &logger.guards[place];
	time_ms now = clock_monotonic();
	if (guard->format != format || now - guard->since > GUARD_MS) {
		if (guard->lines > GUARD_LINES) {
			char text[64];
			snprintf(text, sizeof(text), "(%u more like that)",
				guard->lines - GUARD_LINES);
			write_line(LOG_LEVEL_INFO, name, text);
		}
		*guard = (struct guard){.format = format, .since = now};
	}
	return guard->lines++ < GUARD_LINES;
}

void log_say(enum log_level level, const char *name, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list arguments;
	if (level < logger.lowest)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&logger.lock);
	if (allowed(name, format))
		write_line(level, name, text);
	pthread_mutex_unlock(&logger.lock);
}
