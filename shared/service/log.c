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

/* Printable ASCII and UTF-8 stay; what could break the line does not. */
static void escape(char *out, size_t size, const char *text)
{
	size_t used = 0;
	for (; *text != '\0' && used + 3 < size; text++) {
		if (logger.json && (*text == '"' || *text == '\\'))
			out[used++] = '\\';
		out[used++] = (unsigned char)*text < 32 ? ' ' : *text;
	}
	out[used] = '\0';
}

static void write_line(enum log_level level, const char *name, const char *text)
{
	char safe[LINE_MAX_BYTES], stamp[32];
	time_ms now = clock_wall();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	escape(safe, sizeof(safe), text);
	int ms = (int)(now % 1000);
	if (logger.json)
		fprintf(stderr,
			"{\"time\":\"%s.%03dZ\",\"level\":\"%s\","
			"\"name\":\"%s\",\"text\":\"%s\"}\n",
			stamp, ms, words[level], name, safe);
	else
		fprintf(stderr, "%s.%03dZ %-5s %s: %s\n", stamp, ms,
			words[level], name, safe);
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
