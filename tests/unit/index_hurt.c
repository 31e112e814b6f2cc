/* tests/unit/index_hurt.c -- an index that is shortened, flipped, killed, and
 * grown while others read.
 */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "index_world.h"

static void test_programs_started_inherit_nothing(void **state)
{
	struct index *index = must_open(MAP, RUN);
	DIR *stream = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned found = 0;

	(void)state;
	assert_non_null(stream);
	while ((entry = readdir(stream))) {
		char link[300];
		char target[PATH_SIZE + 50] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%.200s",
			entry->d_name);
		if (readlink(link, target, sizeof(target) - 1) < 0 ||
			strncmp(target, top, strlen(top)) != 0)
			continue;
		found++;
		assert_true(
			fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD) &
			FD_CLOEXEC);
	}
	closedir(stream);
	assert_true(found >= 3);
	index_close(&index);
}

/* ---- the map grows under readers ---- */

struct reading {
	struct index *index;
	atomic_uint_fast64_t committed;
	atomic_bool stop;
	atomic_uint reads;
	bool wrong;
};

static void *read_all_the_time(void *argument)
{
	struct reading *reading = argument;
	struct random random;

	random_seed(&random, 8);
	while (!atomic_load(&reading->stop)) {
		uint64_t upto = atomic_load(&reading->committed);
		uint64_t i = 1 + random_below(&random, upto + 1);
		struct key wallet = key_of(i);
		struct id id = id_of(i);
		struct hash hash;
		uint64_t height = 0;
		uint16_t at;
		bool found = index_find_tx(
			reading->index, &wallet, &id, &hash, &height, &at);

		if ((found && height != i) || (!found && i <= upto))
			reading->wrong = true;
		atomic_fetch_add(&reading->reads, 1);
	}
	return NULL;
}

static void test_the_map_grows_under_readers(void **state)
{
	struct reading reading = {.index = must_open(1 << 18, 300)};
	pthread_t thread;
	uint64_t next = 1;

	(void)state;
	assert_int_equal(
		pthread_create(&thread, NULL, read_all_the_time, &reading), 0);
	while (next < 30000 || atomic_load(&reading.reads) < 1000) {
		for (int i = 0; i < 100; i++, next++)
			put_tx(reading.index, next, next);
		index_commit(reading.index, next - 1);
		atomic_store(&reading.committed, next - 1);
	}
	atomic_store(&reading.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(reading.wrong);
	close_whole(&reading.index);
}

/* The map is full at each page of a run in turn: what is written of it is put
 * away, and the whole of it is written to a larger map. */
static void test_the_map_fills_up_anywhere_in_a_run(void **state)
{
	(void)state;
	for (size_t pages = 24; pages < 64; pages++) {
		struct index *index = must_open(pages * 4096, 1000);

		for (uint64_t i = 1; i <= 1100; i++) {
			put_tx(index, i, i);
			if (i % 100 == 0)
				index_commit(index, i);
		}
		for (uint64_t i = 1; i <= 1100; i++)
			assert_int_equal(find_tx(index, i), i);
		index_close(&index);
		assert_int_equal(unlink(data_path()), 0);
	}
}

/* ---- what goes wrong ---- */

static void fill_some(void)
{
	struct index *index = must_open(MAP, RUN);

	for (uint64_t i = 1; i <= 500; i++) {
		put_tx(index, i, i);
		if (i % 50 == 0) {
			put_received(index, i);
			index_commit(index, i);
		}
	}
	put_snapshot(index, 500);
	index_commit(index, 500);
	index_close(&index);
}

static void test_a_shortened_file_is_named(void **state)
{
	struct index *index = NULL;
	struct stat status;

	(void)state;
	fill_some();
	assert_int_equal(stat(data_path(), &status), 0);
	assert_int_equal(truncate(data_path(), status.st_size / 2), 0);
	assert_int_equal(
		index_open_sized(&index, top, MAP, RUN, why), ERR_DAMAGED);
	assert_non_null(strstr(why, "remove it"));
	assert_null(index);
	assert_int_equal(truncate(data_path(), 100), 0);
	assert_int_equal(
		index_open_sized(&index, top, MAP, RUN, why), ERR_DAMAGED);
	/* And the cure is one. */
	assert_int_equal(unlink(data_path()), 0);
	index = must_open(MAP, RUN);
	assert_int_equal(index_applied(index), 0);
	index_close(&index);
}

/* In a process of its own, because LMDB may die of what it reads: nothing that
 * is found is wrong. */
static void read_everything(void *argument)
{
	struct index *index = NULL;
	uint64_t list[20];

	(void)argument;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	if (index_open_sized(&index, top, MAP, RUN, why) != ERR_OK)
		return;
	for (uint64_t i = 1; i <= 500; i++) {
		uint64_t height = find_tx(index, i);

		if (height != 0 && height != i)
			_exit(7);
	}
	if (list_received(index, list, 20) > 10)
		_exit(7);
	find_snapshot(index, 0, 30000);
	index_close(&index);
}

static int run_child(void (*act)(void *argument))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit no_core = {0, 0};
		int quiet = open("/dev/null", O_WRONLY);

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(quiet, STDERR_FILENO);
		dup2(quiet, STDOUT_FILENO);
		act(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int open_data(void)
{
	int file = open(data_path(), O_RDWR);

	assert_true(file >= 0);
	return file;
}

static void flip(int file, off_t at, uint8_t bits)
{
	uint8_t byte;

	assert_int_equal(pread(file, &byte, 1, at), 1);
	byte ^= bits;
	assert_int_equal(pwrite(file, &byte, 1, at), 1);
}

static void each_of_some_flips(void (*check)(void))
{
	struct random random;
	struct stat status;
	int file = open_data();

	random_seed(&random, 9);
	assert_int_equal(fstat(file, &status), 0);
	for (unsigned i = 0; i < 200; i++) {
		off_t at =
			(off_t)random_below(&random, (uint64_t)status.st_size);
		uint8_t bits = (uint8_t)(1U << random_below(&random, 8));

		flip(file, at, bits);
		check();
		flip(file, at, bits);
	}
	close(file);
}

static void is_found_at_once(void)
{
	struct index *index = NULL;

	assert_int_equal(
		index_open_sized(&index, top, MAP, RUN, why), ERR_DAMAGED);
	assert_non_null(strstr(why, "remove it"));
}

/* Of a program that closed it. */
static void test_flipped_bits_are_found_before_they_are_read(void **state)
{
	struct index *index;

	(void)state;
	fill_some();
	each_of_some_flips(is_found_at_once);
	index = must_open(MAP, RUN);
	assert_int_equal(index_applied(index), 500);
	close_whole(&index);
}

static void gives_no_wrong_answer(void)
{
	unlink(seal_path());
	assert_int_equal(run_child(read_everything), 0);
}

/* Of a program that was killed: there is no seal. */
static void test_flipped_bits_give_no_wrong_answer(void **state)
{
	(void)state;
	fill_some();
	each_of_some_flips(gives_no_wrong_answer);
}

/* While it is open: what reads it is told nothing, and what writes it next
 * puts an end to it. */
static void read_and_commit(void *argument)
{
	struct index *index = must_open(MAP, RUN);
	struct hash hash = hash_of(7);
	uint8_t page[4096];
	int file = open_data();
	off_t at = 0;

	(void)argument;
	signal(SIGABRT, SIG_DFL);
	for (; pread(file, page, sizeof(page), at) == sizeof(page);
		at += (off_t)sizeof(page)) {
		const uint8_t *found =
			memmem(page, sizeof(page), &hash, sizeof(hash));

		if (found)
			flip(file, at + (found - page), 1);
	}
	close(file);
	if (find_tx(index, 7) != 0)
		_exit(7);
	put_tx(index, 501, 501);
	index_commit(index, 501);
	_exit(7);
}

static void test_a_damaged_record_ends_it(void **state)
{
	(void)state;
	fill_some();
	assert_int_equal(run_child(read_and_commit), 0);
	assert_int_equal(access(data_path(), F_OK), -1);
}

/* As when its rights are wrong: that is no damage, and it is not thrown away.
 */
static void test_what_cannot_be_read_is_kept(void **state)
{
	struct index *index = NULL;
	char aside[PATH_SIZE];

	(void)state;
	fill_some();
	path_of(aside, top, "aside");
	assert_int_equal(rename(data_path(), aside), 0);
	assert_int_equal(mkdir(data_path(), 0700), 0);
	assert_int_equal(index_open_sized(&index, top, MAP, RUN, why), ERR_IO);
	assert_non_null(strstr(why, "rights"));
	assert_int_equal(rmdir(data_path()), 0);
	assert_int_equal(rename(aside, data_path()), 0);
	index = must_open(MAP, RUN);
	assert_int_equal(index_applied(index), 500);
	close_whole(&index);
}

static void test_a_seal_that_was_torn_is_none(void **state)
{
	struct index *index;

	(void)state;
	fill_some();
	assert_int_equal(truncate(seal_path(), 31), 0);
	index = must_open(MAP, RUN);
	assert_int_equal(index_applied(index), 500);
	close_whole(&index);
}

/* As when the number of a free page is damaged: it would be far behind the end
 * of the file. */
static void commit_out_of_reach(void *argument)
{
	struct rlimit no_file = {4096, 4096};
	struct index *index = must_open(MAP, RUN);

	(void)argument;
	signal(SIGABRT, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &no_file);
	put_tx(index, 501, 501);
	index_commit(index, 501);
	_exit(7);
}

static void test_damage_found_in_a_commit_is_removed(void **state)
{
	struct index *index;

	(void)state;
	fill_some();
	assert_int_equal(run_child(commit_out_of_reach), 0);
	assert_int_equal(access(data_path(), F_OK), -1);
	index = must_open(MAP, RUN);
	assert_int_equal(index_applied(index), 0);
	index_close(&index);
}

/* ---- kill -9 ---- */

static _Noreturn void commit_until_killed(int tell)
{
	struct index *index = must_open(MAP << 3, RUN);

	for (uint64_t i = index_applied(index) + 1;; i++) {
		put_tx(index, i, i);
		put_received(index, i);
		remove_received(index, i - 3);
		index_commit(index, i);
		if (write(tell, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void test_kill_9_loses_no_commit(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 10);
	for (unsigned round = 0; round < 10; round++) {
		uint64_t told = 0;
		uint64_t list[20];
		uint64_t applied;
		struct index *index;
		int ends[2];
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(ends[0]);
			commit_until_killed(ends[1]);
		}
		close(ends[1]);
		for (uint64_t n = random_below(&random, 100) + 1; n; n--)
			assert_int_equal(read(ends[0], &told, sizeof(told)),
				sizeof(told));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		while (read(ends[0], &told, sizeof(told)) == sizeof(told))
			;
		close(ends[0]);
		index = must_open(MAP << 3, RUN);
		applied = index_applied(index);
		assert_true(applied == told || applied == told + 1);
		for (uint64_t i = 1; i <= applied; i++)
			assert_int_equal(find_tx(index, i), i);
		assert_int_equal(find_tx(index, applied + 1), 0);
		assert_int_equal(list_received(index, list, 20), 3);
		assert_int_equal(list[2], applied);
		index_close(&index);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_programs_started_inherit_nothing),
		TEST(test_the_map_grows_under_readers),
		TEST(test_the_map_fills_up_anywhere_in_a_run),
		TEST(test_a_shortened_file_is_named),
		TEST(test_flipped_bits_are_found_before_they_are_read),
		TEST(test_flipped_bits_give_no_wrong_answer),
		TEST(test_a_damaged_record_ends_it),
		TEST(test_what_cannot_be_read_is_kept),
		TEST(test_a_seal_that_was_torn_is_none),
		TEST(test_damage_found_in_a_commit_is_removed),
		TEST(test_kill_9_loses_no_commit),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
