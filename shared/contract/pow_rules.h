/* contract/pow_rules.h -- how hard it is to make a block of proof of work.
 *
 * Part of the genesis, so that every node has the same rules; plain data here,
 * carried out in consensus/pow.
 */
#ifndef PERCH_CONTRACT_POW_RULES_H
#define PERCH_CONTRACT_POW_RULES_H

#include "base/view.h"

enum pow_retarget {
	POW_RETARGET_ASERT,  /* every block, exponentially by its lateness */
	POW_RETARGET_WINDOW, /* Bitcoin's: every 2,016 blocks, at most by 4 */
	POW_RETARGET_FIXED,
};

enum {
	POW_BITS_DEFAULT = 0x1e010000, /* 2^24 hashes: a core's second or so */
	POW_INTERVAL_MS_DEFAULT = 2000,
	POW_DEPTH_DEFAULT = 6,
	POW_DEPTH_MAX = 100,
	/* Half-life when none is given, in intervals: after a change of hash
	 * power by 4, twenty blocks are enough. */
	POW_HALF_LIFE_INTERVALS = 5,
};

struct pow_rules {
	time_ms interval_ms;
	uint32_t bits; /* the target of the first block, in compact form */
	enum pow_retarget retarget;
	time_ms half_life_ms; /* of asert */
	uint32_t depth;       /* how far below the tip blocks are signed */
};

#endif
