/* controller/desk.h -- the controller at work: libperch on one side, the driver
 * on the other, and the judgement of core.h between them.
 */
#ifndef PERCH_CONTROLLER_DESK_H
#define PERCH_CONTROLLER_DESK_H

#include "controller.h"
#include "core.h"

enum { DESK_AHEAD_MS = 10 * 60 * 1000 }; /* what is read of the timetable */

enum { DESK_SENT_MAX = 64, DESK_TX_BYTES = 2048 };

/* What was sent: the same bytes may be sent again, and have one effect. */
struct sent {
	struct perch_id id;
	int64_t valid_until;
	int64_t used_at; /* its id was used with other content: only ask */
	size_t size;
	uint8_t bytes[DESK_TX_BYTES];
};

struct desk {
	struct controller *controller;
	struct perch *client;
	struct core core;
	bool is_open; /* the driver is */
	bool told_sure;
	enum perch_err told_failure; /* why there is no timetable yet */
	/* what is asked, and when */
	uint64_t head_request, timetable_request;
	int64_t head_asked, next_head, next_timetable, dirty_since;
	bool dirty;
	/* the stream of final blocks */
	bool follows;
	uint64_t followed;
	uint64_t sync_height; /* known to be newest once it is followed */
	int64_t sync_asked;
	int64_t poll_at;
	size_t sent_next;
	struct sent sent[DESK_SENT_MAX];
	/* the timetable, page by page */
	uint64_t page_height;
	struct perch_hash page_hash;
	struct perch_port port;
	size_t count;
	struct perch_reservation page[CORE_RESERVATIONS_MAX];
	struct pad_state states[PERCH_PADS_MAX];
};

/* Runs until a signal; returns the exit code. */
int desk_run(struct desk *desk);

/* ---- say.c: what is done, for people or as JSON lines ---- */
void say_action(const struct desk *desk, const struct core_action *action);
void say_pad(const struct desk *desk, size_t pad);
void say_sure(const struct desk *desk, bool sure);
void say_text(const struct desk *desk, const char *event, const char *text);

#endif
