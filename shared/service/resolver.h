/* service/resolver.h -- names to addresses in a thread of its own.
 *
 * getaddrinfo may take half a minute, and libzmq would ask in the thread that
 * moves every message. Here one question at a time is asked by a thread that
 * shares nothing but a letter-box with its owner and outlives him if it must:
 * so nobody ever waits for a name, not even a node that stops.
 */
#ifndef PERCH_SERVICE_RESOLVER_H
#define PERCH_SERVICE_RESOLVER_H

#include "base/err.h"
#include "base/view.h"

enum { RESOLVER_ADDRESSES_MAX = 16, RESOLVER_ADDRESS_SIZE = 16 };

struct resolver; /* opaque */

struct resolver_answer {
	uint32_t tag;
	const char *failed; /* why; NULL: it was resolved */
	size_t count;       /* at least 1 then */
	char addresses[RESOLVER_ADDRESSES_MAX][RESOLVER_ADDRESS_SIZE];
};

/* ask fills count and addresses, or failed, in the resolver's thread: NULL is
 * getaddrinfo, IPv4 only as the sockets are. */
typedef void resolver_ask_fn(const char *host, struct resolver_answer *out);
void resolver_open(struct resolver **out, resolver_ask_fn *ask);
/* An answer under way is forgotten. */
void resolver_close(struct resolver **resolver);

/* False: it is busy. */
bool resolver_ask(struct resolver *resolver, uint32_t tag, const char *host);
/* True once for each question, when it is answered. Neither waits. */
bool resolver_take(struct resolver *resolver, struct resolver_answer *out);

#endif
