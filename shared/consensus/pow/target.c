/* consensus/pow/target.c -- schoolbook arithmetic, where overflow has a
 * meaning: a target that would be too easy is the easiest one.
 */
#include "consensus/pow/target.h"

#include <string.h>

#include "base/check.h"

__extension__ typedef unsigned __int128 wide;

static const struct number most = {
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

int number_compare(const struct number *a, const struct number *b)
{
	for (int i = 3; i >= 0; i--) {
		if (a->words[i] != b->words[i])
			return a->words[i] < b->words[i] ? -1 : 1;
	}
	return 0;
}

bool number_is_zero(const struct number *a)
{
	return (a->words[0] | a->words[1] | a->words[2] | a->words[3]) == 0;
}

struct number number_add(const struct number *a, const struct number *b)
{
	struct number sum;
	wide carry = 0;
	for (int i = 0; i < 4; i++) {
		carry += (wide)a->words[i] + b->words[i];
		sum.words[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return carry == 0 ? sum : most;
}

struct number number_subtract(const struct number *a, const struct number *b)
{
	struct number rest;
	uint64_t borrow = 0;
	CHECK(number_compare(a, b) >= 0);
	for (int i = 0; i < 4; i++) {
		wide taken = (wide)b->words[i] + borrow;
		borrow = (wide)a->words[i] < taken;
		rest.words[i] = (uint64_t)((wide)a->words[i] - taken);
	}
	return rest;
}

struct number number_scale(
	const struct number *a, uint64_t factor, uint64_t divisor)
{
	uint64_t product[5];
	struct number scaled = {{0}};
	wide carry = 0;
	CHECK(divisor > 0);
	for (int i = 0; i < 4; i++) {
		carry += (wide)a->words[i] * factor;
		product[i] = (uint64_t)carry;
		carry >>= 64;
	}
	product[4] = (uint64_t)carry;
	if (product[4] >= divisor)
		return most;
	/* A bit at a time: nothing below the pure line divides wider numbers
	 * than the machine does. */
	uint64_t rest = product[4];
	for (int bit = 255; bit >= 0; bit--) {
		wide next =
			(wide)rest << 1 | (product[bit / 64] >> bit % 64 & 1);
		bool fits = next >= divisor;
		rest = (uint64_t)(fits ? next - divisor : next);
		scaled.words[bit / 64] |= (uint64_t)fits << bit % 64;
	}
	return scaled;
}

static struct number shift_left(const struct number *a, unsigned shift)
{
	struct number out = {{0}};
	unsigned words = shift / 64, bits = shift % 64;
	for (unsigned i = 0; i < 4; i++) {
		wide value = (wide)a->words[i] << bits;
		uint64_t low = (uint64_t)value;
		uint64_t high = (uint64_t)(value >> 64);
		if ((low != 0 && i + words > 3) || (high != 0 && i + words > 2))
			return most;
		if (low != 0)
			out.words[i + words] |= low;
		if (high != 0)
			out.words[i + words + 1] |= high;
	}
	return out;
}

static struct number shift_right(const struct number *a, unsigned shift)
{
	struct number out = {{0}};
	unsigned words = shift / 64, bits = shift % 64;
	for (unsigned i = words; i < 4; i++) {
		out.words[i - words] |= a->words[i] >> bits;
		if (bits > 0 && i > words)
			out.words[i - words - 1] |= a->words[i] << (64 - bits);
	}
	return out;
}

struct number number_shift(const struct number *a, int shift)
{
	if (shift <= -256)
		return (struct number){{0}};
	if (shift >= 256)
		return number_is_zero(a) ? *a : most;
	return shift < 0 ? shift_right(a, (unsigned)-shift)
			 : shift_left(a, (unsigned)shift);
}

void number_little(const struct number *a, uint8_t out[32])
{
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(a->words[i / 8] >> i % 8 * 8);
}

void number_big(const struct number *a, uint8_t out[32])
{
	for (int i = 0; i < 32; i++)
		out[31 - i] = (uint8_t)(a->words[i / 8] >> i % 8 * 8);
}

double number_double(const struct number *a)
{
	double value = 0;
	for (int i = 3; i >= 0; i--)
		value = value * 18446744073709551616.0 + (double)a->words[i];
	return value;
}

/* ---- the compact form ---- */

bool target_of_bits(struct number *out, uint32_t bits)
{
	struct number mantissa = {{bits & 0x7fffff}};
	int shift = 8 * ((int)(bits >> 24) - 3);
	bool negative = (bits & 0x800000) != 0;
	struct number target = number_shift(&mantissa, shift);
	if (negative || number_is_zero(&target))
		return false;
	/* What is shifted out at the top is all ones, and so is no target that
	 * 23 bits can say. */
	if (number_compare(&target, &most) == 0)
		return false;
	*out = target;
	return true;
}

uint32_t bits_of_target(const struct number *target)
{
	int size = 32;
	uint8_t bytes[32];
	number_big(target, bytes);
	while (size > 0 && bytes[32 - size] == 0)
		size--;
	struct number mantissa = number_shift(target, -8 * (size - 3));
	uint32_t bits = (uint32_t)mantissa.words[0];
	/* The highest of the 24 bits would be a sign. */
	if (bits & 0x800000) {
		bits >>= 8;
		size++;
	}
	return bits | (uint32_t)size << 24;
}

/* 2^256 / (target + 1) = (2^256 - target - 1) / (target + 1) + 1, by long
 * division, a bit at a time. */
struct number work_of_bits(uint32_t bits)
{
	static const struct number one = {{1}};
	struct number target, rest = {{0}}, quotient = {{0}};
	if (!target_of_bits(&target, bits))
		return rest;
	struct number divisor = number_add(&target, &one);
	struct number dividend = number_subtract(&most, &target);
	for (int bit = 255; bit >= 0; bit--) {
		CHECK(rest.words[3] >> 63 == 0); /* never more than it was */
		rest = number_shift(&rest, 1);
		rest.words[0] |= dividend.words[bit / 64] >> bit % 64 & 1;
		if (number_compare(&rest, &divisor) >= 0) {
			rest = number_subtract(&rest, &divisor);
			quotient.words[bit / 64] |= (uint64_t)1 << bit % 64;
		}
	}
	return number_add(&quotient, &one);
}
