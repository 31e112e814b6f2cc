/* tests/unit/block.c -- a block's header: opened, refused by name, verified.
 */
#include "unit.h"

#include <string.h>

#include "crypto/merkle.h"
#include "ledger/block.h"
#include "ledger/envelope.h"

static const struct hash network = {{0x4e}};
static struct keypair proposer;

struct fixture {
	struct header header;
	struct signature signature;
	uint8_t header_bytes[512];
	size_t header_size;
	uint8_t bytes[BLOCK_BYTES_MAX + 1];
	size_t size;
};

static void encode(struct fixture *f)
{
	static const uint8_t item[] = {1, 2, 3};
	static struct block block;

	f->header_size = header_encode(
		f->header_bytes, sizeof(f->header_bytes), &f->header);
	assert_true(f->header_size > 0);
	struct view view = view_of(f->header_bytes, f->header_size);
	signature_make(&f->signature, &proposer, "block", &network, view);
	block = (struct block){
		.header = view,
		.signature = f->signature,
		.txs_count = 2,
		.txs = {view_of(item, 3), view_of(item, 2)},
		.receipts_count = 1,
		.receipts = {view_of(item, 1)},
	};
	f->size = block_encode(f->bytes, sizeof(f->bytes), &block);
	assert_true(f->size > 0);
}

static void fixture_init(struct fixture *f)
{
	static const uint8_t engine[64] = {9};

	memset(f, 0, sizeof(*f));
	f->header = (struct header){
		.version = 1,
		.network = network,
		.chain = 1,
		.height = 77,
		.parent = {{2}},
		.time = 1700000000000,
		.proposer = proposer.key,
		.tx_root = {{3}},
		.receipt_root = {{4}},
		.state_root = {{5}},
		.engine = view_of(engine, 5),
	};
	encode(f);
}

/* What block_open says, having seen that it writes nothing on an error and that
 * block_open_header agrees. */
static enum err open_fixture(const struct fixture *f)
{
	struct block_ref block, before;
	enum err whole, alone;

	memset(&block, 0x5a, sizeof(block));
	memcpy(&before, &block, sizeof(block));
	alone = block_open_header(&block,
		view_of(f->header_bytes, f->header_size), &f->signature,
		&network);
	if (alone != ERR_OK)
		assert_memory_equal(&block, &before, sizeof(block));
	memcpy(&block, &before, sizeof(block));
	whole = block_open(&block, view_of(f->bytes, f->size), &network);
	if (whole != ERR_OK)
		assert_memory_equal(&block, &before, sizeof(block));
	assert_int_equal(whole, alone);
	return whole;
}

static void test_open(void **state)
{
	static struct fixture f;
	struct block_ref block;

	(void)state;
	fixture_init(&f);
	assert_int_equal(open_fixture(&f), ERR_OK);
	assert_int_equal(
		block_open(&block, view_of(f.bytes, f.size), &network), ERR_OK);
	struct view header = view_of(f.header_bytes, f.header_size);
	struct hash hash = hash_bytes(header);
	assert_true(hash_equal(&block.hash, &hash));
	assert_true(view_equal(block.header_bytes, header));
	assert_in_range((uintptr_t)block.header_bytes.data, (uintptr_t)f.bytes,
		(uintptr_t)f.bytes + 8);
	assert_int_equal(block.bytes.size, f.size);
	assert_true(block.header.height == 77);
	assert_true(key_equal(&block.header.proposer, &proposer.key));
	assert_true(view_equal(block.header.engine, f.header.engine));
	assert_int_equal(block_verify(&block, &network), ERR_OK);

	assert_int_equal(
		block_open_header(&block, header, &f.signature, &network),
		ERR_OK);
	assert_int_equal(block.bytes.size, 0);
	assert_true(hash_equal(&block.hash, &hash));
	assert_int_equal(block_verify(&block, &network), ERR_OK);
}

static void test_open_refuses(void **state)
{
	static struct fixture f;

	(void)state;
	fixture_init(&f);
	f.header.version = 0;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_VERSION);
	f.header.version = 2;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_VERSION);

	fixture_init(&f);
	f.header.network.bytes[31] = 1;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_NETWORK);

	fixture_init(&f);
	f.header.height = 0;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_PARENT);
	f.header.height = 1;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_OK);
	f.header.height = 9007199254740991;
	encode(&f);
	assert_int_equal(open_fixture(&f), ERR_OK);
}

/* Not the encoding of any header, though the block around it is well-formed. */
static void test_open_refuses_bad_header(void **state)
{
	static struct block block;
	static struct fixture f;
	uint8_t header[400] = {0};
	struct block_ref opened;

	(void)state;
	fixture_init(&f);
	memcpy(header, f.header_bytes, f.header_size);
	block.signature = f.signature;
	for (size_t size = 200; size <= sizeof(header); size++) {
		block.header = view_of(header, size);
		f.size = block_encode(f.bytes, sizeof(f.bytes), &block);
		assert_true(f.size > 0);
		enum err err =
			block_open(&opened, view_of(f.bytes, f.size), &network);
		assert_int_equal(
			err, size == f.header_size ? ERR_OK : ERR_ENCODING);
	}
}

static void test_open_refuses_cuts(void **state)
{
	static struct fixture f;
	struct block_ref block;

	(void)state;
	fixture_init(&f);
	assert_int_equal(
		block_open(&block, view_of(f.bytes, f.size), &network), ERR_OK);
	/* Up to the header, then the signature with its head of two bytes. */
	size_t needed = (size_t)(block.header_bytes.data - f.bytes) +
			f.header_size + 2 + SIGNATURE_SIZE;
	for (size_t cut = 0; cut < needed; cut++) {
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, f.bytes, cut);
		assert_int_equal(
			block_open(&block, view_of(exact, cut), &network),
			ERR_ENCODING);
		free(exact);
	}
	/* Cheap: what follows is not looked into. */
	assert_int_equal(
		block_open(&block, view_of(f.bytes, needed), &network), ERR_OK);
	assert_int_equal(
		block_open(&block, view_of(f.bytes, BLOCK_BYTES_MAX), &network),
		ERR_OK);
	assert_int_equal(
		block_open(&block, view_of(f.bytes, BLOCK_BYTES_MAX + 1),
			&network),
		ERR_LENGTH);
	f.bytes[0] = 0x93;
	assert_int_equal(block_open(&block, view_of(f.bytes, f.size), &network),
		ERR_ENCODING);
}

static void test_verify_refuses(void **state)
{
	static struct fixture f;
	struct hash elsewhere = {{0x4f}};
	struct keypair other;
	struct block_ref block;

	(void)state;
	fixture_init(&f);
	assert_int_equal(
		block_open(&block, view_of(f.bytes, f.size), &network), ERR_OK);
	assert_int_equal(block_verify(&block, &elsewhere), ERR_SIGNATURE);
	signature_make(&block.signature, &proposer, "tx", &network,
		block.header_bytes);
	assert_int_equal(block_verify(&block, &network), ERR_SIGNATURE);
	keypair_from_seed(&other, (const uint8_t[32]){8});
	signature_make(&block.signature, &other, "block", &network,
		block.header_bytes);
	assert_int_equal(block_verify(&block, &network), ERR_SIGNATURE);
	signature_make(&block.signature, &proposer, "block", &network,
		block.header_bytes);
	assert_int_equal(block_verify(&block, &network), ERR_OK);
}

static void root_of_too_many(void *items)
{
	block_items_root(items, BLOCK_TXS_MAX + 1);
}

static void test_items_root(void **state)
{
	static struct view items[BLOCK_TXS_MAX + 1];
	static struct hash leaves[BLOCK_TXS_MAX];
	static uint8_t data[BLOCK_TXS_MAX];

	(void)state;
	for (size_t i = 0; i < BLOCK_TXS_MAX; i++) {
		data[i] = (uint8_t)i;
		items[i] = view_of(&data[i], 1);
		leaves[i] = merkle_leaf(items[i]);
	}
	for (size_t n = 0; n <= BLOCK_TXS_MAX; n++) {
		struct hash root = block_items_root(items, n);
		struct hash expected = merkle_root(leaves, n);

		assert_true(hash_equal(&root, &expected));
	}
	assert_true(unit_aborts(root_of_too_many, items));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_open_refuses_bad_header),
		cmocka_unit_test(test_open_refuses_cuts),
		cmocka_unit_test(test_verify_refuses),
		cmocka_unit_test(test_items_root),
	};
	crypto_start();
	keypair_from_seed(&proposer, (const uint8_t[32]){7});
	return cmocka_run_group_tests(tests, NULL, NULL);
}
