/* tests/bench/city.c -- the flights of a city's day, as transactions. */
#include "city.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "gen/table.h"

enum {
	ALL_PADS = CITY_PORTS * CITY_PADS,
	SLOT_S = 120,
	CYCLE_S = 2 * SLOT_S, /* a departure, then an arrival */
	AHEAD_S = 900,        /* that a flight is reserved before it leaves */
};
#define T0 INT64_C(1700000000000)

static struct city city;
static char names[CITY_PORTS][8];
static const char *const pads[CITY_PADS] = {"a", "b", "c", "d"};
static uint64_t number;

static void add_party(struct keypair *pair, uint8_t role, uint8_t a, uint8_t b)
{
	struct genesis *genesis = &city.genesis;
	uint8_t seed[32] = {a, b, 3};

	keypair_from_seed(pair, seed);
	genesis->parties[genesis->party_count++] = (struct record_party){
		.key = pair->key,
		.name = view_text("party"),
		.role = role,
		.quota = role == ROLE_OPERATOR ? 999999 : 0,
		.up = 1,
	};
}

static void add_port(uint8_t i)
{
	struct genesis *genesis = &city.genesis;
	struct record_port *port = &genesis->ports[genesis->port_count++];

	add_party(&city.controllers[i], ROLE_CONTROLLER, 2, i);
	snprintf(names[i], sizeof(names[i]), "port%02d", i);
	port->name = view_text(names[i]);
	port->controller = city.controllers[i].key;
	port->duration = 100000;
	port->before = port->after = 10000;
	for (int k = 0; k < CITY_PADS; k++)
		port->pads[port->pads_count++] = (struct record_pad){
			.name = view_text(pads[k]),
			.group = view_text(pads[k]),
			.open = 1,
		};
}

struct city *city_open(void)
{
	for (uint8_t i = 0; i < CITY_NODES; i++) {
		uint8_t seed[32] = {(uint8_t)(1 + i)};
		keypair_from_seed(&city.nodes[i], seed);
	}
	city.genesis.time = T0;
	for (uint8_t i = 0; i < CITY_OPERATORS; i++)
		add_party(&city.operators[i], ROLE_OPERATOR, 1, i);
	for (uint8_t i = 0; i < CITY_PORTS; i++)
		add_port(i);
	return &city;
}

time_ms city_time(int64_t second)
{
	return T0 + second * 1000;
}

/* ---- a flight ---- */

struct flight {
	int pad, landing; /* of all pads */
	int64_t leaves, lands;
	char aircraft[24];
	struct id ids[2];
	const struct keypair *operator_pair;
};

static int64_t stagger(int pad)
{
	return (int64_t)pad * SLOT_S / ALL_PADS;
}

/* The ids that its two halves get: of the transaction that reserves them. */
static void name_halves(struct flight *flight, const struct id *tx)
{
	for (uint8_t i = 0; i < 2; i++) {
		struct view parts[] = {
			view_text("perch/reservation"),
			view_of(&flight->operator_pair->key, KEY_SIZE),
			view_of(tx, ID_SIZE),
			view_of(&i, 1),
		};
		struct hash hash = hash_parts(parts, 4);
		memcpy(&flight->ids[i], &hash, ID_SIZE);
	}
}

/* Everything of a flight follows from its pad and when it leaves. */
static struct flight flight_of(int pad, int64_t leaves)
{
	struct flight flight = {
		.pad = pad,
		.landing = (pad + 17 * CITY_PADS) % ALL_PADS,
		.leaves = leaves,
		.operator_pair = &city.operators[pad % CITY_OPERATORS],
	};
	int64_t phase = stagger(flight.landing) + SLOT_S;
	int64_t late = (leaves + 480 - phase) % CYCLE_S;
	struct id tx = {{9}};

	flight.lands = leaves + 480 + (late == 0 ? 0 : CYCLE_S - late);
	snprintf(flight.aircraft, sizeof(flight.aircraft), "F%d-%lld", pad,
		(long long)(leaves % 100000000));
	memcpy(tx.bytes + 4, &pad, 4);
	memcpy(tx.bytes + 8, &leaves, 8);
	name_halves(&flight, &tx);
	return flight;
}

/* ---- its transactions ---- */

enum step { RESERVE, ASK, CLEAR, DEPART, ASK_2, CLEAR_2, LAND, VACATE, STEPS };

static size_t write_half(
	const struct flight *flight, bool lands, uint8_t out[1280])
{
	int pad = lands ? flight->landing : flight->pad;
	time_ms start = city_time(lands ? flight->lands : flight->leaves);
	struct op_reserve op = {
		.port = view_text(names[pad / CITY_PADS]),
		.pad = view_text(pads[pad % CITY_PADS]),
		.start = (uint64_t)start,
		.end = (uint64_t)(start + 100000),
		.aircraft = view_text(flight->aircraft),
		.pair = 1,
		.movement = lands ? MOVEMENT_ARRIVAL : MOVEMENT_DEPARTURE,
	};

	return op_reserve_encode(out, 1280, &op);
}

static size_t write_clear(
	const struct flight *flight, bool lands, int64_t now, uint8_t out[1280])
{
	struct op_clear op = {
		.reservation = flight->ids[lands],
		.nonce = 1,
		.movement = lands ? MOVEMENT_ARRIVAL : MOVEMENT_DEPARTURE,
		.until = (uint64_t)city_time(now + 60),
		.pad_state = lands ? 1 : 2,
		.on_pad = view_text(lands ? "" : flight->aircraft),
		.measured = (uint64_t)city_time(now),
	};

	return op_clear_encode(out, 1280, &op);
}

static size_t write_fact(
	const struct flight *flight, enum step step, uint8_t out[1280])
{
	int pad = step == DEPART ? flight->pad : flight->landing;
	struct op_departed op = {
		.port = view_text(names[pad / CITY_PADS]),
		.pad = view_text(pads[pad % CITY_PADS]),
		.reservation = view_of(&flight->ids[step != DEPART], ID_SIZE),
		.aircraft = view_text(flight->aircraft),
	};
	struct op_landed landed = {
		op.port, op.pad, op.reservation, op.aircraft, 0};
	struct op_vacated vacated = {op.port, op.pad, 0};

	if (step == DEPART)
		return op_departed_encode(out, 1280, &op);
	return step == LAND ? op_landed_encode(out, 1280, &landed)
			    : op_vacated_encode(out, 1280, &vacated);
}

static size_t write_step(const struct flight *flight, enum step step,
	int64_t now, uint8_t out[1280], uint64_t *kind)
{
	static const uint64_t kinds[STEPS] = {OP_RESERVE, OP_REQUEST_CLEARANCE,
		OP_CLEAR, OP_DEPARTED, OP_REQUEST_CLEARANCE, OP_CLEAR,
		OP_LANDED, OP_VACATED};
	struct op_request_clearance ask = {
		.reservation = flight->ids[step == ASK_2], .nonce = 1};

	*kind = kinds[step];
	if (step == RESERVE)
		return write_half(flight, false, out);
	if (step == ASK || step == ASK_2)
		return op_request_clearance_encode(out, 1280, &ask);
	if (step == CLEAR || step == CLEAR_2)
		return write_clear(flight, step == CLEAR_2, now, out);
	return write_fact(flight, step, out);
}

static const struct keypair *signer(const struct flight *flight, enum step step)
{
	int pad =
		step == CLEAR || step == DEPART ? flight->pad : flight->landing;

	if (step == RESERVE || step == ASK || step == ASK_2)
		return flight->operator_pair;
	return &city.controllers[pad / CITY_PADS];
}

static void add_tx(struct mempool *pool, const struct flight *flight,
	enum step step, int64_t now)
{
	static uint8_t bodies[2][1280], out[TX_BYTES_MAX];
	static struct tx tx;
	const struct keypair *pair = signer(flight, step);
	struct tx_view view;
	uint64_t kind;
	size_t size = write_step(flight, step, now, bodies[0], &kind);

	CHECK(size > 0);
	memset(&tx, 0, sizeof(tx));
	tx.wallet = pair->key;
	tx.valid_until = (uint64_t)city_time(now + 60);
	tx.ops[tx.ops_count++] =
		(struct op){.kind = kind, .body = view_of(bodies[0], size)};
	number++;
	memcpy(&tx.id, &number, sizeof(number));
	if (step == RESERVE) {
		tx.id = (struct id){{9}};
		memcpy(tx.id.bytes + 4, &flight->pad, 4);
		memcpy(tx.id.bytes + 8, &flight->leaves, 8);
		size = write_half(flight, true, bodies[1]);
		tx.ops[tx.ops_count++] = (struct op){
			.kind = kind, .body = view_of(bodies[1], size)};
	}
	size = tx_seal(out, &tx, pair, &city.genesis.network);
	enum err err = tx_open(&view, view_of(out, size));
	CHECK(err == ERR_OK);
	err = mempool_put(pool, &view, false);
	CHECK(err == ERR_OK);
}

/* What happens in this second. */
void city_fill(struct mempool *pool, int64_t now)
{
	/* After leaving, or after the start of the landing. */
	static const int64_t after[STEPS] = {-AHEAD_S, 1, 2, 3, 1, 2, 3, 30};

	static int64_t flying[ALL_PADS]; /* from start to start */

	for (int pad = 0; flying[ALL_PADS - 1] == 0 && pad < ALL_PADS; pad++) {
		struct flight flight = flight_of(pad, stagger(pad));
		flying[pad] = flight.lands - flight.leaves;
	}
	for (int pad = 0; pad < ALL_PADS; pad++) {
		for (enum step step = RESERVE; step < STEPS; step++) {
			bool lands = step >= ASK_2;
			int64_t leaves = now - after[step];

			if (lands)
				leaves -= flying[pad];
			if (leaves < AHEAD_S ||
				(leaves - stagger(pad)) % CYCLE_S != 0)
				continue;
			struct flight flight = flight_of(pad, leaves);
			add_tx(pool, &flight, step, now);
		}
	}
}
