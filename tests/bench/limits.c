/* tests/bench/limits.c -- what this machine can do, measured now.
 *
 * A figure of Perch's is worth nothing alone: machines differ and are shared.
 * So every run measures the limits too, one bare loop each, and prints them as
 * JSON lines: {"limit", "per_second", "p50_us", "p99_us"}.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "clock/clock.h"
#include "crypto/crypto.h"

enum { SAMPLES_MAX = 200000 };
static uint32_t samples[SAMPLES_MAX];

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Repeat for a second; tenths of microseconds a repetition. */
static void measure(const char *name, void (*once)(void *context),
	void *context, uint64_t group)
{
	uint64_t start = clock_monotonic_us(), now = start;
	size_t count = 0;
	while (now - start < 1000000 && count < SAMPLES_MAX) {
		for (uint64_t i = 0; i < group; i++)
			once(context);
		uint64_t after = clock_monotonic_us();
		samples[count++] = (uint32_t)((after - now) * 10 / group);
		now = after;
	}
	qsort(samples, count, sizeof(samples[0]), by_value);
	double per_second =
		(double)(count * group) * 1e6 / (double)(now - start);
	printf("{\"limit\":\"%s\",\"per_second\":%.0f,\"p50_us\":%.1f,"
	       "\"p99_us\":%.1f}\n",
		name, per_second, samples[count / 2] / 10.0,
		samples[count * 99 / 100] / 10.0);
	fflush(stdout);
}

struct work {
	struct keypair pair;
	struct hash network;
	struct signature signature;
	uint8_t message[200];
	int fd;
	off_t at;
	size_t size;
	uint8_t *bytes;
	int to, from; /* pipes */
};

static void once_sign(void *context)
{
	struct work *work = context;
	signature_make(&work->signature, &work->pair, "tx", &work->network,
		view_of(work->message, sizeof(work->message)));
}

static void once_verify(void *context)
{
	struct work *work = context;
	enum err err = signature_check(&work->signature, &work->pair.key, "tx",
		&work->network, view_of(work->message, sizeof(work->message)));
	CHECK(err == ERR_OK);
}

static void once_hash(void *context)
{
	struct work *work = context;
	struct hash hash =
		hash_bytes(view_of(work->message, sizeof(work->message)));
	work->message[0] = hash.bytes[0];
}

enum { FILE_SIZE = 64 << 20 };

static void once_append(void *context)
{
	struct work *work = context;
	if (work->at + (off_t)work->size > FILE_SIZE)
		work->at = 0;
	CHECK(pwrite(work->fd, work->bytes, work->size, work->at) ==
		(ssize_t)work->size);
	CHECK(fdatasync(work->fd) == 0);
	work->at += (off_t)work->size;
}

/* There and back: two wake-ups of a sleeping process. */
static void once_wake(void *context)
{
	struct work *work = context;
	uint8_t byte = 0;
	CHECK(write(work->to, &byte, 1) == 1);
	CHECK(read(work->from, &byte, 1) == 1);
}

static void start_echo(struct work *work)
{
	int there[2], back[2];
	CHECK(pipe(there) == 0 && pipe(back) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		uint8_t byte;
		close(there[1]);
		close(back[0]);
		while (read(there[0], &byte, 1) == 1)
			CHECK(write(back[1], &byte, 1) == 1);
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	work->to = there[1];
	work->from = back[0];
}

static void open_file(struct work *work, const char *directory)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/limits.XXXXXX", directory);
	work->fd = mkstemp(path);
	CHECK(work->fd >= 0);
	unlink(path);
	CHECK(posix_fallocate(work->fd, 0, FILE_SIZE) == 0);
	work->bytes = calloc(1, 200 * 1000);
	CHECK(work->bytes != NULL);
	/* Written once, so that only data is synced below. */
	for (off_t at = 0; at < FILE_SIZE; at += 100 * 1000)
		CHECK(pwrite(work->fd, work->bytes, 100 * 1000, at) > 0);
	CHECK(fsync(work->fd) == 0);
}

int main(int argc, char **argv)
{
	static struct work work;
	static const uint8_t seed[32] = {1};
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: perch-limits DIRECTORY\n");
		return 2;
	}
	crypto_start();
	keypair_from_seed(&work.pair, seed);
	start_echo(&work);
	measure("ed25519_sign", once_sign, &work, 10);
	measure("ed25519_verify", once_verify, &work, 10);
	measure("blake2b_200", once_hash, &work, 100);
	measure("process_wake_up_pair", once_wake, &work, 1);
	open_file(&work, argv[1]);
	work.size = 4096;
	measure("fdatasync_4k", once_append, &work, 1);
	work.size = 200 * 1000;
	measure("fdatasync_200k", once_append, &work, 1);
	close(work.fd);
	free(work.bytes);
	return 0;
}
