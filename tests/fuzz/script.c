/* tests/fuzz/script.c -- see script.h. */
#include "fuzz/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "contract/never.h"
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
			.controller = key_of(5 + i),
			.lead = i * (uint64_t)MINUTE_MS,
			.before = i * (uint64_t)MINUTE_MS,
			.after = i * (uint64_t)MINUTE_MS,
			.duration = 5 * MINUTE_MS,
			.hold = i == 1 ? 3 * MINUTE_MS : 0,
			.no_show = i == 2 ? 2 * MINUTE_MS : 0,
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
	for (uint8_t i = 0; i < 8; i++)
		genesis->parties[i] = (struct record_party){
			.key = key_of(i),
			.name = view_text("party"),
			.role = i == 3   ? ROLE_AUTHORITY
				: i == 4 ? ROLE_OBSERVER
				: i > 4  ? ROLE_CONTROLLER
					 : ROLE_OPERATOR,
			.quota = i == 1 ? 2 : 100,
			.tier = i == 0 ? 2 : 0,
			.up = i != 2,
		};
	genesis->party_count = 8;
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
		.wait = place >> 4 & 1,
		.tier = place >> 5 & 3,
	};
	if (place & 0x80) {
		op.alternate_port = view_text(port_names[how % 3]);
		op.alternate_pad = view_text(pad_names[how / 3 % 3]);
	}
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

/* What the state says of a known one; most of it zero when it has ended. */
static struct record_reservation next_record(struct script *script)
{
	struct record_reservation record;
	struct id id = next_known(script);

	if (state_reservation(script->state, &id, &record))
		return record;
	return (struct record_reservation){
		.reservation = id,
		.port = view_text(port_names[0]),
		.pad = view_text(pad_names[0]),
	};
}

static size_t write_confirm(struct script *script, uint8_t *out)
{
	struct record_reservation known = next_record(script);
	struct op_confirm op = {
		.reservation = known.reservation,
		.version = known.version,
	};

	return op_confirm_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_request(struct script *script, uint8_t *out)
{
	struct record_reservation known = next_record(script);
	uint8_t how = next(script);
	struct op_request_clearance op = {
		.reservation = known.reservation,
		.nonce = known.nonce + (how & 1 ? 0 : 1),
		.aircraft = view_text(how & 2 ? pad_names[how / 64] : ""),
	};

	return op_request_clearance_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_clear(struct script *script, uint8_t *out)
{
	struct record_reservation known = next_record(script);
	uint8_t how = next(script);
	uint64_t now = (uint64_t)state_time(script->state);
	uint64_t movement =
		known.movement != 0 ? known.movement : 1u + (how & 1);
	struct op_clear op = {
		.reservation = known.reservation,
		.nonce = known.nonce,
		.movement = movement,
		.until = now + how / 8 % 8 * (uint64_t)MINUTE_MS / 2,
		.pad_state = how & 2 ? how / 64 % 3 : 3 - movement,
		.on_pad = movement == 1 ? known.aircraft : view_text(""),
		.measured = now - how % 64 * 100,
	};

	return op_clear_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_fact(struct script *script, bool lands, uint8_t *out)
{
	struct record_reservation known = next_record(script);
	uint8_t how = next(script);
	struct op_departed op = {
		.port = known.port,
		.pad = how & 1 ? view_text(pad_names[how / 64]) : known.pad,
		.reservation =
			view_of(&known.reservation, how & 2 ? 0 : ID_SIZE),
		.aircraft = how & 4 ? view_text(pad_names[how / 8 % 4])
				    : known.aircraft,
	};
	struct op_landed landed = {
		.port = op.port,
		.pad = op.pad,
		.reservation = op.reservation,
		.aircraft = op.aircraft,
	};

	return lands ? op_landed_encode(out, OP_BODY_BYTES_MAX, &landed)
		     : op_departed_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_vacated(struct script *script, uint8_t *out)
{
	uint8_t place = next(script);
	struct op_vacated op = {
		.port = view_text(port_names[place % 4]),
		.pad = view_text(pad_names[place / 4 % 4]),
	};

	return op_vacated_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_go_around(struct script *script, uint8_t *out)
{
	uint8_t place = next(script);
	struct op_go_around op = {
		.reservation = next_known(script),
		.port = view_text(place & 1 ? port_names[place / 2 % 4] : ""),
		.pad = view_text(place & 1 ? pad_names[place / 8 % 4] : ""),
		.start = next_time(script),
	};

	op.end = op.start + (uint64_t)next(script) * MINUTE_MS;
	return op_go_around_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_emergency(struct script *script, uint8_t *out)
{
	uint8_t place = next(script);
	struct op_declare_emergency op = {
		.reservation = next_known(script),
		.port = view_text(place & 1 ? port_names[place / 2 % 4] : ""),
		.pad = view_text(place & 1 ? pad_names[place / 8 % 4] : ""),
	};

	return op_declare_emergency_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_revoke(struct script *script, uint8_t *out)
{
	struct op_revoke op = {.reservation = next_known(script)};

	return op_revoke_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_close_pad(struct script *script, uint8_t *out)
{
	uint8_t place = next(script);
	struct op_close_pad op = {
		.port = view_text(port_names[place % 4]),
		.pad = view_text(pad_names[place / 4 % 4]),
		.from = place & 0x10 ? 0 : next_time(script),
		.reason = view_text(place & 0x20 ? "ice" : ""),
	};

	if (place & 0x40)
		op.until = next_time(script);
	return op_close_pad_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_open_pad(struct script *script, uint8_t *out)
{
	uint8_t place = next(script);
	struct op_open_pad op = {
		.port = view_text(port_names[place % 4]),
		.pad = view_text(pad_names[place / 4 % 4]),
	};

	return op_open_pad_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_party(struct script *script, uint8_t kind, uint8_t *out)
{
	uint8_t who = next(script), how = next(script);
	struct op_grant_tier tier = {key_of(who % 12), how % 8};
	struct op_set_party set = {key_of(who % 12), how % 16, how >> 7 ^ 1};
	struct op_register_party party = {
		.party = key_of(who % 16),
		.name = view_text("new"),
		.role = how % 6,
		.quota = how % 16,
	};

	if (kind == OP_GRANT_TIER)
		return op_grant_tier_encode(out, OP_BODY_BYTES_MAX, &tier);
	if (kind == OP_SET_PARTY)
		return op_set_party_encode(out, OP_BODY_BYTES_MAX, &set);
	return op_register_party_encode(out, OP_BODY_BYTES_MAX, &party);
}

static size_t write_register_port(struct script *script, uint8_t *out)
{
	static const char *const names[] = {"alpha", "mid", "omega", "east"};
	uint8_t what = next(script);
	struct op_register_port op = {
		.name = view_text(names[what % 4]),
		.controller = key_of(8 + what / 4 % 8),
		.duration = MINUTE_MS,
		.pads_count = 1 + what / 64 % 2,
	};

	for (size_t i = 0; i < op.pads_count; i++) {
		op.pads[i].name = view_text(pad_names[i]);
		op.pads[i].group = view_text(pad_names[0]);
	}
	return op_register_port_encode(out, OP_BODY_BYTES_MAX, &op);
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

static size_t write_cancel(struct script *script, uint8_t *out)
{
	struct op_cancel op = {.reservation = next_known(script)};

	return op_cancel_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_reservation(struct script *script, uint8_t *out)
{
	struct op_reservation op = {
		.port = view_text(port_names[next(script) % 4])};

	return op_reservation_encode(out, OP_BODY_BYTES_MAX, &op);
}

static size_t write_of_kind(struct script *script, uint8_t kind, uint8_t *out)
{
	static size_t (*const writers[])(struct script *, uint8_t *) = {
		[OP_RESERVE] = write_reserve,
		[OP_AMEND] = write_amend,
		[OP_CANCEL] = write_cancel,
		[OP_RESERVATION] = write_reservation,
		[OP_SET_NODE] = write_set_node,
		[OP_CONFIRM] = write_confirm,
		[OP_REQUEST_CLEARANCE] = write_request,
		[OP_CLEAR] = write_clear,
		[OP_REVOKE] = write_revoke,
		[OP_VACATED] = write_vacated,
		[OP_GO_AROUND] = write_go_around,
		[OP_DECLARE_EMERGENCY] = write_emergency,
		[OP_REGISTER_PORT] = write_register_port,
		[OP_CLOSE_PAD] = write_close_pad,
		[OP_OPEN_PAD] = write_open_pad,
	};

	if (kind == OP_DEPARTED || kind == OP_LANDED)
		return write_fact(script, kind == OP_LANDED, out);
	if (kind == OP_GRANT_TIER || kind == OP_SET_PARTY ||
		kind == OP_REGISTER_PARTY)
		return write_party(script, kind, out);
	return writers[kind](script, out);
}

static void add_op(struct script *script, uint8_t kind)
{
	size_t index = script->tx.ops_count;
	uint8_t *out = script->bodies[index];
	size_t size;

	if (kind >= OP_RESERVE && kind <= OP_OPEN_PAD) {
		size = write_of_kind(script, kind, out);
	} else {
		kind = next(script);
		size = write_any(script, out);
	}
	script->tx.ops[index] =
		(struct op){.kind = kind, .body = view_of(out, size)};
	script->tx.ops_count++;
}

/* ---- blocks and transactions ---- */

static void check_never(const struct script *script)
{
	struct never_found found = {.rule = 0};
	bool bad = never_state(script->state, &found);

	if (bad)
		fprintf(stderr, "must never happen: %s\n", found.what);
	CHECK(!bad);
}

static void begin_block(struct script *script)
{
	time_ms step = (time_ms)next(script) * MINUTE_MS;

	contract_begin(script->state, state_height(script->state) + 1,
		state_time(script->state) + 1 + step, NULL);
	check_never(script);
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

/* Who may sign the first operation, most often. */
static uint8_t natural_signer(const struct script *script)
{
	const struct op *op = &script->tx.ops[0];
	const struct op_kind *kind = op_find((uint8_t)op->kind);
	struct op_vacated fact;

	if (kind == NULL || (kind->roles >> ROLE_OPERATOR & 1) != 0)
		return 0;
	if ((kind->roles >> ROLE_AUTHORITY & 1) != 0)
		return 3;
	if (op_vacated_decode(&fact, op->body) == ERR_OK &&
		view_equal(fact.port, view_text(port_names[1])))
		return 6;
	return script->serial % 2 == 0 ? 5 : 6;
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
	tx.body.wallet = key_of(who & 0x40 ? natural_signer(script) : who % 9);
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
	check_never(script);
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

		if (what < 192 && script->tx.ops_count < TX_OPS_MAX)
			add_op(script, what % 24);
		else if (what < 232)
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
