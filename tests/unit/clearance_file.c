/* tests/unit/clearance_file.c -- a clearance in one file: what it says is what
 * the block holds, and no byte of it can be changed.
 */
#include "paper.h"

#include <perch/pass.h>

#include "contract/clearance_file.h"
#include "support/vectors.h"

enum { RECEIPT_ROOM = 2048 };

struct scene {
	struct genesis *genesis;
	struct signers signers;
	struct block block;
	struct certificate certificate;
	uint8_t statement[CHECKPOINT_STATEMENT_BYTES_MAX];
	uint8_t header[HEADER_BYTES_MAX];
	uint8_t bytes[BLOCK_BYTES_MAX];
	size_t size;
	uint8_t txs[BLOCK_TXS_MAX][1024];
	uint8_t receipts[BLOCK_TXS_MAX][RECEIPT_ROOM];
	uint8_t file[CLEARANCE_FILE_BYTES_MAX];
	size_t file_size;
};

static int begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->genesis = genesis_new();
	scene->signers = (struct signers){.needed = 2, .count = NODES};
	for (int i = 0; i < NODES; i++)
		scene->signers.keys[i] = node_pair(i)->key;
	*state = scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;

	free(scene->genesis);
	free(scene);
	return 0;
}

static struct id reservation_of(uint64_t number)
{
	return id_of(number + 1000);
}

static void add(struct scene *scene, struct paper *paper,
	const struct op_receipt *ops, uint64_t code)
{
	size_t at = scene->block.txs_count++;
	size_t size = tx_seal(scene->txs[at], &paper->tx, who_pair(ALICE),
		&scene->genesis->network);
	struct tx_view tx;

	assert_true(size > 0);
	scene->block.txs[at] = view_of(scene->txs[at], size);
	assert_int_equal(tx_open(&tx, scene->block.txs[at]), ERR_OK);
	struct receipt receipt = {.tx = tx.hash, .code = code};
	receipt.ops_count = code == 0 ? paper->tx.ops_count : 0;
	memcpy(receipt.ops, ops, receipt.ops_count * sizeof(*ops));
	size = receipt_encode(scene->receipts[at], RECEIPT_ROOM, &receipt);
	assert_true(size > 0);
	scene->block.receipts[at] = view_of(scene->receipts[at], size);
	scene->block.receipts_count++;
}

/* Alice's clear (she plays the controller) of a reservation. */
static void add_clear(
	struct scene *scene, uint64_t number, uint64_t code, size_t ops)
{
	static struct paper paper;
	uint8_t details[64][DETAIL_CLEARANCE_BYTES_MAX];
	struct op_receipt receipts[64];
	struct id ids[64];

	paper_begin(&paper, ALICE, number, T0 + MINUTE, 1);
	for (size_t i = 0; i < ops; i++) {
		ids[i] = reservation_of(number + i * 500);
		struct op_clear op = {
			.reservation = ids[i],
			.nonce = number,
			.movement = MOVEMENT_ARRIVAL,
			.until = (uint64_t)(T0 + 2 * MINUTE),
			.pad_state = 1,
			.measured = (uint64_t)T0,
		};
		struct detail_clearance detail = {
			.port = view_text("east"),
			.pad = view_text("a"),
			.aircraft = view_text("JA001P"),
			.operator= who_pair(BOB)->key,
			.movement = MOVEMENT_ARRIVAL,
			.nonce = number,
			.from = (uint64_t)T0,
			.until = (uint64_t)(T0 + 2 * MINUTE),
			.version = 3,
		};
		paper_close_op(&paper, OP_CLEAR,
			op_clear_encode(
				paper.bodies[paper.tx.ops_count], 512, &op));
		size_t size = detail_clearance_encode(
			details[i], sizeof(details[i]), &detail);
		receipts[i] = (struct op_receipt){
			.code = code,
			.reservation = view_of(&ids[i], sizeof(ids[i])),
			.details = view_of(details[i], code == 0 ? size : 0),
		};
	}
	add(scene, &paper, receipts, 0);
}

static void add_reserve(
	struct scene *scene, uint64_t number, enum reservation_state became)
{
	static struct paper paper;
	uint8_t details[DETAIL_GRANTED_BYTES_MAX];
	struct id id = reservation_of(number);
	struct detail_granted detail = {
		.port = view_text("east"),
		.pad = view_text("b"),
		.start = (uint64_t)(T0 + HOUR),
		.end = (uint64_t)(T0 + 2 * HOUR),
		.version = 1,
		.state = became,
	};

	paper_begin(&paper, ALICE, number, T0 + MINUTE, 0);
	paper_reserve(
		&paper, "east", "b", T0 + HOUR, T0 + 2 * HOUR, "JA002P", 0, 0);
	struct op_receipt receipt = {
		.reservation = view_of(&id, sizeof(id)),
		.details = view_of(details, detail_granted_encode(details,
						    sizeof(details), &detail)),
	};
	add(scene, &paper, &receipt, 0);
}

/* Header, block, and the signatures of so many nodes. */
static void close_block(struct scene *scene, size_t signatures)
{
	struct block *block = &scene->block;
	struct header header = {
		.version = 1,
		.network = scene->genesis->network,
		.height = 7,
		.time = (uint64_t)T0,
		.proposer = node_pair(0)->key,
		.tx_root = block_items_root(block->txs, block->txs_count),
		.receipt_root = block_items_root(
			block->receipts, block->receipts_count),
		.engine = view_of("\x91\x01", 2),
	};
	struct block_ref ref;

	block->header = view_of(scene->header,
		header_encode(scene->header, sizeof(scene->header), &header));
	scene->size = block_encode(scene->bytes, sizeof(scene->bytes), block);
	assert_true(scene->size > 0);
	assert_int_equal(block_open(&ref, view_of(scene->bytes, scene->size),
				 &scene->genesis->network),
		ERR_OK);
	struct checkpoint_statement statement = checkpoint_of(&ref);
	struct certificate *certificate = &scene->certificate;
	certificate->statement = view_of(scene->statement,
		checkpoint_statement_encode(scene->statement,
			sizeof(scene->statement), &statement));
	certificate->endorsements_count = 0;
	for (size_t i = 0; i < signatures; i++) {
		struct signed_checkpoint said;
		size_t at = certificate->endorsements_count++;
		struct endorsement *list = certificate->endorsements;

		checkpoint_sign(&said, &statement, node_pair((int)i),
			&scene->genesis->network);
		for (; at > 0 &&
			memcmp(&list[at - 1], &said.signer, KEY_SIZE) > 0;
			at--)
			list[at] = list[at - 1];
		list[at].signer = said.signer;
		list[at].signature = said.signature;
	}
}

static enum err make(struct scene *scene, uint64_t number)
{
	struct id id = reservation_of(number);

	return clearance_file_make(scene->file, &scene->file_size,
		view_of(scene->bytes, scene->size), &id, &scene->certificate);
}

static enum err open_file(struct scene *scene, struct clearance_paper *out)
{
	return clearance_file_open(out, view_of(scene->file, scene->file_size),
		&scene->genesis->network, &scene->signers);
}

/* In blocks of every shape, each transaction is found at its place. */
static void test_every_place(void **state)
{
	static const size_t counts[] = {1, 2, 3, 5, 6, 7, 8, 11, 64, 129};
	struct scene *scene = *state;
	struct clearance_paper paper;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		scene->block.txs_count = scene->block.receipts_count = 0;
		for (uint64_t n = 0; n < counts[i]; n++)
			add_clear(scene, n, 0, 1);
		close_block(scene, 2);
		for (uint64_t n = 0; n < counts[i]; n++) {
			struct id id = reservation_of(n);

			assert_int_equal(make(scene, n), ERR_OK);
			assert_int_equal(open_file(scene, &paper), ERR_OK);
			assert_true(id_equal(&paper.reservation, &id));
			assert_int_equal(paper.nonce, n);
			assert_true(paper.is_clearance);
		}
		assert_int_equal(make(scene, counts[i]), ERR_NOT_FOUND);
	}
}

static void test_what_it_says(void **state)
{
	struct scene *scene = *state;
	struct clearance_paper paper;

	add_reserve(scene, 1, RESERVATION_CONFIRMED);
	add_reserve(scene, 2, RESERVATION_WAITLISTED);
	add_clear(scene, 3, REFUSAL_PAD_BUSY, 1);
	add_clear(scene, 4, 0, 1);
	close_block(scene, 3);
	assert_int_equal(make(scene, 1), ERR_OK);
	assert_int_equal(open_file(scene, &paper), ERR_OK);
	assert_false(paper.is_clearance);
	assert_true(view_equal(paper.pad, view_text("b")));
	assert_true(view_equal(paper.aircraft, view_text("JA002P")));
	assert_int_equal(paper.from, T0 + HOUR);
	assert_int_equal(make(scene, 2), ERR_NOT_FOUND);
	assert_int_equal(make(scene, 3), ERR_NOT_FOUND);
	assert_int_equal(make(scene, 4), ERR_OK);
	assert_int_equal(open_file(scene, &paper), ERR_OK);
	assert_true(paper.is_clearance);
	assert_true(view_equal(paper.aircraft, view_text("JA001P")));
	assert_true(key_equal(&paper.operator, & who_pair(BOB)->key));
	assert_int_equal(paper.until, T0 + 2 * MINUTE);
	assert_int_equal(paper.signers, 3);
	assert_int_equal(paper.block.header.height, 7);
}

/* Of a block of 256, with 16 signatures, it still fits. */
static void test_it_fits(void **state)
{
	struct scene *scene = *state;
	struct clearance_paper paper;

	for (uint64_t n = 0; n < 80; n++)
		add_clear(scene, n, 0, 1);
	close_block(scene, 16);
	assert_int_equal(make(scene, 77), ERR_OK);
	assert_true(scene->file_size <= 2953);
	scene->signers.count = 16;
	for (int i = 0; i < 16; i++)
		scene->signers.keys[i] = node_pair(i)->key;
	scene->signers.needed = 16;
	assert_int_equal(open_file(scene, &paper), ERR_OK);
	/* What is too large says so. */
	scene->block.txs_count = scene->block.receipts_count = 0;
	add_clear(scene, 1, 0, 8);
	close_block(scene, 16);
	assert_int_equal(make(scene, 1), ERR_LENGTH);
}

static void test_every_changed_byte(void **state)
{
	struct scene *scene = *state;
	struct clearance_paper paper;

	for (uint64_t n = 0; n < 6; n++)
		add_clear(scene, n, 0, 2); /* so there is another to name */
	close_block(scene, 3);
	assert_int_equal(make(scene, 4), ERR_OK);
	assert_int_equal(open_file(scene, &paper), ERR_OK);
	for (size_t i = 0; i < scene->file_size; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			scene->file[i] ^= (uint8_t)(1u << bit);
			assert_int_not_equal(open_file(scene, &paper), ERR_OK);
			scene->file[i] ^= (uint8_t)(1u << bit);
		}
		scene->file[i] ^= 0xff;
		assert_int_not_equal(open_file(scene, &paper), ERR_OK);
		scene->file[i] ^= 0xff;
	}
	scene->file_size--;
	assert_int_not_equal(open_file(scene, &paper), ERR_OK);
	scene->file_size += 2;
	assert_int_not_equal(open_file(scene, &paper), ERR_OK);
}

static void test_reasons(void **state)
{
	struct scene *scene = *state;
	struct clearance_paper paper;

	add_clear(scene, 1, 0, 1);
	add_clear(scene, 2, 0, 1);
	close_block(scene, 2);
	assert_int_equal(make(scene, 1), ERR_OK);
	scene->signers.needed = 3;
	assert_int_equal(open_file(scene, &paper), ERR_SIGNERS);
	scene->signers.needed = 1;
	scene->signers.keys[0] = scene->signers.keys[1] =
		scene->signers.keys[2] = who_pair(STRANGER)->key;
	assert_int_equal(open_file(scene, &paper), ERR_SIGNERS);
	scene->genesis->network.bytes[0] ^= 1;
	assert_int_equal(open_file(scene, &paper), ERR_NETWORK);
	/* A certificate of another block. */
	scene->genesis->network.bytes[0] ^= 1;
	struct certificate before = scene->certificate;
	uint8_t statement[CHECKPOINT_STATEMENT_BYTES_MAX];
	memcpy(statement, before.statement.data, before.statement.size);
	before.statement.data = statement;
	add_clear(scene, 3, 0, 1);
	close_block(scene, 2);
	scene->certificate = before;
	assert_int_equal(make(scene, 1), ERR_ROOT);
}

/* What libperch says of it to whoever stands there. */
static void test_verdicts(void **state)
{
	static const struct {
		struct perch_expected expected;
		enum perch_verdict verdict;
	} rows[] = {
		{{.at = T0}, PERCH_PASS_VALID},
		{{.at = T0 + 2 * MINUTE - 1}, PERCH_PASS_VALID},
		{{.at = T0 + 2 * MINUTE}, PERCH_PASS_EXPIRED},
		{{.at = T0 - 1}, PERCH_PASS_EARLY},
		{{"east", "a", "JA001P", 2, T0, false}, PERCH_PASS_VALID},
		{{"west", "a", "JA001P", 2, T0, false}, PERCH_PASS_WRONG_PORT},
		{{"east", "b", "JA001P", 2, T0, false}, PERCH_PASS_WRONG_PAD},
		{{"east", "a", "JA001", 2, T0, false},
			PERCH_PASS_WRONG_AIRCRAFT},
		{{"east", "a", "JA001P", 1, T0, false},
			PERCH_PASS_WRONG_MOVEMENT},
	};
	struct scene *scene = *state;
	struct perch_network network = {.signers_needed = 2};
	struct perch_expected now = {.at = T0 + HOUR};
	struct perch_pass pass;

	memcpy(&network.id, &scene->genesis->network, sizeof(network.id));
	network.signer_count = NODES;
	memcpy(network.signers, scene->signers.keys,
		NODES * sizeof(struct perch_key));
	add_reserve(scene, 1, RESERVATION_CONFIRMED);
	add_clear(scene, 2, 0, 1);
	close_block(scene, 2);
	assert_int_equal(make(scene, 2), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			perch_pass_check(&network, scene->file,
				scene->file_size, &rows[i].expected, &pass),
			rows[i].verdict);
	assert_string_equal(pass.aircraft, "JA001P");
	network.signers_needed = 3;
	assert_int_equal(perch_pass_check(&network, scene->file,
				 scene->file_size, &now, &pass),
		PERCH_PASS_SIGNERS);
	network.signers_needed = 2;
	network.id.bytes[3] ^= 1;
	assert_int_equal(perch_pass_check(&network, scene->file,
				 scene->file_size, &now, &pass),
		PERCH_PASS_NETWORK);
	network.id.bytes[3] ^= 1;
	assert_int_equal(make(scene, 1), ERR_OK);
	assert_int_equal(perch_pass_check(&network, scene->file,
				 scene->file_size, &now, &pass),
		PERCH_PASS_NOT_CLEARANCE);
	now.reservation_will_do = true;
	assert_int_equal(perch_pass_check(&network, scene->file,
				 scene->file_size, &now, &pass),
		PERCH_PASS_VALID);
	assert_false(pass.is_clearance);
	assert_string_equal(pass.aircraft, "JA002P");
	assert_string_equal(perch_verdict_name(PERCH_PASS_EXPIRED), "expired");
	for (int i = 0; i <= PERCH_PASS_EXPIRED; i++)
		assert_string_not_equal(
			perch_verdict_text((enum perch_verdict)i, "en"),
			perch_verdict_text((enum perch_verdict)i, "ja"));
}

/* The certificate alone. */
static void test_a_certificate(void **state)
{
	struct scene *scene = *state;
	struct perch_network network = {
		.signers_needed = 2,
		.signer_count = NODES,
	};
	struct perch_certificate out;
	uint8_t bytes[CERTIFICATE_BYTES_MAX];

	memcpy(&network.id, &scene->genesis->network, sizeof(network.id));
	memcpy(network.signers, scene->signers.keys,
		NODES * sizeof(struct perch_key));
	add_clear(scene, 2, 0, 1);
	close_block(scene, 2);
	size_t size =
		certificate_encode(bytes, sizeof(bytes), &scene->certificate);
	assert_int_equal(
		perch_certificate_check(&network, bytes, size, &out), PERCH_OK);
	assert_int_equal(out.height, 7);
	assert_int_equal(out.signer_count, 2);
	bytes[size - 1] ^= 1;
	assert_int_equal(perch_certificate_check(&network, bytes, size, &out),
		PERCH_ERR_SIGNATURE);
	network.signers_needed = 3;
	bytes[size - 1] ^= 1;
	assert_int_equal(perch_certificate_check(&network, bytes, size, &out),
		PERCH_ERR_SIGNERS);
}

/* The one that another implementation made: schemas/vectors.txt. */
static void test_the_vector(void **state)
{
	static struct vector file, value;
	struct signers signers = {.needed = 2, .count = 3};
	struct clearance_paper paper;
	struct certificate certificate;
	struct checkpoint_statement statement;
	struct hash network;

	(void)state;
	vectors_find(&value, "", "network");
	memcpy(&network, value.bytes, sizeof(network));
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "signer_%d", i);
		vectors_find(&value, "", name);
		memcpy(&signers.keys[i], value.bytes, KEY_SIZE);
	}
	vectors_find(&file, "clearance_file", "cleared");
	struct view bytes = view_of(file.bytes, file.size);
	assert_int_equal(
		clearance_file_open(&paper, bytes, &network, &signers), ERR_OK);
	assert_true(paper.is_clearance);
	assert_true(view_equal(paper.port, view_text("narita")));
	assert_true(view_equal(paper.aircraft, view_text("JA001P")));
	assert_int_equal(paper.nonce, 3);
	assert_int_equal(paper.until - paper.from, 89000);
	vectors_find(&value, "certificate", "cleared");
	assert_int_equal(certificate_decode(&certificate,
				 view_of(value.bytes, value.size)),
		ERR_OK);
	assert_int_equal(certificate_verify(
				 &statement, &certificate, &network, &signers),
		ERR_OK);
	assert_true(hash_equal(&statement.hash, &paper.block.hash));
	signers.needed = 3;
	assert_int_equal(clearance_file_open(&paper, bytes, &network, &signers),
		ERR_SIGNERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_place, begin, end),
		cmocka_unit_test_setup_teardown(test_what_it_says, begin, end),
		cmocka_unit_test_setup_teardown(test_it_fits, begin, end),
		cmocka_unit_test_setup_teardown(
			test_every_changed_byte, begin, end),
		cmocka_unit_test_setup_teardown(test_reasons, begin, end),
		cmocka_unit_test_setup_teardown(test_verdicts, begin, end),
		cmocka_unit_test_setup_teardown(test_a_certificate, begin, end),
		cmocka_unit_test(test_the_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
