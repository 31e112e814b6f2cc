/* service/miner.h -- the threads of a node that search for nonces.
 *
 * Each has one job at most: its owner says what is wanted, a thread that is at
 * something else sees so within a slice (search.h) and hands its job back, and
 * is then given the new one. So nothing gathers, however fast chains change.
 */
#ifndef PERCH_SERVICE_MINER_H
#define PERCH_SERVICE_MINER_H

#include "service/search.h"
#include "service/worker.h"

enum { MINER_THREADS_MAX = 16 };

struct miner; /* opaque */

struct miner_found {
	uint64_t task;
	uint64_t extra;
	uint32_t nonce;
};

/* The threads yield to everything else on this machine. random: the seed of
 * where each begins to search. seal: as in struct search. */
MUST_CHECK enum err miner_start(struct miner **out, struct bus *bus,
	size_t threads, uint64_t random,
	void (*seal)(uint8_t seal[SEAL_SIZE], struct view header, size_t field,
		uint64_t extra));
/* Stop searching and end the threads. */
void miner_stop(struct miner **miner);

/* Search for this header (at most SEARCH_HEADER_MAX bytes, copied) instead of
 * the one before. */
void miner_seek(struct miner *miner, uint64_t task, struct view header,
	size_t field, const uint8_t target[32]);
/* Search for nothing. */
void miner_rest(struct miner *miner);
/* Rest for a while: what is wanted then is searched for afterwards. */
void miner_pause(struct miner *miner, bool paused);

/* Take back what threads are done with, and keep them busy. True: out has an
 * answer; call again. Answers to what is not wanted any more are not given. */
bool miner_take(struct miner *miner, struct miner_found *out);

/* Readable when there is something to take; returns how many. */
size_t miner_sockets(const struct miner *miner,
	struct bus_socket *sockets[MINER_THREADS_MAX]);

/* Threads with a job that was not taken back. */
size_t miner_busy(const struct miner *miner);

/* Hashes since the start, and a second: of the last second or more that has
 * passed between two calls. */
uint64_t miner_hashes(const struct miner *miner);
uint64_t miner_rate(struct miner *miner, time_ms now);

#endif
