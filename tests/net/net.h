/* net/net.h -- a small cluster in one process, for tests of `ordered`.
 *
 * Every node is an engine, a disk that may lag behind and a chain of made-up
 * blocks; messages lie in one bag until a test delivers, doubles or loses
 * them. Nothing happens by itself. After every step the harness checks what
 * must always be true and notes the first violation: so every test of one
 * rule is a test of all the others too.
 */
#ifndef PERCH_TESTS_NET_NET_H
#define PERCH_TESTS_NET_NET_H

#include "base/random.h"
#include "consensus/ordered/ordered.h"

enum {
	NET_NODES_MAX = 18,
	NET_SAVES_MAX = 64,
	NET_MESSAGES_MAX = 4096,
	NET_READS_MAX = 64,
	NET_RECORD_MAX = 64,
	NET_TERMS_MAX = 4096,
};

/* A made-up block. Equal content is one block with one number, from 1 on. */
struct net_block {
	struct hash hash;
	uint32_t parent; /* 0: the genesis */
	uint64_t height;
	uint64_t term;
	uint64_t payload;
	uint32_t size;
	bool has_change;
	struct engine_member change;
};

struct net_members {
	size_t count;
	struct engine_member list[ENGINE_MEMBERS_MAX];
};

/* A log: block numbers for the heights (base, base + count]. */
struct net_log {
	uint64_t base;
	uint32_t base_block;
	size_t count;
	size_t capacity;
	uint32_t *blocks;
};

struct net_save {
	uint64_t task;
	size_t record_size;
	uint8_t record[NET_RECORD_MAX];
	uint32_t state_block; /* not 0: the log begins anew after it */
	uint64_t first_height;
	size_t count;
	uint32_t blocks[ENGINE_ATTACH_MAX];
};

struct net_message {
	uint64_t number; /* ascending, as sent */
	uint8_t from;
	uint8_t to;
	size_t size;
	uint8_t bytes[ORDERED_MESSAGE_BYTES_MAX];
	uint64_t first_height;
	size_t count;
	uint32_t blocks[ENGINE_ATTACH_MAX];
};

struct net_read {
	uint64_t task;
	uint64_t asked; /* what was final anywhere when it was asked */
	bool answered;
	bool ok;
	uint64_t height;
};

struct net_node {
	bool up;
	struct ordered *engine;
	time_ms skew;     /* its clock against the harness's */
	time_ms timer_at; /* INT64_MAX: none */
	uint64_t final;
	struct net_log chain; /* what is executed */
	struct net_log disk;
	size_t record_size;
	uint8_t record[NET_RECORD_MAX];
	size_t save_count;
	struct net_save saves[NET_SAVES_MAX]; /* not durable yet */
	uint64_t forgotten_height;            /* for the engine's next start */
	struct effect seek;
	size_t told_count; /* NET_DISK_LIES: of the first saves it was said */
	size_t read_count;
	struct net_read reads[NET_READS_MAX]; /* oldest first */
};

/* Faults that a test may plant, to see that they are found. */
enum net_fault {
	NET_SOUND,
	NET_DISK_LIES,       /* SAVED is said when it was not yet */
	NET_RECORD_LOST,     /* the record is never written */
	NET_WHOLE_LOG_ACKED, /* a reply acknowledges all that is there */
	NET_OLD_TERMS_COUNT, /* RAFT figure 8 */
	NET_VOTES_TWICE,     /* a vote is forgotten when asked again */
};

struct net {
	size_t node_count;
	struct net_node nodes[NET_NODES_MAX];
	struct net_members genesis;
	time_ms now;
	time_ms election_ms;
	time_ms heartbeat_ms;
	uint64_t random_value; /* given with every event, if random is off */
	bool draws;
	struct random random;
	uint32_t block_size;
	bool saves_at_once; /* disks are never slow */
	bool proposes_own;  /* an empty block is made when it is sought */
	bool lost[NET_NODES_MAX][NET_NODES_MAX]; /* from, to: the link is cut */

	size_t message_count;
	struct net_message *messages; /* NET_MESSAGES_MAX */
	uint64_t message_number;
	uint64_t payload;

	/* Shared by copies of a net: only grows. */
	struct net_blocks *blocks;

	/* What is final anywhere, for ever. */
	struct net_log final;
	uint8_t leaders[NET_TERMS_MAX]; /* node + 1, by term */
	enum net_fault fault;
	bool only_global;      /* leave the nearest checks to the far ones */
	const char *violation; /* the first, or NULL */

	/* Told after every step. */
	void (*watch)(void *context, struct net *net, size_t node,
		const struct event *event, const struct effects *effects);
	void *watch_context;
	struct effects effects;
};

/* Nodes 0..voters - 1 vote, then stand-bys, then nodes that are no members.
 * Nothing is started. */
void net_init(struct net *net, size_t voters, size_t standbys, size_t others);
void net_free(struct net *net);
/* out: zeroed, or a net that was copied to before. */
void net_copy(struct net *out, const struct net *in);

/* ---- net_log.c: blocks and logs ---- */

struct net_blocks *net_blocks_new(void);
struct net_blocks *net_blocks_share(struct net_blocks *blocks);
void net_blocks_drop(struct net_blocks *blocks);
struct hash net_hash_of(const struct net *net, uint32_t number);
void net_log_push(struct net_log *log, uint32_t number);
/* Drop what is above height. */
void net_log_cut(struct net_log *log, uint64_t height);
void net_log_begin(struct net_log *log, uint64_t height, uint32_t number);
void net_log_copy(struct net_log *out, const struct net_log *in);

struct key net_key(size_t node);
/* The node with this key; node_count: none. */
size_t net_find(const struct net *net, const struct key *key);
const struct net_block *net_block(const struct net *net, uint32_t number);
/* The block at height of a log; 0: not there. */
uint32_t net_log_at(const struct net_log *log, uint64_t height);
uint64_t net_log_tip(const struct net_log *log);
/* The members after a block, by walking back to the genesis. */
struct net_members net_members_after(const struct net *net, uint32_t block);
/* A block's number; the same content has the same. */
uint32_t net_make(struct net *net, const struct net_block *block);

/* ---- events ---- */

void net_start(struct net *net, size_t node);
void net_start_all(struct net *net);
/* What was not durable is lost, but for the first `kept` SAVEs. */
void net_crash(struct net *net, size_t node, size_t kept);
/* Write blocks straight to a disk, before the node's first start. Equal calls
 * give equal blocks. */
void net_disk_put(struct net *net, size_t node, uint64_t term, size_t count);
/* A record without a vote, of a log that ends in that term. */
void net_disk_record(struct net *net, size_t node, uint64_t term);

/* The timer of a node goes off; its own clock jumps there if need be. */
void net_timer(struct net *net, size_t node);
/* The first n SAVEs of a node are done. */
void net_saved(struct net *net, size_t node, size_t n);
void net_saved_all(struct net *net, size_t node);
/* Answer the SEEK that stands with a new block; false: none stands. */
bool net_propose(struct net *net, size_t node);
bool net_propose_change(struct net *net, size_t node, size_t who, uint8_t role);
/* Answer a SEEK_STATE from its peer; false: none stands, or it has none. */
bool net_fetch(struct net *net, size_t node);
void net_read(struct net *net, size_t node, uint64_t task);
void net_forget(struct net *net, size_t node, uint64_t height);
void net_transfer(struct net *net, size_t node);
void net_receive(struct net *net, const struct net_message *message);
/* ---- net_run.c: messages, and time that passes ---- */

/* The one at an index of messages; it may be kept, to come again. */
void net_deliver_at(struct net *net, size_t at, bool keep);
/* The oldest on a link; false: there is none. */
bool net_deliver(struct net *net, size_t from, size_t to);
void net_drop(struct net *net, size_t from, size_t to);
void net_inject(struct net *net, size_t from, size_t to,
	const struct ordered_message *message, const uint32_t *blocks,
	size_t count);

/* Deliver what there is, answer saves, until nothing is on its way. */
void net_settle(struct net *net);
/* Let time pass: timers go off when due, in order; all is delivered. */
void net_run(struct net *net, time_ms ms);
/* The leader of the highest term that is up, or node_count. */
size_t net_leader(const struct net *net);
/* The node's timer goes off (again) until it leads; all is delivered. */
void net_elect(struct net *net, size_t node);
void net_cut(struct net *net, size_t node, bool lost);

/* ---- net_say.c: logs and messages as a test writes and reads them ---- */

/* Put blocks on a disk before the first start: a digit is a block's term, so
 * "1123" is four blocks. Equal beginnings are the same blocks. */
void net_disk_write(struct net *net, size_t node, const char *terms);
/* The terms of the blocks that a node has, as digits. */
const char *net_text(const struct net *net, size_t node, char text[256]);
/* The newest message of a kind that is on its way; false: there is none. */
bool net_said(const struct net *net, size_t from, size_t to,
	enum ordered_kind kind, struct ordered_message *out);
/* How many of a kind are on their way; node_count stands for any node. */
size_t net_count(
	const struct net *net, size_t from, size_t to, enum ordered_kind kind);
/* Throw away all that is on its way. */
void net_hush(struct net *net);
/* An append of count blocks after height from the disk of a node, in its name;
 * commit is what the leader says. It is delivered at once. */
void net_append(struct net *net, size_t from, size_t to, uint64_t term,
	uint64_t height, size_t count, uint64_t commit);

/* ---- net_check.c ---- */

void net_violated(struct net *net, const char *what);
void net_check_send(struct net *net, size_t node, const struct effect *effect);
void net_check_commit(struct net *net, size_t node, uint64_t height);
void net_check_leader(struct net *net, size_t node);
void net_check_state(struct net *net, size_t node);

#endif
