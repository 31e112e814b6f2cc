/* tests/unit/search.c -- searches in threads: what they find, that they share
 * nothing but two numbers, and how soon they stop. No socket is used here, so
 * the thread sanitizer sees everything.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "clock/clock.h"
#include "service/search.h"

enum { THREADS = 4, ROUNDS = 20, STOP_MS = 10, DEADLINE_MS = 60000 };

/* The header is the seal without its last 16 bytes. */
static void seal(uint8_t out[SEAL_SIZE], struct view header, size_t field,
	uint64_t extra)
{
	assert_int_equal(header.size, 64);
	assert_int_equal(field, 40);
	memcpy(out, header.data, 64);
	memcpy(out + 64, &extra, 8);
	memset(out + 72, 0, 8);
}

struct bench {
	struct search search;
	struct search_job jobs[THREADS];
	pthread_t threads[THREADS];
};

static struct search_job job_of(unsigned number, uint8_t highest)
{
	struct search_job job = {
		.round = 1,
		.extra = number * 1000,
		.nonce = UINT32_MAX - number * 100,
		.field = 40,
		.header_size = 64,
	};
	memset(job.header, (int)number, 64);
	memset(job.target, 0xff, 30);
	job.target[30] = highest;
	return job;
}

static struct bench *bench_new(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	bench->search.seal = seal;
	atomic_store(&bench->search.round, 1);
	return bench;
}

/* The thread's number is the place of its job. */
struct start {
	struct bench *bench;
	unsigned number;
};

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;
	free(argument);
	search_run(&start.bench->search, &start.bench->jobs[start.number]);
	return NULL;
}

static void begin(struct bench *bench, unsigned number)
{
	struct start *start = calloc(1, sizeof(*start));
	*start = (struct start){bench, number};
	assert_int_equal(
		pthread_create(&bench->threads[number], NULL, run, start), 0);
}

/* Until so many hashes were tried. */
static void wait_hashes(struct bench *bench, uint64_t count)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	while (atomic_load(&bench->search.hashes) < count) {
		assert_true(clock_monotonic() < deadline);
		sched_yield();
	}
}

/* Each thread finds an answer to its own job. */
static void test_finds(void **state)
{
	struct bench *bench = bench_new();
	uint64_t least = 0;
	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		bench->jobs[i] = job_of(i, 0x0f);
		begin(bench, i);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		struct search_job *job = &bench->jobs[i];
		struct search_job asked = job_of(i, 0x0f);
		uint8_t bytes[SEAL_SIZE], hash[32];
		pthread_join(bench->threads[i], NULL);
		assert_true(job->found);
		assert_int_equal(job->extra, asked.extra);
		seal(bytes, view_of(job->header, 64), 40, job->extra);
		memcpy(bytes + SEAL_NONCE_AT, &job->nonce, 4);
		sha256d(hash, view_of(bytes, SEAL_SIZE));
		assert_true(sha256d_meets(hash, job->target));
		least += job->nonce - asked.nonce + 1;
	}
	assert_int_equal(atomic_load(&bench->search.hashes), least);
	free(bench);
}

/* What is not wanted any more is not begun. */
static void test_stale(void **state)
{
	struct bench *bench = bench_new();
	(void)state;
	bench->jobs[0] = job_of(0, 0xff);
	atomic_store(&bench->search.round, 2);
	search_run(&bench->search, &bench->jobs[0]);
	assert_false(bench->jobs[0].found);
	assert_int_equal(atomic_load(&bench->search.hashes), 0);
	free(bench);
}

static int64_t cpu_us(pthread_t thread)
{
	clockid_t clock;
	struct timespec at;
	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &at), 0);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void *stamped(void *argument)
{
	int64_t *used = malloc(sizeof(*used));
	run(argument);
	*used = cpu_us(pthread_self());
	return used;
}

/* From the moment something else is wanted, a thread works for less than 10 ms;
 * and when the machine has a CPU for it, it has stopped by then. */
static void test_stops(void **state)
{
	time_ms best = INT64_MAX;
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct bench *bench = bench_new();
		struct start *start = calloc(1, sizeof(*start));
		void *used;
		start->bench = bench;
		bench->jobs[0] = job_of(round, 0);
		memset(bench->jobs[0].target, 0, 32);
		assert_int_equal(pthread_create(&bench->threads[0], NULL,
					 stamped, start),
			0);
		wait_hashes(bench, 10 * SEARCH_SLICE);
		time_ms from = clock_monotonic();
		int64_t before = cpu_us(bench->threads[0]);
		atomic_store(&bench->search.round, 2);
		/* This thread may have been stopped before it said so. */
		time_ms late = clock_monotonic() - from;
		pthread_join(bench->threads[0], &used);
		time_ms took = clock_monotonic() - from;
		if (took < best)
			best = took;
		assert_false(bench->jobs[0].found);
		assert_true(
			*(int64_t *)used - before < (STOP_MS + late) * 1000);
		free(used);
		free(bench);
	}
	assert_true(best < STOP_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
