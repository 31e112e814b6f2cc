/* contract/root.c -- what the state root is made of.
 *
 *   state root = H("perch/state" || root over ports || rest)
 *   a port     = leaf(record_port || root over 256 buckets)
 *   a bucket   = H(its live reservations, in order of id), or zero
 *   rest       = H(root over parties || nodes || root over seen slots ||
 *                  root over what waits at each port || height || time ||
 *                  seen_swept)
 *
 * So the timetable of one port has a short proof, and changing a reservation
 * costs one bucket and the two paths above it.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"
#include "contract/proof.h"

void mark_port(struct state *state, uint32_t port)
{
	tree_mark(&state->ports_tree, state->ports[port].rank);
}

void mark_party(struct state *state, uint32_t party)
{
	tree_mark(&state->parties_tree, state->party_rank[party]);
}

void mark_reservation(
	struct state *state, const struct reservation *reservation)
{
	struct port *port = &state->ports[reservation->port];

	tree_mark(&port->live, reservation->id.bytes[0]);
	mark_port(state, reservation->port);
}

static struct hash bucket_hash(
	const struct state *state, const struct port *port, uint32_t bucket)
{
	uint32_t index = port->buckets[bucket];
	struct hash hash = {{0}};
	struct hasher hasher;

	if (index == TABLE_NONE)
		return hash;
	hash_start(&hasher);
	while (index != TABLE_NONE) {
		const struct reservation *at = reservation_at(state, index);
		struct record_reservation record;

		record_of_reservation(state, at, &record);
		proof_add_record(&hasher, &record);
		index = at->bucket_next;
	}
	return hash_end(&hasher);
}

struct hash port_leaf(const struct record_port *port, const struct hash *live)
{
	uint8_t bytes[RECORD_PORT_BYTES_MAX + HASH_SIZE];
	size_t size = record_port_encode(bytes, RECORD_PORT_BYTES_MAX, port);

	CHECK(size > 0);
	memcpy(bytes + size, live, HASH_SIZE);
	return merkle_leaf(view_of(bytes, size + HASH_SIZE));
}

static struct hash ports_root(struct state *state)
{
	uint32_t at, bucket;

	for (uint32_t from = 0; tree_next_marked(&state->ports_tree, from, &at);
		from = at + 1) {
		struct port *port = port_ranked(state, at);
		struct record_port record;

		for (uint32_t next = 0;
			tree_next_marked(&port->live, next, &bucket);
			next = bucket + 1) {
			struct hash hash = bucket_hash(state, port, bucket);
			tree_set(&port->live, bucket, &hash);
		}
		struct hash live = tree_root(&port->live);
		record_of_port(port, &record);
		struct hash leaf = port_leaf(&record, &live);
		tree_set(&state->ports_tree, at, &leaf);
	}
	return tree_root(&state->ports_tree);
}

static struct hash parties_root(struct state *state)
{
	uint32_t rank;

	for (uint32_t from = 0;
		tree_next_marked(&state->parties_tree, from, &rank);
		from = rank + 1) {
		uint8_t bytes[RECORD_PARTY_BYTES_MAX];
		struct record_party record;

		record_of_party(state_party_at(state, state->party_order[rank]),
			&record);
		size_t size =
			record_party_encode(bytes, sizeof(bytes), &record);
		CHECK(size > 0);
		struct hash leaf = merkle_leaf(view_of(bytes, size));
		tree_set(&state->parties_tree, rank, &leaf);
	}
	return tree_root(&state->parties_tree);
}

/* A leaf is H(those that wait at a port, group by group in order), or zero. */
static struct hash waiting_root(struct state *state)
{
	uint32_t at;

	for (uint32_t from = 0;
		tree_next_marked(&state->waiting_tree, from, &at);
		from = at + 1) {
		const struct port *port = port_ranked(state, at);
		struct hash leaf = {{0}};
		struct hasher hasher;
		uint32_t count = 0;

		hash_start(&hasher);
		for (size_t i = 0; i < port->group_count; i++) {
			const struct group *group = &port->groups[i];

			for (uint32_t k = 0; k < group->waiting_count; k++) {
				struct record_reservation record;

				record_of_reservation(state,
					reservation_at(
						state, group->waiting[k]),
					&record);
				proof_add_record(&hasher, &record);
				count++;
			}
		}
		if (count > 0)
			leaf = hash_end(&hasher);
		tree_set(&state->waiting_tree, at, &leaf);
	}
	return tree_root(&state->waiting_tree);
}

static struct hash seen_root(struct state *state)
{
	uint32_t place;

	for (uint32_t from = 0;
		tree_next_marked(&state->seen_tree, from, &place);
		from = place + 1) {
		const struct seen_slot *slot = &state->seen_slots[place];
		struct hash leaf = {{0}};

		if (slot->count > 0)
			leaf = merkle_node(&slot->base, &slot->tip);
		tree_set(&state->seen_tree, place, &leaf);
	}
	return tree_root(&state->seen_tree);
}

struct hash nodes_hash(const struct state *state)
{
	struct hasher hasher;

	hash_start(&hasher);
	for (uint32_t i = 0; i < state->node_count; i++) {
		uint8_t bytes[RECORD_NODE_BYTES_MAX];
		struct record_node record;

		record_of_node(&state->nodes[i], &record);
		size_t size = record_node_encode(bytes, sizeof(bytes), &record);
		CHECK(size > 0);
		hash_add(&hasher, view_of(bytes, size));
	}
	return hash_end(&hasher);
}

static void put_u64(uint8_t *out, uint64_t value)
{
	for (size_t i = 0; i < sizeof(value); i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

struct hash state_rest(struct state *state)
{
	struct hash parties = parties_root(state), seen = seen_root(state);
	struct hash waiting = waiting_root(state);
	uint8_t numbers[3 * sizeof(uint64_t)];

	put_u64(numbers, state->height);
	put_u64(numbers + 8, (uint64_t)state->time);
	put_u64(numbers + 16, state->seen_swept);
	struct view parts[] = {
		view_of(&parties, HASH_SIZE),
		view_of(&state->nodes_hash, HASH_SIZE),
		view_of(&seen, HASH_SIZE),
		view_of(&waiting, HASH_SIZE),
		view_of(numbers, sizeof(numbers)),
	};
	return hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
}

struct hash state_root_of(const struct hash *ports, const struct hash *rest)
{
	struct view parts[] = {
		view_text("perch/state"),
		view_of(ports, HASH_SIZE),
		view_of(rest, HASH_SIZE),
	};
	return hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
}

struct hash state_root(struct state *state)
{
	struct hash ports = ports_root(state), rest = state_rest(state);

	return state_root_of(&ports, &rest);
}

void state_proof(struct state *state, size_t port, struct proof_parts *out)
{
	CHECK(port < state->port_count);
	struct hash ports = ports_root(state);
	struct port *at = port_ranked(state, (uint32_t)port);
	(void)ports; /* brings the trees up to date */

	record_of_port(at, &out->port);
	out->live = tree_root(&at->live);
	for (uint32_t i = 0; i < LIVE_BUCKETS; i++)
		out->buckets[i] = tree_leaf(&at->live, i);
	out->index = port;
	out->count = state->port_count;
	out->path_length =
		tree_path(&state->ports_tree, (uint32_t)port, out->path);
	out->rest = state_rest(state);
}
