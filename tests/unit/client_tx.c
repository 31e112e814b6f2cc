/* tests/unit/client_tx.c -- transactions as they are built: what is wrong is
 * said at once, and what is right is what the schema says.
 */
#include "unit.h"

#include <string.h>

#include "gen/contract.h"
#include <perch/client.h>

static const struct perch_reserve good = {
	.port = "haneda",
	.pad = "a",
	.start = 1700000600000,
	.end = 1700000900000,
	.aircraft = "JA01",
};

static void test_reserve(void **state)
{
	struct perch_tx tx;
	struct op_reserve op;

	(void)state;
	perch_tx_start(&tx, PERCH_ALL);
	assert_int_equal(perch_tx_reserve(&tx, &good), PERCH_OK);
	assert_int_equal(tx.op_count, 1);
	assert_int_equal(tx.ops[0].kind, PERCH_OP_RESERVE);
	assert_int_equal(
		op_reserve_decode(&op, view_of(tx.ops[0].body, tx.ops[0].size)),
		ERR_OK);
	assert_true(view_equal(op.port, view_text("haneda")));
	assert_true(view_equal(op.pad, view_text("a")));
	assert_true(view_equal(op.aircraft, view_text("JA01")));
	assert_int_equal(op.start, good.start);
	assert_int_equal(op.end, good.end);
	assert_int_equal(op.pair, 0);
	assert_int_equal(op.movement, 0);
}

static void assert_refused(const struct perch_reserve *bad, enum perch_err err)
{
	struct perch_tx tx, before;

	perch_tx_start(&tx, PERCH_ALL);
	memcpy(&before, &tx, sizeof(tx));
	assert_int_equal(perch_tx_reserve(&tx, bad), err);
	assert_int_equal(tx.op_count, 0);
	assert_int_equal(perch_tx_pair(&tx, &good, bad), err);
	assert_int_equal(perch_tx_pair(&tx, bad, &good), err);
	assert_memory_equal(&tx, &before, sizeof(tx));
}

static void test_refusals(void **state)
{
	struct perch_reserve bad = good;

	(void)state;
	bad.port = NULL;
	assert_refused(&bad, PERCH_ERR_LENGTH);
	bad.port = "";
	assert_refused(&bad, PERCH_ERR_LENGTH);
	bad.port = "a_name_of_thirty_three_characters";
	assert_refused(&bad, PERCH_ERR_LENGTH);
	bad.port = "han.eda";
	assert_refused(&bad, PERCH_ERR_ENCODING);
	bad = good;
	bad.pad = "a b";
	assert_refused(&bad, PERCH_ERR_ENCODING);
	bad = good;
	bad.aircraft = "\xff\xfe";
	assert_refused(&bad, PERCH_ERR_ENCODING);
	bad = good;
	bad.start = -1;
	assert_refused(&bad, PERCH_ERR_TIME);
	bad = good;
	bad.end = INT64_C(4102444800001);
	assert_refused(&bad, PERCH_ERR_TIME);
}

static void test_full(void **state)
{
	struct perch_tx tx;

	(void)state;
	perch_tx_start(&tx, PERCH_EACH);
	for (int i = 0; i < PERCH_OPS_MAX - 1; i++)
		assert_int_equal(perch_tx_reserve(&tx, &good), PERCH_OK);
	assert_int_equal(perch_tx_pair(&tx, &good, &good), PERCH_ERR_FULL);
	assert_int_equal(perch_tx_cancel(&tx, &tx.id), PERCH_OK);
	assert_int_equal(perch_tx_cancel(&tx, &tx.id), PERCH_ERR_FULL);
	assert_int_equal(perch_tx_reserve(&tx, &good), PERCH_ERR_FULL);
	assert_int_equal(perch_tx_reservation(&tx, "haneda"), PERCH_ERR_FULL);
	assert_int_equal(
		perch_tx_amend(&tx, &tx.id, 1, "a", good.start, good.end),
		PERCH_ERR_FULL);
	assert_int_equal(tx.op_count, PERCH_OPS_MAX);
}

static void test_pair(void **state)
{
	struct perch_tx tx;
	struct op_reserve ops[4];

	(void)state;
	perch_tx_start(&tx, PERCH_ALL);
	assert_int_equal(perch_tx_pair(&tx, &good, &good), PERCH_OK);
	assert_int_equal(perch_tx_pair(&tx, &good, &good), PERCH_OK);
	assert_int_equal(tx.op_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			op_reserve_decode(&ops[i],
				view_of(tx.ops[i].body, tx.ops[i].size)),
			ERR_OK);
	assert_int_equal(ops[0].movement, PERCH_DEPARTURE);
	assert_int_equal(ops[1].movement, PERCH_ARRIVAL);
	assert_int_not_equal(ops[0].pair, 0);
	assert_int_equal(ops[0].pair, ops[1].pair);
	assert_int_equal(ops[2].pair, ops[3].pair);
	assert_int_not_equal(ops[0].pair, ops[2].pair);
}

static void test_others(void **state)
{
	struct perch_tx tx;
	struct perch_node node = {.name = "green_planet"};
	struct op_amend amend;
	struct op_set_node set_node;

	(void)state;
	perch_tx_start(&tx, PERCH_ALL);
	assert_int_equal(
		perch_tx_amend(&tx, &tx.id, 7, "b", good.start, good.end),
		PERCH_OK);
	assert_int_equal(op_amend_decode(&amend,
				 view_of(tx.ops[0].body, tx.ops[0].size)),
		ERR_OK);
	assert_int_equal(amend.version, 7);
	assert_int_equal(perch_tx_reservation(&tx, "haneda"), PERCH_OK);
	assert_int_equal(perch_tx_set_node(&tx, &node, PERCH_NODE_VOTER, NULL),
		PERCH_OK);
	assert_int_equal(op_set_node_decode(&set_node,
				 view_of(tx.ops[2].body, tx.ops[2].size)),
		ERR_OK);
	assert_int_equal(set_node.role, 2);
	assert_int_equal(set_node.peer.size, 0);
	node.name[0] = '\0';
	assert_int_equal(perch_tx_set_node(&tx, &node, PERCH_NODE_VOTER, NULL),
		PERCH_ERR_LENGTH);
	assert_int_equal(tx.op_count, 3);
}

static void test_ids_differ(void **state)
{
	struct perch_tx a, b;

	(void)state;
	perch_tx_start(&a, PERCH_ALL);
	perch_tx_start(&b, PERCH_ALL);
	assert_memory_not_equal(&a.id, &b.id, sizeof(a.id));
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(perch_err_name(PERCH_ERR_BEHIND), "behind");
	assert_string_equal(perch_status_name(PERCH_FINAL), "final");
	assert_string_equal(perch_state_name(PERCH_REVOKED), "revoked");
	assert_string_equal(perch_state_name(14), "unknown");
	assert_string_equal(perch_refusal_name(1), "slot_taken");
	assert_string_equal(perch_refusal_text(13, "ja"),
		"予約の状態がこの操作を許しません。履歴を確かめてください");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_ids_differ),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
