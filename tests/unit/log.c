/* tests/unit/log.c -- log lines, as they arrive on standard error; signals, as
 * something to wait on; and the limits that a service asks for.
 */
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "service/limits.h"
#include "service/log.h"
#include "service/signals.h"

enum { TEXT_MAX = 65536 };

/* What act writes to standard error, into text. */
static void listen_to(void (*act)(void), char text[TEXT_MAX])
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);

	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	act();
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(file);
	size_t size = fread(text, 1, TEXT_MAX - 1, file);
	text[size] = '\0';
	fclose(file);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static void say_one(void)
{
	log_start(LOG_LEVEL_INFO, false);
	log_debug("peer", "below the lowest level");
	log_warn("peer", "cannot reach %s\x1b[2J\nsecond line", "white_noise");
}

static void test_line(void **state)
{
	char text[TEXT_MAX];
	int year, month, day, hour, minute, second, ms, end = 0;

	(void)state;
	listen_to(say_one, text);
	int got = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month,
		&day, &hour, &minute, &second, &ms, &end);
	assert_int_equal(got, 7);
	assert_string_equal(text + end,
		"warn  peer: cannot reach white_noise [2J second line\n");
}

static void say_json(void)
{
	log_start(LOG_LEVEL_DEBUG, true);
	log_error("disk", "\"%s\"\n\xff", "quoted");
}

static void test_json_line(void **state)
{
	char text[TEXT_MAX];
	static const char rest[] = "Z\",\"level\":\"error\",\"name\":\"disk\","
				   "\"text\":\"\\\"quoted\\\"\\n\\ufffd\"}\n";

	(void)state;
	listen_to(say_json, text);
	assert_memory_equal(text, "{\"time\":\"", 9);
	assert_true(strlen(text) > sizeof(rest));
	assert_string_equal(text + strlen(text) - strlen(rest), rest);
}

static void say_long(void)
{
	char word[4000];

	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	log_start(LOG_LEVEL_INFO, false);
	log_info("long", "%s", word);
}

static void test_long_line(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	listen_to(say_long, text);
	assert_int_equal(count_lines(text), 1);
	assert_true(strlen(text) < 1200);
}

static void say_often(void)
{
	log_start(LOG_LEVEL_INFO, false);
	for (int i = 0; i < 1000; i++)
		log_info("often", "the same again, %d", i);
	log_info("often", "something else");
}

static void test_repetition(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	listen_to(say_often, text);
	assert_int_equal(count_lines(text), 21);
	assert_non_null(strstr(text, "the same again, 19\n"));
	assert_null(strstr(text, "the same again, 20\n"));
	assert_non_null(strstr(text, "something else\n"));
}

static void *say_in_thread(void *name)
{
	for (int i = 0; i < 10; i++)
		log_info(name, "0123456789012345678901234567890123456789");
	return NULL;
}

static void say_together(void)
{
	pthread_t threads[2];

	log_start(LOG_LEVEL_INFO, false);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
					 say_in_thread, "thread"),
			0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Two threads' lines come whole. */
static void test_threads(void **state)
{
	char text[TEXT_MAX];
	static const char end[] =
		"info  thread: 0123456789012345678901234567890123456789";

	(void)state;
	listen_to(say_together, text);
	assert_int_equal(count_lines(text), 20);
	for (char *line = text; *line != '\0';) {
		char *next = strchr(line, '\n');
		*next = '\0';
		assert_string_equal(next - strlen(end), end);
		line = next + 1;
	}
}

static void test_signals(void **state)
{
	int fd = signals_open();
	struct pollfd item = {.fd = fd, .events = POLLIN};
	int pipe_fds[2];

	(void)state;
	assert_int_equal(signals_take(fd), 0);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(poll(&item, 1, 10000), 1);
	assert_int_equal(signals_take(fd), SIGTERM);
	assert_int_equal(kill(getpid(), SIGINT), 0);
	assert_int_equal(poll(&item, 1, 10000), 1);
	assert_int_equal(signals_take(fd), SIGINT);
	assert_int_equal(signals_take(fd), 0);

	assert_int_equal(pipe(pipe_fds), 0);
	close(pipe_fds[0]); /* a reader that is gone does not kill us */
	assert_int_equal(write(pipe_fds[1], "x", 1), -1);
	close(pipe_fds[1]);
	close(fd);
}

static void test_limits(void **state)
{
	struct rlimit before, after;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limits_set();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	rlim_t most = before.rlim_max < 65536 ? before.rlim_max : 65536;
	assert_true(after.rlim_cur >= most);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_json_line),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_repetition),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
