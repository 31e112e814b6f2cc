/* client/follow.h -- the stream of final blocks.
 */
#ifndef PERCH_CLIENT_FOLLOW_H
#define PERCH_CLIENT_FOLLOW_H

#include "gen/request.h"
#include <perch/client.h>

struct perch;
struct line;
struct flight;

struct follow {
	bool on;
	bool located; /* next is known */
	uint64_t next;
	bool has_parent;
	struct hash parent;
	time_ms parent_time;
	uint64_t final;       /* newest final height heard of */
	uint64_t asked_from;  /* height, by the last question for blocks */
	uint64_t flight;      /* its question in flight, or 0 */
	uint64_t passed;      /* nodes that had nothing new: others first */
	time_ms ask_at;       /* not before */
	time_ms polled_at;    /* when the head was last heard of */
	int publisher;        /* line, or -1 */
	time_ms published_at; /* when one was last looked for */
	/* blocks of one answer that are still to be handed out */
	uint8_t *buffer; /* BUS_FRAME_MAX */
	struct view blocks[256];
	size_t count, at;
	int source;       /* line that sent them, or the publisher */
	bool peers_asked; /* since the last block */
	bool stalled;     /* to be told */
	enum err err;
};

/* True: event is filled. */
bool follow_tick(struct perch *client, struct perch_event *event, time_ms now);
time_ms follow_deadline(const struct perch *client);
/* The answer to one of its questions. */
MUST_CHECK enum err follow_answer(struct perch *client, struct line *line,
	const struct flight *flight, struct view body, time_ms now);
/* There is none. */
void follow_failed(struct perch *client, enum err err, time_ms now);
/* This node has no answer, another one may. */
void follow_refused(struct perch *client, const struct line *line, enum err err,
	time_ms now);
/* A final height was heard of. */
void follow_hears(
	struct perch *client, unsigned chain, uint64_t height, time_ms now);
/* Something was lost: the head is asked for soon. */
void follow_suspects(struct perch *client, time_ms now);
/* A published block; event is filled when it was the next one. */
MUST_CHECK enum err follow_published(struct perch *client, struct line *line,
	struct view body, struct perch_event *event, time_ms now);

#endif
