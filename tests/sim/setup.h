/* sim/setup.h -- what every run has in common: keys and the genesis. */
#ifndef PERCH_SIM_SETUP_H
#define PERCH_SIM_SETUP_H

#include "contract/state.h"
#include "net.h"

enum {
	OPERATORS = 4,
	SIM_PORTS = 2,
	SKEW_MS = 2000, /* a live block may be this far ahead of a clock */
};

struct setup {
	struct keypair nodes[SIM_NODES_MAX];
	struct keypair operators[OPERATORS];
	struct keypair observer; /* may not reserve */
	struct keypair stranger; /* not on the ledger */
	struct keypair authority;
	struct genesis *genesis;
	time_ms start; /* wall clock when a run begins */
};

void setup_open(struct setup *setup);
void setup_close(struct setup *setup);
/* The first voters of the genesis' nodes, then stand-bys. */
void setup_members(struct setup *setup, size_t voters, size_t standbys);

struct view setup_node_name(size_t number);

#endif
