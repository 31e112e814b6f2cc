/* service/driver.h -- carries out a replica's outputs in the real world.
 *
 * Owns the log, the workers and the links to the other members. The path of a
 * transaction: frame, bounded decode, signature (in batches), mempool, engine,
 * block, log (group commit), contract, and out to whoever waits.
 */
#ifndef PERCH_SERVICE_DRIVER_H
#define PERCH_SERVICE_DRIVER_H

#include "bus/bus.h"
#include "consensus/replica.h"
#include "gen/request.h"
#include "service/links.h"
#include "service/miner.h"
#include "store/store.h"

struct driver; /* opaque */

struct driver_config {
	const struct engine_ops *engine;
	const struct genesis *genesis; /* borrowed for life */
	const struct keypair *self;    /* borrowed for life */
	struct bus *bus;               /* borrowed for life */
	const char *directory;
	const char *peer_endpoint; /* to bind */
	/* Where the other members are; borrowed for life, and closed by whoever
	 * opened it. Not needed by who has an elder. */
	struct finder *finder;
	/* The driver of another chain in this process, on whose sockets and
	 * links this one speaks, too; it must outlive it. NULL: its own. */
	struct driver *elder;
	bool mesh;
	/* For an engine that mines. */
	enum replica_mine mine;
	size_t miners; /* threads, at most MINER_THREADS_MAX */
	time_ms election_ms, heartbeat_ms, skew_ms;
	/* Of the log: at least so many, at most twice; 0: all, for ever. */
	uint64_t keep_blocks;
	/* Nothing new is taken when so much of the disk is used; 0: never. */
	int disk_percent;
	/* Called for ORDERED, REVERTED, FINAL, READY, MEMBERS, CERTIFIED (no
	 * bytes: it cannot be had), EVIDENCE and HALT, in the driver's thread;
	 * must not call the driver back. */
	void (*on_output)(void *context, const struct output *output);
	/* What became of a transaction given with driver_submit: ERR_OK, it
	 * waits for its block; ERR_EXISTS, it is known; else it is refused. */
	void (*on_verdict)(void *context, uint64_t token,
		const struct tx_view *tx, enum err verdict);
	/* What driver_keep_received was given is durable. */
	void (*on_received)(void *context, uint64_t token);
	void *context;
};

/* Open the store, replay it, start the workers, bind. why: 300 bytes. */
MUST_CHECK enum err driver_open(
	struct driver **out, const struct driver_config *config, char why[300]);
void driver_close(struct driver **driver);

/* Begin to take part. */
void driver_start(struct driver *driver);

/* Sockets to wait on, and how long at most. Returns how many. */
enum { DRIVER_SOCKETS_MAX = 8 + MINER_THREADS_MAX };
size_t driver_sockets(const struct driver *driver,
	struct bus_socket *sockets[DRIVER_SOCKETS_MAX]);
time_ms driver_timeout(const struct driver *driver);

/* Do what is ready, a bounded amount; true when more is waiting already. */
bool driver_work(struct driver *driver);

/* A client's transaction, as bytes: its verdict comes later, or at once when it
 * does not decode or there is no room on the disk (the return value, ERR_DISK).
 * token is not 0. */
MUST_CHECK enum err driver_submit(
	struct driver *driver, struct view tx, uint64_t token);
/* Check what gathered, build, send: once after a round of driver_work and of
 * requests. */
void driver_flush(struct driver *driver);

/* Keep a transaction that waits, so that it outlives a crash of this node. */
void driver_keep_received(
	struct driver *driver, struct view tx, uint64_t token);

/* Confirm that what is final here is not old: answered by OUTPUT_READY. */
void driver_read(struct driver *driver, uint64_t task);
/* Hand leadership over, before going away. */
void driver_transfer(struct driver *driver);

/* Gather the certificate of a final block: OUTPUT_CERTIFIED comes, maybe before
 * this returns. ERR_BEHIND: it is not final here; ERR_NOT_FOUND: not known any
 * more; ERR_BUSY. */
MUST_CHECK enum err driver_certify(struct driver *driver, uint64_t height);
/* One that is kept. */
bool driver_certificate(struct driver *driver, uint64_t height,
	uint8_t out[CERTIFICATE_BYTES_MAX], size_t *size);
/* The newest height of which this node has seen one since it started. */
uint64_t driver_newest_certified(const struct driver *driver);

/* Whether miners may search now; at first they may. */
void driver_let_mine(struct driver *driver, bool allowed);
/* What only some engines have, by names that live for ever; how many. */
enum { DRIVER_NUMBERS_MAX = 13 };
size_t driver_numbers(
	struct driver *driver, struct named_number out[DRIVER_NUMBERS_MAX]);

/* A final or recent block's bytes, copied to out[BLOCK_BYTES_MAX]. */
MUST_CHECK enum err driver_block(
	struct driver *driver, uint64_t height, uint8_t *out, size_t *size);
uint64_t driver_first_height(const struct driver *driver);
const struct replica *driver_replica(const struct driver *driver);
struct links *driver_links(struct driver *driver);
/* Who the members are, where they are reached, and whether they are up. */
void driver_peers(struct driver *driver, struct peers *out);
struct index *driver_index(struct driver *driver);

#endif
