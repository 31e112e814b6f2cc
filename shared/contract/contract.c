/* contract/contract.c -- a block begins, and its transactions take effect one
 * by one. Which operations there are is the list below.
 */
#include "contract/contract.h"

#include <string.h>

#include "base/check.h"
#include "contract/reservation.h"

/* X(name): op_kind_name in op_name.c */
#define OP_LIST(X)                                                             \
	X(reserve)                                                             \
	X(amend)                                                               \
	X(cancel)                                                              \
	X(reservation)                                                         \
	X(set_node)                                                            \
	X(request_clearance)                                                   \
	X(clear)                                                               \
	X(revoke)                                                              \
	X(departed)                                                            \
	X(landed)                                                              \
	X(vacated)                                                             \
	X(confirm)                                                             \
	X(go_around)                                                           \
	X(declare_emergency)                                                   \
	X(grant_tier)                                                          \
	X(set_party)                                                           \
	X(register_party)                                                      \
	X(register_port)                                                       \
	X(close_pad)                                                           \
	X(open_pad)

#define X(name) extern const struct op_kind op_kind_##name;
OP_LIST(X)
#undef X

static const struct op_kind *const kinds[] = {
#define X(name) &op_kind_##name,
	OP_LIST(X)
#undef X
};

const struct op_kind *op_find(uint8_t number)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i]->number == number)
			return kinds[i];
	}
	return NULL;
}

/* ---- effects of time ---- */

void contract_begin(
	struct state *state, uint64_t height, time_ms now, struct moves *moves)
{
	struct cause cause = {.moves = moves};

	CHECK(height == state->height + 1);
	CHECK(now > state->time);
	arena_touch(state->arena, &state->height, sizeof(state->height));
	arena_touch(state->arena, &state->time, sizeof(state->time));
	state->height = height;
	state->time = now;
	state->freed_count = 0;
	set_u32(state, &state->effort, 0);
	seen_sweep(state);
	for (int i = 0; i < TIME_EFFECTS_MAX && state_deadline(state) <= now;
		i++)
		time_move(state, deadline_first(state), &cause);
	waiting_serve(state, &cause);
}

/* ---- transactions ---- */

/* The state at a moment inside a block, to go back to. */
struct moment {
	arena_mark mark;
	size_t move_count, move_lost;
	bool member_free;
};

static struct moment moment_now(const struct op_context *context)
{
	const struct moves *moves = context->cause.moves;

	return (struct moment){
		.mark = arena_now(context->state->arena),
		.move_count = moves != NULL ? moves->count : 0,
		.move_lost = moves != NULL ? moves->lost : 0,
		.member_free = *context->member_free,
	};
}

static void moment_return(
	struct op_context *context, const struct moment *moment)
{
	struct moves *moves = context->cause.moves;

	arena_rollback(context->state->arena, moment->mark);
	*context->member_free = moment->member_free;
	context->state->freed_count = 0;
	if (moves != NULL) {
		moves->count = moment->move_count;
		moves->lost = moment->move_lost;
	}
}

static enum refusal run_op(struct op_context *context, const struct op *op)
{
	const struct op_kind *kind = op_find((uint8_t)op->kind);
	uint8_t role = state_party_at(context->state, context->party)->role;

	if (kind == NULL)
		return REFUSAL_MALFORMED;
	if ((kind->roles >> role & 1) == 0)
		return REFUSAL_ROLE;
	context->cause.kind = kind->number;
	enum refusal code = kind->apply(context, op->body);
	if (code == REFUSAL_GRANTED) {
		struct cause released = context->cause;

		released.kind = 0;
		waiting_serve(context->state, &released);
	}
	return code;
}

/* Write what an operation answered; returns the scratch that is left. */
static uint8_t *write_op_receipt(const struct op_context *context,
	enum refusal code, struct op_receipt *out, uint8_t *scratch)
{
	out->code = code;
	out->reservation = view_of(scratch, 0);
	if (code == REFUSAL_GRANTED && context->has_reservation) {
		memcpy(scratch, &context->reservation, ID_SIZE);
		out->reservation = view_of(scratch, ID_SIZE);
		scratch += ID_SIZE;
	}
	memcpy(scratch, context->details, context->details_size);
	out->details = view_of(scratch, context->details_size);
	return scratch + context->details_size;
}

/* Nothing of a transaction in mode `all` had an effect. */
static void write_rolled_back(struct receipt *receipt, size_t refused)
{
	for (size_t i = 0; i < receipt->ops_count; i++) {
		if (i != refused)
			receipt->ops[i] = (struct op_receipt){
				.code = REFUSAL_ROLLED_BACK,
				.reservation = view_of("", 0),
				.details = view_of("", 0),
			};
	}
}

static void run_ops(
	struct op_context *context, struct receipt *receipt, uint8_t *scratch)
{
	const struct tx *tx = &context->tx->body;
	struct moment before = moment_now(context);

	receipt->ops_count = tx->ops_count;
	for (size_t i = 0; i < tx->ops_count; i++) {
		struct moment between = moment_now(context);

		context->op_index = i;
		context->has_reservation = false;
		context->details_size = 0;
		context->displaced = 0;
		enum refusal code = run_op(context, &tx->ops[i]);
		scratch = write_op_receipt(
			context, code, &receipt->ops[i], scratch);
		if (code == REFUSAL_GRANTED)
			continue;
		if (tx->mode == TX_MODE_ALL) {
			moment_return(context, &before);
			write_rolled_back(receipt, i);
			return;
		}
		moment_return(context, &between);
	}
}

/* Remember a transaction; or why it cannot be. */
static enum refusal remember(struct state *state, const struct hash *key,
	const struct tx_view *tx, uint16_t tx_index)
{
	struct record_seen record = {
		.wallet = tx->body.wallet,
		.id = tx->body.id,
		.tx = tx->hash,
		.height = state->height,
		.index = tx_index,
		.valid_until = tx->body.valid_until,
	};
	time_ms until = (time_ms)tx->body.valid_until;

	if (until <= state->time || until - state->time > TX_VALID_MS_MAX)
		return REFUSAL_EXPIRED;
	return seen_put(state, key, &record) ? REFUSAL_GRANTED : REFUSAL_FULL;
}

/* Whether the signer of a transaction may act now. */
static enum refusal check_party(
	const struct state *state, uint32_t party, const struct tx *tx)
{
	if (party == TABLE_NONE)
		return REFUSAL_ROLE;
	if (state_party_at(state, party)->up)
		return REFUSAL_GRANTED;
	for (size_t i = 0; i < tx->ops_count; i++) {
		const struct op_kind *kind = op_find((uint8_t)tx->ops[i].kind);

		if (kind == NULL || !kind->when_down)
			return REFUSAL_PARTY_DOWN;
	}
	return REFUSAL_GRANTED;
}

bool contract_execute(struct state *state, const struct tx_view *tx,
	uint16_t tx_index, bool *member_free, struct receipt *receipt,
	uint8_t *scratch, struct moves *moves)
{
	struct op_context context = {
		.state = state,
		.now = state->time,
		.height = state->height,
		.tx = tx,
		.party = table_find(&state->parties, &tx->body.wallet),
		.cause = {.moves = moves, .tx_index = tx_index},
		.member_free = member_free,
	};
	struct hash key = seen_key(&tx->body.wallet, &tx->body.id);
	uint32_t known = table_find(&state->seen, &key);

	receipt->tx = tx->hash;
	receipt->ops_count = 0;
	receipt->code = REFUSAL_REPLAY;
	if (known != TABLE_NONE) {
		const struct seen *seen = table_at(&state->seen, known);
		return !hash_equal(&seen->tx, &tx->hash);
	}
	receipt->code = remember(state, &key, tx, tx_index);
	if (receipt->code == REFUSAL_GRANTED)
		receipt->code = check_party(state, context.party, &tx->body);
	if (receipt->code == REFUSAL_GRANTED)
		run_ops(&context, receipt, scratch);
	return true;
}
