/* observer/chains.h -- the part of the view that shows chains.
 */
#ifndef PERCH_OBSERVER_CHAINS_H
#define PERCH_OBSERVER_CHAINS_H

#include "pen.h"

/* "14:03", or with seconds; UTC. */
const char *clock_text(char room[12], int64_t time, bool seconds);

/* A line of totals for each chain that is known. */
void chains_draw_heads(struct frame *frame, const struct model *model);
/* Every node's chains. tight: without its other facts. */
void chains_draw_nodes(struct frame *frame, const struct model *model,
	bool tight, int64_t now);
/* How many lines that takes at least, when tight. */
unsigned chains_rows(const struct model *model, int64_t now);

#endif
