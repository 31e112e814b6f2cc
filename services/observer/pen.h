/* observer/pen.h -- writes one line of a frame, in colours, and never beyond
 * its edge.
 */
#ifndef PERCH_OBSERVER_PEN_H
#define PERCH_OBSERVER_PEN_H

#include "render.h"

enum style {
	PLAIN,
	BOLD,
	DIM,
	GREEN,
	YELLOW,
	RED,
	CYAN,
	ALARM,
	BAR, /* and two more colours of bars */
	BARS = 3,
};

/* The line being written. */
struct pen {
	struct frame *frame;
	char *line; /* NULL: there is no room */
	size_t used;
	unsigned column;
	enum style style;
};

/* On the next line of the frame; nowhere when it is full. */
struct pen pen_line(struct frame *frame);
void pen_end(struct pen *pen);
/* What is not printable ASCII is shown as a question mark. */
void pen_put(struct pen *pen, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Blanks up to this column. */
void pen_pad(struct pen *pen, unsigned column);
/* As many whole words as there is room for, and a mark where more would follow.
 * Returns what is left of the text; empty: nothing. */
const char *pen_words(
	struct pen *pen, enum style style, const char *text, const char *mark);

/* A line of which something may have to be left out: the pieces of the highest
 * rank first, and those of rank 0 never. */
enum { PIECES_MAX = 12, PIECE_BYTES = 64 };
struct piece {
	enum style style;
	unsigned rank;
	char text[PIECE_BYTES];
};
struct pieces {
	size_t count;
	struct piece list[PIECES_MAX];
};

void pieces_add(struct pieces *pieces, unsigned rank, enum style style,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Those that there is room for, in their order. */
void pen_pieces(struct pen *pen, const struct pieces *pieces);

#endif
