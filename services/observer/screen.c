/* observer/screen.c -- plain escape sequences, as every terminal of today knows
 * them; no terminal database.
 */
#include "screen.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* A terminal is the process's: there is one. */
static struct {
	bool open, has_input;
	struct termios before;
} screen;

static void say(const char *text)
{
	fputs(text, stdout);
}

static void quiet_input(void)
{
	struct termios quiet;
	if (!isatty(STDIN_FILENO) ||
		tcgetattr(STDIN_FILENO, &screen.before) != 0)
		return;
	quiet = screen.before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	/* Suspended, it would leave its picture behind. */
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	screen.has_input = tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
}

bool screen_open(void)
{
	if (!isatty(STDOUT_FILENO))
		return false;
	screen.open = true;
	atexit(screen_close);
	quiet_input();
	say("\033[?1049h\033[?25l\033[2J");
	fflush(stdout);
	return true;
}

void screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	say("\033[0m\033[?25h\033[?1049l");
	fflush(stdout);
	if (screen.has_input)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

void screen_size(unsigned *columns, unsigned *rows)
{
	struct winsize size;
	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
		size.ws_row > 0) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

void screen_draw(const struct frame *frame)
{
	/* A line feed after the last row would scroll. */
	say("\033[H");
	for (unsigned i = 0; i < frame->count; i++) {
		say(i == 0 ? "" : "\r\n");
		say(frame->lines[i]);
		say("\033[K");
	}
	say("\033[J");
	fflush(stdout);
}

bool screen_quits(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char typed[64];
	if (!screen.has_input || poll(&input, 1, 0) != 1)
		return false;
	ssize_t size = read(STDIN_FILENO, typed, sizeof(typed));
	return size > 0 && memchr(typed, 'q', (size_t)size) != NULL;
}
