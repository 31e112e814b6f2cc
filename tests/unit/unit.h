/* tests/unit/unit.h -- what every unit test includes: cmocka in the order that
 * it needs, and a way to see a CHECK fire.
 */
#ifndef PERCH_TESTS_UNIT_UNIT_H
#define PERCH_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether act(argument) ends in abort; it runs in a child of its own. */
__attribute__((noinline, unused)) static bool unit_aborts(
	void (*act)(void *argument), void *argument)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit no_core = {0, 0};
		int quiet = open("/dev/null", O_WRONLY);

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(quiet, STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		act(argument);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
