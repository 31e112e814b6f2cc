/* sim/trace.h -- a running hash of everything that happens, and a line of text
 * for each thing when somebody wants to read it.
 *
 * The hash is made from the numbers, not from the text, so that a run has the
 * same hash whether it is read or not.
 */
#ifndef PERCH_SIM_TRACE_H
#define PERCH_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* X(NAME, word, what a is, what b is, what c is): an empty word is not shown.
 */
#define NOTE_LIST(X)                                                           \
	X(START, "start", "tip", "base", "record")                             \
	X(CRASH, "CRASH", "lost", "", "")                                      \
	X(TIMER, "timer", "", "", "")                                          \
	X(RECEIVE, "<- node", "from", "bytes", "blocks")                       \
	X(REFUSE, "refuses", "from", "error", "")                              \
	X(SEND, "-> node", "to", "bytes", "blocks")                            \
	X(FORWARD, "forward", "to", "tx", "")                                  \
	X(FORWARDED, "forwarded", "from", "tx", "error")                       \
	X(SAVE, "save", "task", "blocks", "record")                            \
	X(SAVED, "saved", "task", "tip", "")                                   \
	X(ORDERED, "ordered", "height", "block", "")                           \
	X(REVERTED, "REVERTED above", "height", "", "")                        \
	X(FINAL, "final", "height", "block", "")                               \
	X(SNAPSHOT, "snapshot", "height", "bytes", "")                         \
	X(KEPT, "snapshot kept", "height", "", "")                             \
	X(COMPACT, "log begins after", "height", "left", "")                   \
	X(FETCH, "fetch state", "height", "from", "")                          \
	X(FETCHED, "fetched state", "height", "from", "task")                  \
	X(MEMBERS, "members", "", "", "")                                      \
	X(HALT, "HALT", "error", "height", "")                                 \
	X(BUILD, "build", "", "", "")                                          \
	X(SUBMIT, "submit", "client", "tx", "error")                           \
	X(ANSWER, "answer", "client", "tx", "status")                          \
	X(READ, "read", "client", "task", "")                                  \
	X(READY, "ready", "task", "ok", "height")                              \
	X(ASK, "asks", "node", "tx", "attempt")                                \
	X(TOLD, "told", "node", "tx", "status")                                \
	X(WIPE, "WIPED", "", "", "")                                           \
	X(FAULT, "FAULT", "kind", "x", "y")                                    \
	X(MEND, "mend", "kind", "x", "")                                       \
	X(HEAL, "HEAL", "core", "", "")                                        \
	X(LEADER, "leads", "term", "", "")                                     \
	X(MINE, "mine", "task", "height", "bytes")                             \
	X(MINED, "FOUND", "task", "", "")                                      \
	X(SIGN, "sign", "height", "block", "")                                 \
	X(CERTIFIED, "certified", "height", "", "")                            \
	X(BLAME, "blames", "node", "fault", "height")

enum note {
#define X(name, word, a, b, c) NOTE_##name,
	NOTE_LIST(X)
#undef X
};

struct trace {
	uint64_t hash;
	uint64_t count;
	FILE *out; /* NULL: nobody reads */
};

void trace_clear(struct trace *trace);
/* who: "n" for a node, "c" for a client, "-" for the world. */
void trace_note(struct trace *trace, int64_t now_us, char who, uint32_t number,
	enum note note, uint64_t a, uint64_t b, uint64_t c);
/* A remark for readers; not in the hash. */
void trace_remark(struct trace *trace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Bytes that nothing else speaks of. */
void trace_bytes(struct trace *trace, const void *bytes, size_t size);

#endif
