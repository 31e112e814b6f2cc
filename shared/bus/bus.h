/* bus/bus.h -- the fabric: CURVE-encrypted ZeroMQ sockets with every setting of
 * their trap list set before bind or connect and read back.
 *
 * One thread owns all sockets of a process; worker threads are reached by
 * inproc pairs. The identity of a sender is the key that CURVE authenticated,
 * read from the payload frame's User-Id, never a field that it wrote.
 *
 * Give addresses as numbers where it matters: libzmq resolves a host name in
 * its I/O thread, and everything else waits meanwhile.
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
	BUS_PEER_SERVER,    /* ROUTER for other nodes: one frame */
	BUS_PEER_CLIENT,    /* DEALER to one node */
	BUS_PUBLISH,        /* XPUB */
	BUS_SUBSCRIBE,      /* SUB */
	BUS_PAIR,           /* inproc, to a worker thread */
};

/* The identity of this process; pair is borrowed for life. */
MUST_CHECK enum err bus_open(struct bus **out, const struct keypair *pair);
/* Closes every socket with a bounded linger. */
void bus_close(struct bus **bus);

/* Who may connect to this process' servers. admits is asked in the bus'
 * thread (in bus_wait), for each handshake, with the Ed25519 identity if the
 * CURVE key is one of the known keys (see bus_know), else NULL. Until it is
 * set, the known keys are admitted and nobody else. */
void bus_set_admission(struct bus *bus,
	bool (*admits)(
		void *context, enum bus_kind kind, const struct key *known),
	void *context);
enum { BUS_KNOWN_MAX = 65536 };
/* Make a key known, so that its connections are recognised by identity, those
 * that stand already too. ERR_KEY on a bad point, ERR_FULL. */
MUST_CHECK enum err bus_know(struct bus *bus, const struct key *key);

/* What bus_bind means by an error. */
const char *bus_bind_text(enum err err);

enum { BUS_SOCKETS_MAX = 128 };
struct bus_socket; /* opaque */
/* endpoint: tcp://host:port (port * chooses a free one; bound is filled with
 * what was bound, 128 bytes). ERR_IN_USE, ERR_CONFIG (malformed, or not an
 * address of this machine), ERR_IO, ERR_FULL. */
MUST_CHECK enum err bus_bind(struct bus *bus, struct bus_socket **out,
	enum bus_kind kind, const char *endpoint, char bound[128]);
/* server: the Ed25519 key of who is there. Connecting never blocks. */
MUST_CHECK enum err bus_connect(struct bus *bus, struct bus_socket **out,
	enum bus_kind kind, const char *endpoint, const struct key *server);
void bus_drop(struct bus *bus, struct bus_socket **socket);

/* How the connection of a connecting end stands. It is made again by itself
 * whatever happened; a refused one every second (peers) or five. */
enum bus_link {
	BUS_LINK_DOWN, /* nobody is there, or not yet */
	BUS_LINK_UP,
	BUS_LINK_REFUSED, /* the server does not admit this identity */
	BUS_LINK_STRANGE, /* it has another key, or is no Perch server */
};
enum bus_link bus_link_state(const struct bus_socket *socket);

/* inproc pair between the owner and a worker; the worker uses its end only. */
MUST_CHECK enum err bus_pair(
	struct bus *bus, struct bus_socket **owner, struct bus_socket **worker);

/* The frame limit is BUS_FRAME_MAX; a longer one cuts the connection. */
enum { BUS_FRAME_MAX = 65536, BUS_FRAMES_MAX = 4 };

struct bus_message {
	/* Authenticated. Servers: the client, if its key is known; connecting
	 * ends: the server. */
	bool has_sender;
	struct key sender;
	uint8_t route[64]; /* servers: where an answer goes */
	size_t route_size;
	size_t frame_count; /* without the route */
	/* Borrowed until the next receive on this socket. */
	struct view frames[BUS_FRAMES_MAX];
};

/* Next message without waiting: ERR_TIMEOUT when there is none. A message that
 * is dropped is counted: ERR_LENGTH, too many frames (drained) or too long a
 * route; ERR_KEY, no authenticated sender. out is then unchanged, and the next
 * message may follow. */
MUST_CHECK enum err bus_receive(
	struct bus_socket *socket, struct bus_message *out);
/* The same, but wait as long as it takes: for the worker's end of a pair. */
MUST_CHECK enum err bus_receive_wait(
	struct bus_socket *socket, struct bus_message *out);
/* Never blocks, and takes all frames or none. ERR_UNREACHABLE: no such route or
 * no connection; ERR_BUSY: the queue is full. The caller retries by request id.
 * ERR_OK means queued and nothing more: only an answer says arrived. */
MUST_CHECK enum err bus_send(
	struct bus_socket *socket, const struct view *frames, size_t count);
MUST_CHECK enum err bus_answer(struct bus_socket *socket,
	const struct bus_message *to, const struct view *frames, size_t count);
/* Topics are few and broad. */
enum { BUS_TOPICS_MAX = 8, BUS_TOPIC_SIZE_MAX = 31 };
/* Publishers: a topic that is going to be published, said right after bus_bind;
 * and whether anybody subscribed to it by the last bus_wait: what nobody hears
 * need not be made. */
void bus_announce(struct bus_socket *socket, const char *topic);
bool bus_is_heard(const struct bus_socket *socket, const char *topic);
/* Subscribers. */
void bus_subscribe(struct bus_socket *socket, const char *topic);
/* Of one that was subscribed to. What is under way still comes. */
void bus_unsubscribe(struct bus_socket *socket, const char *topic);

/* Wait until a socket or a file descriptor (-1: none) can be read, or for
 * timeout_ms (-1: no limit). ready[i] is set for each socket; the bus itself
 * answers handshakes and mends its links. Returns false when only time passed.
 * Interrupted by a signal, or when the state of a link changed: returns true,
 * none ready. */
bool bus_wait(struct bus *bus, struct bus_socket *const *sockets, bool *ready,
	size_t count, int fd, bool *fd_ready, time_ms timeout_ms);

/* What passed and what was dropped, since bus_open; workers' ends left out. */
struct bus_stats {
	uint64_t received; /* messages */
	uint64_t sent;
	uint64_t excess;  /* dropped: too many frames, or too long a route */
	uint64_t unnamed; /* dropped: no authenticated sender */
	uint64_t unreachable; /* not sent: no route or no connection */
	uint64_t busy;        /* not sent: queue full */
	uint64_t admitted;    /* handshakes */
	uint64_t refused;
};
void bus_stats_read(const struct bus *bus, struct bus_stats *out);

#endif
