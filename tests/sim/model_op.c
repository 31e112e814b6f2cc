/* sim/model_op.c -- the guards of what makes a reservation, by looking at
 * everything, and which operation has which.
 */
#include "model.h"

#include <string.h>

#include "base/check.h"
#include "gen/table.h"

/* Of whatever makes a reservation. An id that comes again after it was
 * forgotten may name one that still lives. */
static unsigned made_broken(
	const struct model *model, const struct model_op *op)
{
	const struct key *wallet = &op->tx->body.wallet;
	struct id id = model_id(op->tx, op->index);
	unsigned broken = 0;
	if (model_live_of(model, wallet) >= model_party(model, wallet)->quota)
		broken |= MODEL_BROKEN(QUOTA);
	if (model_find(model, &id))
		broken |= MODEL_BROKEN(REPLAY);
	return broken;
}

/* ---- reserve ---- */

/* The one other reserve of this transaction with the same pair number. */
static bool find_half(const struct model_op *op, const struct op_reserve *self,
	struct op_reserve *half, size_t *index)
{
	size_t found = 0;
	for (size_t i = 0; i < op->tx->body.ops_count; i++) {
		const struct op *other = &op->tx->body.ops[i];
		struct op_reserve reserve;
		if (i == op->index || other->kind != OP_RESERVE ||
			op_reserve_decode(&reserve, other->body) != ERR_OK ||
			reserve.pair != self->pair)
			continue;
		*half = reserve;
		*index = i;
		found++;
	}
	return found == 1;
}

static bool is_flight(
	const struct op_reserve *departure, const struct op_reserve *arrival)
{
	return departure->movement == 1 && arrival->movement == 2 &&
	       view_equal(departure->aircraft, arrival->aircraft) &&
	       arrival->start >= departure->start + 60000;
}

static bool reserve_of(const struct model *model, const struct model_op *op,
	struct op_reserve *reserve, struct model_window *window)
{
	enum err err = op_reserve_decode(reserve, op->op->body);
	CHECK(err == ERR_OK);
	window->start = (time_ms)reserve->start;
	window->end = (time_ms)reserve->end;
	return model_port(model, reserve->port, &window->port) &&
	       model_pad(model, window->port, reserve->pad, &window->pad);
}

static unsigned reserve_broken(
	const struct model *model, const struct model_op *op)
{
	struct op_reserve reserve, half;
	struct model_window window;
	char aircraft[33];
	struct id pair;
	size_t index = 0;
	bool has_half = false;
	if (!reserve_of(model, op, &reserve, &window))
		return MODEL_BROKEN(UNKNOWN_PAD);
	unsigned broken = model_window_broken(model, &window);
	if (reserve.pair != 0)
		has_half = find_half(op, &reserve, &half, &index);
	if (has_half)
		pair = model_id(op->tx, index);
	bool first = op->index < index;
	if (reserve.pair != 0 && (!has_half || op->tx->body.mode != 0 ||
					 !is_flight(first ? &reserve : &half,
						 first ? &half : &reserve)))
		broken |= MODEL_BROKEN(PAIR_TIME);
	if (model_taken(model, &window, NULL))
		broken |= MODEL_BROKEN(SLOT_TAKEN);
	broken |= made_broken(model, op);
	model_name(aircraft, reserve.aircraft);
	if (model_flying(
		    model, &window, aircraft, NULL, has_half ? &pair : NULL))
		broken |= MODEL_BROKEN(AIRCRAFT_BUSY);
	return broken;
}

static bool grant_reserve(struct model *model, const struct model_op *op,
	const struct op_receipt *receipt)
{
	struct op_reserve reserve, half;
	struct model_window window;
	size_t index;
	bool found = reserve_of(model, op, &reserve, &window);
	CHECK(found);
	struct model_reservation one = {
		.id = model_id(op->tx, op->index),
		.port = window.port,
		.pad = window.pad,
		.start = window.start,
		.end = window.end,
		.owner = op->tx->body.wallet,
		.version = 1,
		.movement = (uint8_t)reserve.movement,
	};
	model_name(one.aircraft, reserve.aircraft);
	if (reserve.pair != 0 && find_half(op, &reserve, &half, &index)) {
		one.paired = true;
		one.pair = model_id(op->tx, index);
	}
	model_add(model, &one);
	return model_says(receipt, model, &one);
}

/* ---- reservation: the first free pad, as soon as may be ---- */

static bool first_pad(const struct model *model, const struct model_op *op,
	struct model_window *window)
{
	struct op_reservation body;
	enum err err = op_reservation_decode(&body, op->op->body);
	CHECK(err == ERR_OK);
	if (!model_port(model, body.port, &window->port))
		return false;
	const struct record_port *port = &model->genesis->ports[window->port];
	window->start = model->time + (time_ms)port->lead;
	window->end = window->start + (time_ms)port->duration;
	for (window->pad = 0; window->pad < port->pads_count; window->pad++) {
		if (!model_taken(model, window, NULL))
			return true;
	}
	window->pad = UINT32_MAX;
	return true;
}

static unsigned reservation_broken(
	const struct model *model, const struct model_op *op)
{
	struct model_window window;
	unsigned broken = 0;
	if (!first_pad(model, op, &window))
		return MODEL_BROKEN(UNKNOWN_PAD);
	if (window.pad == UINT32_MAX)
		broken |= MODEL_BROKEN(SLOT_TAKEN);
	return broken | made_broken(model, op);
}

static bool grant_reservation(struct model *model, const struct model_op *op,
	const struct op_receipt *receipt)
{
	struct model_window window;
	bool found = first_pad(model, op, &window);
	CHECK(found && window.pad != UINT32_MAX);
	struct model_reservation one = {
		.id = model_id(op->tx, op->index),
		.port = window.port,
		.pad = window.pad,
		.start = window.start,
		.end = window.end,
		.owner = op->tx->body.wallet,
		.version = 1,
	};
	model_add(model, &one);
	return model_says(receipt, model, &one);
}

/* ---- which operation ---- */

static unsigned role_of(uint64_t kind)
{
	if (kind == OP_SET_NODE)
		return 1u << ROLE_AUTHORITY;
	if (kind == OP_CANCEL)
		return 1u << ROLE_AUTHORITY | 1u << ROLE_OPERATOR;
	return 1u << ROLE_OPERATOR;
}

unsigned model_broken(const struct model *model, const struct model_op *op)
{
	const struct record_party *party =
		model_party(model, &op->tx->body.wallet);
	uint64_t kind = op->op->kind;
	if (kind < OP_RESERVE || kind > OP_SET_NODE)
		return MODEL_BROKEN(MALFORMED);
	if (!(role_of(kind) >> party->role & 1))
		return MODEL_BROKEN(ROLE);
	if (kind == OP_RESERVE)
		return reserve_broken(model, op);
	if (kind == OP_RESERVATION)
		return reservation_broken(model, op);
	return model_change_broken(model, op);
}

bool model_grant(struct model *model, struct world *world,
	const struct model_op *op, const struct op_receipt *receipt)
{
	if (op->op->kind == OP_RESERVE)
		return grant_reserve(model, op, receipt);
	if (op->op->kind == OP_RESERVATION)
		return grant_reservation(model, op, receipt);
	return model_grant_change(model, world, op, receipt);
}
