/* tests/unit/replica_checkpoint.c -- what a replica makes of signed
 * checkpoints: a certificate, evidence, finality, or nothing.
 */
#include "paper.h"

#include "consensus/replica.h"

enum { EASY_BITS = 0x207fffff /* every second hash */, TRIES = 1000 };

struct bench {
	struct genesis *genesis;
	void *memory;
	struct replica *replica;
	struct tick tick;
	struct outputs out;
	uint64_t final;
	/* of the last call */
	unsigned certified, passed, evidence;
	size_t certificate_size;
	uint8_t certificate[CERTIFICATE_BYTES_MAX];
	struct double_signing twice;
	uint8_t twice_bytes[DOUBLE_SIGNING_BYTES_MAX];
	/* what is to be searched, and signed */
	uint64_t mine_task;
	size_t header_size, field;
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
	bool sign;
	struct checkpoint_statement wanted;
};

static void open_with(struct bench *bench, const char *engine)
{
	struct replica_config config = {
		.engine = engine_find(engine),
		.genesis = bench->genesis,
		.self = node_pair(0),
		.limits = replica_limits_small,
		.election_ms = 500,
		.heartbeat_ms = 100,
		.skew_ms = 10000,
		.mine = MINE_ALWAYS,
	};
	size_t size = (replica_bytes(&config) + 63) / 64 * 64;

	bench->memory = aligned_alloc(64, size);
	assert_non_null(bench->memory);
	memset(bench->memory, 0, size);
	bench->tick = (struct tick){.now = 1000, .wall = T0 + 1000};
	assert_int_equal(
		replica_init(&bench->replica, bench->memory, &config), ERR_OK);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->genesis = genesis_new();
	bench->genesis->pow = (struct pow_rules){
		.interval_ms = 1000,
		.bits = EASY_BITS,
		.retarget = POW_RETARGET_FIXED,
		.depth = 2,
	};
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	free(bench->memory);
	free(bench->genesis);
	free(bench);
	return 0;
}

static void take_evidence(struct bench *bench, const struct output *output)
{
	bench->evidence++;
	memcpy(bench->twice_bytes, output->bytes.data, output->bytes.size);
	assert_int_equal(
		double_signing_decode(&bench->twice,
			view_of(bench->twice_bytes, output->bytes.size)),
		ERR_OK);
	assert_int_equal(
		double_signing_verify(&bench->twice, &bench->genesis->network),
		ERR_OK);
}

static void take(struct bench *bench, const struct output *output)
{
	struct view bytes;
	struct block_ref block;

	if (output->type == OUTPUT_CERTIFIED) {
		bench->certified++;
		bench->certificate_size = output->bytes.size;
		memcpy(bench->certificate, output->bytes.data,
			output->bytes.size);
	} else if (output->type == OUTPUT_CHECKPOINT) {
		bench->passed++;
	} else if (output->type == OUTPUT_EVIDENCE) {
		take_evidence(bench, output);
	} else if (output->type == OUTPUT_FINAL) {
		bench->final = output->height;
	} else if (output->type == OUTPUT_MINE) {
		bench->mine_task = output->task;
		bench->header_size = output->bytes.size;
		bench->field = output->field;
		if (output->bytes.size > 0)
			memcpy(bench->header, output->bytes.data,
				output->bytes.size);
	} else if (output->type == OUTPUT_SIGN) {
		assert_true(
			replica_block(bench->replica, output->height, &bytes));
		assert_int_equal(
			block_open(&block, bytes, &bench->genesis->network),
			ERR_OK);
		bench->sign = true;
		bench->wanted = checkpoint_of(&block);
		assert_true(hash_equal(&block.hash, &output->hash));
	}
}

/* Carry out; what is to be saved is durable at once. */
static void carry_out(struct bench *bench)
{
	uint64_t saved = 0;

	for (size_t i = 0; i < bench->out.count; i++) {
		take(bench, &bench->out.items[i]);
		if (bench->out.items[i].type == OUTPUT_SAVE)
			saved = bench->out.items[i].task;
	}
	assert_true(replica_holds(bench->replica));
	if (saved == 0)
		return;
	replica_saved(bench->replica, &bench->tick, saved, &bench->out);
	carry_out(bench);
}

static void count_anew(struct bench *bench)
{
	bench->certified = bench->passed = bench->evidence = 0;
}

static struct checkpoint_statement statement_at(uint64_t height, uint8_t which)
{
	struct checkpoint_statement statement = {.height = height};

	memset(&statement.hash, which, sizeof(statement.hash));
	return statement;
}

/* Node `by` signs, node `from` brings it. */
static enum err bring(struct bench *bench, int by, int from,
	const struct checkpoint_statement *statement)
{
	struct signed_checkpoint said;
	uint8_t message[CHECKPOINT_BYTES_MAX];

	checkpoint_sign(
		&said, statement, node_pair(by), &bench->genesis->network);
	size_t size = checkpoint_seal(message, &said);
	count_anew(bench);
	enum err err = replica_checkpoint(bench->replica, &bench->tick,
		&node_pair(from)->key, view_of(message, size), &bench->out);
	if (err == ERR_OK)
		carry_out(bench);
	return err;
}

static void assert_certifies(const struct bench *bench,
	const struct checkpoint_statement *statement, size_t signers_count)
{
	struct signers signers;
	struct certificate certificate;
	struct checkpoint_statement out;

	replica_signers(bench->replica, &signers);
	assert_int_equal(
		certificate_decode(&certificate,
			view_of(bench->certificate, bench->certificate_size)),
		ERR_OK);
	assert_int_equal(certificate.endorsements_count, signers_count);
	assert_int_equal(certificate_verify(&out, &certificate,
				 &bench->genesis->network, &signers),
		ERR_OK);
	assert_true(statement_equal(&out, statement));
}

/* ---- where what is final is signed for whoever wants a proof ---- */

static void open_ordered(struct bench *bench)
{
	open_with(bench, "ordered");
	replica_start(
		bench->replica, &bench->tick, view_of(NULL, 0), &bench->out);
	carry_out(bench);
}

static void test_a_certificate(void **state)
{
	struct bench *bench = *state;
	struct checkpoint_statement at = statement_at(3, 1);

	open_ordered(bench);
	assert_int_equal(bring(bench, 1, 1, &at), ERR_OK);
	assert_int_equal(bench->certified + bench->passed, 0);
	assert_int_equal(bring(bench, 1, 2, &at), ERR_OK); /* known */
	assert_int_equal(bench->certified, 0);
	assert_int_equal(bring(bench, 2, 2, &at), ERR_OK);
	assert_int_equal(bench->certified, 1);
	assert_int_equal(bench->passed, 0);
	assert_certifies(bench, &at, 2);
	/* Wanted again, later, with this node's own. */
	struct signed_checkpoint own;
	checkpoint_sign(&own, &at, node_pair(0), &bench->genesis->network);
	count_anew(bench);
	replica_signed(bench->replica, &bench->tick, &own, &bench->out);
	carry_out(bench);
	assert_int_equal(bench->certified, 0);
	replica_certify(bench->replica, &bench->tick, &at, true, &bench->out);
	carry_out(bench);
	assert_int_equal(bench->certified, 1);
	assert_certifies(bench, &at, 3);
}

static void test_what_is_refused(void **state)
{
	struct bench *bench = *state;
	struct checkpoint_statement at = statement_at(3, 1), other = at;
	struct signed_checkpoint said;
	uint8_t message[CHECKPOINT_BYTES_MAX];

	open_ordered(bench);
	other.chain = 1;
	assert_int_equal(bring(bench, 1, 1, &other), ERR_NETWORK);
	checkpoint_sign(&said, &at, node_pair(1), &bench->genesis->network);
	said.signature.bytes[9] ^= 1;
	size_t size = checkpoint_seal(message, &said);
	assert_int_equal(replica_checkpoint(bench->replica, &bench->tick,
				 &node_pair(1)->key, view_of(message, size),
				 &bench->out),
		ERR_SIGNATURE);
	assert_int_equal(replica_checkpoint(bench->replica, &bench->tick,
				 &node_pair(1)->key, view_of(message, size - 1),
				 &bench->out),
		ERR_ENCODING);
	/* Who is no voter is not counted; nor a height that nobody wants. */
	assert_int_equal(bring(bench, 7, 1, &at), ERR_OK);
	assert_int_equal(bring(bench, 8, 1, &at), ERR_OK);
	assert_int_equal(bench->certified, 0);
	at = statement_at(0, 1); /* the genesis */
	assert_int_equal(bring(bench, 1, 1, &at), ERR_OK);
	assert_int_equal(bring(bench, 2, 2, &at), ERR_OK);
	assert_int_equal(bench->certified, 0);
	at = statement_at(1000000, 1);
	assert_int_equal(bring(bench, 1, 1, &at), ERR_OK);
	assert_int_equal(bring(bench, 2, 2, &at), ERR_OK);
	assert_int_equal(bench->certified, 0);
	replica_certify(bench->replica, &bench->tick, &at, true, &bench->out);
	assert_int_equal(bring(bench, 1, 1, &at), ERR_OK);
	assert_int_equal(bring(bench, 2, 2, &at), ERR_OK);
	assert_int_equal(bench->certified, 1);
}

static void test_a_double_signer(void **state)
{
	struct bench *bench = *state;
	struct checkpoint_statement one = statement_at(3, 1);
	struct checkpoint_statement two = statement_at(3, 2);
	struct checkpoint_statement three = statement_at(3, 3);

	open_ordered(bench);
	assert_int_equal(bring(bench, 1, 1, &one), ERR_OK);
	assert_int_equal(bring(bench, 1, 2, &two), ERR_OK);
	assert_int_equal(bench->evidence, 1);
	assert_true(key_equal(&bench->twice.signer, &node_pair(1)->key));
	/* The first to both others, the second not back to who brought it. */
	assert_int_equal(bench->passed, 3);
	assert_int_equal(bring(bench, 1, 1, &two), ERR_OK);
	assert_int_equal(bring(bench, 1, 1, &three), ERR_OK);
	assert_int_equal(bench->evidence + bench->passed, 0);
}

/* ---- where signatures make a block final ---- */

/* One more block on the tip. */
static void mine(struct bench *bench)
{
	uint64_t tip = chain_tip(replica_chain(bench->replica)).height;

	assert_true(bench->header_size > 0);
	for (uint32_t nonce = 0; nonce < TRIES; nonce++) {
		bench->tick.now += 1000;
		bench->tick.wall += 1000;
		bool good = replica_mined(bench->replica, &bench->tick,
			bench->mine_task, nonce, nonce, &bench->out);
		carry_out(bench);
		if (good)
			break;
	}
	assert_int_equal(
		chain_tip(replica_chain(bench->replica)).height, tip + 1);
}

static void test_finality(void **state)
{
	struct bench *bench = *state;

	open_with(bench, "pow");
	replica_start(
		bench->replica, &bench->tick, view_of(NULL, 0), &bench->out);
	carry_out(bench);
	while (!bench->sign)
		mine(bench);
	assert_int_equal(bench->wanted.height, 1);
	assert_int_equal(chain_tip(replica_chain(bench->replica)).height, 3);
	struct checkpoint_statement at = bench->wanted;
	struct signed_checkpoint own;
	checkpoint_sign(&own, &at, node_pair(0), &bench->genesis->network);
	count_anew(bench);
	replica_signed(bench->replica, &bench->tick, &own, &bench->out);
	carry_out(bench);
	assert_int_equal(bench->passed, 2); /* to everybody */
	assert_int_equal(bench->certified, 0);
	assert_int_equal(bench->final, 0);
	/* The second of three: passed on to the third, and final. */
	assert_int_equal(bring(bench, 1, 1, &at), ERR_OK);
	assert_int_equal(bench->passed, 1);
	assert_int_equal(bench->certified, 1);
	assert_certifies(bench, &at, 2);
	assert_int_equal(bench->final, 1);
	assert_int_equal(replica_final(bench->replica), 1);
	/* First seen, passed on once. */
	assert_int_equal(bring(bench, 1, 2, &at), ERR_OK);
	assert_int_equal(bench->passed, 0);
	/* Another block there, signed now, is evidence although 1 is final. */
	struct checkpoint_statement other = at;
	other.hash.bytes[0] ^= 1;
	assert_int_equal(bring(bench, 1, 2, &other), ERR_OK);
	assert_int_equal(bench->evidence, 1);
	size_t cursor = 0, known = 0;
	while (replica_checkpoint_next(bench->replica, 1, &cursor, &own))
		known++;
	assert_int_equal(known, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_double_signer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_finality, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
