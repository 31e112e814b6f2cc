/* observer/pen.c -- a line counts its columns, not its bytes: escapes take no
 * room on the screen.
 */
#include "pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const escapes[] = {
	"\033[0m",
	"\033[0;1m",
	"\033[0;2m",
	"\033[0;32m",
	"\033[0;33m",
	"\033[0;1;31m",
	"\033[0;36m",
	"\033[0;1;37;41m",
	"\033[0;30;42m",
	"\033[0;30;46m",
	"\033[0;30;45m",
};

static void raw(struct pen *pen, const char *bytes, size_t count)
{
	/* Kept free: the escape that ends a line. */
	if (pen->line == NULL || pen->used + count + 8 > RENDER_LINE_BYTES)
		return;
	memcpy(pen->line + pen->used, bytes, count);
	pen->used += count;
	pen->line[pen->used] = '\0';
}

void pen_put(struct pen *pen, enum style style, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (pen->frame->colour && style != pen->style)
		raw(pen, escapes[style], strlen(escapes[style]));
	pen->style = style;
	for (const char *at = text; *at != '\0'; at++) {
		/* What others wrote must not steer the terminal. */
		char letter = *at < ' ' || *at > '~' ? '?' : *at;
		if (pen->column == pen->frame->columns)
			return;
		raw(pen, &letter, 1);
		pen->column++;
	}
}

void pen_pad(struct pen *pen, unsigned column)
{
	if (pen->column < column)
		pen_put(pen, PLAIN, "%*s", (int)(column - pen->column), "");
}

struct pen pen_line(struct frame *frame)
{
	struct pen pen = {.frame = frame};
	if (frame->count < frame->rows) {
		pen.line = frame->lines[frame->count++];
		pen.line[0] = '\0';
	}
	return pen;
}

void pen_end(struct pen *pen)
{
	if (pen->line != NULL && pen->style != PLAIN && pen->frame->colour) {
		memcpy(pen->line + pen->used, escapes[PLAIN],
			strlen(escapes[PLAIN]) + 1);
	}
}
