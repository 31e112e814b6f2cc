/* unit/ordered_entries.c -- the memory of a log against a plain array. */
#include "unit/unit.h"

#include <string.h>

#include "base/random.h"
#include "consensus/ordered/entries.h"

enum { HEIGHTS_MAX = 40000, MOVES = 20000 };

/* What entries would be if memory were nothing. */
struct model {
	uint64_t base;
	uint64_t tip;
	uint64_t terms[HEIGHTS_MAX];
	uint32_t sizes[HEIGHTS_MAX];
	uint32_t marks[HEIGHTS_MAX]; /* in the hash */
};

static struct entries entries;
static struct model model;
static struct random chance;

static struct hash hash_of(uint32_t mark)
{
	struct hash hash = {{0}};
	memcpy(hash.bytes, &mark, sizeof(mark));
	hash.bytes[31] = 1;
	return hash;
}

static void begin(uint64_t base, uint64_t term)
{
	struct hash hash = hash_of(0);
	memset(&entries, 0, sizeof(entries));
	memset(&model, 0, sizeof(model));
	entries_init(&entries, base, &hash, term);
	model.base = model.tip = base;
	model.terms[base] = term;
	random_seed(&chance, base + term);
}

static void append(uint64_t term)
{
	uint64_t height = ++model.tip;
	model.terms[height] = term;
	model.sizes[height] = (uint32_t)random_below(&chance, 60000);
	model.marks[height] = (uint32_t)random_next(&chance);
	struct hash hash = hash_of(model.marks[height]);
	entries_append(&entries, &hash, term, model.sizes[height]);
}

/* The truth, or nothing; and always the truth for the newest. */
static void check_at(uint64_t height)
{
	uint64_t term;
	uint32_t size;
	struct hash hash;
	bool is_in = height >= model.base && height <= model.tip;
	bool has_term = entries_term(&entries, height, &term);
	bool has_hash = entries_hash(&entries, height, &hash);
	bool has_size = entries_size(&entries, height, &size);
	if (!is_in) {
		assert_false(has_term || has_hash || has_size);
		return;
	}
	if (has_term)
		assert_int_equal(term, model.terms[height]);
	if (has_size)
		assert_int_equal(size, model.sizes[height]);
	if (has_hash) {
		struct hash expected = hash_of(model.marks[height]);
		assert_true(hash_equal(&hash, &expected));
	}
	if (height == model.tip)
		assert_true(has_term);
	if (height > model.base && height >= entries.ring_first)
		assert_true(has_term && has_hash && has_size);
}

static void check_back_off(uint64_t height, uint64_t term)
{
	uint64_t found;
	if (height < model.base)
		return;
	uint64_t expected = height < model.tip ? height : model.tip;
	while (expected > model.base && model.terms[expected] > term)
		expected--;
	if (entries_back_off(&entries, height, term, &found))
		assert_int_equal(found, expected);
}

static void check(void)
{
	assert_true(entries_hold(&entries));
	assert_int_equal(entries.base, model.base);
	assert_int_equal(entries.tip, model.tip);
	assert_int_equal(entries.tip_term, model.terms[model.tip]);
	check_at(model.base);
	check_at(model.tip);
	check_at(model.tip + 1);
	check_at(entries.ring_first);
	check_at(entries.ring_first - 1);
	for (int i = 0; i < 4; i++) {
		uint64_t height = random_below(&chance, model.tip + 10);
		check_at(height);
		check_back_off(height,
			model.terms[height < model.tip ? height : model.tip]);
		check_back_off(height, random_below(&chance, 40));
	}
}

/* Random moves; each number is out of a thousand. */
static void walk(
	unsigned term_permille, unsigned cut_permille, unsigned forget_permille)
{
	for (int i = 0; i < MOVES && model.tip + 1 < HEIGHTS_MAX; i++) {
		uint64_t term = model.terms[model.tip];
		if (term == 0 || random_chance(&chance, term_permille))
			term++;
		append(term);
		uint64_t room = model.tip - model.base;
		if (random_chance(&chance, cut_permille)) {
			/* No further back than an election may reach. */
			uint64_t far = room < 40 ? room : 40;
			uint64_t back = random_below(&chance, far);
			uint64_t known;
			uint64_t to = model.tip - 1 - back;
			if (entries_term(&entries, to, &known)) {
				entries_truncate(&entries, to);
				model.tip = to;
			}
		}
		room = model.tip - model.base;
		if (random_chance(&chance, forget_permille)) {
			uint64_t by = random_below(&chance, room + 1);
			uint32_t mark = model.marks[model.base + by];
			struct hash hash = hash_of(mark);
			entries_forget(&entries, model.base + by);
			model.base += by;
			if (!hash_is_zero(&entries.base_hash))
				assert_true(
					hash_equal(&entries.base_hash, &hash));
		}
		check();
	}
}

static void test_a_long_log_of_few_terms(void **state)
{
	(void)state;
	begin(0, 0);
	walk(2, 5, 0);
	uint64_t term;
	assert_true(entries_term(&entries, 1, &term)); /* all runs fit */
	assert_int_equal(term, 1);
}

static void test_a_long_log_of_many_terms(void **state)
{
	(void)state;
	begin(0, 0);
	walk(200, 10, 0);
	uint64_t term;
	assert_false(entries_term(&entries, 1, &term)); /* forgotten */
}

static void test_a_log_that_is_compacted(void **state)
{
	(void)state;
	begin(0, 0);
	walk(50, 20, 3);
	begin(1000, 7);
	walk(10, 20, 100);
	begin(5, 5);
	walk(300, 10, 1);
}

static void test_a_ring_exactly_full(void **state)
{
	(void)state;
	struct hash hash;
	begin(10, 3);
	for (int i = 0; i < ENTRIES_RING_MAX; i++)
		append(3);
	assert_int_equal(entries.ring_first, 11);
	assert_true(entries_hash(&entries, 11, &hash));
	append(3);
	assert_int_equal(entries.ring_first, 12);
	assert_false(entries_hash(&entries, 11, &hash));
	/* What was overwritten stays forgotten when the log gets shorter. */
	entries_truncate(&entries, 100);
	model.tip = 100;
	assert_int_equal(entries.ring_first, 12);
	check();
	append(4);
	check();
	entries_truncate(&entries, 10); /* back before all it remembers */
	model.tip = 10;
	check();
	append(5);
	check();
}

static void fall(void *argument)
{
	struct hash hash = hash_of(1);
	(void)argument;
	entries_append(&entries, &hash, 2, 1);
}

static void test_terms_never_fall(void **state)
{
	(void)state;
	begin(0, 0);
	append(3);
	assert_true(unit_aborts(fall, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_long_log_of_few_terms),
		cmocka_unit_test(test_a_long_log_of_many_terms),
		cmocka_unit_test(test_a_log_that_is_compacted),
		cmocka_unit_test(test_a_ring_exactly_full),
		cmocka_unit_test(test_terms_never_fall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
