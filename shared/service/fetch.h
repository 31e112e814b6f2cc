/* service/fetch.h -- a snapshot from a peer, chunk by chunk.
 *
 * On the peer's request channel, as any client would, so that a long fetch
 * never stands in the way of the engine's messages. What comes is believed only
 * when the state's root is the one in the block's header.
 */
#ifndef PERCH_SERVICE_FETCH_H
#define PERCH_SERVICE_FETCH_H

#include "bus/bus.h"
#include "ledger/block.h"

enum { FETCH_TIMEOUT_MS = 5000, FETCH_BYTES_MAX = 256 << 20 };

struct fetch {
	bool active;
	uint64_t task; /* the engine's */
	uint8_t chain;
	uint64_t height;
	struct bus_socket *socket;
	uint64_t request; /* number of the last chunk asked for */
	time_ms deadline;
	size_t total, got;
	uint8_t *bytes;
	size_t header_size;
	uint8_t header[400];
	struct signature signature;
};

/* Ask for the first chunk. A fetch under way is given up. */
MUST_CHECK enum err fetch_start(struct fetch *fetch, struct bus *bus,
	const struct keypair *self, const struct hash *network,
	const char *endpoint, const struct key *peer, uint8_t chain,
	uint64_t task, uint64_t height, time_ms now);

/* Take what arrived. ERR_OK: complete, bytes and header are there; ERR_BUSY:
 * more to come; anything else: given up. */
MUST_CHECK enum err fetch_work(struct fetch *fetch, const struct keypair *self,
	const struct hash *network, time_ms now);
void fetch_stop(struct fetch *fetch, struct bus *bus);

#endif
