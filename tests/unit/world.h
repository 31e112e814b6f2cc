/* tests/unit/world.h -- a small world for tests of the contract: a genesis with
 * known keys, and a state in memory of its own.
 *
 * Ports: "east" (pads a, b in one group, c in another; no buffers), "north"
 * (pad a; buffers, lead), "west" (pad a closed, pad b).
 */
#ifndef PERCH_TESTS_UNIT_WORLD_H
#define PERCH_TESTS_UNIT_WORLD_H

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "contract/chain.h"
#include "contract/proof.h"
#include "gen/table.h"

#define UNUSED __attribute__((unused))

enum who {
	ALICE, /* operators */
	BOB,
	CAROL, /* may hold two reservations */
	DOWN,  /* an operator that is set down */
	AUTHORITY,
	OBSERVER,
	STRANGER, /* not in the genesis */
	TOWER,    /* controls every port but */
	WEST_TOWER,
	WHO_COUNT,
};

enum { NODES = 3, JOURNAL_BYTES = 16 << 20 };

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define T0 INT64_C(1700000000000)

static inline const struct keypair *who_pair(enum who who)
{
	static struct keypair pairs[WHO_COUNT];
	uint8_t seed[32] = {(uint8_t)(who + 1), 7};

	keypair_from_seed(&pairs[who], seed);
	return &pairs[who];
}

static inline const struct keypair *node_pair(int node)
{
	static struct keypair pairs[64];
	uint8_t seed[32] = {(uint8_t)(node + 1), 9};

	keypair_from_seed(&pairs[node], seed);
	return &pairs[node];
}

UNUSED static void add_port(struct genesis *genesis, const char *name,
	const char *pads, time_ms lead, time_ms before, time_ms after)
{
	static const char *const pad_names[] = {"a", "b", "c", "d"};
	struct record_port *port = &genesis->ports[genesis->port_count++];

	*port = (struct record_port){
		.name = view_text(name),
		.controller =
			who_pair(strcmp(name, "west") == 0 ? WEST_TOWER : TOWER)
				->key,
		.lead = (uint64_t)lead,
		.before = (uint64_t)before,
		.after = (uint64_t)after,
		.duration = (uint64_t)(10 * MINUTE),
	};
	/* One letter a pad: its group; upper case: closed. */
	for (size_t i = 0; pads[i] != '\0'; i++) {
		char group = pads[i];
		bool open = group >= 'a';

		port->pads[port->pads_count++] = (struct record_pad){
			.name = view_text(pad_names[i]),
			.group = view_text(
				pad_names[(open ? group - 'a' : group - 'A')]),
			.open = open,
		};
	}
}

UNUSED static void add_party(struct genesis *genesis, enum who who,
	const char *name, enum party_role role, uint64_t quota, bool up)
{
	genesis->parties[genesis->party_count++] = (struct record_party){
		.key = who_pair(who)->key,
		.name = view_text(name),
		.role = role,
		.quota = quota,
		.up = up,
	};
}

UNUSED static struct genesis *genesis_new(void)
{
	static const char *const names[] = {"one", "two", "three"};
	struct genesis *genesis = calloc(1, sizeof(*genesis));

	assert_non_null(genesis);
	crypto_start();
	memset(&genesis->network, 0x55, sizeof(genesis->network));
	genesis->time = T0;
	add_port(genesis, "west", "Ab", 0, 0, 0);
	add_port(genesis, "east", "aab", 0, 0, 0);
	add_port(genesis, "north", "a", 5 * MINUTE, 2 * MINUTE, MINUTE);
	add_party(genesis, ALICE, "alice", ROLE_OPERATOR, 100, true);
	add_party(genesis, BOB, "bob", ROLE_OPERATOR, 100, true);
	add_party(genesis, CAROL, "carol", ROLE_OPERATOR, 2, true);
	add_party(genesis, DOWN, "down", ROLE_OPERATOR, 100, false);
	add_party(genesis, AUTHORITY, "authority", ROLE_AUTHORITY, 0, true);
	add_party(genesis, OBSERVER, "observer", ROLE_OBSERVER, 0, true);
	add_party(genesis, TOWER, "tower", ROLE_CONTROLLER, 0, true);
	add_party(genesis, WEST_TOWER, "west_tower", ROLE_CONTROLLER, 0, true);
	for (int i = 0; i < NODES; i++)
		genesis->nodes[genesis->node_count++] = (struct record_node){
			.key = node_pair(i)->key,
			.name = view_text(names[i]),
			.role = 2,
			.request = view_text("tcp://127.0.0.1:1"),
			.publish = view_text("tcp://127.0.0.1:2"),
			.peer = view_text("tcp://127.0.0.1:3"),
		};
	return genesis;
}

/* A state in memory of its own. */
struct home {
	struct arena arena;
	void *memory, *journal;
	struct state *state;
};

UNUSED static void home_open(struct home *home, const struct genesis *genesis,
	const struct state_limits *limits, size_t journal_bytes)
{
	size_t size = state_bytes(limits);

	home->memory = calloc(1, size);
	home->journal = malloc(journal_bytes);
	assert_non_null(home->memory);
	assert_non_null(home->journal);
	arena_init(
		&home->arena, home->memory, size, home->journal, journal_bytes);
	assert_int_equal(
		state_init(&home->state, &home->arena, limits, genesis),
		ERR_OK);
}

UNUSED static void home_close(struct home *home)
{
	free(home->memory);
	free(home->journal);
}

/* The seed of this run: PERCH_SEED, or the time; printed, so that a failure can
 * be repeated. */
UNUSED static uint64_t test_seed(const char *what)
{
	const char *given = getenv("PERCH_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10)
				      : (uint64_t)time(NULL) * 1000003 +
						(uint64_t)getpid();

	printf("%s: PERCH_SEED=%llu\n", what, (unsigned long long)seed);
	return seed;
}

#endif
