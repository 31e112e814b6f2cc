/* sim/model_change.c -- the guards of what changes what is there. */
#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "world.h"

/* ---- amend ---- */

static struct model_reservation *amend_of(const struct model *model,
	const struct model_op *op, struct op_amend *amend,
	struct model_window *window)
{
	enum err err = op_amend_decode(amend, op->op->body);
	CHECK(err == ERR_OK);
	struct model_reservation *self = model_find(model, &amend->reservation);
	if (!self)
		return NULL;
	window->port = self->port;
	window->start = (time_ms)amend->start;
	window->end = (time_ms)amend->end;
	if (!model_pad(model, window->port, amend->pad, &window->pad))
		window->pad = UINT32_MAX;
	return self;
}

static bool is_still_flight(const struct model *model,
	const struct model_reservation *self, const struct model_window *window)
{
	const struct model_reservation *half =
		self->paired ? model_find(model, &self->pair) : NULL;
	if (!half)
		return true;
	time_ms flight = window->start - half->start;
	if (self->movement != 2)
		flight = -flight;
	return flight >= 60000;
}

static unsigned amend_broken(
	const struct model *model, const struct model_op *op)
{
	struct op_amend amend;
	struct model_window window;
	const struct model_reservation *self =
		amend_of(model, op, &amend, &window);
	unsigned broken = 0;
	if (!self)
		return MODEL_BROKEN(UNKNOWN_RESERVATION);
	if (!key_equal(&self->owner, &op->tx->body.wallet))
		broken |= MODEL_BROKEN(NOT_OWNER);
	if (self->version != amend.version)
		broken |= MODEL_BROKEN(VERSION);
	if (window.pad == UINT32_MAX)
		return broken | MODEL_BROKEN(UNKNOWN_PAD);
	broken |= model_window_broken(model, &window);
	if (model_taken(model, &window, &self->id))
		broken |= MODEL_BROKEN(SLOT_TAKEN);
	if (model_flying(model, &window, self->aircraft, &self->id,
		    self->paired ? &self->pair : NULL))
		broken |= MODEL_BROKEN(AIRCRAFT_BUSY);
	if (!is_still_flight(model, self, &window))
		broken |= MODEL_BROKEN(PAIR_TIME);
	return broken;
}

static bool grant_amend(struct model *model, const struct model_op *op,
	const struct op_receipt *receipt)
{
	struct op_amend amend;
	struct model_window window;
	struct model_reservation *self = amend_of(model, op, &amend, &window);
	CHECK(self);
	self->pad = window.pad;
	self->start = window.start;
	self->end = window.end;
	self->version++;
	return model_says(receipt, model, self);
}

/* ---- cancel ---- */

static struct model_reservation *cancel_of(
	const struct model *model, const struct model_op *op)
{
	struct op_cancel cancel;
	enum err err = op_cancel_decode(&cancel, op->op->body);
	CHECK(err == ERR_OK);
	return model_find(model, &cancel.reservation);
}

static unsigned cancel_broken(
	const struct model *model, const struct model_op *op)
{
	const struct key *wallet = &op->tx->body.wallet;
	const struct model_reservation *self = cancel_of(model, op);
	if (!self)
		return MODEL_BROKEN(UNKNOWN_RESERVATION);
	if (!key_equal(&self->owner, wallet) &&
		model_party(model, wallet)->role != ROLE_AUTHORITY)
		return MODEL_BROKEN(NOT_OWNER);
	return 0;
}

static bool grant_cancel(struct model *model, const struct model_op *op)
{
	struct model_reservation self = *cancel_of(model, op);
	model_end(model, &self.id);
	if (self.paired)
		model_end(model, &self.pair);
	return true;
}

/* ---- set_node ---- */

static bool grant_set_node(struct world *world, const struct model_op *op)
{
	struct op_set_node change;
	enum err err = op_set_node_decode(&change, op->op->body);
	CHECK(err == ERR_OK);
	const struct node *node = node_of_key(world, &change.node);
	if (!node)
		return false;
	check_member(world, node, (uint8_t)change.role);
	return true;
}

/* ---- which ---- */

unsigned model_change_broken(
	const struct model *model, const struct model_op *op)
{
	if (op->op->kind == OP_AMEND)
		return amend_broken(model, op);
	if (op->op->kind == OP_CANCEL)
		return cancel_broken(model, op);
	return 0;
}

bool model_grant_change(struct model *model, struct world *world,
	const struct model_op *op, const struct op_receipt *receipt)
{
	if (op->op->kind == OP_AMEND)
		return grant_amend(model, op, receipt);
	if (op->op->kind == OP_CANCEL)
		return grant_cancel(model, op);
	return grant_set_node(world, op);
}
