/* base/random.h -- seeded pseudo-random numbers (xoshiro256**), for simulation
 * and tests. Never for keys.
 */
#ifndef PERCH_BASE_RANDOM_H
#define PERCH_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state[4];
};

/* Any seed is good: splitmix64 spreads it. */
void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* True in permille of 1000 draws. */
bool random_chance(struct random *random, unsigned permille);

#endif
