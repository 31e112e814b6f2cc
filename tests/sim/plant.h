/* sim/plant.h -- mistakes that are planted on purpose, to see that the judges
 * have teeth: each must be found, and without it the same seeds must pass.
 *
 * Most are mistakes of a driver or a disk, made here around the real replica;
 * three replace a public function of it at link time.
 */
#ifndef PERCH_SIM_PLANT_H
#define PERCH_SIM_PLANT_H

#include "bank.h"

/* X(NAME, word, what is wrong) */
#define PLANT_LIST(X)                                                          \
	X(NONE, "none", "nothing")                                             \
	X(EARLY_SAVED, "early-saved",                                          \
		"the disk says that a write is durable when it is only "       \
		"written")                                                     \
	X(SAVED_AHEAD, "saved-ahead",                                          \
		"SAVED answers for a write that has not been done")            \
	X(FORGET_VOTE, "forget-vote", "a crash loses the vote")                \
	X(BEGIN_ANEW, "begin-anew",                                            \
		"a voter whose disk is lost begins anew with an empty one")    \
	X(FORGET_LOG, "forget-log", "a crash loses the last durable blocks")   \
	X(KEEP_OLD, "keep-old",                                                \
		"a block does not replace the one at its height")              \
	X(WRONG_SENDER, "wrong-sender",                                        \
		"a message is taken for another member's")                     \
	X(WRONG_BLOCKS, "wrong-blocks",                                        \
		"the blocks with a message are those of one height higher")    \
	X(NO_FORWARD, "no-forward",                                            \
		"transactions are never brought to the leader")                \
	X(NO_STATE, "no-state", "nobody gives a snapshot out")                 \
	X(KEEP_LOG, "keep-log",                                                \
		"the old log stays when a fetched state takes over")           \
	X(LOST_TIMER, "lost-timer", "a wish to be woken is forgotten")         \
	X(ACK_ORDERED, "ack-ordered",                                          \
		"a client is told final when a block is only ordered")         \
	X(FORGED_RECEIPT, "forged-receipt",                                    \
		"a client is told another receipt than the ledger's")          \
	X(FORGET_RECEIVED, "forget-received",                                  \
		"what a node said it received is gone after a crash")          \
	X(STALE_READ, "stale-read",                                            \
		"a read is answered without being confirmed")                  \
	X(OLD_STATE, "old-state",                                              \
		"a snapshot is given out with the state of an earlier one")    \
	X(TWICE, "twice",                                                      \
		"a transaction that is seen again has its effect again")       \
	X(OVERLAP, "overlap",                                                  \
		"a grant is said and not kept, so that another gets the "      \
		"window")                                                      \
	X(NO_UNDO, "no-undo", "a refused transaction is not undone")

enum plant {
#define X(name, word, what) PLANT_##name,
	PLANT_LIST(X)
#undef X
		PLANTS
};

struct node;
struct output;
struct packet;
struct sim_tx;
struct world;

const char *plant_name(enum plant plant);
const char *plant_text(enum plant plant);
bool plant_find(const char *name, enum plant *plant);

/* Each place where something can be planted. */
/* The plant of the run, for the replaced functions. */
void plant_begin(enum plant plant);
void plant_after_crash(struct world *world, struct node *node);
void plant_after_save(struct world *world, struct node *node, uint64_t task);
/* False: nothing is said; task may be changed. */
bool plant_says_saved(
	struct world *world, const struct node *node, uint64_t *task);
uint32_t plant_sender(struct world *world, const struct packet *packet);
bool plant_loses_timer(struct world *world);
bool plant_is(const struct world *world, enum plant plant);
void plant_on_ordered(
	struct world *world, struct node *node, const struct bank_block *block);
struct view plant_receipt(struct world *world, struct view receipt);
bool plant_forgets_received(const struct world *world);
bool plant_reads_at_once(struct world *world, struct node *node);
const struct bank_state *plant_state(
	struct world *world, const struct bank_state *state);

#endif
