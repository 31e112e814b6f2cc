/* client/hold.h -- what was told to be ordered, until it is final.
 */
#ifndef PERCH_CLIENT_HOLD_H
#define PERCH_CLIENT_HOLD_H

#include "client/flight.h"
#include "gen/topic.h"

/* A transaction in a block that can still be undone. */
struct hold {
	uint64_t request; /* whose answer it was; 0: free */
	struct flight_tx tx;
	int line; /* who said so */
	uint64_t height;
	struct hash block;
	bool undone;    /* told; its next fate is not known yet */
	time_ms ask_at; /* when its node is asked again */
};

/* An `ordered` was told: hold on to it. */
void hold_begin(struct perch *client, const struct flight *flight,
	const struct line *line, const struct fate *fate);
/* Whether one more may be waited for. */
bool hold_has_room(const struct perch *client);
/* Ask about what may have gone. */
void hold_tick(struct perch *client, time_ms now);
time_ms hold_deadline(const struct perch *client);
/* The answer to that. told: event is filled. */
MUST_CHECK enum err hold_answer(struct perch *client, struct flight *flight,
	struct line *line, struct view body, struct perch_event *event,
	bool *told, time_ms now);
/* There was none. */
void hold_failed(struct perch *client, time_ms now);
/* A node published a change of its chain. */
void hold_hears(struct perch *client, const struct line *line,
	const struct topic_chain *change, time_ms now);
/* Some of what it published was lost. */
void hold_suspects(struct perch *client, const struct line *line, time_ms now);

#endif
