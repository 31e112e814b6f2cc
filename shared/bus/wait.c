/* bus/wait.c -- waiting for whatever comes first, with few system calls.
 *
 * zmq_poll asks each socket anew whenever it is called, a system call each. So
 * the descriptors that libzmq signals on (ZMQ_FD) are polled here directly.
 * Their rule: libzmq takes the signal when it looks for what its thread tells
 * it, in sending as in receiving; only who then found nothing to read may rely
 * on the descriptor. A socket is idle when that is so.
 */
#include "bus/internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/check.h"
#include "clock/clock.h"

enum { POLL_MAX = 2 * BUS_SOCKETS_MAX + 2 };

/* Whether a message can be read, as libzmq says when asked. */
static bool can_read(struct bus_socket *socket)
{
	int events = 0;
	size_t size = sizeof(events);
	int rc = zmq_getsockopt(socket->socket, ZMQ_EVENTS, &events, &size);
	CHECK(rc == 0);
	socket->idle = (events & ZMQ_POLLIN) == 0;
	return !socket->idle;
}

/* What the bus itself listens to of a socket; -1: nothing. */
static int watched(const struct bus_socket *socket)
{
	if (socket->kind == BUS_PUBLISH)
		return socket->fd;
	return socket->monitor != NULL ? socket->monitor_fd : -1;
}

/* The caller's sockets, his file, the handler, the watches. */
static nfds_t poll_set(struct pollfd *items, const struct bus *bus,
	struct bus_socket *const *sockets, size_t count, int fd)
{
	nfds_t used = 0;

	for (size_t i = 0; i < count; i++)
		items[used++] = (struct pollfd){sockets[i]->fd, POLLIN, 0};
	items[used++] = (struct pollfd){fd, POLLIN, 0}; /* -1: ignored */
	items[used++] = (struct pollfd){bus->zap_fd, POLLIN, 0};
	for (size_t i = 0; i < bus->socket_count; i++)
		items[used++] =
			(struct pollfd){watched(bus->sockets[i]), POLLIN, 0};
	return used;
}

/* Milliseconds until the deadline, or until something of the bus' own is due;
 * -1: neither. */
static int pause_of(const struct bus *bus, time_ms now, time_ms deadline)
{
	for (size_t i = 0; i < bus->socket_count; i++) {
		const struct bus_socket *socket = bus->sockets[i];
		if (socket->monitor == NULL || socket->link == BUS_LINK_UP)
			continue;
		if (socket->retry_at < deadline)
			deadline = socket->retry_at;
	}
	if (deadline == INT64_MAX)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now < INT_MAX ? (int)(deadline - now) : INT_MAX;
}

/* Answer handshakes, take in subscriptions and what became of links, mend them.
 * signalled: as poll_set has them, from the handler on. True when the state of
 * a link has changed since this was last said. */
static bool serve(struct bus *bus, const struct pollfd *signalled, time_ms now)
{
	bool changed = false;

	if (signalled->revents != 0 || bus->zap_waits)
		bus->zap_waits = zap_serve(bus->zap, &bus->policy, &bus->stats);
	for (size_t i = 0; i < bus->socket_count; i++) {
		struct bus_socket *socket = bus->sockets[i];
		signalled++;
		if (socket->kind == BUS_PUBLISH && signalled->revents != 0)
			heard_update(socket);
		if (socket->monitor == NULL)
			continue;
		if (signalled->revents != 0)
			link_update(socket);
		link_mend(socket, now);
		changed |= socket->link != socket->link_said;
		socket->link_said = socket->link;
	}
	return changed;
}

/* Which sockets can be read: those that were not idle, or are signalled. */
static bool find_ready(struct bus_socket *const *sockets, bool *ready,
	size_t count, const struct pollfd *signalled)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct bus_socket *socket = sockets[i];
		ready[i] = (!socket->idle || signalled[i].revents != 0) &&
			   can_read(socket);
		any |= ready[i];
	}
	return any;
}

static bool all_idle(
	const struct bus *bus, struct bus_socket *const *sockets, size_t count)
{
	if (bus->zap_waits)
		return false;
	for (size_t i = 0; i < bus->socket_count; i++) {
		struct bus_socket *socket = bus->sockets[i];
		if (socket->kind == BUS_PUBLISH && !socket->idle)
			heard_update(socket);
	}
	for (size_t i = 0; i < count; i++) {
		if (!sockets[i]->idle && can_read(sockets[i]))
			return false;
	}
	return true;
}

bool bus_wait(struct bus *bus, struct bus_socket *const *sockets, bool *ready,
	size_t count, int fd, bool *fd_ready, time_ms timeout_ms)
{
	struct pollfd items[POLL_MAX];
	time_ms now = clock_monotonic();
	time_ms deadline = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;

	CHECK(count <= BUS_SOCKETS_MAX);
	for (;;) {
		nfds_t used = poll_set(items, bus, sockets, count, fd);
		bool idle = all_idle(bus, sockets, count);
		int rc = poll(
			items, used, idle ? pause_of(bus, now, deadline) : 0);
		bool woken = rc < 0;
		CHECK(rc >= 0 || errno == EINTR);
		for (size_t i = 0; rc < 0 && i < used; i++)
			items[i].revents = 0;

		now = clock_monotonic();
		woken |= find_ready(sockets, ready, count, items);
		if (fd >= 0) {
			*fd_ready = items[count].revents != 0;
			woken |= *fd_ready;
		}
		woken |= serve(bus, &items[count + 1], now);
		if (woken)
			return true;
		if (now >= deadline)
			return false;
	}
}

enum err bus_receive_wait(struct bus_socket *socket, struct bus_message *out)
{
	enum err err;

	CHECK(socket->kind == BUS_PAIR);
	while ((err = bus_receive(socket, out)) == ERR_TIMEOUT) {
		struct pollfd item = {socket->fd, POLLIN, 0};
		int rc = poll(&item, 1, -1);
		CHECK(rc >= 0 || errno == EINTR);
	}
	return err;
}
