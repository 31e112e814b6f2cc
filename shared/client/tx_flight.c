/* client/tx_flight.c -- the operations between a reservation and an empty pad.
 */
#include <string.h>

#include "client/write.h"

enum perch_err perch_tx_confirm(
	struct perch_tx *tx, const struct perch_id *id, uint32_t version)
{
	struct op_confirm op = {
		.reservation = write_id(id),
		.version = version,
	};

	return WRITE(tx, ERR_OK, op_confirm, OP_CONFIRM, &op);
}

enum perch_err perch_tx_request_clearance(struct perch_tx *tx,
	const struct perch_id *id, uint64_t nonce, const char *aircraft)
{
	struct op_request_clearance op = {
		.reservation = write_id(id),
		.nonce = nonce,
		.aircraft = write_text(aircraft),
	};
	enum err err = write_aircraft_check(aircraft);

	return WRITE(tx, err, op_request_clearance, OP_REQUEST_CLEARANCE, &op);
}

enum perch_err perch_tx_clear(
	struct perch_tx *tx, const struct perch_clear *clear)
{
	struct op_clear op = {
		.reservation = write_id(&clear->reservation),
		.nonce = clear->nonce,
		.movement = clear->movement,
		.until = (uint64_t)clear->until,
		.pad_state = clear->pad_state,
		.on_pad = write_text(clear->on_pad),
		.measured = (uint64_t)clear->measured,
	};
	enum err err = write_aircraft_check(clear->on_pad);

	if (err == ERR_OK && !(write_time_is_good(clear->until) &&
				     write_time_is_good(clear->measured)))
		err = ERR_TIME;
	return WRITE(tx, err, op_clear, OP_CLEAR, &op);
}

enum perch_err perch_tx_revoke(struct perch_tx *tx, const struct perch_id *id)
{
	struct op_revoke op = {.reservation = write_id(id)};

	return WRITE(tx, ERR_OK, op_revoke, OP_REVOKE, &op);
}

static enum err fact_check(const struct perch_fact *fact)
{
	enum err err = write_name_check(fact->port);

	if (err == ERR_OK)
		err = write_name_check(fact->pad);
	if (err == ERR_OK)
		err = write_aircraft_check(fact->aircraft);
	if (err == ERR_OK && !write_time_is_good(fact->time))
		err = ERR_TIME;
	return err;
}

enum perch_err perch_tx_departed(
	struct perch_tx *tx, const struct perch_fact *fact)
{
	struct op_departed op = {
		.port = write_text(fact->port),
		.pad = write_text(fact->pad),
		.reservation = view_of(fact->reservation,
			fact->reservation == NULL ? 0 : ID_SIZE),
		.aircraft = write_text(fact->aircraft),
		.time = (uint64_t)fact->time,
	};
	enum err err = fact_check(fact);

	return WRITE(tx, err, op_departed, OP_DEPARTED, &op);
}

enum perch_err perch_tx_landed(
	struct perch_tx *tx, const struct perch_fact *fact)
{
	struct op_landed op = {
		.port = write_text(fact->port),
		.pad = write_text(fact->pad),
		.reservation = view_of(fact->reservation,
			fact->reservation == NULL ? 0 : ID_SIZE),
		.aircraft = write_text(fact->aircraft),
		.time = (uint64_t)fact->time,
	};
	enum err err = fact_check(fact);

	return WRITE(tx, err, op_landed, OP_LANDED, &op);
}

enum perch_err perch_tx_vacated(
	struct perch_tx *tx, const char *port, const char *pad, int64_t time)
{
	const struct perch_fact fact = {.port = port, .pad = pad, .time = time};
	struct op_vacated op = {
		.port = write_text(port),
		.pad = write_text(pad),
		.time = (uint64_t)time,
	};
	enum err err = fact_check(&fact);

	return WRITE(tx, err, op_vacated, OP_VACATED, &op);
}

enum perch_err perch_tx_go_around(struct perch_tx *tx,
	const struct perch_id *id, const char *port, const char *pad,
	int64_t start, int64_t end)
{
	struct op_go_around op = {
		.reservation = write_id(id),
		.port = write_text(port),
		.pad = write_text(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};
	enum err err = write_place_check(port, pad);

	if (err == ERR_OK &&
		!(write_time_is_good(start) && write_time_is_good(end)))
		err = ERR_TIME;
	return WRITE(tx, err, op_go_around, OP_GO_AROUND, &op);
}

enum perch_err perch_tx_declare_emergency(struct perch_tx *tx,
	const struct perch_id *id, const char *port, const char *pad)
{
	struct op_declare_emergency op = {
		.reservation = write_id(id),
		.port = write_text(port),
		.pad = write_text(pad),
	};
	enum err err = write_place_check(port, pad);

	return WRITE(tx, err, op_declare_emergency, OP_DECLARE_EMERGENCY, &op);
}
