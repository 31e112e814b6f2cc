/* tests/unit/worker.c -- jobs go to a thread and come back done, in order, in
 * batches, and none is lost when it is stopped.
 */
#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "clock/clock.h"
#include "service/worker.h"

enum { JOBS = 10000, DEADLINE_MS = 20000 };

struct job {
	uint64_t number;
	uint64_t square; /* by the worker */
};

/* What the worker's side knows. */
struct bench {
	struct bus *bus;
	struct worker *worker;
	pthread_mutex_t gate; /* held: the worker waits */
	uint64_t next;        /* number of the job it expects */
	size_t batch_max;     /* largest seen */
	bool in_order;
};

static void square(void *context, void *const *jobs, size_t count)
{
	struct bench *bench = context;

	pthread_mutex_lock(&bench->gate);
	if (count > bench->batch_max)
		bench->batch_max = count;
	for (size_t i = 0; i < count; i++) {
		struct job *job = jobs[i];
		bench->in_order &= job->number == bench->next++;
		job->square = job->number * job->number;
	}
	pthread_mutex_unlock(&bench->gate);
}

static int set_up(void **state)
{
	static struct keypair pair;
	struct bench *bench = calloc(1, sizeof(*bench));
	uint8_t seed[32] = {1};

	crypto_start();
	keypair_from_seed(&pair, seed);
	pthread_mutex_init(&bench->gate, NULL);
	bench->in_order = true;
	enum err err = bus_open(&bench->bus, &pair);
	assert_int_equal(err, ERR_OK);
	err = worker_start(&bench->worker, bench->bus, square, bench);
	assert_int_equal(err, ERR_OK);
	*state = bench;
	return 0;
}

static void no_job_left(void *job)
{
	fail_msg("job %llu was left",
		(unsigned long long)((struct job *)job)->number);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	worker_stop(&bench->worker, no_job_left);
	bus_close(&bench->bus);
	pthread_mutex_destroy(&bench->gate);
	free(bench);
	return 0;
}

/* A finished job, waited for. */
static struct job *take(struct bench *bench)
{
	struct bus_socket *socket = worker_socket(bench->worker);
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	struct job *job;
	bool ready;

	while ((job = worker_take(bench->worker)) == NULL) {
		assert_true(clock_monotonic() < deadline);
		bus_wait(bench->bus, &socket, &ready, 1, -1, NULL, 100);
	}
	return job;
}

static void test_in_order(void **state)
{
	struct bench *bench = *state;
	struct job *jobs = calloc(JOBS, sizeof(*jobs));
	size_t given = 0, taken = 0;

	assert_null(worker_take(bench->worker));
	while (taken < JOBS) {
		while (given < JOBS &&
			worker_load(bench->worker) < WORKER_JOBS_MAX) {
			jobs[given].number = given;
			worker_give(bench->worker, &jobs[given++]);
		}
		struct job *job = take(bench);
		assert_ptr_equal(job, &jobs[taken]);
		assert_int_equal(job->square, taken * taken);
		taken++;
		assert_int_equal(worker_load(bench->worker), given - taken);
	}
	assert_null(worker_take(bench->worker));
	assert_true(bench->in_order);
	assert_int_equal(bench->next, JOBS);
	assert_true(bench->batch_max <= WORKER_BATCH_MAX);
	free(jobs);
}

/* What gathers while the worker is busy becomes one batch. */
static void test_batches(void **state)
{
	struct bench *bench = *state;
	struct job jobs[2 * WORKER_BATCH_MAX] = {0};
	const size_t count = sizeof(jobs) / sizeof(jobs[0]);

	pthread_mutex_lock(&bench->gate);
	for (size_t i = 0; i < count; i++) {
		jobs[i].number = i;
		worker_give(bench->worker, &jobs[i]);
	}
	pthread_mutex_unlock(&bench->gate);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(take(bench), &jobs[i]);
	assert_true(bench->batch_max > 1);
	assert_true(bench->batch_max <= WORKER_BATCH_MAX);
}

static size_t left_count;

static void count_left(void *job)
{
	assert_int_equal(((struct job *)job)->number, left_count++);
}

/* All that was given is done and handed out, although nobody took it. */
static void test_stop(void **state)
{
	struct bench *bench = *state;
	struct job jobs[1000] = {0};
	struct worker *none = NULL;

	left_count = 0;
	for (size_t i = 0; i < 1000; i++) {
		jobs[i].number = i;
		worker_give(bench->worker, &jobs[i]);
	}
	worker_stop(&bench->worker, count_left);
	assert_null(bench->worker);
	assert_int_equal(left_count, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(jobs[i].square, i * i);
	worker_stop(&none, count_left);
	enum err err = worker_start(&bench->worker, bench->bus, square, bench);
	assert_int_equal(err, ERR_OK);
}

/* The largest load that is allowed passes without a message being refused. */
static void test_full(void **state)
{
	struct bench *bench = *state;
	struct job *jobs = calloc(WORKER_JOBS_MAX, sizeof(*jobs));

	pthread_mutex_lock(&bench->gate);
	for (size_t i = 0; i < WORKER_JOBS_MAX; i++) {
		jobs[i].number = i;
		worker_give(bench->worker, &jobs[i]);
	}
	assert_int_equal(worker_load(bench->worker), WORKER_JOBS_MAX);
	pthread_mutex_unlock(&bench->gate);
	for (size_t i = 0; i < WORKER_JOBS_MAX; i++)
		assert_ptr_equal(take(bench), &jobs[i]);
	free(jobs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_order),
		TEST(test_batches),
		TEST(test_stop),
		TEST(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
