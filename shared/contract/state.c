/* contract/state.c -- laying a state out, filling it, reading it. */
#include "contract/inside.h"

#include <string.h>

#include "base/check.h"

const struct state_limits state_limits_default = {
	.ports_max = 1024,
	.parties_max = 4096,
	.nodes_max = 16,
	.reservations_max = 65536,
	.group_max = 2048,
	.seen_max = 1 << 20,
};

const struct state_limits state_limits_small = {
	.ports_max = 16,
	.parties_max = 64,
	.nodes_max = 16,
	.reservations_max = 1024,
	.group_max = 128,
	.seen_max = 4096,
};

static uint32_t ring_size(const struct state_limits *limits)
{
	uint32_t size = 1;

	while (size < limits->group_max)
		size *= 2;
	return size;
}

static size_t aligned(size_t size)
{
	return (size + 63) / 64 * 64;
}

/* The parts of a port that are too large for its record. */
static size_t port_part_bytes(const struct state_limits *limits)
{
	return aligned(PADS_MAX * ring_size(limits) * sizeof(uint32_t) +
		       LIVE_BUCKETS * sizeof(uint32_t) +
		       tree_bytes(LIVE_BUCKETS));
}

size_t state_bytes(const struct state_limits *limits)
{
	size_t port = sizeof(struct port) + port_part_bytes(limits) +
		      sizeof(uint32_t);

	return aligned(sizeof(struct state)) +
	       aligned(limits->ports_max * port) +
	       aligned(tree_bytes(limits->ports_max)) +
	       aligned(table_bytes(sizeof(struct party), limits->parties_max)) +
	       2 * aligned(limits->parties_max * sizeof(uint32_t)) +
	       aligned(tree_bytes(limits->parties_max)) +
	       aligned(limits->nodes_max * sizeof(struct node)) +
	       aligned(table_bytes(
		       sizeof(struct reservation), limits->reservations_max)) +
	       aligned(table_bytes(
		       sizeof(struct aircraft), limits->reservations_max)) +
	       aligned(limits->reservations_max * sizeof(struct deadline)) +
	       aligned(tree_bytes(limits->ports_max)) +
	       aligned(table_bytes(sizeof(struct seen), limits->seen_max)) +
	       aligned(tree_bytes(SEEN_SLOTS)) + 16 * 64;
}

/* What lay there before, in a block that was undone, is written over. */
static void lay_out_port(struct state *state, struct port *port)
{
	size_t ring = ring_size(&state->limits) * sizeof(uint32_t);
	size_t index = (size_t)(port - state->ports);
	uint8_t *part =
		state->port_parts + index * port_part_bytes(&state->limits);
	uint8_t *buckets = part + PADS_MAX * ring;

	for (size_t i = 0; i < PADS_MAX; i++)
		port->groups[i].ring = (uint32_t *)(void *)(part + i * ring);
	port->buckets = (uint32_t *)(void *)buckets;
	memset(port->buckets, 0xff, LIVE_BUCKETS * sizeof(uint32_t));
	tree_init_at(&port->live, state->arena,
		buckets + LIVE_BUCKETS * sizeof(uint32_t), LIVE_BUCKETS,
		LIVE_BUCKETS);
}

/* The memory may have had another life: nothing here, and no table, reads what
 * it did not write. */
void state_clear(struct state *state)
{
	struct arena *arena = state->arena;
	struct state_limits limits = state->limits;
	size_t from = state->arena_from;

	memset(state, 0, sizeof(*state));
	arena->used = from;
	CHECK(arena_take(arena, sizeof(*state)) == state);
	state->arena = arena;
	state->arena_from = from;
	state->limits = limits;
	state->ports =
		arena_take(arena, limits.ports_max * sizeof(struct port));
	memset(state->ports, 0, limits.ports_max * sizeof(struct port));
	state->port_order =
		arena_take(arena, limits.ports_max * sizeof(uint32_t));
	state->port_parts =
		arena_take(arena, limits.ports_max * port_part_bytes(&limits));
	table_init(&state->parties, arena, sizeof(struct key),
		sizeof(struct party), limits.parties_max);
	state->party_order =
		arena_take(arena, limits.parties_max * sizeof(uint32_t));
	state->party_rank =
		arena_take(arena, limits.parties_max * sizeof(uint32_t));
	state->nodes =
		arena_take(arena, limits.nodes_max * sizeof(struct node));
	table_init(&state->reservations, arena, sizeof(struct id),
		sizeof(struct reservation), limits.reservations_max);
	table_init(&state->fleet, arena, sizeof(struct hash),
		sizeof(struct aircraft), limits.reservations_max);
	state->deadlines = arena_take(
		arena, limits.reservations_max * sizeof(struct deadline));
	table_init(&state->seen, arena, sizeof(struct hash),
		sizeof(struct seen), limits.seen_max);
	tree_init(&state->seen_tree, arena, SEEN_SLOTS, SEEN_SLOTS);
}

static bool find_group(
	const struct port *port, struct view name, uint8_t *group)
{
	for (uint8_t i = 0; i < port->group_count; i++) {
		if (view_equal(name_view(&port->groups[i].name), name)) {
			*group = i;
			return true;
		}
	}
	return false;
}

static enum err add_pad(struct port *port, const struct record_pad *record)
{
	struct pad *pad = &port->pads[port->pad_count];

	for (size_t i = 0; i < port->pad_count; i++) {
		if (view_equal(name_view(&port->pads[i].name), record->name))
			return ERR_CONFIG;
	}
	if (!find_group(port, record->group, &pad->group)) {
		pad->group = port->group_count++;
		name_set(&port->groups[pad->group].name, record->group);
		port->groups[pad->group].cleared = TABLE_NONE;
	}
	name_set(&pad->name, record->name);
	pad->open = record->open != 0;
	pad->blocked = record->blocked != 0;
	pad->closed_from = (time_ms)record->closed_from;
	pad->closed_until = (time_ms)record->closed_until;
	pad->incursions = (uint32_t)record->incursions;
	port->pad_count++;
	return ERR_OK;
}

/* Fill the next port, all but its place. */
static enum err fill_port(struct state *state, const struct record_port *record)
{
	struct port *port = &state->ports[state->port_count];

	memset(port, 0, sizeof(*port));
	name_set(&port->name, record->name);
	port->controller = record->controller;
	port->lead = (time_ms)record->lead;
	port->before = (time_ms)record->before;
	port->after = (time_ms)record->after;
	port->duration = (time_ms)record->duration;
	port->hold = (time_ms)record->hold;
	port->no_show = (time_ms)record->no_show;
	for (size_t i = 0; i < record->pads_count; i++) {
		enum err err = add_pad(port, &record->pads[i]);

		if (err != ERR_OK)
			return err;
	}
	lay_out_port(state, port);
	return ERR_OK;
}

enum err state_add_port(struct state *state, const struct record_port *record)
{
	uint32_t rank = state->port_count;

	if (rank == state->limits.ports_max)
		return ERR_FULL;
	if (rank > 0 && view_order(name_view(&state->ports[rank - 1].name),
				record->name) >= 0)
		return ERR_CONFIG;
	enum err err = fill_port(state, record);
	if (err != ERR_OK)
		return err;
	state->ports[rank].rank = rank;
	state->port_order[rank] = rank;
	state->port_count++;
	return ERR_OK;
}

enum err state_register_port(
	struct state *state, const struct record_port *record)
{
	uint32_t index = state->port_count, rank = 0;

	if (index == state->limits.ports_max)
		return ERR_FULL;
	while (rank < index &&
		view_order(name_view(&port_ranked(state, rank)->name),
			record->name) < 0)
		rank++;
	arena_touch(state->arena, &state->ports[index], sizeof(struct port));
	enum err err = fill_port(state, record);
	if (err != ERR_OK)
		return err;
	arena_touch(state->arena, &state->port_order[rank],
		(index + 1 - rank) * sizeof(uint32_t));
	for (uint32_t at = index; at > rank; at--) {
		state->port_order[at] = state->port_order[at - 1];
		set_u32(state, &state->ports[state->port_order[at]].rank, at);
	}
	state->port_order[rank] = index;
	state->ports[index].rank = rank;
	set_u32(state, &state->port_count, index + 1);
	tree_grow(&state->ports_tree);
	tree_grow(&state->waiting_tree);
	return ERR_OK;
}

static uint32_t fill_party(
	struct state *state, const struct record_party *record)
{
	uint32_t index = table_put(&state->parties, &record->key);

	CHECK(index != TABLE_NONE);
	struct party *party = state_party_at(state, index);
	name_set(&party->name, record->name);
	party->role = (uint8_t)record->role;
	party->up = record->up != 0;
	party->quota = (uint32_t)record->quota;
	party->tier = (uint8_t)record->tier;
	party->emergencies = (uint32_t)record->emergencies;
	return index;
}

enum err state_add_party(struct state *state, const struct record_party *record)
{
	uint32_t rank = state->parties.count;

	if (rank == state->limits.parties_max)
		return ERR_FULL;
	if (rank > 0 &&
		memcmp(state_party_at(state, state->party_order[rank - 1]),
			&record->key, KEY_SIZE) >= 0)
		return ERR_CONFIG;
	uint32_t index = fill_party(state, record);
	state->party_rank[index] = rank;
	state->party_order[rank] = index;
	return ERR_OK;
}

enum err state_register_party(
	struct state *state, const struct record_party *record)
{
	uint32_t count = state->parties.count, rank = 0;

	if (count == state->limits.parties_max)
		return ERR_FULL;
	while (rank < count &&
		memcmp(state_party_at(state, state->party_order[rank]),
			&record->key, KEY_SIZE) < 0)
		rank++;
	uint32_t index = fill_party(state, record);
	arena_touch(state->arena, &state->party_order[rank],
		(count + 1 - rank) * sizeof(uint32_t));
	for (uint32_t at = count; at > rank; at--) {
		uint32_t moved = state->party_order[at - 1];

		state->party_order[at] = moved;
		set_u32(state, &state->party_rank[moved], at);
	}
	state->party_order[rank] = index;
	set_u32(state, &state->party_rank[index], rank);
	tree_grow(&state->parties_tree);
	return ERR_OK;
}

enum err state_add_node(struct state *state, const struct record_node *record)
{
	if (state->node_count == state->limits.nodes_max)
		return ERR_FULL;
	if (state->node_count > 0 &&
		memcmp(&state->nodes[state->node_count - 1].key, &record->key,
			KEY_SIZE) >= 0)
		return ERR_CONFIG;
	node_set(&state->nodes[state->node_count++], record);
	return ERR_OK;
}

void state_seal(struct state *state)
{
	tree_init(&state->ports_tree, state->arena, state->limits.ports_max,
		state->port_count);
	tree_init(&state->waiting_tree, state->arena, state->limits.ports_max,
		state->port_count);
	tree_init(&state->parties_tree, state->arena, state->limits.parties_max,
		state->parties.count);
	state->nodes_hash = nodes_hash(state);
	state_forget(state);
}

void state_forget(struct state *state)
{
	state->arena->journal_tail = state->arena->journal_head;
}

static int by_name(const void *a, const void *b)
{
	const struct record_port *x = a, *y = b;

	return view_order(x->name, y->name);
}

/* Of parties and of nodes: both begin with their key. */
static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SIZE);
}

/* The genesis lists things as people wrote them down: order gets the indexes
 * of its count items in the order that the state keeps. */
static void sort(uint16_t *order, const void *items, size_t item_size,
	size_t count, int (*compare)(const void *, const void *))
{
	const uint8_t *bytes = items;

	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		while (at > 0 && compare(bytes + order[at - 1] * item_size,
					 bytes + i * item_size) > 0) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = (uint16_t)i;
	}
}

enum err state_fill(struct state *state, const struct genesis *genesis)
{
	uint16_t order[GENESIS_PORTS_MAX + GENESIS_PARTIES_MAX];
	enum err err = ERR_OK;

	state_clear(state);
	state->time = genesis->time;
	state->seen_swept = (uint64_t)genesis->time / SEEN_SLOT_MS;
	sort(order, genesis->ports, sizeof(genesis->ports[0]),
		genesis->port_count, by_name);
	for (size_t i = 0; err == ERR_OK && i < genesis->port_count; i++)
		err = state_add_port(state, &genesis->ports[order[i]]);
	sort(order, genesis->parties, sizeof(genesis->parties[0]),
		genesis->party_count, by_key);
	for (size_t i = 0; err == ERR_OK && i < genesis->party_count; i++)
		err = state_add_party(state, &genesis->parties[order[i]]);
	sort(order, genesis->nodes, sizeof(genesis->nodes[0]),
		genesis->node_count, by_key);
	for (size_t i = 0; err == ERR_OK && i < genesis->node_count; i++)
		err = state_add_node(state, &genesis->nodes[order[i]]);
	if (err == ERR_OK)
		state_seal(state);
	return err;
}

enum err state_init(struct state **out, struct arena *arena,
	const struct state_limits *limits, const struct genesis *genesis)
{
	size_t from = arena->used;
	struct state *state = arena_take(arena, sizeof(*state));

	CHECK(limits->parties_max <= TREE_LEAVES_MAX);
	CHECK(limits->ports_max <= TREE_LEAVES_MAX);
	state->arena = arena;
	state->arena_from = from;
	state->limits = *limits;
	enum err err = state_fill(state, genesis);
	if (err != ERR_OK) {
		arena->used = from;
		return err;
	}
	CHECK(arena->used - from <= state_bytes(limits));
	*out = state;
	return ERR_OK;
}
