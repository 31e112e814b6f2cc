/* service/beacon.h -- members on the same local network hear each other.
 *
 * A UDP broadcast a second says: in this network, the one with this key listens
 * on this port. Anybody can send one, so it is a hint like any other; it costs
 * nothing to be wrong. czmq's zbeacon does the work, in a thread and a context
 * of its own, and is only begun when somebody asks for it.
 */
#ifndef PERCH_SERVICE_BEACON_H
#define PERCH_SERVICE_BEACON_H

#include "base/err.h"
#include "base/view.h"
#include "service/book.h"

enum { BEACON_MS = 1000 };

struct beacon; /* opaque */

/* interface: NULL is the first that can broadcast. listens: this node's port
 * for others. ERR_UNREACHABLE: no such interface (yet); it is tried again with
 * every beacon. */
MUST_CHECK enum err beacon_open(struct beacon **out, uint16_t udp_port,
	const char *interface, const struct hash *network,
	const struct key *self, uint16_t listens);
void beacon_close(struct beacon **beacon);

/* The next one that was heard, without waiting. */
bool beacon_take(struct beacon *beacon, struct key *key,
	char endpoint[BOOK_ENDPOINT_SIZE]);

/* Before the process ends, after everything else: end czmq's context. */
void beacon_end(void);

#endif
