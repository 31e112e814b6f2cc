/* sim/client.c -- asking, asking again, and being told. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

void client_free(struct clients *clients)
{
	free(clients->txs);
	memset(clients, 0, sizeof(*clients));
}

static void look_later(struct world *world, uint32_t slot, int64_t after_us)
{
	world_plan(world, after_us, PLAN_CLIENT, slot, 0);
}

void client_begin(struct world *world)
{
	struct clients *clients = &world->clients;
	clients->numbers = 0;
	clients->known_count = 0;
	clients->tx_count = 0;
	memset(clients->requests, 0, sizeof(clients->requests));
	clients->eagerness = (unsigned)world_between(world, 200, 1000);
	/* Now and then so many that blocks are made ahead of each other. */
	clients->slots = (uint32_t)world_between(world, 4, 16);
	if (world_chance(world, 40))
		clients->slots = CLIENT_REQUESTS;
	for (uint32_t i = 0; i < clients->slots; i++)
		look_later(world, i, world_between(world, 0, 1000000));
}

/* ---- transactions and their bytes ---- */

/* An id that nobody can guess, and that tells us which one it is. */
static struct id new_id(struct world *world, uint32_t index)
{
	struct id id;
	uint64_t low = random_next(&world->random);
	uint64_t high = random_next(&world->random);
	memcpy(id.bytes, &low, 8);
	memcpy(id.bytes + 8, &high, 8);
	memcpy(id.bytes + 8, &index, sizeof(index));
	return id;
}

struct sim_tx *client_sign(struct world *world, const struct keypair *pair,
	uint32_t owner, struct tx *body, struct sim_tx *same_id)
{
	struct clients *clients = &world->clients;
	static uint8_t bytes[TX_BYTES_MAX];
	uint32_t index = (uint32_t)clients->tx_count;
	body->wallet = pair->key;
	body->id = same_id ? same_id->view.body.id : new_id(world, index);
	size_t size =
		tx_seal(bytes, body, pair, &world->setup->genesis->network);
	CHECK(size > 0);
	struct sim_tx *tx = bank_take(&world->bank, sizeof(*tx));
	memset(tx, 0, sizeof(*tx));
	uint8_t *copy = bank_take(&world->bank, size);
	memcpy(copy, bytes, size);
	enum err err = tx_open(&tx->view, view_of(copy, size));
	CHECK(err == ERR_OK);
	tx->index = index;
	tx->owner = owner;
	tx->twin = same_id;
	if (same_id)
		same_id->twin = tx;
	if (clients->tx_count == clients->tx_room) {
		clients->tx_room =
			clients->tx_room ? 2 * clients->tx_room : 512;
		clients->txs = realloc(
			clients->txs, clients->tx_room * sizeof(*clients->txs));
		CHECK(clients->txs);
	}
	clients->txs[clients->tx_count++] = tx;
	return tx;
}

struct sim_tx *client_tx_of_bytes(struct world *world, struct view bytes)
{
	struct tx_view view;
	uint32_t index;
	if (tx_open(&view, bytes) != ERR_OK)
		return NULL;
	memcpy(&index, view.body.id.bytes + 8, sizeof(index));
	if (index >= world->clients.tx_count)
		return NULL;
	struct sim_tx *tx = world->clients.txs[index];
	for (int i = 0; i < 2 && tx; i++, tx = tx->twin) {
		if (view_equal(tx->view.bytes, bytes))
			return tx;
	}
	return NULL;
}

/* ---- asking ---- */

static int64_t patience_us(struct world *world)
{
	return world_between(world, 2, 8) * world->election_ms * 500;
}

/* Anybody; and after the faults one that takes part, as `peers` would tell. */
static uint32_t any_node(struct world *world)
{
	uint32_t pick = (uint32_t)world_below(world, world->node_count);
	for (size_t i = 0; world->healed && i < world->node_count; i++) {
		const struct checker_member *member =
			&world->checker.members[pick];
		if (world->nodes[pick].core &&
			(member->voter || member->standby))
			break;
		pick = (uint32_t)((pick + 1) % world->node_count);
	}
	return pick;
}

static void ask(struct world *world, uint32_t slot)
{
	struct request *request = &world->clients.requests[slot];
	uint32_t node = any_node(world);
	struct packet *packet = packet_new(&world->net,
		request->read ? PACKET_READ : PACKET_SUBMIT, SIM_CLIENT + slot,
		node);
	packet->a = request->number;
	packet->tx = request->tx;
	request->attempt++;
	trace_note(&world->trace, world->now_us, 'c', slot, NOTE_ASK, node,
		request->tx ? request->tx->index : 0, request->attempt);
	net_send(world, packet);
}

static void begin(struct world *world, uint32_t slot, struct sim_tx *tx)
{
	if (tx)
		tx->floor = world->checker.acknowledged_height;
	struct request *request = &world->clients.requests[slot];
	*request = (struct request){
		.busy = true,
		.read = !tx,
		.patient = world_chance(world, 850),
		.number = ++world->clients.numbers,
		.tx = tx,
		.begun_us = world->now_us,
	};
	ask(world, slot);
}

void client_ask(struct world *world, struct sim_tx *tx)
{
	for (uint32_t i = 0; i < world->clients.slots; i++) {
		if (world->clients.requests[i].busy)
			continue;
		begin(world, i, tx);
		world->clients.requests[i].patient = true;
		return;
	}
}

/* After the faults clients begin a little more, and then only wait. */
static bool may_begin(const struct world *world)
{
	return !world->healed ||
	       world->now_us < world->heal_us + 2000 * world->election_ms;
}

static bool is_expired(const struct world *world, const struct sim_tx *tx)
{
	return (time_ms)tx->view.body.valid_until <= world->checker.model.time;
}

void client_plan(struct world *world, const struct plan *plan)
{
	uint32_t slot = plan->who;
	struct request *request = &world->clients.requests[slot];
	look_later(world, slot, patience_us(world));
	if (request->busy) {
		if (request->tx && is_expired(world, request->tx) &&
			!request->tx->final)
			request->busy = false; /* it never will be */
		else
			ask(world, slot);
	} else if (may_begin(world) &&
		   world_chance(world, world->clients.eagerness)) {
		bool read = world_chance(world, 150);
		begin(world, slot, read ? NULL : wish_any(world));
	}
}

static void end(struct world *world, uint32_t slot)
{
	world->clients.requests[slot].busy = false;
}

/* Reservations become known to everybody, so that others try their luck. */
static void learn(
	struct world *world, const struct sim_tx *tx, struct view bytes)
{
	struct clients *clients = &world->clients;
	struct receipt receipt;
	if (receipt_decode(&receipt, bytes) != ERR_OK)
		return;
	for (size_t i = 0; i < receipt.ops_count; i++) {
		const struct op_receipt *op = &receipt.ops[i];
		struct detail_granted detail;
		if (op->code != 0 || op->reservation.size != ID_SIZE ||
			detail_granted_decode(&detail, op->details) != ERR_OK)
			continue;
		size_t at = clients->known_count < CLIENT_KNOWN
				    ? clients->known_count++
				    : world_below(world, CLIENT_KNOWN);
		struct known *known = &clients->known[at];
		memcpy(known->id.bytes, op->reservation.data, ID_SIZE);
		known->owner = tx->owner;
		known->version = detail.version;
		known->port = detail.port.data[0] == 'w';
	}
}

void client_packet(struct world *world, const struct packet *packet)
{
	uint32_t slot = packet->to - SIM_CLIENT;
	struct request *request = &world->clients.requests[slot];
	trace_note(&world->trace, world->now_us, 'c', slot, NOTE_TOLD,
		packet->from, packet->tx ? packet->tx->index : 0,
		packet->status);
	if (!request->busy || packet->a != request->number)
		return;
	switch ((enum told)packet->status) {
	case TOLD_RECEIVED:
		if (request->patient)
			return;
		request->tx->promised = true;
		request->tx->promised_by = packet->from;
		break;
	case TOLD_FINAL:
		learn(world, request->tx, packet->receipt);
		break;
	case TOLD_READ:
		break;
	case TOLD_REFUSED:
		if (packet->err == ERR_BUSY || packet->err == ERR_BEHIND ||
			(packet->err == ERR_EXPIRED && request->patient))
			return; /* later, or somewhere else */
		world->totals.refusals++;
		break;
	}
	end(world, slot);
}

void client_forgive(struct world *world, const struct node *node)
{
	for (size_t i = 0; i < world->clients.tx_count; i++) {
		struct sim_tx *tx = world->clients.txs[i];
		if (tx->promised_by == node->number)
			tx->promised = false;
	}
}

bool client_waits(const struct world *world)
{
	for (uint32_t i = 0; i < world->clients.slots; i++) {
		const struct request *request = &world->clients.requests[i];
		if (request->busy && !(request->tx && !request->tx->final &&
					     is_expired(world, request->tx)))
			return true;
	}
	return false;
}
