/* controller/world.c -- see world.h.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>

/* At speed 1. */
enum {
	ROLL_MS = 20000,
	START_MS = 15000,
	FLIGHT_MS = 600000,
	LANDING_MS = 30000,
	STAY_MS = 60000,
	OVERSTAY_TIMES = 30,
	LOST_MS = 120000,
	STEPS_MAX = 64, /* of one drone in one step: a world left alone */
};

void world_start(struct world *world, uint64_t seed, unsigned speed)
{
	memset(world, 0, sizeof(*world));
	random_seed(&world->random, seed);
	world->speed = speed;
}

static void copy_name(char out[DRIVER_NAME_SIZE], const char *name)
{
	snprintf(out, DRIVER_NAME_SIZE, "%s", name);
}

int world_pad(struct world *world, const char *port, const char *name)
{
	struct world_pad *pad;

	for (uint32_t i = 0; i < world->pad_count; i++) {
		if (strcmp(world->pads[i].port, port) == 0 &&
			strcmp(world->pads[i].name, name) == 0)
			return (int)i;
	}
	if (world->pad_count == WORLD_PADS_MAX)
		return -1;
	pad = &world->pads[world->pad_count];
	copy_name(pad->port, port);
	copy_name(pad->name, name);
	return (int)world->pad_count++;
}

static struct drone *find(struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->drone_count; i++) {
		struct drone *drone = &world->drones[i];

		if (drone->phase != DRONE_NONE &&
			strcmp(drone->name, name) == 0)
			return drone;
	}
	return NULL;
}

/* A free place, or that of a drone that waits in a hangar: it can be made
 * again. */
static struct drone *find_place(struct world *world)
{
	for (uint32_t i = 0; i < world->drone_count; i++) {
		if (world->drones[i].phase == DRONE_NONE)
			return &world->drones[i];
	}
	if (world->drone_count < WORLD_DRONES_MAX)
		return &world->drones[world->drone_count++];
	for (uint32_t i = 0; i < world->drone_count; i++) {
		if (world->drones[i].phase == DRONE_HANGAR)
			return &world->drones[i];
	}
	return NULL;
}

static struct drone *add_drone(
	struct world *world, const char *name, const char *port)
{
	struct drone *drone = find_place(world);

	if (drone == NULL)
		return NULL;
	*drone = (struct drone){.phase = DRONE_HANGAR, .pad = -1};
	copy_name(drone->name, name);
	copy_name(drone->port, port);
	return drone;
}

static bool stands_on(const struct drone *drone, int pad)
{
	return drone->pad == pad && (drone->phase == DRONE_PARKED ||
					    drone->phase == DRONE_STARTING ||
					    drone->phase == DRONE_LANDED ||
					    drone->phase == DRONE_LEAVING);
}

static const struct drone *who_is_on(const struct world *world, int pad)
{
	for (uint32_t i = 0; i < world->drone_count; i++) {
		if (stands_on(&world->drones[i], pad))
			return &world->drones[i];
	}
	return NULL;
}

/* ---- faults ---- */

static const char *const fault_names[FAULTS] = {
	"lost", "goaround", "stuck", "overstay", "intruder"};

const char *fault_name(enum fault fault)
{
	return fault_names[fault];
}

enum fault fault_find(const char *name, size_t size)
{
	unsigned i = 0;

	while (i < FAULTS && (strlen(fault_names[i]) != size ||
				     memcmp(fault_names[i], name, size) != 0))
		i++;
	return (enum fault)i;
}

static bool has_fault(
	const struct world *world, int pad, enum fault fault, time_ms now)
{
	return pad >= 0 && now < world->pads[pad].faults[fault];
}

static time_ms lasts(const struct world *world, time_ms at_speed_1)
{
	return at_speed_1 / world->speed;
}

void world_fault(struct world *world, int pad, enum fault fault, time_ms now,
	time_ms how_long)
{
	struct drone *drone;
	char name[DRIVER_NAME_SIZE];

	world->pads[pad].faults[fault] = now + how_long;
	if (fault != FAULT_INTRUDER || who_is_on(world, pad) != NULL)
		return;
	snprintf(name, sizeof(name), "intruder_%u", ++world->intruders);
	drone = add_drone(world, name, world->pads[pad].port);
	if (drone == NULL)
		return;
	drone->pad = pad;
	drone->phase = DRONE_LANDED;
	drone->until = now + how_long;
	world->pads[pad].by_air = 1;
}

/* Faults at random, drawn once a movement. */
static void draw(struct world *world, int pad, enum fault fault, time_ms now)
{
	if (random_chance(&world->random, world->permille[fault]))
		world_fault(world, pad, fault, now, lasts(world, LOST_MS));
}

/* ---- what happens ---- */

static void enter(struct drone *drone, enum drone_phase phase, time_ms until)
{
	drone->phase = phase;
	drone->until = until;
}

/* Cleared for this movement, and in time for it? The clearance is used up. */
static bool use_clearance(struct world *world, int pad, const char *name,
	bool is_arrival, time_ms at)
{
	struct world_pad *on = &world->pads[pad];

	if (on->closed || at >= on->cleared_until ||
		on->is_arrival != is_arrival || strcmp(on->cleared, name) != 0)
		return false;
	on->cleared_until = 0;
	return true;
}

static bool try_start(struct world *world, struct drone *drone, time_ms at)
{
	if (has_fault(world, drone->pad, FAULT_STUCK, at) ||
		!use_clearance(world, drone->pad, drone->name, false, at))
		return false;
	draw(world, drone->pad, FAULT_LOST, at);
	enter(drone, DRONE_STARTING, at + lasts(world, START_MS));
	return true;
}

static bool try_land(struct world *world, struct drone *drone, time_ms at)
{
	for (uint32_t i = 0; i < world->pad_count; i++) {
		if (strcmp(world->pads[i].port, drone->port) != 0 ||
			who_is_on(world, (int)i) != NULL ||
			!use_clearance(world, (int)i, drone->name, true, at))
			continue;
		drone->pad = (int)i;
		draw(world, drone->pad, FAULT_LOST, at);
		draw(world, drone->pad, FAULT_GOAROUND, at);
		enter(drone, DRONE_LANDING, at + lasts(world, LANDING_MS));
		return true;
	}
	return false;
}

static void break_off(struct world *world, struct drone *drone, time_ms at)
{
	world->pads[drone->pad].broken_off++;
	world->pads[drone->pad].faults[FAULT_GOAROUND] = 0;
	drone->pad = -1;
	enter(drone, DRONE_HOLDING, at);
}

static void touch_down(struct world *world, struct drone *drone, time_ms at)
{
	time_ms stay = lasts(world, STAY_MS);

	if (has_fault(world, drone->pad, FAULT_GOAROUND, at)) {
		break_off(world, drone, at);
		return;
	}
	draw(world, drone->pad, FAULT_OVERSTAY, at);
	world->pads[drone->pad].by_air = 1;
	enter(drone, DRONE_LANDED,
		at + stay * (has_fault(world, drone->pad, FAULT_OVERSTAY, at)
					    ? OVERSTAY_TIMES
					    : 1));
}

static void free_pad(struct world *world, struct drone *drone, bool by_air)
{
	world->pads[drone->pad].by_air = by_air;
	drone->pad = -1;
}

/* One phase of a drone ends. False: it lasts beyond now. */
static bool step_drone(struct world *world, struct drone *drone, time_ms now)
{
	time_ms at = drone->until;

	switch ((enum drone_phase)drone->phase) {
	case DRONE_PARKED:
		return try_start(world, drone, now);
	case DRONE_HOLDING:
		return try_land(world, drone, now);
	case DRONE_NONE:
	case DRONE_HANGAR:
		return false;
	case DRONE_ROLLING:
	case DRONE_STARTING:
	case DRONE_FLYING:
	case DRONE_LANDING:
	case DRONE_LANDED:
	case DRONE_LEAVING:
		break;
	}
	if (now < at)
		return false;
	switch ((enum drone_phase)drone->phase) {
	case DRONE_ROLLING:
		world->pads[drone->pad].by_air = 0;
		enter(drone, DRONE_PARKED, at);
		break;
	case DRONE_STARTING:
		free_pad(world, drone, true);
		drone->port[0] = '\0';
		enter(drone, DRONE_FLYING, at + lasts(world, FLIGHT_MS));
		break;
	case DRONE_FLYING: /* until somebody expects it */
		if (drone->port[0] == '\0')
			return false;
		enter(drone, DRONE_HOLDING, at);
		break;
	case DRONE_LANDING:
		touch_down(world, drone, at);
		break;
	case DRONE_LANDED:
		enter(drone, DRONE_LEAVING, at + lasts(world, ROLL_MS));
		break;
	case DRONE_LEAVING:
		free_pad(world, drone, false);
		enter(drone, DRONE_HANGAR, at);
		break;
	case DRONE_NONE:
	case DRONE_HANGAR:
	case DRONE_PARKED:
	case DRONE_HOLDING:
		break;
	}
	return true;
}

void world_step(struct world *world, time_ms now)
{
	for (uint32_t i = 0; i < world->drone_count; i++) {
		for (int steps = 0; steps < STEPS_MAX; steps++) {
			if (!step_drone(world, &world->drones[i], now))
				break;
		}
	}
}

/* ---- what the device says and is told ---- */

void world_look(
	const struct world *world, int pad, time_ms now, struct pad_state *out)
{
	const struct drone *drone = who_is_on(world, pad);
	const struct world_pad *on = &world->pads[pad];

	*out = (struct pad_state){
		.is = drone != NULL ? PAD_OCCUPIED : PAD_EMPTY,
		.by_air = on->by_air != 0,
		.broken_off = on->broken_off,
		.measured = now,
	};
	if (drone != NULL)
		copy_name(out->aircraft, drone->name);
	if (has_fault(world, pad, FAULT_LOST, now))
		out->is = PAD_UNKNOWN;
}

static bool is_airborne(const struct drone *drone)
{
	return drone->phase == DRONE_FLYING || drone->phase == DRONE_HOLDING ||
	       drone->phase == DRONE_LANDING;
}

static bool is_reached_for(const struct world *world, int pad)
{
	for (uint32_t i = 0; i < world->drone_count; i++) {
		const struct drone *drone = &world->drones[i];

		if (drone->phase != DRONE_NONE && drone->pad == pad)
			return true;
	}
	return false;
}

/* Who was rolled out, and is not let go, makes room for the next. */
static void make_room(
	struct world *world, int pad, const char *next, time_ms now)
{
	const struct world_pad *on = &world->pads[pad];

	for (uint32_t i = 0; i < world->drone_count; i++) {
		struct drone *drone = &world->drones[i];

		if (drone->phase == DRONE_PARKED && drone->pad == pad &&
			strcmp(drone->name, next) != 0 &&
			(now >= on->cleared_until ||
				strcmp(on->cleared, drone->name) != 0))
			enter(drone, DRONE_LEAVING,
				now + lasts(world, ROLL_MS));
	}
}

enum err world_prepare(struct world *world, int pad,
	const struct movement *movement, time_ms now)
{
	struct drone *drone = find(world, movement->aircraft);
	const char *port = world->pads[pad].port;

	world->pads[pad].closed = 0;
	make_room(world, pad, movement->aircraft, now);
	if (movement->is_arrival) {
		if (drone == NULL || !is_airborne(drone))
			return ERR_NOT_FOUND;
		copy_name(drone->port, port);
		return ERR_OK;
	}
	if (drone == NULL)
		drone = add_drone(world, movement->aircraft, port);
	if (drone == NULL)
		return ERR_FULL;
	if (drone->pad == pad)
		return ERR_OK;
	if (drone->phase != DRONE_HANGAR || strcmp(drone->port, port) != 0)
		return ERR_NOT_FOUND;
	if (is_reached_for(world, pad))
		return ERR_BUSY;
	drone->pad = pad;
	enter(drone, DRONE_ROLLING, now + lasts(world, ROLL_MS));
	return ERR_OK;
}

/* Said again to who is under way, it is the one that is being used. */
void world_clear(struct world *world, int pad, const struct movement *movement)
{
	struct world_pad *on = &world->pads[pad];
	const struct drone *drone = find(world, movement->aircraft);

	if (drone != NULL && drone->pad == pad &&
		(drone->phase == DRONE_STARTING ||
			drone->phase == DRONE_LANDING))
		return;
	copy_name(on->cleared, movement->aircraft);
	on->is_arrival = movement->is_arrival;
	on->cleared_until = movement->until;
	on->closed = 0;
}

void world_abort(struct world *world, int pad, time_ms now)
{
	world->pads[pad].cleared_until = 0;
	for (uint32_t i = 0; i < world->drone_count; i++) {
		struct drone *drone = &world->drones[i];

		if (drone->phase == DRONE_LANDING && drone->pad == pad)
			break_off(world, drone, now);
	}
}

void world_close(struct world *world, int pad, time_ms now)
{
	world_abort(world, pad, now);
	world->pads[pad].closed = 1;
}
