/* tests/unit/rules.h -- the other operations, one line each, on a desk. */
#ifndef PERCH_TESTS_UNIT_RULES_H
#define PERCH_TESTS_UNIT_RULES_H

#include "flight.h"

/* Ports where a reservation waits to be confirmed. */
UNUSED static struct desk *open_with_hold(time_ms east, time_ms west)
{
	struct desk *f = open_small();

	for (size_t i = 0; i < f->genesis->port_count; i++) {
		struct record_port *port = &f->genesis->ports[i];

		if (view_equal(port->name, view_text("east")))
			port->hold = (uint64_t)east;
		if (view_equal(port->name, view_text("west")))
			port->hold = (uint64_t)west;
	}
	home_close(&f->home);
	home_open(&f->home, f->genesis, &state_limits_small, JOURNAL_BYTES);
	f->height = 0;
	next_block(f, 1);
	return f;
}

UNUSED static uint64_t confirm(
	struct desk *f, enum who who, const struct id *id, uint64_t version)
{
	struct op_confirm op = {.reservation = *id, .version = version};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_confirm, &op);
	return submit_op(f);
}

UNUSED static struct op_reserve wish_of(
	const char *port, const char *pad, time_ms start, time_ms end)
{
	return (struct op_reserve){
		.port = view_text(port),
		.pad = view_text(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};
}

UNUSED static uint64_t reserve_as(
	struct desk *f, enum who who, const struct op_reserve *op)
{
	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_reserve, op);
	return submit_op(f);
}

UNUSED static uint64_t reserve_tier(struct desk *f, enum who who,
	const char *port, const char *pad, time_ms start, time_ms end,
	uint64_t tier)
{
	struct op_reserve op = wish_of(port, pad, start, end);

	op.tier = tier;
	return reserve_as(f, who, &op);
}

UNUSED static uint64_t reserve_wait(struct desk *f, enum who who,
	const char *port, const char *pad, time_ms start, time_ms end)
{
	struct op_reserve op = wish_of(port, pad, start, end);

	op.wait = 1;
	return reserve_as(f, who, &op);
}

UNUSED static uint64_t emergency(struct desk *f, enum who who,
	const struct id *id, const char *port, const char *pad)
{
	struct op_declare_emergency op = {
		.reservation = *id,
		.port = view_text(port == NULL ? "" : port),
		.pad = view_text(pad == NULL ? "" : pad),
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_declare_emergency, &op);
	return submit_op(f);
}

UNUSED static uint64_t go_around(struct desk *f, enum who who,
	const struct id *id, const char *port, const char *pad, time_ms start,
	time_ms end)
{
	struct op_go_around op = {
		.reservation = *id,
		.port = view_text(port == NULL ? "" : port),
		.pad = view_text(pad == NULL ? "" : pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_go_around, &op);
	return submit_op(f);
}

UNUSED static uint64_t close_pad(struct desk *f, enum who who, const char *port,
	const char *pad, time_ms from, time_ms until, const char *reason)
{
	struct op_close_pad op = {
		.port = view_text(port),
		.pad = view_text(pad),
		.from = (uint64_t)from,
		.until = (uint64_t)until,
		.reason = view_text(reason),
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_close_pad, &op);
	return submit_op(f);
}

UNUSED static uint64_t open_pad(
	struct desk *f, enum who who, const char *port, const char *pad)
{
	struct op_open_pad op = {
		.port = view_text(port),
		.pad = view_text(pad),
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_open_pad, &op);
	return submit_op(f);
}

UNUSED static struct detail_closed closed(const struct desk *f)
{
	struct detail_closed detail;

	assert_int_equal(
		detail_closed_decode(&detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	return detail;
}

UNUSED static struct detail_granted granted(const struct desk *f)
{
	struct detail_granted detail;

	assert_int_equal(detail_granted_decode(
				 &detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	return detail;
}

UNUSED static uint64_t grant_tier(
	struct desk *f, enum who who, const struct key *party, uint64_t tier)
{
	struct op_grant_tier op = {.party = *party, .tier = tier};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_grant_tier, &op);
	return submit_op(f);
}

UNUSED static uint64_t set_party(struct desk *f, enum who who,
	const struct key *party, uint64_t quota, uint64_t up)
{
	struct op_set_party op = {.party = *party, .quota = quota, .up = up};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_set_party, &op);
	return submit_op(f);
}

UNUSED static uint64_t register_party(struct desk *f, enum who who,
	const struct key *party, const char *name, uint64_t role)
{
	struct op_register_party op = {
		.party = *party,
		.name = view_text(name),
		.role = role,
		.quota = 5,
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_register_party, &op);
	return submit_op(f);
}

#endif
