/* node/node.h -- the parts of a node's service, and what they share.
 */
#ifndef PERCH_NODE_NODE_H
#define PERCH_NODE_NODE_H

#include "bus/bus.h"
#include "gen/request.h"
#include "gen/topic.h"
#include "ledger/envelope.h"
#include "service/driver.h"
#include "service/rate.h"

enum {
	WAITERS_MAX = 16384,    /* submissions that wait for an answer */
	READS_MAX = 1024,       /* questions that wait for a majority's word */
	CERTIFICATES_MAX = 256, /* questions that wait for one */
	REQUESTS_ROUND = 256,   /* taken before the engine gets its turn */
	RECENT_MAX = 16,        /* block hashes in a status */
	RECENT_KEPT = 128,      /* blocks whose undoing is told in full */
	LANES_MAX = 2,          /* chains of one node */
	STEPS = 3,              /* received, ordered, final */
	STEPS_KEPT = 64,        /* last waits of which a median is told */
	BUSY_MS = 50,           /* then it is worth asking again */
};

/* Where an answer goes. */
struct origin {
	uint8_t route[64];
	size_t route_size;
	uint8_t request[8];
};

/* A question that waits until a majority confirms that it is answered from
 * what is not old. */
struct read {
	bool used;
	struct lane *lane;
	struct origin origin;
	uint8_t type; /* MESSAGE_HEAD_QUERY or MESSAGE_TX_QUERY */
	struct key wallet;
	struct id id;
};

/* A question for a certificate that has to be gathered first. */
struct certificate_wait {
	struct lane *lane; /* NULL: free */
	struct origin origin;
	uint64_t height;
};

struct publisher {
	struct bus_socket *socket;
	uint64_t boot;
	uint64_t counters[5]; /* by topic */
	time_ms status_at;
	enum engine_role said_role;
};

/* One of the last blocks of this node's chain. */
struct recent {
	uint64_t height; /* 0: none */
	struct hash hash;
};

/* What clients waited until a step, the last ones. */
struct waits {
	uint64_t count;
	uint64_t us[STEPS_KEPT];
};

/* One chain: who drives it, and what was published of it. A node of a network
 * that compares engines has two, on one bus. */
struct lane {
	struct node *node;
	struct driver *driver;
	uint8_t chain;
	bool mines;
	struct recent recent[RECENT_KEPT]; /* by height modulo */
	struct topic_tx
		steps[RECENT_KEPT]; /* of those; where blocks are mined */
	uint64_t connected;         /* height that was published last */
	struct engine_status said;  /* in the log */
	struct waits waits[STEPS];
};

struct waiters; /* waiters.c */

struct node {
	const struct keypair *self;
	const struct genesis *genesis;
	const char *name;
	struct bus *bus;
	struct bus_socket *server;
	struct finder finder; /* of the other nodes */
	size_t lane_count;
	struct lane lanes[LANES_MAX]; /* the first one's engine has the role */
	struct waiters *waiters;
	struct rate rate; /* of requests, by who asks */
	struct publisher publisher;
	uint64_t read_next;
	struct read reads[READS_MAX];
	struct certificate_wait certificates[CERTIFICATES_MAX];
	time_ms started_at;
	bool halted;
	bool again; /* and the process begins again */
	uint8_t body[ENVELOPE_BODY_BYTES_MAX]; /* of the answer being made */
	uint8_t block[BLOCK_BYTES_MAX];
	struct block decoded; /* one block at a time */
	struct topic_tx steps;
};

/* The lane of a chain; NULL: it is not kept here. */
struct lane *node_lane(struct node *node, uint64_t chain);

/* ---- serve.c: the request channel ---- */
/* Take what is there, at most REQUESTS_ROUND; true when more is waiting. */
bool serve_requests(struct node *node);
void serve_ready(struct node *node, uint64_t task, bool ok);
void answer(struct node *node, const struct origin *origin,
	enum message_type type, size_t body_size); /* node->body */
void answer_refusal(
	struct node *node, const struct origin *origin, enum err err);

/* ---- certify.c: certificates and evidence ---- */
enum err serve_certificate(
	struct node *node, const struct origin *origin, struct view body);
enum err serve_evidence(
	struct node *node, const struct origin *origin, struct view body);
/* One is there, or (no bytes) cannot be had. */
void serve_certified(struct lane *lane, const struct output *output);

/* ---- fate.c: what became of a transaction ---- */
void answer_fate(struct lane *lane, const struct origin *origin,
	const struct key *wallet, const struct id *id);
/* True when something is known of (wallet, id): status in out. */
bool find_fate(struct lane *lane, const struct key *wallet, const struct id *id,
	struct replica_fate *out);

/* ---- waiters.c: submissions that wait ---- */
struct waiters *waiters_new(void);
void waiters_free(struct waiters **waiters);
void serve_submit(
	struct node *node, const struct origin *origin, struct view body);
/* The context of these two is the lane. */
void on_verdict(void *context, uint64_t token, const struct tx_view *tx,
	enum err verdict);
void on_received(void *context, uint64_t token);
/* A block is ordered (1) or final (2): answer those who wait for that. */
void waiters_block(
	struct lane *lane, const struct block_ref *block, uint8_t step);
/* The median of the last waits; 0: nobody waited. */
uint64_t waits_median(const struct waits *waits);
/* Answer those whose transaction can have no effect any more. */
void waiters_sweep(struct lane *lane, time_ms block_time);

/* ---- publish.c: topics ---- */
/* Right after the socket was bound. */
void publish_topics(struct node *node);
void publish_block(struct node *node, const struct output *output);
void publish_chain(struct lane *lane, uint8_t event, uint64_t height,
	const struct hash *hash, const struct hash *parent);
/* The transactions of a block, without their step. */
void read_steps(
	struct node *node, const struct block_ref *block, struct topic_tx *out);
void publish_steps(struct node *node, struct topic_tx *steps, uint8_t status);
void publish_final_steps(struct node *node, const struct block_ref *block);
/* Once a second and on a change of role. */
void publish_status(struct node *node, time_ms now);
/* The same content as an answer to status_query, encoded to node->body. */
size_t encode_status(struct node *node);

#endif
