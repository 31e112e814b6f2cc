/* sim/net.h -- packets between nodes and clients, and what links do to them.
 *
 * Harsher than the sockets of the node: any link may lose, double, delay and
 * reorder. Who sent a packet is always true, as CURVE makes it.
 */
#ifndef PERCH_SIM_NET_H
#define PERCH_SIM_NET_H

#include "bank.h"
#include "consensus/engine.h"

enum { SIM_NODES_MAX = 16, SIM_CLIENT = 1000 /* addresses from here on */ };

enum packet_kind {
	PACKET_RELAY,      /* an engine's message and blocks */
	PACKET_FORWARD,    /* a transaction for the leader's mempool */
	PACKET_CHECKPOINT, /* a signature that makes a block final */
	PACKET_ASK_STATE,  /* a: height */
	PACKET_STATE,      /* a: height; state NULL: not here */
	PACKET_SUBMIT,     /* a: request */
	PACKET_READ,       /* a: request */
	PACKET_ANSWER,     /* a: request, status, err, height, index */
};

struct sim_tx;
struct world;

struct packet {
	enum packet_kind kind;
	uint32_t from, to;
	uint64_t a;
	uint64_t height;
	uint16_t index;
	uint8_t status;
	enum err err;
	struct sim_tx *tx;
	struct view receipt; /* PACKET_ANSWER, when final */
	const struct bank_state *state;
	bool headers; /* the blocks without their bodies */
	size_t block_count;
	const struct bank_block *blocks[ENGINE_ATTACH_MAX];
	size_t message_size;
	uint8_t message[ENGINE_MESSAGE_MAX];
	struct packet *next; /* on the list of free ones */
};

struct link {
	bool cut;
	int64_t latency_us, jitter_us;
	int64_t clogged_us;         /* nothing arrives before this time */
	unsigned loss, twice, late; /* permille */
};

struct net {
	struct link links[SIM_NODES_MAX][SIM_NODES_MAX]; /* [from][to] */
	struct link client; /* to and from clients */
	struct packet *free;
	uint64_t sent, lost, doubled, delivered;
};

void net_clear(struct net *net);
void net_free(struct net *net);

/* A packet to be filled and sent, or dropped. */
struct packet *packet_new(
	struct net *net, enum packet_kind kind, uint32_t from, uint32_t to);
void packet_drop(struct net *net, struct packet *packet);
/* Takes the packet. */
void net_send(struct world *world, struct packet *packet);
/* Whether a packet that is there now may be handed over. */
bool net_passes(const struct world *world, const struct packet *packet);

#endif
