/* tests/unit/domain.c -- random histories of the whole domain, judged by the
 * naive contract and by what must never happen.
 *
 * Few pads, few wallets, few aircraft, so that nearly everything meets. Every
 * transaction goes through a block; its codes, and after it every reservation,
 * pad and party are compared. Now and then a block never was, and now and then
 * the ledger goes on from a snapshot. PERCH_OPS: how many operations.
 */
#include "site.h"

#include "base/random.h"
#include "codes.h"
#include "contract/never.h"
#include "support/naive.h"

enum { OPS = 40000, TXS = 8 };

static const struct state_limits limits = {
	.ports_max = 8,
	.parties_max = 16,
	.nodes_max = 16,
	.reservations_max = 40,
	.group_max = 7,
	.seen_max = 4096,
};

static const char *const ports[] = {"west", "east", "north", "wide", "none"};
static const char *const pads[] = {"a", "b", "c", "d"};
static const char *const serials[] = {"", "X1", "X2", "X3"};

struct trial {
	struct genesis *genesis;
	struct site site;
	struct home copy;
	struct paper paper;
	struct naive naive, before;
	struct never_watch watch;
	struct random random;
	time_ms now;
	uint64_t number;
	size_t ops, granted, undone, slots, codes[64], kinds[32];
};

static uint64_t below(struct trial *t, uint64_t bound)
{
	return random_below(&t->random, bound);
}

static struct trial *trial_new(const char *what)
{
	struct trial *t = calloc(1, sizeof(*t));

	t->genesis = genesis_new();
	add_port(t->genesis, "wide", "aabc", MINUTE, 0, MINUTE);
	for (size_t i = 0; i < t->genesis->port_count; i++) {
		struct record_port *port = &t->genesis->ports[i];

		if (view_equal(port->name, view_text("north")))
			port->hold = 3 * (uint64_t)MINUTE;
		if (view_equal(port->name, view_text("wide")))
			port->no_show = 2 * (uint64_t)MINUTE;
	}
	t->genesis->parties[1].quota = 12;
	t->genesis->parties[1].tier = 2;
	site_open(&t->site, t->genesis, &limits);
	home_open(&t->copy, t->genesis, &limits, JOURNAL_BYTES);
	naive_start(&t->naive, t->genesis, &limits);
	random_seed(&t->random, test_seed(what));
	t->now = T0;
	return t;
}

static void trial_free(struct trial *t)
{
	site_close(&t->site);
	home_close(&t->copy);
	free(t->genesis);
	free(t);
}

/* ---- what to try ---- */

static time_ms some_time(struct trial *t, uint64_t minutes)
{
	time_ms at = t->now + (time_ms)below(t, minutes) * MINUTE;

	return below(t, 2) ? at / MINUTE * MINUTE : at + (time_ms)below(t, 3);
}

static struct naive_entry some_entry(struct trial *t)
{
	struct naive_entry nothing = {.id = {{1, 2, 3}}};
	struct naive_entry one = nothing;

	if (t->naive.count == 0 || below(t, 30) == 0)
		return nothing;
	/* Those whose time has come are the interesting ones. */
	for (int i = 0; i < 12; i++) {
		one = t->naive.list[below(t, t->naive.count)];
		if (one.start <= t->now + MINUTE)
			break;
	}
	return one;
}

static struct op_reserve some_reserve(struct trial *t)
{
	time_ms start = some_time(t, below(t, 3) ? 20 : 90);
	struct op_reserve op = {
		.port = view_text(ports[below(t, 40) ? below(t, 4) : 4]),
		.pad = view_text(
			pads[below(t, 10) ? below(t, 2) : below(t, 4)]),
		.start = (uint64_t)start,
		.end = (uint64_t)(start + 1 + (time_ms)below(t, 9) * MINUTE),
		.aircraft = view_text(serials[below(t, 4)]),
		.movement = below(t, 3),
		.wait = below(t, 3) == 0,
		.tier = below(t, 6) == 0 ? below(t, 4) : 0,
	};

	if (below(t, 3) == 0) {
		op.alternate_port = view_text(ports[below(t, 4)]);
		op.alternate_pad = view_text(pads[below(t, 2)]);
	}
	return op;
}

static void add_pair(struct trial *t, struct paper *paper)
{
	struct op_reserve departure = some_reserve(t),
			  arrival = some_reserve(t);

	departure.pair = arrival.pair = 1 + below(t, 200);
	departure.movement = below(t, 20) ? MOVEMENT_DEPARTURE : 0;
	arrival.movement = MOVEMENT_ARRIVAL;
	if (below(t, 15))
		arrival.aircraft = departure.aircraft;
	if (below(t, 15))
		arrival.tier = departure.tier;
	if (below(t, 6)) {
		arrival.start = departure.start + 60000 + below(t, 5) * 60000;
		arrival.end = arrival.start + (1 + below(t, 6)) * 60000;
	}
	PAPER_ADD(paper, op_reserve, &departure);
	PAPER_ADD(paper, op_reserve, &arrival);
}

static void add_request(struct trial *t, const struct naive_entry *at)
{
	struct op_request_clearance op = {
		.reservation = at->id,
		.nonce = at->nonce + (below(t, 10) ? 1 : 0),
		.aircraft = view_text(at->aircraft[0] != '\0' && below(t, 9)
					      ? ""
					      : serials[below(t, 4)]),
	};

	PAPER_ADD(&t->paper, op_request_clearance, &op);
}

static void add_clear(struct trial *t, const struct naive_entry *at)
{
	uint64_t movement = at->movement != 0 ? at->movement : 1 + below(t, 2);
	struct op_clear op = {
		.reservation = at->id,
		.nonce = at->nonce + (below(t, 20) == 0),
		.movement = below(t, 30) ? movement : below(t, 3),
		.until = (uint64_t)(t->now + (time_ms)below(t, 120000)),
		.pad_state = below(t, 12) ? 3 - movement : below(t, 3),
		.measured = (uint64_t)(t->now - (time_ms)below(t, 5200)),
	};

	if (movement == 1)
		op.on_pad = view_text(below(t, 15) ? at->aircraft : "X3");
	if (op.until > (uint64_t)at->end && below(t, 9))
		op.until = (uint64_t)at->end;
	PAPER_ADD(&t->paper, op_clear, &op);
}

static void add_fact(struct trial *t, const struct naive_entry *at)
{
	const struct record_port *port = &t->genesis->ports[at->port];
	struct op_departed op = {
		.port = port->name,
		.pad = below(t, 20) ? port->pads[at->pad].name
				    : port->pads[0].name,
		.reservation = view_of(&at->id, below(t, 20) ? ID_SIZE : 0),
		.aircraft = view_text(
			below(t, 20) ? at->aircraft : serials[below(t, 4)]),
	};
	struct op_landed landed = {
		op.port, op.pad, op.reservation, op.aircraft, 0};
	bool lands =
		at->movement == 2 || (at->movement == 0 && below(t, 2) == 0);

	if (below(t, 20) == 0)
		lands = !lands;
	if (lands)
		PAPER_ADD(&t->paper, op_landed, &landed);
	else
		PAPER_ADD(&t->paper, op_departed, &op);
}

static void add_vacated(struct trial *t, const struct naive_entry *at)
{
	const struct record_port *port = &t->genesis->ports[at->port];
	struct op_vacated op = {
		.port = port->name, .pad = port->pads[at->pad].name};

	PAPER_ADD(&t->paper, op_vacated, &op);
}

static void add_change(struct trial *t, const struct naive_entry *at)
{
	time_ms start = some_time(t, 30);
	struct op_amend amend = {
		.reservation = at->id,
		.version = at->version + (below(t, 12) == 0),
		.pad = view_text(pads[below(t, 3)]),
		.start = (uint64_t)start,
		.end = (uint64_t)(start + 1 + (time_ms)below(t, 9) * MINUTE),
	};
	struct op_confirm confirm = {at->id, amend.version};

	if (at->state == RESERVATION_HELD && below(t, 3))
		PAPER_ADD(&t->paper, op_confirm, &confirm);
	else
		PAPER_ADD(&t->paper, op_amend, &amend);
}

static void add_diversion(struct trial *t, const struct naive_entry *at)
{
	time_ms start = some_time(t, 20);
	struct op_go_around around = {
		.reservation = at->id,
		.start = (uint64_t)start,
		.end = (uint64_t)(start + 1 + (time_ms)below(t, 9) * MINUTE),
	};
	struct op_declare_emergency emergency = {.reservation = at->id};

	if (below(t, 2)) {
		around.port = emergency.port = view_text(ports[below(t, 4)]);
		around.pad = emergency.pad = view_text(pads[below(t, 3)]);
	}
	if (at->airborne ? below(t, 5) != 0 : below(t, 2) != 0)
		PAPER_ADD(&t->paper, op_go_around, &around);
	else
		PAPER_ADD(&t->paper, op_declare_emergency, &emergency);
}

static void add_closure(struct trial *t)
{
	struct op_close_pad close = {
		.port = view_text(ports[below(t, 4)]),
		.pad = view_text(pads[below(t, 2)]),
		.from = below(t, 2) ? 0 : (uint64_t)some_time(t, 40),
		.reason = view_text(below(t, 4) ? "ice" : ""),
	};
	struct op_open_pad open = {close.port, close.pad};

	if (below(t, 4))
		close.until = (uint64_t)some_time(t, 60);
	if (below(t, 3) == 0)
		PAPER_ADD(&t->paper, op_close_pad, &close);
	else
		PAPER_ADD(&t->paper, op_open_pad, &open);
}

static void add_ruling(struct trial *t)
{
	struct op_grant_tier tier = {
		who_pair((enum who)below(t, 4))->key, below(t, 4)};
	struct op_set_party set = {who_pair((enum who)below(t, 5))->key,
		5 + below(t, 20), below(t, 8) != 0};

	if (below(t, 2))
		PAPER_ADD(&t->paper, op_grant_tier, &tier);
	else
		PAPER_ADD(&t->paper, op_set_party, &set);
}

static enum who controller_of(struct trial *t, const struct naive_entry *at)
{
	if (below(t, 25) == 0)
		return TOWER;
	return view_equal(t->genesis->ports[at->port].name, view_text("west"))
		       ? WEST_TOWER
		       : TOWER;
}

static enum who owner_of(struct trial *t, const struct naive_entry *at)
{
	for (enum who who = ALICE; who <= CAROL; who++) {
		if (key_equal(&at->owner, &who_pair(who)->key) && below(t, 20))
			return who;
	}
	return (enum who)below(t, 3);
}

/* One operation about one reservation, by whom it concerns. */
static enum who add_about(struct trial *t, const struct naive_entry *at)
{
	struct op_cancel cancel = {at->id};
	struct op_revoke revoke = {at->id};

	if (at->asked != 0 && at->start <= t->now && below(t, 6)) {
		add_clear(t, at);
		return controller_of(t, at);
	}
	if (at->state == RESERVATION_CLEARED && below(t, 6)) {
		if (below(t, 5))
			add_fact(t, at);
		else
			PAPER_ADD(&t->paper, op_revoke, &revoke);
		return controller_of(t, at);
	}
	if ((naive_stands(at) && below(t, 4)) ||
		t->naive.pads[at->port][at->pad].blocked != 0 ||
		below(t, 40) == 0) {
		add_vacated(t, at);
		return controller_of(t, at);
	}
	switch (below(t, 12)) {
	case 0:
		add_clear(t, at);
		return controller_of(t, at);
	case 1:
		if (below(t, 6) == 0)
			add_fact(t, at);
		else
			add_diversion(t, at);
		return below(t, 2) ? controller_of(t, at) : owner_of(t, at);
	case 2:
	case 3:
		add_change(t, at);
		return owner_of(t, at);
	case 4:
		PAPER_ADD(&t->paper, op_cancel, &cancel);
		return below(t, 5) ? owner_of(t, at) : AUTHORITY;
	case 5:
		add_diversion(t, at);
		return owner_of(t, at);
	case 6:
	case 7:
	case 8:
		add_request(t, at);
		return owner_of(t, at);
	default:
		if (at->state == RESERVATION_HELD)
			add_change(t, at);
		else
			add_request(t, at);
		return owner_of(t, at);
	}
}

/* Write one transaction; who signs it. */
static enum who write_some(struct trial *t)
{
	enum who who = (enum who)below(t, 3);
	struct op_reservation word = {view_text(ports[below(t, 5)])};

	paper_begin(&t->paper, who, ++t->number, t->now + MINUTE, below(t, 2));
	if (below(t, 40) == 0) {
		add_closure(t);
		return below(t, 3) ? AUTHORITY : TOWER;
	}
	if (below(t, 60) == 0) {
		add_ruling(t);
		return AUTHORITY;
	}
	if (below(t, 8) == 0) {
		t->paper.tx.mode = TX_MODE_ALL;
		add_pair(t, &t->paper);
		return who;
	}
	if (below(t, 3) != 0 && t->naive.count > 8) {
		struct naive_entry at = some_entry(t);
		return add_about(t, &at);
	}
	for (uint64_t i = 0, count = 1 + below(t, 3); i < count; i++) {
		struct op_reserve op = some_reserve(t);

		if (below(t, 15) == 0)
			PAPER_ADD(&t->paper, op_reservation, &word);
		else
			PAPER_ADD(&t->paper, op_reserve, &op);
	}
	return who;
}

/* ---- judging ---- */

/* Every slot that a refusal offers can be had. */
static void judge_slots(struct trial *t, const struct op_reserve *op,
	const struct op_receipt *receipt)
{
	struct detail_slot_taken detail;

	assert_int_equal(
		detail_slot_taken_decode(&detail, receipt->details), ERR_OK);
	assert_in_range(detail.conflicts_count, 1, 3);
	for (size_t i = 0; i < detail.free_count; i++) {
		struct naive_window window;

		assert_true(naive_pad(
			&t->naive, op->port, detail.free[i].pad, &window));
		window.start = (time_ms)detail.free[i].start;
		window.end = (time_ms)detail.free[i].end;
		assert_int_equal(
			window.end - window.start, op->end - op->start);
		assert_int_equal(naive_window_check(&t->naive, &window), 0);
		assert_null(naive_in_the_way(&t->naive, &window, NULL));
		t->slots++;
	}
}

static void judge_tx(struct trial *t, struct view bytes, struct view encoded,
	uint16_t tx_index, bool last)
{
	enum refusal codes[64];
	struct receipt receipt;
	struct tx_view tx;
	struct op_reserve op;

	assert_int_equal(tx_open(&tx, bytes), ERR_OK);
	assert_int_equal(receipt_decode(&receipt, encoded), ERR_OK);
	const struct record_party *party =
		naive_party(&t->naive, &tx.body.wallet);
	assert_non_null(party);
	if (party->up == 0 && !naive_heard_when_down(&tx.body)) {
		assert_int_equal(receipt.code, REFUSAL_PARTY_DOWN);
		return;
	}
	assert_int_equal(receipt.code, REFUSAL_GRANTED);
	naive_run(&t->naive, &tx.body, tx_index, codes);
	for (size_t i = 0; i < tx.body.ops_count; i++) {
		if (receipt.ops[i].code != codes[i])
			fail_msg("op %zu (kind %u) of block %llu: %s, the "
				 "oracle says %s",
				i, (unsigned)tx.body.ops[i].kind,
				(unsigned long long)t->naive.height,
				refusal_name((enum refusal)receipt.ops[i].code),
				refusal_name(codes[i]));
		assert_true(code_is_declared(tx.body.ops[i].kind, codes[i]));
		t->ops++;
		t->codes[codes[i]]++;
		t->kinds[tx.body.ops[i].kind] += codes[i] == 0;
		t->granted += codes[i] == 0;
	}
	if (last && tx.body.ops_count == 1 && codes[0] == REFUSAL_SLOT_TAKEN &&
		op_reserve_decode(&op, tx.body.ops[0].body) == ERR_OK)
		judge_slots(t, &op, &receipt.ops[0]);
}

static void judge_state(struct trial *t)
{
	struct never_found found;

	if (never_state(t->site.home.state, &found))
		fail_msg("must never happen: %s", found.what);
	if (!naive_equals(&t->naive, t->site.home.state))
		fail_msg("after block %llu",
			(unsigned long long)t->naive.height);
}

static void judge_block(struct trial *t, const struct block_ref *block)
{
	struct never_found found;
	struct block_body body;

	assert_int_equal(block_body_open(&body, block), ERR_OK);
	t->now = (time_ms)block->header.time;
	naive_begin(&t->naive, t->now);
	for (size_t i = 0; i < body.decoded.txs_count; i++)
		judge_tx(t, body.decoded.txs[i], body.decoded.receipts[i],
			(uint16_t)i, i + 1 == body.decoded.txs_count);
	if (never_block(&t->watch, t->site.home.state, block, t->site.moves,
		    &found))
		fail_msg("must never happen: %s", found.what);
	judge_state(t);
}

/* The same from a snapshot. */
static void judge_snapshot(struct trial *t)
{
	struct state *state = t->site.home.state;
	struct hash root = state_root(state);
	uint8_t *bytes = malloc(state_save_bytes(state));
	size_t size = state_save(state, bytes);

	assert_int_equal(state_load(t->copy.state, t->genesis,
				 view_of(bytes, size), &root),
		ERR_OK);
	assert_true(naive_equals(&t->naive, t->copy.state));
	free(bytes);
}

static void unpool(struct trial *t)
{
	struct mempool_item item;
	uint64_t cursor = 0;

	while (mempool_next(t->site.pool, &cursor, &item)) {
		struct key wallet = item.wallet;
		struct id id = item.id;
		mempool_remove(t->site.pool, &wallet, &id);
	}
}

static void fill_block(struct trial *t)
{
	for (uint64_t i = below(t, TXS); i > 0; i--) {
		enum who who = write_some(t);

		t->paper.tx.wallet = who_pair(who)->key;
		assert_int_equal(
			pool_put(&t->site, &t->paper, who, t->genesis), ERR_OK);
	}
}

static void one_block(struct trial *t)
{
	struct never_watch watch = t->watch;
	struct hash root = state_root(t->site.home.state);
	time_ms now = t->now + 1 + (time_ms)below(t, 25000);
	uint64_t height = chain_tip(t->site.chain).height;

	if (below(t, 300) == 0)
		now += 2 * HOUR;
	t->before = t->naive;
	t->now = now; /* what is written is for this block */
	fill_block(t);
	struct block_ref block = build(&t->site, now, false);
	judge_block(t, &block);
	unpool(t);
	if (below(t, 10) == 0) {
		chain_disconnect(t->site.chain, height);
		t->naive = t->before;
		t->watch = watch;
		t->now = t->naive.now;
		t->undone++;
		struct hash back = state_root(t->site.home.state);
		assert_true(hash_equal(&root, &back));
		judge_state(t);
	}
	if (below(t, 100) == 0)
		judge_snapshot(t);
}

static void test_domain(void **unused)
{
	struct trial *t = trial_new("domain");
	const char *given = getenv("PERCH_OPS");
	size_t most = given != NULL ? strtoul(given, NULL, 10) : OPS;

	(void)unused;
	while (t->ops < most)
		one_block(t);
	printf("%zu operations, %zu granted, %llu blocks, %zu undone, %zu "
	       "slots offered\n",
		t->ops, t->granted, (unsigned long long)t->naive.height,
		t->undone, t->slots);
	for (int kind = OP_RESERVE; kind <= OP_OPEN_PAD; kind++) {
		const struct op_kind *op = op_find((uint8_t)kind);

		printf("  %s %zu\n", op->name, t->kinds[kind]);
		if (kind != OP_SET_NODE && kind != OP_REGISTER_PARTY &&
			kind != OP_REGISTER_PORT)
			assert_true(t->kinds[kind] > 2);
	}
	for (int code = 0; code <= REFUSAL_UNKNOWN_PARTY; code++)
		printf("  %s %zu\n", refusal_name((enum refusal)code),
			t->codes[code]);
	trial_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
