/* client/flight.h -- questions on their way.
 */
#ifndef PERCH_CLIENT_FLIGHT_H
#define PERCH_CLIENT_FLIGHT_H

#include "gen/request.h"
#include <perch/client.h>

struct perch;
struct line;

enum flight_purpose {
	FLIGHT_USER,  /* a question of the user */
	FLIGHT_HEAD,  /* the stream asks where the chain ends */
	FLIGHT_FILL,  /* the stream asks for blocks */
	FLIGHT_HOLD,  /* is what was ordered still in its block? */
	FLIGHT_PEERS, /* who may propose blocks? */
};

/* Of a submit or a tx query: what its answer is held against. */
struct flight_tx {
	struct key wallet;
	struct id id;
	bool has_content; /* a submit: the transaction is known */
	struct hash hash;
	size_t op_count;
	uint64_t valid_until;
	enum perch_status wait; /* a submit: how far it must have come */
	struct fate fate; /* kept while its block is fetched; its receipt */
	uint8_t *receipt; /* owned: lies here */
};

/* id: a serial number above the flight's place in the table; a flight that
 * becomes another question (a fate, then its block) gets another id, so that a
 * late answer to the first is not taken for one to the second. */
struct flight {
	uint64_t id;      /* on the wire; 0: free */
	uint64_t request; /* as the user knows it: its first id */
	enum flight_purpose purpose;
	uint8_t asks, wants; /* message types */
	bool pinned;         /* no other node than pin will do */
	int pin;
	bool evaluator;
	int line;        /* where it was sent last; -1: it waits for a line */
	uint64_t tried;  /* nodes, one bit each, since all were tried */
	unsigned sent;   /* times */
	uint8_t passing; /* enum err: the last refusal that may pass; or 0 */
	uint8_t *frame;  /* owned: the envelope */
	size_t frame_size;
	bool diverted; /* the question is put off for another one to its line */
	uint8_t put_off_asks, put_off_wants;
	uint8_t *put_off; /* owned: its frame */
	size_t put_off_size;
	time_ms sent_at;
	time_ms not_before; /* INT64_MAX: until FLIGHT_PEERS has ended */
	unsigned awaited;   /* times; see trust_await */
	int learned_of;     /* whose unknown proposer led to that; plus 1 */
	time_ms patience;
	time_ms deadline;
	struct flight_tx tx;
};

/* An id that was never used before, for this place in the table. */
uint64_t flight_id(struct perch *client, unsigned slot);
/* A new flight for a message; body is wrapped and kept. ERR_FULL. */
MUST_CHECK enum err flight_new(struct perch *client, struct flight **out,
	enum flight_purpose purpose, uint8_t asks, uint8_t wants,
	struct view body);
/* NULL when it is not in flight (any more). */
struct flight *flight_find(struct perch *client, uint64_t id);
/* Give it to the best line that is up, if any is. */
void flight_send(struct perch *client, struct flight *flight, time_ms now);
/* Take it off its line, to wait for another until not_before. */
void flight_recall(
	struct perch *client, struct flight *flight, time_ms not_before);
/* Ask its line something else first, about its answer. When that line is left,
 * the first question is taken up again, with the next one. */
MUST_CHECK enum err flight_divert(struct perch *client, struct flight *flight,
	uint8_t asks, uint8_t wants, struct view body);
void flight_end(struct perch *client, struct flight *flight);
/* What time asks of flights. True: event is filled, call again. */
bool flights_tick(struct perch *client, struct perch_event *event, time_ms now);
/* Somebody refused it; true: event is filled. */
bool flight_refused(struct perch *client, struct flight *flight,
	struct line *line, const struct refused *refused,
	struct perch_event *event, time_ms now);
/* The error of a word on the wire, or another when it is not one of ours. */
enum err err_of_word(struct view word, enum err otherwise);

#endif
