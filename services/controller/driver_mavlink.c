/* controller/driver_mavlink.c -- `mavlink`: aircraft that speak MAVLink over
 * UDP, such as those with PX4.
 *
 * EXTENDED_SYS_STATE tells who is on the ground, and fleet.h concludes from it
 * what is on each pad.
 *
 * A departure is held by PX4's arm authorisation (mavlink.io, "Arm
 * Authorization Protocol"; parameters COM_ARM_AUTH_REQ 1, COM_ARM_AUTH_ID our
 * system id): before it arms, the aircraft sends COMMAND_LONG 3001 and waits
 * for COMMAND_ACK, one second by default. MAVLink has nothing of the kind for a
 * landing: the operator waits for the clearance on the ledger.
 */
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet.h"
#include "mavlink.h"

enum {
	DATAGRAMS_MAX = 256, /* heard in one poll */
	DATAGRAM_MAX = 2048,
	HEARTBEAT_MS = 1000,
	SECONDS_MAX = 254, /* of progress; 255 says nothing */
};

/* common.xml */
enum { CMD_ARM_DISARM = 400, CMD_GO_AROUND = 191, CMD_ARM_AUTH = 3001 };
enum { COMPONENT_ONBOARD = 191, TYPE_ONBOARD = 18, AUTOPILOT_INVALID = 8 };
enum { STATE_ACTIVE = 4, SEVERITY_WARNING = 4 };
enum result { ACCEPTED, TEMPORARILY_REJECTED, DENIED };
enum reason { GENERIC, NONE, INVALID_WAYPOINT, TIMEOUT, AIRSPACE_IN_USE };
struct mav {
	int fd;
	uint8_t system, sequence;
	time_ms beat_at;
	struct fleet fleet;
	struct link { /* of each vehicle */
		struct sockaddr_in address;
		time_ms at; /* 0: never heard */
	} links[FLEET_VEHICLES_MAX];
};

static const struct setting settings[] = {
	{"mavlink-listen", "HOST:PORT", "mavlink: UDP, where aircraft send to",
		"0.0.0.0:14550", false},
	{"mavlink-system", "ID", "mavlink: ours; PX4's COM_ARM_AUTH_ID (10)",
		"10", false},
	{"mavlink-vehicles", "LIST",
		"mavlink: system:serial[:pad], where pad is the one that it "
		"belongs to: 1:JA01XY:A,2:JA02XY",
		NULL, false},
	{"mavlink-pads", "LIST",
		"mavlink: where the pads are, in degrees: "
		"A@35.5494:139.7798,B@35.5495:139.7798",
		NULL, false},
	{"mavlink-radius", "M", "mavlink: so near it is on the pad (5)", "5",
		false},
	{0},
};

/* ---- what is sent ---- */

static void send_frame(
	struct mav *mav, const struct vehicle *to, struct mavlink_frame *frame)
{
	const struct link *link = &mav->links[to - mav->fleet.vehicles];
	uint8_t bytes[MAVLINK_FRAME_MAX];
	size_t size;

	frame->version = 2; /* 1 has no room for what PX4 reads of an ack */
	frame->sequence = mav->sequence++;
	frame->system = mav->system;
	frame->component = COMPONENT_ONBOARD;
	size = mavlink_write(bytes, frame);
	/* Lost datagrams are asked for again, and a socket that fails shows
	 * itself by silence. */
	(void)!sendto(mav->fd, bytes, size, MSG_DONTWAIT,
		(const struct sockaddr *)&link->address, sizeof(link->address));
}

static void send_heartbeats(struct mav *mav)
{
	if (mav->fleet.now < mav->beat_at)
		return;
	mav->beat_at = mav->fleet.now + HEARTBEAT_MS;
	for (size_t i = 0; i < mav->fleet.vehicle_count; i++) {
		struct mavlink_frame frame = {.message = MAVLINK_HEARTBEAT};

		if (mav->links[i].at == 0)
			continue;
		frame.payload[4] = TYPE_ONBOARD;
		frame.payload[5] = AUTOPILOT_INVALID;
		frame.payload[7] = STATE_ACTIVE;
		frame.payload[8] = 3; /* of the protocol */
		send_frame(mav, &mav->fleet.vehicles[i], &frame);
	}
}

static void send_command(
	struct mav *mav, const struct vehicle *to, uint16_t command)
{
	struct mavlink_frame frame = {.message = MAVLINK_COMMAND_LONG};

	mavlink_put_u16(frame.payload + 28, command); /* parameters are 0 */
	frame.payload[30] = to->system;
	frame.payload[31] = 1; /* its autopilot */
	send_frame(mav, to, &frame);
}

static void send_text(
	struct mav *mav, const struct vehicle *to, const char *text)
{
	struct mavlink_frame frame = {.message = MAVLINK_STATUSTEXT};
	size_t size = strlen(text);

	frame.payload[0] = SEVERITY_WARNING;
	memcpy(frame.payload + 1, text,
		size < MAVLINK_TEXT_MAX ? size : MAVLINK_TEXT_MAX);
	send_frame(mav, to, &frame);
}

/* ---- arm authorisation ---- */

/*~ Two texts say where the seconds and the reason go, and they disagree. The
 * message definitions: the seconds in `progress`, the reason in `result_param2`
 * (common.xml, MAV_CMD_ARM_AUTHORIZATION_REQUEST). The protocol's page and PX4:
 * the reason in `progress`, which PX4 calls result_param1, the seconds in
 * `result_param2`. So both carry it, whichever it is. Seconds are rounded down:
 * the aircraft may not outlast the ledger. */
static void send_verdict(struct mav *mav, const struct vehicle *to,
	uint8_t component, enum result result, uint32_t number)
{
	struct mavlink_frame frame = {.message = MAVLINK_COMMAND_ACK};

	mavlink_put_u16(frame.payload, CMD_ARM_AUTH);
	frame.payload[2] = (uint8_t)result;
	frame.payload[3] =
		(uint8_t)(number > SECONDS_MAX ? SECONDS_MAX : number);
	mavlink_put_i32(frame.payload + 4, (int32_t)number);
	frame.payload[8] = to->system;
	frame.payload[9] = component;
	send_frame(mav, to, &frame);
}

static void authorise(
	struct mav *mav, const struct vehicle *vehicle, uint8_t component)
{
	const struct fleet_pad *pad;
	bool same;

	if (vehicle->place != PLACE_PAD) {
		send_verdict(mav, vehicle, component, DENIED, GENERIC);
		send_text(mav, vehicle, "perch: not on a pad of this port");
		return;
	}
	pad = &mav->fleet.pads[vehicle->pad];
	same = pad->is_cleared && !pad->movement.is_arrival &&
	       strcmp(pad->movement.aircraft, vehicle->aircraft) == 0;
	if (pad->closed) {
		send_verdict(mav, vehicle, component, DENIED, GENERIC);
		send_text(mav, vehicle, "perch: the pad is closed");
	} else if (same && pad->movement.until - mav->fleet.now >= 1000) {
		send_verdict(mav, vehicle, component, ACCEPTED,
			(uint32_t)((pad->movement.until - mav->fleet.now) /
				   1000));
	} else if (same) {
		send_verdict(mav, vehicle, component, DENIED, TIMEOUT);
		send_text(mav, vehicle, "perch: the clearance is over");
	} else if (pad->is_cleared) {
		send_verdict(mav, vehicle, component, DENIED, AIRSPACE_IN_USE);
		send_text(mav, vehicle, "perch: the pad is another's");
	} else {
		send_verdict(
			mav, vehicle, component, TEMPORARILY_REJECTED, GENERIC);
		send_text(mav, vehicle, "perch: not cleared");
	}
}

/* ---- what is heard ---- */

/* While an aircraft is heard from one address, no other can speak for it. */
static struct vehicle *who_speaks(
	struct mav *mav, uint8_t system, const struct sockaddr_in *from)
{
	for (size_t i = 0; i < mav->fleet.vehicle_count; i++) {
		struct link *link = &mav->links[i];

		if (mav->fleet.vehicles[i].system != system)
			continue;
		if (link->at != 0 &&
			mav->fleet.now - link->at < FLEET_SILENT_MS &&
			(link->address.sin_addr.s_addr !=
					from->sin_addr.s_addr ||
				link->address.sin_port != from->sin_port))
			return NULL;
		link->address = *from;
		link->at = mav->fleet.now;
		return &mav->fleet.vehicles[i];
	}
	return NULL;
}

static void on_frame(struct mav *mav, const struct mavlink_frame *frame,
	const struct sockaddr_in *from)
{
	struct vehicle *vehicle = who_speaks(mav, frame->system, from);

	if (vehicle == NULL)
		return;
	if (frame->message == MAVLINK_EXTENDED_SYS_STATE)
		fleet_landed(&mav->fleet, vehicle, frame->payload[1]);
	else if (frame->message == MAVLINK_GLOBAL_POSITION_INT)
		fleet_position(vehicle, mavlink_i32(frame->payload + 4),
			mavlink_i32(frame->payload + 8));
	else if (frame->message == MAVLINK_COMMAND_LONG &&
		 mavlink_u16(frame->payload + 28) == CMD_ARM_AUTH &&
		 frame->payload[30] == mav->system)
		authorise(mav, vehicle, frame->component);
}

static void mav_poll(void *self, time_ms now)
{
	struct mav *mav = self;

	mav->fleet.now = now;
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		uint8_t bytes[DATAGRAM_MAX];
		struct sockaddr_in from = {0};
		socklen_t size = sizeof(from);
		struct mavlink_frame frame;
		ssize_t got = recvfrom(mav->fd, bytes, sizeof(bytes),
			MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		size_t at = 0;

		if (got < 0)
			break;
		while (mavlink_read(&frame, &at, view_of(bytes, (size_t)got)) ==
			ERR_OK)
			on_frame(mav, &frame, &from);
	}
	send_heartbeats(mav);
}

/* ---- what it says and is told ---- */

static void mav_pad_state(const void *self, size_t pad, struct pad_state *out)
{
	fleet_look(&((const struct mav *)self)->fleet, pad, out);
}

/* Is it there to be told anything? */
static enum err reach(const struct mav *mav, const char *aircraft)
{
	const struct vehicle *vehicle = fleet_find(&mav->fleet, aircraft);

	if (vehicle == NULL)
		return ERR_NOT_FOUND;
	return fleet_is_silent(&mav->fleet, vehicle) ? ERR_UNREACHABLE : ERR_OK;
}

static enum err mav_prepare(
	void *self, size_t pad, const struct movement *movement)
{
	struct mav *mav = self;
	enum err err = reach(mav, movement->aircraft);

	if (err == ERR_OK)
		mav->fleet.pads[pad].closed = false;
	return err;
}

static enum err mav_clear(
	void *self, size_t pad, const struct movement *movement)
{
	struct mav *mav = self;
	enum err err = reach(mav, movement->aircraft);

	if (err != ERR_OK)
		return err;
	mav->fleet.pads[pad].closed = false;
	mav->fleet.pads[pad].is_cleared = true;
	mav->fleet.pads[pad].movement = *movement;
	return ERR_OK;
}

/* An authorisation that was given cannot be taken back by the protocol; an
 * aircraft that has not left yet is told to disarm, which PX4 refuses in the
 * air, and one that is landing to go around. */
static enum err mav_abort(void *self, size_t pad)
{
	struct mav *mav = self;
	struct fleet_pad *on = &mav->fleet.pads[pad];
	const struct vehicle *vehicle;

	if (!on->is_cleared)
		return ERR_OK;
	on->is_cleared = false;
	vehicle = fleet_find(&mav->fleet, on->movement.aircraft);
	if (vehicle == NULL || fleet_is_silent(&mav->fleet, vehicle))
		return ERR_UNREACHABLE;
	if (on->movement.is_arrival && vehicle->place == PLACE_AIR)
		send_command(mav, vehicle, CMD_GO_AROUND);
	else if (!on->movement.is_arrival && vehicle->place == PLACE_PAD)
		send_command(mav, vehicle, CMD_ARM_DISARM);
	return ERR_OK;
}

static enum err mav_close(void *self, size_t pad)
{
	struct mav *mav = self;
	enum err err = mav_abort(self, pad);

	mav->fleet.pads[pad].closed = true;
	return err;
}

/* ---- settings ---- */

static enum err refuse(
	char *why, const char *name, const char *at, const char *cure)
{
	snprintf(why, DRIVER_WHY, "%s: \"%.60s\": %s", name, at, cure);
	return ERR_CONFIG;
}

/* One of a list: up to the next comma; moves *at behind it. */
static size_t take_item(const char **at, const char **item)
{
	size_t size = strcspn(*at, ",");

	*item = *at;
	*at += size + ((*at)[size] == ',');
	return size;
}

/* "1:JA01XY:A" */
static bool read_vehicle(struct mav *mav, const struct driver_setup *setup,
	const char *item, size_t size)
{
	struct vehicle *vehicle =
		&mav->fleet.vehicles[mav->fleet.vehicle_count];
	const char *end = item + size, *serial, *stop;
	char *rest;
	unsigned long system = strtoul(item, &rest, 10);

	if (rest == item || *rest != ':' || system < 1 || system > 255)
		return false;
	serial = rest + 1;
	stop = memchr(serial, ':', (size_t)(end - serial));
	if (stop == NULL)
		stop = end;
	if (stop == serial || stop - serial > PERCH_NAME_MAX)
		return false;
	*vehicle = (struct vehicle){.system = (uint8_t)system, .home = -1};
	memcpy(vehicle->aircraft, serial, (size_t)(stop - serial));
	if (stop < end) {
		vehicle->home =
			driver_pad(setup, stop + 1, (size_t)(end - stop - 1));
		if (vehicle->home < 0)
			return false;
	}
	mav->fleet.vehicle_count++;
	return true;
}

static enum err read_vehicles(
	struct mav *mav, const struct driver_setup *setup, char *why)
{
	const char *at = driver_setting(setup, "mavlink-vehicles"), *item;

	if (at == NULL)
		return refuse(why, "mavlink-vehicles", "",
			"say which aircraft there are, like 1:JA01XY:A");
	while (*at != '\0') {
		size_t size = take_item(&at, &item);

		if (mav->fleet.vehicle_count == FLEET_VEHICLES_MAX)
			return refuse(why, "mavlink-vehicles", item,
				"64 aircraft at most");
		if (!read_vehicle(mav, setup, item, size))
			return refuse(why, "mavlink-vehicles", item,
				"say system:serial:pad, with a pad of this "
				"port, like 1:JA01XY:A");
	}
	return ERR_OK;
}

static bool read_degrees(const char **at, double most, char end, int32_t *out)
{
	char *rest;
	double degrees = strtod(*at, &rest);

	if (rest == *at || !(degrees >= -most && degrees <= most) ||
		(*rest != end && !(end == ',' && *rest == '\0')))
		return false;
	*out = (int32_t)(degrees * 1e7);
	*at = rest + (*rest != '\0');
	return true;
}

/* "A@35.5494:139.7798" */
static enum err read_positions(
	struct mav *mav, const struct driver_setup *setup, char *why)
{
	const char *at = driver_setting(setup, "mavlink-pads");

	while (at != NULL && *at != '\0') {
		const char *item = at;
		size_t size = strcspn(at, "@");
		int index = driver_pad(setup, at, size);
		struct fleet_pad *pad =
			index < 0 ? NULL : &mav->fleet.pads[index];

		at += size + (at[size] == '@');
		if (pad == NULL ||
			!read_degrees(&at, 90, ':', &pad->latitude) ||
			!read_degrees(&at, 180, ',', &pad->longitude))
			return refuse(why, "mavlink-pads", item,
				"say pad@latitude:longitude, like "
				"A@35.5494:139.7798");
		pad->has_position = true;
	}
	return ERR_OK;
}

static enum err read_numbers(
	struct mav *mav, const struct driver_setup *setup, char *why)
{
	const char *system = driver_setting(setup, "mavlink-system");
	const char *radius = driver_setting(setup, "mavlink-radius");
	char *rest = NULL;
	unsigned long id = system == NULL ? 10 : strtoul(system, &rest, 10);

	if (id < 1 || id > 255 || (rest != NULL && *rest != '\0'))
		return refuse(why, "mavlink-system", system,
			"a system id is a number from 1 to 255");
	mav->system = (uint8_t)id;
	rest = NULL;
	mav->fleet.radius = radius == NULL ? 5 : strtod(radius, &rest);
	if (!(mav->fleet.radius > 0 && mav->fleet.radius <= 1000) ||
		(rest != NULL && *rest != '\0'))
		return refuse(
			why, "mavlink-radius", radius, "metres, up to 1000");
	return ERR_OK;
}

static enum err listen_on(
	struct mav *mav, const struct driver_setup *setup, char *why)
{
	const char *text = driver_setting(setup, "mavlink-listen");
	const char *colon;
	char host[64], *rest;
	struct sockaddr_in address = {.sin_family = AF_INET};
	unsigned long port;

	if (text == NULL)
		text = "0.0.0.0:14550";
	colon = strrchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		return refuse(why, "mavlink-listen", text,
			"say address:port, like 0.0.0.0:14550");
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = strtoul(colon + 1, &rest, 10);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || port > 65535 ||
		rest == colon + 1 || *rest != '\0')
		return refuse(why, "mavlink-listen", text,
			"say address:port, like 0.0.0.0:14550");
	address.sin_port = htons((uint16_t)port);
	mav->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (mav->fd >= 0 && bind(mav->fd, (const struct sockaddr *)&address,
				    sizeof(address)) == 0)
		return ERR_OK;
	snprintf(why, DRIVER_WHY, "mavlink-listen: %s: %s", text,
		strerror(errno));
	if (mav->fd >= 0)
		close(mav->fd);
	return ERR_IO;
}

static enum err mav_open(
	void *self, const struct driver_setup *setup, time_ms now, char *why)
{
	struct mav *mav = self;
	enum err err;

	mav->fleet.now = now;
	mav->fleet.pad_count = setup->pad_count;
	err = read_vehicles(mav, setup, why);
	if (err == ERR_OK)
		err = read_positions(mav, setup, why);
	if (err == ERR_OK)
		err = read_numbers(mav, setup, why);
	if (err == ERR_OK)
		err = listen_on(mav, setup, why);
	return err;
}

static void mav_end(void *self)
{
	close(((struct mav *)self)->fd);
}

const struct driver driver_mavlink = {
	.name = "mavlink",
	.size = sizeof(struct mav),
	.settings = settings,
	.open = mav_open,
	.end = mav_end,
	.poll = mav_poll,
	.pad_state = mav_pad_state,
	.prepare = mav_prepare,
	.clear_departure = mav_clear,
	.clear_arrival = mav_clear,
	.abort = mav_abort,
	.close = mav_close,
};
