/* tests/bench/mining.c -- hashes a second of one core, beside OpenSSL's own.
 *
 * The limit is the barest loop around SHA256_Transform that makes an 80-byte
 * seal's double hash from a mid-state: nothing is compared, nothing is swapped.
 * Both take turns of a few milliseconds of processor time, so that they meet
 * the same machine. Prints JSON lines: {"limit", "per_second", "p50_us",
 * "p99_us"} of a hash.
 */
#define OPENSSL_API_COMPAT 10100 /* as in crypto/sha256d.c */

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "crypto/sha256d.h"

enum { TURN = 50000, TURNS = 400 };

static uint8_t seal[SEAL_SIZE];

struct rate {
	const char *name;
	uint32_t turns[TURNS]; /* us each */
};

/* Of this thread: others on this machine do not count. */
static uint64_t cpu_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static uint32_t bare(uint32_t from)
{
	uint8_t tail[64] = {0}, second[64] = {0};
	SHA256_CTX start, middle, context;

	SHA256_Init(&start);
	middle = start;
	SHA256_Transform(&middle, seal);
	memcpy(tail, seal + 64, 16);
	tail[16] = second[32] = 0x80;
	tail[62] = 2;
	tail[63] = 0x80;
	second[62] = 1;
	for (uint32_t i = 0; i < TURN; i++) {
		uint32_t nonce = from + i;

		memcpy(tail + 12, &nonce, 4);
		memcpy(context.h, middle.h, 32);
		SHA256_Transform(&context, tail);
		memcpy(second, context.h, 32);
		memcpy(context.h, start.h, 32);
		SHA256_Transform(&context, second);
	}
	return context.h[7];
}

static uint32_t ours(uint32_t from)
{
	static const uint8_t none[32];
	uint32_t nonce = 0;

	CHECK(!sha256d_search(seal, none, from, TURN, &nonce));
	return nonce;
}

static void take_turn(
	struct rate *rate, uint32_t (*run)(uint32_t from), uint32_t turn)
{
	static volatile uint32_t kept; /* so that nothing is left out */
	uint64_t start = cpu_us();

	kept = run(turn * TURN);
	rate->turns[turn] = (uint32_t)(cpu_us() - start);
	(void)kept;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void say(struct rate *rate)
{
	qsort(rate->turns, TURNS, sizeof(rate->turns[0]), by_value);
	/* The median turn: what else the machine did is in the others. */
	printf("{\"limit\":\"%s\",\"per_second\":%.0f,\"p50_us\":%.4f,"
	       "\"p99_us\":%.4f}\n",
		rate->name, TURN * 1e6 / rate->turns[TURNS / 2],
		(double)rate->turns[TURNS / 2] / TURN,
		(double)rate->turns[TURNS * 99 / 100] / TURN);
}

int main(void)
{
	static struct rate limit = {.name = "sha256d_openssl"};
	static struct rate mining = {.name = "sha256d_mining"};

	for (uint32_t turn = 0; turn < TURNS; turn++) {
		take_turn(&limit, bare, turn);
		take_turn(&mining, ours, turn);
	}
	say(&limit);
	say(&mining);
	return 0;
}
