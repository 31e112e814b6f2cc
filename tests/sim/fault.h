/* sim/fault.h -- what goes wrong, when, for how long, and when it ends.
 *
 * Each seed draws which kinds may happen and how often: runs with few kinds
 * find other things than runs with all of them.
 */
#ifndef PERCH_SIM_FAULT_H
#define PERCH_SIM_FAULT_H

#include "net.h"

/* X(NAME, word) */
#define FAULT_LIST(X)                                                          \
	X(CRASH, "crash")     /* one process, with or without its power */     \
	X(POWER, "power")     /* everything at once */                         \
	X(STOP, "stop")       /* a process does not run for a while */         \
	X(SPLIT, "split")     /* two sides that do not hear each other */      \
	X(ONE_WAY, "one-way") /* one is not heard, or does not hear */         \
	X(CLOG, "clog") /* nothing arrives for a while, then all of it */      \
	X(SLOW, "slow-link")                                                   \
	X(LOSS, "loss")                                                        \
	X(TWICE, "twice") /* doubled and reordered */                          \
	X(DISK, "slow-disk")                                                   \
	X(IO, "io")           /* a sync fails: the process stops */            \
	X(VOTE, "vote-crash") /* a crash just after a vote was given */        \
	X(CLOCK, "clock")     /* a wall clock steps */                         \
	X(DAMAGE, "damage")   /* a record goes bad while its node is down */   \
	X(COMPACT, "compact")                                                  \
	X(TRANSFER, "transfer") /* of leadership */                            \
	X(MEMBER, "member")     /* one more or one fewer, or another role */

enum fault_kind {
#define X(name, word) FAULT_##name,
	FAULT_LIST(X)
#undef X
		FAULT_KINDS
};

struct world;
struct node;
struct plan;

struct fault_state {
	unsigned may;             /* bits of kinds */
	int64_t gap_us;           /* longest time between two */
	bool io[SIM_NODES_MAX];   /* the next sync fails */
	bool vote[SIM_NODES_MAX]; /* crash after the next vote */
	uint64_t member_changes;
	uint64_t count;
};

const char *fault_name(enum fault_kind kind);
/* A comma-separated list of words to bits; false when one is unknown. */
bool fault_parse(const char *text, unsigned *bits);

void fault_begin(struct world *world);
/* PLAN_FAULT, PLAN_MEND, PLAN_START. */
void fault_plan(struct world *world, const struct plan *plan);
/* Faults end: a majority at least is well from now on. */
void fault_heal(struct world *world);
/* Links as they are when nothing is wrong. */
void fault_links(struct world *world);

/* Voters that have not got back what they acknowledged. */
size_t fault_forgetful(const struct world *world);
bool fault_io(struct world *world, struct node *node);
/* A vote of this node has become durable, and was given. */
void fault_voted(struct world *world, struct node *node);
/* A node is not a member any more. */
void fault_left(struct world *world, uint32_t number);
void fault_restart_later(struct world *world, struct node *node);

#endif
