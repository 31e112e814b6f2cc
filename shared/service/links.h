/* service/links.h -- the links of a node to the other members.
 *
 * Each node binds one peer socket to hear on and connects one to every other
 * member to speak on, so a message needs no answer path and no routing id. A
 * hello once a second says who is there; whoever was heard lately is up. Where
 * a member is, the address book says: its hints are tried one after another
 * until somebody there proves that he has the member's key.
 *
 * A stand-by needs no link to everybody. It measures how far each member is and
 * keeps the nearest one, and those that its engine names.
 */
#ifndef PERCH_SERVICE_LINKS_H
#define PERCH_SERVICE_LINKS_H

#include "bus/bus.h"
#include "consensus/replica.h"
#include "gen/contract.h"
#include "gen/request.h"
#include "gen/table.h"
#include "service/finder.h"

enum {
	LINKS_MAX = 64,
	LINKS_VOUCHED_MAX = 16,  /* by one member */
	LINKS_LOOK_MS = 20,      /* between two looks at all links */
	LINKS_TRY_MS = 1000,     /* at one address, when there are others */
	LINKS_REFUSED_MS = 3000, /* where this node is not admitted */
	LINKS_MISSED_MS = 5000,  /* until it is said who is not reached */
	LINKS_WANTED_MS = 30000, /* what a stand-by's engine named */
	LINKS_LOST_MS = 2000,    /* then the nearest is another one */
	LINKS_MEASURE_MS = 3000,
	LINKS_MEASURE_AGAIN_MS = 60000,
	LINKS_PING_MS = 5000, /* and this while measuring: */
	LINKS_PING_SOON_MS = 200,
	LINKS_BEACONS = 16,      /* taken in one look */
	LINKS_ASK_MS = 10000,    /* between two questions for peers */
	LINKS_ASK_SOON_MS = 500, /* as long as this node is no member */
	PEER_HELLO_MS = 1000,
	PEER_UP_MS = 3500,
};

struct peer {
	struct key key;
	uint8_t role;
	/* It is not in this node's ledger yet, but in another member's. */
	bool vouched;
	struct key vouched_by;
	char name[33];
	char endpoint[129]; /* peer socket, as the ledger has it */
	char request[129];
	char publish[129];
	struct bus_socket *socket;   /* NULL: not needed, or no address */
	char at[BOOK_ENDPOINT_SIZE]; /* where it is looked for */
	size_t cursor;               /* in the book */
	enum hint_source source;     /* of at */
	time_ms next_at;             /* look elsewhere */
	bool reached;
	bool unsaved; /* reached, and not yet in the index */
	bool missed;  /* and that was said */
	time_ms lost_at;
	time_ms wanted_until; /* by the engine of a stand-by */
	uint64_t pinged_us;   /* what was asked last; 0: answered */
	uint64_t rtt_us;      /* 0: not measured */
	time_ms heard_at;     /* monotonic; 0: never */
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
	struct finder *finder; /* borrowed for life */
	size_t count;
	struct peer *items[LINKS_MAX];
	time_ms look_at, hello_at, ping_at, ask_at;
	size_t asked; /* whom last */
	bool joining; /* this node is not in its own ledger */
	bool standby; /* or has no vote there */
	bool has_nearest;
	struct key nearest;
	time_ms measure_at, measured_at; /* 0: not measuring */
	uint64_t sent, sent_bytes;       /* frames given to the sockets */
};

void links_init(struct links *links, struct bus *bus,
	const struct keypair *self, const struct hash *network,
	struct finder *finder);
/* Take up the state's nodes that are not here yet, drop others. */
void links_follow(struct links *links, const struct state *state);
void links_close(struct links *links);

struct peer *links_find(struct links *links, const struct key *key);
/* Was it heard lately? And how many were. */
bool links_is_up(const struct peer *peer, time_ms now);
size_t links_up(const struct links *links, time_ms now);

/* Wrap and send; what cannot be sent is counted, the engine tries again. */
void links_send(struct links *links, const struct key *to,
	enum message_type type, struct view body);
/* Gather a transaction for a peer; links_flush sends what gathered. */
void links_forward(struct links *links, uint8_t chain, const struct key *to,
	struct view tx);
void links_flush(struct links *links);
/* Look for who is not reached, say hello, measure and ask when it is time. */
void links_work(struct links *links, time_ms now);

/* ---- links_seek.c: where they are ---- */

/* A stand-by's engine speaks with this member. */
void links_want(struct links *links, const struct key *key, time_ms now);
/* The nearest member of a stand-by, or NULL. */
struct peer *links_nearest(struct links *links);
/* Connect, look elsewhere, let go. */
void links_seek(struct links *links, time_ms now);
/* The answer to a ping of this node. */
void links_pong(struct links *links, struct peer *peer, uint64_t round);
/* A member that somebody vouches for: who is not in the ledger is taken up as
 * long as this node is joining. NULL: it is not. */
struct peer *links_vouch(struct links *links, const char *name,
	const struct key *by, const struct peer_entry *entry);
/* What a member says of another one. */
void links_told(struct links *links, const struct peer *by,
	const struct peer_entry *entry);

#endif
