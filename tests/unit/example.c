/* tests/unit/example.c -- the worked example of schemas/README.md: what Python
 * derived, hashed and signed is what Perch derives, hashes and signs.
 */
#include "unit.h"

#include <string.h>

#include "crypto/crypto.h"
#include "crypto/merkle.h"
#include "gen/common.h"
#include "gen/contract.h"
#include "gen/ledger.h"
#include "gen/request.h"
#include "gen/table.h"
#include "support/vectors.h"

static void assert_value(const void *bytes, size_t size, const char *label)
{
	struct vector vector;

	vectors_find(&vector, "", label);
	assert_int_equal(size, vector.size);
	assert_memory_equal(bytes, vector.bytes, size);
}

static void pair_of(struct keypair *out, const char *label)
{
	struct vector vector;

	vectors_find(&vector, "", label);
	assert_int_equal(vector.size, 32);
	keypair_from_seed(out, vector.bytes);
}

static void network_of(struct hash *out)
{
	struct vector vector;

	vectors_find(&vector, "", "network");
	assert_int_equal(vector.size, sizeof(out->bytes));
	memcpy(out->bytes, vector.bytes, vector.size);
}

static struct view view_of_vector(const struct vector *vector)
{
	return view_of(vector->bytes, vector->size);
}

static void test_keys(void **state)
{
	struct keypair wallet, node;
	struct curve_pair curve;

	(void)state;
	pair_of(&wallet, "wallet_seed");
	pair_of(&node, "node_seed");
	assert_value(wallet.key.bytes, KEY_SIZE, "wallet_key");
	assert_value(node.key.bytes, KEY_SIZE, "node_key");
	curve_from_keypair(&curve, &wallet);
	assert_value(curve.public_key, 32, "wallet_curve_key");
	assert_value(curve.secret_key, 32, "wallet_curve_secret");
}

/* An envelope of the file is what its body and the key give. */
static void check_envelope(const char *label, const char *seed)
{
	struct vector vector;
	struct envelope envelope, again;
	struct signature signature;
	struct keypair pair;
	struct hash network;
	const char *type;
	uint8_t bytes[VECTOR_BYTES_MAX];

	network_of(&network);
	pair_of(&pair, seed);
	vectors_find(&vector, "envelope", label);
	assert_int_equal(
		envelope_decode(&envelope, view_of_vector(&vector)), ERR_OK);
	type = message_name((uint8_t)envelope.type);
	assert_non_null(type);
	assert_true(message_signed((uint8_t)envelope.type));
	signature_make(&signature, &pair, type, &network, envelope.body);
	again = (struct envelope){.version = 1,
		.type = envelope.type,
		.sender = pair.key,
		.body = envelope.body,
		.signature = view_of(signature.bytes, SIGNATURE_SIZE)};
	assert_int_equal(
		envelope_encode(bytes, sizeof(bytes), &again), vector.size);
	assert_memory_equal(bytes, vector.bytes, vector.size);
	assert_int_equal(signature_check(&signature, &pair.key, type, &network,
				 envelope.body),
		ERR_OK);
}

static void test_envelopes(void **state)
{
	(void)state;
	check_envelope("tx", "wallet_seed");
	check_envelope("topic_block", "node_seed");
}

static void test_tx_hash(void **state)
{
	struct vector body;
	struct hash hash;

	(void)state;
	vectors_find(&body, "tx", "pair");
	hash = hash_bytes(view_of_vector(&body));
	assert_value(hash.bytes, HASH_SIZE, "tx_hash");
}

static void test_block(void **state)
{
	struct vector vector;
	struct block block;
	struct header header;
	struct keypair node;
	struct hash network, hash;

	(void)state;
	network_of(&network);
	pair_of(&node, "node_seed");
	vectors_find(&vector, "block", "height_1");
	assert_int_equal(block_decode(&block, view_of_vector(&vector)), ERR_OK);
	assert_int_equal(header_decode(&header, block.header), ERR_OK);
	hash = hash_bytes(block.header);
	assert_value(hash.bytes, HASH_SIZE, "block_hash");
	assert_true(hash_equal(&header.network, &network));
	assert_true(hash_equal(&header.parent, &network));
	assert_true(key_equal(&header.proposer, &node.key));
	assert_int_equal(signature_check(&block.signature, &header.proposer,
				 "block", &network, block.header),
		ERR_OK);
	hash = merkle_leaf(block.txs[0]);
	hash = merkle_root(&hash, 1);
	assert_true(hash_equal(&hash, &header.tx_root));
	hash = merkle_leaf(block.receipts[0]);
	hash = merkle_root(&hash, 1);
	assert_true(hash_equal(&hash, &header.receipt_root));
}

/* The steps of README.md, from a port's record up to the state root. */
static void test_proof(void **state)
{
	struct vector vector;
	struct proof proof;
	struct header header;
	struct hash leaf, live, ports, root;
	uint8_t port[RECORD_PORT_BYTES_MAX + HASH_SIZE];

	(void)state;
	vectors_find(&vector, "proof", "narita");
	assert_int_equal(proof_decode(&proof, view_of_vector(&vector)), ERR_OK);
	assert_int_equal(header_decode(&header, proof.header), ERR_OK);
	assert_int_equal(signature_check(&proof.signature, &header.proposer,
				 "block", &header.network, proof.header),
		ERR_OK);
	assert_int_equal(proof.buckets_count, 256);
	live = merkle_root(proof.buckets, proof.buckets_count);
	assert_true(hash_equal(&live, &proof.live));
	assert_value(live.bytes, HASH_SIZE, "proof_live");
	memcpy(port, proof.port.data, proof.port.size);
	memcpy(port + proof.port.size, live.bytes, HASH_SIZE);
	leaf = merkle_leaf(view_of(port, proof.port.size + HASH_SIZE));
	assert_int_equal(merkle_root_from_path(&ports, &leaf, proof.index,
				 proof.count, proof.path, proof.path_count),
		ERR_OK);
	const struct view parts[] = {view_text("perch/state"),
		view_of(ports.bytes, HASH_SIZE),
		view_of(proof.rest.bytes, HASH_SIZE)};
	root = hash_parts(parts, 3);
	assert_true(hash_equal(&root, &header.state_root));
	assert_value(root.bytes, HASH_SIZE, "proof_state_root");
}

static void test_merkle(void **state)
{
	uint8_t item[8];
	char label[] = "merkle_root_0";

	(void)state;
	for (size_t count = 0; count < 8; count++) {
		struct hash leaves[8], root;

		for (size_t i = 0; i < count; i++) {
			memset(item, (int)i, i);
			leaves[i] = merkle_leaf(view_of(item, i));
		}
		root = merkle_root(leaves, count);
		label[sizeof(label) - 2] = (char)('0' + count);
		assert_value(root.bytes, HASH_SIZE, label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_tx_hash),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_merkle),
	};

	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
