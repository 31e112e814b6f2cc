/* tests/unit/pairs.c -- many random pairs that compete: never half a pair,
 * never an overlap, and nobody is refused what was free.
 *
 * Six ports, and pads enough that about half of the pairs can be had; most of
 * the others find one end free and the other taken. A clerk's book (book.h)
 * says what must become of each, and after every block the whole timetable is
 * read and compared. Time goes on, some cancel, some have a tier and displace
 * others, which have an alternate or end; now and then a block never was. The
 * counts are part of the test: a world in which all is granted, or all is
 * refused, would show nothing. PERCH_PAIRS: how many.
 */
#include "site.h"

#include "base/random.h"
#include "book.h"

enum {
	PAIRS = 10000,
	TXS = 8, /* a block */
	TIERS = 3,
	FLEET = 600,
	AHEAD = 360, /* minutes: how early the first asks */
	LIVE_MAX = 4096,
};

static const struct state_limits limits = {
	.ports_max = 8,
	.parties_max = 16,
	.nodes_max = 16,
	.reservations_max = LIVE_MAX,
	.group_max = 1024,
	.seen_max = 4096,
};

/* One transaction: a pair, or (cancels) the end of one. */
struct wish {
	enum who who;
	bool cancels;
	struct id id;
	struct flight flight;
};

struct counts {
	size_t pairs, granted;
	size_t one_free, none_free, own_way; /* refused: what could be had */
	size_t taken_back; /* refused when the departure had been made */
	size_t busy;       /* refused because of the aircraft */
	size_t moved, ended, kept; /* those in the way of a higher tier */
	size_t cancelled, over;
};

struct trial {
	struct genesis *genesis;
	struct site site;
	struct paper paper;
	struct book book, before;
	struct random random;
	struct counts counts;
	time_ms now;
	uint64_t number; /* of the last transaction */
	size_t wish_count, undone;
	struct wish wishes[TXS];
};

static uint64_t below(struct trial *t, uint64_t bound)
{
	return random_below(&t->random, bound);
}

static struct genesis *six_ports(void)
{
	struct genesis *genesis = genesis_new();

	genesis->port_count = 0;
	add_port(genesis, "one", "abcd", 0, 0, 0);
	add_port(genesis, "two", "aabb", 0, MINUTE, 0);
	add_port(genesis, "three", "abcc", MINUTE, MINUTE, MINUTE);
	add_port(genesis, "four", "abc", 0, 0, MINUTE);
	add_port(genesis, "five", "abcd", 0, 30 * INT64_C(1000), 0);
	add_port(genesis, "six", "ab", 0, 0, 0);
	genesis->ports[5].no_show = (uint64_t)MINUTE;
	for (size_t i = 0; i < TIERS; i++) { /* alice, bob, carol */
		genesis->parties[i].quota = LIVE_MAX;
		genesis->parties[i].tier = i;
	}
	return genesis;
}

static struct trial *trial_new(void)
{
	struct trial *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->genesis = six_ports();
	site_open(&t->site, t->genesis, &limits);
	t->book.genesis = t->genesis;
	random_seed(&t->random, test_seed("pairs"));
	t->now = T0;
	return t;
}

static void trial_free(struct trial *t)
{
	site_close(&t->site);
	free(t->genesis);
	free(t);
}

/* ---- what to ask for ---- */

static struct spot some_spot(struct trial *t)
{
	struct spot at = {.port = below(t, t->genesis->port_count)};

	at.pad = below(t, t->genesis->ports[at.port].pads_count);
	return at;
}

/* Most windows begin on a minute, so that they touch; others miss by as little
 * as can be. */
static void some_window(struct trial *t, struct half *half, time_ms start)
{
	static const time_ms misses[] = {-1000, -1, 1, 1000};

	half->start = start / MINUTE * MINUTE;
	if (below(t, 3) == 0)
		half->start += misses[below(t, 4)];
	half->end = half->start + (time_ms)(2 + below(t, 5)) * MINUTE;
	if (below(t, 6) == 0)
		half->end += misses[below(t, 4)];
}

static void some_half(struct trial *t, struct half *half, time_ms start)
{
	half->at = some_spot(t);
	half->has_alternate = below(t, 2) == 0;
	if (half->has_alternate)
		half->alternate = some_spot(t);
	some_window(t, half, start);
}

/* A half that somebody has, or wants in the same block. */
static const struct half *some_rival(struct trial *t)
{
	const struct flight *flight;

	if (t->wish_count > 0 && below(t, 2) == 0)
		flight = &t->wishes[below(t, t->wish_count)].flight;
	else if (t->book.count > 0)
		flight = &t->book.list[below(t, t->book.count)];
	else
		return NULL;
	return &flight->halves[below(t, 2)];
}

static void some_flight(struct trial *t, struct wish *wish)
{
	struct flight *flight = &wish->flight;
	struct half *departure = &flight->halves[0];
	struct half *arrival = &flight->halves[1];
	time_ms soonest = t->now + 10 * MINUTE;
	const struct half *rival = below(t, 4) == 0 ? some_rival(t) : NULL;

	flight->number = t->number;
	flight->owner = wish->who;
	flight->tier = below(t, 4) == 0 ? wish->who : 0;
	snprintf(flight->aircraft, sizeof(flight->aircraft), "X%03u",
		(unsigned)below(t, FLEET));
	some_half(t, departure, soonest + (time_ms)below(t, AHEAD) * MINUTE);
	if (rival != NULL && rival->start >= soonest) {
		departure->at = rival->at;
		departure->start = rival->start;
		departure->end = rival->end;
	}
	some_half(t, arrival,
		departure->start + (time_ms)(3 + below(t, 40)) * MINUTE);
}

static void write_half(
	struct trial *t, const struct flight *flight, size_t place)
{
	const struct half *half = &flight->halves[place];
	struct op_reserve op = {
		.port = t->genesis->ports[half->at.port].name,
		.pad = book_pad_name(&t->book, &half->at),
		.start = (uint64_t)half->start,
		.end = (uint64_t)half->end,
		.aircraft = view_text(flight->aircraft),
		.pair = 1,
		.movement = MOVEMENT_DEPARTURE + place,
		.tier = flight->tier,
	};

	if (half->has_alternate) {
		op.alternate_port =
			t->genesis->ports[half->alternate.port].name;
		op.alternate_pad = book_pad_name(&t->book, &half->alternate);
	}
	PAPER_ADD(&t->paper, op_reserve, &op);
}

static void write_wish(struct trial *t)
{
	struct wish wish = {.who = (enum who)below(t, TIERS)};

	paper_begin(
		&t->paper, wish.who, ++t->number, t->now + MINUTE, TX_MODE_ALL);
	wish.id = t->paper.tx.id;
	wish.cancels = t->book.count > 20 && below(t, 12) == 0;
	if (wish.cancels) {
		wish.flight = t->book.list[below(t, t->book.count)];
		if (below(t, 8))
			wish.who = wish.flight.owner;
		t->paper.tx.wallet = who_pair(wish.who)->key;
		paper_cancel(&t->paper, &wish.flight.halves[below(t, 2)].id);
	} else {
		some_flight(t, &wish);
		write_half(t, &wish.flight, 0);
		write_half(t, &wish.flight, 1);
	}
	assert_int_equal(
		pool_put(&t->site, &t->paper, wish.who, t->genesis), ERR_OK);
	t->wishes[t->wish_count++] = wish;
}

/* ---- what must become of it ---- */

static struct id op_id(const struct op_receipt *receipt)
{
	struct id id;

	assert_int_equal(receipt->reservation.size, sizeof(id));
	memcpy(&id, receipt->reservation.data, sizeof(id));
	return id;
}

static void fail_flight(const struct flight *flight, const char *what,
	const struct receipt *receipt, enum refusal wanted)
{
	fail_msg("pair %llu: %s: the ledger says %s, %s; the book %s",
		(unsigned long long)flight->number, what,
		refusal_name((enum refusal)receipt->ops[0].code),
		refusal_name((enum refusal)receipt->ops[1].code),
		refusal_name(wanted));
}

/* What each half alone could have had, and what the pair got. */
static void count_pair(struct trial *t, const struct book *before,
	const struct flight *flight, enum refusal code, size_t at,
	const struct gave_way *gave_way)
{
	struct counts *counts = &t->counts;
	bool had[2];

	for (size_t i = 0; i < 2; i++)
		had[i] = book_refuses(before, flight, &flight->halves[i]) ==
			 REFUSAL_GRANTED;
	counts->pairs++;
	if (code == REFUSAL_GRANTED) {
		counts->granted++;
		counts->moved += gave_way->moved;
		counts->ended += gave_way->ended;
		return;
	}
	counts->taken_back += at == 1;
	counts->kept += gave_way->moved + gave_way->ended;
	counts->busy += code == REFUSAL_AIRCRAFT_BUSY;
	if (had[0] && had[1])
		counts->own_way++;
	else if (had[0] || had[1])
		counts->one_free++;
	else
		counts->none_free++;
}

static void judge_pair(
	struct trial *t, struct flight *flight, const struct receipt *receipt)
{
	static struct book before;
	struct gave_way gave_way = {0, 0};
	size_t at = 0;

	book_copy(&before, &t->book);
	enum refusal code = book_write(&t->book, flight, &at, &gave_way);
	assert_int_equal(receipt->ops_count, 2);
	bool first = receipt->ops[0].code == REFUSAL_GRANTED;
	bool second = receipt->ops[1].code == REFUSAL_GRANTED;
	if (first != second)
		fail_flight(flight, "half a pair", receipt, code);
	if (first && code != REFUSAL_GRANTED)
		fail_flight(flight, "granted what was taken", receipt, code);
	if (!first && code == REFUSAL_GRANTED)
		fail_flight(flight, "refused what was free", receipt, code);
	count_pair(t, &before, flight, code, at, &gave_way);
	if (first) {
		struct flight *written = &t->book.list[0];

		while (written->number != flight->number)
			written++;
		for (size_t i = 0; i < 2; i++)
			written->halves[i].id = op_id(&receipt->ops[i]);
		return;
	}
	book_copy(&t->book, &before);
	if (receipt->ops[at].code != code ||
		receipt->ops[1 - at].code != REFUSAL_ROLLED_BACK)
		fail_flight(
			flight, "refused for another reason", receipt, code);
}

static void judge_cancel(
	struct trial *t, const struct wish *wish, const struct receipt *receipt)
{
	enum refusal code = REFUSAL_UNKNOWN_RESERVATION;
	size_t place;
	struct flight *flight =
		book_find(&t->book, &wish->flight.halves[0].id, &place);

	if (flight != NULL && flight->owner != wish->who)
		code = REFUSAL_NOT_OWNER;
	else if (flight != NULL)
		code = REFUSAL_GRANTED;
	assert_int_equal(receipt->ops_count, 1);
	assert_int_equal(receipt->ops[0].code, code);
	if (code == REFUSAL_GRANTED) {
		book_strike(&t->book, flight);
		t->counts.cancelled++;
	}
}

static void judge_tx(struct trial *t, struct view bytes, struct view encoded)
{
	struct receipt receipt;
	struct tx_view tx;
	struct wish *wish = &t->wishes[0];

	assert_int_equal(tx_open(&tx, bytes), ERR_OK);
	assert_int_equal(receipt_decode(&receipt, encoded), ERR_OK);
	assert_int_equal(receipt.code, REFUSAL_GRANTED);
	while (!id_equal(&wish->id, &tx.body.id))
		assert_true(++wish < t->wishes + t->wish_count);
	if (wish->cancels)
		judge_cancel(t, wish, &receipt);
	else
		judge_pair(t, &wish->flight, &receipt);
}

/* ---- what the ledger holds ---- */

static bool record_is(struct trial *t, const struct record_reservation *record,
	const struct flight *flight, size_t place)
{
	const struct half *half = &flight->halves[place];

	return view_equal(
		       record->port, t->genesis->ports[half->at.port].name) &&
	       view_equal(record->pad, book_pad_name(&t->book, &half->at)) &&
	       record->start == (uint64_t)half->start &&
	       record->end == (uint64_t)half->end &&
	       record->state == RESERVATION_CONFIRMED &&
	       record->movement == MOVEMENT_DEPARTURE + place &&
	       view_equal(record->aircraft, view_text(flight->aircraft)) &&
	       key_equal(&record->operator, & t->genesis->parties[flight->owner]
						    .key) &&
	       view_equal(record->pair,
		       view_of(&flight->halves[1 - place].id, ID_SIZE));
}

/* Every reservation of a port is half of a flight in the book, which has it as
 * it is, and no two are closer than they may be. How many there are. */
static size_t judge_port(struct trial *t, size_t port)
{
	static struct half seen[LIVE_MAX];
	struct record_reservation record;
	uint64_t cursor = 0;
	size_t count = 0, place;

	while (state_timetable_next(
		t->site.home.state, port, T0 - HOUR, &cursor, &record)) {
		const struct flight *flight =
			book_find(&t->book, &record.reservation, &place);

		if (flight == NULL)
			fail_msg("half a pair, or one that ended: %.*s",
				(int)record.aircraft.size,
				(const char *)record.aircraft.data);
		else if (!record_is(t, &record, flight, place))
			fail_msg("pair %llu is not as the book has it",
				(unsigned long long)flight->number);
		else
			seen[count++] = flight->halves[place];
		for (size_t i = 0; i + 1 < count; i++) {
			if (halves_meet(&t->book, &seen[i], &seen[count - 1]))
				fail_msg("an overlap at %lld",
					(long long)seen[i].start);
		}
	}
	return count;
}

/* No half of the book is found twice: ids differ, and cursors go on. */
static void judge_state(struct trial *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->genesis->port_count; i++)
		count += judge_port(t, i);
	if (count != 2 * t->book.count)
		fail_msg("half a pair: the ledger has %zu, the book %zu pairs",
			count, t->book.count);
	assert_int_equal(state_live_count(t->site.home.state), count);
}

/* ---- blocks ---- */

static void judge_block(struct trial *t, const struct block_ref *block)
{
	struct block_body body;

	assert_int_equal(block_body_open(&body, block), ERR_OK);
	assert_int_equal(body.decoded.txs_count, t->wish_count);
	t->counts.over += book_pass_time(&t->book, t->now);
	for (size_t i = 0; i < body.decoded.txs_count; i++)
		judge_tx(t, body.decoded.txs[i], body.decoded.receipts[i]);
	judge_state(t);
}

static void empty_pool(struct trial *t)
{
	for (size_t i = 0; i < t->wish_count; i++)
		mempool_remove(t->site.pool, &who_pair(t->wishes[i].who)->key,
			&t->wishes[i].id);
	t->wish_count = 0;
}

static void one_block(struct trial *t)
{
	struct counts counts = t->counts;
	struct hash root = root_of(&t->site);
	time_ms then = t->now;
	uint64_t height = chain_tip(t->site.chain).height;

	book_copy(&t->before, &t->book);
	t->now += 1 + (time_ms)below(t, 8 * MINUTE);
	while (t->wish_count < TXS)
		write_wish(t);
	struct block_ref block = build(&t->site, t->now, false);
	judge_block(t, &block);
	empty_pool(t);
	if (below(t, 10) != 0)
		return;
	/* It never was: its pairs are not counted. */
	chain_disconnect(t->site.chain, height);
	book_copy(&t->book, &t->before);
	t->counts = counts;
	t->now = then;
	t->undone++;
	struct hash back = root_of(&t->site);
	assert_true(hash_equal(&root, &back));
	judge_state(t);
}

static void report(const struct trial *t)
{
	const struct counts *c = &t->counts;

	printf("%zu pairs: %zu granted, %zu refused: with one end free %zu, "
	       "with none %zu, in their own way %zu\n",
		c->pairs, c->granted, c->pairs - c->granted, c->one_free,
		c->none_free, c->own_way);
	printf("  take-offs given and taken back %zu, aircraft busy %zu\n",
		c->taken_back, c->busy);
	printf("  displaced: to the alternate %zu, ended %zu, kept after all "
	       "%zu\n",
		c->moved, c->ended, c->kept);
	printf("  cancelled %zu, over %zu, live %zu; blocks that never were "
	       "%zu\n",
		c->cancelled, c->over, t->book.count, t->undone);
}

/* At least per_mille of all pairs, and at most. */
static void expect(size_t count, size_t pairs, size_t least, size_t most)
{
	assert_in_range(count * 1000 / pairs, least, most);
}

static void test_competing_pairs(void **unused)
{
	struct trial *t = trial_new();
	const char *given = getenv("PERCH_PAIRS");
	size_t most = given != NULL ? strtoul(given, NULL, 10) : PAIRS;
	const struct counts *c = &t->counts;

	(void)unused;
	while (c->pairs < most)
		one_block(t);
	report(t);
	expect(c->granted, c->pairs, 300, 700);
	expect(c->one_free, c->pairs, 200, 600);
	expect(c->none_free, c->pairs, 20, 300);
	expect(c->own_way, c->pairs, 0, 50);
	expect(c->taken_back, c->pairs, 100, 400);
	expect(c->busy, c->pairs, 1, 100);
	expect(c->cancelled, c->pairs, 20, 200);
	expect(c->over, c->pairs, 200, 700);
	expect(c->moved, c->pairs, 5, 200);
	expect(c->ended, c->pairs, 5, 200);
	expect(c->kept, c->pairs, 1, 200);
	trial_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_competing_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
