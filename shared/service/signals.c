/* service/signals.c -- a signalfd, so that no code runs in a handler. */
#include "service/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"

int signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

int signals_take(int fd)
{
	struct signalfd_siginfo info;
	ssize_t size = read(fd, &info, sizeof(info));
	return size == sizeof(info) ? (int)info.ssi_signo : 0;
}
