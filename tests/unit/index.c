/* tests/unit/index.c -- the index against a model: small runs, so that they are
 * merged often; reopened, killed, shortened and flipped.
 */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "crypto/crypto.h"
#include "directory.h"
#include "store/index.h"

enum { MAP = 1 << 24, RUN = 64, KEYS = 3000 };

static char top[PATH_SIZE];
static char why[200];

static struct index *must_open(size_t map_size, size_t run_size)
{
	struct index *index = NULL;
	enum err err = index_open_sized(&index, top, map_size, run_size, why);

	if (err)
		print_error("%s\n", why);
	assert_int_equal(err, ERR_OK);
	return index;
}

static const char *data_path(void)
{
	static char path[PATH_SIZE];

	return path_of(path, top, "index/data.mdb");
}

/* Bytes that follow from a number. */
static void fill(void *out, size_t size, uint64_t number)
{
	struct random random;
	uint8_t *at = out;

	random_seed(&random, number);
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)random_next(&random);
}

static struct key key_of(uint64_t number)
{
	struct key key;

	fill(&key, sizeof(key), number % 10);
	return key;
}

static struct id id_of(uint64_t number)
{
	struct id id;

	fill(&id, sizeof(id), number + 1000000);
	return id;
}

static struct hash hash_of(uint64_t number)
{
	struct hash hash;

	fill(&hash, sizeof(hash), number + 2000000);
	return hash;
}

/* Transaction number is at height with the hash of height. */
static void put_tx(struct index *index, uint64_t number, uint64_t height)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	struct hash hash = hash_of(height);

	index_put_tx(index, &wallet, &id, &hash, height, (uint16_t)number);
}

/* Its height; 0 when it is not there. */
static uint64_t find_tx(struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	struct hash hash;
	struct hash want;
	uint64_t height;
	uint16_t at;

	if (!index_find_tx(index, &wallet, &id, &hash, &height, &at))
		return 0;
	want = hash_of(height);
	assert_true(hash_equal(&hash, &want));
	assert_int_equal(at, (uint16_t)number);
	return height;
}

static void put_block(struct index *index, uint64_t number, uint64_t height)
{
	struct hash hash = hash_of(number);

	index_put_block(index, &hash, height);
}

static uint64_t find_block(struct index *index, uint64_t number)
{
	struct hash hash = hash_of(number);
	uint64_t height;

	return index_find_block(index, &hash, &height) ? height : 0;
}

static void test_a_new_index_is_empty(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint64_t cursor = 0;
	uint64_t height = 0;
	uint64_t total;
	uint8_t out[400];
	struct signature signature;
	size_t header_size;
	size_t size = 1;

	(void)state;
	assert_int_equal(index_applied(index), 0);
	assert_int_equal(find_tx(index, 1), 0);
	assert_int_equal(find_block(index, 1), 0);
	assert_false(index_next_peer(index, &cursor, out, &size, 400));
	assert_false(index_next_received(index, &cursor, out, &size, 400));
	assert_false(index_find_snapshot(index, &height, out, &header_size,
		&signature, 0, out, &size, &total));
	assert_false(index_is_damaged(index));
	index_close(&index);
	assert_null(index);
	index_close(&index);
}

static void test_only_a_commit_is_seen(void **state)
{
	struct index *index = must_open(MAP, RUN);

	(void)state;
	put_tx(index, 1, 7);
	put_block(index, 1, 7);
	assert_int_equal(find_tx(index, 1), 0);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_tx(index, 1), 0);
	put_tx(index, 1, 7);
	put_block(index, 1, 7);
	index_commit(index, 7);
	assert_int_equal(find_tx(index, 1), 7);
	assert_int_equal(find_block(index, 1), 7);
	assert_int_equal(index_applied(index), 7);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_tx(index, 1), 7);
	assert_int_equal(find_block(index, 1), 7);
	assert_int_equal(index_applied(index), 7);
	index_close(&index);
}

/* What is committed, and what is gathered. */
struct world {
	uint64_t tx[KEYS], block[KEYS];
};

static void assert_world(struct index *index, const struct world *world)
{
	for (uint64_t i = 0; i < KEYS; i++) {
		assert_int_equal(find_tx(index, i), world->tx[i]);
		assert_int_equal(find_block(index, i), world->block[i]);
	}
}

static void test_the_model_agrees(void **state)
{
	static struct world world, gathered;
	struct index *index = must_open(MAP, RUN);
	struct random random;
	uint64_t height = 0;

	(void)state;
	random_seed(&random, 5);
	for (unsigned round = 0; round < 400; round++) {
		/* The same key again is common: the last one counts. */
		for (uint64_t n = random_below(&random, 60); n; n--) {
			uint64_t i = random_below(&random, KEYS);

			height++;
			if (n % 2) {
				put_tx(index, i, height);
				gathered.tx[i] = height;
			} else {
				put_block(index, i, height);
				gathered.block[i] = height;
			}
		}
		if (random_chance(&random, 100)) {
			index_close(&index);
			index = must_open(MAP, RUN);
			gathered = world;
		}
		index_commit(index, height);
		world = gathered;
		assert_int_equal(index_applied(index), height);
		if (round % 80 == 79)
			assert_world(index, &world);
	}
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_world(index, &world);
	assert_false(index_is_damaged(index));
	index_close(&index);
}

/* Runs of more than one chunk, merged more than once. */
static void test_many_are_found_again(void **state)
{
	enum { MANY = 40000 };
	struct index *index = must_open(MAP << 3, 1000);
	struct stat status;

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++) {
		put_tx(index, i, i);
		if (i % 500 == 0)
			index_commit(index, i);
	}
	for (uint64_t i = 1; i <= MANY; i += 7)
		assert_int_equal(find_tx(index, i), i);
	for (uint64_t i = MANY + 1; i <= MANY + 3000; i++)
		assert_int_equal(find_tx(index, i), 0);
	index_close(&index);
	/* 56 bytes each; what was merged or sorted does not stay beside it. */
	assert_int_equal(stat(data_path(), &status), 0);
	assert_true(status.st_size < 3 * MANY * 56 / 2);
}

static void test_one_owner_at_a_time(void **state)
{
	struct index *index = must_open(MAP, RUN);
	struct index *other = NULL;

	(void)state;
	assert_int_equal(index_open(&other, top, why), ERR_IN_USE);
	assert_non_null(strstr(why, top));
	assert_null(other);
	index_close(&index);
	assert_int_equal(index_open(&other, "/nowhere/at/all", why), ERR_IO);
}

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
		assert_true(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC);
	}
	closedir(stream);
	assert_true(found >= 3);
	index_close(&index);
}

/* ---- snapshots ---- */

enum { SNAPSHOT_MAX = 200000 };

static size_t snapshot_of(uint64_t height, uint8_t out[SNAPSHOT_MAX])
{
	static const size_t sizes[] = {1, 32703, 32704, 32705, 130816, 199999};
	size_t size = sizes[height % 6];

	fill(out, size, height);
	return size;
}

static void put_snapshot(struct index *index, uint64_t height)
{
	static uint8_t bytes[SNAPSHOT_MAX];
	uint8_t header[400];
	struct signature signature;

	fill(&signature, sizeof(signature), height);
	fill(header, sizeof(header), height);
	index_put_snapshot(index, height, view_of(header, height % 401),
		&signature, view_of(bytes, snapshot_of(height, bytes)));
}

/* The height that is found for height; all of it is right. */
static uint64_t find_snapshot(struct index *index, uint64_t height, size_t part)
{
	static uint8_t want[SNAPSHOT_MAX];
	static uint8_t got[SNAPSHOT_MAX];
	uint8_t want_header[400];
	uint8_t header[400];
	struct signature want_signature;
	struct signature signature;
	size_t header_size;
	uint64_t total = 1;
	uint64_t at = 0;

	while (at < total) {
		size_t size = part;

		if (!index_find_snapshot(index, &height, header, &header_size,
			    &signature, at, got + at, &size, &total))
			return 0;
		assert_true(size > 0 && size <= part);
		at += size;
	}
	assert_int_equal(at, total);
	assert_int_equal(total, snapshot_of(height, want));
	assert_memory_equal(got, want, total);
	fill(&want_signature, sizeof(want_signature), height);
	assert_memory_equal(&signature, &want_signature, sizeof(signature));
	fill(want_header, sizeof(want_header), height);
	assert_int_equal(header_size, height % 401);
	assert_memory_equal(header, want_header, header_size);
	return height;
}

static void test_the_newest_two_snapshots_stay(void **state)
{
	struct index *index = must_open(MAP, RUN);

	(void)state;
	for (uint64_t height = 100; height < 112; height++) {
		put_snapshot(index, height);
		index_commit(index, height);
		assert_int_equal(find_snapshot(index, 0, 7001), height);
		assert_int_equal(find_snapshot(index, height, 65000), height);
		assert_int_equal(
			find_snapshot(index, height + 5, 1 << 17), height);
		if (height > 100)
			assert_int_equal(
				find_snapshot(index, height - 1, 50000),
				height - 1);
		if (height > 101)
			assert_int_equal(
				find_snapshot(index, height - 2, 50000), 0);
	}
	/* The same again, and three at once. */
	put_snapshot(index, 111);
	put_snapshot(index, 113);
	put_snapshot(index, 115);
	index_commit(index, 115);
	index_close(&index);
	index = must_open(MAP, RUN);
	assert_int_equal(find_snapshot(index, 0, 50000), 115);
	assert_int_equal(find_snapshot(index, 114, 50000), 113);
	assert_int_equal(find_snapshot(index, 112, 50000), 0);
	index_close(&index);
}

static void test_reading_past_a_snapshot(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint8_t header[400];
	uint8_t out[10];
	struct signature signature;
	uint64_t height = 0;
	uint64_t total;
	size_t header_size;
	size_t size = sizeof(out);

	(void)state;
	put_snapshot(index, 6);
	index_commit(index, 6);
	assert_true(index_find_snapshot(index, &height, header, &header_size,
		&signature, 1, out, &size, &total));
	assert_int_equal(size, 0);
	assert_int_equal(total, 1);
	assert_false(index_find_snapshot(index, &height, header, &header_size,
		&signature, 2, out, &size, &total));
	index_close(&index);
}

/* ---- peers, and received transactions ---- */

static void test_peers(void **state)
{
	struct index *index = must_open(MAP, RUN);
	bool seen[10] = {false};
	uint64_t cursor = 0;
	uint8_t out[100];
	size_t size;

	(void)state;
	for (uint64_t i = 0; i < 10; i++) {
		struct key key = key_of(i);
		uint8_t old = 99;
		uint8_t entry = (uint8_t)i;

		index_put_peer(index, &key, view_of(&old, 1));
		index_put_peer(index, &key, view_of(&entry, 1));
	}
	index_commit(index, 0);
	while (index_next_peer(index, &cursor, out, &size, sizeof(out))) {
		assert_int_equal(size, 1);
		assert_true(out[0] < 10 && !seen[out[0]]);
		seen[out[0]] = true;
	}
	for (int i = 0; i < 10; i++)
		assert_true(seen[i]);
	index_close(&index);
}

static void put_received(struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	uint8_t bytes[8];

	memcpy(bytes, &number, 8);
	index_put_received(index, &wallet, &id, view_of(bytes, 8));
}

static void remove_received(struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);

	index_remove_received(index, &wallet, &id);
}

/* The numbers that are there, in order; returns how many. */
static size_t list_received(struct index *index, uint64_t *out, size_t max)
{
	uint64_t cursor = 0;
	uint64_t number;
	size_t count = 0;
	size_t size;

	while (index_next_received(
		index, &cursor, (uint8_t *)&number, &size, 8)) {
		assert_int_equal(size, 8);
		assert_true(count < max);
		out[count++] = number;
	}
	return count;
}

static void test_received_are_kept_in_order(void **state)
{
	struct index *index = must_open(MAP, RUN);
	uint64_t list[100];

	(void)state;
	for (uint64_t i = 1; i <= 9; i++)
		put_received(index, i * 7 % 10);
	remove_received(index, 1);
	remove_received(index, 55); /* was never there */
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 100), 8);
	assert_int_equal(list[0], 7);
	assert_int_equal(list[1], 4);
	assert_int_equal(list[2], 8);
	index_close(&index);
	index = must_open(MAP, RUN);
	remove_received(index, 4);
	put_received(index, 4); /* again: now it is the last */
	put_received(index, 77);
	remove_received(index, 77);
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 100), 8);
	assert_int_equal(list[1], 8);
	assert_int_equal(list[7], 4);
	index_close(&index);
}

static void test_the_received_agree_with_a_model(void **state)
{
	enum { NUMBERS = 500 };
	struct index *index = must_open(MAP, RUN);
	struct random random;
	uint64_t came[NUMBERS] = {0}; /* when; 0: it is not there */
	uint64_t list[NUMBERS];

	(void)state;
	random_seed(&random, 6);
	for (uint64_t step = 1; step < 20000; step++) {
		uint64_t i = random_below(&random, NUMBERS);
		size_t count = 0;
		size_t listed;

		if (random_chance(&random, 500)) {
			put_received(index, i);
			came[i] = step;
		} else {
			remove_received(index, i);
			came[i] = 0;
		}
		if (step % 1000 != 0)
			continue;
		index_commit(index, step);
		if (step % 4000 == 0) {
			index_close(&index);
			index = must_open(MAP, RUN);
		}
		listed = list_received(index, list, NUMBERS);
		for (size_t n = 0; n < NUMBERS; n++)
			count += came[n] != 0;
		assert_int_equal(listed, count);
		for (size_t n = 0; n < listed; n++)
			assert_true(
				came[list[n]] != 0 &&
				(n == 0 || came[list[n - 1]] < came[list[n]]));
	}
	index_close(&index);
}

static void test_no_more_received_than_may_wait(void **state)
{
	static uint64_t list[20001];
	struct index *index = must_open(MAP << 2, RUN);

	(void)state;
	for (uint64_t i = 0; i < 20003; i++)
		put_received(index, i);
	index_commit(index, 0);
	assert_int_equal(list_received(index, list, 20001), 20000);
	assert_int_equal(list[0], 3);
	assert_int_equal(list[19999], 20002);
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
	assert_false(index_is_damaged(reading.index));
	index_close(&reading.index);
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

static void test_flipped_bits_give_no_wrong_answer(void **state)
{
	struct random random;
	struct stat status;
	int file;

	(void)state;
	fill_some();
	random_seed(&random, 9);
	file = open(data_path(), O_RDWR);
	assert_true(file >= 0);
	assert_int_equal(fstat(file, &status), 0);
	for (unsigned i = 0; i < 200; i++) {
		off_t at =
			(off_t)random_below(&random, (uint64_t)status.st_size);
		uint8_t was;
		uint8_t now;

		assert_int_equal(pread(file, &was, 1, at), 1);
		now = was ^ (uint8_t)(1U << random_below(&random, 8));
		assert_int_equal(pwrite(file, &now, 1, at), 1);
		assert_int_equal(run_child(read_everything), 0);
		assert_int_equal(pwrite(file, &was, 1, at), 1);
	}
	close(file);
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

static int make(void **state)
{
	(void)state;
	directory_make(top);
	return 0;
}

static int remove_it(void **state)
{
	(void)state;
	directory_remove(top);
	return 0;
}

static int start(void **state)
{
	(void)state;
	crypto_start();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_index_is_empty),
		TEST(test_only_a_commit_is_seen),
		TEST(test_the_model_agrees),
		TEST(test_many_are_found_again),
		TEST(test_one_owner_at_a_time),
		TEST(test_programs_started_inherit_nothing),
		TEST(test_the_newest_two_snapshots_stay),
		TEST(test_reading_past_a_snapshot),
		TEST(test_peers),
		TEST(test_received_are_kept_in_order),
		TEST(test_the_received_agree_with_a_model),
		TEST(test_no_more_received_than_may_wait),
		TEST(test_the_map_grows_under_readers),
		TEST(test_a_shortened_file_is_named),
		TEST(test_flipped_bits_give_no_wrong_answer),
		TEST(test_kill_9_loses_no_commit),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
