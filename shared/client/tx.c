/* client/tx.c -- operations, encoded as they are added: what is wrong with one
 * is said where it was written, not when it is sent.
 */
#include <string.h>

#include "client/write.h"
#include "clock/clock.h"

/* The schema's limit of a time: 2100-01-01. */
bool write_time_is_good(int64_t time)
{
	return time >= 0 && time <= INT64_C(4102444800000);
}

struct view write_text(const char *text)
{
	return view_text(text == NULL ? "" : text);
}

/* A name of the ledger: 1 to 32 of these. */
enum err write_name_check(const char *name)
{
	struct view text = write_text(name);

	if (text.size < 1 || text.size > PERCH_NAME_MAX)
		return ERR_LENGTH;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != text.size)
		return ERR_ENCODING;
	return ERR_OK;
}

/* Both, or neither. */
enum err write_place_check(const char *port, const char *pad)
{
	if (write_text(port).size == 0 && write_text(pad).size == 0)
		return ERR_OK;
	enum err err = write_name_check(port);
	return err == ERR_OK ? write_name_check(pad) : err;
}

enum err write_aircraft_check(const char *aircraft)
{
	struct view text = write_text(aircraft);

	if (text.size > PERCH_NAME_MAX)
		return ERR_LENGTH;
	return text_is_utf8(text) ? ERR_OK : ERR_ENCODING;
}

static enum err endpoint_check(const char *endpoint)
{
	struct view text = write_text(endpoint);

	if (text.size > PERCH_ENDPOINT_MAX)
		return ERR_LENGTH;
	return text_is_utf8(text) ? ERR_OK : ERR_ENCODING;
}

struct id write_id(const struct perch_id *id)
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
enum err write_added(struct perch_tx *tx, enum op_number kind, size_t size)
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
	enum err err = write_name_check(reserve->port);

	if (err == ERR_OK)
		err = write_name_check(reserve->pad);
	if (err == ERR_OK)
		err = write_aircraft_check(reserve->aircraft);
	if (err == ERR_OK && !(write_time_is_good(reserve->start) &&
				     write_time_is_good(reserve->end)))
		err = ERR_TIME;
	if (err == ERR_OK)
		err = write_place_check(
			reserve->alternate_port, reserve->alternate_pad);
	if (err == ERR_OK && reserve->sealed_size > OP_RESERVE_SEALED_BYTES_MAX)
		err = ERR_LENGTH;
	return err;
}

static enum err reserve_add(struct perch_tx *tx,
	const struct perch_reserve *reserve, enum perch_movement movement,
	unsigned pair)
{
	struct op_reserve op = {
		.port = write_text(reserve->port),
		.pad = write_text(reserve->pad),
		.start = (uint64_t)reserve->start,
		.end = (uint64_t)reserve->end,
		.aircraft = write_text(reserve->aircraft),
		.pair = pair,
		.movement = movement,
		.wait = reserve->wait,
		.tier = reserve->tier,
		.alternate_port = write_text(reserve->alternate_port),
		.alternate_pad = write_text(reserve->alternate_pad),
		.commitment = view_of(reserve->commitment,
			reserve->commitment == NULL ? 0 : HASH_SIZE),
		.sealed = view_of(reserve->sealed,
			reserve->sealed == NULL ? 0 : reserve->sealed_size),
	};

	return write_added(tx, OP_RESERVE,
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
	struct op_reservation op = {.port = write_text(port)};
	enum err err = write_name_check(port);

	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = write_added(tx, OP_RESERVATION,
			op_reservation_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}

enum perch_err perch_tx_amend(struct perch_tx *tx, const struct perch_id *id,
	uint32_t version, const char *pad, int64_t start, int64_t end)
{
	struct op_amend op = {
		.reservation = write_id(id),
		.version = version,
		.pad = write_text(pad),
		.start = (uint64_t)start,
		.end = (uint64_t)end,
	};
	enum err err = write_name_check(pad);

	if (err == ERR_OK &&
		!(write_time_is_good(start) && write_time_is_good(end)))
		err = ERR_TIME;
	if (err == ERR_OK && tx->op_count >= PERCH_OPS_MAX)
		err = ERR_FULL;
	if (err == ERR_OK)
		err = write_added(tx, OP_AMEND,
			op_amend_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}

enum perch_err perch_tx_cancel(struct perch_tx *tx, const struct perch_id *id)
{
	struct op_cancel op = {.reservation = write_id(id)};

	if (tx->op_count >= PERCH_OPS_MAX)
		return PERCH_ERR_FULL;
	return (enum perch_err)write_added(tx, OP_CANCEL,
		op_cancel_encode(
			tx->ops[tx->op_count].body, PERCH_OP_BYTES_MAX, &op));
}

enum perch_err perch_tx_set_node(struct perch_tx *tx,
	const struct perch_node *node, enum perch_node_role role,
	const char *peer_endpoint)
{
	struct op_set_node op = {
		.name = write_text(node->name),
		.role = role,
		.request = write_text(node->request),
		.publish = write_text(node->publish),
		.peer = write_text(peer_endpoint),
	};
	enum err err = write_name_check(node->name);

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
		err = write_added(tx, OP_SET_NODE,
			op_set_node_encode(tx->ops[tx->op_count].body,
				PERCH_OP_BYTES_MAX, &op));
	return (enum perch_err)err;
}
