/* client/block_flight.c -- what the operations of a flight asked for, read from
 * a block.
 */
#include "client/block_flight.h"

#include <string.h>

static void give_option(struct perch_id *out, struct view bytes)
{
	if (bytes.size == sizeof(*out))
		memcpy(out, bytes.data, sizeof(*out));
}

static enum err read_confirm(struct perch_op *out, struct view body)
{
	struct op_confirm op;
	enum err err = op_confirm_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	out->version = (uint32_t)op.version;
	return ERR_OK;
}

static enum err read_request(struct perch_op *out, struct view body)
{
	struct op_request_clearance op;
	enum err err = op_request_clearance_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	give_words(out->aircraft, sizeof(out->aircraft), op.aircraft);
	out->nonce = op.nonce;
	return ERR_OK;
}

static enum err read_clear(struct perch_op *out, struct view body)
{
	struct op_clear op;
	enum err err = op_clear_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	give_words(out->aircraft, sizeof(out->aircraft), op.on_pad);
	out->nonce = op.nonce;
	out->movement = (enum perch_movement)op.movement;
	out->slot.end = (int64_t)op.until;
	return ERR_OK;
}

static enum err read_revoke(struct perch_op *out, struct view body)
{
	struct op_revoke op;
	enum err err = op_revoke_decode(&op, body);

	if (err == ERR_OK)
		give_id(&out->reservation, &op.reservation);
	return err;
}

/* departed and landed have the same members. */
static enum err read_fact(struct perch_op *out, struct view body)
{
	struct op_departed op;
	enum err err = op_departed_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	give_words(out->aircraft, sizeof(out->aircraft), op.aircraft);
	give_option(&out->reservation, op.reservation);
	return ERR_OK;
}

static enum err read_vacated(struct perch_op *out, struct view body)
{
	struct op_vacated op;
	enum err err = op_vacated_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	return ERR_OK;
}

static enum err read_go_around(struct perch_op *out, struct view body)
{
	struct op_go_around op;
	enum err err = op_go_around_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	out->slot.start = (int64_t)op.start;
	out->slot.end = (int64_t)op.end;
	return ERR_OK;
}

static enum err read_emergency(struct perch_op *out, struct view body)
{
	struct op_declare_emergency op;
	enum err err = op_declare_emergency_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_id(&out->reservation, &op.reservation);
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	return ERR_OK;
}

static enum err read_close(struct perch_op *out, struct view body)
{
	struct op_close_pad op;
	enum err err = op_close_pad_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	out->slot.start = (int64_t)op.from;
	out->slot.end = (int64_t)op.until;
	return ERR_OK;
}

static enum err read_open(struct perch_op *out, struct view body)
{
	struct op_open_pad op;
	enum err err = op_open_pad_decode(&op, body);

	if (err != ERR_OK)
		return err;
	give_text(out->port, sizeof(out->port), op.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), op.pad);
	return ERR_OK;
}

enum err block_flight_read(struct perch_op *out, const struct op *op)
{
	switch (op->kind) {
	case PERCH_OP_CONFIRM:
		return read_confirm(out, op->body);
	case PERCH_OP_REQUEST_CLEARANCE:
		return read_request(out, op->body);
	case PERCH_OP_CLEAR:
		return read_clear(out, op->body);
	case PERCH_OP_REVOKE:
		return read_revoke(out, op->body);
	case PERCH_OP_DEPARTED:
	case PERCH_OP_LANDED:
		return read_fact(out, op->body);
	case PERCH_OP_VACATED:
		return read_vacated(out, op->body);
	case PERCH_OP_GO_AROUND:
		return read_go_around(out, op->body);
	case PERCH_OP_DECLARE_EMERGENCY:
		return read_emergency(out, op->body);
	case PERCH_OP_CLOSE_PAD:
		return read_close(out, op->body);
	case PERCH_OP_OPEN_PAD:
		return read_open(out, op->body);
	}
	return ERR_OK; /* a later release's: its kind is all there is */
}
