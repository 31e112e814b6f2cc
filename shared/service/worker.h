/* service/worker.h -- a thread that is reached by messages only.
 *
 * The owner gives jobs (pointers whose ownership passes) and takes them back
 * done. A worker runs whatever has gathered as one batch: that is what makes a
 * group commit, and a batch of signatures.
 */
#ifndef PERCH_SERVICE_WORKER_H
#define PERCH_SERVICE_WORKER_H

#include "bus/bus.h"

enum { WORKER_BATCH_MAX = 64, WORKER_JOBS_MAX = 4096 };

struct worker; /* opaque */

/* run is called in the worker's thread with 1..WORKER_BATCH_MAX jobs, in the
 * order they were given. */
MUST_CHECK enum err worker_start(struct worker **out, struct bus *bus,
	void (*run)(void *context, void *const *jobs, size_t count),
	void *context);

/* Pass a job on. CHECKs that fewer than WORKER_JOBS_MAX are under way: the
 * owner looks at worker_load first. */
void worker_give(struct worker *worker, void *job);

/* Jobs given and not taken back. */
size_t worker_load(const struct worker *worker);

/* A finished job, in order, or NULL when none is ready. */
void *worker_take(struct worker *worker);

/* Readable when a job is finished; for bus_wait. */
struct bus_socket *worker_socket(const struct worker *worker);

/* Finish what was given and end the thread. Jobs not taken back go to on_left,
 * which frees them. A thread that has not ended in 30 s ends the process. */
void worker_stop(struct worker **worker, void (*on_left)(void *job));

#endif
