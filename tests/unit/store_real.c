/* tests/unit/store_real.c -- the log on real files: one owner, kill -9,
 * threads.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "clock/clock.h"
#include "crypto/crypto.h"
#include "directory.h"
#include "ledger/block.h"
#include "store/log.h"

_Static_assert((int)LOG_BLOCK_MAX == (int)BLOCK_BYTES_MAX, "a block fits");

static struct log *must_open(const char *directory)
{
	struct log *log = NULL;
	uint64_t bad = 0;
	char why[200] = "";
	enum err err = log_open(&log, directory, &bad, why);

	if (err)
		print_error("%s\n", why);
	assert_int_equal(err, ERR_OK);
	return log;
}

/* A block that tells its height and a number. */
static struct view block_of(
	uint8_t out[LOG_BLOCK_MAX], uint64_t height, uint64_t number)
{
	size_t size = 16 + (height * 2654435761U + number) % 4000;

	memset(out, (int)(height & 0xff), size);
	memcpy(out, &height, 8);
	memcpy(out + 8, &number, 8);
	return view_of(out, size);
}

/* Whether height holds a block_of some number; the number. */
static bool read_number(struct log *log, uint64_t height, uint64_t *number)
{
	uint8_t got[LOG_BLOCK_MAX];
	uint8_t want[LOG_BLOCK_MAX];
	size_t size;

	if (log_read(log, height, got, &size) != ERR_OK || size < 16)
		return false;
	memcpy(number, got + 8, 8);
	return view_equal(block_of(want, height, *number), view_of(got, size));
}

static void test_one_owner_at_a_time(void **state)
{
	char top[PATH_SIZE];
	struct log *log;
	struct log *other = NULL;
	uint64_t bad;
	char why[200] = "";

	(void)state;
	directory_make(top);
	log = must_open(top);
	assert_int_equal(log_open(&other, top, &bad, why), ERR_IN_USE);
	assert_null(other);
	assert_non_null(strstr(why, top));
	assert_non_null(strstr(why, "another process"));
	log_close(&log);
	log = must_open(top);
	assert_true(log_disk_used_percent(log) >= 0);
	assert_true(log_disk_used_percent(log) <= 100);
	log_close(&log);
	directory_remove(top);
}

static void test_a_directory_that_cannot_be(void **state)
{
	struct log *log = NULL;
	uint64_t bad;
	char why[200] = "";

	(void)state;
	assert_int_equal(log_open(&log, "/nowhere/at/all", &bad, why), ERR_IO);
	assert_non_null(strstr(why, "/nowhere/at/all"));
	assert_int_equal(log_open(&log, "/dev/null", &bad, why), ERR_IO);
	assert_null(log);
}

static void test_a_missing_directory_is_made_private(void **state)
{
	char top[PATH_SIZE];
	char path[PATH_SIZE];
	struct stat status;
	struct log *log;

	(void)state;
	directory_make(top);
	path_of(path, top, "new");
	log = must_open(path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	log_close(&log);
	directory_remove(top);
}

static void test_a_shortened_file_is_named_and_repaired(void **state)
{
	uint8_t block[LOG_BLOCK_MAX];
	char top[PATH_SIZE];
	char path[PATH_SIZE];
	char why[200] = "";
	struct log *log;
	uint64_t number;
	uint64_t bad = 0;

	(void)state;
	directory_make(top);
	log = must_open(top);
	for (uint64_t height = 1; height <= 20; height++)
		log_append(log, height, block_of(block, height, 0));
	log_close(&log);
	path_of(path, top, "log/0000000000000001-00000001.log");
	assert_int_equal(truncate(path, 20000), 0);
	assert_int_equal(log_open(&log, top, &bad, why), ERR_DAMAGED);
	assert_true(bad > 1 && bad < 20);
	assert_non_null(strstr(why, top));
	assert_int_equal(log_repair(top, bad, why), ERR_OK);
	log = must_open(top);
	assert_int_equal(log_tip(log), bad - 1);
	assert_int_equal(log_owed(log), 20);
	assert_true(read_number(log, bad - 1, &number));
	log_append(log, bad, block_of(block, bad, 1));
	log_close(&log);
	directory_remove(top);
}

/* ---- kill -9 ---- */

/* Append, save and now and then truncate for ever; after each sync write
 * (height, number) to the pipe. */
static _Noreturn void append_until_killed(
	const char *top, uint64_t number, int tell)
{
	uint8_t block[LOG_BLOCK_MAX];
	struct log *log = must_open(top);
	struct random random;

	random_seed(&random, number);
	for (;;) {
		uint64_t group = 1 + random_below(&random, 5);
		uint64_t told[2];

		for (uint64_t i = 0; i < group; i++)
			log_append(log, log_tip(log) + 1,
				block_of(block, log_tip(log) + 1, number));
		log_sync(log);
		told[0] = log_tip(log);
		told[1] = number;
		if (write(tell, told, sizeof(told)) != sizeof(told))
			_exit(1);
		if (random_chance(&random, 20))
			log_save_record(log, view_of(&number, 8));
	}
}

static void test_kill_9_loses_nothing_acknowledged(void **state)
{
	char top[PATH_SIZE];
	uint64_t acknowledged = 0;
	struct random random;

	(void)state;
	directory_make(top);
	random_seed(&random, clock_random());
	for (uint64_t round = 1; round <= 50; round++) {
		uint64_t wanted = random_below(&random, 40);
		uint64_t told[2];
		struct log *log;
		uint64_t number;
		int ends[2];
		int status;
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(ends[0]);
			append_until_killed(top, round, ends[1]);
		}
		close(ends[1]);
		for (uint64_t i = 0; i <= wanted; i++) {
			assert_int_equal(read(ends[0], told, sizeof(told)),
				sizeof(told));
			acknowledged = told[0];
		}
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		/* What it told while it was being killed counts too. */
		while (read(ends[0], told, sizeof(told)) == sizeof(told))
			acknowledged = told[0];
		close(ends[0]);
		log = must_open(top);
		assert_true(log_tip(log) >= acknowledged);
		for (uint64_t height = 1; height <= acknowledged; height++)
			assert_true(read_number(log, height, &number) &&
				    number <= round);
		log_close(&log);
	}
	directory_remove(top);
}

/* ---- a reader beside the writer ---- */

struct reading {
	struct log *log;
	atomic_bool stop;
	atomic_uint reads;
	bool wrong;
};

static void *read_all_the_time(void *argument)
{
	struct reading *reading = argument;
	uint8_t out[LOG_BLOCK_MAX];
	struct random random;

	random_seed(&random, 5);
	while (!atomic_load(&reading->stop)) {
		uint64_t base = log_base(reading->log);
		uint64_t tip = log_tip(reading->log);
		uint64_t height;
		uint64_t number;
		size_t size;
		enum err err;

		height = base + 1 + random_below(&random, tip - base + 1);
		err = log_read(reading->log, height, out, &size);
		if (err == ERR_OK) {
			uint8_t want[LOG_BLOCK_MAX];

			memcpy(&number, out + 8, 8);
			if (!view_equal(block_of(want, height, number),
				    view_of(out, size)))
				reading->wrong = true;
			atomic_fetch_add(&reading->reads, 1);
		} else if (err != ERR_NOT_FOUND) {
			reading->wrong = true;
		}
	}
	return NULL;
}

static void test_readers_beside_the_writer(void **state)
{
	uint8_t block[LOG_BLOCK_MAX];
	char top[PATH_SIZE];
	char why[200];
	struct reading reading = {.wrong = false};
	struct disk disk;
	struct random random;
	pthread_t thread;
	uint64_t bad;

	(void)state;
	directory_make(top);
	random_seed(&random, 6);
	assert_int_equal(disk_open(&disk, top, "log", why), ERR_OK);
	assert_int_equal(
		log_open_on(&reading.log, &disk, 1 << 17, &bad, why), ERR_OK);
	assert_int_equal(
		pthread_create(&thread, NULL, read_all_the_time, &reading), 0);
	for (uint64_t i = 1; i < 1500 || atomic_load(&reading.reads) < 500;
		i++) {
		uint64_t tip = log_tip(reading.log);
		uint64_t held = tip - log_base(reading.log);

		log_append(reading.log, tip + 1, block_of(block, tip + 1, i));
		if (random_chance(&random, 60))
			log_truncate(reading.log,
				tip - random_below(&random, held / 4 + 1));
		if (random_chance(&random, 10))
			log_compact(reading.log, tip - held / 2);
	}
	atomic_store(&reading.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(reading.wrong);
	log_close(&reading.log);
	directory_remove(top);
}

static int start(void **state)
{
	(void)state;
	crypto_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_owner_at_a_time),
		cmocka_unit_test(test_a_directory_that_cannot_be),
		cmocka_unit_test(test_a_missing_directory_is_made_private),
		cmocka_unit_test(test_a_shortened_file_is_named_and_repaired),
		cmocka_unit_test(test_kill_9_loses_nothing_acknowledged),
		cmocka_unit_test(test_readers_beside_the_writer),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
