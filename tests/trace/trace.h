/* trace/trace.h -- what happens in a cluster, in words. */
#ifndef PERCH_TESTS_TRACE_TRACE_H
#define PERCH_TESTS_TRACE_TRACE_H

#include "net/net.h"

/* Text that grows. */
struct text {
	char *bytes; /* ends with a NUL */
	size_t size;
	size_t capacity;
};

__attribute__((format(printf, 2, 3))) void text_add(
	struct text *text, const char *format, ...);
void text_free(struct text *text);

struct trace {
	struct net net;
	struct text out;
	bool silent;
	struct engine_status before[NET_NODES_MAX]; /* to see what changed */
	uint64_t reads;
};

/* One step of a node as lines: what happened, what it does, what it became. */
void trace_step(struct trace *trace, size_t node, const struct event *event,
	const struct effects *effects);
/* One line a node: role, term, log, what is final. */
void trace_show(struct trace *trace);

#endif
