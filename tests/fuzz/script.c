/* tests/fuzz/script.c -- see script.h. */
#include "fuzz/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gen/table.h"

enum { JOURNAL_BYTES = 1 << 24, MINUTE_MS = 60 * 1000 };

static uint8_t next(struct script *script)
{
	if (script->rest.size == 0)
		return 0;
	script->rest.size--;
	return *script->rest.data++;
}

/* ---- a small world ---- */

/* The keys are made once: that takes longer than a transaction. */
static struct key key_of(uint8_t number)
{
	static struct keypair pairs[32];
	static bool made[32];
	uint8_t seed[32] = {number};

	CHECK(number < 32);
	if (!made[number])
		keypair_from_seed(&pairs[number], seed);
	made[number] = true;
	return pairs[number].key;
}

static const char *const port_names[] = {"east", "north", "west", "nowhere"};
static const char *const pad_names[] = {"a", "b", "c", "d"};

static void fill_genesis(struct genesis *genesis)
{
	genesis->time = INT64_C(1700000000000);
	for (uint8_t i = 0; i < 3; i++) {
		struct record_port *port = &genesis->ports[i];

		*port = (struct record_port){
			.name = view_text(port_names[i]),
			.controller = key_of(9),
			.lead = i * (uint64_t)MINUTE_MS,
			.before = i * (uint64_t)MINUTE_MS,
			.after = i * (uint64_t)MINUTE_MS,
			.duration = 5 * MINUTE_MS,
			.pads_count = 3,
		};
		for (uint8_t k = 0; k < 3; k++)
			port->pads[k] = (struct record_pad){
				.name = view_text(pad_names[k]),
				.group = view_text(pad_names[k / 2]),
				.open = k < 2 || i > 0,
			};
	}
	genesis->port_count = 3;
	for (uint8_t i = 0; i < 4; i++)
		genesis->parties[i] = (struct record_party){
			.key = key_of(i),
			.name = view_text(pad_names[i]),
			.role = i == 3 ? ROLE_AUTHORITY : ROLE_OPERATOR,
			.quota = i == 1 ? 2 : 100,
			.up = i != 2,
		};
	genesis->party_count = 4;
	genesis->nodes[0] = (struct record_node){.key = key_of(20),
		.name = view_text("node"),
		.role = 2,
		.request = view_text(""),
		.publish = view_text(""),
		.peer = view_text("")};
	genesis->node_count = 1;
}

const struct genesis *script_genesis(void)
{
	static struct genesis *genesis;

	if (genesis == NULL) {
		crypto_start();
		genesis = calloc(1, sizeof(*genesis));
		CHECK(genesis != NULL);
		fill_genesis(genesis);
	}
	return genesis;
}

struct state *script_state(size_t number)
{
	static struct state *states[2];
	static struct arena arenas[2];

	if (states[number] != NULL)
		return states[number];
	size_t size = state_bytes(&state_limits_small);
	void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
	void *journal = malloc(JOURNAL_BYTES);
	CHECK(memory != NULL && journal != NULL);
	memset(memory, 0, size);
	arena_init(&arenas[number], memory, size, journal, JOURNAL_BYTES);
	enum err err = state_init(&states[number], &arenas[number],
		&state_limits_small, script_genesis());
	CHECK(err == ERR_OK);
	return states[number];
}

/* ---- operations ---- */

static uint64_t next_time(struct script *script)
{
	uint64_t minutes = next(script);

	return (uint64_t)state_time(script->state) + minutes * MINUTE_MS;
}

static struct id next_known(struct script *script)
{
	struct id id = {{0}};
	size_t index = next(script);

	if (script->known_count > 0)
		id = script->known[index % script->known_count];
	return id;
}

static size_t write_reserve(struct script *script, uint8_t *out)
{
	uint8_t place = next(script), how = next(script);
	struct op_reserve op = {
		.port = view_text(port_names[place % 4]),
		.pad = view_text(pad_names[place / 4 % 4]),
		.start = next_time(script),
		.aircraft = view_text(how & 1 ? pad_names[how / 64] : ""),
		.pair = how / 2 % 4,
		.movement = how / 8 % 3,
	};
	op.end = op.start + (uint64_t)next(script) * MINUTE_MS;
	return op_reserve_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_amend(struct script *script, uint8_t *out)
{
	struct op_amend op = {
		.reservation = next_known(script),
		.version = next(script),
		.pad = view_text(pad_names[next(script) % 4]),
		.start = next_time(script),
	};
	op.end = op.start + (uint64_t)next(script) * MINUTE_MS;
	return op_amend_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_set_node(struct script *script, uint8_t *out)
{
	struct op_set_node op = {
		.node = key_of(20 + next(script) % 4),
		.name = view_text("node"),
		.role = next(script) % 3,
	};
	return op_set_node_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_any(struct script *script, uint8_t *out)
{
	size_t size = next(script);

	if (size > script->rest.size)
		size = script->rest.size;
	if (size == 0)
		return 0;
	memcpy(out, script->rest.data, size);
	script->rest.data += size;
	script->rest.size -= size;
	return size;
}

static void add_op(struct script *script, uint8_t kind)
{
	size_t index = script->tx.ops_count;
	uint8_t *out = script->bodies[index];
	struct op_cancel cancel;
	struct op_reservation reservation;
	size_t size;

	switch (kind) {
	case OP_RESERVE:
		size = write_reserve(script, out);
		break;
	case OP_AMEND:
		size = write_amend(script, out);
		break;
	case OP_CANCEL:
		cancel.reservation = next_known(script);
		size = op_cancel_encode(out, OP_BODY_BYTES_MAX, &cancel);
		break;
	case OP_RESERVATION:
		reservation.port = view_text(port_names[next(script) % 4]);
		size = op_reservation_encode(
			out, OP_BODY_BYTES_MAX, &reservation);
		break;
	case OP_SET_NODE:
		size = write_set_node(script, out);
		break;
	default:
		kind = next(script);
		size = write_any(script, out);
	}
	script->tx.ops[index] =
		(struct op){.kind = kind, .body = view_of(out, size)};
	script->tx.ops_count++;
}

/* ---- blocks and transactions ---- */

static void begin_block(struct script *script)
{
	time_ms step = (time_ms)next(script) * MINUTE_MS;

	contract_begin(script->state, state_height(script->state) + 1,
		state_time(script->state) + 1 + step, NULL);
	script->tx_index = 0;
	script->member_free = true;
	script->blocks++;
}

static void remember(struct script *script, const struct receipt *receipt)
{
	for (size_t i = 0; i < receipt->ops_count; i++) {
		const struct view *id = &receipt->ops[i].reservation;

		if (id->size == ID_SIZE &&
			script->known_count < SCRIPT_KNOWN_MAX)
			memcpy(&script->known[script->known_count++], id->data,
				ID_SIZE);
	}
}

static void execute(struct script *script)
{
	static uint8_t body[TX_BYTES_MAX], encoded[TX_BYTES_MAX];
	static uint8_t scratch[RECEIPT_SCRATCH];
	static struct receipt receipt;
	uint8_t who = next(script);
	struct tx_view tx = {.body = script->tx};

	script->tx.ops_count = 0;
	if (tx.body.ops_count == 0)
		return;
	script->serial++;
	memcpy(&tx.body.id, &script->serial, sizeof(script->serial));
	tx.body.wallet = key_of(who % 5);
	tx.body.mode = who / 8 % 2;
	tx.body.valid_until =
		(uint64_t)state_time(script->state) + (who & 0x80 ? 0 : 1000);
	size_t size = tx_encode(body, sizeof(body), &tx.body);
	CHECK(size > 0);
	tx.signed_bytes = view_of(body, size);
	tx.hash = hash_bytes(tx.signed_bytes);
	if (!contract_execute(script->state, &tx, script->tx_index,
		    &script->member_free, &receipt, scratch, NULL))
		return;
	CHECK(receipt_encode(encoded, sizeof(encoded), &receipt) > 0);
	CHECK(receipt.ops_count == 0 || receipt.ops_count == tx.body.ops_count);
	script->tx_index++;
	remember(script, &receipt);
}

void script_start(struct script *script, struct state *state)
{
	memset(script, 0, sizeof(*script));
	script->state = state;
	begin_block(script);
}

void script_run(struct script *script, struct view bytes)
{
	script->rest = bytes;
	while (script->rest.size > 0 && script->blocks < SCRIPT_BLOCKS_MAX) {
		uint8_t what = next(script);

		if (what % 16 < 12 && script->tx.ops_count < TX_OPS_MAX)
			add_op(script, what / 16 % 8);
		else if (what % 16 < 14)
			execute(script);
		else
			begin_block(script);
	}
	execute(script);
}

struct hash script_fingerprint(struct state *state)
{
	struct hash root = state_root(state);
	struct hasher hasher;

	hash_start(&hasher);
	hash_add(&hasher, view_of(&root, sizeof(root)));
	for (size_t i = 0; i < state_port_count(state); i++) {
		struct record_reservation record;
		uint8_t bytes[RECORD_RESERVATION_BYTES_MAX];
		uint64_t cursor = 0;

		while (state_timetable_next(state, i, 0, &cursor, &record)) {
			size_t size = record_reservation_encode(
				bytes, sizeof(bytes), &record);

			CHECK(size > 0);
			hash_add(&hasher, view_of(bytes, size));
		}
	}
	return hash_end(&hasher);
}
