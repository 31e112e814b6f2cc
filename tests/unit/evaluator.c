/* tests/unit/evaluator.c -- final blocks by a node that forged a transaction:
 * all in them is as they say, only that its wallet did not sign.
 */
#include "site.h"
#include "directory.h"

#include "contract/evaluator.h"

enum { BLOCKS = 200, MANY = 7 };

struct trial {
	struct genesis *genesis;
	struct site maker;
	struct paper paper;
	uint64_t number;
	char directory[PATH_SIZE], data[PATH_SIZE];
	struct evaluator evaluator;
};

static struct trial *trial_new(void)
{
	struct trial *t = calloc(1, sizeof(*t));
	struct evaluator *evaluator = &t->evaluator;
	char why[WHY_MAX];

	crypto_start();
	t->genesis = genesis_new();
	site_open(&t->maker, t->genesis, &state_limits_default);
	directory_make(t->directory);
	path_of(t->data, t->directory, "data");
	evaluator->genesis = t->genesis;
	evaluator->self = node_pair(1);
	enum err err = archive_open(&evaluator->archive, t->data, why);
	assert_int_equal(err, ERR_OK);
	assert_int_equal(execute_open(evaluator, why), ERR_OK);
	err = bus_open(&evaluator->bus, node_pair(1));
	assert_int_equal(err, ERR_OK);
	err = verifier_start(&evaluator->verifier, evaluator->bus);
	assert_int_equal(err, ERR_OK);
	return t;
}

static void trial_free(struct trial *t)
{
	verifier_stop(&t->evaluator.verifier);
	free(t->evaluator.gathering);
	bus_close(&t->evaluator.bus);
	archive_close(&t->evaluator.archive);
	directory_remove(t->directory);
	site_close(&t->maker);
	free(t->genesis);
	free(t);
}

/* ALICE's next transaction; forged: with a signature that is none of hers. */
static void put(struct trial *t, bool forged)
{
	uint8_t bytes[TX_BYTES_MAX];
	struct tx_view tx;

	paper_begin(&t->paper, ALICE, ++t->number, T0 + MINUTE, TX_MODE_ALL);
	paper_reservation(&t->paper, "east");
	size_t size = tx_seal(
		bytes, &t->paper.tx, who_pair(ALICE), &t->genesis->network);
	assert_true(size > SIGNATURE_SIZE);
	bytes[size - SIGNATURE_SIZE] ^= forged;
	assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
	enum err err = tx_verify(&tx, &t->genesis->network);
	assert_int_equal(err, forged ? ERR_SIGNATURE : ERR_OK);
	assert_int_equal(mempool_put(t->maker.pool, &tx, true), ERR_OK);
}

/* A block of many, of which the last is forged or none. */
static bool execute(struct trial *t, bool forged)
{
	uint64_t height = chain_tip(t->maker.chain).height + 1;

	for (int i = 1; i <= MANY; i++)
		put(t, forged && i == MANY);
	struct block_ref block =
		build(&t->maker, T0 + (time_ms)height * 10, true);
	assert_int_equal(block.header.height, height);
	return execute_block(&t->evaluator, block.bytes);
}

/* Height of the state that a restart would go on from. */
static uint64_t kept(struct trial *t)
{
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
	struct block_ref head;
	struct view snapshot;

	if (!archive_snapshot(t->evaluator.archive, &head, header,
		    &t->genesis->network, &snapshot))
		return 0;
	free((void *)snapshot.data);
	return head.header.height;
}

static void test_signed(void **unused)
{
	struct trial *t = trial_new();

	(void)unused;
	for (int i = 0; i < BLOCKS; i++)
		assert_true(execute(t, false));
	assert_true(check_settle(&t->evaluator));
	assert_false(t->evaluator.alarmed);
	execute_save(&t->evaluator, true);
	assert_int_equal(kept(t), BLOCKS);
	trial_free(t);
}

/* Found wherever it is, and nothing that follows from it is kept. */
static void test_forged(void **unused)
{
	struct trial *t = trial_new();

	(void)unused;
	for (int i = 0; i < 3; i++)
		assert_true(execute(t, false));
	execute_save(&t->evaluator, true);
	assert_int_equal(kept(t), 3);
	for (int i = 0; i < BLOCKS; i++)
		execute(t, i == BLOCKS / 2);
	assert_false(check_settle(&t->evaluator));
	assert_true(t->evaluator.alarmed);
	execute_save(&t->evaluator, true);
	assert_int_equal(kept(t), 3);
	trial_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
