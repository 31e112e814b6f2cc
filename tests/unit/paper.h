/* tests/unit/paper.h -- transactions written down in one line an operation, and
 * what becomes of them.
 */
#ifndef PERCH_TESTS_UNIT_PAPER_H
#define PERCH_TESTS_UNIT_PAPER_H

#include "world.h"

/* A transaction as it is being written down. */
struct paper {
	struct tx tx;
	uint8_t bodies[64][512];
	uint8_t signed_bytes[TX_BYTES_MAX];
};

UNUSED static struct id id_of(uint64_t number)
{
	struct id id = {{0}};

	memcpy(&id, &number, sizeof(number));
	return id;
}

UNUSED static void paper_begin(struct paper *paper, enum who who,
	uint64_t number, time_ms valid_until, uint64_t mode)
{
	paper->tx = (struct tx){
		.id = id_of(number),
		.wallet = who_pair(who)->key,
		.valid_until = (uint64_t)valid_until,
		.mode = mode,
	};
}

/* Append an operation of any rule: PAPER_ADD(paper, op_cancel, &op). */
#define PAPER_ADD(paper, rule, in)                                             \
	paper_close_op(paper, rule##_number,                                   \
		rule##_encode((paper)->bodies[(paper)->tx.ops_count],          \
			sizeof((paper)->bodies[0]), in))
enum {
	op_reserve_number = OP_RESERVE,
	op_amend_number = OP_AMEND,
	op_cancel_number = OP_CANCEL,
	op_reservation_number = OP_RESERVATION,
	op_set_node_number = OP_SET_NODE,
	op_confirm_number = OP_CONFIRM,
	op_request_clearance_number = OP_REQUEST_CLEARANCE,
	op_clear_number = OP_CLEAR,
	op_revoke_number = OP_REVOKE,
	op_departed_number = OP_DEPARTED,
	op_landed_number = OP_LANDED,
	op_vacated_number = OP_VACATED,
	op_go_around_number = OP_GO_AROUND,
	op_declare_emergency_number = OP_DECLARE_EMERGENCY,
	op_grant_tier_number = OP_GRANT_TIER,
	op_set_party_number = OP_SET_PARTY,
	op_register_party_number = OP_REGISTER_PARTY,
	op_register_port_number = OP_REGISTER_PORT,
	op_close_pad_number = OP_CLOSE_PAD,
	op_open_pad_number = OP_OPEN_PAD,
};

UNUSED static void paper_close_op(
	struct paper *paper, uint64_t kind, size_t size)
{
	struct op *op = &paper->tx.ops[paper->tx.ops_count];

	assert_true(size > 0);
	op->kind = kind;
	op->body = view_of(paper->bodies[paper->tx.ops_count], size);
	paper->tx.ops_count++;
}

UNUSED static void paper_reserve(struct paper *paper, const char *port,
	const char *pad, time_ms start, time_ms end, const char *aircraft,
	uint64_t pair, uint64_t movement)
{
	struct op_reserve op = {
		.port = view_text(port),
		.pad = view_text(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
		.aircraft = view_text(aircraft),
		.pair = pair,
		.movement = movement,
	};
	PAPER_ADD(paper, op_reserve, &op);
}

UNUSED static void paper_amend(struct paper *paper, const struct id *id,
	uint64_t version, const char *pad, time_ms start, time_ms end)
{
	struct op_amend op = {
		.reservation = *id,
		.version = version,
		.pad = view_text(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};
	PAPER_ADD(paper, op_amend, &op);
}

UNUSED static void paper_cancel(struct paper *paper, const struct id *id)
{
	struct op_cancel op = {.reservation = *id};

	PAPER_ADD(paper, op_cancel, &op);
}

UNUSED static void paper_reservation(struct paper *paper, const char *port)
{
	struct op_reservation op = {.port = view_text(port)};

	PAPER_ADD(paper, op_reservation, &op);
}

UNUSED static void paper_set_node(
	struct paper *paper, int node, const char *name, uint64_t role)
{
	struct op_set_node op = {
		.node = node_pair(node)->key,
		.name = view_text(name),
		.role = role,
		.request = view_text(""),
		.publish = view_text(""),
		.peer = view_text("tcp://127.0.0.1:9"),
	};
	PAPER_ADD(paper, op_set_node, &op);
}

/* As the contract sees it, without an envelope or a signature. */
UNUSED static struct tx_view paper_view(struct paper *paper)
{
	size_t size = tx_encode(
		paper->signed_bytes, sizeof(paper->signed_bytes), &paper->tx);
	struct tx_view view = {
		.body = paper->tx,
		.signed_bytes = view_of(paper->signed_bytes, size),
	};

	assert_true(size > 0);
	view.hash = hash_bytes(view.signed_bytes);
	return view;
}

/* A receipt with the memory that it borrows from. */
struct answer {
	bool fresh; /* what contract_execute returned */
	struct receipt receipt;
	uint8_t scratch[RECEIPT_SCRATCH];
};

UNUSED static void run(struct state *state, struct paper *paper,
	uint16_t tx_index, bool *member_free, struct answer *answer,
	struct moves *moves)
{
	struct tx_view view = paper_view(paper);

	answer->fresh = contract_execute(state, &view, tx_index, member_free,
		&answer->receipt, answer->scratch, moves);
}

UNUSED static struct id receipt_id(const struct receipt *receipt, size_t op)
{
	struct id id;

	assert_int_equal(receipt->ops[op].reservation.size, sizeof(id));
	memcpy(&id, receipt->ops[op].reservation.data, sizeof(id));
	return id;
}

#endif
