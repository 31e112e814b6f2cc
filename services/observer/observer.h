/* observer/observer.h -- the parts of the observer, and what they share.
 */
#ifndef PERCH_OBSERVER_OBSERVER_H
#define PERCH_OBSERVER_OBSERVER_H

#include "contract/chain.h"
#include "model.h"
#include "service/json.h"

/* What is told as JSON lines, or-ed. */
enum {
	TELL_BLOCK = 1,
	TELL_TX = 2,
	TELL_SLOT = 4,
	TELL_CHAIN = 8,
	TELL_STATUS = 16,
	TELL_NODE = 32, /* and alarms */
	TELL_ALL = 63,
};

struct observer {
	const struct genesis *genesis;
	struct perch *client;
	unsigned chain; /* whose blocks are followed */
	struct model model;
	int signal_fd;
	bool stop;
	/* how it is shown */
	unsigned tells; /* 0: for people */
	bool screen, chains_only;
	uint64_t tell_from; /* earlier blocks are not told; 0: not known yet */
	unsigned told_alarms;
	uint64_t told_notes, told_news;
	/* liveness: monotonic */
	time_ms heard_at[PERCH_NODES_MAX];
	bool answered; /* any node, ever */
	/* who signed twice: cases that each node told of, the last ones */
	uint64_t evidence_of[PERCH_NODES_MAX];
	size_t evidence_count;
	struct perch_double_signing evidence[64];
	/* the timetable */
	bool has_evaluator;
	struct replay *replay; /* NULL: blocks are not executed */
	uint64_t question;     /* to the evaluator, in flight */
	size_t asked_port;
	time_ms ask_at;
};

/* ---- replay.c: final blocks, executed again ---- */
struct replay;
MUST_CHECK enum err replay_open(
	struct replay **out, const struct genesis *genesis, unsigned chain);
/* The next block. On an error it is not what it says. */
MUST_CHECK enum err replay_block(
	struct replay *replay, const struct perch_block *block);
/* What the last block did that must never happen, or NULL. */
const char *replay_never(const struct replay *replay);
const struct moves *replay_moves(const struct replay *replay);
/* A live reservation. */
bool replay_find(const struct replay *replay, const struct perch_id *id,
	struct perch_reservation *out);
/* The bookings of the next hour. */
void replay_timetable(
	const struct replay *replay, struct model *model, int64_t now);

/* ---- watch.c: what the client tells, into the model ---- */
void watch_event(struct observer *observer, const struct perch_event *event);
/* Whom nobody heard of for too long; the evaluator's next question. */
void watch_tick(struct observer *observer);

/* ---- evidence.c: nodes that signed twice ---- */
void evidence_status(struct observer *observer, size_t node,
	const struct perch_node_status *status);
void evidence_event(struct observer *observer, size_t node,
	const struct perch_evidence *evidence);

/* ---- tell.c: JSON lines ---- */
void tell_block(const struct observer *observer,
	const struct perch_block *block, size_t granted, size_t refused);
void tell_txs(const struct observer *observer, const struct perch_block *block);
void tell_moves(const struct observer *observer,
	const struct perch_block *block, const struct moves *moves);
void tell_chain(const struct observer *observer, size_t node,
	const struct perch_chain_hint *hint, uint64_t lost, int64_t now);
/* Forks and reorganisations that were not told yet. */
void tell_news(struct observer *observer);
void tell_status(const struct observer *observer, size_t node,
	const struct perch_node_status *status);
/* A chain as --status says it. */
void tell_tower(struct json *json, unsigned chain, const struct tower *tower);
void tell_node(const struct observer *observer, size_t node);
void tell_alarm(const struct observer *observer);

/* ---- report.c: --status ---- */
/* Ask every node once, print, and return the exit code. */
int report_status(struct observer *observer, bool as_json);

#endif
