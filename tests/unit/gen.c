/* tests/unit/gen.c -- every generated codec: random round trips, every cut,
 * changed bytes, the golden vectors, and limits that an encoder keeps.
 */
#include "unit.h"

#include <string.h>

#include "gen/common.h"
#include "gen/contract.h"
#include "gen/ledger.h"
#include "gen/request.h"
#include "gen/table.h"
#include "support/vectors.h"
#include "support/wire_any.h"

enum {
	SIZE_MAX_HERE = 1 << 17,
	PLACES = 400, /* tried in a message that is longer */
};

static uint8_t sample[SIZE_MAX_HERE], again[SIZE_MAX_HERE];

/* Every place of a short message, PLACES of a long one. */
static size_t place(struct random *random, size_t i, size_t size)
{
	return size <= PLACES ? i : (size_t)random_below(random, size);
}

static void check_cuts(
	const struct schema_rule *rule, size_t size, struct random *random)
{
	for (size_t i = 0; i < size && i < PLACES; i++) {
		struct view cut = view_of(sample, place(random, i, size));

		assert_int_not_equal(
			wire_check(rule, cut, again, sizeof(again)), ERR_OK);
	}
	sample[size] = (uint8_t)random_next(random);
	assert_int_not_equal(wire_check(rule, view_of(sample, size + 1), again,
				     sizeof(again)),
		ERR_OK);
}

static void check_changes(
	const struct schema_rule *rule, size_t size, struct random *random)
{
	for (size_t i = 0; i < size && i < PLACES; i++) {
		uint8_t *byte = &sample[place(random, i, size)];
		uint8_t old = *byte;

		*byte = (uint8_t)(old + 1 + random_below(random, 255));
		(void)wire_check(
			rule, view_of(sample, size), again, sizeof(again));
		*byte = old;
	}
}

static void test_random(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 7);
	for (size_t i = 0; i < SCHEMA_RULES; i++) {
		const struct schema_rule *rule = &schema_rules[i];

		for (int round = 0; round < 20; round++) {
			size_t size = wire_sample(
				sample, sizeof(sample), rule, &random);

			assert_true(size > 0);
			assert_int_equal(wire_check(rule, view_of(sample, size),
						 again, sizeof(again)),
				ERR_OK);
			check_cuts(rule, size, &random);
			check_changes(rule, size, &random);
		}
	}
}

/* ---- schemas/vectors.txt ---- */

static void test_vectors(void **state)
{
	struct vector vector;
	bool seen[SCHEMA_RULES] = {false};
	FILE *file = vectors_open();

	(void)state;
	while (vectors_next(file, &vector)) {
		const struct schema_rule *rule = schema_find(vector.name);

		if (vector.name[0] == '\0')
			continue;
		assert_non_null(rule);
		seen[rule - schema_rules] = true;
		assert_int_equal(
			wire_check(rule, view_of(vector.bytes, vector.size),
				again, sizeof(again)),
			ERR_OK);
	}
	fclose(file);
	for (size_t i = 0; i < SCHEMA_RULES; i++)
		assert_true(seen[i]);
}

static void assert_text(struct view view, const char *text)
{
	assert_true(view_equal(view, view_text(text)));
}

/* The members land in the fields of their name. */
static void test_fields(void **state)
{
	struct vector vector;
	struct tx tx;
	struct op_reserve op;

	(void)state;
	vectors_find(&vector, "tx", "pair");
	assert_int_equal(
		tx_decode(&tx, view_of(vector.bytes, vector.size)), ERR_OK);
	assert_int_equal(tx.id.bytes[1], 0x11);
	assert_int_equal(tx.wallet.bytes[0], 0x03);
	assert_int_equal(tx.valid_until, UINT64_C(1767225720000));
	assert_int_equal(tx.mode, 0);
	assert_int_equal(tx.ops_count, 2);
	assert_int_equal(tx.ops[1].kind, OP_RESERVE);
	assert_int_equal(op_reserve_decode(&op, tx.ops[1].body), ERR_OK);
	assert_text(op.port, "narita");
	assert_text(op.pad, "b2");
	assert_int_equal(op.start, UINT64_C(1767227100000));
	assert_int_equal(op.end, UINT64_C(1767227400000));
	assert_text(op.aircraft, "JA001P");
	assert_int_equal(op.pair, 1);
	assert_int_equal(op.movement, 2);
}

static void test_refusals(void **state)
{
	struct vector vector;
	struct tx tx, zero;
	size_t size;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	vectors_find(&vector, "tx", "pair");
	vector.bytes[0] = 0x94; /* another number of members */
	memset(&tx, 0xee, sizeof(tx));
	assert_int_equal(tx_decode(&tx, view_of(vector.bytes, vector.size)),
		ERR_ENCODING);
	assert_memory_equal(&tx, &zero, sizeof(tx));
	vector.bytes[0] = 0x95;
	assert_int_equal(
		tx_decode(&tx, view_of(vector.bytes, vector.size)), ERR_OK);
	size = tx_encode(again, vector.size, &tx);
	assert_int_equal(size, vector.size);
	assert_int_equal(tx_encode(again, vector.size - 1, &tx), 0);
	tx.mode = 2;
	assert_int_equal(tx_encode(again, sizeof(again), &tx), 0);
	tx.mode = 1;
	tx.ops_count = 0;
	assert_int_equal(tx_encode(again, sizeof(again), &tx), 0);
	tx.ops_count = TX_OPS_MAX + 1;
	assert_int_equal(tx_encode(again, sizeof(again), &tx), 0);
}

/* A block is longer than the limit before any of its lists is. */
static void test_limit(void **state)
{
	static struct block block;
	static uint8_t item[30000];
	size_t size;

	(void)state;
	block.header = view_of(item, 200);
	block.txs_count = 1;
	block.txs[0] = view_of(item, sizeof(item));
	block.receipts_count = 1;
	block.receipts[0] = view_of(item, 29000);
	size = block_encode(again, sizeof(again), &block);
	assert_true(size > 59000 && size < 60000);
	assert_int_equal(block_decode(&block, view_of(again, size)), ERR_OK);
	block.receipts[0] = view_of(item, sizeof(item));
	assert_int_equal(block_encode(again, sizeof(again), &block), 0);
	assert_int_equal(
		block_decode(&block, view_of(again, 60001)), ERR_LENGTH);
}

static void test_table(void **state)
{
	(void)state;
	assert_string_equal(message_name(MESSAGE_TX), "tx");
	assert_string_equal(message_name(MESSAGE_TOPIC_CHAIN), "topic_chain");
	assert_null(message_name(0));
	assert_null(message_name(255));
	assert_true(message_signed(MESSAGE_TX));
	assert_false(message_signed(MESSAGE_HELLO));
	assert_false(message_signed(0));
	assert_string_equal(schema_of_op(OP_CANCEL)->name, "op_cancel");
	assert_null(schema_of_op(0));
	assert_null(schema_find("no_such_rule"));
	assert_int_equal(schema_find("block")->bytes_max, 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
