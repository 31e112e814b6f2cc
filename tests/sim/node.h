/* sim/node.h -- the second driver of a replica: it gives it a simulated disk,
 * clock and network, and does what its outputs say, as the node's driver does.
 */
#ifndef PERCH_SIM_NODE_H
#define PERCH_SIM_NODE_H

#include "consensus/replica.h"
#include "disk.h"
#include "net.h"
#include "queue.h"

enum { WAITERS_MAX = 256, RECEIVED_MAX = 512, SIGNED_MAX = 256 };

/* A client that waits here for the fate of a transaction. */
struct waiter {
	uint32_t client;
	uint64_t request;
	struct sim_tx *tx;
};

/* A transaction that this node promised to remember. */
struct received {
	const struct sim_tx *tx;
	int64_t durable_us; /* from this time on it survives a crash */
};

/* A read that waits to be confirmed. */
struct reading {
	uint32_t client;
	uint64_t request;
	uint64_t task;
	uint64_t floor; /* what had been acknowledged when it began */
};

/* What this node's miners search, for an engine that mines. */
struct mining {
	double rate; /* hashes a second */
	uint64_t task;
	size_t header_size; /* 0: nothing */
	size_t field;
	uint32_t bits;
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
};

struct node {
	uint32_t number;
	const struct keypair *self;
	bool up;
	int64_t stopped_us; /* SIGSTOP: nothing reaches it before this time */
	bool gone;  /* not one of the cluster: does not start by itself */
	bool again; /* it begins again, with a log up to again_at */
	uint64_t again_at;
	bool core;     /* after the faults: is well */
	uint64_t life; /* counts starts and crashes */
	void *memory;
	size_t memory_size;
	struct replica *replica;
	struct disk disk;
	int64_t drift_ppm; /* of the monotonic clock */
	int64_t wall_us;   /* wall clock against true time */
	uint64_t timer_stamp;
	time_ms timer_at;
	bool build_planned;
	uint64_t final;      /* last height reported in this life */
	uint64_t undo_floor; /* while a state is installed: final before */
	struct engine_status status;
	struct mining mining;
	const struct bank_block *signed_blocks[SIGNED_MAX]; /* on disk */
	size_t certificate_size; /* of the newest, on disk */
	uint8_t certificate[CERTIFICATE_BYTES_MAX];
	/* A snapshot that is being fetched. */
	uint64_t fetch_task, fetch_height;
	struct key fetch_from;
	size_t waiter_count;
	struct waiter waiters[WAITERS_MAX];
	size_t received_count;
	struct received received[RECEIVED_MAX];
	uint64_t read_task;
	size_t reading_count;
	struct reading readings[WAITERS_MAX];
};

void node_clear(struct world *world, struct node *node, uint32_t number);
void node_free(struct node *node);

void node_start(struct world *world, struct node *node);
void node_crash(struct world *world, struct node *node, bool kept_all);
/* After OUTPUT_REPLAY. */
void node_begin_again(struct world *world, struct node *node);
void node_transfer(struct world *world, struct node *node);
void node_compact(struct world *world, struct node *node);

/* Leaves the packet to the caller. */
void node_packet(struct world *world, struct node *node, struct packet *packet);
/* A plan of one of the node's kinds has come true. */
void node_on_plan(
	struct world *world, struct node *node, const struct plan *plan);

/* ---- between the files of a node ---- */

int64_t node_now_us(const struct world *world, const struct node *node);
struct tick node_tick(struct world *world, const struct node *node);
struct node *node_of_key(struct world *world, const struct key *key);
void node_plan(struct world *world, const struct node *node, int64_t after_us,
	enum plan_kind kind, uint64_t value, const void *what);
int64_t node_disk_us(struct world *world, const struct node *node);
void node_plan_timer(struct world *world, struct node *node, time_ms at);

/* Do what the outputs of the last step say, and judge the node. */
void node_carry_out(struct world *world, struct node *node);

void node_submit(
	struct world *world, struct node *node, const struct packet *packet);
void node_forwarded(
	struct world *world, struct node *node, const struct packet *packet);
void node_received(
	struct world *world, struct node *node, const struct sim_tx *tx);
/* Bring what was promised before the last crash to the pool again. */
void node_remember(struct world *world, struct node *node);
void node_answer_final(
	struct world *world, struct node *node, const struct bank_block *block);
void node_read(
	struct world *world, struct node *node, const struct packet *packet);
/* node_mine.c */
void node_mine(
	struct world *world, struct node *node, const struct output *output);
void node_found(struct world *world, struct node *node, uint64_t task);
void node_sign(
	struct world *world, struct node *node, const struct output *output);
void node_signed(
	struct world *world, struct node *node, const struct bank_block *block);
void node_send_checkpoint(
	struct world *world, struct node *node, const struct output *output);
void node_checkpoint(
	struct world *world, struct node *node, const struct packet *packet);
void node_certified(
	struct world *world, struct node *node, const struct output *output);
/* Bring the certificate of before the last crash to the replica again. */
void node_prove(struct world *world, struct node *node);
void node_fault(
	struct world *world, struct node *node, const struct output *output);
void node_ready(
	struct world *world, struct node *node, const struct output *output);

#endif
