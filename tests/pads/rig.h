/* tests/pads/rig.h -- a driver with its device, for the suite that every driver
 * must pass.
 *
 * A rig plays the device and the aircraft: real files and real datagrams, on a
 * clock that the suite moves. What an aircraft does it does as it would
 * outside: it asks for what it must ask for, and obeys.
 */
#ifndef PERCH_TESTS_PADS_RIG_H
#define PERCH_TESTS_PADS_RIG_H

#include "controller/driver.h"

enum { RIG_AIRCRAFT_MAX = 4, RIG_PADS = 2, STEP_MS = 100 };

struct rig;

struct rig_ops {
	const struct driver *driver;
	/* Fill setup->settings; the device is there and its pads are empty. */
	void (*begin)(struct rig *rig, struct driver_setup *setup);
	void (*end)(struct rig *rig);
	/* The device speaks, after the clock has moved; NULL: it needs not. */
	void (*speak)(struct rig *rig);
	/* An aircraft is on the pad, on wheels. */
	void (*roll_in)(struct rig *rig, size_t pad, const char *aircraft);
	/* It would like to take off now. */
	void (*depart)(struct rig *rig, size_t pad, const char *aircraft);
	/* It is in the air and comes here. */
	void (*come)(struct rig *rig, const char *aircraft);
	/* It has heard that it is cleared to this pad, and lands. */
	void (*land)(struct rig *rig, size_t pad, const char *aircraft);
	/* It lands without. */
	void (*intrude)(struct rig *rig, size_t pad, const char *aircraft);
	/* Its next approach is broken off; NULL: cannot be made. */
	void (*break_off)(struct rig *rig, size_t pad, const char *aircraft);
	/* The device says nothing until it is found again. */
	void (*lose)(struct rig *rig);
	void (*find)(struct rig *rig);
};

struct rig {
	const struct rig_ops *ops;
	char directory[64];
	time_ms now;
	bool lost;
	void *device; /* the driver's state */
	void *own;    /* the rig's */
};

extern const struct rig_ops rig_sim, rig_mavlink, rig_file;

#endif
