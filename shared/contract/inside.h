/* contract/inside.h -- how a state lies in its arena; for shared/contract only.
 *
 * Structs here are compact and fixed in size; the records of contract.cddl are
 * made from them for hashing, reading and snapshots. Whatever is changed is
 * touched first. Nothing that others can see depends on a table's indexes:
 * a state from a snapshot has other ones.
 */
#ifndef PERCH_CONTRACT_INSIDE_H
#define PERCH_CONTRACT_INSIDE_H

#include "base/check.h"
#include "contract/contract.h"
#include "contract/live.h"
#include "contract/tree.h"

enum {
	ADDRESS_BYTES_MAX = 128,
	PADS_MAX = RECORD_PORT_PADS_MAX,
	LIVE_BUCKETS = 256, /* by the first byte of a reservation's id */
	SEEN_SLOTS = 256,   /* of SEEN_SLOT_MS each: more than is ever valid */
	SEEN_SLOT_MS = 2000,
	SEEN_DROPS_MAX = 512, /* a block; more than may be added in one */
	WAITING_MAX = 8,      /* a pad group */
	EFFORT_MAX = 512, /* a block: what closures end, what is registered */
	FREED_MAX = 64,   /* pad groups that one operation frees */
};

struct address {
	uint8_t size;
	char text[ADDRESS_BYTES_MAX];
};

struct pad {
	struct name name;
	uint8_t group;
	bool open;
	bool blocked;       /* after an incursion, until measured empty */
	uint32_t occupants; /* live reservations whose aircraft is on it */
	uint32_t incursions;
	time_ms closed_from, closed_until; /* a closure, or 0 and 0 */
};

/* The live reservations of pads that share an approach, in order of start; no
 * two start together. They do not overlap, so they are in order of end too,
 * unless some of them are contingent. A ring, so that the oldest leaves at no
 * cost. Behind it those that wait, the first to be served first. */
struct group {
	struct name name;
	uint32_t first;
	uint32_t count;
	uint32_t cleared;    /* who has the clearance, or TABLE_NONE */
	uint32_t contingent; /* how many of them */
	uint32_t *ring;      /* reservations */
	uint32_t waiting_count;
	uint32_t waiting[WAITING_MAX];
};

struct port {
	struct name name;
	struct key controller;
	time_ms lead, before, after, duration, hold, no_show;
	uint32_t rank; /* place in order of name: its leaf */
	uint8_t pad_count, group_count;
	struct pad pads[PADS_MAX];
	struct group groups[PADS_MAX];
	uint32_t *buckets; /* first live reservation of each bucket */
	struct tree live;  /* over the buckets */
};

struct party {
	struct key key;
	struct name name;
	uint8_t role;
	bool up;
	uint8_t tier;
	uint32_t quota, live, emergencies;
};

struct node {
	struct key key;
	struct name name;
	uint8_t role;
	struct address request, publish, peer;
};

/* A pad group in which a window has become free. */
struct freed {
	uint32_t port;
	uint8_t group;
};

struct seen {
	struct hash key; /* of wallet || id: a stranger chooses ids */
	struct key wallet;
	struct id id;
	struct hash tx;
	uint64_t height;
	time_ms valid_until;
	uint32_t next; /* in its slot, in order of arrival */
	uint16_t index;
};

/* Those that end in the same SEEN_SLOT_MS. tip = H(... H(base || first) ... ||
 * last), so that the root covers every entry and the first can be dropped. */
struct seen_slot {
	struct hash base, tip;
	uint32_t first, last, count;
};

struct state {
	struct arena *arena;
	size_t arena_from; /* bytes of the arena that are not ours */
	struct state_limits limits;
	uint64_t height;
	time_ms time;

	uint32_t port_count;
	struct port *ports;   /* in order of arrival */
	uint32_t *port_order; /* by rank */
	uint8_t *port_parts;  /* rings, buckets and trees of each */
	struct tree ports_tree;

	struct table parties;
	uint32_t *party_order; /* by rank: in order of key */
	uint32_t *party_rank;  /* of each: its leaf */
	struct tree parties_tree;

	uint32_t node_count;
	struct node *nodes; /* in order of key */
	struct hash nodes_hash;

	struct table reservations;
	struct table fleet;
	uint32_t deadline_count;
	struct deadline *deadlines; /* a heap: see deadline.c */

	struct tree waiting_tree; /* over the ports */
	uint32_t waiting_count;
	uint32_t effort; /* of this block, against EFFORT_MAX */
	/* Of the operation at work; between two there are none. */
	uint32_t freed_count;
	struct freed freed[FREED_MAX];

	struct table seen;
	uint64_t seen_swept; /* slots before this one, by time, are swept */
	struct seen_slot seen_slots[SEEN_SLOTS];
	struct tree seen_tree;
};

/* ---- names ---- */

void name_set(struct name *name, struct view text);
static inline struct view name_view(const struct name *name)
{
	return view_of(name->text, name->size);
}
/* Bytes in order, then the shorter first. */
int view_order(struct view a, struct view b);

/* ---- state.c: filling a state, at the start or from a snapshot ---- */

/* Lay the state out in its arena, empty. */
void state_clear(struct state *state);
/* ERR_FULL; ERR_CONFIG when it is there already or not in order of name (key).
 */
MUST_CHECK enum err state_add_port(
	struct state *state, const struct record_port *record);
MUST_CHECK enum err state_add_party(
	struct state *state, const struct record_party *record);
MUST_CHECK enum err state_add_node(
	struct state *state, const struct record_node *record);
/* The same later, in any order, by an operation; ERR_CONFIG for pads of one
 * name. */
MUST_CHECK enum err state_register_port(
	struct state *state, const struct record_port *record);
MUST_CHECK enum err state_register_party(
	struct state *state, const struct record_party *record);
/* All ports, parties and nodes are there. */
void state_seal(struct state *state);
/* Nothing before this moment can be gone back to. */
void state_forget(struct state *state);
/* Everything that state_init does after its limits are known. */
MUST_CHECK enum err state_fill(
	struct state *state, const struct genesis *genesis);

/* The port of this rank. */
static inline struct port *port_ranked(const struct state *state, uint32_t rank)
{
	CHECK(rank < state->port_count);
	return &state->ports[state->port_order[rank]];
}
/* Its index. */
bool port_find(const struct state *state, struct view name, uint32_t *index);
/* contract_free_slots of a port by its index. */
size_t port_free_slots(const struct state *state, uint32_t port,
	struct view pad, time_ms start, time_ms duration,
	struct free_slot *slots, size_t slots_max);
struct party *state_party_at(const struct state *state, uint32_t index);
/* Place of the first node whose key is not below this one. */
uint32_t state_node_place(const struct state *state, const struct key *key);
void node_set(struct node *node, const struct record_node *record);

/* ---- record.c ---- */

void record_of_reservation(const struct state *state,
	const struct reservation *reservation, struct record_reservation *out);
void record_of_port(const struct port *port, struct record_port *out);
void record_of_party(const struct party *party, struct record_party *out);
void record_of_node(const struct node *node, struct record_node *out);
void record_of_seen(const struct seen *seen, struct record_seen *out);

/* ---- seen.c ---- */

/* What (wallet, id) is found by. */
struct hash seen_key(const struct key *wallet, const struct id *id);
/* False when the table is full. The id is not there (CHECK). */
bool seen_put(struct state *state, const struct hash *key,
	const struct record_seen *record);
/* Drop what is not valid any more, at most SEEN_DROPS_MAX. */
void seen_sweep(struct state *state);
struct hash seen_chain(const struct hash *before, const struct seen *seen);

/* ---- root.c ---- */

struct hash nodes_hash(const struct state *state);
struct hash state_root_of(const struct hash *ports, const struct hash *rest);
struct hash state_rest(struct state *state);
struct hash port_leaf(const struct record_port *port, const struct hash *live);

static inline void set_u32(struct state *state, uint32_t *at, uint32_t value)
{
	arena_touch(state->arena, at, sizeof(*at));
	*at = value;
}

#endif
