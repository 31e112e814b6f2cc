/* bus/message.c -- messages in and out, never waiting, never partly. */
#include "bus/internal.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"

/* libzmq hands a message over with atomics that ThreadSanitizer cannot see:
 * what was sent through a pair happened before it was received. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define HAND_OVER(other) __tsan_release(other)
#define TAKE_OVER(own) __tsan_acquire(own)
#else
#define HAND_OVER(other) (void)(other)
#define TAKE_OVER(own) (void)(own)
#endif

static bool has_route(enum bus_kind kind)
{
	return kind == BUS_REQUEST_SERVER || kind == BUS_PEER_SERVER;
}

void message_free(struct bus_socket *socket)
{
	for (size_t i = 0; i < socket->part_count; i++)
		zmq_msg_close(&socket->parts[i]);
	socket->part_count = 0;
}

bool part_receive(struct bus_socket *socket, zmq_msg_t *part)
{
	int rc;

	do {
		rc = zmq_msg_recv(part, socket->socket, ZMQ_DONTWAIT);
	} while (rc < 0 && errno == EINTR);
	CHECK(rc >= 0 || errno == EAGAIN);
	socket->idle = rc < 0;
	return rc >= 0;
}

/* The remaining parts of a message into socket->parts, those beyond the last
 * place dropped; how many there were. */
static size_t parts_receive(struct bus_socket *socket)
{
	size_t count = 0;
	bool more = true;

	while (more) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (!part_receive(socket, &part)) {
			CHECK(count == 0); /* messages arrive whole */
			break;
		}
		more = zmq_msg_more(&part) != 0;
		if (count < BUS_FRAMES_MAX) {
			socket->parts[count] = part;
			socket->part_count = count + 1;
		} else {
			zmq_msg_close(&part);
		}
		count++;
	}
	return count;
}

/* The User-Id comes from a payload frame: libzmq loses it on the routing id
 * when it reads ahead. A client could not have set it: it is the handler's. */
static bool sender_of(struct bus_socket *socket, struct bus_message *out)
{
	switch (socket->kind) {
	case BUS_REQUEST_SERVER:
	case BUS_PEER_SERVER: {
		const char *user = zmq_msg_gets(&socket->parts[0], "User-Id");
		if (user == NULL || user[0] == '\0')
			return false;
		out->has_sender =
			zap_sender(&out->sender, user, &socket->bus->known);
		return true;
	}
	case BUS_REQUEST_CLIENT:
	case BUS_PEER_CLIENT:
	case BUS_SUBSCRIBE:
		out->has_sender = true;
		out->sender = socket->server;
		return true;
	case BUS_PUBLISH:
	case BUS_PAIR:
		break;
	}
	return true;
}

enum err bus_receive(struct bus_socket *socket, struct bus_message *out)
{
	struct bus_message message = {0};
	bool fits = true;

	message_free(socket);
	if (has_route(socket->kind)) {
		zmq_msg_t route;
		zmq_msg_init(&route);
		if (!part_receive(socket, &route)) {
			zmq_msg_close(&route);
			return ERR_TIMEOUT;
		}
		CHECK(zmq_msg_more(&route)); /* an empty frame at least */
		message.route_size = zmq_msg_size(&route);
		fits = message.route_size <= sizeof(message.route);
		if (fits)
			memcpy(message.route, zmq_msg_data(&route),
				message.route_size);
		zmq_msg_close(&route);
	}
	size_t count = parts_receive(socket);
	if (count == 0)
		return ERR_TIMEOUT;
	TAKE_OVER(socket);
	if (!fits || count > BUS_FRAMES_MAX) {
		message_free(socket);
		socket->stats->excess++;
		return ERR_LENGTH;
	}
	if (!sender_of(socket, &message)) {
		message_free(socket);
		socket->stats->unnamed++;
		return ERR_KEY;
	}
	message.frame_count = count;
	for (size_t i = 0; i < count; i++)
		message.frames[i] = view_of(zmq_msg_data(&socket->parts[i]),
			zmq_msg_size(&socket->parts[i]));
	socket->stats->received++;
	*out = message;
	return ERR_OK;
}

/* 0, or errno. libzmq looks at what its thread tells it (a new connection, room
 * in a queue) only now and then; asking for the events makes it look. */
static int part_send(
	struct bus_socket *socket, struct view part, bool first, bool last)
{
	int flags = ZMQ_DONTWAIT | (last ? 0 : ZMQ_SNDMORE);
	int tries = first ? 2 : 1;

	while (zmq_send(socket->socket, part.data, part.size, flags) < 0) {
		int events;
		size_t size = sizeof(events);
		if (errno == EINTR)
			continue;
		CHECK(errno == EAGAIN || errno == EHOSTUNREACH);
		if (--tries == 0)
			return errno;
		zmq_getsockopt(socket->socket, ZMQ_EVENTS, &events, &size);
	}
	return 0;
}

static enum err not_sent(struct bus_socket *socket, int error)
{
	bool up = true;

	if (socket->monitor != NULL) {
		link_update(socket);
		up = socket->link == BUS_LINK_UP;
	}
	if (error == EHOSTUNREACH || !up) {
		socket->stats->unreachable++;
		return ERR_UNREACHABLE;
	}
	socket->stats->busy++;
	return ERR_BUSY;
}

static enum err send_parts(struct bus_socket *socket, struct view route,
	const struct view *frames, size_t count)
{
	int error = 0;
	bool first = true;

	CHECK(count >= 1 && count <= BUS_FRAMES_MAX);
	for (size_t i = 0; i < count; i++)
		CHECK(frames[i].size <= BUS_FRAME_MAX);
	socket->idle = false; /* sending may take the signal */
	if (socket->other != NULL)
		HAND_OVER(socket->other);
	if (route.size > 0) {
		error = part_send(socket, route, true, false);
		first = false;
	}
	for (size_t i = 0; error == 0 && i < count; i++) {
		error = part_send(socket, frames[i], first, i + 1 == count);
		first = false;
	}
	if (error != 0)
		return not_sent(socket, error);
	socket->stats->sent++;
	return ERR_OK;
}

enum err bus_send(
	struct bus_socket *socket, const struct view *frames, size_t count)
{
	CHECK(!has_route(socket->kind) && socket->kind != BUS_SUBSCRIBE);
	return send_parts(socket, (struct view){0}, frames, count);
}

enum err bus_answer(struct bus_socket *socket, const struct bus_message *to,
	const struct view *frames, size_t count)
{
	CHECK(has_route(socket->kind) && to->route_size > 0);
	return send_parts(
		socket, view_of(to->route, to->route_size), frames, count);
}
