/* controller/driver.h -- what a pad driver is: one constant table.
 *
 * A driver speaks with what stands at the pad: a docking station, a drone's
 * autopilot, a sensor, a simulation. Its one duty is to say only what the
 * device says: a driver that cannot hear its device reports PAD_UNKNOWN, never
 * PAD_EMPTY, for an empty pad is where the next aircraft is sent to. README.md
 * explains how to write one; every file driver_NAME.c is found by its name and
 * must pass the suite of tests/unit/pads.c.
 *
 * No call waits: what a device answers is seen by later polls. Times are
 * milliseconds UTC and come with the call, so that a driver needs no clock.
 */
#ifndef PERCH_CONTROLLER_DRIVER_H
#define PERCH_CONTROLLER_DRIVER_H

#include <perch/types.h>

#include "base/err.h"
#include "base/view.h"
#include "service/options.h"

enum { DRIVER_WHY = 300, DRIVER_NAME_SIZE = PERCH_NAME_MAX + 1 };

enum pad_is { PAD_UNKNOWN, PAD_EMPTY, PAD_OCCUPIED };

/* A pad as the device measured it. */
struct pad_state {
	enum pad_is is;
	char aircraft[DRIVER_NAME_SIZE]; /* "": something that has no name */
	bool by_air; /* it became so by a take-off or landing, not on wheels */
	uint32_t broken_off; /* approaches to it that were, so far */
	time_ms measured;    /* when the device said so */
};

/* One aircraft on one pad; the device must not begin after until. */
struct movement {
	char aircraft[DRIVER_NAME_SIZE];
	bool is_arrival;
	time_ms until;
};

struct driver_setup {
	const char *port;
	size_t pad_count;
	char pads[PERCH_PADS_MAX][DRIVER_NAME_SIZE];
	const struct setting *settings; /* with what was set */
};

struct driver {
	const char *name;
	size_t size; /* of its state, which is zero before open */
	const struct setting *settings; /* its own; ends with an empty one */
	/* ERR_CONFIG, ERR_IO: why (DRIVER_WHY bytes) has cause and cure. A
	 * device that does not answer yet is no error. */
	enum err (*open)(void *self, const struct driver_setup *setup,
		time_ms now, char *why);
	void (*end)(void *self); /* NULL: there is nothing to give back */
	/* Hear what the device says; called at least ten times a second. */
	void (*poll)(void *self, time_ms now);
	/* As of the last poll. */
	void (*pad_state)(const void *self, size_t pad, struct pad_state *out);
	/* Commands. ERR_UNREACHABLE: the device is not there; ERR_NOT_FOUND: it
	 * does not know this aircraft. Given again, they have one effect. */
	/* Soon: bring it to the pad, or expect it; who was brought there and
	 * is not cleared makes room. NULL: it needs no warning. */
	enum err (*prepare)(
		void *self, size_t pad, const struct movement *movement);
	/* Now: it may take off, or land. */
	enum err (*clear_departure)(
		void *self, size_t pad, const struct movement *movement);
	enum err (*clear_arrival)(
		void *self, size_t pad, const struct movement *movement);
	/* It may not any more; what is about to land goes around. */
	enum err (*abort)(void *self, size_t pad);
	/* Nothing moves on this pad until it is prepared again. */
	enum err (*close)(void *self, size_t pad);
	/* A simulation can go wrong on demand, for so long: ERR_NOT_FOUND when
	 * it does not know this fault. NULL: real devices go wrong alone. */
	enum err (*fault)(
		void *self, size_t pad, const char *name, time_ms how_long);
};

/* All of them; the last is NULL. */
extern const struct driver *const drivers[];

/* By its name, or NULL. */
const struct driver *driver_find(const char *name);
/* The value of a setting, or NULL when there is none. */
const char *driver_setting(const struct driver_setup *setup, const char *name);
/* Index of a pad, or -1. */
int driver_pad(const struct driver_setup *setup, const char *name, size_t size);
/* "empty"; never NULL. */
const char *pad_is_name(enum pad_is is);

#endif
