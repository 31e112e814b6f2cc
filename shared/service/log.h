void log_say(int level, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define log_debug(...) log_say(0, __VA_ARGS__)
#define log_info(...) log_say(1, __VA_ARGS__)
#define log_warn(...) log_say(2, __VA_ARGS__)
#define log_error(...) log_say(3, __VA_ARGS__)
