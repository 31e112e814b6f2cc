/* sim/wish.c -- what clients want: windows that collide, changes of what they
 * or others have, and now and then something that cannot be granted.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "world.h"

enum { WISH_OPS_MAX = 4, WISH_BODY_MAX = 512 };

/* A transaction that is being put together. */
struct draft {
	struct tx body;
	uint8_t bodies[WISH_OPS_MAX][WISH_BODY_MAX];
};

static time_ms wall(const struct world *world)
{
	return world->setup->start + world->now_us / 1000;
}

static void add_op(struct draft *draft, enum op_number kind, size_t size)
{
	struct op *op = &draft->body.ops[draft->body.ops_count];
	CHECK(size > 0);
	op->kind = kind;
	op->body = view_of(draft->bodies[draft->body.ops_count], size);
	draft->body.ops_count++;
}

static uint8_t *room(struct draft *draft)
{
	CHECK(draft->body.ops_count < WISH_OPS_MAX);
	return draft->bodies[draft->body.ops_count];
}

static const char *const pads[SIM_PORTS][4] = {
	{"a", "b", "c", "d"}, /* there is no d */
	{"x", "y", "x", "y"},
};

static struct view any_pad(struct world *world, uint32_t port)
{
	/* The last one, which may not exist, is rare. */
	size_t pick = world_chance(world, 30) ? 3 : world_below(world, 3);
	return view_text(pads[port][pick]);
}

static struct view port_name(uint32_t port)
{
	return view_text(port == 0 ? "east" : "west");
}

/* Windows begin on few marks, so that many want the same one. */
static void any_window(struct world *world, uint64_t *start, uint64_t *end)
{
	time_ms mark = 2000;
	time_ms now = wall(world);
	time_ms from = (now / mark + world_between(world, 0, 12)) * mark;
	if (world_chance(world, 20))
		from += INT64_C(31) * 24 * 3600 * 1000;
	*start = (uint64_t)from;
	*end = (uint64_t)(from + world_between(world, 1, 6) * mark / 2);
	if (world_chance(world, 10))
		*end = *start;
}

static struct view any_aircraft(struct world *world)
{
	static const char *const names[] = {"kite1", "kite2", "kite3"};
	if (world_chance(world, 600))
		return view_text("");
	return view_text(names[world_below(world, 3)]);
}

static void reserve(struct world *world, struct draft *draft)
{
	uint32_t port = (uint32_t)world_below(world, SIM_PORTS);
	struct op_reserve op = {
		.port = port_name(port),
		.pad = any_pad(world, port),
		.aircraft = any_aircraft(world),
		.movement = world_below(world, 3),
	};
	any_window(world, &op.start, &op.end);
	uint8_t *at = room(draft);
	add_op(draft, OP_RESERVE, op_reserve_encode(at, WISH_BODY_MAX, &op));
}

/* Take-off at one port, landing at the other, sometimes too soon after. */
static void pair(struct world *world, struct draft *draft)
{
	struct op_reserve op = {
		.port = port_name(0),
		.pad = any_pad(world, 0),
		.aircraft = any_aircraft(world),
		.pair = 1,
		.movement = 1,
	};
	any_window(world, &op.start, &op.end);
	uint8_t *at = room(draft);
	add_op(draft, OP_RESERVE, op_reserve_encode(at, WISH_BODY_MAX, &op));
	uint64_t flight = world_chance(world, 150) ? 30000 : 60000;
	op.port = port_name(1);
	op.pad = any_pad(world, 1);
	op.movement = 2;
	op.start += flight;
	op.end += flight;
	at = room(draft);
	add_op(draft, OP_RESERVE, op_reserve_encode(at, WISH_BODY_MAX, &op));
}

static void reservation(struct world *world, struct draft *draft)
{
	uint32_t port = (uint32_t)world_below(world, SIM_PORTS);
	struct op_reservation op = {.port = port_name(port)};
	uint8_t *at = room(draft);
	add_op(draft, OP_RESERVATION,
		op_reservation_encode(at, WISH_BODY_MAX, &op));
}

static struct known *any_known(struct world *world)
{
	struct clients *clients = &world->clients;
	if (clients->known_count == 0)
		return NULL;
	return &clients->known[world_below(world, clients->known_count)];
}

static void amend(struct world *world, struct draft *draft)
{
	const struct known *known = any_known(world);
	if (!known) {
		reserve(world, draft);
		return;
	}
	struct op_amend op = {
		.reservation = known->id,
		.version = known->version,
		.pad = any_pad(world, known->port),
	};
	any_window(world, &op.start, &op.end);
	uint8_t *at = room(draft);
	add_op(draft, OP_AMEND, op_amend_encode(at, WISH_BODY_MAX, &op));
}

static void cancel(struct world *world, struct draft *draft)
{
	const struct known *known = any_known(world);
	struct op_cancel op = {{{0}}};
	if (known)
		op.reservation = known->id;
	uint8_t *at = room(draft);
	add_op(draft, OP_CANCEL, op_cancel_encode(at, WISH_BODY_MAX, &op));
}

static void any_op(struct world *world, struct draft *draft)
{
	uint64_t pick = world_below(world, 100);
	if (pick < 50)
		reserve(world, draft);
	else if (pick < 65)
		amend(world, draft);
	else if (pick < 80)
		cancel(world, draft);
	else if (pick < 90 || draft->body.ops_count + 2 > WISH_OPS_MAX)
		reservation(world, draft);
	else
		pair(world, draft);
}

static time_ms valid_until(struct world *world)
{
	if (world_chance(world, 50))
		return wall(world) + world_between(world, 1, 3000);
	/* The ledger remembers a bounded number until they expire. */
	if (world->clients.slots == CLIENT_REQUESTS)
		return wall(world) + world_between(world, 5000, 15000);
	return wall(world) + world_between(world, 60000, 200000);
}

/* Who mostly owns what the operation is about. */
static uint32_t any_operator(struct world *world)
{
	const struct known *known = any_known(world);
	if (known && known->owner < OPERATORS && world_chance(world, 600))
		return known->owner;
	return (uint32_t)world_below(world, OPERATORS);
}

/* The same id, other content: only the first may have an effect. */
static struct sim_tx *replayed(
	struct world *world, const struct keypair *wallet)
{
	struct clients *clients = &world->clients;
	if (clients->tx_count == 0 || !world_chance(world, 15))
		return NULL;
	struct sim_tx *old =
		clients->txs[world_below(world, clients->tx_count)];
	bool same = key_equal(&old->view.body.wallet, &wallet->key);
	return same && !old->twin ? old : NULL;
}

struct sim_tx *wish_any(struct world *world)
{
	struct draft draft = {.body = {.mode = world_below(world, 2)}};
	uint32_t owner = any_operator(world);
	const struct keypair *pair = &world->setup->operators[owner];
	size_t ops = world_chance(world, 800) ? 1 : 2;
	for (size_t i = 0; i < ops; i++)
		any_op(world, &draft);
	draft.body.valid_until = (uint64_t)valid_until(world);
	if (world_chance(world, 10)) {
		owner = OPERATORS;
		pair = &world->setup->observer;
	} else if (world_chance(world, 10)) {
		owner = OPERATORS;
		pair = &world->setup->stranger;
	}
	return client_sign(
		world, pair, owner, &draft.body, replayed(world, pair));
}

/* ---- the authority ---- */

bool wish_member_change(struct world *world)
{
	struct checker *checker = &world->checker;
	struct draft draft = {.body = {.mode = 0}};
	uint32_t number = (uint32_t)world_below(world, world->node_count);
	struct node *node = &world->nodes[number];
	const struct checker_member *is = &checker->members[number];
	uint64_t role = world_below(world, 3);
	if (role == (is->voter ? 2u : is->standby ? 1u : 0u))
		return false;
	/* Who forgot what it acknowledged must stay a minority. */
	if (is->voter && (checker->voters <= 2 || fault_forgetful(world) > 0))
		return false;
	struct op_set_node op = {
		.node = node->self->key,
		.name = setup_node_name(number),
		.role = role,
	};
	uint8_t *at = room(&draft);
	add_op(&draft, OP_SET_NODE, op_set_node_encode(at, WISH_BODY_MAX, &op));
	draft.body.valid_until = (uint64_t)(wall(world) + 10000);
	struct sim_tx *tx = client_sign(
		world, &world->setup->authority, OPERATORS, &draft.body, NULL);
	client_ask(world, tx);
	world->fault.member_changes++;
	if (role > 0 && !node->up && node->gone) {
		node->gone = false;
		node_start(world, node);
	}
	return true;
}
