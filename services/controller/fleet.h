/* controller/fleet.h -- where aircraft are that say only whether they are on
 * the ground: which of them is on which pad of this port.
 *
 * There is no sensor on the pad. A pad is empty as long as everyone who could
 * be on it is heard and is known to be elsewhere; when one of them is silent,
 * or came down nobody knows where, the pad is unknown. Plain data, no socket,
 * no clock.
 */
#ifndef PERCH_CONTROLLER_FLEET_H
#define PERCH_CONTROLLER_FLEET_H

#include "driver.h"

enum {
	FLEET_VEHICLES_MAX = 64,
	FLEET_SILENT_MS = 3000, /* they speak once a second or more often */
};

/* MAV_LANDED_STATE (common.xml) */
enum landed { UNDEFINED, ON_GROUND, IN_AIR, TAKEOFF, LANDING };

/* Where an aircraft was last known to be. */
enum place { PLACE_UNKNOWN, PLACE_PAD, PLACE_AIR, PLACE_ELSEWHERE };

struct vehicle {
	uint8_t system;
	char aircraft[DRIVER_NAME_SIZE];
	int home; /* the pad it belongs to; -1: it may be on any */
	bool has_flown;
	enum place place;
	int pad; /* PLACE_PAD */
	enum landed landed;
	time_ms heard; /* when it last said whether it is on the ground; or 0 */
	bool has_position;
	int32_t latitude, longitude; /* 1e-7 degrees */
};

struct fleet_pad {
	bool is_cleared, closed, by_air, has_position;
	struct movement movement;
	uint32_t broken_off;
	int32_t latitude, longitude;
};

struct fleet {
	time_ms now;
	double radius; /* metres: so near is on the pad */
	size_t pad_count, vehicle_count;
	struct fleet_pad pads[PERCH_PADS_MAX];
	struct vehicle vehicles[FLEET_VEHICLES_MAX];
};

/* What an aircraft says of itself; landed is ignored when it is no state. */
void fleet_landed(struct fleet *fleet, struct vehicle *vehicle, uint8_t landed);
void fleet_position(
	struct vehicle *vehicle, int32_t latitude, int32_t longitude);

bool fleet_is_silent(const struct fleet *fleet, const struct vehicle *vehicle);
/* By its serial, or NULL. */
const struct vehicle *fleet_find(
	const struct fleet *fleet, const char *aircraft);
void fleet_look(const struct fleet *fleet, size_t pad, struct pad_state *out);

#endif
