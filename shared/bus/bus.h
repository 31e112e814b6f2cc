/* bus/bus.h -- the fabric: CURVE-encrypted ZeroMQ sockets with every setting of
 * their trap list set before bind or connect and read back.
 *
 * One thread owns all sockets of a process; worker threads are reached by
 * inproc pairs. The identity of a sender is the key that CURVE authenticated,
 * read from the payload frame's User-Id, never a field that it wrote.
 */
#ifndef PERCH_BUS_BUS_H
#define PERCH_BUS_BUS_H

#include "base/err.h"
#include "base/view.h"
#include "crypto/crypto.h"

struct bus; /* opaque: one context, one identity, the ZAP handler */

enum bus_kind {
	BUS_REQUEST_SERVER, /* ROUTER for clients: frames [id, envelope] */
	BUS_REQUEST_CLIENT, /* DEALER to one server */
	BUS_PEER_SERVER, /* ROUTER for other nodes: one frame */
	BUS_PEER_CLIENT, /* DEALER to one node */
	BUS_PUBLISH, /* PUB */
	BUS_SUBSCRIBE, /* SUB */
	BUS_PAIR, /* inproc, to a worker thread */
};

/* The identity of this process; pair is borrowed for life. */
MUST_CHECK enum err bus_open(struct bus **out, const struct keypair *pair);
/* Closes every socket with a bounded linger. */
void bus_close(struct bus **bus);

/* Who may connect to this process' servers. admits is asked in the bus'
 * thread, for each handshake, with the Ed25519 identity if the CURVE key is
 * one of the known keys (see bus_know), else NULL. */
void bus_set_admission(struct bus *bus,
	bool (*admits)(void *context, enum bus_kind kind,
		const struct key *known),
	void *context);
/* Make a key known, so that its connections are recognised by identity. */
MUST_CHECK enum err bus_know(struct bus *bus, const struct key *key);

/* endpoint: tcp://host:port (port * chooses a free one; bound is filled with
 * what was bound, 128 bytes). ERR_IN_USE, ERR_CONFIG (malformed), ERR_IO. */
struct bus_socket; /* opaque */
MUST_CHECK enum err bus_bind(struct bus *bus, struct bus_socket **out,
	enum bus_kind kind, const char *endpoint, char bound[128]);
/* server: the Ed25519 key of who is there. Connecting never blocks. */
MUST_CHECK enum err bus_connect(struct bus *bus, struct bus_socket **out,
	enum bus_kind kind, const char *endpoint, const struct key *server);
void bus_drop(struct bus *bus, struct bus_socket **socket);
/* inproc pair between the owner and a worker; the worker uses its end only. */
MUST_CHECK enum err bus_pair(struct bus *bus, struct bus_socket **owner,
	struct bus_socket **worker);

/* The frame limit is BUS_FRAME_MAX; a longer one cuts the connection. */
enum { BUS_FRAME_MAX = 65536, BUS_FRAMES_MAX = 4 };

struct bus_message {
	bool has_sender;
	struct key sender; /* authenticated; servers only */
	uint8_t route[64]; /* servers: where an answer goes */
	size_t route_size;
	size_t frame_count; /* without the route */
	struct view frames[BUS_FRAMES_MAX]; /* borrowed until the next receive */
};

/* Next message without waiting: ERR_TIMEOUT when there is none. Messages with
 * too many frames are drained and counted (ERR_LENGTH). */
MUST_CHECK enum err bus_receive(struct bus_socket *socket,
	struct bus_message *out);
/* The same, but wait as long as it takes: for the worker's end of a pair. */
MUST_CHECK enum err bus_receive_wait(struct bus_socket *socket,
	struct bus_message *out);
/* Never blocks. ERR_UNREACHABLE: no such route or no connection; ERR_BUSY: the
 * queue is full. The caller counts and retries by request id. */
MUST_CHECK enum err bus_send(struct bus_socket *socket,
	const struct view *frames, size_t count);
MUST_CHECK enum err bus_answer(struct bus_socket *socket,
	const struct bus_message *to, const struct view *frames, size_t count);
/* SUB: topics are few and broad. */
void bus_subscribe(struct bus_socket *socket, const char *topic);

/* Wait until a socket, a file descriptor (-1: none) or the deadline is ready.
 * ready[i] is set for each socket; the bus serves ZAP itself. Returns false
 * when only time passed. Interrupted by signals: returns true, none ready. */
bool bus_wait(struct bus *bus, struct bus_socket *const *sockets, bool *ready,
	size_t count, int fd, bool *fd_ready, time_ms timeout_ms);

#endif
