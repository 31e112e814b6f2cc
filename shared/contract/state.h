/* contract/state.h -- everything the ledger knows at one height, in one arena.
 *
 * Parties, ports, pads, live reservations, the transactions seen lately, the
 * nodes. Fixed capacities, declared once; nothing is allocated later. Ended
 * reservations leave the state: their history is in the blocks.
 */
#ifndef PERCH_CONTRACT_STATE_H
#define PERCH_CONTRACT_STATE_H

#include "base/arena.h"
#include "base/table.h"
#include "contract/pow_rules.h"
#include "gen/contract.h"
#include "ledger/block.h"

/* domain.md's states; the moves between them are the table in moves.c. */
enum reservation_state {
	RESERVATION_NONE,
	RESERVATION_HELD,
	RESERVATION_CONFIRMED,
	RESERVATION_CLEARED,
	RESERVATION_OCCUPIED,
	RESERVATION_OVERSTAY,
	RESERVATION_CONTINGENT,
	RESERVATION_WAITLISTED,
	RESERVATION_RELEASED,
	RESERVATION_CANCELLED,
	RESERVATION_EXPIRED,
	RESERVATION_NO_SHOW,
	RESERVATION_PREEMPTED,
	RESERVATION_REVOKED,
};

/* op_reserve.movement */
enum { MOVEMENT_ANY, MOVEMENT_DEPARTURE, MOVEMENT_ARRIVAL };

/* record_reservation.flags */
enum { RECORD_AIRBORNE = 1, RECORD_ON_PAD = 2 };

enum party_role {
	ROLE_NONE,
	ROLE_OPERATOR,
	ROLE_CONTROLLER,
	ROLE_AUTHORITY,
	ROLE_OBSERVER,
	ROLE_NODE,
};

/* How much a state may hold; chosen at the start, the same on every node of a
 * network (it is part of the genesis' meaning: reaching one is a refusal). */
struct state_limits {
	uint32_t ports_max;
	uint32_t parties_max;
	uint32_t nodes_max;
	uint32_t reservations_max; /* live ones */
	uint32_t group_max;        /* live reservations of one pad group */
	uint32_t seen_max;         /* transactions inside their validity */
};

extern const struct state_limits state_limits_default; /* 1024 ports ... */
extern const struct state_limits state_limits_small;   /* for simulated nodes */

/* The genesis as the contract sees it: plain data, made by service/genesis. */
enum { GENESIS_PORTS_MAX = 1024, GENESIS_PARTIES_MAX = 1024 };
struct genesis {
	struct hash network; /* hash of the canonical genesis */
	char name[33];
	time_ms time; /* block time of height 0 */
	bool observers_anyone;
	uint32_t signers; /* whose signatures make a block final; 0: majority */
	struct pow_rules pow;
	size_t port_count, party_count, node_count;
	struct record_port ports[GENESIS_PORTS_MAX];
	struct record_party parties[GENESIS_PARTIES_MAX];
	struct record_node nodes[64];
};

/* What proves a port: gen/request.h has it as a message. */
struct proof_parts {
	struct record_port port;
	struct hash live; /* root over the buckets */
	struct hash buckets[256];
	size_t index, count, path_length;
	struct hash path[32];
	struct hash rest;
};

struct state; /* opaque; lies in an arena of its own */

size_t state_bytes(const struct state_limits *limits);
/* Fill the arena with the state of height 0; limits are copied. ERR_FULL, or
 * ERR_CONFIG when the genesis names a port, pad or key twice. */
MUST_CHECK enum err state_init(struct state **out, struct arena *arena,
	const struct state_limits *limits, const struct genesis *genesis);

struct arena *state_arena(const struct state *state);
/* Height, block time and the root after the last block. */
uint64_t state_height(const struct state *state);
time_ms state_time(const struct state *state);
struct hash state_root(struct state *state);

/* The earliest block time at which time alone moves a reservation, or
 * INT64_MAX. A leader makes an empty block then. */
time_ms state_deadline(const struct state *state);

/* ---- reading; records are written to out ---- */
bool state_reservation(const struct state *state, const struct id *id,
	struct record_reservation *out);
bool state_party(const struct state *state, const struct key *key,
	struct record_party *out);
bool state_node(const struct state *state, const struct key *key,
	struct record_node *out);
/* Ports by index in name order: [0, state_port_count). */
size_t state_port_count(const struct state *state);
void state_port_at(
	const struct state *state, size_t index, struct record_port *out);
bool state_port_find(
	const struct state *state, struct view name, size_t *index);
size_t state_node_count(const struct state *state);
void state_node_at(
	const struct state *state, size_t index, struct record_node *out);
/* Live reservations of a port that end after from, or whose aircraft is on the
 * pad or in the air, in (start, pad) order; cursor starts at 0. */
bool state_timetable_next(const struct state *state, size_t port, time_ms from,
	uint64_t *cursor, struct record_reservation *out);
size_t state_live_count(const struct state *state);

/* What is known of (wallet, id): true fills out while it is remembered, which
 * is until valid_until is past and a little longer. */
bool state_seen(const struct state *state, const struct key *wallet,
	const struct id *id, struct record_seen *out);

/* The way from a port to the state root (all fields but header, signature). */
void state_proof(struct state *state, size_t port, struct proof_parts *out);

/* ---- snapshots: canonical, verified against the root ---- */
/* Bytes that state_save writes now. */
size_t state_save_bytes(const struct state *state);
/* Returns the size written; out holds state_save_bytes. */
size_t state_save(const struct state *state, uint8_t *out);
/* Replace the state (and forget its journal) by a snapshot. ERR_ROOT when its
 * root is not the one given; ERR_ENCODING, ERR_FULL. On an error the state is
 * as it was at the genesis: the caller starts again or stops. */
MUST_CHECK enum err state_load(struct state *state,
	const struct genesis *genesis, struct view bytes,
	const struct hash *root);

#endif
