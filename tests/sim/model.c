/* sim/model.c -- final blocks, one by one, against the naive contract. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "world.h"

void model_clear(struct model *model, const struct genesis *genesis)
{
	model->genesis = genesis;
	model->time = genesis->time;
	model->live.count = 0;
	model->saved.count = 0;
	model->refusals = 0;
}

void model_free(struct model *model)
{
	free(model->live.items);
	free(model->saved.items);
	memset(model, 0, sizeof(*model));
}

static void list_copy(struct model_list *to, const struct model_list *from)
{
	if (to->room < from->count) {
		to->room = from->room;
		to->items = realloc(to->items, to->room * sizeof(to->items[0]));
		CHECK(to->items);
	}
	if (from->count > 0)
		memcpy(to->items, from->items,
			from->count * sizeof(from->items[0]));
	to->count = from->count;
}

void model_end(struct model *model, const struct id *id)
{
	struct model_list *live = &model->live;
	for (size_t i = 0; i < live->count; i++) {
		if (id_equal(&live->items[i].id, id))
			live->items[i--] = live->items[--live->count];
	}
}

/* A window that is over ends its reservation, and the other half with it. */
static void end_by_time(struct model *model)
{
	struct model_list *live = &model->live;
	for (;;) {
		const struct model_reservation *first = NULL;
		for (size_t i = 0; i < live->count; i++) {
			const struct model_reservation *one = &live->items[i];
			if (one->end <= model->time &&
				(!first || one->end < first->end))
				first = one;
		}
		if (!first)
			return;
		struct model_reservation over = *first;
		model_end(model, &over.id);
		if (over.paired)
			model_end(model, &over.pair);
	}
}

static bool is_rolled_back(const struct receipt *receipt, size_t refused)
{
	for (size_t i = 0; i < receipt->ops_count; i++) {
		if (i != refused && receipt->ops[i].code != REFUSAL_ROLLED_BACK)
			return false;
	}
	return true;
}

static bool check_op(struct model *model, struct world *world,
	const struct model_op *op, const struct op_receipt *receipt,
	char why[MODEL_WHY])
{
	unsigned broken = model_broken(model, op);
	bool granted = receipt->code == REFUSAL_GRANTED;
	if (granted && broken == 0) {
		if (model_grant(model, world, op, receipt))
			return true;
		snprintf(why, MODEL_WHY,
			"operation %zu is granted something else than it asked",
			op->index);
		return false;
	}
	model->refusals++;
	/* Whether a change of members is free is the engine's secret. */
	if (op->op->kind == OP_SET_NODE &&
		(receipt->code == REFUSAL_MEMBERSHIP ||
			receipt->code == REFUSAL_UNKNOWN_NODE))
		return true;
	if (!granted && receipt->code < 32 && broken >> receipt->code & 1)
		return true;
	snprintf(why, MODEL_WHY,
		"operation %zu (kind %llu) is %s, and what speaks against it "
		"is %#x",
		op->index, (unsigned long long)op->op->kind,
		refusal_name((enum refusal)receipt->code), broken);
	return false;
}

/* In mode `all` only the operation that was refused has a code of its own. */
static size_t refused_of(const struct receipt *receipt)
{
	size_t i = 0;
	while (i < receipt->ops_count &&
		(receipt->ops[i].code == REFUSAL_GRANTED ||
			receipt->ops[i].code == REFUSAL_ROLLED_BACK))
		i++;
	return i;
}

/* Everything before the refused one was granted, and then undone. */
static bool check_all_refused(struct model *model, struct world *world,
	const struct tx_view *tx, const struct receipt *receipt, size_t refused,
	char why[MODEL_WHY])
{
	bool good = is_rolled_back(receipt, refused);
	list_copy(&model->saved, &model->live);
	for (size_t i = 0; good && i < refused; i++) {
		struct model_op op = {tx, i, &tx->body.ops[i]};
		good = model_broken(model, &op) == 0 &&
		       model_grant(model, world, &op, NULL);
	}
	if (good) {
		struct model_op op = {tx, refused, &tx->body.ops[refused]};
		good = check_op(model, world, &op, &receipt->ops[refused], why);
	} else {
		snprintf(why, MODEL_WHY,
			"operation %zu was not the first "
			"that had to be refused",
			refused);
	}
	list_copy(&model->live, &model->saved);
	return good;
}

static bool check_ops(struct model *model, struct world *world,
	const struct tx_view *tx, const struct receipt *receipt,
	char why[MODEL_WHY])
{
	if (receipt->ops_count != tx->body.ops_count) {
		snprintf(why, MODEL_WHY, "a receipt for %zu of %zu operations",
			receipt->ops_count, tx->body.ops_count);
		return false;
	}
	size_t refused = refused_of(receipt);
	if (tx->body.mode == 0 && refused < receipt->ops_count)
		return check_all_refused(
			model, world, tx, receipt, refused, why);
	for (size_t i = 0; i < receipt->ops_count; i++) {
		struct model_op op = {tx, i, &tx->body.ops[i]};
		if (!check_op(model, world, &op, &receipt->ops[i], why))
			return false;
	}
	return true;
}

static bool is_party(const struct model *model, const struct key *key)
{
	for (size_t i = 0; i < model->genesis->party_count; i++) {
		if (key_equal(&model->genesis->parties[i].key, key))
			return true;
	}
	return false;
}

/* Of a transaction that was refused whole: is its code true? */
static bool whole_is_true(
	const struct model *model, const struct sim_tx *tx, uint64_t code)
{
	time_ms until = (time_ms)tx->view.body.valid_until;
	bool expired =
		until <= model->time || until - model->time > TX_VALID_MS_MAX;
	bool replay = tx->twin && tx->twin->final &&
		      (time_ms)tx->twin->view.body.valid_until > model->time;
	if (code == REFUSAL_EXPIRED)
		return expired;
	if (code == REFUSAL_REPLAY)
		return replay;
	if (code == REFUSAL_ROLE)
		return !is_party(model, &tx->view.body.wallet);
	return code == REFUSAL_GRANTED && !expired && !replay &&
	       is_party(model, &tx->view.body.wallet);
}

static bool check_tx(struct model *model, struct world *world,
	const struct sim_tx *tx, struct view bytes, char why[MODEL_WHY])
{
	struct receipt receipt;
	if (receipt_decode(&receipt, bytes) != ERR_OK ||
		!hash_equal(&receipt.tx, &tx->view.hash)) {
		snprintf(why, MODEL_WHY, "not a receipt of transaction %u",
			tx->index);
		return false;
	}
	if (!whole_is_true(model, tx, receipt.code)) {
		snprintf(why, MODEL_WHY, "transaction %u is answered with %s",
			tx->index, refusal_name((enum refusal)receipt.code));
		return false;
	}
	if (receipt.code != REFUSAL_GRANTED) {
		model->refusals++;
		return receipt.ops_count == 0;
	}
	char what[MODEL_WHY];
	if (check_ops(model, world, &tx->view, &receipt, what))
		return true;
	snprintf(why, MODEL_WHY, "transaction %u: %.160s", tx->index, what);
	return false;
}

bool model_apply(struct model *model, struct world *world,
	const struct bank_block *block, char why[MODEL_WHY])
{
	model->time = (time_ms)block->ref.header.time;
	end_by_time(model);
	for (size_t i = 0; i < block->tx_count; i++) {
		if (!check_tx(model, world, block->txs[i], block->receipts[i],
			    why))
			return false;
	}
	return true;
}

bool model_equals(const struct model *model, const struct state *state)
{
	if (state_live_count(state) != model->live.count)
		return false;
	for (size_t i = 0; i < model->live.count; i++) {
		const struct model_reservation *one = &model->live.items[i];
		struct record_reservation record;
		if (!state_reservation(state, &one->id, &record) ||
			(time_ms)record.start != one->start ||
			(time_ms)record.end != one->end ||
			record.version != one->version ||
			!key_equal(&record.operator, & one->owner))
			return false;
	}
	return true;
}
