/* tests/pads/rig_mavlink.c -- aircraft with PX4's manners: each has a socket,
 * says once a step whether it is on the ground, and arms only when the
 * authoriser's answer says so, as PX4 reads it.
 */
#include "pads/rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "controller/mavlink.h"

enum { AUTHORISER = 10, ARM_AUTH = 3001, ANSWER_MS = 1000 };
enum { ON_GROUND = 1, IN_AIR = 2, LANDING = 4 };

struct craft {
	char name[DRIVER_NAME_SIZE];
	int fd;
	uint8_t landed;
	bool is_far; /* on the ground at another place */
	int pad;
};

struct mav_rig {
	struct setting settings[4];
	char listen[32];
	struct sockaddr_in to;
	struct craft crafts[RIG_AIRCRAFT_MAX];
	uint8_t sequence;
};

/* Where a craft says that it is: pads are 11 m apart, far is far. */
static const char places[] = "A@35.0001:139.0,B@35.0002:139.0";

static int32_t latitude(const struct craft *craft)
{
	return craft->is_far ? 360000000 : 350001000 + 1000 * craft->pad;
}

/* A port that nobody has; the driver binds it again at once. */
static void choose_port(struct mav_rig *own)
{
	socklen_t size = sizeof(own->to);
	int probe = socket(AF_INET, SOCK_DGRAM, 0);

	own->to = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(bind(probe, (struct sockaddr *)&own->to, size) == 0);
	CHECK(getsockname(probe, (struct sockaddr *)&own->to, &size) == 0);
	close(probe);
	snprintf(own->listen, sizeof(own->listen), "127.0.0.1:%u",
		ntohs(own->to.sin_port));
}

static void begin(struct rig *rig, struct driver_setup *setup)
{
	static const char *const names[RIG_AIRCRAFT_MAX] = {
		"JA01", "JA02", "JA03", "JA04"};
	struct mav_rig *own = calloc(1, sizeof(*own));

	rig->own = own;
	choose_port(own);
	own->settings[0] = (struct setting){.name = "mavlink-listen"};
	own->settings[0].value = own->listen;
	own->settings[1] = (struct setting){.name = "mavlink-vehicles"};
	own->settings[1].value = "1:JA01,2:JA02,3:JA03,4:JA04";
	own->settings[2] = (struct setting){.name = "mavlink-pads"};
	own->settings[2].value = places;
	setup->settings = own->settings;
	for (size_t i = 0; i < RIG_AIRCRAFT_MAX; i++) {
		own->crafts[i] = (struct craft){
			.fd = socket(AF_INET, SOCK_DGRAM, 0),
			.landed = ON_GROUND,
			.is_far = true,
		};
		memcpy(own->crafts[i].name, names[i], strlen(names[i]));
		CHECK(connect(own->crafts[i].fd, (struct sockaddr *)&own->to,
			      sizeof(own->to)) == 0);
	}
}

static void end(struct rig *rig)
{
	struct mav_rig *own = rig->own;

	for (size_t i = 0; i < RIG_AIRCRAFT_MAX; i++)
		close(own->crafts[i].fd);
	free(own);
}

static struct craft *find_craft(struct rig *rig, const char *aircraft)
{
	struct mav_rig *own = rig->own;

	for (size_t i = 0; i < RIG_AIRCRAFT_MAX; i++) {
		if (strcmp(own->crafts[i].name, aircraft) == 0)
			return &own->crafts[i];
	}
	CHECK(!"an aircraft of this rig");
	return NULL;
}

/* Version 1 and 2 in turns: both are understood. */
static void send_frame(
	struct rig *rig, struct craft *craft, struct mavlink_frame *frame)
{
	struct mav_rig *own = rig->own;
	uint8_t bytes[MAVLINK_FRAME_MAX];
	size_t size;

	frame->version = (uint8_t)(1 + own->sequence % 2);
	frame->sequence = own->sequence++;
	frame->system = (uint8_t)(1 + (craft - own->crafts));
	frame->component = 1;
	size = mavlink_write(bytes, frame);
	CHECK(send(craft->fd, bytes, size, 0) == (ssize_t)size);
}

static void speak(struct rig *rig)
{
	struct mav_rig *own = rig->own;

	for (size_t i = 0; i < RIG_AIRCRAFT_MAX && !rig->lost; i++) {
		struct craft *craft = &own->crafts[i];
		struct mavlink_frame at = {
			.message = MAVLINK_GLOBAL_POSITION_INT};
		struct mavlink_frame state = {
			.message = MAVLINK_EXTENDED_SYS_STATE};

		mavlink_put_i32(at.payload + 4, latitude(craft));
		mavlink_put_i32(at.payload + 8, 1390000000);
		send_frame(rig, craft, &at);
		state.payload[1] = craft->landed;
		send_frame(rig, craft, &state);
	}
}

static void roll_in(struct rig *rig, size_t pad, const char *aircraft)
{
	struct craft *craft = find_craft(rig, aircraft);

	/* An aircraft without a sensor on the pad is first heard there. */
	craft->is_far = false;
	craft->pad = (int)pad;
	craft->landed = ON_GROUND;
}

/* PX4, arm_auth: accepted for result_param2 seconds, if it is for me. */
static bool is_accepted(struct craft *craft, uint8_t system)
{
	uint8_t bytes[2048];
	struct mavlink_frame frame;
	bool accepted = false;
	ssize_t got;

	while ((got = recv(craft->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >
		0) {
		size_t at = 0;

		while (mavlink_read(&frame, &at, view_of(bytes, (size_t)got)) ==
			ERR_OK) {
			if (frame.message == MAVLINK_COMMAND_ACK &&
				mavlink_u16(frame.payload) == ARM_AUTH &&
				frame.payload[8] == system)
				accepted = frame.payload[2] == 0 &&
					   mavlink_i32(frame.payload + 4) > 0;
		}
	}
	return accepted;
}

static void depart(struct rig *rig, size_t pad, const char *aircraft)
{
	struct craft *craft = find_craft(rig, aircraft);
	struct mav_rig *own = rig->own;
	struct mavlink_frame frame = {.message = MAVLINK_COMMAND_LONG};

	(void)pad;
	mavlink_put_u16(frame.payload + 28, ARM_AUTH);
	frame.payload[30] = AUTHORISER;
	speak(rig);
	send_frame(rig, craft, &frame);
	rig->ops->driver->poll(rig->device, rig->now);
	if (is_accepted(craft, (uint8_t)(1 + (craft - own->crafts))))
		craft->landed = IN_AIR;
}

static void come(struct rig *rig, const char *aircraft)
{
	find_craft(rig, aircraft)->landed = IN_AIR;
}

static void land(struct rig *rig, size_t pad, const char *aircraft)
{
	struct craft *craft = find_craft(rig, aircraft);

	craft->is_far = false;
	craft->pad = (int)pad;
	craft->landed = craft->landed == LANDING ? ON_GROUND : LANDING;
}

static void intrude(struct rig *rig, size_t pad, const char *aircraft)
{
	struct craft *craft = find_craft(rig, aircraft);

	craft->is_far = false;
	craft->pad = (int)pad;
	craft->landed = ON_GROUND;
}

static void break_off(struct rig *rig, size_t pad, const char *aircraft)
{
	(void)pad;
	find_craft(rig, aircraft)->landed = IN_AIR;
}

static void lose(struct rig *rig)
{
	rig->lost = true;
}

static void find(struct rig *rig)
{
	rig->lost = false;
}

extern const struct driver driver_mavlink;

const struct rig_ops rig_mavlink = {
	.driver = &driver_mavlink,
	.begin = begin,
	.end = end,
	.speak = speak,
	.roll_in = roll_in,
	.depart = depart,
	.come = come,
	.land = land,
	.intrude = intrude,
	.break_off = break_off,
	.lose = lose,
	.find = find,
};
