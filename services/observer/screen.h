/* observer/screen.h -- a terminal that is drawn on, and given back as it was.
 */
#ifndef PERCH_OBSERVER_SCREEN_H
#define PERCH_OBSERVER_SCREEN_H

#include <stdbool.h>

#include "render.h"

/* Take the terminal of standard output: its other screen, no cursor, no echo.
 * It is given back by screen_close, and by exit. False: it is none. */
bool screen_open(void);
void screen_close(void);
/* Its size now; 80 x 24 when it does not say. */
void screen_size(unsigned *columns, unsigned *rows);
void screen_draw(const struct frame *frame);
/* Whether q was typed. */
bool screen_quits(void);

#endif
