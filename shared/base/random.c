/* base/random.c -- xoshiro256** (Blackman and Vigna, 2018), seeded with
 * splitmix64 as its authors advise.
 */
#include "base/random.h"

#include "base/check.h"

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t splitmix_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void random_seed(struct random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		random->state[i] = splitmix_next(&seed);
}

uint64_t random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	CHECK(bound > 0);
	/* 2^64 mod bound values at the bottom would be drawn once too often. */
	uint64_t surplus = (0 - bound) % bound;
	uint64_t x;

	do {
		x = random_next(random);
	} while (x < surplus);
	return x % bound;
}

bool random_chance(struct random *random, unsigned permille)
{
	return random_below(random, 1000) < permille;
}
