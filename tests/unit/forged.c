/* tests/unit/forged.c -- what a block must not be: each thing in it changed,
 * and the name of the error. Nothing has changed when a block is refused.
 */
#include "site.h"

struct forgery {
	struct genesis *genesis;
	struct site maker, checker;
	struct paper *paper;
	struct block_body *body;
	struct header header;
	uint8_t bytes[BLOCK_BYTES_MAX];
	uint8_t header_bytes[BLOCK_HEADER_BYTES_MAX];
};

static struct forgery *forgery_new(void)
{
	struct forgery *f = calloc(1, sizeof(*f));

	f->genesis = genesis_new();
	f->paper = malloc(sizeof(*f->paper));
	f->body = malloc(sizeof(*f->body));
	site_open(&f->maker, f->genesis, &state_limits_small);
	site_open(&f->checker, f->genesis, &state_limits_small);
	for (uint64_t i = 1; i <= 3; i++) {
		paper_begin(f->paper, ALICE, i, T0 + MINUTE, TX_MODE_ALL);
		paper_reservation(f->paper, "east");
		assert_int_equal(
			pool_put(&f->maker, f->paper, ALICE, f->genesis),
			ERR_OK);
	}
	struct block_ref block = build(&f->maker, T0 + 10, true);
	assert_int_equal(block_body_open(f->body, &block), ERR_OK);
	f->header = block.header;
	return f;
}

static void forgery_free(struct forgery *f)
{
	site_close(&f->maker);
	site_close(&f->checker);
	free(f->body);
	free(f->paper);
	free(f->genesis);
	free(f);
}

/* What the checker says to the block as it is now; nothing has changed when it
 * refuses. */
static enum err verdict(struct forgery *f, bool fix_roots)
{
	struct block *body = &f->body->decoded;
	struct block_ref block;
	struct hash before = root_of(&f->checker);
	struct chain_tip tip = chain_tip(f->checker.chain);

	if (fix_roots) {
		f->header.tx_root =
			block_items_root(body->txs, body->txs_count);
		f->header.receipt_root =
			block_items_root(body->receipts, body->receipts_count);
	}
	size_t size = header_encode(
		f->header_bytes, sizeof(f->header_bytes), &f->header);
	body->header = view_of(f->header_bytes, size);
	size = block_encode(f->bytes, sizeof(f->bytes), body);
	assert_true(size > 0);
	assert_int_equal(block_open(&block, view_of(f->bytes, size),
				 &f->genesis->network),
		ERR_OK);
	f->checker.moves->count = 1;
	enum err err =
		chain_connect(f->checker.chain, &block, f->checker.moves);
	struct hash after = root_of(&f->checker);
	struct chain_tip now = chain_tip(f->checker.chain);
	if (err != ERR_OK) {
		assert_true(hash_equal(&before, &after));
		assert_true(hash_equal(&tip.hash, &now.hash));
		assert_int_equal(tip.height, now.height);
		assert_int_equal(f->checker.moves->count, 1);
	}
	return err;
}

/* The bytes of a transaction by ALICE, kept until the next but one. */
static struct view sealed(struct forgery *f)
{
	static uint8_t bytes[2][TX_BYTES_MAX];
	static size_t turn;

	turn = !turn;
	size_t size = tx_seal(bytes[turn], &f->paper->tx, who_pair(ALICE),
		&f->genesis->network);
	assert_true(size > 0);
	return view_of(bytes[turn], size);
}

static void test_forged_header(void **unused)
{
	struct forgery *f = forgery_new();
	struct header good = f->header;

	(void)unused;
	f->header.chain = 1;
	assert_int_equal(verdict(f, false), ERR_PARENT);
	f->header = good;
	f->header.height = 2;
	assert_int_equal(verdict(f, false), ERR_PARENT);
	f->header = good;
	f->header.parent.bytes[0] ^= 1;
	assert_int_equal(verdict(f, false), ERR_PARENT);
	f->header = good;
	f->header.time = (uint64_t)T0;
	assert_int_equal(verdict(f, false), ERR_TIME);
	f->header = good;
	f->header.tx_root.bytes[31] ^= 1;
	assert_int_equal(verdict(f, false), ERR_ROOT);
	f->header = good;
	f->header.receipt_root.bytes[31] ^= 1;
	assert_int_equal(verdict(f, false), ERR_ROOT);
	f->header = good;
	f->header.state_root.bytes[0] ^= 1;
	assert_int_equal(verdict(f, false), ERR_ROOT);
	f->header = good;
	f->header.time++;
	assert_int_equal(verdict(f, false), ERR_ROOT);
	f->header = good;
	assert_int_equal(verdict(f, false), ERR_OK);
	assert_same(&f->maker, &f->checker);
	assert_int_equal(verdict(f, false), ERR_PARENT);
	forgery_free(f);
}

static void test_forged_body(void **unused)
{
	struct forgery *f = forgery_new();
	struct block *body = &f->body->decoded;
	struct block good = *body;
	struct receipt receipt;
	uint8_t bytes[1000];

	(void)unused;
	/* A receipt that says another thing. */
	assert_int_equal(receipt_decode(&receipt, body->receipts[1]), ERR_OK);
	receipt.ops[0].code = REFUSAL_QUOTA;
	body->receipts[1] =
		view_of(bytes, receipt_encode(bytes, sizeof(bytes), &receipt));
	assert_int_equal(verdict(f, true), ERR_ROOT);
	*body = good;
	/* Another order, one less, one more receipt. */
	body->txs[0] = good.txs[1];
	body->txs[1] = good.txs[0];
	assert_int_equal(verdict(f, true), ERR_ROOT);
	*body = good;
	body->txs_count = 2;
	body->receipts_count = 2;
	assert_int_equal(verdict(f, true), ERR_ROOT);
	body->txs_count = 3;
	assert_int_equal(verdict(f, true), ERR_ENCODING);
	*body = good;
	/* The same twice; the same id with other content. */
	body->txs[1] = good.txs[0];
	assert_int_equal(verdict(f, true), ERR_REPLAY);
	paper_begin(f->paper, ALICE, 1, T0 + MINUTE, TX_MODE_EACH);
	paper_reservation(f->paper, "east");
	body->txs[1] = sealed(f);
	assert_int_equal(verdict(f, true), ERR_REPLAY);
	*body = good;
	/* Past its time, and too far ahead. */
	paper_begin(f->paper, ALICE, 9, T0 + 10, TX_MODE_ALL);
	paper_reservation(f->paper, "east");
	body->txs[2] = sealed(f);
	assert_int_equal(verdict(f, true), ERR_EXPIRED);
	paper_begin(f->paper, ALICE, 9, T0 + 11 + TX_VALID_MS_MAX, TX_MODE_ALL);
	paper_reservation(f->paper, "east");
	body->txs[2] = sealed(f);
	assert_int_equal(verdict(f, true), ERR_EXPIRED);
	*body = good;
	/* Not a transaction. */
	body->txs[2] = view_of("not a transaction", 17);
	assert_int_equal(verdict(f, true), ERR_ENCODING);
	*body = good;
	assert_int_equal(verdict(f, true), ERR_OK);
	forgery_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged_header),
		cmocka_unit_test(test_forged_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
