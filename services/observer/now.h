/* observer/now.h -- a pad at this moment: who is on it, and who may move until
 * when.
 */
#ifndef PERCH_OBSERVER_NOW_H
#define PERCH_OBSERVER_NOW_H

#include "model.h"
#include "pen.h"

enum { NOW_COLUMNS = 28 };

/* "JA01XY on it", "JA01XY lands -16:41:30", "closed -16:45"; empty when there
 * is nothing to say. Returns the style. */
enum style now_of(const struct model *model, size_t row, int64_t now,
	char out[NOW_COLUMNS]);
/* Whether any pad has something to say. */
bool now_any(const struct model *model, int64_t now);

#endif
