/* bus/internal.h -- what the files of the bus share, and nobody else sees. */
#ifndef PERCH_BUS_INTERNAL_H
#define PERCH_BUS_INTERNAL_H

#include <zmq.h>

#include "bus/bus.h"
#include "bus/known.h"
#include "bus/zap.h"

/* Longer than libzmq's own pause and attempt together. */
enum { LINK_PATIENCE_MS = 10000 };

enum { BUS_KINDS = BUS_PAIR + 1, BUS_ENDPOINT_SIZE = 128 };

struct bus {
	void *context;
	void *zap;
	int zap_fd;
	bool zap_waits; /* more than one turn */
	struct curve_pair curve;
	struct known known;
	struct zap_policy policy;
	struct bus_socket *sockets[BUS_SOCKETS_MAX];
	size_t socket_count;
	uint32_t name_next; /* for inproc endpoints */
	struct bus_stats stats;
};

struct bus_socket {
	struct bus *bus;
	enum bus_kind kind;
	void *socket;
	int fd;                  /* that libzmq signals on */
	bool idle;               /* see wait.c */
	struct bus_stats *stats; /* the bus', or own for a worker's end */
	struct bus_stats own;
	zmq_msg_t parts[BUS_FRAMES_MAX]; /* of the last message received */
	size_t part_count;

	struct bus_socket *other; /* end of a pair; never looked into */

	/* Publishers and subscribers. */
	char topics[BUS_TOPICS_MAX][BUS_TOPIC_SIZE_MAX + 1];
	size_t topic_count;
	uint32_t heard[BUS_TOPICS_MAX]; /* prefixes that are subscribed to */

	/* Connecting ends only. */
	void *monitor; /* NULL elsewhere */
	int monitor_fd;
	enum bus_link link;
	enum bus_link link_said; /* by bus_wait */
	time_ms retry_at;        /* make the connection anew, unless it is up */
	struct key server;
	uint8_t server_curve[KEY_SIZE];
	char endpoint[BUS_ENDPOINT_SIZE];
};

/* A new zmq socket of this kind with every setting of the table, checked by
 * reading back, and with CURVE: server_curve NULL is a server. NULL when no
 * file descriptor is left. */
void *settings_socket(
	const struct bus *bus, enum bus_kind kind, const uint8_t *server_curve);
/* The descriptor that libzmq signals on. */
int settings_fd(void *socket);
/* The longest pause between two attempts to connect. */
time_ms settings_reconnect_max(enum bus_kind kind);

/* Connect socket->socket and watch it, in place of what was there. ERR_CONFIG,
 * ERR_IO: then what was there stays. */
MUST_CHECK enum err link_open(struct bus_socket *socket);
/* Close the watch and the socket. */
void link_close(struct bus_socket *socket);
/* Take in what became of the connection. */
void link_update(struct bus_socket *socket);
/* Make it anew when it is time. */
void link_mend(struct bus_socket *socket, time_ms now);

/* Forget the last message received. */
void message_free(struct bus_socket *socket);
/* One frame, in place of what part was; false: nothing there. */
bool part_receive(struct bus_socket *socket, zmq_msg_t *part);

/* Publishers: take in who subscribes to what. */
void heard_update(struct bus_socket *socket);

#endif
