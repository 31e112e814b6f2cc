/* service/book.h -- the address book: where each member may be found.
 *
 * An address that was learnt is a hint and nothing more: whoever answers there
 * must prove with CURVE that he has the member's key. So a wrong hint costs an
 * attempt, and the order in which they are tried is that of their sources: what
 * a person said for this start, what worked the last time, what the names of
 * the network say, what the ledger says, what other members say, and what is
 * heard on the local network.
 */
#ifndef PERCH_SERVICE_BOOK_H
#define PERCH_SERVICE_BOOK_H

#include "base/err.h"
#include "base/view.h"

enum hint_source {
	HINT_COMMAND, /* the setting peer */
	HINT_SAVED,   /* the index: where the member was reached before */
	HINT_DNS,     /* the setting dns */
	HINT_GENESIS, /* the genesis list, as the ledger has changed it since */
	HINT_PEERS,   /* other members' answers to `peers` */
	HINT_LAN,     /* beacons */
	HINT_SOURCES,
};
/* "command", as the setting discover says it; in words for people: "the
 * command line". */
const char *hint_source_name(enum hint_source source);
const char *hint_source_text(enum hint_source source);

enum {
	BOOK_SOURCE_MAX = 128, /* hints of one source */
	BOOK_MEMBER_MAX = 4,   /* of one source for one member; then the oldest
				* goes */
	BOOK_NAME_SIZE = 33,
	BOOK_ENDPOINT_SIZE = 128,
};

/* Whom a hint is about: has_key, else the name, else (empty) any member. */
struct hint_who {
	bool has_key;
	struct key key;
	char name[BOOK_NAME_SIZE];
};

struct hint {
	struct hint_who who;
	char endpoint[BOOK_ENDPOINT_SIZE]; /* tcp://1.2.3.4:7003 */
	uint16_t origin; /* the name that it comes from; 0: none */
};

struct book {
	size_t counts[HINT_SOURCES];
	struct hint hints[HINT_SOURCES][BOOK_SOURCE_MAX]; /* oldest first */
};

/* tcp://HOST:PORT in parts. numeric: HOST is an IPv4 address that can be
 * connected to; else it is a name to resolve. */
struct endpoint {
	char host[BOOK_ENDPOINT_SIZE];
	uint16_t port;
	bool numeric;
};
/* ERR_CONFIG: it is not one. why: 120 bytes, the cause and the cure. */
MUST_CHECK enum err endpoint_parse(
	struct endpoint *out, struct view text, char why[120]);
/* The same without tcp://, as a name of the network is given. */
MUST_CHECK enum err endpoint_parse_name(
	struct endpoint *out, struct view text, char why[120]);
void endpoint_print(
	char out[BOOK_ENDPOINT_SIZE], const char *address, uint16_t port);

/* Enter a hint with a numeric endpoint. ERR_EXISTS: it is there; ERR_FULL: the
 * source has BOOK_SOURCE_MAX. */
MUST_CHECK enum err book_put(struct book *book, enum hint_source source,
	const struct hint_who *who, const char *endpoint, uint16_t origin);
/* Forget what came from this name. */
void book_forget(struct book *book, enum hint_source source, uint16_t origin);
/* Forget what a source says about a member. */
void book_forget_key(
	struct book *book, enum hint_source source, const struct key *key);

/* The next hint for a member in the order of trying: cursor starts at 0 and is
 * moved behind it. NULL: there are no more. */
const struct hint *book_next(const struct book *book, const struct key *key,
	const char *name, size_t *cursor);
/* The source of the hint that cursor is behind. */
enum hint_source book_source(size_t cursor);

#endif
