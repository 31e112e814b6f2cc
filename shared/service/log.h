/* service/log.h -- one line an event, on standard error: time, level, name,
 * sentence. Never a secret.
 *
 *	2026-11-21T02:04:24.123Z warn  peer: cannot connect to white_noise
 */
#ifndef PERCH_SERVICE_LOG_H
#define PERCH_SERVICE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

/* Before any thread is started. json: one object a line, with the fields time,
 * level, name and text. */
void log_start(enum log_level lowest, bool json);

/* Any thread. The same name and format at most 20 times in 10 s: then one line
 * says how many more there were. */
void log_say(enum log_level level, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(...) log_say(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_say(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_say(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_say(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
