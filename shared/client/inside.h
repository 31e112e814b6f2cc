/* client/inside.h -- what the files of libperch share: the client, its lines
 * and its table of flights. Nobody else includes this.
 *
 * A question is a flight: its frame is encoded once and kept until the answer
 * is here, so that it can be sent again, to the same node or to another, byte
 * for byte. Nothing is queued as an event: perch_next looks at the state of
 * lines, flights and the stream for the next thing to tell.
 */
#ifndef PERCH_CLIENT_INSIDE_H
#define PERCH_CLIENT_INSIDE_H

#include "bus/bus.h"
#include "crypto/crypto.h"
#include "gen/checkpoint.h"
#include "gen/ledger.h"
#include "gen/request.h"
#include "gen/table.h"
#include "gen/topic.h"
#include "client/flight.h"
#include "client/follow.h"
#include "client/give.h"
#include "client/hold.h"
#include "client/line.h"
#include "ledger/block.h"
#include <perch/client.h>

enum {
	CLIENT_REQUESTS_DEFAULT = 1024,
	CLIENT_REQUESTS_MAX = 32768,
	CLIENT_LINES_DEFAULT = 3,
	CLIENT_LINES_MAX = PERCH_NODES_MAX + 1, /* the evaluator is the last */
	CLIENT_KNOWN_MAX = 256, /* keys that may propose blocks */
	CLIENT_TIMEOUT_MS = 10000,
	CLIENT_PATIENCE_MS = 2000,
	CLIENT_HELLO_MS = 3000,
	CLIENT_STRANGE_MAX = 4, /* handshakes that fail, then it is said */
	CLIENT_PREFER_MS = 150,
	CLIENT_BACKOFF_MIN_MS = 200,
	CLIENT_BACKOFF_MAX_MS = 5000,
	CLIENT_DOUBT_MS = 30000,
	CLIENT_AGAIN_MS =
		200,         /* who is not as far as asked for is asked again */
	CLIENT_SLOW = 10,    /* times the patience with blocks that take work */
	CLIENT_BUSY_MS = 50, /* a full node is asked again after that */
	CLIENT_SILENT_MS = 3500, /* three heartbeats of a publisher missed */
	CLIENT_POLL_MS = 2000,   /* without news a stream asks for the head */
	CLIENT_SLOT_BITS = 16,
	CLIENT_SLOTS_OWN = 5, /* flights of the stream, a hold, who proposes */
	CLIENT_HOLDS_MAX = 1024, /* ordered, and not final yet */
};

union answer {
	struct perch_fate fate;
	struct perch_head head;
	struct perch_blocks blocks;
	struct perch_peers peers;
	struct perch_node_status status;
	struct perch_state_chunk state;
	struct perch_inquire inquire;
	struct perch_timetable timetable;
	struct perch_history history;
	struct perch_proof proof;
	struct perch_ports ports;
	struct perch_certificate certificate;
	struct perch_evidence evidence;
	struct perch_block block;
	struct perch_tx_hint tx_hint;
	struct perch_slot_hint slot_hint;
	struct perch_chain_hint chain_hint;
};

/* Room to decode one message of any type into. */
union decoded {
	struct block block;
	struct receipt receipt;
	struct head head;
	struct blocks blocks;
	struct peers peers;
	struct status status;
	struct state_chunk state;
	struct inquire inquire;
	struct timetable timetable;
	struct history history;
	struct simulate simulate;
	struct proof proof;
	struct ports ports;
	struct certificate certificate;
	struct evidence evidence;
	struct topic_block topic_block;
	struct topic_tx topic_tx;
	struct topic_slot topic_slot;
	struct topic_chain topic_chain;
};

struct perch {
	struct bus *bus;
	struct keypair pair;
	struct hash network;
	unsigned chain;
	bool prove;
	bool has_evaluator;
	unsigned lines_max;
	time_ms timeout_ms, patience_ms;
	int wake_fd;
	struct bus_socket *wake_socket;

	size_t node_count;
	size_t line_count; /* nodes, and the evaluator */
	size_t prefer;
	struct line lines[CLIENT_LINES_MAX];

	unsigned requests_max; /* of the user */
	unsigned in_flight;    /* of the user */
	unsigned slots;        /* the user's, and some for the stream */
	unsigned slot_next;
	uint64_t serial;
	struct flight *flights;
	time_ms look_at; /* when flights must be looked through again */
	size_t look_from;
	size_t turn; /* whose message is looked at first */

	size_t known_count;
	struct key known[CLIENT_KNOWN_MAX];
	uint64_t learning; /* the flight that asks who may propose, or 0 */

	struct follow follow;

	size_t hold_count;
	struct hold *holds;
	uint64_t hold_asked; /* the one whose fate is asked for; 0: none */
	bool hold_waits;     /* perch_wait hands nothing else out */
	int hold_line;       /* whose chain is listened to; -1: none */

	union answer *answer;
	union decoded *decoded;
	struct block *block; /* being proved */
	struct perch_failure failure;
	uint8_t *scratch; /* BUS_FRAME_MAX: what is being encoded */
};

/* ---- answer.c ---- */

/* An answer of the wanted type. told: event is filled and the flight has ended.
 * An error is its sender's fault. */
MUST_CHECK enum err answer_read(struct perch *client, struct flight *flight,
	struct line *line, struct view body, struct perch_event *event,
	bool *told);

/* The block of an old fate is gone everywhere: event is filled with the fate,
 * not proved. False: a new one must be there. */
bool answer_unproved(struct perch *client, struct flight *flight,
	const struct line *line, struct perch_event *event);

/* ---- trust.c ---- */

/* Keys that may propose blocks. */
bool trust_has(const struct perch *client, const struct key *key);
void trust_add(struct perch *client, const struct key *key);
/* A proposer that this line has shown is not known: ask who may propose. */
MUST_CHECK enum err trust_learn(
	struct perch *client, const struct line *line, time_ms now);
/* The same for an answer to this question, which is then asked again. False:
 * this line's was not known before, and it cannot say who that is. */
MUST_CHECK bool trust_put_off(struct perch *client, struct flight *flight,
	const struct line *line, time_ms now);
/* Nobody known has built on its block yet: ask again soon. False: that was done
 * long enough. */
MUST_CHECK bool trust_await(struct perch *client, struct flight *flight,
	const struct line *line, time_ms now);
MUST_CHECK enum err trust_answer(struct perch *client, struct view body);
/* That question has ended. */
void trust_learned(struct perch *client, time_ms now);

/* Is that the fate of what the flight is about? receipt: filled when there is
 * one. */
MUST_CHECK enum err fate_check(const struct perch *client,
	const struct flight *flight, const struct fate *fate,
	struct receipt *receipt);
/* The event; the flight has ended. */
MUST_CHECK enum err fate_tell(struct perch *client, struct flight *flight,
	const struct line *line, const struct fate *fate, bool proved,
	struct perch_event *event, bool *told);

/* ---- prove.c ---- */

/* A block as it must be: proposed and signed by a known node, and its items
 * those of its header. decoded borrows from bytes. ERR_KEY: the proposer is
 * not known, and no known one is among those of the blocks that come after. */
MUST_CHECK enum err block_prove(struct perch *client, struct block_ref *out,
	struct block *decoded, struct view bytes, const struct view *after,
	size_t after_count);
/* Ask for the block that a final fate names. */
MUST_CHECK enum err prove_start(
	struct perch *client, struct flight *flight, const struct fate *fate);
/* Hold the kept fate against its block. ERR_NOT_FOUND: the node has it not;
 * ERR_BEHIND: ask again, when there is a later block. */
MUST_CHECK enum err prove_finish(struct perch *client,
	const struct flight *flight, const struct blocks *blocks);
MUST_CHECK enum err prove_port(struct perch *client, const struct proof *proof,
	struct perch_proof *out);

#endif
