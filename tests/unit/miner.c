/* tests/unit/miner.c -- threads that search: the answer is the wanted one's,
 * something else is begun at once, and nothing is left behind.
 */
#include "unit.h"

#include <string.h>

#include "clock/clock.h"
#include "service/miner.h"

/* The threads run when nothing else does, which may take long to come. */
enum { THREADS = 3, DEADLINE_MS = 300000, ROUNDS = 20 };

/* The header is the seal without its last 16 bytes. */
static void seal(uint8_t out[SEAL_SIZE], struct view header, size_t field,
	uint64_t extra)
{
	(void)field;
	memcpy(out, header.data, 64);
	memcpy(out + 64, &extra, 8);
	memset(out + 72, 0, 8);
}

struct bench {
	struct bus *bus;
	struct miner *miner;
};

static const uint8_t impossible[32];

static int set_up(void **state)
{
	static struct keypair pair;
	struct bench *bench = calloc(1, sizeof(*bench));
	uint8_t seed[32] = {1};
	crypto_start();
	keypair_from_seed(&pair, seed);
	assert_int_equal(bus_open(&bench->bus, &pair), ERR_OK);
	assert_int_equal(
		miner_start(&bench->miner, bench->bus, THREADS, 1, seal),
		ERR_OK);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	miner_stop(&bench->miner);
	assert_null(bench->miner);
	bus_close(&bench->bus);
	free(bench);
	return 0;
}

static void seek(struct bench *bench, uint64_t task, const uint8_t target[32])
{
	uint8_t header[64];
	memset(header, (int)task, sizeof(header));
	miner_seek(bench->miner, task, view_of(header, 64), 40, target);
}

/* A target that one hash in 256 * 2^bits meets. */
static void easy(uint8_t target[32], unsigned bits)
{
	memset(target, 0xff, 31);
	target[31] = 0;
	target[30] = (uint8_t)(0xff >> bits);
}

static void wait_sockets(struct bench *bench)
{
	struct bus_socket *sockets[MINER_THREADS_MAX];
	bool ready[MINER_THREADS_MAX];
	size_t count = miner_sockets(bench->miner, sockets);
	bus_wait(bench->bus, sockets, ready, count, -1, NULL, 100);
}

static struct miner_found wait_found(struct bench *bench)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	struct miner_found found;
	while (!miner_take(bench->miner, &found)) {
		assert_true(clock_monotonic() < deadline);
		wait_sockets(bench);
	}
	return found;
}

static void wait_hashes(struct bench *bench, uint64_t count)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	struct miner_found none;
	while (miner_hashes(bench->miner) < count) {
		assert_true(clock_monotonic() < deadline);
		bool found = miner_take(bench->miner, &none);
		assert_false(found);
		bus_wait(bench->bus, NULL, NULL, 0, -1, NULL, 1);
	}
}

static void assert_meets(
	const struct miner_found *found, const uint8_t target[32])
{
	uint8_t header[64], bytes[SEAL_SIZE], hash[32];
	memset(header, (int)found->task, sizeof(header));
	seal(bytes, view_of(header, 64), 40, found->extra);
	memcpy(bytes + SEAL_NONCE_AT, &found->nonce, 4);
	sha256d(hash, view_of(bytes, SEAL_SIZE));
	assert_true(sha256d_meets(hash, target));
}

/* One task after another, as blocks follow each other. */
static void test_finds(void **state)
{
	struct bench *bench = *state;
	uint64_t extras[ROUNDS];
	uint8_t target[32];
	easy(target, 4);
	for (uint64_t task = 1; task <= ROUNDS; task++) {
		seek(bench, task, target);
		struct miner_found found = wait_found(bench);
		assert_int_equal(found.task, task);
		assert_meets(&found, target);
		extras[task - 1] = found.extra;
		for (uint64_t i = 0; i + 1 < task; i++)
			assert_int_not_equal(extras[i], found.extra);
	}
}

/* What is not wanted any more gives no answer, even when it was found. */
static void test_replaced(void **state)
{
	struct bench *bench = *state;
	uint8_t target[32];
	easy(target, 0);
	for (uint64_t task = 1; task <= ROUNDS; task++) {
		seek(bench, 100 + task, target);
		seek(bench, task, target);
		struct miner_found found = wait_found(bench);
		assert_int_equal(found.task, task);
		assert_meets(&found, target);
	}
}

/* Each thread hands its job back: then nobody works. */
static void wait_idle(struct bench *bench)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	struct miner_found none;
	assert_int_equal(miner_busy(bench->miner), THREADS);
	while (miner_busy(bench->miner) > 0) {
		assert_true(clock_monotonic() < deadline);
		wait_sockets(bench);
		assert_false(miner_take(bench->miner, &none));
	}
}

static void test_rests(void **state)
{
	struct bench *bench = *state;
	struct miner_found none;
	uint8_t target[32];
	assert_int_equal(miner_hashes(bench->miner), 0);
	assert_int_equal(miner_busy(bench->miner), 0);
	assert_false(miner_take(bench->miner, &none));
	seek(bench, 1, impossible);
	wait_hashes(bench, 10 * THREADS * SEARCH_SLICE);
	miner_rest(bench->miner);
	wait_idle(bench);
	easy(target, 0);
	seek(bench, 2, target);
	assert_int_equal(wait_found(bench).task, 2);
}

/* What is wanted in a pause is searched for after it. */
static void test_pauses(void **state)
{
	struct bench *bench = *state;
	uint8_t target[32];
	easy(target, 0);
	seek(bench, 1, impossible);
	wait_hashes(bench, SEARCH_SLICE);
	miner_pause(bench->miner, true);
	wait_idle(bench);
	uint64_t hashes = miner_hashes(bench->miner);
	seek(bench, 2, impossible);
	seek(bench, 3, target);
	assert_int_equal(miner_busy(bench->miner), 0);
	assert_int_equal(miner_hashes(bench->miner), hashes);
	miner_pause(bench->miner, false);
	assert_int_equal(wait_found(bench).task, 3);
}

/* All threads work, and each where no other does. */
static void test_rate(void **state)
{
	struct bench *bench = *state;
	time_ms from = clock_monotonic();
	assert_int_equal(miner_rate(bench->miner, from), 0);
	seek(bench, 1, impossible);
	wait_hashes(bench, 100 * THREADS * SEARCH_SLICE);
	assert_int_equal(miner_rate(bench->miner, from + 999), 0);
	uint64_t hashes = miner_hashes(bench->miner);
	uint64_t rate = miner_rate(bench->miner, from + 2000);
	assert_true(rate >= hashes / 2);
	assert_true(rate <= miner_hashes(bench->miner) / 2);
	assert_int_equal(miner_rate(bench->miner, from + 2500), rate);
}

/* Stopped while it is searching, and with an answer that nobody took. */
static void test_stop(void **state)
{
	struct bench *bench = *state;
	uint8_t target[32];
	seek(bench, 1, impossible);
	wait_hashes(bench, SEARCH_SLICE);
	miner_stop(&bench->miner);
	assert_int_equal(
		miner_start(&bench->miner, bench->bus, 1, 1, seal), ERR_OK);
	easy(target, 0);
	seek(bench, 2, target);
	wait_found(bench);
	miner_stop(&bench->miner);
	assert_int_equal(
		miner_start(&bench->miner, bench->bus, 0, 1, seal), ERR_OK);
	seek(bench, 3, target);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds),
		TEST(test_replaced),
		TEST(test_rests),
		TEST(test_pauses),
		TEST(test_rate),
		TEST(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
