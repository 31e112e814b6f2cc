/* sim/client.h -- simulated wallets: they ask any node, ask another one with
 * the same id when no answer comes, and remember what they were told.
 */
#ifndef PERCH_SIM_CLIENT_H
#define PERCH_SIM_CLIENT_H

#include "bank.h"
#include "net.h"

enum {
	CLIENT_REQUESTS = 100, /* at a time, of all clients */
	CLIENT_KNOWN = 32,     /* reservations that a client remembers */
};

/* What a node answers. */
enum told { TOLD_REFUSED, TOLD_RECEIVED, TOLD_FINAL, TOLD_READ };

/* A transaction that a client signed. */
struct sim_tx {
	uint32_t index; /* also in its id */
	uint32_t owner; /* who signed, or OPERATORS for others */
	struct tx_view view;
	struct sim_tx *twin; /* the one before with the same id, or NULL */
	uint64_t floor;      /* acknowledged before it was asked for */
	const struct bank_block *final; /* the final block that has it */
	uint16_t final_index;
	bool promised; /* a node said it is received, and nobody asks again */
	uint32_t promised_by;
};

struct request {
	bool busy;
	bool read;
	bool patient; /* goes on asking until it is final */
	uint64_t number;
	struct sim_tx *tx;
	unsigned attempt;
	int64_t begun_us;
};

/* A reservation that somebody knows of, to be amended or cancelled. */
struct known {
	struct id id;
	uint32_t owner;
	uint64_t version;
	uint32_t port;
};

struct clients {
	uint64_t numbers;
	uint32_t slots; /* of requests that are used */
	struct request requests[CLIENT_REQUESTS];
	size_t known_count;
	struct known known[CLIENT_KNOWN];
	size_t tx_count, tx_room;
	struct sim_tx **txs; /* by index */
	unsigned eagerness;  /* permille: to begin something new */
};

struct node;
struct plan;
struct world;

void client_begin(struct world *world);
void client_free(struct clients *clients);
/* A slot looks at what it waits for, or begins something new. */
void client_plan(struct world *world, const struct plan *plan);
void client_packet(struct world *world, const struct packet *packet);

/* The transaction with exactly these bytes, or NULL. */
struct sim_tx *client_tx_of_bytes(struct world *world, struct view bytes);
/* What this node promised cannot be asked of it any more. */
void client_forgive(struct world *world, const struct node *node);
/* Anything that is still waited for. */
bool client_waits(const struct world *world);

/* ---- wish.c: what clients want ---- */

struct sim_tx *wish_any(struct world *world);
/* The authority changes the members at random; false: nothing to change. */
bool wish_member_change(struct world *world);

/* Sign and register a transaction; id NULL: a new one. */
struct sim_tx *client_sign(struct world *world, const struct keypair *pair,
	uint32_t owner, struct tx *body, struct sim_tx *same_id);
/* Ask a node, and others, until it is final. */
void client_ask(struct world *world, struct sim_tx *tx);

#endif
