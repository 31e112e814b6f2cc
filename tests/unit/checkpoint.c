/* tests/unit/checkpoint.c -- signatures of checkpoints: gathered, certified,
 * and two at one height found out.
 */
#include "unit.h"

#include <string.h>

#include "consensus/certify.h"

enum { NODES = 5, HEIGHTS = 4 };

static const struct hash network = {{0x55}};
static struct keypair pairs[NODES + 1]; /* the last one is no signer */
static struct signers signers;
static struct certify *certify;

static int begin(void **state)
{
	static uint8_t memory[1 << 17] __attribute__((aligned(64)));

	(void)state;
	crypto_start();
	memset(memory, 0, sizeof(memory));
	assert_true(certify_bytes(HEIGHTS) <= sizeof(memory));
	certify = certify_init(memory, HEIGHTS);
	signers = (struct signers){.count = NODES, .needed = 3};
	for (uint8_t i = 0; i <= NODES; i++) {
		uint8_t seed[32] = {i, 3};

		keypair_from_seed(&pairs[i], seed);
		if (i < NODES)
			signers.keys[i] = pairs[i].key;
	}
	return 0;
}

static struct checkpoint_statement statement_at(uint64_t height, uint8_t which)
{
	struct checkpoint_statement statement = {.height = height};

	memset(&statement.hash, which, sizeof(statement.hash));
	memset(&statement.state_root, 0x77, sizeof(statement.state_root));
	return statement;
}

static enum certify_word add(size_t node, uint64_t height, uint8_t which)
{
	struct checkpoint_statement statement = statement_at(height, which);
	struct signed_checkpoint said, before;

	checkpoint_sign(&said, &statement, &pairs[node], &network);
	assert_int_equal(checkpoint_verify(&said, &network), ERR_OK);
	enum certify_word seen = certify_look(certify, &said);
	assert_int_equal(certify_add(certify, &said, &before), seen);
	if (seen == CERTIFY_TWICE)
		assert_false(
			statement_equal(&before.statement, &said.statement));
	return seen;
}

static size_t take(uint64_t height, uint8_t which, const struct signers *also,
	uint8_t out[CERTIFICATE_BYTES_MAX])
{
	struct checkpoint_statement statement = statement_at(height, which);

	return certify_take(certify, &statement, &signers, also, out);
}

static enum err verify(struct view bytes, const struct signers *by)
{
	struct certificate certificate;
	struct checkpoint_statement out;
	enum err err = certificate_decode(&certificate, bytes);

	return err != ERR_OK
		       ? err
		       : certificate_verify(&out, &certificate, &network, by);
}

static void test_m_of_n(void **state)
{
	uint8_t bytes[CERTIFICATE_BYTES_MAX];

	(void)state;
	assert_int_equal(signers_needed(0, 5), 3);
	assert_int_equal(signers_needed(0, 4), 3);
	assert_int_equal(signers_needed(4, 5), 4);
	assert_int_equal(add(4, 9, 1), CERTIFY_NEW);
	assert_int_equal(add(4, 9, 1), CERTIFY_KNOWN);
	assert_int_equal(add(NODES, 9, 1), CERTIFY_NEW);
	assert_int_equal(add(2, 9, 1), CERTIFY_NEW);
	assert_int_equal(add(3, 9, 2), CERTIFY_NEW); /* another block */
	assert_int_equal(take(9, 1, NULL, bytes), 0);
	assert_int_equal(add(0, 9, 1), CERTIFY_NEW);
	size_t size = take(9, 1, NULL, bytes);
	assert_true(size > 0);
	assert_int_equal(verify(view_of(bytes, size), &signers), ERR_OK);
	assert_int_equal(take(9, 1, NULL, bytes), 0); /* given */
	certify_again(certify, 9);
	assert_int_equal(take(9, 1, NULL, bytes), size);
	assert_int_equal(take(9, 2, NULL, bytes), 0);
}

static void test_of_the_genesis_too(void **state)
{
	struct signers genesis = {.needed = 2, .count = 2};
	uint8_t bytes[CERTIFICATE_BYTES_MAX];

	(void)state;
	genesis.keys[0] = pairs[3].key;
	genesis.keys[1] = pairs[4].key;
	for (size_t i = 0; i < 4; i++)
		add(i, 3, 1);
	assert_int_equal(take(3, 1, &genesis, bytes), 0);
	assert_true(take(3, 1, NULL, bytes) > 0);
	certify_again(certify, 3);
	add(4, 3, 1);
	size_t size = take(3, 1, &genesis, bytes);
	assert_int_equal(verify(view_of(bytes, size), &genesis), ERR_OK);
	genesis.needed = 3;
	assert_int_equal(verify(view_of(bytes, size), &genesis), ERR_SIGNERS);
}

static void test_a_double_signer(void **state)
{
	uint8_t bytes[CERTIFICATE_BYTES_MAX];

	(void)state;
	assert_int_equal(add(1, 5, 1), CERTIFY_NEW);
	assert_int_equal(add(1, 5, 2), CERTIFY_TWICE);
	assert_int_equal(add(1, 5, 2), CERTIFY_KNOWN);
	assert_int_equal(add(1, 5, 3), CERTIFY_KNOWN); /* once is enough */
	assert_int_equal(add(1, 6, 3), CERTIFY_NEW);
	add(0, 5, 1);
	add(2, 5, 2);
	add(3, 5, 2);
	/* Only its first word counts. */
	assert_int_equal(take(5, 2, NULL, bytes), 0);
}

static void test_evidence(void **state)
{
	uint8_t bytes[2][CHECKPOINT_STATEMENT_BYTES_MAX];
	struct signed_checkpoint said[2];
	struct double_signing evidence = {.signer = pairs[1].key};
	size_t size[2];

	(void)state;
	for (uint8_t i = 0; i < 2; i++) {
		struct checkpoint_statement statement = statement_at(5, i);

		checkpoint_sign(&said[i], &statement, &pairs[1], &network);
		size[i] = checkpoint_statement_encode(
			bytes[i], sizeof(bytes[i]), &statement);
	}
	evidence.first = view_of(bytes[0], size[0]);
	evidence.second = view_of(bytes[1], size[1]);
	evidence.first_signature = said[0].signature;
	evidence.second_signature = said[1].signature;
	assert_int_equal(double_signing_verify(&evidence, &network), ERR_OK);
	evidence.second = evidence.first;
	evidence.second_signature = evidence.first_signature;
	assert_int_equal(
		double_signing_verify(&evidence, &network), ERR_ENCODING);
	evidence.second = view_of(bytes[1], size[1]);
	assert_int_equal(
		double_signing_verify(&evidence, &network), ERR_SIGNATURE);
}

static void test_the_least_used_height_goes(void **state)
{
	struct signed_checkpoint said;

	(void)state;
	for (uint64_t height = 1; height <= HEIGHTS; height++)
		add(0, height, 1);
	add(1, 1, 1); /* used again */
	add(0, HEIGHTS + 1, 1);
	assert_true(certify_find(certify, 1, &pairs[0].key, &said));
	assert_false(certify_find(certify, 2, &pairs[0].key, &said));
	assert_true(certify_find(certify, HEIGHTS + 1, &pairs[0].key, &said));
}

/* Nor can one who signs whatever it likes fill everything up. */
static void test_one_alone_drives_nobody_out(void **state)
{
	struct signed_checkpoint said;

	(void)state;
	add(0, 1, 1);
	add(1, 1, 1);
	certify_open(certify, 2);
	for (uint64_t height = 100; height < 200; height++)
		add(4, height, 1);
	assert_true(certify_find(certify, 1, &pairs[0].key, &said));
	assert_true(certify_is_open(certify, 2));
	assert_true(certify_find(certify, 199, &pairs[4].key, &said));
	assert_false(certify_find(certify, 197, &pairs[4].key, &said));
}

/* What is final already makes room for what is gathered: two heights at a time
 * must not drive each other out, or each would seem new again and again. */
static void test_what_is_final_makes_room(void **state)
{
	struct signed_checkpoint said;

	(void)state;
	for (uint64_t height = 1; height <= HEIGHTS; height++) {
		add(0, height, 1);
		add(1, height, 1);
	}
	certify_settle(certify, HEIGHTS);
	for (uint64_t height = HEIGHTS + 1; height <= HEIGHTS + 2; height++)
		add(0, height, 1);
	for (uint64_t height = HEIGHTS + 1; height <= HEIGHTS + 2; height++)
		assert_true(
			certify_find(certify, height, &pairs[0].key, &said));
	/* The newest of what is final stays, as evidence. */
	assert_true(certify_is_open(certify, HEIGHTS));
	assert_false(certify_is_open(certify, 1));
}

/* But for those that somebody waits for. */
static void test_what_is_wanted_stays(void **state)
{
	(void)state;
	certify_open(certify, 1);
	certify_settle(certify, 100);
	for (uint64_t height = 2; height < 50; height++)
		add(0, height, 1);
	assert_true(certify_is_open(certify, 1));
}

static void test_so_many_cases_are_enough(void **state)
{
	unsigned cases = 0;

	(void)state;
	for (uint64_t height = 1; height < 100; height++) {
		add(1, height, 1);
		cases += add(1, height, 2) == CERTIFY_TWICE;
	}
	assert_int_equal(cases, CERTIFY_CASES_MAX);
	add(2, 500, 1);
	assert_int_equal(add(2, 500, 2), CERTIFY_TWICE);
}

/* A message comes back as it was; every changed byte of it is refused. */
static void test_a_message(void **state)
{
	struct checkpoint_statement statement = statement_at(1000, 4);
	struct signed_checkpoint said, back;
	uint8_t bytes[CHECKPOINT_BYTES_MAX];

	(void)state;
	checkpoint_sign(&said, &statement, &pairs[0], &network);
	size_t size = checkpoint_seal(bytes, &said);
	assert_int_equal(checkpoint_open(&back, view_of(bytes, size)), ERR_OK);
	assert_true(statement_equal(&back.statement, &statement));
	assert_int_equal(checkpoint_verify(&back, &network), ERR_OK);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 1;
		if (checkpoint_open(&back, view_of(bytes, size)) == ERR_OK)
			assert_int_not_equal(
				checkpoint_verify(&back, &network), ERR_OK);
		bytes[i] ^= 1;
	}
}

/* Every single byte, to every other value. */
static void test_a_changed_certificate(void **state)
{
	uint8_t bytes[CERTIFICATE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < NODES; i++)
		add(i, 7, 1);
	size_t size = take(7, 1, NULL, bytes);
	assert_int_equal(verify(view_of(bytes, size), &signers), ERR_OK);
	for (size_t i = 0; i < size; i++) {
		uint8_t was = bytes[i];

		for (int step = 1; step < 256; step += i % 8 == 0 ? 5 : 85) {
			bytes[i] = (uint8_t)(was + step);
			assert_int_not_equal(
				verify(view_of(bytes, size), &signers), ERR_OK);
		}
		bytes[i] = was;
	}
	struct hash other = {{0x56}};
	struct certificate certificate;
	struct checkpoint_statement out;
	assert_int_equal(
		certificate_decode(&certificate, view_of(bytes, size)), ERR_OK);
	assert_int_equal(
		certificate_verify(&out, &certificate, &other, &signers),
		ERR_SIGNATURE);
	/* One signer twice is one. */
	certificate.endorsements[1] = certificate.endorsements[0];
	assert_int_equal(
		certificate_verify(&out, &certificate, &network, &signers),
		ERR_ENCODING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_m_of_n, begin),
		cmocka_unit_test_setup(test_of_the_genesis_too, begin),
		cmocka_unit_test_setup(test_a_double_signer, begin),
		cmocka_unit_test_setup(test_evidence, begin),
		cmocka_unit_test_setup(test_the_least_used_height_goes, begin),
		cmocka_unit_test_setup(test_one_alone_drives_nobody_out, begin),
		cmocka_unit_test_setup(test_what_is_final_makes_room, begin),
		cmocka_unit_test_setup(test_what_is_wanted_stays, begin),
		cmocka_unit_test_setup(test_so_many_cases_are_enough, begin),
		cmocka_unit_test_setup(test_a_message, begin),
		cmocka_unit_test_setup(test_a_changed_certificate, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
