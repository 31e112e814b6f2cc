/* tests/unit/client_proof.c -- a port's timetable is believed only as a final
 * block proves it: no part of the proof, and no line of the list, can be
 * changed.
 */
#include "desk.h"

#include "fake/bench.h"
#include "gen/request.h"

struct scene {
	struct bench bench;
	struct desk *desk;
	struct proof proof;
	uint8_t header[HEADER_BYTES_MAX];
	uint8_t port[RECORD_PORT_BYTES_MAX];
	uint8_t body[PROOF_BYTES_MAX];
	size_t count;
	struct perch_reservation list[8];
};

/* The header of a block after which the state is what the desk has. */
static void sign_header(struct scene *scene, const struct keypair *pair)
{
	struct header header = {
		.version = 1,
		.network = scene->desk->genesis->network,
		.height = scene->desk->height,
		.time = (uint64_t)scene->desk->now,
		.proposer = pair->key,
		.state_root = state_root(scene->desk->home.state),
		.engine = view_of("\x91\x01", 2),
	};
	struct proof *proof = &scene->proof;

	proof->header = view_of(scene->header,
		header_encode(scene->header, sizeof(scene->header), &header));
	signature_make(&proof->signature, pair, "block",
		&scene->desk->genesis->network, proof->header);
}

static void make_proof(struct scene *scene, const char *port)
{
	static struct proof_parts parts;
	struct proof *proof = &scene->proof;
	size_t index;

	assert_true(state_port_find(
		scene->desk->home.state, view_text(port), &index));
	state_proof(scene->desk->home.state, index, &parts);
	proof->port =
		view_of(scene->port, record_port_encode(scene->port,
					     sizeof(scene->port), &parts.port));
	proof->live = parts.live;
	proof->index = parts.index;
	proof->count = parts.count;
	proof->path_count = parts.path_length;
	memcpy(proof->path, parts.path, sizeof(proof->path));
	proof->rest = parts.rest;
	proof->buckets_count = PERCH_BUCKETS;
	memcpy(proof->buckets, parts.buckets, sizeof(proof->buckets));
	sign_header(scene, node_pair(0));
}

/* The port's reservations as an evaluator would list them. */
static void make_list(struct scene *scene, const char *port)
{
	struct record_reservation record;
	uint64_t cursor = 0;
	size_t index;

	assert_true(state_port_find(
		scene->desk->home.state, view_text(port), &index));
	while (state_timetable_next(
		scene->desk->home.state, index, 0, &cursor, &record)) {
		struct perch_reservation *r = &scene->list[scene->count++];

		memcpy(&r->id, &record.reservation, sizeof(r->id));
		snprintf(r->port, sizeof(r->port), "%s", port);
		memcpy(r->pad, record.pad.data, record.pad.size);
		memcpy(r->aircraft, record.aircraft.data, record.aircraft.size);
		memcpy(&r->operator_key, &record.operator,
			sizeof(r->operator_key));
		r->start = (int64_t)record.start;
		r->end = (int64_t)record.end;
		r->state = (int)record.state;
		r->version = (uint32_t)record.version;
		r->movement = (int)record.movement;
		r->height = record.height;
		r->place = (unsigned)record.place;
		r->has_pair = record.pair.size > 0;
		memcpy(&r->pair, record.pair.data, record.pair.size);
	}
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct desk *desk = open_small();

	scene->desk = desk;
	write_pair(desk, 0, T0 + HOUR, T0 + 2 * HOUR, "X1");
	assert_int_equal(submit(desk), 0);
	assert_int_equal(
		reserve(desk, ALICE, "east", "a", T0 + 5 * HOUR, T0 + 6 * HOUR),
		0);
	assert_int_equal(
		reserve(desk, BOB, "east", "c", T0 + 5 * HOUR, T0 + 6 * HOUR),
		0);
	make_proof(scene, "east");
	make_list(scene, "east");
	assert_true(scene->count >= 3);
	bench_start(&scene->bench);
	scene->bench.chain.network = desk->genesis->network;
	memcpy(&scene->bench.config.network, &desk->genesis->network,
		sizeof(scene->bench.config.network));
	memcpy(&scene->bench.config_nodes[0].key, &node_pair(0)->key,
		sizeof(struct perch_key));
	scene->bench.config.timeout_ms = 400;
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	bench_stop(&scene->bench);
	shut(scene->desk);
	free(scene);
	return 0;
}

/* What the client makes of the proof as it is now. */
static const struct perch_event *ask(struct scene *scene)
{
	struct bench *bench = &scene->bench;
	struct perch_node_info info;
	uint64_t request;

	if (bench->client == NULL)
		bench_open(bench);
	assert_true(bench_until_link(bench, PERCH_EVALUATOR, PERCH_UP, &info));
	bench->evaluator.proof = view_of(scene->body,
		proof_encode(scene->body, sizeof(scene->body), &scene->proof));
	assert_true(bench->evaluator.proof.size > 0);
	assert_int_equal(
		perch_prove_port(bench->client, "east", &request), PERCH_OK);
	do
		while (!bench_step(bench))
			;
	while (bench->event.request != request);
	return &bench->event;
}

static void assert_refused(struct scene *scene, enum perch_err err)
{
	struct perch_node_info info;

	assert_int_equal(ask(scene)->type, PERCH_EVENT_FAILED);
	assert_true(perch_node_at(scene->bench.client, PERCH_EVALUATOR, &info));
	assert_int_equal(info.err, err);
	perch_close(&scene->bench.client);
}

static void test_proved(void **state)
{
	struct scene *scene = *state;
	const struct perch_event *event = ask(scene);

	assert_int_equal(event->type, PERCH_EVENT_PROOF);
	assert_string_equal(event->proof->port.name, "east");
	assert_int_equal(event->proof->height, scene->desk->height);
	assert_int_equal(event->proof->time, scene->desk->now);
	assert_int_equal(
		perch_proof_check(event->proof, scene->list, scene->count),
		PERCH_OK);
}

static void test_forged_proofs(void **state)
{
	struct scene *scene = *state;
	struct proof *proof = &scene->proof;

	proof->buckets[17].bytes[3] ^= 1;
	assert_refused(scene, PERCH_ERR_ROOT);
	proof->buckets[17].bytes[3] ^= 1;
	proof->rest.bytes[0] ^= 1;
	assert_refused(scene, PERCH_ERR_ROOT);
	proof->rest.bytes[0] ^= 1;
	proof->path_count--;
	assert_refused(scene, PERCH_ERR_LENGTH);
	proof->path_count++;
	proof->buckets_count = 255;
	assert_refused(scene, PERCH_ERR_LENGTH);
	proof->buckets_count = 256;
	proof->signature.bytes[0] ^= 1;
	assert_refused(scene, PERCH_ERR_SIGNATURE);
	proof->signature.bytes[0] ^= 1;
	sign_header(scene, who_pair(STRANGER));
	assert_refused(scene, PERCH_ERR_KEY);
	sign_header(scene, node_pair(0));
	assert_int_equal(ask(scene)->type, PERCH_EVENT_PROOF);
}

static void test_forged_lists(void **state)
{
	struct scene *scene = *state;
	static struct perch_proof proof;
	struct perch_reservation *list = scene->list;

	assert_int_equal(ask(scene)->type, PERCH_EVENT_PROOF);
	proof = *scene->bench.event.proof;
	/* In any order. */
	list[7] = list[0];
	list[0] = list[1];
	list[1] = list[7];
	assert_int_equal(
		perch_proof_check(&proof, list, scene->count), PERCH_OK);
	assert_int_equal(perch_proof_check(&proof, list, scene->count - 1),
		PERCH_ERR_ROOT);
	list[scene->count] = list[0];
	list[scene->count].id.bytes[0] ^= 1;
	assert_int_equal(perch_proof_check(&proof, list, scene->count + 1),
		PERCH_ERR_ROOT);
	list[scene->count] = list[0]; /* twice */
	assert_int_equal(perch_proof_check(&proof, list, scene->count + 1),
		PERCH_ERR_ROOT);
	list[0].end++;
	assert_int_equal(
		perch_proof_check(&proof, list, scene->count), PERCH_ERR_ROOT);
	list[0].end--;
	list[1].version++;
	assert_int_equal(
		perch_proof_check(&proof, list, scene->count), PERCH_ERR_ROOT);
	assert_int_equal(perch_proof_check(&proof, list, PERCH_PROOF_MAX + 1),
		PERCH_ERR_FULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_proved),
		TEST(test_forged_proofs),
		TEST(test_forged_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
