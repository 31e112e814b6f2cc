/* controller/fleet.c -- see fleet.h.
 */
#include "fleet.h"

#include <string.h>

static int cleared_to_land(
	const struct fleet *fleet, const struct vehicle *vehicle)
{
	for (size_t i = 0; i < fleet->pad_count; i++) {
		const struct fleet_pad *pad = &fleet->pads[i];

		if (pad->is_cleared && pad->movement.is_arrival &&
			strcmp(pad->movement.aircraft, vehicle->aircraft) == 0)
			return (int)i;
	}
	return -1;
}

/* Cosine of an angle in degrees up to 90: a few terms are good to 0.1 %. */
static double cosine(double degrees)
{
	double x = degrees * 0.017453292519943295, square = x * x;

	return 1 - square / 2 * (1 - square / 12 * (1 - square / 30));
}

/* The pad that it is on by its position, or -1. Who was on it leaves it only
 * further out: positions tremble. */
static int pad_at(const struct fleet *fleet, const struct vehicle *vehicle)
{
	const double metres = 0.0111319; /* a unit of 1e-7 degrees */

	for (size_t i = 0; i < fleet->pad_count; i++) {
		const struct fleet_pad *pad = &fleet->pads[i];
		double north =
			metres * ((double)vehicle->latitude - pad->latitude);
		double east = metres *
			      ((double)vehicle->longitude - pad->longitude) *
			      cosine(pad->latitude * 1e-7);
		double reach = fleet->radius;

		if (vehicle->place == PLACE_PAD && vehicle->pad == (int)i)
			reach *= 2;
		if (pad->has_position &&
			north * north + east * east <= reach * reach)
			return (int)i;
	}
	return -1;
}

static bool has_positions(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->pad_count; i++) {
		if (fleet->pads[i].has_position)
			return true;
	}
	return false;
}

/* On a pad, or elsewhere (-1). */
static void stands(struct fleet *fleet, struct vehicle *vehicle, int pad)
{
	bool by_air = vehicle->place == PLACE_AIR;

	if (vehicle->place == PLACE_PAD && vehicle->pad == pad)
		return;
	if (vehicle->place == PLACE_PAD)
		fleet->pads[vehicle->pad].by_air = false;
	vehicle->place = pad < 0 ? PLACE_ELSEWHERE : PLACE_PAD;
	vehicle->pad = pad;
	if (pad >= 0)
		fleet->pads[pad].by_air = by_air;
}

/* On the ground: on which pad? Its position tells; else the pad that it was
 * cleared to; else, when it was never seen to fly, the one that it belongs to.
 * If none of these tells, nobody knows where it is. */
static void on_ground(struct fleet *fleet, struct vehicle *vehicle)
{
	int pad = cleared_to_land(fleet, vehicle);

	if (vehicle->has_position && has_positions(fleet)) {
		stands(fleet, vehicle, pad_at(fleet, vehicle));
		return;
	}
	if (vehicle->place == PLACE_PAD)
		return;
	if (!vehicle->has_flown)
		pad = vehicle->home;
	if (pad >= 0)
		stands(fleet, vehicle, pad);
	else
		vehicle->place = PLACE_UNKNOWN;
}

static void in_air(struct fleet *fleet, struct vehicle *vehicle)
{
	int cleared = cleared_to_land(fleet, vehicle);

	if (vehicle->place == PLACE_PAD) {
		struct fleet_pad *pad = &fleet->pads[vehicle->pad];

		pad->by_air = true;
		pad->is_cleared = false; /* it is used up */
	} else if (vehicle->landed == LANDING && cleared >= 0) {
		fleet->pads[cleared].broken_off++;
	}
	vehicle->place = PLACE_AIR;
	vehicle->has_flown = true;
}

void fleet_landed(struct fleet *fleet, struct vehicle *vehicle, uint8_t landed)
{
	if (landed > LANDING)
		return;
	vehicle->heard = fleet->now;
	switch ((enum landed)landed) {
	case UNDEFINED:
		if (vehicle->place != PLACE_PAD)
			vehicle->place = PLACE_UNKNOWN;
		break;
	case ON_GROUND:
		on_ground(fleet, vehicle);
		break;
	case IN_AIR:
		in_air(fleet, vehicle);
		break;
	case LANDING:
		if (vehicle->place != PLACE_PAD) {
			vehicle->place = PLACE_AIR;
			vehicle->has_flown = true;
		}
		break;
	case TAKEOFF: /* still over the pad */
		break;
	}
	vehicle->landed = (enum landed)landed;
}

void fleet_position(
	struct vehicle *vehicle, int32_t latitude, int32_t longitude)
{
	vehicle->latitude = latitude;
	vehicle->longitude = longitude;
	vehicle->has_position = latitude != 0 || longitude != 0;
}

bool fleet_is_silent(const struct fleet *fleet, const struct vehicle *vehicle)
{
	return vehicle->heard == 0 ||
	       fleet->now - vehicle->heard > FLEET_SILENT_MS;
}

/* Could this aircraft be on that pad? */
static bool could_be(
	const struct fleet *fleet, const struct vehicle *vehicle, int pad)
{
	return (vehicle->place == PLACE_PAD && vehicle->pad == pad) ||
	       vehicle->home == pad || vehicle->home < 0 ||
	       cleared_to_land(fleet, vehicle) == pad;
}

/* Everyone who could be on it must say where he is; if nobody could, nobody has
 * measured anything. */
void fleet_look(const struct fleet *fleet, size_t pad, struct pad_state *out)
{
	bool known = true, measured = false;

	*out = (struct pad_state){
		.is = PAD_EMPTY,
		.by_air = fleet->pads[pad].by_air,
		.broken_off = fleet->pads[pad].broken_off,
	};
	for (size_t i = 0; i < fleet->vehicle_count; i++) {
		const struct vehicle *vehicle = &fleet->vehicles[i];

		if (!could_be(fleet, vehicle, (int)pad))
			continue;
		if (!measured || vehicle->heard < out->measured)
			out->measured = vehicle->heard;
		measured = true;
		known = known && !fleet_is_silent(fleet, vehicle) &&
			vehicle->place != PLACE_UNKNOWN;
		if (vehicle->place == PLACE_PAD && vehicle->pad == (int)pad) {
			out->is = PAD_OCCUPIED;
			memcpy(out->aircraft, vehicle->aircraft,
				sizeof(out->aircraft));
		}
	}
	if (!known || !measured)
		out->is = PAD_UNKNOWN;
}

const struct vehicle *fleet_find(
	const struct fleet *fleet, const char *aircraft)
{
	for (size_t i = 0; i < fleet->vehicle_count; i++) {
		if (strcmp(fleet->vehicles[i].aircraft, aircraft) == 0)
			return &fleet->vehicles[i];
	}
	return NULL;
}
