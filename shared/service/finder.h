/* service/finder.h -- fills the address book from its sources.
 *
 * Names are resolved by a thread of their own, again and again, so an address
 * that changes is followed; everything else is entered when it is learnt.
 */
#ifndef PERCH_SERVICE_FINDER_H
#define PERCH_SERVICE_FINDER_H

#include "service/beacon.h"
#include "service/book.h"
#include "service/resolver.h"

enum {
	FINDER_NAMES_MAX = 128,
	FINDER_AGAIN_MS = 60000, /* a name that was resolved */
	FINDER_RETRY_MS = 5000,  /* one that was not */
};

/* A host name, whose addresses are hints. */
struct finder_name {
	enum hint_source source;
	struct hint_who who;
	struct endpoint endpoint;
	time_ms next_at;
	bool failed; /* and that was said */
};

struct finder {
	bool uses[HINT_SOURCES];
	struct key self;
	struct book book;
	size_t name_count;
	struct finder_name names[FINDER_NAMES_MAX];
	resolver_ask_fn *ask; /* NULL: the system's */
	struct resolver *resolver;
	struct beacon *beacon; /* NULL: none */
	bool asking;
	struct endpoint asked;
};

/* Zeroed before. All sources are used; there are no beacons until
 * finder->beacon is opened. */
void finder_init(struct finder *finder, const struct key *self);
void finder_close(struct finder *finder);

/* Settings, as text; several are parted by spaces. ERR_CONFIG, ERR_FULL: why,
 * 200 bytes, has the cause and the cure. */
/* "command genesis": these sources and no others. */
MUST_CHECK enum err finder_discover(
	struct finder *finder, const char *text, char why[200]);
/* NAME=tcp://HOST:PORT; NAME may be a key of 64 digits. */
MUST_CHECK enum err finder_peers(
	struct finder *finder, const char *text, char why[200]);
/* HOST:PORT, of any member. */
MUST_CHECK enum err finder_dns(
	struct finder *finder, const char *text, char why[200]);

/* A hint for a member, tcp://HOST:PORT. ERR_CONFIG: malformed; ERR_EXISTS;
 * ERR_FULL; ERR_ROLE: the source is not used, or the hint is about this node.
 * why: 200 bytes. */
MUST_CHECK enum err finder_hint(struct finder *finder, enum hint_source source,
	const struct key *key, struct view endpoint, char why[200]);
/* The same in place of what the source said before. */
MUST_CHECK enum err finder_replace(struct finder *finder,
	enum hint_source source, const struct key *key, struct view endpoint,
	char why[200]);
void finder_forget(
	struct finder *finder, enum hint_source source, const struct key *key);

/* Ask for a name that is due, take what was answered. Never waits. */
void finder_work(struct finder *finder, time_ms now);

#endif
