/* client/tx.c -- operations, encoded as they are added: what is wrong with one
 * is said where it was written, not when it is sent.
 */
#include <string.h>

#include "client/inside.h"
#include "clock/clock.h"

/* The schema's limit of a time: 2100-01-01. */
static bool time_is_good(int64_t time)
{
	return time >= 0 && time <= INT64_C(4102444800000);
}

static struct view text_or_empty(const char *text)
{
	return view_text(text == NULL ? "" : text);
}

/* A name of the ledger: 1 to 32 of these. */
static enum err name_check(const char *name)
{
	struct view text = text_or_empty(name);

	if (text.size < 1 || text.size > PERCH_NAME_MAX)
		return ERR_LENGTH;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != text.size)
		return ERR_ENCODING;
	return ERR_OK;
}

static enum err aircraft_check(const char *aircraft)
{
	struct view text = text_or_empty(aircraft);

	if (text.size > PERCH_NAME_MAX)
		return ERR_LENGTH;
	return text_is_utf8(text) ? ERR_OK : ERR_ENCODING;
}

static enum err endpoint_check(const char *endpoint)
{
	struct view text = text_or_empty(endpoint);

	if (text.size > PERCH_ENDPOINT_MAX)
		return ERR_LENGTH;
	return text_is_utf8(text) ? ERR_OK : ERR_ENCODING;
}

static struct id id_of(const struct perch_id *id)
{
	struct id out;

	memcpy(&out, id, sizeof(out));
	return out;
}

void perch_tx_start(struct perch_tx *tx, enum perch_mode mode)
{
	memset(tx, 0, sizeof(*tx));
	tx->id = perch_id_random();
	tx->mode = mode;
}

/* Where the next operation goes: encode to ops[op_count].body, then tx_added.
 */
static enum err tx_added(struct perch_tx *tx, enum op_number kind, size_t size)
{
	if (size == 0)
		return ERR_ENCODING;
	tx->ops[tx->op_count].kind = (uint8_t)kind;
	tx->ops[tx->op_count].size = (uint16_t)size;
	tx->op_count++;
	return ERR_OK;
}

static enum err reserve_check(const struct perch_reserve *reserve)
{
	enum err err = name_check(reserve->port);

	if (err == ERR_OK)
		err = name_check(reserve->pad);
	if (err == ERR_OK)
		err = aircraft_check(reserve->aircraft);
	if (err == ERR_OK &&
		!(time_is_good(reserve->start) && time_is_good(reserve->end)))
		err = ERR_TIME;
	return err;
}

static enum err reserve_add(struct perch_tx *tx,
	const struct perch_reserve *reserve, enum perch_movement movement,
	unsigned pair)
{
	struct op_reserve op = {
		.port = text_or_empty(reserve->port),
		.pad = text_or_empty(reserve->pad),
		.start = (uint64_t)reserve->start,
		.end = (uint64_t)reserve->end,
		.aircraft = text_or_empty(reserve->aircraft),
		.pair = pair,
		.movement = movement,
	};

	return tx_added(tx, OP_RESERVE,
		op_reserve_encode(
			tx->ops[tx->op_count].body, PERCH_OP_BYTES_MAX, &op));
}

enum perch_err perch_tx_reserve(
	struct perch_tx *tx, const struct perch_reserve *reserve)
{
	enum err err = reserve_check(reserve);

	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = reserve_add(tx, reserve, reserve->movement, 0);
	return (enum perch_err)err;
}

enum perch_err perch_tx_pair(struct perch_tx *tx,
	const struct perch_reserve *departure,
	const struct perch_reserve *arrival)
{
	enum err err = reserve_check(departure);

	if (err == ERR_OK)
		err = reserve_check(arrival);
	if (err == ERR_OK && tx->op_count + 2 > PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = reserve_add(
			tx, departure, PERCH_DEPARTURE, tx->pairs + 1);
	if (err != ERR_OK)
		return (enum perch_err)err;
	err = reserve_add(tx, arrival, PERCH_ARRIVAL, tx->pairs + 1);
	if (err != ERR_OK)
		tx->op_count--;
	else
		tx->pairs++;
	return (enum perch_err)err;
}

enum perch_err perch_tx_reservation(struct perch_tx *tx, const char *port)
{
	struct op_reservation op = {.port = text_or_empty(port)};
	enum err err = name_check(port);

	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = tx_added(tx, OP_RESERVATION,
			op_reservation_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}

enum perch_err perch_tx_amend(struct perch_tx *tx, const struct perch_id *id,
	uint32_t version, const char *pad, int64_t start, int64_t end)
{
	struct op_amend op = {
		.reservation = id_of(id),
		.version = version,
		.pad = text_or_empty(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};
	enum err err = name_check(pad);

	if (err == ERR_OK && !(time_is_good(start) && time_is_good(end)))
		err = ERR_TIME;
	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = tx_added(tx, OP_AMEND,
			op_amend_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}

enum perch_err perch_tx_cancel(struct perch_tx *tx, const struct perch_id *id)
{
	struct op_cancel op = {.reservation = id_of(id)};

	if (tx->op_count >= PERCH_OPS_MAX)
		return PERCH_ERR_FULL;
	return (enum perch_err)tx_added(tx, OP_CANCEL,
		op_cancel_encode(
			tx->ops[tx->op_count].body, PERCH_OP_BYTES_MAX, &op));
}

enum perch_err perch_tx_set_node(struct perch_tx *tx,
	const struct perch_node *node, enum perch_node_role role,
	const char *peer_endpoint)
{
	struct op_set_node op = {
		.name = text_or_empty(node->name),
		.role = role,
		.request = text_or_empty(node->request),
		.publish = text_or_empty(node->publish),
		.peer = text_or_empty(peer_endpoint),
	};
	enum err err = name_check(node->name);

	memcpy(&op.node, &node->key, sizeof(op.node));
	if (err == ERR_OK)
		err = endpoint_check(node->request);
	if (err == ERR_OK)
		err = endpoint_check(node->publish);
	if (err == ERR_OK)
		err = endpoint_check(peer_endpoint);
	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = tx_added(tx, OP_SET_NODE,
			op_set_node_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}
