/* controller/controller.h -- what the files of perch-controller share: its
 * settings, and the pads in front of it.
 */
#ifndef PERCH_CONTROLLER_CONTROLLER_H
#define PERCH_CONTROLLER_CONTROLLER_H

#include "driver.h"

enum { EXIT_REFUSED = 1, EXIT_SILENCE = 3, POLL_MS = 50 };

struct controller {
	struct options *options;
	bool json, japanese;
	int signals;
	const struct driver *driver;
	struct driver_setup setup;
	void *device; /* the driver's state */
};

/* One of two sentences, in the reader's language. */
const char *controller_say(const struct controller *controller,
	const char *english, const char *japanese);
/* Open the driver, or say why not and end the program. */
void controller_open(struct controller *controller);
void controller_close(struct controller *controller);

/* ---- try.c ---- */
/* Move a device by hand, without a ledger: orders from standard input, what the
 * pads are as lines. Returns the exit code. */
int controller_try(struct controller *controller);

#endif
