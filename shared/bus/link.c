/* bus/link.c -- the connecting end: how its connection stands, and a new one
 * when libzmq gives up.
 *
 * libzmq tries again after a broken connection, but never again after a
 * handshake that was refused or made no sense: a wallet that is enrolled a
 * minute late, or a port that another program held for a moment, would leave a
 * deaf socket for ever. So each connection is watched, and a socket that
 * stays down is closed whole and opened anew.
 */
#include "bus/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"

enum {
	LINK_EVENTS = ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
		      ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
		      ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		      ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED,
};

/* A pair that hears of the events of a socket. NULL: no file descriptor. */
static void *watch(struct bus *bus, void *watched)
{
	char name[48];
	void *monitor = zmq_socket(bus->context, ZMQ_PAIR);

	if (monitor == NULL)
		return NULL;
	snprintf(name, sizeof(name), "inproc://monitor-%u", bus->name_next++);
	if (zmq_socket_monitor(watched, name, LINK_EVENTS) != 0) {
		zmq_close(monitor);
		return NULL;
	}
	int rc = zmq_connect(monitor, name);
	CHECK(rc == 0);
	return monitor;
}

/* The watch is ended before its socket goes, so that libzmq's thread never
 * writes to a pair that nobody reads. */
void link_close(struct bus_socket *socket)
{
	if (socket->socket == NULL)
		return;
	zmq_socket_monitor(socket->socket, NULL, 0);
	zmq_close(socket->monitor);
	zmq_close(socket->socket);
	socket->monitor = NULL;
	socket->socket = NULL;
}

static void on_event(struct bus_socket *socket, uint16_t event)
{
	time_ms pause = settings_reconnect_max(socket->kind);

	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		socket->link = BUS_LINK_UP;
		return;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		socket->link = BUS_LINK_REFUSED;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		socket->link = BUS_LINK_STRANGE;
		break;
	case ZMQ_EVENT_DISCONNECTED: /* also follows a failed handshake, or is
				      * all that there is of it */
		if (socket->link == BUS_LINK_UP) {
			socket->link = BUS_LINK_DOWN;
			pause = LINK_PATIENCE_MS;
		} else if (socket->link == BUS_LINK_DOWN) {
			socket->link = BUS_LINK_STRANGE;
		}
		break;
	case ZMQ_EVENT_CLOSED: /* nobody listens; libzmq tries again */
		socket->link = BUS_LINK_DOWN;
		return;
	default: /* not asked for */
		return;
	}
	socket->retry_at = clock_monotonic() + pause;
}

void link_update(struct bus_socket *socket)
{
	zmq_msg_t frame;
	uint16_t event;

	zmq_msg_init(&frame);
	while (zmq_msg_recv(&frame, socket->monitor, ZMQ_DONTWAIT) >= 0) {
		CHECK(zmq_msg_size(&frame) >= sizeof(event));
		memcpy(&event, zmq_msg_data(&frame), sizeof(event));
		while (zmq_msg_more(&frame)) { /* the address */
			int rc = zmq_msg_recv(&frame, socket->monitor, 0);
			CHECK(rc >= 0);
		}
		on_event(socket, event);
	}
	zmq_msg_close(&frame);
}

enum err link_open(struct bus_socket *socket)
{
	enum err err = ERR_IO;
	void *monitor = NULL;
	void *fresh = settings_socket(
		socket->bus, socket->kind, socket->server_curve);

	if (fresh == NULL)
		return ERR_IO;
	monitor = watch(socket->bus, fresh);
	if (monitor == NULL)
		goto out;
	for (size_t i = 0; i < socket->topic_count; i++) {
		const char *topic = socket->topics[i];
		int rc = zmq_setsockopt(
			fresh, ZMQ_SUBSCRIBE, topic, strlen(topic));
		CHECK(rc == 0);
	}
	if (zmq_connect(fresh, socket->endpoint) != 0) {
		err = ERR_CONFIG;
		goto out;
	}
	link_close(socket);
	socket->socket = fresh;
	socket->fd = settings_fd(fresh);
	socket->idle = false;
	socket->monitor = monitor;
	socket->monitor_fd = settings_fd(monitor);
	link_update(socket); /* libzmq signals after the first look only */
	return ERR_OK;
out:
	zmq_socket_monitor(fresh, NULL, 0);
	if (monitor != NULL)
		zmq_close(monitor);
	zmq_close(fresh);
	return err;
}

void link_mend(struct bus_socket *socket, time_ms now)
{
	if (socket->monitor == NULL || socket->link == BUS_LINK_UP ||
		now < socket->retry_at)
		return;
	socket->retry_at = now + LINK_PATIENCE_MS;
	if (link_open(socket) != ERR_OK) /* no file descriptor: later */
		return;
}

enum bus_link bus_link_state(const struct bus_socket *socket)
{
	return socket->link;
}
