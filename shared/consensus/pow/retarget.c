/* consensus/pow/retarget.c -- targets that follow the hash power. */
#include "consensus/pow/retarget.h"

#include "base/check.h"
#include "consensus/pow/target.h"

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_BITS = 16, EXPONENT_MAX = 512 };

/* 2^(1/2), 2^(1/4), ... as multiples of 2^-32. */
static const uint64_t roots[FRACTION_BITS] = {
	6074001000,
	5107605667,
	4683695048,
	4485121744,
	4389014833,
	4341736423,
	4318288544,
	4306612134,
	4300785774,
	4297875550,
	4296421177,
	4295694175,
	4295330720,
	4295149004,
	4295058149,
	4295012722,
};

static uint32_t clamp(struct number target, uint32_t easiest)
{
	struct number limit;
	bool good = target_of_bits(&limit, easiest);
	CHECK(good);
	if (number_compare(&target, &limit) > 0)
		return easiest;
	uint32_t bits = bits_of_target(&target);
	return target_of_bits(&limit, bits) ? bits : 0x01010000;
}

/* 2^(fraction / 65536) as a multiple of 2^-32, below 2^33. */
static uint64_t power(uint32_t fraction)
{
	uint64_t value = (uint64_t)1 << 32;
	for (unsigned i = 0; i < FRACTION_BITS; i++) {
		if ((fraction >> (FRACTION_BITS - 1 - i) & 1) == 0)
			continue;
		value = (uint64_t)((wide)value * roots[i] >> 32);
	}
	return value;
}

uint32_t pow_asert(
	uint32_t bits, time_ms took, time_ms interval, time_ms half_life)
{
	struct number target;
	bool good = target_of_bits(&target, bits);
	CHECK(good && half_life > 0);
	time_ms late = took - interval;
	time_ms whole = late / half_life, rest = late % half_life;
	if (rest < 0) {
		rest += half_life;
		whole--;
	}
	if (whole > EXPONENT_MAX)
		whole = EXPONENT_MAX;
	if (whole < -EXPONENT_MAX)
		whole = -EXPONENT_MAX;
	uint32_t fraction = (uint32_t)(((uint64_t)rest << FRACTION_BITS) /
				       (uint64_t)half_life);
	target = number_scale(&target, power(fraction), (uint64_t)1 << 32);
	target = number_shift(&target, (int)whole);
	return clamp(target, POW_EASIEST_BITS);
}

/* NAKAMOTO's client, and every one since: the time that the last 2,016 blocks
 * took (2,015 intervals, an error that is now the rule) over two weeks. */
uint32_t pow_window(
	uint32_t bits, time_ms took, time_ms wanted, uint32_t easiest)
{
	struct number target;
	bool good = target_of_bits(&target, bits);
	CHECK(good && wanted >= 4);
	if (took < wanted / 4)
		took = wanted / 4;
	if (took > wanted * 4)
		took = wanted * 4;
	target = number_scale(&target, (uint64_t)took, (uint64_t)wanted);
	return clamp(target, easiest);
}

/*~ How hard the next block is, decided by how late the last one was: a block
 * that took a half-life longer than the interval doubles the target, one that
 * came sooner lowers it. The product over many blocks depends on the time of
 * the last one alone, so no run of luck is ever paid twice (ASERT). Bitcoin
 * looks back two weeks instead, and `fixed` never looks.
 */
uint32_t pow_next_bits(
	const struct pow_rules *rules, const struct pow_past *parent)
{
	uint64_t next = parent->height + 1;
	if (parent->height == 0)
		return rules->bits;
	switch (rules->retarget) {
	case POW_RETARGET_ASERT: {
		time_ms took = parent->time - parent->parent_time;
		time_ms most = POW_GAP_INTERVALS * rules->interval_ms;
		/* The genesis may be much older than the first block. */
		if (parent->height == 1)
			return parent->bits;
		return pow_asert(parent->bits, took > most ? most : took,
			rules->interval_ms, rules->half_life_ms);
	}
	case POW_RETARGET_WINDOW:
		if (next % POW_WINDOW_BLOCKS != 0)
			return parent->bits;
		return pow_window(parent->bits,
			parent->time - parent->window_time,
			POW_WINDOW_BLOCKS * rules->interval_ms,
			POW_EASIEST_BITS);
	case POW_RETARGET_FIXED:
		break;
	}
	return parent->bits;
}

struct pow_past pow_past_of(
	const struct pow_past *parent, time_ms time, uint32_t bits)
{
	struct pow_past past = {
		.height = parent->height + 1,
		.time = time,
		.parent_time = parent->time,
		.window_time = parent->window_time,
		.bits = bits,
	};
	if (past.height % POW_WINDOW_BLOCKS == 0)
		past.window_time = time;
	return past;
}
