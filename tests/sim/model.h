/* sim/model.h -- the contract once more, as simply as can be: a list of live
 * reservations that is searched from end to end.
 *
 * It is rebuilt from final blocks alone. A grant must break no guard; a refusal
 * must name a guard that is broken. Which of several is named is the
 * contract's choice.
 */
#ifndef PERCH_SIM_MODEL_H
#define PERCH_SIM_MODEL_H

#include "bank.h"
#include "contract/contract.h"

enum { MODEL_WHY = 200 };

struct model_reservation {
	struct id id;
	uint32_t port, pad; /* indexes in the genesis */
	time_ms start, end;
	struct key owner;
	char aircraft[33];
	uint64_t version;
	uint8_t movement;
	bool paired;
	struct id pair;
};

/* Live ones, in no order. */
struct model_list {
	size_t count, room;
	struct model_reservation *items;
};

struct model {
	const struct genesis *genesis;
	time_ms time; /* of the last block */
	struct model_list live;
	struct model_list saved; /* before a transaction in mode `all` */
	uint64_t refusals;
};

struct world;

void model_clear(struct model *model, const struct genesis *genesis);
void model_free(struct model *model);

/* The next final block. False, and why, when it cannot be right. */
bool model_apply(struct model *model, struct world *world,
	const struct bank_block *block, char why[MODEL_WHY]);

/* Whether a state knows the same live reservations. */
bool model_equals(const struct model *model, const struct state *state);

/* ---- between the files of the model ---- */

#define MODEL_BROKEN(name) (1u << REFUSAL_##name)

/* The operation and where it stands. */
struct model_op {
	const struct tx_view *tx;
	size_t index;
	const struct op *op;
};

/* Bits (1 << enum refusal) of the guards that this operation breaks. */
unsigned model_broken(const struct model *model, const struct model_op *op);
/* Do what a granted operation does; false: its receipt (unless NULL) says
 * something else. */
bool model_grant(struct model *model, struct world *world,
	const struct model_op *op, const struct op_receipt *receipt);

/* The same of what changes what is there: amend, cancel, set_node. */
unsigned model_change_broken(
	const struct model *model, const struct model_op *op);
bool model_grant_change(struct model *model, struct world *world,
	const struct model_op *op, const struct op_receipt *receipt);

struct model_window {
	uint32_t port, pad;
	time_ms start, end;
};

const struct record_party *model_party(
	const struct model *model, const struct key *key);
bool model_port(const struct model *model, struct view name, uint32_t *port);
bool model_pad(const struct model *model, uint32_t port, struct view name,
	uint32_t *pad);
struct model_reservation *model_find(
	const struct model *model, const struct id *id);
struct id model_id(const struct tx_view *tx, size_t index);
bool model_taken(const struct model *model, const struct model_window *window,
	const struct id *without);
bool model_flying(const struct model *model, const struct model_window *window,
	const char *aircraft, const struct id *without, const struct id *pair);
unsigned model_window_broken(
	const struct model *model, const struct model_window *window);
size_t model_live_of(const struct model *model, const struct key *owner);
void model_name(char out[33], struct view name);
void model_add(struct model *model, const struct model_reservation *one);
void model_end(struct model *model, const struct id *id);
bool model_says(const struct op_receipt *receipt, const struct model *model,
	const struct model_reservation *one);

#endif
