/* service/links.h -- the links of a node to the other members.
 *
 * Each node binds one peer socket to hear on and connects one to every other
 * member to speak on, so a message needs no answer path and no routing id. A
 * hello once a second says who is there; whoever was heard lately is up.
 */
#ifndef PERCH_SERVICE_LINKS_H
#define PERCH_SERVICE_LINKS_H

#include "bus/bus.h"
#include "consensus/replica.h"
#include "gen/contract.h"
#include "gen/table.h"

enum { LINKS_MAX = 64, PEER_HELLO_MS = 1000, PEER_UP_MS = 3500 };

struct peer {
	struct key key;
	uint8_t role;
	char name[33];
	char endpoint[129]; /* peer socket */
	char request[129];
	char publish[129];
	struct bus_socket *socket;
	time_ms heard_at; /* monotonic; 0: never */
	uint64_t unsent; /* messages that found no connection or a full queue */
	char fault[33];  /* the last refusal it sent: "network" */
	/* transactions of one chain that go out together */
	uint8_t forward_chain;
	size_t forward_count, forward_used;
	struct view forwards[256];
	uint8_t forward_bytes[BUS_FRAME_MAX];
};

struct links {
	struct bus *bus;
	const struct keypair *self;
	struct hash network;
	size_t count;
	struct peer *items[LINKS_MAX];
	time_ms hello_at;
	uint64_t sent, sent_bytes; /* frames given to the sockets */
};

void links_init(struct links *links, struct bus *bus,
	const struct keypair *self, const struct hash *network);
/* Connect to the state's nodes that are not connected yet, drop others. */
void links_follow(struct links *links, const struct state *state);
void links_close(struct links *links);

struct peer *links_find(struct links *links, const struct key *key);
size_t links_up(const struct links *links, time_ms now);

/* Wrap and send; what cannot be sent is counted, the engine tries again. */
void links_send(struct links *links, const struct key *to,
	enum message_type type, struct view body);
/* Gather a transaction for a peer; links_flush sends what gathered. */
void links_forward(struct links *links, uint8_t chain, const struct key *to,
	struct view tx);
void links_flush(struct links *links);
/* Say hello when it is time. */
void links_hello(struct links *links, time_ms now);

#endif
