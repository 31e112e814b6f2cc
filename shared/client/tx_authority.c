/* client/tx_authority.c -- pads, parties and ports. */
#include <string.h>

#include "client/write.h"

enum perch_err perch_tx_close_pad(struct perch_tx *tx, const char *port,
	const char *pad, int64_t from, int64_t until, const char *reason)
{
	struct op_close_pad op = {
		.port = write_text(port),
		.pad = write_text(pad),
		.from = (uint64_t)from,
		.until = (uint64_t)until,
		.reason = write_text(reason),
	};
	enum err err = write_name_check(port);

	if (err == ERR_OK)
		err = write_name_check(pad);
	if (err == ERR_OK && op.reason.size > OP_CLOSE_PAD_REASON_BYTES_MAX)
		err = ERR_LENGTH;
	if (err == ERR_OK && !text_is_utf8(op.reason))
		err = ERR_ENCODING;
	if (err == ERR_OK &&
		!(write_time_is_good(from) && write_time_is_good(until)))
		err = ERR_TIME;
	return WRITE(tx, err, op_close_pad, OP_CLOSE_PAD, &op);
}

enum perch_err perch_tx_open_pad(
	struct perch_tx *tx, const char *port, const char *pad)
{
	struct op_open_pad op = {
		.port = write_text(port),
		.pad = write_text(pad),
	};
	enum err err = write_name_check(port);

	if (err == ERR_OK)
		err = write_name_check(pad);
	return WRITE(tx, err, op_open_pad, OP_OPEN_PAD, &op);
}

static struct key key_of(const struct perch_key *key)
{
	struct key out;

	memcpy(&out, key, sizeof(out));
	return out;
}

enum perch_err perch_tx_grant_tier(
	struct perch_tx *tx, const struct perch_key *party, unsigned tier)
{
	struct op_grant_tier op = {.party = key_of(party), .tier = tier};

	return WRITE(tx, ERR_OK, op_grant_tier, OP_GRANT_TIER, &op);
}

enum perch_err perch_tx_set_party(struct perch_tx *tx,
	const struct perch_key *party, unsigned quota, bool up)
{
	struct op_set_party op = {
		.party = key_of(party), .quota = quota, .up = up};

	return WRITE(tx, ERR_OK, op_set_party, OP_SET_PARTY, &op);
}

enum perch_err perch_tx_register_party(struct perch_tx *tx,
	const struct perch_key *party, const char *name, enum perch_role role,
	unsigned quota)
{
	struct op_register_party op = {
		.party = key_of(party),
		.name = write_text(name),
		.role = role,
		.quota = quota,
	};
	enum err err = write_name_check(name);

	return WRITE(tx, err, op_register_party, OP_REGISTER_PARTY, &op);
}

enum perch_err perch_tx_register_port(
	struct perch_tx *tx, const struct perch_port *port)
{
	struct op_register_port op = {
		.name = write_text(port->name),
		.controller = key_of(&port->controller),
		.lead = (uint64_t)port->lead,
		.before = (uint64_t)port->before,
		.after = (uint64_t)port->after,
		.duration = (uint64_t)port->duration,
		.hold = (uint64_t)port->hold,
		.no_show = (uint64_t)port->no_show,
		.pads_count = port->pad_count,
	};
	enum err err = write_name_check(port->name);

	if (err == ERR_OK &&
		(port->pad_count < 1 || port->pad_count > PERCH_PADS_MAX))
		err = ERR_LENGTH;
	for (size_t i = 0; err == ERR_OK && i < port->pad_count; i++) {
		err = write_name_check(port->pads[i].name);
		if (err == ERR_OK)
			err = write_name_check(port->pads[i].group);
		op.pads[i].name = write_text(port->pads[i].name);
		op.pads[i].group = write_text(port->pads[i].group);
	}
	return WRITE(tx, err, op_register_port, OP_REGISTER_PORT, &op);
}
