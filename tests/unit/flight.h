/* tests/unit/flight.h -- the operations of a flight, one line each, on a desk.
 *
 * The flight of write_pair: X1 from east/a, which TOWER controls, to west/b,
 * which WEST_TOWER controls.
 */
#ifndef PERCH_TESTS_UNIT_FLIGHT_H
#define PERCH_TESTS_UNIT_FLIGHT_H

#include "desk.h"

enum { PAD_UNKNOWN, PAD_EMPTY, PAD_OCCUPIED };

struct flight {
	struct id departure, arrival;
	time_ms leaves, lands; /* starts of the two windows */
};

UNUSED static struct flight plan_flight(struct desk *f, time_ms from)
{
	struct flight flight = {
		.leaves = f->now + from,
		.lands = f->now + from + 10 * MINUTE,
	};

	write_pair(f, TX_MODE_ALL, flight.leaves, flight.lands, "X1");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	flight.departure = receipt_id(&f->answer.receipt, 0);
	flight.arrival = receipt_id(&f->answer.receipt, 1);
	return flight;
}

UNUSED static uint64_t request(
	struct desk *f, enum who who, const struct id *id, uint64_t nonce)
{
	struct op_request_clearance op = {.reservation = *id, .nonce = nonce};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_request_clearance, &op);
	return submit_op(f);
}

/* A clearance as it should be asked for now. */
UNUSED static struct op_clear good_clear(
	const struct desk *f, const struct id *id, uint64_t movement)
{
	struct record_reservation record;
	struct op_clear op = {
		.reservation = *id,
		.movement = movement,
		.until = (uint64_t)(f->now + MINUTE),
		.pad_state = movement == MOVEMENT_DEPARTURE ? PAD_OCCUPIED
							    : PAD_EMPTY,
		.measured = (uint64_t)f->now,
	};

	if (!state_reservation(f->home.state, id, &record))
		return op;
	op.nonce = record.nonce;
	if (movement == MOVEMENT_DEPARTURE)
		op.on_pad = record.aircraft;
	if (op.until > record.end)
		op.until = record.end;
	return op;
}

UNUSED static uint64_t clear_with(
	struct desk *f, enum who who, const struct op_clear *op)
{
	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_clear, op);
	return submit_op(f);
}

UNUSED static uint64_t clear(
	struct desk *f, enum who who, const struct id *id, uint64_t movement)
{
	struct op_clear op = good_clear(f, id, movement);

	return clear_with(f, who, &op);
}

UNUSED static uint64_t take_back(
	struct desk *f, enum who who, const struct id *id)
{
	struct op_revoke op = {.reservation = *id};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_revoke, &op);
	return submit_op(f);
}

/* What is told of a fact that was just granted. */
UNUSED static struct detail_fact told(const struct desk *f)
{
	struct detail_fact detail;

	assert_int_equal(
		detail_fact_decode(&detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	return detail;
}

UNUSED static uint64_t departed(struct desk *f, enum who who, const char *port,
	const char *pad, const struct id *id, const char *aircraft)
{
	struct op_departed op = {
		.port = view_text(port),
		.pad = view_text(pad),
		.reservation = view_of(id, id == NULL ? 0 : ID_SIZE),
		.aircraft = view_text(aircraft),
		.time = (uint64_t)f->now,
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_departed, &op);
	return submit_op(f);
}

UNUSED static uint64_t landed(struct desk *f, enum who who, const char *port,
	const char *pad, const struct id *id, const char *aircraft)
{
	struct op_landed op = {
		.port = view_text(port),
		.pad = view_text(pad),
		.reservation = view_of(id, id == NULL ? 0 : ID_SIZE),
		.aircraft = view_text(aircraft),
		.time = (uint64_t)f->now,
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_landed, &op);
	return submit_op(f);
}

UNUSED static uint64_t vacated(
	struct desk *f, enum who who, const char *port, const char *pad)
{
	struct op_vacated op = {
		.port = view_text(port),
		.pad = view_text(pad),
		.time = (uint64_t)f->now,
	};

	PAPER_ADD(write_as(f, who, TX_MODE_ALL), op_vacated, &op);
	return submit_op(f);
}

/* The state of a reservation, or NONE when it has ended. */
UNUSED static uint64_t state_of(const struct desk *f, const struct id *id)
{
	struct record_reservation record;

	return state_reservation(f->home.state, id, &record) ? record.state
							     : RESERVATION_NONE;
}

UNUSED static struct record_pad pad_at(
	const struct desk *f, const char *port, size_t pad)
{
	struct record_port record;
	size_t index;

	assert_true(state_port_find(f->home.state, view_text(port), &index));
	state_port_at(f->home.state, index, &record);
	return record.pads[pad];
}

/* A flight that has just taken off, as planned. */
UNUSED static struct flight take_off(struct desk *f)
{
	struct flight flight = plan_flight(f, HOUR);

	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(
		clear(f, TOWER, &flight.departure, MOVEMENT_DEPARTURE), 0);
	assert_int_equal(
		departed(f, TOWER, "east", "a", &flight.departure, "X1"), 0);
	return flight;
}

#endif
