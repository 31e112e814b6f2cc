/* tests/unit/contract.c -- random operations, judged by the oracle.
 *
 * Few pads, few wallets, so that nearly everything collides. After each
 * transaction the codes, after each block the reservations are compared one by
 * one; roots are made again from nothing, and from a snapshot. Now and then a
 * block never was.
 */
#include "oracle_op.h"

#include "base/random.h"
#include "crypto/merkle.h"

enum { BLOCKS = 16000, OPS_MIN = 200000, PORTS = 4 };

static const struct state_limits limits = {
	.ports_max = 8,
	.parties_max = 16,
	.nodes_max = 16,
	.reservations_max = 40,
	.group_max = 7,
	.seen_max = 4096,
};

static const char *const ports[PORTS + 1] = {
	"west", "east", "north", "wide", "none"};
static const char *const pads[] = {"a", "b", "c", "d", "z"};
static const char *const serials[] = {"", "", "", "X1", "X2", "X3"};

struct trial {
	struct genesis *genesis;
	struct home homes[2];
	struct home *home, *copy; /* which is which changes */
	struct paper *paper;
	struct answer *answer;
	struct moves *moves;
	struct oracle oracle, before;
	struct random random;
	struct wish wishes[64];
	uint64_t number;
	size_t ops, granted, pairs, undone;
	size_t codes[256];
};

static uint64_t below(struct trial *t, uint64_t bound)
{
	return random_below(&t->random, bound);
}

static struct trial *trial_new(uint64_t seed)
{
	struct trial *t = calloc(1, sizeof(*t));

	t->genesis = genesis_new();
	add_port(t->genesis, "wide", "aabc", MINUTE, 0, MINUTE);
	t->genesis->parties[1].quota = 12; /* bob */
	t->paper = malloc(sizeof(*t->paper));
	t->answer = malloc(sizeof(*t->answer));
	t->moves = calloc(1, sizeof(*t->moves));
	t->home = &t->homes[0];
	t->copy = &t->homes[1];
	home_open(t->home, t->genesis, &limits, JOURNAL_BYTES);
	home_open(t->copy, t->genesis, &limits, JOURNAL_BYTES);
	random_seed(&t->random, seed);
	t->oracle.genesis = t->genesis;
	t->oracle.limits = &limits;
	t->oracle.now = T0;
	return t;
}

static void trial_free(struct trial *t)
{
	home_close(t->home);
	home_close(t->copy);
	free(t->genesis);
	free(t->paper);
	free(t->answer);
	free(t->moves);
	free(t);
}

/* ---- what to try ---- */

static time_ms some_start(struct trial *t)
{
	if (below(t, 50) == 0)
		return t->oracle.now - (time_ms)below(t, 3);
	if (below(t, 50) == 0)
		return t->oracle.now + 30 * 24 * HOUR -
		       (time_ms)below(t, 3) * MINUTE;
	/* Whole minutes touch each other; others miss by a little. */
	time_ms start = t->oracle.now + (time_ms)below(t, 120) * MINUTE;
	return below(t, 2) ? start / MINUTE * MINUTE
			   : start + (time_ms)below(t, 3);
}

static time_ms some_end(struct trial *t, time_ms start)
{
	switch (below(t, 60)) {
	case 0:
		return start;
	case 1:
		return start + 24 * HOUR + (time_ms)below(t, 2);
	default:
		return start + 1 + (time_ms)below(t, 12) * MINUTE;
	}
}

static const struct entry *some_entry(struct trial *t)
{
	static const struct entry nothing = {.id = {{1, 2, 3}}};
	struct oracle *o = &t->oracle;

	if (o->count == 0 || below(t, 20) == 0)
		return &nothing;
	return &o->list[below(t, o->count)];
}

static const char *some_pad(struct trial *t)
{
	return pads[below(t, 40) ? below(t, 10) / 4 : 3 + below(t, 2)];
}

static void wish_reserve(struct trial *t, struct wish *wish)
{
	time_ms start = some_start(t);

	wish->kind = OP_RESERVE;
	wish->reserve = (struct op_reserve){
		.port = view_text(
			ports[below(t, 40) ? below(t, PORTS) : PORTS]),
		.pad = view_text(some_pad(t)),
		.start = (uint64_t)start,
		.end = (uint64_t)some_end(t, start),
		.aircraft = view_text(serials[below(t, 6)]),
		.movement = below(t, 3),
	};
}

/* Two halves, mostly right. */
static size_t wish_pair(struct trial *t, struct wish *wishes)
{
	struct op_reserve *departure = &wishes[0].reserve;
	struct op_reserve *arrival = &wishes[1].reserve;

	wish_reserve(t, &wishes[0]);
	wish_reserve(t, &wishes[1]);
	departure->pair = arrival->pair = 1 + below(t, 2);
	departure->movement = MOVEMENT_DEPARTURE;
	arrival->movement = MOVEMENT_ARRIVAL;
	if (below(t, 10))
		arrival->aircraft = departure->aircraft;
	if (below(t, 5)) {
		uint64_t length = 1 + below(t, 10) * (uint64_t)MINUTE;
		arrival->start = departure->start + 58000 + below(t, 4) * 1000;
		arrival->end = arrival->start + length;
	}
	if (below(t, 12) == 0)
		departure->movement = below(t, 3);
	if (below(t, 12) == 0)
		arrival->pair = 3;
	return 2;
}

static size_t wish_some(struct trial *t, struct wish *wishes)
{
	const struct entry *entry = some_entry(t);

	switch (below(t, 10)) {
	case 0:
		return wish_pair(t, wishes);
	case 1:
	case 2:
		wishes->kind = OP_CANCEL;
		wishes->cancel = (struct op_cancel){.reservation = entry->id};
		return 1;
	case 3:
	case 4: {
		time_ms start =
			below(t, 3)
				? entry->start + (time_ms)below(t, 5) * MINUTE -
					  2 * MINUTE
				: some_start(t);
		if (start < T0)
			start = T0;
		wishes->kind = OP_AMEND;
		wishes->amend = (struct op_amend){
			.reservation = entry->id,
			.version = entry->version + (below(t, 12) == 0),
			.pad = view_text(some_pad(t)),
			.start = (uint64_t)start,
			.end = (uint64_t)some_end(t, start),
		};
		return 1;
	}
	case 5:
		wishes->kind = OP_RESERVATION;
		wishes->reservation = (struct op_reservation){
			.port = view_text(ports[below(t, PORTS + 1)])};
		return 1;
	default:
		wish_reserve(t, wishes);
		return 1;
	}
}

static void write_wishes(struct trial *t)
{
	size_t count = 0, most = below(t, 50) ? 1 + below(t, 6) : 60;

	if (below(t, 5) == 0) { /* a flight, and nothing else */
		count = wish_pair(t, t->wishes);
		t->paper->tx.mode = TX_MODE_ALL;
		most = 0;
	}
	while (count < most)
		count += wish_some(t, &t->wishes[count]);
	for (size_t i = 0; i < count; i++) {
		struct wish *wish = &t->wishes[i];

		if (wish->kind == OP_RESERVE)
			PAPER_ADD(t->paper, op_reserve, &wish->reserve);
		else if (wish->kind == OP_AMEND)
			PAPER_ADD(t->paper, op_amend, &wish->amend);
		else if (wish->kind == OP_CANCEL)
			PAPER_ADD(t->paper, op_cancel, &wish->cancel);
		else
			PAPER_ADD(t->paper, op_reservation, &wish->reservation);
	}
}

/* ---- judging ---- */

/* The earliest start, at or after start, at which a window of this length is
 * free on one of the pads; false beyond the horizon. */
static bool soonest(struct trial *t, size_t port, uint64_t pad_bits,
	time_ms start, time_ms length, time_ms *out)
{
	const struct oracle *o = &t->oracle;
	const struct record_port *at = &t->genesis->ports[port];
	time_ms first = o->now + (time_ms)at->lead;
	time_ms gap = (time_ms)at->before + (time_ms)at->after;
	bool found = false;

	if (first < start)
		first = start;
	for (size_t k = 0; k < at->pads_count; k++) {
		for (size_t i = 0; i <= o->count; i++) {
			time_ms from =
				i == o->count ? first : o->list[i].end + gap;
			struct entry wish = {
				.port = port,
				.pad = k,
				.start = from,
				.end = from + length,
			};
			if ((pad_bits >> k & 1) == 0 || from < first ||
				oracle_window(o, &wish) != REFUSAL_GRANTED ||
				!oracle_is_free(o, &wish, NULL))
				continue;
			if (!found || from < *out)
				*out = from;
			found = true;
		}
	}
	return found;
}

static void judge_taken(struct trial *t, const struct wish *wish,
	const struct entry *wanted, struct view details)
{
	struct detail_slot_taken detail;
	struct oracle *o = &t->oracle;
	size_t port = wanted->port;
	time_ms length = wanted->end - wanted->start, first = 0;
	uint64_t bits = wish->kind == OP_RESERVATION
				? ~UINT64_C(0)
				: UINT64_C(1) << wanted->pad;

	assert_int_equal(detail_slot_taken_decode(&detail, details), ERR_OK);
	assert_in_range(detail.conflicts_count, 1, 3);
	for (size_t i = 0; i < detail.conflicts_count; i++) {
		const struct entry *at =
			oracle_find(o, &detail.conflicts[i].reservation);

		assert_non_null(at);
		assert_int_equal(at->port, port);
		assert_int_equal(at->start, detail.conflicts[i].start);
		assert_int_equal(at->end, detail.conflicts[i].end);
		if (wish->kind != OP_RESERVATION)
			assert_true(oracle_in_the_way(o, wanted, at));
		for (size_t k = 0; k < i; k++)
			assert_false(id_equal(&detail.conflicts[k].reservation,
				&detail.conflicts[i].reservation));
	}
	bool any = soonest(t, port, bits, wanted->start, length, &first);
	assert_int_equal(detail.free_count > 0, any);
	if (any)
		assert_int_equal(detail.free[0].start, first);
	for (size_t i = 0; i < detail.free_count; i++) {
		struct entry slot = {
			.start = (time_ms)detail.free[i].start,
			.end = (time_ms)detail.free[i].end,
		};
		assert_true(oracle_place(o, t->genesis->ports[port].name,
			detail.free[i].pad, &slot.port, &slot.pad));
		assert_true(slot.start >= wanted->start);
		assert_int_equal(slot.end - slot.start, length);
		assert_int_equal(oracle_window(o, &slot), REFUSAL_GRANTED);
		assert_true(oracle_is_free(o, &slot, NULL));
	}
}

/* Where a wish that met slot_taken would have been. */
static struct entry wanted_by(struct trial *t, const struct wish *wish)
{
	struct oracle *o = &t->oracle;
	struct entry wanted = {.port = 0};

	if (wish->kind == OP_RESERVE) {
		wanted.start = (time_ms)wish->reserve.start;
		wanted.end = (time_ms)wish->reserve.end;
		oracle_place(o, wish->reserve.port, wish->reserve.pad,
			&wanted.port, &wanted.pad);
	} else if (wish->kind == OP_AMEND) {
		wanted = *oracle_find(o, &wish->amend.reservation);
		wanted.start = (time_ms)wish->amend.start;
		wanted.end = (time_ms)wish->amend.end;
		oracle_place(o, t->genesis->ports[wanted.port].name,
			wish->amend.pad, &wanted.port, &wanted.pad);
	} else {
		const struct record_port *port = t->genesis->ports;
		while (!view_equal(
			port[wanted.port].name, wish->reservation.port))
			wanted.port++;
		port += wanted.port;
		wanted.start = o->now + (time_ms)port->lead;
		wanted.end = wanted.start + (time_ms)port->duration;
	}
	return wanted;
}

static void judge_tx(struct trial *t, enum who who)
{
	enum refusal codes[64] = {0};
	const struct receipt *receipt = &t->answer->receipt;
	const struct tx *tx = &t->paper->tx;
	struct oracle before = t->oracle;

	oracle_run(&t->oracle, tx, t->wishes, who, codes);
	assert_int_equal(receipt->code, REFUSAL_GRANTED);
	assert_int_equal(receipt->ops_count, tx->ops_count);
	for (size_t i = 0; i < tx->ops_count; i++) {
		const struct op_receipt *op = &receipt->ops[i];

		if (op->code != codes[i])
			fail_msg("op %zu of %llu: %s, the oracle says %s", i,
				(unsigned long long)t->number,
				refusal_name((enum refusal)op->code),
				refusal_name(codes[i]));
		t->codes[codes[i]]++;
		t->ops++;
		t->granted += codes[i] == REFUSAL_GRANTED;
		t->pairs += codes[i] == REFUSAL_GRANTED &&
			    t->wishes[i].kind == OP_RESERVE &&
			    t->wishes[i].reserve.pair != 0;
		/* Details are of the moment; alone it is the one before. */
		if (codes[i] == REFUSAL_SLOT_TAKEN && i == 0) {
			struct oracle after = t->oracle;
			t->oracle = before;
			struct entry wanted = wanted_by(t, &t->wishes[i]);
			judge_taken(t, &t->wishes[i], &wanted, op->details);
			t->oracle = after;
		}
	}
}

static void judge_entry(struct trial *t, const struct entry *at)
{
	struct record_reservation record;
	const struct record_port *port = &t->genesis->ports[at->port];

	assert_true(state_reservation(t->home->state, &at->id, &record));
	assert_true(view_equal(record.port, port->name));
	assert_true(view_equal(record.pad, port->pads[at->pad].name));
	assert_int_equal(record.start, at->start);
	assert_int_equal(record.end, at->end);
	assert_true(key_equal(&record.operator, & who_pair(at->owner)->key));
	assert_true(view_equal(record.aircraft, view_text(at->aircraft)));
	assert_int_equal(record.state, RESERVATION_CONFIRMED);
	assert_int_equal(record.version, at->version);
	assert_int_equal(record.movement, at->movement);
	assert_int_equal(record.height, at->height);
	assert_int_equal(record.pair.size, at->paired ? ID_SIZE : 0);
	if (!at->paired)
		return;
	/* Never half: the other one is live, and names this one. */
	assert_memory_equal(record.pair.data, &at->pair, ID_SIZE);
	const struct entry *half = oracle_find(&t->oracle, &at->pair);
	assert_non_null(half);
	assert_true(id_equal(&half->pair, &at->id));
}

static void judge_state(struct trial *t)
{
	time_ms deadline = INT64_MAX;
	size_t live[WHO_COUNT] = {0};

	assert_int_equal(state_live_count(t->home->state), t->oracle.count);
	for (size_t i = 0; i < t->oracle.count; i++) {
		const struct entry *at = &t->oracle.list[i];

		judge_entry(t, at);
		live[at->owner]++;
		if (at->end < deadline)
			deadline = at->end;
		/* Invariant 2, said once more without the guards. */
		for (size_t k = 0; k < i; k++)
			assert_false(oracle_in_the_way(
				&t->oracle, at, &t->oracle.list[k]));
	}
	for (enum who who = ALICE; who <= OBSERVER; who++) {
		struct record_party party;

		assert_true(state_party(
			t->home->state, &who_pair(who)->key, &party));
		assert_int_equal(party.live, live[who]);
	}
	assert_int_equal(state_deadline(t->home->state), deadline);
}

/* ---- roots from nothing ---- */

static struct hash ports_from_nothing(struct trial *t)
{
	struct hash leaves[PORTS], buckets[256];

	for (size_t i = 0; i < PORTS; i++) {
		struct record_reservation records[ORACLE_MAX];
		struct record_port port;
		size_t count = 0, at;
		uint8_t bytes[RECORD_PORT_BYTES_MAX + HASH_SIZE];

		state_port_at(t->home->state, i, &port);
		for (size_t k = 0; k < t->oracle.count; k++) {
			const struct entry *entry = &t->oracle.list[k];

			assert_true(state_port_find(t->home->state,
				t->genesis->ports[entry->port].name, &at));
			if (at == i)
				state_reservation(t->home->state, &entry->id,
					&records[count++]);
		}
		assert_int_equal(
			proof_buckets(buckets, records, count), ERR_OK);
		struct hash live = merkle_root(buckets, 256);
		size_t size =
			record_port_encode(bytes, RECORD_PORT_BYTES_MAX, &port);
		memcpy(bytes + size, &live, HASH_SIZE);
		leaves[i] = merkle_leaf(view_of(bytes, size + HASH_SIZE));
	}
	return merkle_root(leaves, PORTS);
}

static void judge_roots(struct trial *t)
{
	static struct proof_parts parts;
	struct hash root = state_root(t->home->state);
	struct hash ports_root = ports_from_nothing(t);

	state_proof(t->home->state, 0, &parts);
	struct view pieces[] = {
		view_text("perch/state"),
		view_of(&ports_root, HASH_SIZE),
		view_of(&parts.rest, HASH_SIZE),
	};
	struct hash again = hash_parts(pieces, 3);
	assert_true(hash_equal(&root, &again));

	uint8_t *bytes = malloc(state_save_bytes(t->home->state));
	size_t size = state_save(t->home->state, bytes);
	assert_int_equal(state_load(t->copy->state, t->genesis,
				 view_of(bytes, size), &root),
		ERR_OK);
	free(bytes);
}

/* ---- the trial ---- */

static enum who some_who(struct trial *t)
{
	static const enum who whos[] = {ALICE, ALICE, BOB, CAROL, AUTHORITY};

	return whos[below(t, 5)];
}

static void one_block(struct trial *t)
{
	time_ms now = t->oracle.now + 1 + (time_ms)below(t, MINUTE);
	uint64_t txs = below(t, 8);
	bool member_free = true;

	if (below(t, 200) == 0)
		now += 3 * HOUR;
	t->moves->count = 0;
	oracle_begin(&t->oracle, now);
	contract_begin(t->home->state, state_height(t->home->state) + 1, now,
		t->moves);
	assert_int_equal(t->moves->lost, 0);
	for (uint64_t i = 0; i < txs; i++) {
		enum who who = some_who(t);

		paper_begin(t->paper, who, ++t->number,
			now + 1 + (time_ms)below(t, TX_VALID_MS_MAX),
			below(t, 3) ? TX_MODE_EACH : TX_MODE_ALL);
		write_wishes(t);
		run(t->home->state, t->paper, (uint16_t)i, &member_free,
			t->answer, t->moves);
		assert_true(t->answer->fresh);
		judge_tx(t, who);
	}
	/* Again, and with other content: no effect. */
	if (txs > 0) {
		run(t->home->state, t->paper, 99, &member_free, t->answer,
			t->moves);
		assert_false(t->answer->fresh);
		t->paper->tx.mode = !t->paper->tx.mode;
		run(t->home->state, t->paper, 99, &member_free, t->answer,
			t->moves);
		assert_int_equal(t->answer->receipt.code, REFUSAL_REPLAY);
	}
}

static void judge_variety(const struct trial *t)
{
	static const enum refusal wanted[] = {REFUSAL_GRANTED,
		REFUSAL_SLOT_TAKEN, REFUSAL_PAD_CLOSED, REFUSAL_PAST,
		REFUSAL_HORIZON, REFUSAL_BAD_WINDOW, REFUSAL_QUOTA,
		REFUSAL_AIRCRAFT_BUSY, REFUSAL_UNKNOWN_PAD, REFUSAL_PAIR_TIME,
		REFUSAL_NOT_OWNER, REFUSAL_VERSION, REFUSAL_UNKNOWN_RESERVATION,
		REFUSAL_ROLE, REFUSAL_ROLLED_BACK, REFUSAL_FULL};

	printf("%zu operations, %zu granted, %zu halves of pairs, %zu blocks "
	       "undone\n",
		t->ops, t->granted, t->pairs, t->undone);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		printf("  %s %zu\n", refusal_name(wanted[i]),
			t->codes[wanted[i]]);
		assert_true(t->codes[wanted[i]] > 20);
	}
	assert_true(t->ops >= OPS_MIN);
	assert_true(t->pairs > 200);
	assert_true(t->undone > 100);
}

static void test_against_oracle(void **unused)
{
	struct trial *t = trial_new(test_seed("contract"));

	(void)unused;
	for (int block = 0; block < BLOCKS; block++) {
		arena_mark mark = arena_now(&t->home->arena);
		struct hash root = state_root(t->home->state);

		t->before = t->oracle;
		one_block(t);
		judge_state(t);
		if (below(t, 20) == 0)
			judge_roots(t);
		if (below(t, 10) == 0) {
			arena_rollback(&t->home->arena, mark);
			t->oracle = t->before;
			t->undone++;
			judge_state(t);
			struct hash back = state_root(t->home->state);
			assert_true(hash_equal(&root, &back));
		}
		/* Go on from a snapshot: other indexes, the same ledger. */
		if (below(t, 100) == 0) {
			judge_roots(t);
			struct home *home = t->home;
			t->home = t->copy;
			t->copy = home;
		}
	}
	judge_variety(t);
	trial_free(t);
}

/* The same seed gives the same root and receipts, on any memory. */
static void test_deterministic(void **unused)
{
	uint64_t seed = test_seed("deterministic");
	struct hash roots[2];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct trial *t = trial_new(seed);

		memset(t->home->journal, i * 0x55, JOURNAL_BYTES);
		for (int block = 0; block < 200; block++) {
			one_block(t);
			/* Asking for the root, or not, changes nothing. */
			if (i == 0)
				roots[0] = state_root(t->home->state);
		}
		roots[i] = state_root(t->home->state);
		trial_free(t);
	}
	assert_true(hash_equal(&roots[0], &roots[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_against_oracle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
