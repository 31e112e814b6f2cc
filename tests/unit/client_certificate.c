/* tests/unit/client_certificate.c -- what libperch makes of a node's word on
 * who signed what: evidence is believed when both signatures hold, and a
 * certificate is what it is held against.
 */
#include "unit.h"

#include <string.h>

#include "fake/bench.h"
#include "ledger/checkpoint.h"
#include <perch/pass.h>

struct scene {
	struct bench bench;
	struct keypair signers[3];
	struct signed_checkpoint said[2];
	uint8_t bytes[2][CHECKPOINT_STATEMENT_BYTES_MAX];
	struct evidence evidence;
	uint8_t body[EVIDENCE_BYTES_MAX];
};

static struct checkpoint_statement statement_of(uint64_t chain, uint8_t which)
{
	struct checkpoint_statement statement = {.chain = chain, .height = 9};

	memset(&statement.hash, which, sizeof(statement.hash));
	return statement;
}

/* Signer 1 has signed two blocks at height 9. */
static void make_evidence(struct scene *scene)
{
	struct double_signing *item = &scene->evidence.items[0];
	struct view views[2];

	for (uint8_t i = 0; i < 2; i++) {
		struct checkpoint_statement statement = statement_of(0, i);

		checkpoint_sign(&scene->said[i], &statement, &scene->signers[1],
			&scene->bench.chain.network);
		views[i] = view_of(scene->bytes[i],
			checkpoint_statement_encode(scene->bytes[i],
				sizeof(scene->bytes[i]), &statement));
	}
	*item = (struct double_signing){
		.signer = scene->signers[1].key,
		.first = views[0],
		.first_signature = scene->said[0].signature,
		.second = views[1],
		.second_signature = scene->said[1].signature,
	};
	scene->evidence.items_count = 1;
	scene->evidence.count = 1;
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	bench_start(&scene->bench);
	scene->bench.config.timeout_ms = 1000;
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t seed[32] = {i, 77};

		keypair_from_seed(&scene->signers[i], seed);
	}
	make_evidence(scene);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	bench_stop(&scene->bench);
	free(scene);
	return 0;
}

static const struct perch_event *answered(struct bench *bench, uint64_t request)
{
	do
		while (!bench_step(bench))
			;
	while (bench->event.request != request);
	return &bench->event;
}

static void open_up(struct bench *bench)
{
	struct perch_node_info info;

	if (bench->client == NULL)
		bench_open(bench);
	assert_true(bench_until_link(bench, 0, PERCH_UP, &info));
}

static const struct perch_event *ask_evidence(struct scene *scene)
{
	struct bench *bench = &scene->bench;
	uint64_t request;

	open_up(bench);
	bench->nodes[0].evidence = view_of(
		scene->body, evidence_encode(scene->body, sizeof(scene->body),
				     &scene->evidence));
	assert_true(bench->nodes[0].evidence.size > 0);
	assert_int_equal(
		perch_ask_evidence(bench->client, 0, 0, &request), PERCH_OK);
	return answered(bench, request);
}

static void test_evidence(void **state)
{
	struct scene *scene = *state;
	const struct perch_event *event = ask_evidence(scene);
	const struct perch_double_signing *item = &event->evidence->items[0];

	assert_int_equal(event->type, PERCH_EVENT_EVIDENCE);
	assert_int_equal(event->evidence->total, 1);
	assert_int_equal(event->evidence->count, 1);
	assert_memory_equal(&item->signer, &scene->signers[1].key, KEY_SIZE);
	assert_int_equal(item->height, 9);
	assert_int_equal(item->second.bytes[0], 1);
}

static void assert_slander(struct scene *scene, enum perch_err err)
{
	struct perch_node_info info;

	assert_int_equal(ask_evidence(scene)->type, PERCH_EVENT_FAILED);
	assert_true(perch_node_at(scene->bench.client, 0, &info));
	assert_int_equal(info.err, err);
	perch_close(&scene->bench.client);
}

static void test_slander(void **state)
{
	struct scene *scene = *state;
	struct double_signing *item = &scene->evidence.items[0];

	item->second_signature.bytes[5] ^= 1;
	assert_slander(scene, PERCH_ERR_SIGNATURE);
	make_evidence(scene);
	item->signer = scene->signers[2].key;
	assert_slander(scene, PERCH_ERR_SIGNATURE);
	make_evidence(scene);
	item->second = item->first;
	item->second_signature = item->first_signature;
	assert_slander(scene, PERCH_ERR_ENCODING);
	make_evidence(scene);
	assert_int_equal(ask_evidence(scene)->type, PERCH_EVENT_EVIDENCE);
}

/* Two of three signers, in their order. */
static size_t make_certificate(
	struct scene *scene, uint64_t chain, uint8_t out[CERTIFICATE_BYTES_MAX])
{
	struct checkpoint_statement statement = statement_of(chain, 1);
	struct certificate certificate = {.endorsements_count = 2};
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];
	size_t first = memcmp(&scene->signers[0].key, &scene->signers[1].key,
			       KEY_SIZE) > 0;

	certificate.statement = view_of(bytes,
		checkpoint_statement_encode(bytes, sizeof(bytes), &statement));
	for (size_t i = 0; i < 2; i++) {
		struct signed_checkpoint said;

		checkpoint_sign(&said, &statement,
			&scene->signers[i == 0 ? first : 1 - first],
			&scene->bench.chain.network);
		certificate.endorsements[i].signer = said.signer;
		certificate.endorsements[i].signature = said.signature;
	}
	return certificate_encode(out, CERTIFICATE_BYTES_MAX, &certificate);
}

static void test_certificate(void **state)
{
	struct scene *scene = *state;
	struct bench *bench = &scene->bench;
	struct perch_network network = {.signers_needed = 2, .signer_count = 3};
	struct perch_certificate proved;
	uint8_t bytes[CERTIFICATE_BYTES_MAX];
	uint64_t request;
	size_t size = make_certificate(scene, 0, bytes);

	memcpy(&network.id, &bench->chain.network, sizeof(network.id));
	for (size_t i = 0; i < 3; i++)
		memcpy(&network.signers[i], &scene->signers[i].key, KEY_SIZE);
	open_up(bench);
	for (size_t i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].certificate = view_of(bytes, size);
	assert_int_equal(
		perch_ask_certificate(bench->client, 9, &request), PERCH_OK);
	const struct perch_event *event = answered(bench, request);
	assert_int_equal(event->type, PERCH_EVENT_CERTIFICATE);
	assert_int_equal(event->certificate->height, 9);
	assert_int_equal(event->certificate->signer_count, 2);
	assert_int_equal(
		perch_certificate_check(&network, event->certificate->bytes,
			event->certificate->size, &proved),
		PERCH_OK);
	network.signers_needed = 3;
	assert_int_equal(
		perch_certificate_check(&network, event->certificate->bytes,
			event->certificate->size, &proved),
		PERCH_ERR_SIGNERS);
	/* A node that is cut off from the signers is not the last word. */
	bench->nodes[0].refusal = "signers";
	assert_int_equal(
		perch_ask_certificate(bench->client, 9, &request), PERCH_OK);
	assert_int_equal(
		answered(bench, request)->type, PERCH_EVENT_CERTIFICATE);
	bench->nodes[0].refusal = NULL;
	/* Of the chain that was not asked for. */
	size = make_certificate(scene, 1, bytes);
	for (size_t i = 0; i < BENCH_NODES; i++)
		bench->nodes[i].certificate = view_of(bytes, size);
	assert_int_equal(
		perch_ask_certificate(bench->client, 9, &request), PERCH_OK);
	assert_int_equal(answered(bench, request)->type, PERCH_EVENT_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_evidence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slander, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_certificate, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
