/* consensus/pow/retarget.h -- how hard the next block must be.
 *
 * What the rule needs to know of the past is handed from block to block, so
 * nobody looks back: a node that keeps 300 headers and one that keeps them all
 * agree.
 */
#ifndef PERCH_CONSENSUS_POW_RETARGET_H
#define PERCH_CONSENSUS_POW_RETARGET_H

#include "contract/pow_rules.h"

enum {
	POW_WINDOW_BLOCKS = 2016,
	POW_EASIEST_BITS = 0x207fffff,
	/* A network that slept wakes up with a block, not with a burst of
	 * blocks that nearly cost nothing: a gap counts as so many intervals
	 * at most. */
	POW_GAP_INTERVALS = 10,
};

/* Of one block. */
struct pow_past {
	uint64_t height;
	time_ms time;
	time_ms parent_time;
	time_ms window_time; /* of the first block of its 2,016 */
	uint32_t bits;
};

/* The target that a child of this block must state. */
uint32_t pow_next_bits(
	const struct pow_rules *rules, const struct pow_past *parent);
/* The past of a child. */
struct pow_past pow_past_of(
	const struct pow_past *parent, time_ms time, uint32_t bits);

/* bits * 2^((took - interval) / half_life). Units do not matter. */
uint32_t pow_asert(
	uint32_t bits, time_ms took, time_ms interval, time_ms half_life);
/* Bitcoin's: bits * took / wanted, each step within 4 and 1/4, and never easier
 * than easiest. Units do not matter. */
uint32_t pow_window(
	uint32_t bits, time_ms took, time_ms wanted, uint32_t easiest);

#endif
