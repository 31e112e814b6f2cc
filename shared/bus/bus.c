/* bus/bus.c -- opening, binding, connecting. */
#include "bus/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bus/internal.h"
#include "clock/clock.h"

enum { IO_THREADS = 1 };

/* The address that libzmq asks whom to let in; it must be there before the
 * first bind, or everybody is. */
static const char zap_address[] = "inproc://zeromq.zap.01";

enum err bus_open(struct bus **out, const struct keypair *pair)
{
	int linger = 0;
	struct bus *bus = calloc(1, sizeof(*bus));
	CHECK(bus != NULL);
	curve_from_keypair(&bus->curve, pair);
	bus->policy.known = &bus->known;
	bus->context = zmq_ctx_new();
	CHECK(bus->context != NULL);
	int rc = zmq_ctx_set(bus->context, ZMQ_IO_THREADS, IO_THREADS);
	CHECK(rc == 0);

	bus->zap = zmq_socket(bus->context, ZMQ_ROUTER);
	if (bus->zap == NULL) {
		zmq_ctx_term(bus->context);
		explicit_bzero(&bus->curve, sizeof(bus->curve));
		free(bus);
		return ERR_IO; /* no file descriptors left */
	}
	rc = zmq_setsockopt(bus->zap, ZMQ_LINGER, &linger, sizeof(linger));
	CHECK(rc == 0);
	rc = zmq_bind(bus->zap, zap_address);
	CHECK(rc == 0);
	bus->zap_fd = settings_fd(bus->zap);
	*out = bus;
	return ERR_OK;
}

static void socket_free(struct bus_socket *socket)
{
	message_free(socket);
	if (socket->monitor != NULL)
		link_close(socket);
	else if (socket->socket != NULL)
		zmq_close(socket->socket);
	free(socket);
}

void bus_close(struct bus **bus)
{
	struct bus *closed = *bus;
	int rc;

	*bus = NULL;
	if (closed == NULL)
		return;
	for (size_t i = 0; i < closed->socket_count; i++)
		socket_free(closed->sockets[i]);
	zmq_close(closed->zap);
	do {
		rc = zmq_ctx_term(closed->context);
	} while (rc != 0 && errno == EINTR);
	CHECK(rc == 0);
	known_free(&closed->known);
	explicit_bzero(&closed->curve, sizeof(closed->curve));
	free(closed);
}

void bus_set_admission(struct bus *bus,
	bool (*admits)(
		void *context, enum bus_kind kind, const struct key *known),
	void *context)
{
	bus->policy.admits = admits;
	bus->policy.context = context;
}

enum err bus_know(struct bus *bus, const struct key *key)
{
	uint8_t curve[KEY_SIZE];
	enum err err = curve_from_key(curve, key);

	return err == ERR_OK ? known_add(&bus->known, curve, key) : err;
}

void bus_stats_read(const struct bus *bus, struct bus_stats *out)
{
	*out = bus->stats;
}

static struct bus_socket *socket_new(struct bus *bus, enum bus_kind kind)
{
	struct bus_socket *socket = calloc(1, sizeof(*socket));
	CHECK(socket != NULL);
	socket->bus = bus;
	socket->kind = kind;
	socket->fd = -1;
	socket->stats = &bus->stats;
	return socket;
}

static void socket_keep(struct bus_socket *socket)
{
	struct bus *bus = socket->bus;

	CHECK(bus->socket_count < BUS_SOCKETS_MAX);
	bus->sockets[bus->socket_count++] = socket;
}

void bus_drop(struct bus *bus, struct bus_socket **socket)
{
	struct bus_socket *dropped = *socket;
	size_t i = 0;

	*socket = NULL;
	if (dropped == NULL)
		return;
	while (i < bus->socket_count && bus->sockets[i] != dropped)
		i++;
	CHECK(i < bus->socket_count);
	bus->sockets[i] = bus->sockets[--bus->socket_count];
	socket_free(dropped);
}

/* tcp://host:port. libzmq judges the host, but takes any number for a port and
 * uses its low 16 bits; so that is judged here. any: * is a port too. */
static bool endpoint_is_valid(const char *endpoint, bool any)
{
	static const char scheme[] = "tcp://";
	const char *colon = strrchr(endpoint, ':');
	size_t digits;

	if (strncmp(endpoint, scheme, strlen(scheme)) != 0 ||
		strlen(endpoint) >= BUS_ENDPOINT_SIZE ||
		colon <= endpoint + strlen(scheme))
		return false;
	if (any && strcmp(colon + 1, "*") == 0)
		return true;
	digits = strspn(colon + 1, "0123456789");
	if (digits < 1 || digits > 5 || colon[1 + digits] != '\0')
		return false;
	long port = strtol(colon + 1, NULL, 10);
	return port >= 1 && port <= 65535;
}

static enum err bind_error(int error)
{
	switch (error) {
	case EADDRINUSE:
		return ERR_IN_USE;
	case EINVAL:
	case EPROTONOSUPPORT:
	case ENODEV:
	case EADDRNOTAVAIL:
		return ERR_CONFIG;
	default:
		return ERR_IO;
	}
}

const char *bus_bind_text(enum err err)
{
	if (err == ERR_CONFIG)
		return "not tcp://ADDRESS:PORT with an IPv4 address of this "
		       "machine";
	return err_text(err);
}

enum err bus_bind(struct bus *bus, struct bus_socket **out, enum bus_kind kind,
	const char *endpoint, char bound[128])
{
	size_t size = BUS_ENDPOINT_SIZE;

	CHECK(zap_domain(kind) != NULL);
	if (!endpoint_is_valid(endpoint, true))
		return ERR_CONFIG;
	if (bus->socket_count == BUS_SOCKETS_MAX)
		return ERR_FULL;
	struct bus_socket *socket = socket_new(bus, kind);
	socket->socket = settings_socket(bus, kind, NULL);
	if (socket->socket == NULL || zmq_bind(socket->socket, endpoint) != 0) {
		enum err err = bind_error(errno);
		socket_free(socket);
		return err;
	}
	int rc =
		zmq_getsockopt(socket->socket, ZMQ_LAST_ENDPOINT, bound, &size);
	CHECK(rc == 0);
	socket->fd = settings_fd(socket->socket);
	socket_keep(socket);
	*out = socket;
	return ERR_OK;
}

enum err bus_connect(struct bus *bus, struct bus_socket **out,
	enum bus_kind kind, const char *endpoint, const struct key *server)
{
	CHECK(zap_domain(kind) == NULL && kind != BUS_PAIR);
	if (!endpoint_is_valid(endpoint, false))
		return ERR_CONFIG;
	if (bus->socket_count == BUS_SOCKETS_MAX)
		return ERR_FULL;
	struct bus_socket *socket = socket_new(bus, kind);
	socket->server = *server;
	snprintf(socket->endpoint, sizeof(socket->endpoint), "%s", endpoint);
	enum err err = curve_from_key(socket->server_curve, server);
	if (err == ERR_OK)
		err = link_open(socket);
	if (err != ERR_OK) {
		socket_free(socket);
		return err;
	}
	socket->retry_at = clock_monotonic() + LINK_PATIENCE_MS;
	socket_keep(socket);
	*out = socket;
	return ERR_OK;
}

enum err bus_pair(
	struct bus *bus, struct bus_socket **owner, struct bus_socket **worker)
{
	char name[48];

	if (bus->socket_count + 2 > BUS_SOCKETS_MAX)
		return ERR_FULL;
	struct bus_socket *here = socket_new(bus, BUS_PAIR);
	struct bus_socket *there = socket_new(bus, BUS_PAIR);
	there->stats = &there->own; /* counted in its own thread */
	there->other = here;
	here->other = there;
	here->socket = settings_socket(bus, BUS_PAIR, NULL);
	there->socket = settings_socket(bus, BUS_PAIR, NULL);
	if (here->socket == NULL || there->socket == NULL) {
		socket_free(here);
		socket_free(there);
		return ERR_IO; /* no file descriptor left */
	}
	snprintf(name, sizeof(name), "inproc://pair-%u", bus->name_next++);
	int rc = zmq_bind(here->socket, name);
	CHECK(rc == 0);
	rc = zmq_connect(there->socket, name);
	CHECK(rc == 0);
	here->fd = settings_fd(here->socket);
	there->fd = settings_fd(there->socket);
	socket_keep(here);
	socket_keep(there);
	*owner = here;
	*worker = there;
	return ERR_OK;
}

void bus_subscribe(struct bus_socket *socket, const char *topic)
{
	CHECK(socket->kind == BUS_SUBSCRIBE);
	CHECK(socket->topic_count < BUS_TOPICS_MAX);
	CHECK(strlen(topic) <= BUS_TOPIC_SIZE_MAX);
	int rc = zmq_setsockopt(
		socket->socket, ZMQ_SUBSCRIBE, topic, strlen(topic));
	CHECK(rc == 0);
	socket->idle = false;
	snprintf(socket->topics[socket->topic_count++],
		sizeof(socket->topics[0]), "%s", topic);
}

void bus_unsubscribe(struct bus_socket *socket, const char *topic)
{
	size_t at = 0;
	while (at < socket->topic_count &&
		strcmp(socket->topics[at], topic) != 0)
		at++;
	CHECK(at < socket->topic_count);
	int rc = zmq_setsockopt(
		socket->socket, ZMQ_UNSUBSCRIBE, topic, strlen(topic));
	CHECK(rc == 0);
	socket->topic_count--;
	if (at < socket->topic_count)
		memcpy(socket->topics[at], socket->topics[socket->topic_count],
			sizeof(socket->topics[0]));
}
