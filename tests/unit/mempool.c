/* tests/unit/mempool.c -- the pool against a plain list in order of arrival.
 */
#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "ledger/mempool.h"

enum {
	TXS_MAX = 40,
	BYTES_MAX = 20000,
	WALLETS = 3,
	IDS = 30,
	TX_SIZE_MAX = 3000
};

/* Content is a function of these, so that it can be compared at any time. */
struct waiting {
	uint32_t wallet, id, content, size;
	bool local;
};

struct model {
	size_t count, bytes;
	struct waiting items[TXS_MAX];
};

struct fixture {
	struct mempool *pool;
	void *memory;
};

static void fixture_init(struct fixture *f, uint32_t txs_max, size_t bytes_max)
{
	size_t size = mempool_bytes(txs_max, bytes_max);

	/* Exactly what it asks for, so that a sanitizer sees an overrun. */
	f->memory = aligned_alloc(64, size);
	assert_non_null(f->memory);
	memset(f->memory, 0, size);
	f->pool = mempool_init(f->memory, txs_max, bytes_max);
}

static struct key wallet_of(uint32_t number)
{
	struct key key = {{0}};

	/* Late, so that wallets with the same id meet in one bucket. */
	key.bytes[KEY_SIZE - 1] = (uint8_t)number;
	return key;
}

static struct id id_of(uint32_t number)
{
	struct id id = {{0}};

	/* Far from the first bytes for some, so that every byte counts. */
	id.bytes[number % 3 == 0 ? 15 : 0] = (uint8_t)(number + 1);
	return id;
}

static void fill(uint8_t *bytes, const struct waiting *w)
{
	struct random random;

	random_seed(&random,
		(uint64_t)w->wallet << 40 ^ (uint64_t)w->id << 20 ^ w->content);
	for (size_t i = 0; i < w->size; i++)
		bytes[i] = (uint8_t)random_next(&random);
}

static enum err put(struct mempool *pool, const struct waiting *w)
{
	uint8_t *bytes = malloc(w->size);
	static struct tx_view tx;

	assert_non_null(bytes);
	fill(bytes, w);
	tx.bytes = view_of(bytes, w->size);
	tx.hash = hash_bytes(tx.bytes);
	tx.body.wallet = wallet_of(w->wallet);
	tx.body.id = id_of(w->id);
	tx.body.valid_until = 1000 + w->content;
	enum err err = mempool_put(pool, &tx, w->local);
	free(bytes); /* the pool has its own copy */
	return err;
}

static size_t model_find(const struct model *model, const struct waiting *w)
{
	size_t at = 0;

	while (at < model->count && (model->items[at].wallet != w->wallet ||
					    model->items[at].id != w->id))
		at++;
	return at;
}

static void model_remove(struct model *model, size_t at)
{
	model->bytes -= model->items[at].size;
	model->count--;
	memmove(&model->items[at], &model->items[at + 1],
		(model->count - at) * sizeof(model->items[0]));
}

static void compare_item(const struct mempool *pool,
	const struct mempool_item *item, const struct waiting *w)
{
	uint8_t bytes[TX_SIZE_MAX];
	struct key wallet = wallet_of(w->wallet);
	struct id id = id_of(w->id);
	struct hash hash;

	fill(bytes, w);
	assert_true(view_equal(item->bytes, view_of(bytes, w->size)));
	assert_true(key_equal(&item->wallet, &wallet));
	assert_true(id_equal(&item->id, &id));
	assert_true(item->valid_until == 1000 + w->content);
	assert_int_equal(item->local, w->local);
	assert_true(mempool_find(pool, &wallet, &id, &hash));
	assert_true(hash_equal(&hash, &item->hash));
	hash = hash_bytes(item->bytes);
	assert_true(hash_equal(&hash, &item->hash));
}

static void compare(const struct mempool *pool, const struct model *model)
{
	struct mempool_item item;
	uint64_t cursor = 0;

	assert_int_equal(mempool_count(pool), model->count);
	assert_int_equal(mempool_bytes_used(pool), model->bytes);
	for (size_t i = 0; i < model->count; i++) {
		assert_true(mempool_next(pool, &cursor, &item));
		compare_item(pool, &item, &model->items[i]);
	}
	assert_false(mempool_next(pool, &cursor, &item));
	assert_false(mempool_next(pool, &cursor, &item));
}

static void random_put(struct fixture *f, struct model *model,
	struct random *random, unsigned *refused)
{
	struct waiting w = {
		.wallet = (uint32_t)random_below(random, WALLETS),
		.id = (uint32_t)random_below(random, IDS),
		.content = (uint32_t)random_below(random, 3),
		.local = random_chance(random, 500),
	};
	/* Small ones mostly: the count is then the limit, else the bytes. */
	w.size = 1 + (w.wallet * IDS + w.id) * 7 % 300;
	if (w.content == 2)
		w.size = TX_SIZE_MAX;
	size_t at = model_find(model, &w);
	enum err expected = ERR_OK;

	if (at < model->count)
		expected = model->items[at].content == w.content ? ERR_EXISTS
								 : ERR_REPLAY;
	else if (model->count == TXS_MAX || model->bytes + w.size > BYTES_MAX)
		expected = ERR_BUSY;
	assert_int_equal(put(f->pool, &w), expected);
	refused[expected]++;
	/* One that came from a node may then be a client's here too. */
	if (expected == ERR_EXISTS)
		model->items[at].local |= w.local;
	if (expected == ERR_OK) {
		model->items[model->count++] = w;
		model->bytes += w.size;
	}
}

static void random_remove(
	struct fixture *f, struct model *model, struct random *random)
{
	struct waiting w = {
		.wallet = (uint32_t)random_below(random, WALLETS),
		.id = (uint32_t)random_below(random, IDS),
	};
	struct hash hash;

	/* The oldest mostly, as a block does. */
	if (model->count > 0 && random_chance(random, 700))
		w = model->items[0];
	struct key wallet = wallet_of(w.wallet);
	struct id id = id_of(w.id);
	size_t at = model_find(model, &w);
	if (at < model->count)
		model_remove(model, at);
	mempool_remove(f->pool, &wallet, &id);
	assert_false(mempool_find(f->pool, &wallet, &id, &hash));
}

static void test_random_against_model(void **state)
{
	unsigned answers[ERR_BEHIND + 1] = {0};
	struct model model = {0};
	struct random random;
	struct fixture f;

	(void)state;
	random_seed(&random, 4);
	fixture_init(&f, TXS_MAX, BYTES_MAX);
	for (int step = 0; step < 40000; step++) {
		unsigned up = step / 500 % 3 == 0 ? 300 : 600;

		if (random_chance(&random, up))
			random_put(&f, &model, &random, answers);
		else
			random_remove(&f, &model, &random);
		if (step % 11 == 0)
			compare(f.pool, &model);
	}
	assert_true(answers[ERR_OK] > 5000);
	assert_true(answers[ERR_EXISTS] > 500);
	assert_true(answers[ERR_REPLAY] > 500);
	assert_true(answers[ERR_BUSY] > 500);
	free(f.memory);
}

enum { NEWCOMER = 100 }; /* a wallet that the model does not know */

/* Change the pool behind a walk's back: remove one of the start's, and let a
 * newcomer in, which closes gaps. */
static void disturb(struct fixture *f, const struct model *start, bool *removed,
	uint32_t *newcomers, struct random *random)
{
	size_t any = (size_t)random_below(random, start->count);
	struct key wallet = wallet_of(start->items[any].wallet);
	struct id id = id_of(start->items[any].id);
	struct waiting w = {.wallet = NEWCOMER, .size = 500};

	if (random_chance(random, 400)) {
		mempool_remove(f->pool, &wallet, &id);
		removed[any] = true;
	}
	if (random_chance(random, 400) && *newcomers < 15) {
		w.id = *newcomers;
		if (put(f->pool, &w) == ERR_OK)
			(*newcomers)++;
	}
}

static void walk_and_disturb(struct fixture *f, struct random *random)
{
	unsigned answers[ERR_BEHIND + 1] = {0};
	bool removed[TXS_MAX] = {false};
	struct model start = {0};
	struct mempool_item item;
	uint32_t newcomers = 0, newcomers_seen = 0;
	uint64_t cursor = 0;
	size_t at = 0;

	for (int i = 0; i < 30; i++)
		random_put(f, &start, random, answers);
	while (mempool_next(f->pool, &cursor, &item)) {
		if (item.wallet.bytes[KEY_SIZE - 1] == NEWCOMER) {
			struct id id = id_of(newcomers_seen++);
			assert_true(id_equal(&item.id, &id));
		} else {
			while (at < start.count && removed[at])
				at++;
			assert_true(at < start.count);
			compare_item(f->pool, &item, &start.items[at++]);
			if (random_chance(random, 500))
				mempool_remove(f->pool, &item.wallet, &item.id);
		}
		disturb(f, &start, removed, &newcomers, random);
	}
	while (at < start.count && removed[at])
		at++;
	assert_int_equal(at, start.count);
	assert_int_equal(newcomers_seen, newcomers);
}

/* A walk sees all that was there from its start to its end and whatever came,
 * once and in order. */
static void test_walk_while_changing(void **state)
{
	struct mempool_item item;
	struct random random;
	struct fixture f;

	(void)state;
	random_seed(&random, 5);
	fixture_init(&f, TXS_MAX, BYTES_MAX);
	for (int round = 0; round < 1000; round++) {
		uint64_t cursor = 0;

		walk_and_disturb(&f, &random);
		while (mempool_next(f.pool, &cursor, &item))
			mempool_remove(f.pool, &item.wallet, &item.id);
		assert_int_equal(mempool_count(f.pool), 0);
		assert_int_equal(mempool_bytes_used(f.pool), 0);
	}
	free(f.memory);
}

/* What is borrowed stays until the next put, whatever is removed. */
static void test_remove_moves_nothing(void **state)
{
	struct mempool_item items[20];
	struct fixture f;
	uint64_t cursor = 0;

	(void)state;
	fixture_init(&f, TXS_MAX, BYTES_MAX);
	for (uint32_t i = 0; i < 20; i++) {
		struct waiting w = {.id = i, .size = 100};
		assert_int_equal(put(f.pool, &w), ERR_OK);
	}
	for (uint32_t i = 0; i < 20; i++)
		assert_true(mempool_next(f.pool, &cursor, &items[i]));
	for (uint32_t i = 0; i < 20; i++) {
		struct waiting w = {.id = i, .size = 100};
		uint8_t bytes[100];

		mempool_remove(f.pool, &items[i].wallet, &items[i].id);
		fill(bytes, &w);
		assert_memory_equal(items[i].bytes.data, bytes, 100);
	}
	free(f.memory);
}

/* One that stays for ever does not keep others from coming and going: neither
 * a small one behind which bytes are left, nor a large one and places. */
static void come_and_go(uint32_t size_of_stays, uint32_t size_max)
{
	struct waiting stays = {.wallet = 9, .id = 1, .size = size_of_stays};
	struct mempool_item item;
	struct fixture f;

	fixture_init(&f, 4, 4000);
	assert_int_equal(put(f.pool, &stays), ERR_OK);
	for (uint32_t i = 0; i < 5000; i++) {
		struct waiting w = {.id = i % 100, .size = 1 + i % size_max};
		struct key wallet = wallet_of(0);
		struct id id = id_of(w.id);
		uint64_t cursor = 0;

		assert_int_equal(put(f.pool, &w), ERR_OK);
		assert_true(mempool_next(f.pool, &cursor, &item));
		assert_int_equal(item.wallet.bytes[KEY_SIZE - 1], 9);
		assert_true(mempool_next(f.pool, &cursor, &item));
		assert_true(id_equal(&item.id, &id));
		mempool_remove(f.pool, &wallet, &id);
	}
	free(f.memory);
}

static void test_one_that_stays(void **state)
{
	(void)state;
	come_and_go(10, 3990);
	come_and_go(3000, 1);
}

static void test_limits(void **state)
{
	struct waiting w = {.size = 100};
	struct fixture f;

	(void)state;
	fixture_init(&f, 2, 200);
	w.size = 201;
	assert_int_equal(put(f.pool, &w), ERR_BUSY);
	w.size = 200;
	assert_int_equal(put(f.pool, &w), ERR_OK);
	w.id = 1;
	w.size = 1;
	assert_int_equal(put(f.pool, &w), ERR_BUSY);
	free(f.memory);

	fixture_init(&f, 2, 200);
	for (w.id = 0; w.id < 2; w.id++)
		assert_int_equal(put(f.pool, &w), ERR_OK);
	assert_int_equal(put(f.pool, &w), ERR_BUSY);
	/* A full pool still says what it has. */
	w.id = 1;
	assert_int_equal(put(f.pool, &w), ERR_EXISTS);
	w.content = 1;
	assert_int_equal(put(f.pool, &w), ERR_REPLAY);
	struct key wallet = wallet_of(0);
	struct id id = id_of(1);
	mempool_remove(f.pool, &wallet, &id);
	mempool_remove(f.pool, &wallet, &id);
	assert_int_equal(mempool_count(f.pool), 1);
	assert_int_equal(put(f.pool, &w), ERR_OK);
	free(f.memory);
}

static void init_unaligned(void *memory)
{
	mempool_init((uint8_t *)memory + 8, 1, 1);
}

static void test_misuse_aborts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, TXS_MAX, BYTES_MAX);
	assert_true(unit_aborts(init_unaligned, f.memory));
	free(f.memory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_walk_while_changing),
		cmocka_unit_test(test_remove_moves_nothing),
		cmocka_unit_test(test_one_that_stays),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_misuse_aborts),
	};
	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
