/* bus/zap.h -- who is let in: our own ZAP handler (ZeroMQ RFC 27).
 *
 * The decision is a function of the request's frames and of the policy, apart
 * from the socket, so that it can be fuzzed.
 */
#ifndef PERCH_BUS_ZAP_H
#define PERCH_BUS_ZAP_H

#include "bus/bus.h"
#include "bus/known.h"

enum {
	ZAP_FRAMES_MAX = 8, /* version to credentials; more is malformed */
	ZAP_USER_SIZE = 72, /* "curve:", 64 digits, NUL */
};

struct zap_policy {
	const struct known *known;
	/* NULL: known keys only. */
	bool (*admits)(
		void *context, enum bus_kind kind, const struct key *known);
	void *context;
};

struct zap_answer {
	const char *status; /* "200", "400", "500"; NULL: not answerable */
	const char *text;   /* why */
	struct view id;     /* of the request, borrowed from its frames */
	char user[ZAP_USER_SIZE]; /* empty unless admitted */
};

/* The ZAP domain of a server kind; NULL for the others. */
const char *zap_domain(enum bus_kind kind);

/* frames: from the version on. */
void zap_decide(struct zap_answer *out, const struct view *frames, size_t count,
	const struct zap_policy *policy);

/* The identity that a User-Id stands for. False: a stranger's. One who was a
 * stranger at the handshake is recognised once the key is known. */
bool zap_sender(struct key *out, const char *user, const struct known *known);

/* Answer what waits on the handler's socket, a turn's worth; true when more
 * may wait. */
bool zap_serve(
	void *socket, const struct zap_policy *policy, struct bus_stats *stats);

#endif
