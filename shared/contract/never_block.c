/* contract/never_block.c -- what must never happen, looked for in what a block
 * did: its operations, its receipts and its moves.
 */
#include <string.h>

#include "contract/chain.h"
#include "contract/never.h"
#include "contract/reservation.h"
#include "contract/window.h"
#include "gen/table.h"

/* One block being looked at. */
struct look {
	struct never_watch *watch;
	const struct state *state;
	const struct moves *moves;
	struct never_found *found;
	time_ms time;
	size_t tx_index;
	/* Operations of this block that change what later ones are held to. */
	bool closes, grants, sets;
};

/* ---- what is remembered ---- */

static size_t slot_of(const void *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return (size_t)(number % NEVER_KEPT);
}

static uint64_t *last_movement(struct never_watch *watch, struct view aircraft)
{
	struct hash hash = hash_bytes(aircraft);
	size_t slot = slot_of(&hash);
	uint64_t key;

	memcpy(&key, &hash, sizeof(key));
	if (watch->movements[slot].aircraft != key) {
		watch->movements[slot].aircraft = key;
		watch->movements[slot].moved = 0;
	}
	return &watch->movements[slot].moved;
}

/* ---- operations ---- */

static bool look_at_request(struct look *look, struct view body)
{
	struct op_request_clearance op;

	if (op_request_clearance_decode(&op, body) != ERR_OK)
		return false;
	size_t slot = slot_of(&op.reservation);
	look->watch->requests[slot].reservation = op.reservation;
	look->watch->requests[slot].nonce = op.nonce;
	look->watch->requests[slot].asked = look->watch->number;
	look->watch->requests[slot].used = false;
	return false;
}

static bool look_at_clear(
	struct look *look, struct view body, struct view details)
{
	struct detail_clearance told;
	struct op_clear op;

	if (op_clear_decode(&op, body) != ERR_OK ||
		detail_clearance_decode(&told, details) != ERR_OK)
		return never_say(look->found, 12, NULL);
	time_ms age = look->time - (time_ms)op.measured;
	bool empty = op.pad_state == 1, occupied = op.pad_state == 2;
	if (age > 5000 || age < -5000 ||
		(op.movement == MOVEMENT_ARRIVAL ? !empty : !occupied) ||
		(op.movement == MOVEMENT_DEPARTURE &&
			!view_equal(op.on_pad, told.aircraft)))
		return never_say(look->found, 3, &op.reservation);
	size_t slot = slot_of(&op.reservation);
	if (!id_equal(
		    &look->watch->requests[slot].reservation, &op.reservation))
		return false; /* asked too long ago to be remembered */
	if (look->watch->requests[slot].nonce != op.nonce ||
		look->watch->requests[slot].used ||
		look->watch->requests[slot].asked <
			*last_movement(look->watch, told.aircraft))
		return never_say(look->found, 5, &op.reservation);
	look->watch->requests[slot].used = true;
	return false;
}

/* The clearance that this transaction consumed. */
static const struct move *consumed(
	const struct look *look, struct view reservation, uint8_t cause)
{
	for (size_t i = 0; i < look->moves->count; i++) {
		const struct move *move = &look->moves->items[i];

		if (move->tx_index == look->tx_index && move->cause == cause &&
			move->from == RESERVATION_CLEARED &&
			view_equal(view_of(&move->record.reservation, ID_SIZE),
				reservation))
			return move;
	}
	return NULL;
}

static bool look_at_fact(
	struct look *look, const struct op *op, struct view details)
{
	struct op_departed fact; /* landed is the same */
	struct detail_fact told;

	if (op_departed_decode(&fact, op->body) != ERR_OK ||
		detail_fact_decode(&told, details) != ERR_OK)
		return never_say(look->found, 12, NULL);
	if (told.incursion != 0) {
		if (told.blocked == 0)
			return never_say(look->found, 4, NULL);
	} else if (look->moves->lost == 0) {
		const struct move *move =
			consumed(look, fact.reservation, (uint8_t)op->kind);
		if (move == NULL ||
			!view_equal(move->record.aircraft, fact.aircraft) ||
			!view_equal(move->record.pad, fact.pad) ||
			!view_equal(move->record.port, fact.port))
			return never_say(look->found, 4, NULL);
	}
	if (fact.aircraft.size > 0)
		*last_movement(look->watch, fact.aircraft) =
			look->watch->number;
	return false;
}

static bool look_at_op(struct look *look, const struct op *op,
	const struct record_party *party, const struct op_receipt *receipt)
{
	const struct op_kind *kind = op_find((uint8_t)op->kind);

	look->watch->number++;
	if (receipt->code != REFUSAL_GRANTED)
		return false;
	if (kind == NULL || (kind->roles >> party->role & 1) == 0)
		return never_say(look->found, 12, NULL);
	switch (op->kind) {
	case OP_REQUEST_CLEARANCE:
		return look_at_request(look, op->body);
	case OP_CLEAR:
		return look_at_clear(look, op->body, receipt->details);
	case OP_DEPARTED:
	case OP_LANDED:
		return look_at_fact(look, op, receipt->details);
	default:
		return false;
	}
}

static bool look_at_tx(struct look *look, const struct block_ref *block,
	struct view bytes, struct view receipt_bytes)
{
	struct receipt receipt;
	struct record_party party;
	struct record_seen seen;
	struct tx_view tx;

	if (tx_open(&tx, bytes) != ERR_OK ||
		receipt_decode(&receipt, receipt_bytes) != ERR_OK)
		return never_say(look->found, 12, NULL);
	if (!state_seen(look->state, &tx.body.wallet, &tx.body.id, &seen) ||
		seen.height != block->header.height ||
		seen.index != look->tx_index || !hash_equal(&seen.tx, &tx.hash))
		return never_say(look->found, 15, &tx.body.id);
	if (receipt.code != REFUSAL_GRANTED)
		return false;
	if (!state_party(look->state, &tx.body.wallet, &party))
		return never_say(look->found, 12, &tx.body.id);
	for (size_t i = 0; i < receipt.ops_count; i++) {
		if (look_at_op(look, &tx.body.ops[i], &party, &receipt.ops[i]))
			return true;
	}
	return false;
}

/* ---- moves ---- */

/* The last word of this block on a reservation is not this move. */
static bool moves_on(const struct look *look, size_t from, struct view id)
{
	for (size_t i = from; i < look->moves->count; i++) {
		if (view_equal(
			    view_of(&look->moves->items[i].record.reservation,
				    ID_SIZE),
			    id))
			return true;
	}
	return false;
}

/* A higher tier took its place in the same transaction. */
static bool displaced_rightly(const struct look *look, const struct move *move)
{
	for (size_t i = 0; i < look->moves->count; i++) {
		const struct move *other = &look->moves->items[i];

		if (other->tx_index == move->tx_index &&
			other->cause == OP_RESERVE &&
			other->from == RESERVATION_NONE &&
			other->record.tier > move->record.tier)
			return move->cause == OP_RESERVE &&
			       (move->record.flags & RECORD_AIRBORNE) == 0;
	}
	return false;
}

/* Its landing is confirmed, and the pad for it open. */
static bool has_destination(
	const struct look *look, size_t index, const struct move *move)
{
	const struct state *state = look->state;
	struct id id;

	if (move->record.pair.size != ID_SIZE ||
		move->record.movement != MOVEMENT_DEPARTURE || look->closes ||
		moves_on(look, index + 1, move->record.pair))
		return true;
	memcpy(&id, move->record.pair.data, ID_SIZE);
	uint32_t half = reservation_find(state, &id);
	if (half == TABLE_NONE)
		return false;
	const struct reservation *landing = reservation_at(state, half);
	const struct pad *pad = &state->ports[landing->port].pads[landing->pad];
	/* It may have left in this very block. */
	return (landing->state == RESERVATION_CONFIRMED) &&
	       pad_open(pad, landing->start, landing->end);
}

static bool look_at_new(const struct look *look, const struct move *move)
{
	const struct record_reservation *record = &move->record;
	struct record_party party;
	struct place where;

	if (window_find(look->state, record->port, record->pad, &where) !=
		REFUSAL_GRANTED)
		return never_say(look->found, 12, &record->reservation);
	const struct pad *pad = &look->state->ports[where.port].pads[where.pad];
	if (!look->closes && move->to != RESERVATION_WAITLISTED &&
		!pad_open(pad, (time_ms)record->start, (time_ms)record->end))
		return never_say(look->found, 9, &record->reservation);
	if (!state_party(look->state, &record->operator, & party))
		return never_say(look->found, 12, &record->reservation);
	if (!look->sets && party.live > party.quota)
		return never_say(look->found, 17, &record->reservation);
	return !look->grants && record->tier > party.tier &&
	       never_say(look->found, 10, &record->reservation);
}

static bool look_at_move(const struct look *look, size_t index)
{
	const struct move *move = &look->moves->items[index];
	const struct record_reservation *record = &move->record;
	const struct id *id = &record->reservation;

	if (!move_allowed(move->from, move->to) || record->state != move->to)
		return never_say(look->found, 12, id);
	if (move->to >= RESERVATION_RELEASED &&
		(record->flags & RECORD_AIRBORNE) != 0)
		return never_say(look->found, 8, id);
	if (move->to == RESERVATION_PREEMPTED && look->moves->lost == 0 &&
		!displaced_rightly(look, move))
		return never_say(look->found, 10, id);
	if (move->from == RESERVATION_OVERSTAY &&
		move->to == RESERVATION_RELEASED && move->cause != OP_VACATED &&
		move->cause != OP_DEPARTED)
		return never_say(look->found, 11, id);
	if (move->to == RESERVATION_CLEARED &&
		(move->cause != OP_CLEAR ||
			!has_destination(look, index, move)))
		return never_say(look->found, 6, id);
	return move->from == RESERVATION_NONE && look_at_new(look, move);
}

/* The pads and the aircraft that the moves touched. */
static bool look_at_touched(const struct look *look)
{
	uint64_t looked[1 + UINT16_MAX / 64] = {0};

	for (size_t i = 0; i < look->moves->count; i++) {
		const struct record_reservation *record =
			&look->moves->items[i].record;
		uint32_t port;

		if (!port_find(look->state, record->port, &port))
			return never_say(look->found, 12, NULL);
		if ((looked[port / 64] >> port % 64 & 1) == 0 &&
			never_port(look->state, port, look->found))
			return true;
		looked[port / 64] |= UINT64_C(1) << port % 64;
		if (never_aircraft(look->state,
			    fleet_first(look->state, record->aircraft),
			    look->found))
			return true;
	}
	return look->moves->lost > 0 && never_state(look->state, look->found);
}

/* ---- a block ---- */

static void find_changes(struct look *look, const struct block *body)
{
	for (size_t i = 0; i < body->txs_count; i++) {
		struct tx_view tx;

		if (tx_open(&tx, body->txs[i]) != ERR_OK)
			continue;
		for (size_t k = 0; k < tx.body.ops_count; k++) {
			uint64_t kind = tx.body.ops[k].kind;

			look->closes |= kind == OP_CLOSE_PAD;
			look->grants |= kind == OP_GRANT_TIER;
			look->sets |= kind == OP_SET_PARTY;
		}
	}
}

bool never_block(struct never_watch *watch, const struct state *state,
	const struct block_ref *block, const struct moves *moves,
	struct never_found *found)
{
	struct look look = {
		.watch = watch,
		.state = state,
		.moves = moves,
		.found = found,
		.time = (time_ms)block->header.time,
	};
	struct block_body body;

	if (block_body_open(&body, block) != ERR_OK)
		return never_say(found, 12, NULL);
	if (look.time <= watch->time || look.time != state_time(state))
		return never_say(found, 13, NULL);
	watch->time = look.time;
	find_changes(&look, &body.decoded);
	for (size_t i = 0; i < body.decoded.txs_count; i++) {
		look.tx_index = i;
		if (look_at_tx(&look, block, body.decoded.txs[i],
			    body.decoded.receipts[i]))
			return true;
	}
	for (size_t i = 0; i < moves->count; i++) {
		if (look_at_move(&look, i))
			return true;
	}
	return look_at_touched(&look);
}
