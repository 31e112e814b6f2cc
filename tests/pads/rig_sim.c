/* tests/pads/rig_sim.c -- the simulated world, seen from another port of it.
 */
#include "pads/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct sim_rig {
	char path[128];
	struct setting settings[5];
	struct driver_setup elsewhere;
	void *other; /* the other port's driver */
};

static void begin(struct rig *rig, struct driver_setup *setup)
{
	struct sim_rig *own = calloc(1, sizeof(*own));
	char why[DRIVER_WHY];

	rig->own = own;
	snprintf(own->path, sizeof(own->path), "%s/world", rig->directory);
	own->settings[0] = (struct setting){.name = "sim-world"};
	own->settings[0].value = own->path;
	own->settings[1] = (struct setting){.name = "sim-speed"};
	own->settings[1].value = "20";
	setup->settings = own->settings;
	own->elsewhere = *setup;
	own->elsewhere.port = "elsewhere";
	own->other = calloc(1, driver_find("sim")->size);
	CHECK(rig->ops->driver->open(
		      own->other, &own->elsewhere, rig->now, why) == ERR_OK);
}

static void end(struct rig *rig)
{
	struct sim_rig *own = rig->own;

	rig->ops->driver->end(own->other);
	remove(own->path);
	free(own->other);
	free(own);
}

/* A world is moved on by whoever looks. */
static void speak(struct rig *rig)
{
	struct sim_rig *own = rig->own;

	rig->ops->driver->poll(own->other, rig->now);
}

static void fault(struct rig *rig, const char *name, time_ms how_long)
{
	for (size_t i = 0; i < RIG_PADS; i++)
		CHECK(rig->ops->driver->fault(rig->device, i, name, how_long) ==
			ERR_OK);
}

static void roll_in(struct rig *rig, size_t pad, const char *aircraft)
{
	struct movement movement = {0};

	snprintf(movement.aircraft, sizeof(movement.aircraft), "%s", aircraft);
	CHECK(rig->ops->driver->prepare(rig->device, pad, &movement) == ERR_OK);
}

/* Simulated drones take off and land as soon as they may. */
static void obey(struct rig *rig, size_t pad, const char *aircraft)
{
	(void)rig;
	(void)pad;
	(void)aircraft;
}

static bool is_on_other(const struct rig *rig, const char *aircraft)
{
	const struct sim_rig *own = rig->own;
	struct pad_state state;

	rig->ops->driver->pad_state(own->other, 0, &state);
	return state.is == PAD_OCCUPIED &&
	       strcmp(state.aircraft, aircraft) == 0;
}

static void run_until(struct rig *rig, const char *aircraft, bool is_on)
{
	for (int i = 0; is_on_other(rig, aircraft) != is_on; i++) {
		CHECK(i < 1000);
		rig->now += STEP_MS;
		speak(rig);
	}
}

/* It takes off at the other port and is expected here. */
static void come(struct rig *rig, const char *aircraft)
{
	struct sim_rig *own = rig->own;
	const struct driver *driver = rig->ops->driver;
	struct movement movement = {.until = rig->now + 60000};

	snprintf(movement.aircraft, sizeof(movement.aircraft), "%s", aircraft);
	CHECK(driver->prepare(own->other, 0, &movement) == ERR_OK);
	run_until(rig, aircraft, true);
	CHECK(driver->clear_departure(own->other, 0, &movement) == ERR_OK);
	run_until(rig, aircraft, false);
	movement.is_arrival = true;
	CHECK(driver->prepare(rig->device, 0, &movement) == ERR_OK);
	rig->now += 60000; /* the flight, 20 times faster */
	speak(rig);
}

static void intrude(struct rig *rig, size_t pad, const char *aircraft)
{
	(void)aircraft; /* intruders have names of their own */
	CHECK(rig->ops->driver->fault(rig->device, pad, "intruder", 600000) ==
		ERR_OK);
}

static void break_off(struct rig *rig, size_t pad, const char *aircraft)
{
	(void)aircraft;
	CHECK(rig->ops->driver->fault(rig->device, pad, "goaround", 600000) ==
		ERR_OK);
}

static void lose(struct rig *rig)
{
	fault(rig, "lost", 3600000);
}

static void find(struct rig *rig)
{
	fault(rig, "lost", 0);
}

extern const struct driver driver_sim;

const struct rig_ops rig_sim = {
	.driver = &driver_sim,
	.begin = begin,
	.end = end,
	.speak = speak,
	.roll_in = roll_in,
	.depart = obey,
	.come = come,
	.land = obey,
	.intrude = intrude,
	.break_off = break_off,
	.lose = lose,
	.find = find,
};
