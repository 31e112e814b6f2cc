/* contract/never.h -- what must never happen, as checks over a state and over
 * the blocks that lead to it.
 *
 * They share no code with the guards that prevent it: property tests run them
 * after every operation, the evaluator and the observer after every block. What
 * they find is a bug or a lie, never bad input.
 */
#ifndef PERCH_CONTRACT_NEVER_H
#define PERCH_CONTRACT_NEVER_H

#include "contract/contract.h"

/* X(number, what must never happen). 16 and 18 are not about what is in the
 * ledger but about who acts on it: a node answers `behind` or nothing, and a
 * controller takes a clearance from a final receipt only. */
#define NEVER_LIST(X)                                                          \
	X(1, "two unexpired clearances in one pad group")                      \
	X(2, "two live reservations of one pad group overlap")                 \
	X(3, "a clearance on a pad state that is old or contradicts it")       \
	X(4, "a movement without exactly one clearance, and no incursion")     \
	X(5, "a clearance answers what was asked before the last movement")    \
	X(6, "a departure is cleared and its landing is not confirmed")        \
	X(7, "half a pair")                                                    \
	X(8, "a flight in the air without a landing place")                    \
	X(9, "something new, or a clearance, inside a closure")                \
	X(10, "pre-emption without a higher granted tier, or of a flight")     \
	X(11, "an overstay ends and the pad was not measured empty")           \
	X(12, "a change that the table does not have, or by the wrong role")   \
	X(13, "block time goes back, or a state root differs")                 \
	X(14, "one aircraft in two places")                                    \
	X(15, "one id with two effects")                                       \
	X(17, "more live reservations than the quota")

struct never_found {
	int rule; /* its number */
	char what[160];
};

/* "half a pair"; NULL for a number without a check here. */
const char *never_text(int rule);

/* Everything that one state shows; true: found. */
bool never_state(const struct state *state, struct never_found *found);

/* What is remembered from block to block: the last few thousand movements and
 * requests, in fixed room. Zeroed at the start. */
enum { NEVER_KEPT = 4096 };
struct never_watch {
	time_ms time;    /* of the last block */
	uint64_t number; /* of the last operation */
	struct {
		struct id reservation;
		uint64_t nonce, asked; /* the number of the request */
		bool used;
	} requests[NEVER_KEPT];
	struct {
		uint64_t aircraft; /* the first bytes of its hash */
		uint64_t moved;    /* the number of its last movement */
	} movements[NEVER_KEPT];
};

/* A block that was just connected: state is the one after it, moves all of its
 * own. Looks at what the block touched; true: found. */
bool never_block(struct never_watch *watch, const struct state *state,
	const struct block_ref *block, const struct moves *moves,
	struct never_found *found);

/* ---- between never.c and never_block.c ---- */

/* Fills found; returns true. */
bool never_say(struct never_found *found, int rule, const struct id *id);
/* A port by its index (not its rank), an aircraft, a party. */
bool never_port(
	const struct state *state, uint32_t port, struct never_found *found);
bool never_aircraft(
	const struct state *state, uint32_t first, struct never_found *found);

#endif
