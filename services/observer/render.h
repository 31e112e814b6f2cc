/* observer/render.h -- a model as lines of text: the same model, size and time
 * give the same lines.
 */
#ifndef PERCH_OBSERVER_RENDER_H
#define PERCH_OBSERVER_RENDER_H

#include "model.h"

enum {
	RENDER_COLUMNS_MAX = 250,
	RENDER_ROWS_MAX = 120,
	RENDER_LINE_BYTES = 4096,
};

struct frame {
	/* in */
	unsigned columns, rows; /* of the terminal; more than MAX is not used */
	bool colour;
	bool chains_only;
	/* out */
	unsigned count;
	char lines[RENDER_ROWS_MAX][RENDER_LINE_BYTES];
};

/*
 * Draw. A block is [a452b] when final, <a452b> when not yet, and {a452b} when
 * another node has another block at that height. Blocks of one height stand
 * below one another. No line is longer than columns, and there are at most
 * rows of them.
 */
void render(struct frame *frame, const struct model *model, int64_t now);

#endif
