/* tests/unit/tx.c -- a transaction's envelope: what is sealed opens, and
 * everything else is refused by name.
 */
#include "unit.h"

#include <string.h>

#include "ledger/block.h"
#include "ledger/envelope.h"

static const struct hash network = {{0x4e}};
static struct keypair alice, bob;
static uint8_t op_body[512];

static struct tx body_of(size_t ops)
{
	struct tx tx = {
		.id = {{1, 2, 3}},
		.wallet = alice.key,
		.valid_until = 1700000000000,
		.mode = 1,
		.ops_count = ops,
	};

	for (size_t i = 0; i < ops; i++)
		tx.ops[i] = (struct op){
			.kind = i + 1,
			.body = view_of(op_body, i * 8),
		};
	return tx;
}

/* Envelopes that tx_seal would not make. */
struct forged {
	uint8_t bytes[ENVELOPE_BYTES_MAX];
	uint8_t body[ENVELOPE_BODY_BYTES_MAX];
	struct envelope envelope;
	struct signature signature;
};

static void forge(struct forged *f)
{
	struct tx tx = body_of(3);
	size_t size = tx_encode(f->body, sizeof(f->body), &tx);

	assert_true(size > 0);
	memset(&f->signature, 1, sizeof(f->signature));
	f->envelope = (struct envelope){
		.version = 1,
		.type = MESSAGE_TX,
		.sender = alice.key,
		.body = view_of(f->body, size),
		.signature = view_of(&f->signature, sizeof(f->signature)),
	};
}

/* What tx_open says, having seen that it writes nothing on an error. */
static enum err open_bytes(const uint8_t *bytes, size_t size)
{
	static struct tx_view tx, before;
	uint8_t *exact = malloc(size > 0 ? size : 1);

	/* On the heap and no longer than it is: a sanitizer sees an overrun. */
	assert_non_null(exact);
	memcpy(exact, bytes, size);
	memset(&tx, 0x5a, sizeof(tx));
	memcpy(&before, &tx, sizeof(tx));
	enum err err = tx_open(&tx, view_of(exact, size));
	if (err != ERR_OK)
		assert_memory_equal(&tx, &before, sizeof(tx));
	free(exact);
	return err;
}

static enum err open_forged(struct forged *f)
{
	size_t size = envelope_encode(f->bytes, sizeof(f->bytes), &f->envelope);

	assert_true(size > 0);
	return open_bytes(f->bytes, size);
}

static void test_seal_and_open(void **state)
{
	uint8_t bytes[TX_BYTES_MAX];

	(void)state;
	for (size_t ops = 1; ops <= TX_OPS_MAX; ops++) {
		struct tx body = body_of(ops);
		struct tx_view tx;
		size_t size = tx_seal(bytes, &body, &alice, &network);

		assert_true(size > 0);
		assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
		assert_int_equal(tx_verify(&tx, &network), ERR_OK);
		assert_ptr_equal(tx.bytes.data, bytes);
		assert_int_equal(tx.bytes.size, size);
		struct hash hash = hash_bytes(tx.signed_bytes);
		assert_true(hash_equal(&tx.hash, &hash));
		assert_true(id_equal(&tx.body.id, &body.id));
		assert_true(key_equal(&tx.body.wallet, &alice.key));
		assert_true(tx.body.valid_until == body.valid_until);
		assert_true(tx.body.mode == 1);
		assert_int_equal(tx.body.ops_count, ops);
		for (size_t i = 0; i < ops; i++) {
			assert_true(tx.body.ops[i].kind == i + 1);
			assert_true(view_equal(
				tx.body.ops[i].body, body.ops[i].body));
		}
	}
}

static void test_largest_fits(void **state)
{
	static uint8_t bytes[TX_BYTES_MAX];
	struct tx body = body_of(TX_OPS_MAX);
	struct tx_view tx;

	(void)state;
	body.valid_until = 4102444800000;
	for (size_t i = 0; i < TX_OPS_MAX; i++)
		body.ops[i] =
			(struct op){.kind = 255, .body = view_of(op_body, 512)};
	size_t size = tx_seal(bytes, &body, &alice, &network);
	assert_in_range(size, 33000, TX_BYTES_MAX);
	assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
	assert_int_equal(tx_verify(&tx, &network), ERR_OK);
}

static void seal_for_another(void *bytes)
{
	struct tx body = body_of(1);

	tx_seal(bytes, &body, &bob, &network);
}

static void test_seal_refuses(void **state)
{
	uint8_t bytes[TX_BYTES_MAX];
	struct tx body = body_of(0);

	(void)state;
	assert_int_equal(tx_seal(bytes, &body, &alice, &network), 0);
	body = body_of(1);
	body.mode = 2;
	assert_int_equal(tx_seal(bytes, &body, &alice, &network), 0);
	body = body_of(1);
	body.valid_until = 4102444800001;
	assert_int_equal(tx_seal(bytes, &body, &alice, &network), 0);
	assert_true(unit_aborts(seal_for_another, bytes));
}

static void test_open_refuses(void **state)
{
	static struct forged f;

	(void)state;
	forge(&f);
	assert_int_equal(open_forged(&f), ERR_OK);

	f.envelope.version = 0;
	assert_int_equal(open_forged(&f), ERR_VERSION);
	f.envelope.version = 2;
	assert_int_equal(open_forged(&f), ERR_VERSION);
	f.envelope.version = 1;

	f.envelope.type = MESSAGE_BLOCK;
	assert_int_equal(open_forged(&f), ERR_TYPE);
	f.envelope.type = 0;
	assert_int_equal(open_forged(&f), ERR_TYPE);
	f.envelope.type = MESSAGE_TX;

	f.envelope.sender = bob.key;
	assert_int_equal(open_forged(&f), ERR_KEY);
	f.envelope.sender = alice.key;

	f.envelope.signature.size = 63;
	assert_int_equal(open_forged(&f), ERR_SIGNATURE);
	f.envelope.signature.size = 0;
	assert_int_equal(open_forged(&f), ERR_SIGNATURE);
	f.envelope.signature.size = 64;

	/* A byte after the body's end, one missing, and none at all. */
	f.envelope.body.size++;
	assert_int_equal(open_forged(&f), ERR_ENCODING);
	f.envelope.body.size -= 2;
	assert_int_equal(open_forged(&f), ERR_ENCODING);
	f.envelope.body.size = 0;
	assert_int_equal(open_forged(&f), ERR_ENCODING);
	/* Longer than a body can be, and than a transaction may be. */
	f.envelope.body.size = 34000;
	assert_int_equal(open_forged(&f), ERR_ENCODING);
	f.envelope.body.size = 65000;
	assert_int_equal(open_forged(&f), ERR_LENGTH);
}

static void test_open_refuses_cuts_and_tails(void **state)
{
	uint8_t bytes[TX_BYTES_MAX + 1] = {0};
	struct tx body = body_of(2);
	size_t size = tx_seal(bytes, &body, &alice, &network);

	(void)state;
	assert_int_equal(open_bytes(bytes, size), ERR_OK);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(open_bytes(bytes, cut), ERR_ENCODING);
	assert_int_equal(open_bytes(bytes, size + 1), ERR_ENCODING);
	assert_int_equal(open_bytes(bytes, TX_BYTES_MAX + 1), ERR_LENGTH);
}

/* Whatever bit is changed, the transaction is refused, or it is another one
 * whose signature does not verify. */
static void test_every_bit_counts(void **state)
{
	uint8_t bytes[TX_BYTES_MAX];
	struct tx body = body_of(2);
	size_t size = tx_seal(bytes, &body, &alice, &network);
	unsigned opened = 0;

	(void)state;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct tx_view tx;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (tx_open(&tx, view_of(bytes, size)) == ERR_OK) {
			assert_int_equal(
				tx_verify(&tx, &network), ERR_SIGNATURE);
			opened++;
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(opened > 512);
}

static void test_verify_refuses(void **state)
{
	static struct forged f;
	uint8_t bytes[TX_BYTES_MAX];
	struct tx body = body_of(1);
	struct hash elsewhere = {{0x4f}};
	struct tx_view tx;
	size_t size = tx_seal(bytes, &body, &alice, &network);

	(void)state;
	assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
	assert_int_equal(tx_verify(&tx, &network), ERR_OK);
	assert_int_equal(tx_verify(&tx, &elsewhere), ERR_SIGNATURE);

	/* Signed as another type, and by another. */
	forge(&f);
	signature_make(
		&f.signature, &alice, "block", &network, f.envelope.body);
	size = envelope_encode(f.bytes, sizeof(f.bytes), &f.envelope);
	assert_int_equal(tx_open(&tx, view_of(f.bytes, size)), ERR_OK);
	assert_int_equal(tx_verify(&tx, &network), ERR_SIGNATURE);
	signature_make(&f.signature, &bob, "tx", &network, f.envelope.body);
	size = envelope_encode(f.bytes, sizeof(f.bytes), &f.envelope);
	assert_int_equal(tx_open(&tx, view_of(f.bytes, size)), ERR_OK);
	assert_int_equal(tx_verify(&tx, &network), ERR_SIGNATURE);
	signature_make(&f.signature, &alice, "tx", &network, f.envelope.body);
	size = envelope_encode(f.bytes, sizeof(f.bytes), &f.envelope);
	assert_int_equal(tx_open(&tx, view_of(f.bytes, size)), ERR_OK);
	assert_int_equal(tx_verify(&tx, &network), ERR_OK);
}

/* The same body is the same transaction, whatever the signature. */
static void test_hash_is_of_the_body(void **state)
{
	static struct forged f;
	uint8_t bytes[TX_BYTES_MAX];
	struct tx body = body_of(3);
	struct tx_view sealed, forged;
	size_t size = tx_seal(bytes, &body, &alice, &network);

	(void)state;
	assert_int_equal(tx_open(&sealed, view_of(bytes, size)), ERR_OK);
	forge(&f);
	size = envelope_encode(f.bytes, sizeof(f.bytes), &f.envelope);
	assert_int_equal(tx_open(&forged, view_of(f.bytes, size)), ERR_OK);
	assert_false(view_equal(sealed.bytes, forged.bytes));
	assert_true(hash_equal(&sealed.hash, &forged.hash));
	/* Sealing again gives the same bytes. */
	assert_int_equal(
		tx_seal(f.bytes, &body, &alice, &network), sealed.bytes.size);
	assert_memory_equal(f.bytes, bytes, sealed.bytes.size);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal_and_open),
		cmocka_unit_test(test_largest_fits),
		cmocka_unit_test(test_seal_refuses),
		cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_open_refuses_cuts_and_tails),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_verify_refuses),
		cmocka_unit_test(test_hash_is_of_the_body),
	};
	crypto_start();
	keypair_from_seed(&alice, (const uint8_t[32]){1});
	keypair_from_seed(&bob, (const uint8_t[32]){2});
	memset(op_body, 0x6f, sizeof(op_body));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
