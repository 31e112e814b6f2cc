/* tests/bench/store.c -- what the log and the index cost, beside a bare file.
 *
 * perch-store DIRECTORY: in an empty directory on the disk to be measured.
 * Prints JSON lines: {"store", "per_second", "p50_us", "p99_us"} for appends,
 * {"store", "count", "ms"} for opening many blocks, {"store", "count",
 * "us_each"} for the index. The bare file was written to before, so that its
 * syncs sync data only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "clock/clock.h"
#include "crypto/crypto.h"
#include "store/store.h"

enum {
	FILE_SIZE = 64 << 20,
	SAMPLES_MAX = 3000,
	BLOCK = 50000,
	MANY_BLOCKS = 1000000,
	MANY_TXS = 1000000,
	COMMIT_TXS = 9000,
	QUESTIONS = 2000,
};

static uint32_t samples[SAMPLES_MAX];
static uint8_t bytes[4 * BLOCK];
static char why[200];

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void say_rate(const char *name, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += samples[i];
	qsort(samples, count, sizeof(samples[0]), by_value);
	printf("{\"store\":\"%s\",\"per_second\":%.0f,\"p50_us\":%u,"
	       "\"p99_us\":%u}\n",
		name, (double)count * 1e6 / (double)sum, samples[count / 2],
		samples[count * 99 / 100]);
	fflush(stdout);
}

static void say_each(const char *name, uint64_t count, uint64_t us)
{
	printf("{\"store\":\"%s\",\"count\":%llu,\"us_each\":%.2f}\n", name,
		(unsigned long long)count, (double)us / (double)count);
	fflush(stdout);
}

static char *path_of(const char *directory, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void bare(
	const char *directory, const char *name, size_t size, size_t count)
{
	int file = open(path_of(directory, "bare"),
		O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(file >= 0);
	for (size_t at = 0; at < FILE_SIZE; at += BLOCK)
		CHECK(pwrite(file, bytes, BLOCK, (off_t)at) == BLOCK);
	CHECK(fsync(file) == 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t start = clock_monotonic_us();

		CHECK(pwrite(file, bytes, size, (off_t)(i * size)) ==
			(ssize_t)size);
		CHECK(fdatasync(file) == 0);
		samples[i] = (uint32_t)(clock_monotonic_us() - start);
	}
	close(file);
	CHECK(unlink(path_of(directory, "bare")) == 0);
	say_rate(name, count);
}

static struct log *open_log(const char *directory, const char *name)
{
	struct log *log = NULL;
	uint64_t bad;

	CHECK(log_open(&log, path_of(directory, name), &bad, why) == ERR_OK);
	return log;
}

static void groups(const char *directory, const char *name, size_t size,
	unsigned blocks, size_t count)
{
	struct log *log = open_log(directory, name);

	for (size_t i = 0; i < count; i++) {
		uint64_t start = clock_monotonic_us();

		for (unsigned n = 0; n < blocks; n++)
			log_append(log, log_tip(log) + 1, view_of(bytes, size));
		log_sync(log);
		samples[i] = (uint32_t)(clock_monotonic_us() - start);
	}
	log_close(&log);
	say_rate(name, count);
}

static void many_blocks(const char *directory)
{
	struct log *log = open_log(directory, "many");
	uint64_t start;

	for (uint64_t height = 1; height <= MANY_BLOCKS; height++)
		log_append(log, height, view_of(bytes, 400));
	log_close(&log);
	start = clock_monotonic_us();
	log = open_log(directory, "many");
	printf("{\"store\":\"open blocks of 400 B\",\"count\":%d,\"ms\":%.0f}"
	       "\n",
		MANY_BLOCKS, (double)(clock_monotonic_us() - start) / 1000);
	start = clock_monotonic_us();
	for (uint64_t i = 1; i <= 50000; i++) {
		size_t size;

		CHECK(log_read(log, i * 17, bytes, &size) == ERR_OK);
	}
	say_each("read a block of 400 B", 50000, clock_monotonic_us() - start);
	log_close(&log);
}

static struct id id_of(uint64_t number)
{
	struct id id = {{0}};

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

static void many_txs(const char *directory)
{
	static const struct key wallet = {{1}};
	struct hash hash = {{2}};
	struct index *index = NULL;
	uint64_t start = clock_monotonic_us();
	uint64_t height;
	uint16_t at;

	CHECK(index_open(&index, directory, why) == ERR_OK);
	for (uint64_t i = 1; i <= MANY_TXS; i++) {
		struct id id = id_of(i);

		index_put_tx(index, &wallet, &id, &hash, i, 0);
		if (i % COMMIT_TXS == 0 || i == MANY_TXS)
			index_commit(index, i);
	}
	say_each("index a transaction", MANY_TXS, clock_monotonic_us() - start);
	start = clock_monotonic_us();
	for (uint64_t i = 0; i < QUESTIONS; i++) {
		struct id id = id_of(1 + i * 499);

		CHECK(index_find_tx(index, &wallet, &id, &hash, &height, &at));
		CHECK(height == 1 + i * 499);
	}
	say_each("find one", QUESTIONS, clock_monotonic_us() - start);
	index_close(&index);
}

int main(int count, char **words)
{
	if (count != 2 || words[1][0] == '-') {
		fprintf(stderr, "usage: perch-store DIRECTORY\n");
		return 2;
	}
	crypto_start();
	memset(bytes, 7, sizeof(bytes));
	bare(words[1], "bare 4 KiB and fdatasync", 4096, SAMPLES_MAX);
	groups(words[1], "log 4 KiB and sync", 4096, 1, SAMPLES_MAX);
	bare(words[1], "bare 200 KB and fdatasync", sizeof(bytes), 300);
	groups(words[1], "log 4 x 50 KB and sync", BLOCK, 4, 300);
	many_blocks(words[1]);
	many_txs(words[1]);
	return 0;
}
