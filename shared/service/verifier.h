/* service/verifier.h -- signatures, in batches, behind worker threads, and the
 * memory of those that were verified: never the same bytes twice.
 *
 * They are most of what a transaction costs, so two threads check them; jobs
 * are dealt out in turn and taken back in turn, which keeps their order.
 */
#ifndef PERCH_SERVICE_VERIFIER_H
#define PERCH_SERVICE_VERIFIER_H

#include "ledger/block.h"
#include "service/worker.h"

enum { VERIFY_ITEMS_MAX = 128, VERIFY_BYTES_MAX = 128 * 1024 };
enum { VERIFIER_THREADS = 2 };

/* One signature to check, and whose it is for the one who asked. */
struct verify_item {
	bool is_block;
	bool valid;        /* out */
	bool local;        /* of a transaction: a client's of this node */
	uint64_t token;    /* the asker's own */
	struct tx_view tx; /* of a transaction; views into the job's bytes */
	struct block_ref block; /* of a block */
};

struct verify_job {
	uint64_t task; /* the engine's SAVE that waits for it; 0: mempool */
	struct hash network;
	size_t count;
	size_t used;
	struct verify_item items[VERIFY_ITEMS_MAX];
	uint8_t bytes[VERIFY_BYTES_MAX];
};

struct verify_job *verify_job_new(const struct hash *network, uint64_t task);
/* Copy a transaction (or a block's header and signature) in. ERR_FULL: start
 * another job. Otherwise as tx_open and block_open_header. */
MUST_CHECK enum err verify_job_add_tx(
	struct verify_job *job, struct view bytes, uint64_t token, bool local);
MUST_CHECK enum err verify_job_add_block(
	struct verify_job *job, const struct block_ref *block);
/* Do it here and now: cheaper than a thread's wake-up for one or two. */
void verify_job_run(struct verify_job *job);

/* Zeroed: not started. */
struct verifier {
	struct worker *workers[VERIFIER_THREADS];
	uint64_t given, taken;
};
MUST_CHECK enum err verifier_start(struct verifier *verifier, struct bus *bus);
/* Finishes what was given, and frees it. */
void verifier_stop(struct verifier *verifier);
/* Pass a job on. CHECKs that fewer than WORKER_JOBS_MAX are under way. */
void verifier_give(struct verifier *verifier, struct verify_job *job);
/* Jobs given and not taken back. */
size_t verifier_load(const struct verifier *verifier);
/* The job that was given first, or NULL when it is not ready. */
struct verify_job *verifier_take(struct verifier *verifier);
/* Readable when it is: another one each time, for bus_wait. */
struct bus_socket *verifier_socket(const struct verifier *verifier);

/* ---- what was verified lately ---- */

enum { VERIFIED_MAX = 1 << 16 };
struct verified {
	uint8_t tags[VERIFIED_MAX][16]; /* of the envelope's hash */
};
void verified_add(struct verified *verified, struct view envelope);
bool verified_has(const struct verified *verified, struct view envelope);

#endif
