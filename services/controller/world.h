/* controller/world.h -- a simulated world: pads of many ports, and the drones
 * that stand on them or fly between them.
 *
 * A plain value that is moved on to a time: the same world, seed and times give
 * the same flights. It lives in one file that the controllers of all ports
 * share (driver_sim.c), so that it outlives any of them, as a real device does.
 * How long things take is divided by the speed.
 *
 *	hangar --prepare--> rolling --> parked --cleared--> starting --> flying
 *	   ^                                                               |
 *	   +--rolling off--- landed <-- landing <--cleared-- holding <-----+
 *	                                   +---- broken off ---^
 */
#ifndef PERCH_CONTROLLER_WORLD_H
#define PERCH_CONTROLLER_WORLD_H

#include "base/random.h"
#include "driver.h"

enum { WORLD_PADS_MAX = 128, WORLD_DRONES_MAX = 256, WORLD_SPEED_MAX = 1000 };

enum drone_phase {
	DRONE_NONE, /* a free place in the table */
	DRONE_HANGAR,
	DRONE_ROLLING,
	DRONE_PARKED,
	DRONE_STARTING,
	DRONE_FLYING,
	DRONE_HOLDING,
	DRONE_LANDING,
	DRONE_LANDED,
	DRONE_LEAVING,
};

struct drone {
	char name[DRIVER_NAME_SIZE];
	char port[DRIVER_NAME_SIZE]; /* where it is, or who expects it */
	uint32_t phase;              /* enum drone_phase */
	int32_t pad;                 /* index into pads; -1: none */
	time_ms until;               /* when the phase is over by itself */
};

enum fault {
	FAULT_LOST,     /* the pad's device says nothing */
	FAULT_GOAROUND, /* the next approaches are broken off */
	FAULT_STUCK,    /* what is cleared to take off does not */
	FAULT_OVERSTAY, /* what has landed stays */
	FAULT_INTRUDER, /* something lands here without being cleared */
	FAULTS,
};

struct world_pad {
	char port[DRIVER_NAME_SIZE], name[DRIVER_NAME_SIZE];
	char cleared[DRIVER_NAME_SIZE]; /* who may move, until then */
	uint32_t is_arrival, closed, by_air, broken_off;
	time_ms cleared_until;
	time_ms faults[FAULTS]; /* until when */
};

struct world {
	struct random random;
	uint32_t speed;
	uint32_t permille[FAULTS]; /* of the movements, at random */
	uint32_t pad_count, drone_count, intruders;
	struct world_pad pads[WORLD_PADS_MAX];
	struct drone drones[WORLD_DRONES_MAX];
};

void world_start(struct world *world, uint64_t seed, unsigned speed);
/* Index of a pad, which is made when it is new; -1: the table is full. */
int world_pad(struct world *world, const char *port, const char *name);
/* Everything that happens up to now. */
void world_step(struct world *world, time_ms now);
/* Something went wrong on purpose, for so long. */
void world_fault(struct world *world, int pad, enum fault fault, time_ms now,
	time_ms how_long);
/* A pad as its device sees it. */
void world_look(
	const struct world *world, int pad, time_ms now, struct pad_state *out);
/* ERR_NOT_FOUND: the drone is at another port, or in the air. An unknown one
 * is in this port's hangar. */
enum err world_prepare(struct world *world, int pad,
	const struct movement *movement, time_ms now);
void world_clear(struct world *world, int pad, const struct movement *movement);
void world_abort(struct world *world, int pad, time_ms now);
void world_close(struct world *world, int pad, time_ms now);

/* "goaround"; FAULTS when there is no such word. */
const char *fault_name(enum fault fault);
enum fault fault_find(const char *name, size_t size);

#endif
