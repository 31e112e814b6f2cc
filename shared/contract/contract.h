/* contract/contract.h -- the reservation contract: (state, op, block time) ->
 * receipt. Pure: no clock, no I/O, no allocation.
 *
 * An operation is one file with one `const struct op_kind`, listed once in
 * contract.c. A refusal is a code of the one table in refusal.h.
 */
#ifndef PERCH_CONTRACT_CONTRACT_H
#define PERCH_CONTRACT_CONTRACT_H

#include "contract/refusal.h"
#include "contract/state.h"

/* The rules of time, in milliseconds. */
enum {
	WINDOW_MS_MAX = 24 * 60 * 60 * 1000,
	PAIR_FLIGHT_MS_MIN = 60 * 1000, /* from take-off's start to landing's */
	CLEARANCE_MS_MAX = 5 * 60 * 1000,
	MEASURED_MS_MAX = 5 * 1000, /* the age of a pad's measured state */
	CLOSURE_NOTICE_MS_MIN = 10 * 60 * 1000,
};
#define HORIZON_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* tx.mode */
enum { TX_MODE_ALL, TX_MODE_EACH };

/* Reservations that moved in a block, for topics, history and the view. The
 * record is as it was after the move; it outlives the state's. Fixed size. */
struct move {
	enum reservation_state from, to;
	uint8_t cause; /* op kind, or 0 for time */
	uint16_t tx_index;
	struct record_reservation record; /* text borrows from storage */
	char storage[256];
};

/* A fixed list of moves, in order; more than fit are counted, not kept. */
enum { MOVES_MAX = 2048 };
struct moves {
	size_t count;
	size_t lost;
	struct move items[MOVES_MAX];
};

/*
 * Begin a block at block time now (> state_time, CHECK): effects of time come
 * first, in order of their deadline. moves may be NULL. However long the ledger
 * stood still, one block moves at most TIME_EFFECTS_MAX deadlines; what is left
 * is due at once (state_deadline) and for the next block.
 */
enum { TIME_EFFECTS_MAX = 1024 };
void contract_begin(
	struct state *state, uint64_t height, time_ms now, struct moves *moves);

/*
 * Execute one transaction whose signature was verified, and write its receipt.
 * Never fails: a refusal is a receipt. In mode `all` a refusal rolls back to
 * before the transaction. A duplicate of a seen id with the same content gives
 * no second effect: false, and no receipt. receipt's views borrow from scratch,
 * which holds RECEIPT_SCRATCH bytes. member_free: a change of nodes is allowed
 * in this block; it is set to false by one that is granted.
 *
 * A transaction that cannot be remembered changes nothing and is never in a
 * block, so that an id has one fate: a receipt whose code is replay, expired or
 * full says why (the builder leaves it out; a block that has one is invalid).
 */
enum { RECEIPT_SCRATCH = 40000 };
bool contract_execute(struct state *state, const struct tx_view *tx,
	uint16_t tx_index, bool *member_free, struct receipt *receipt,
	uint8_t *scratch, struct moves *moves);

/* The next free windows of this length on a port's pad (empty: any pad) at or
 * after start. Returns how many of slots_max were found. */
struct free_slot {
	char pad[33];
	time_ms start, end;
};
size_t contract_free_slots(const struct state *state, size_t port,
	struct view pad, time_ms start, time_ms duration,
	struct free_slot *slots, size_t slots_max);

/* ---- the inside of an operation file ---- */

/* Who or what moves a reservation. */
struct cause {
	struct moves *moves; /* may be NULL */
	uint8_t kind;        /* of an operation, or 0 for time */
	uint16_t tx_index;
};

struct op_context {
	struct state *state;
	time_ms now;
	uint64_t height;
	const struct tx_view *tx;
	size_t op_index;
	uint32_t party; /* who signs: index in the state's table */
	struct cause cause;
	bool *member_free;
	struct id reservation; /* out: the one made or changed */
	bool has_reservation;
	uint64_t displaced;   /* reservations that had to give way */
	uint8_t details[512]; /* out: encoded details */
	size_t details_size;
};

struct op_kind {
	uint8_t number; /* op.kind, from contract.cddl */
	const char *name;
	unsigned roles; /* 1 << party_role, or-ed: who may sign it */
	/* A fact, or what an aircraft in the air needs: heard from a party that
	 * is set down, too (domain rows 13, 14, 17). */
	bool when_down;
	enum refusal (*apply)(struct op_context *context, struct view body);
};

const struct op_kind *op_find(uint8_t number);

#endif
