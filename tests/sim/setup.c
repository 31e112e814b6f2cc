/* sim/setup.c -- keys from numbers, and a genesis of two small ports. */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void make_key(struct keypair *out, uint8_t family, uint8_t number)
{
	uint8_t seed[32] = {family, number};
	keypair_from_seed(out, seed);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct keypair *)a)->key.bytes,
		((const struct keypair *)b)->key.bytes, KEY_SIZE);
}

static void add_party(struct genesis *genesis, const struct keypair *pair,
	enum party_role role, const char *name, unsigned quota)
{
	size_t at = genesis->party_count++;
	while (at > 0 && memcmp(genesis->parties[at - 1].key.bytes,
				 pair->key.bytes, KEY_SIZE) > 0) {
		genesis->parties[at] = genesis->parties[at - 1];
		at--;
	}
	genesis->parties[at] = (struct record_party){
		.key = pair->key,
		.name = view_text(name),
		.role = role,
		.quota = quota,
		.up = 1,
	};
}

static void add_pad(
	struct record_port *port, const char *name, const char *group)
{
	port->pads[port->pads_count++] = (struct record_pad){
		.name = view_text(name),
		.group = view_text(group),
		.open = 1,
	};
}

static void add_ports(struct genesis *genesis, const struct keypair *controller)
{
	struct record_port *east = &genesis->ports[0];
	struct record_port *west = &genesis->ports[1];
	*east = (struct record_port){
		.name = view_text("east"),
		.controller = controller[0].key,
		.duration = 8000,
	};
	add_pad(east, "a", "north");
	add_pad(east, "b", "north"); /* shares the approach of a */
	add_pad(east, "c", "south");
	*west = (struct record_port){
		.name = view_text("west"),
		.controller = controller[1].key,
		.lead = 1000,
		.before = 500,
		.after = 1500,
		.duration = 6000,
	};
	add_pad(west, "x", "x");
	add_pad(west, "y", "y");
	genesis->port_count = SIM_PORTS;
}

struct view setup_node_name(size_t number)
{
	static const char *const names[SIM_NODES_MAX] = {"n0", "n1", "n2", "n3",
		"n4", "n5", "n6", "n7", "n8", "n9", "n10", "n11", "n12", "n13",
		"n14", "n15"};
	return view_text(names[number]);
}

void setup_members(struct setup *setup, size_t voters, size_t standbys)
{
	struct genesis *genesis = setup->genesis;
	genesis->node_count = voters + standbys;
	for (size_t i = 0; i < genesis->node_count; i++)
		genesis->nodes[i] = (struct record_node){
			.key = setup->nodes[i].key,
			.name = setup_node_name(i),
			.role = i < voters ? 2 : 1,
		};
}

void setup_open(struct setup *setup)
{
	static const char *const names[OPERATORS] = {
		"ava", "ben", "chi", "dan"};
	struct keypair controllers[SIM_PORTS];
	memset(setup, 0, sizeof(*setup));
	for (uint8_t i = 0; i < SIM_NODES_MAX; i++)
		make_key(&setup->nodes[i], 1, i);
	qsort(setup->nodes, SIM_NODES_MAX, sizeof(setup->nodes[0]), by_key);
	for (uint8_t i = 0; i < SIM_PORTS; i++)
		make_key(&controllers[i], 2, i);
	for (uint8_t i = 0; i < OPERATORS; i++)
		make_key(&setup->operators[i], 3, i);
	make_key(&setup->observer, 4, 0);
	make_key(&setup->stranger, 5, 0);
	make_key(&setup->authority, 6, 0);

	struct genesis *genesis = calloc(1, sizeof(*genesis));
	CHECK(genesis);
	setup->genesis = genesis;
	genesis->network = hash_bytes(view_text("a simulated network"));
	memcpy(genesis->name, "sim", 4);
	genesis->time = 1800000000000;
	setup->start = genesis->time + 5000;
	add_ports(genesis, controllers);
	for (int i = 0; i < OPERATORS; i++)
		add_party(genesis, &setup->operators[i], ROLE_OPERATOR,
			names[i], i == 0 ? 6 : 60);
	add_party(genesis, &controllers[0], ROLE_CONTROLLER, "east-tower", 0);
	add_party(genesis, &controllers[1], ROLE_CONTROLLER, "west-tower", 0);
	add_party(genesis, &setup->observer, ROLE_OBSERVER, "press", 0);
	add_party(genesis, &setup->authority, ROLE_AUTHORITY, "office", 0);
}

void setup_close(struct setup *setup)
{
	free(setup->genesis);
	memset(setup, 0, sizeof(*setup));
}
