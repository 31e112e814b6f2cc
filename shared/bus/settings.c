/* bus/settings.c -- every socket setting, in one table.
 *
 * libzmq's defaults trust the peer: frames of any length, queues for peers that
 * do not exist, thirty seconds for a handshake, for ever for a dead connection.
 * Each value here stands against one of these, is set before bind or connect,
 * and is read back.
 */
#include "bus/internal.h"

#include <string.h>

#include "base/check.h"

/* On the wire CURVE adds 33 bytes to a frame ("MESSAGE" and its length, nonce,
 * flags, MAC); a frame of BUS_FRAME_MAX must pass and one byte more not. */
enum { CURVE_OVERHEAD = 33, WIRE_MAX = BUS_FRAME_MAX + CURVE_OVERHEAD };

/* Debian's library knows it, but its header shows it with draft features only;
 * the read-back proves it. */
#ifdef ZMQ_ZAP_ENFORCE_DOMAIN
enum { ZAP_ENFORCE_DOMAIN = ZMQ_ZAP_ENFORCE_DOMAIN };
#else
enum { ZAP_ENFORCE_DOMAIN = 93 };
#endif

enum type { INT32, INT64, INT32_WRITE_ONLY };

struct setting {
	int option;
	enum type type;
	int64_t values[BUS_KINDS]; /* by enum bus_kind */
};

/* clang-format off */
#define NONE INT64_MIN /* has no meaning for this kind */
#define NETWORK(v) {v, v, v, v, v, v, NONE}
#define SERVERS(v) {v, NONE, v, NONE, v, NONE, NONE}
#define CLIENTS(v) {NONE, v, NONE, v, NONE, v, NONE}
#define ROUTERS(v) {v, NONE, v, NONE, NONE, NONE, NONE}
#define DEALERS(v) {NONE, v, NONE, v, NONE, NONE, NONE}

/* A publisher hears nothing but the handshake and subscriptions: 512 is enough,
 * and keeps long topics from filling its memory. The timeouts of 0 make a call
 * that forgot ZMQ_DONTWAIT harmless. Pairs hold all that a worker may have
 * under way; they reach no further than this process. Only the last words of a
 * server are worth waiting for. Columns: request server and client, peer server
 * and client, publish, subscribe, pair. */
static const struct setting settings[] = {
	{ZMQ_MAXMSGSIZE, INT64, {WIRE_MAX, WIRE_MAX, WIRE_MAX, WIRE_MAX,
		512, WIRE_MAX, NONE}},
	{ZMQ_SNDHWM, INT32, {1000, 1000, 1000, 1000, 1000, 1000, 8192}},
	{ZMQ_RCVHWM, INT32, {1000, 1000, 1000, 1000, 1000, 1000, 8192}},
	{ZMQ_SNDTIMEO, INT32, {0, 0, 0, 0, 0, 0, 0}},
	{ZMQ_RCVTIMEO, INT32, {0, 0, 0, 0, 0, 0, 0}},
	{ZMQ_LINGER, INT32, {1000, 0, 1000, 0, 1000, 0, 0}},
	{ZMQ_HANDSHAKE_IVL, INT32, NETWORK(1000)},
	{ZMQ_HEARTBEAT_IVL, INT32, NETWORK(2000)},
	{ZMQ_HEARTBEAT_TIMEOUT, INT32, NETWORK(6000)},
	{ZMQ_HEARTBEAT_TTL, INT32, NETWORK(6000)},
	{ZMQ_TCP_MAXRT, INT32, NETWORK(10000)},
	{ZMQ_BACKLOG, INT32, SERVERS(512)},
	{ZAP_ENFORCE_DOMAIN, INT32, SERVERS(1)},
	{ZMQ_CURVE_SERVER, INT32, SERVERS(1)},
	{ZMQ_CONNECT_TIMEOUT, INT32, CLIENTS(3000)},
	{ZMQ_RECONNECT_IVL, INT32, CLIENTS(200)},
	{ZMQ_RECONNECT_IVL_MAX, INT32,
		{NONE, 5000, NONE, 1000, NONE, 5000, NONE}},
	{ZMQ_IMMEDIATE, INT32, DEALERS(1)},
	{ZMQ_ROUTER_MANDATORY, INT32_WRITE_ONLY, ROUTERS(1)},
	{ZMQ_ROUTER_HANDOVER, INT32_WRITE_ONLY, ROUTERS(0)},
};
/* clang-format on */

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static int zmq_type(enum bus_kind kind)
{
	switch (kind) {
	case BUS_REQUEST_SERVER:
	case BUS_PEER_SERVER:
		return ZMQ_ROUTER;
	case BUS_REQUEST_CLIENT:
	case BUS_PEER_CLIENT:
		return ZMQ_DEALER;
	case BUS_PUBLISH:
		return ZMQ_XPUB;
	case BUS_SUBSCRIBE:
		return ZMQ_SUB;
	case BUS_PAIR:
		break;
	}
	return ZMQ_PAIR;
}

static void apply(void *socket, const struct setting *setting, int64_t value)
{
	int narrow = (int)value;
	size_t size = sizeof(value);
	int rc;

	if (setting->type == INT64) {
		int64_t back = -1;
		rc = zmq_setsockopt(socket, setting->option, &value, size);
		CHECK(rc == 0);
		rc = zmq_getsockopt(socket, setting->option, &back, &size);
		CHECK(rc == 0 && back == value);
		return;
	}
	size = sizeof(narrow);
	rc = zmq_setsockopt(socket, setting->option, &narrow, size);
	CHECK(rc == 0);
	if (setting->type == INT32) {
		int back = -1;
		rc = zmq_getsockopt(socket, setting->option, &back, &size);
		CHECK(rc == 0 && back == narrow);
	}
}

static void apply_bytes(
	void *socket, int option, const void *value, size_t value_size)
{
	uint8_t back[64];
	size_t size = sizeof(back);
	int rc = zmq_setsockopt(socket, option, value, value_size);
	CHECK(rc == 0);
	/* A text comes back with its NUL, keys as they are; 32 asks for the
	 * raw bytes of a key. */
	if (value_size == KEY_SIZE)
		size = KEY_SIZE;
	rc = zmq_getsockopt(socket, option, back, &size);
	CHECK(rc == 0 && size >= value_size);
	CHECK(memcmp(back, value, value_size) == 0);
}

static void apply_curve(void *socket, const struct bus *bus, enum bus_kind kind,
	const uint8_t *server_curve)
{
	const char *domain = zap_domain(kind);
	int mechanism = -1;
	size_t size = sizeof(mechanism);

	apply_bytes(
		socket, ZMQ_CURVE_PUBLICKEY, bus->curve.public_key, KEY_SIZE);
	apply_bytes(
		socket, ZMQ_CURVE_SECRETKEY, bus->curve.secret_key, KEY_SIZE);
	if (server_curve != NULL) {
		CHECK(domain == NULL);
		apply_bytes(
			socket, ZMQ_CURVE_SERVERKEY, server_curve, KEY_SIZE);
	} else {
		CHECK(domain != NULL);
		apply_bytes(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
	}
	int rc = zmq_getsockopt(socket, ZMQ_MECHANISM, &mechanism, &size);
	CHECK(rc == 0 && mechanism == ZMQ_CURVE);
}

void *settings_socket(
	const struct bus *bus, enum bus_kind kind, const uint8_t *server_curve)
{
	void *socket = zmq_socket(bus->context, zmq_type(kind));
	if (socket == NULL)
		return NULL; /* no file descriptor left */
	for (size_t i = 0; i < SETTINGS; i++) {
		int64_t value = settings[i].values[kind];
		if (value != NONE)
			apply(socket, &settings[i], value);
	}
	if (kind != BUS_PAIR)
		apply_curve(socket, bus, kind, server_curve);
	return socket;
}

int settings_fd(void *socket)
{
	int fd = -1;
	size_t size = sizeof(fd);
	int rc = zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
	CHECK(rc == 0);
	return fd;
}

time_ms settings_reconnect_max(enum bus_kind kind)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].option == ZMQ_RECONNECT_IVL_MAX)
			return settings[i].values[kind];
	}
	CHECK(false); /* the row is there */
}
