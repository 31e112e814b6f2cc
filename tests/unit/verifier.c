/* tests/unit/verifier.c -- several threads, and still one order: jobs of very
 * different sizes come back as they were given, and a bad signature is found.
 */
#include "paper.h"

#include "clock/clock.h"
#include "service/verifier.h"

enum { JOBS = 200, BAD = 77, DEADLINE_MS = 60000 };

struct bench {
	struct bus *bus;
	struct verifier verifier;
	struct hash network;
	struct paper paper;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	crypto_start();
	enum err err = bus_open(&bench->bus, node_pair(0));
	assert_int_equal(err, ERR_OK);
	err = verifier_start(&bench->verifier, bench->bus);
	assert_int_equal(err, ERR_OK);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	verifier_stop(&bench->verifier);
	bus_close(&bench->bus);
	free(bench);
	return 0;
}

static struct verify_job *job_of(struct bench *bench, uint64_t number)
{
	static uint8_t bytes[TX_BYTES_MAX];
	struct verify_job *job = verify_job_new(&bench->network, number);
	size_t count = number % 10 == 0 ? VERIFY_ITEMS_MAX : number % 3;

	paper_begin(&bench->paper, ALICE, number, T0, TX_MODE_ALL);
	paper_reservation(&bench->paper, "east");
	size_t size = tx_seal(
		bytes, &bench->paper.tx, who_pair(ALICE), &bench->network);
	assert_true(size > SIGNATURE_SIZE);
	bytes[size - SIGNATURE_SIZE] ^= number == BAD;
	for (size_t i = 0; i < count; i++) {
		enum err err = verify_job_add_tx(
			job, view_of(bytes, size), number, false);
		assert_int_equal(err, ERR_OK);
	}
	return job;
}

static struct verify_job *take(struct bench *bench)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	struct verify_job *job;
	bool ready;

	while ((job = verifier_take(&bench->verifier)) == NULL) {
		struct bus_socket *socket = verifier_socket(&bench->verifier);
		assert_true(clock_monotonic() < deadline);
		bus_wait(bench->bus, &socket, &ready, 1, -1, NULL, 1000);
	}
	return job;
}

static void test_order(void **state)
{
	struct bench *bench = *state;

	assert_null(verifier_take(&bench->verifier));
	for (uint64_t i = 1; i <= JOBS; i++)
		verifier_give(&bench->verifier, job_of(bench, i));
	assert_int_equal(verifier_load(&bench->verifier), JOBS);
	for (uint64_t i = 1; i <= JOBS; i++) {
		struct verify_job *job = take(bench);
		assert_int_equal(job->task, i);
		for (size_t k = 0; k < job->count; k++)
			assert_int_equal(job->items[k].valid, i != BAD);
		free(job);
	}
	assert_int_equal(verifier_load(&bench->verifier), 0);
	assert_null(verifier_take(&bench->verifier));
}

/* What nobody takes back is freed. */
static void test_stop(void **state)
{
	struct bench *bench = *state;

	for (uint64_t i = 1; i <= 9; i++)
		verifier_give(&bench->verifier, job_of(bench, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
