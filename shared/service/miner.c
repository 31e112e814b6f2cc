/* service/miner.c -- workers whose job is a search. */
#include "service/miner.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/random.h"

enum { RATE_MS = 1000 };

/* A worker's context, in its thread. */
struct thread {
	struct search *search;
	bool has_yielded;
	struct worker *worker;
	uint64_t given; /* round of the last job */
};

struct miner {
	struct search search;
	struct random random;
	bool seeking; /* something is wanted */
	bool paused;
	struct search_job wanted;
	time_ms rate_at; /* of rate_hashes; 0: never */
	uint64_t rate_hashes, rate;
	size_t count;
	struct thread threads[MINER_THREADS_MAX];
};

/* Whatever else wants this CPU gets it: a node that mines must order, verify
 * and answer as one that does not. Refused in some containers; then the search
 * competes, and is right all the same. */
static void yield_to_others(void)
{
	static const struct sched_param none;
	if (sched_setscheduler(0, SCHED_IDLE, &none) != 0)
		(void)setpriority(PRIO_PROCESS, 0, 19); /* of this thread */
}

static void run(void *context, void *const *jobs, size_t count)
{
	struct thread *thread = context;
	if (!thread->has_yielded)
		yield_to_others();
	thread->has_yielded = true;
	for (size_t i = 0; i < count; i++)
		search_run(thread->search, jobs[i]);
}

enum err miner_start(struct miner **out, struct bus *bus, size_t threads,
	uint64_t random,
	void (*seal)(uint8_t seal[SEAL_SIZE], struct view header, size_t field,
		uint64_t extra))
{
	struct miner *miner = calloc(1, sizeof(*miner));
	enum err err = ERR_OK;
	CHECK(miner != NULL && threads <= MINER_THREADS_MAX);
	random_seed(&miner->random, random);
	miner->search.seal = seal;
	while (err == ERR_OK && miner->count < threads) {
		struct thread *thread = &miner->threads[miner->count];
		thread->search = &miner->search;
		err = worker_start(&thread->worker, bus, run, thread);
		miner->count += err == ERR_OK;
	}
	if (err == ERR_OK)
		*out = miner;
	else
		miner_stop(&miner);
	return err;
}

void miner_stop(struct miner **stopped)
{
	struct miner *miner = *stopped;
	*stopped = NULL;
	if (miner == NULL)
		return;
	miner_rest(miner);
	for (size_t i = 0; i < miner->count; i++)
		worker_stop(&miner->threads[i].worker, free);
	free(miner);
}

/*~ Two threads of a node, and two nodes, must not try the same: a header names
 * its proposer, so nodes differ by that, and each thread begins at an extra and
 * a nonce of its own, drawn from 2^96.
 */
static void give(struct miner *miner, struct thread *thread)
{
	if (!miner->seeking || miner->paused ||
		thread->given == miner->wanted.round ||
		worker_load(thread->worker) > 0)
		return;
	struct search_job *job = malloc(sizeof(*job));
	CHECK(job != NULL);
	*job = miner->wanted;
	job->extra = random_next(&miner->random);
	job->nonce = (uint32_t)random_next(&miner->random);
	thread->given = job->round;
	worker_give(thread->worker, job);
}

static void give_all(struct miner *miner)
{
	for (size_t i = 0; i < miner->count; i++)
		give(miner, &miner->threads[i]);
}

/* From now on every thread is at something that is not wanted. */
static void begin_round(struct miner *miner, bool seeking)
{
	miner->seeking = seeking;
	miner->wanted.round++;
	atomic_store(&miner->search.round, miner->wanted.round);
}

void miner_seek(struct miner *miner, uint64_t task, struct view header,
	size_t field, const uint8_t target[32])
{
	struct search_job *wanted = &miner->wanted;
	CHECK(header.size <= SEARCH_HEADER_MAX && field < header.size);
	begin_round(miner, true);
	wanted->task = task;
	wanted->field = field;
	memcpy(wanted->target, target, sizeof(wanted->target));
	memcpy(wanted->header, header.data, header.size);
	wanted->header_size = header.size;
	give_all(miner);
}

void miner_rest(struct miner *miner)
{
	begin_round(miner, false);
}

void miner_pause(struct miner *miner, bool paused)
{
	if (paused == miner->paused)
		return;
	miner->paused = paused;
	begin_round(miner, miner->seeking);
	give_all(miner);
}

static bool take_one(
	struct miner *miner, struct thread *thread, struct miner_found *out)
{
	struct search_job *job = worker_take(thread->worker);
	if (job == NULL)
		return false;
	bool found = job->found && miner->seeking &&
		     job->round == miner->wanted.round;
	if (found)
		*out = (struct miner_found){
			.task = job->task,
			.extra = job->extra,
			.nonce = job->nonce,
		};
	free(job);
	return found;
}

bool miner_take(struct miner *miner, struct miner_found *out)
{
	bool found = false;
	for (size_t i = 0; i < miner->count && !found; i++)
		found = take_one(miner, &miner->threads[i], out);
	give_all(miner);
	return found;
}

size_t miner_sockets(const struct miner *miner,
	struct bus_socket *sockets[MINER_THREADS_MAX])
{
	for (size_t i = 0; i < miner->count; i++)
		sockets[i] = worker_socket(miner->threads[i].worker);
	return miner->count;
}

size_t miner_busy(const struct miner *miner)
{
	size_t busy = 0;
	for (size_t i = 0; i < miner->count; i++)
		busy += worker_load(miner->threads[i].worker);
	return busy;
}

uint64_t miner_hashes(const struct miner *miner)
{
	return atomic_load(&miner->search.hashes);
}

uint64_t miner_rate(struct miner *miner, time_ms now)
{
	uint64_t hashes = miner_hashes(miner);
	time_ms passed = now - miner->rate_at;
	if (miner->rate_at != 0 && passed < RATE_MS)
		return miner->rate;
	if (miner->rate_at != 0)
		miner->rate =
			(hashes - miner->rate_hashes) * 1000 / (uint64_t)passed;
	miner->rate_at = now;
	miner->rate_hashes = hashes;
	return miner->rate;
}
