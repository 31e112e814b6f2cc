/* sim/queue.h -- what is going to happen, ordered by (time, sequence).
 *
 * Two things at one instant happen in the order in which they were planned, so
 * a run is decided by its seed alone.
 */
#ifndef PERCH_SIM_QUEUE_H
#define PERCH_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_kind {
	PLAN_PACKET,   /* a packet arrives */
	PLAN_TIMER,    /* a node's engine is to be woken */
	PLAN_DISK,     /* the oldest sync of a node's disk is done */
	PLAN_SAVED,    /* a planted fault: SAVED is said now */
	PLAN_KEPT,     /* a snapshot of a node is durable */
	PLAN_RECEIVED, /* a transaction is on a node's disk */
	PLAN_BUILD,    /* a batch of submissions has ended */
	PLAN_FOUND,    /* a miner finds a nonce */
	PLAN_SIGN,     /* a node signs a block */
	PLAN_FETCH,  /* ask again for a snapshot: the last kind of a node's own
		      */
	PLAN_START,  /* a node starts */
	PLAN_CLIENT, /* a client looks at what it waits for */
	PLAN_FAULT,  /* the next fault */
	PLAN_MEND,   /* a fault ends */
	PLAN_WIPE,   /* a node that left is used for something else */
	PLAN_HEAL,   /* the time of faults is over */
	PLAN_SETTLE, /* is everything done? */
	PLAN_END,
};

struct plan {
	int64_t at_us;
	uint64_t sequence;
	enum plan_kind kind;
	uint32_t who;   /* node or client */
	uint64_t stamp; /* the life it was made for: it may be stale */
	uint64_t value;
	void *what; /* PLAN_PACKET: struct packet; PLAN_KEPT: the state;
		     * PLAN_SIGN: the block */
};

struct queue {
	size_t count;
	size_t room;
	uint64_t sequence;
	struct plan *items; /* a binary heap */
};

void queue_clear(struct queue *queue);
void queue_free(struct queue *queue);
/* sequence is filled in. */
void queue_put(struct queue *queue, struct plan plan);
/* False when nothing is planned. */
bool queue_take(struct queue *queue, struct plan *out);

#endif
