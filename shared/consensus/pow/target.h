/* consensus/pow/target.h -- numbers of 256 bits: targets, and work.
 *
 * A target in compact form ("bits") is a floating-point number: one byte of
 * exponent, three of mantissa (NAKAMOTO's own encoding, in every Bitcoin
 * header). The work of a block is how many hashes it takes on average:
 * 2^256 / (target + 1). The chain is the one with the greatest sum.
 */
#ifndef PERCH_CONSENSUS_POW_TARGET_H
#define PERCH_CONSENSUS_POW_TARGET_H

#include "base/view.h"

/* Least significant word first. */
struct number {
	uint64_t words[4];
};

int number_compare(const struct number *a, const struct number *b);
bool number_is_zero(const struct number *a);
/* a + b, or all ones when that is too much. */
struct number number_add(const struct number *a, const struct number *b);
/* a - b; CHECKs that b <= a. */
struct number number_subtract(const struct number *a, const struct number *b);
/* a * factor / divisor, rounded down, or all ones when that is too much. */
struct number number_scale(
	const struct number *a, uint64_t factor, uint64_t divisor);
/* a * 2^shift, or all ones; a negative shift divides. */
struct number number_shift(const struct number *a, int shift);
/* As 32 bytes, least significant first; most significant first. */
void number_little(const struct number *a, uint8_t out[32]);
void number_big(const struct number *a, uint8_t out[32]);
/* The nearest double. */
double number_double(const struct number *a);

/* False: negative, zero, or more than 256 bits; such a target is none. */
bool target_of_bits(struct number *out, uint32_t bits);
/* Rounded down to what the form can say. */
uint32_t bits_of_target(const struct number *target);
/* Average number of hashes for one that meets these bits; zero for none. */
struct number work_of_bits(uint32_t bits);

#endif
