/* tests/unit/snapshot.c -- a state as bytes and back.
 *
 * A loaded state has other table indexes than the one that was saved, so both
 * go on with the same transactions, and must stay equal block by block.
 */
#include "paper.h"

#include "base/random.h"

struct pair {
	struct genesis *genesis;
	struct home one, two;
	struct paper *paper;
	struct answer *answer;
	struct moves *moves[2];
	struct random random;
	uint64_t number;
	size_t id_count;
	struct id ids[256];
};

static const char *const ports[] = {"east", "north", "west"};
static const char *const pads[] = {"a", "b", "c"};

static struct pair *pair_new(const char *what)
{
	struct pair *p = calloc(1, sizeof(*p));

	p->genesis = genesis_new();
	p->paper = malloc(sizeof(*p->paper));
	p->answer = malloc(sizeof(*p->answer));
	p->moves[0] = calloc(1, sizeof(struct moves));
	p->moves[1] = calloc(1, sizeof(struct moves));
	home_open(&p->one, p->genesis, &state_limits_small, JOURNAL_BYTES);
	home_open(&p->two, p->genesis, &state_limits_small, JOURNAL_BYTES);
	random_seed(&p->random, test_seed(what));
	return p;
}

static void pair_free(struct pair *p)
{
	home_close(&p->one);
	home_close(&p->two);
	free(p->moves[0]);
	free(p->moves[1]);
	free(p->paper);
	free(p->answer);
	free(p->genesis);
	free(p);
}

static void write_random(struct pair *p, time_ms now)
{
	struct random *random = &p->random;
	struct id id = {{0}};
	/* Whole minutes: windows that end together, whatever their index. */
	time_ms start =
		(now / MINUTE + 1 + (time_ms)random_below(random, 700)) *
		MINUTE;

	if (p->id_count > 0)
		id = p->ids[random_below(random, p->id_count)];
	switch (random_below(random, 8)) {
	case 0:
		paper_cancel(p->paper, &id);
		break;
	case 1:
		paper_amend(p->paper, &id, 1, pads[random_below(random, 3)],
			start, start + MINUTE);
		break;
	case 2:
		paper_reserve(p->paper, "east", "a", start, start + MINUTE,
			"X1", 1, MOVEMENT_DEPARTURE);
		paper_reserve(p->paper, "west", "b", start + MINUTE,
			start + 3 * MINUTE, "X1", 1, MOVEMENT_ARRIVAL);
		break;
	default:
		paper_reserve(p->paper, ports[random_below(random, 3)],
			pads[random_below(random, 3)], start,
			start + 10 * MINUTE, "X2" + random_below(random, 3), 0,
			0);
	}
}

/* One block with the same random transactions on count states. */
static void step(struct pair *p, int count)
{
	struct state *states[] = {p->one.state, p->two.state};
	time_ms now = state_time(states[0]) + 1 +
		      (time_ms)random_below(&p->random, 20000);
	uint64_t txs = random_below(&p->random, 12);

	if (random_chance(&p->random, 50))
		now += 2 * HOUR;

	for (int i = 0; i < count; i++) {
		p->moves[i]->count = 0;
		contract_begin(states[i], state_height(states[i]) + 1, now,
			p->moves[i]);
	}
	for (uint64_t t = 0; t < txs; t++) {
		bool member_free = true;

		paper_begin(p->paper, random_below(&p->random, 3), ++p->number,
			now + 1 +
				(time_ms)random_below(
					&p->random, TX_VALID_MS_MAX),
			TX_MODE_ALL);
		write_random(p, now);
		for (int i = 0; i < count; i++)
			run(states[i], p->paper, (uint16_t)t, &member_free,
				p->answer, p->moves[i]);
		if (p->answer->receipt.ops_count > 0 &&
			p->answer->receipt.ops[0].reservation.size > 0)
			p->ids[p->id_count++ % 256] =
				receipt_id(&p->answer->receipt, 0);
		if (p->id_count > 256)
			p->id_count = 256;
	}
}

static uint8_t *save(const struct state *state, size_t *size)
{
	uint8_t *bytes = malloc(state_save_bytes(state));

	assert_non_null(bytes);
	*size = state_save(state, bytes);
	assert_true(*size > 0 && *size <= state_save_bytes(state));
	return bytes;
}

static void assert_same(struct pair *p)
{
	struct hash a = state_root(p->one.state);
	struct hash b = state_root(p->two.state);

	assert_true(hash_equal(&a, &b));
	assert_int_equal(
		state_height(p->one.state), state_height(p->two.state));
	assert_int_equal(
		state_deadline(p->one.state), state_deadline(p->two.state));
}

static void assert_same_moves(struct pair *p)
{
	assert_int_equal(p->moves[0]->count, p->moves[1]->count);
	for (size_t i = 0; i < p->moves[0]->count; i++) {
		const struct move *x = &p->moves[0]->items[i];
		const struct move *y = &p->moves[1]->items[i];

		assert_int_equal(x->to, y->to);
		assert_true(id_equal(
			&x->record.reservation, &y->record.reservation));
	}
}

static void test_round(void **unused)
{
	struct pair *p = pair_new("snapshot");
	size_t size, again_size;

	(void)unused;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 60; i++)
			step(p, 1);
		for (int i = 0; i < 600 && state_live_count(p->one.state) <= 20;
			i++)
			step(p, 1);
		assert_true(state_live_count(p->one.state) > 20);
		struct hash root = state_root(p->one.state);
		uint8_t *bytes = save(p->one.state, &size);
		assert_int_equal(state_load(p->two.state, p->genesis,
					 view_of(bytes, size), &root),
			ERR_OK);
		assert_same(p);
		/* Canonical: what was loaded saves to the same bytes. */
		uint8_t *again = save(p->two.state, &again_size);
		assert_int_equal(size, again_size);
		assert_memory_equal(bytes, again, size);
		free(again);
		free(bytes);
		/* The journal is forgotten: only what comes is undone. */
		arena_mark mark = arena_now(&p->two.arena);
		assert_false(arena_can_rollback(&p->two.arena, mark - 1));
		for (int i = 0; i < 60; i++) {
			step(p, 2);
			assert_same(p);
			assert_same_moves(p);
		}
		arena_rollback(&p->two.arena, mark);
		struct hash back = state_root(p->two.state);
		assert_true(hash_equal(&root, &back));
	}
	pair_free(p);
}

static void assert_genesis(struct pair *p, const struct hash *start)
{
	struct hash root = state_root(p->two.state);

	assert_int_equal(state_height(p->two.state), 0);
	assert_true(hash_equal(&root, start));
}

/* Nothing in a snapshot may do more than make it be refused. */
static void test_hostile(void **unused)
{
	struct pair *p = pair_new("hostile snapshot");
	struct hash start = state_root(p->two.state);
	size_t size, refused = 0;

	(void)unused;
	for (int i = 0; i < 40; i++)
		step(p, 1);
	struct hash root = state_root(p->one.state);
	uint8_t *good = save(p->one.state, &size);
	uint8_t *bad = malloc(size + 1);

	memcpy(bad, good, size);
	bad[size] = 0;
	assert_int_equal(state_load(p->two.state, p->genesis,
				 view_of(bad, size + 1), &root),
		ERR_ENCODING);
	assert_genesis(p, &start);
	assert_int_equal(state_load(p->two.state, p->genesis,
				 view_of(good, size), &start),
		ERR_ROOT);
	assert_genesis(p, &start);
	for (int i = 0; i < 3000; i++) {
		size_t cut = size;
		memcpy(bad, good, size);
		if (random_chance(&p->random, 200))
			cut = random_below(&p->random, size);
		else
			bad[random_below(&p->random, size)] ^=
				(uint8_t)(1u << random_below(&p->random, 8));
		enum err err = state_load(
			p->two.state, p->genesis, view_of(bad, cut), &root);
		assert_int_not_equal(err, ERR_OK);
		assert_int_equal(state_height(p->two.state), 0);
		refused++;
	}
	assert_int_equal(refused, 3000);
	assert_genesis(p, &start);
	assert_int_equal(state_load(p->two.state, p->genesis,
				 view_of(good, size), &root),
		ERR_OK);
	assert_same(p);
	free(good);
	free(bad);
	pair_free(p);
}

static size_t timetable(const struct state *state, size_t port,
	struct record_reservation *out, size_t max)
{
	uint64_t cursor = 0;
	size_t count = 0;

	while (count < max &&
		state_timetable_next(state, port, 0, &cursor, &out[count]))
		count++;
	return count;
}

static void test_timetable(void **unused)
{
	struct pair *p = pair_new("timetable");
	struct record_reservation records[512], later;

	(void)unused;
	for (int i = 0; i < 60; i++)
		step(p, 1);
	for (size_t port = 0; port < state_port_count(p->one.state); port++) {
		size_t count = timetable(p->one.state, port, records, 512);
		time_ms middle = (time_ms)records[count / 2].end;
		size_t after = 0;
		uint64_t cursor = 0;

		for (size_t i = 1; i < count; i++) {
			bool ordered =
				records[i - 1].start < records[i].start ||
				(records[i - 1].start == records[i].start &&
					view_equal(records[i - 1].pad,
						records[i].pad) == false);
			assert_true(ordered);
		}
		for (size_t i = 0; i < count; i++)
			after += (time_ms)records[i].end > middle;
		while (state_timetable_next(
			p->one.state, port, middle, &cursor, &later)) {
			assert_true((time_ms)later.end > middle);
			after--;
		}
		assert_int_equal(after, 0);
	}
	pair_free(p);
}

/* Where record number `index` of a snapshot begins, before its size. */
static size_t record_at(const uint8_t *bytes, size_t index)
{
	size_t at = 0;

	for (size_t i = 0; i < index; i++)
		at += 2 + ((size_t)bytes[at] << 8 | bytes[at + 1]);
	return at;
}

/* The same records in another order are another snapshot of the same root. */
static void test_order(void **unused)
{
	struct pair *p = pair_new("order");
	size_t size;

	(void)unused;
	for (int i = 0; i < 40; i++)
		step(p, 1);
	struct hash root = state_root(p->one.state);
	uint8_t *good = save(p->one.state, &size);
	uint8_t *bad = malloc(size);
	/* Behind the head: ports, parties, nodes, reservations. */
	size_t first = 1 + p->genesis->port_count + p->genesis->party_count +
		       p->genesis->node_count;
	for (size_t i = 0; i < 10; i++) {
		size_t a = record_at(good, first + i);
		size_t b = record_at(good, first + i + 1);
		size_t end = record_at(good, first + i + 2);

		memcpy(bad, good, size);
		memcpy(bad + a, good + b, end - b);
		memcpy(bad + a + (end - b), good + a, b - a);
		assert_int_equal(state_load(p->two.state, p->genesis,
					 view_of(bad, size), &root),
			ERR_ENCODING);
	}
	free(good);
	free(bad);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_timetable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
