/* observer/pen.c -- a line counts its columns, not its bytes: escapes take no
 * room on the screen. What is too long for it is left out by whole words.
 */
#include "pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

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

static unsigned room_of(const struct pen *pen)
{
	return pen->frame->columns - pen->column;
}

const char *pen_words(
	struct pen *pen, enum style style, const char *text, const char *mark)
{
	size_t size = strlen(text), room = room_of(pen), kept = strlen(mark);

	if (size <= room) {
		pen_put(pen, style, "%s", text);
		return text + size;
	}
	size = room > kept ? room - kept : 0;
	while (size > 0 && text[size] != ' ')
		size--;
	if (size == 0) /* one word that is longer than the line */
		size = room > kept ? room - kept : room;
	pen_put(pen, style, "%.*s%s", (int)size, text, mark);
	return text + size + (text[size] == ' ');
}

void pieces_add(struct pieces *pieces, unsigned rank, enum style style,
	const char *format, ...)
{
	struct piece *piece = &pieces->list[pieces->count++];
	va_list arguments;

	CHECK(pieces->count <= PIECES_MAX);
	piece->rank = rank;
	piece->style = style;
	va_start(arguments, format);
	vsnprintf(piece->text, sizeof(piece->text), format, arguments);
	va_end(arguments);
}

void pen_pieces(struct pen *pen, const struct pieces *pieces)
{
	unsigned limit = 0;
	size_t size = 0;

	for (size_t i = 0; i < pieces->count; i++) {
		size += strlen(pieces->list[i].text);
		if (pieces->list[i].rank > limit)
			limit = pieces->list[i].rank;
	}
	for (; size > room_of(pen) && limit > 0; limit--) {
		for (size_t i = 0; i < pieces->count; i++) {
			if (pieces->list[i].rank == limit)
				size -= strlen(pieces->list[i].text);
		}
	}
	for (size_t i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->list[i];

		if (piece->rank <= limit)
			pen_put(pen, piece->style, "%s", piece->text);
	}
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
