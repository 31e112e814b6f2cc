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

#endif
