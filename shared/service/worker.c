/* service/worker.c -- a thread behind an inproc pair. A message is a pointer;
 * NULL says stop.
 */
#include "service/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

/* ThreadSanitizer knows nothing of a join with a clock. */
#ifdef __SANITIZE_THREAD__
#define JOIN(thread, at) ((void)(at), pthread_join(thread, NULL))
#else
#define JOIN(thread, at) pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, at)
#endif

enum { STOP_MS_MAX = 30000 };

struct worker {
	struct bus *bus;
	struct bus_socket *owner;  /* this side's end */
	struct bus_socket *inside; /* the thread's end */
	pthread_t thread;
	size_t load;
	void (*run)(void *context, void *const *jobs, size_t count);
	void *context;
};

static void pass(struct bus_socket *socket, void *job)
{
	struct view frame = view_of(&job, sizeof(job));
	enum err err = bus_send(socket, &frame, 1);
	CHECK(err == ERR_OK);
}

static void *job_of(const struct bus_message *message)
{
	void *job;
	CHECK(message->frame_count == 1 &&
		message->frames[0].size == sizeof(job));
	memcpy(&job, message->frames[0].data, sizeof(job));
	return job;
}

/* Wait for one job, then take what else has gathered. False: stop. */
static bool gather(struct worker *worker, void **jobs, size_t *count)
{
	struct bus_message message;
	enum err err = bus_receive_wait(worker->inside, &message);
	*count = 0;
	while (err == ERR_OK) {
		void *job = job_of(&message);
		if (job == NULL)
			return false;
		jobs[(*count)++] = job;
		if (*count == WORKER_BATCH_MAX)
			return true;
		err = bus_receive(worker->inside, &message);
	}
	return true;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	void *jobs[WORKER_BATCH_MAX];
	bool go_on = true;
	while (go_on) {
		size_t count;
		go_on = gather(worker, jobs, &count);
		if (count > 0)
			worker->run(worker->context, jobs, count);
		for (size_t i = 0; i < count; i++)
			pass(worker->inside, jobs[i]);
	}
	return NULL;
}

enum err worker_start(struct worker **out, struct bus *bus,
	void (*run)(void *context, void *const *jobs, size_t count),
	void *context)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	CHECK(worker != NULL);
	worker->bus = bus;
	worker->run = run;
	worker->context = context;
	enum err err = bus_pair(bus, &worker->owner, &worker->inside);
	if (err != ERR_OK) {
		free(worker);
		return err;
	}
	int failed = pthread_create(&worker->thread, NULL, work, worker);
	CHECK(failed == 0);
	*out = worker;
	return ERR_OK;
}

void worker_give(struct worker *worker, void *job)
{
	CHECK(job != NULL && worker->load < WORKER_JOBS_MAX);
	worker->load++;
	pass(worker->owner, job);
}

size_t worker_load(const struct worker *worker)
{
	return worker->load;
}

void *worker_take(struct worker *worker)
{
	struct bus_message message;
	if (worker->load == 0 || bus_receive(worker->owner, &message) != ERR_OK)
		return NULL;
	worker->load--;
	return job_of(&message);
}

struct bus_socket *worker_socket(const struct worker *worker)
{
	return worker->owner;
}

/* Jobs are bounded, so a thread ends soon; but the disk may never answer. What
 * was acknowledged is on it by then, so the process may end without. */
static void join(pthread_t thread)
{
	time_ms until = clock_monotonic() + STOP_MS_MAX;
	struct timespec at = {
		.tv_sec = until / 1000,
		.tv_nsec = until % 1000 * 1000000,
	};
	/* A wall clock that is set meanwhile does not count. */
	int failed = JOIN(thread, &at);
	if (failed == ETIMEDOUT) {
		log_error("worker",
			"a thread has not ended in %d s, probably for the "
			"disk; check it (dmesg). The process ends without it",
			STOP_MS_MAX / 1000);
		_exit(1);
	}
	CHECK(failed == 0);
}

void worker_stop(struct worker **worker, void (*on_left)(void *job))
{
	struct worker *stopped = *worker;
	void *job;
	*worker = NULL;
	if (stopped == NULL)
		return;
	pass(stopped->owner, NULL);
	join(stopped->thread);
	while ((job = worker_take(stopped)) != NULL)
		on_left(job);
	bus_drop(stopped->bus, &stopped->inside);
	bus_drop(stopped->bus, &stopped->owner);
	free(stopped);
}
