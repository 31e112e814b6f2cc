/* client/line.h -- one DEALER to one node, and what it publishes.
 */
#ifndef PERCH_CLIENT_LINE_H
#define PERCH_CLIENT_LINE_H

#include "bus/bus.h"
#include "gen/common.h"
#include <perch/client.h>

struct perch;
struct flight;

enum { LINE_TOPICS = 5 };

/* How far the stream of one topic of one publisher has come. */
struct sequence {
	bool heard;
	uint64_t boot;
	uint64_t counter;
};

struct line {
	struct perch_node node;
	int index; /* in client->lines */
	enum perch_link state;
	bool greeted; /* hello went out */
	bool news;    /* to be told as PERCH_EVENT_NODE */
	enum err err;
	char why[PERCH_WHY_MAX];
	char release[PERCH_NAME_MAX + 1];
	struct bus_socket *request;
	uint64_t hello_id;
	time_ms since;    /* when the state began */
	time_ms retry_at; /* down: next try */
	time_ms backoff;
	time_ms doubted_until; /* others are asked first until then */
	time_ms heard_at;      /* anything at all, on the request line */
	unsigned strange;      /* handshakes that failed since one was done */
	unsigned in_flight;
	/* what it publishes */
	struct bus_socket *publish;
	unsigned topics;      /* PERCH_TOPIC_*, asked for by the user */
	unsigned subscribed;  /* also by the stream */
	time_ms published_at; /* last message, or when it was connected */
	struct sequence sequences[LINE_TOPICS];
	enum err hint_err; /* of the last message that did not hold */
};

/* Begin to connect, if it is idle or down. */
void line_want(struct perch *client, struct line *line);
/* Leave it: why may be NULL. Its flights wait for another. */
void line_fail(
	struct perch *client, struct line *line, enum err err, const char *why);
/* The same, for longer: what it says does not hold, or it says nothing. */
void line_distrust(
	struct perch *client, struct line *line, enum err err, const char *why);
/* What time asks of lines: hello, retries, give-ups. */
void lines_tick(struct perch *client, time_ms now);
/* An answer to hello. */
void line_greeted(struct perch *client, struct line *line,
	const struct envelope *envelope, time_ms now);
/* The node that a flight should go to, or NULL when none is up. */
struct line *line_choose(
	struct perch *client, struct flight *flight, time_ms now);
/* Whoever this flight could go to has turned us away for good: another network,
 * version or key, or no admission. */
bool line_none_will_do(const struct perch *client, const struct flight *flight);
/* When lines_tick has something to do. */
time_ms lines_deadline(const struct perch *client);

/* ---- topic.c ---- */

/* Subscribe to what is wanted of this node now, by the user or the stream. */
MUST_CHECK enum err topic_connect(struct perch *client, struct line *line);
/* One published message. True: event is filled. */
bool topic_read(struct perch *client, struct line *line,
	const struct bus_message *message, struct perch_event *event,
	time_ms now);

#endif
