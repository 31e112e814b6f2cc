/* tests/unit/client_link.c -- hello, and every way in which it goes wrong: each
 * has a name, and the other nodes are used meanwhile.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fake/bench.h"

static int setup(void **state)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench_start(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	bench_stop(*state);
	free(*state);
	return 0;
}

static void test_all_come_up(void **state)
{
	struct bench *bench = *state;
	struct perch_node_info info;

	bench_open(bench);
	for (int i = PERCH_EVALUATOR; i < BENCH_NODES; i++) {
		assert_true(bench_until_link(bench, i, PERCH_UP, &info));
		assert_int_equal(info.err, PERCH_OK);
		assert_string_equal(info.release, "0.1.0");
	}
	assert_false(perch_node_at(bench->client, BENCH_NODES, &info));
}

static void test_only_as_many_as_wanted(void **state)
{
	struct bench *bench = *state;
	struct perch_node_info info;

	bench->config.links_max = 1;
	bench_open(bench);
	assert_true(bench_until_link(bench, 0, PERCH_UP, &info));
	assert_true(perch_node_at(bench->client, 1, &info));
	assert_int_equal(info.link, PERCH_IDLE);
	/* The next one takes the place of one that goes. */
	fake_stop(&bench->nodes[0]);
	fake_start(&bench->nodes[0], &bench->chain, 77);
	assert_true(bench_until_link(bench, 1, PERCH_UP, &info));
	assert_true(perch_node_at(bench->client, 2, &info));
	assert_int_equal(info.link, PERCH_IDLE);
}

/* Node 0 greets wrongly; what is it called? */
static void assert_named(struct bench *bench, enum perch_err err)
{
	struct perch_node_info info;
	bool told = false;

	bench_open(bench);
	assert_true(bench_until_link(bench, 0, PERCH_DOWN, &info));
	assert_int_equal(info.err, err);
	assert_true(strlen(info.why) > 0);
	assert_true(bench_until_link(bench, 1, PERCH_UP, &info));
	perch_close(&bench->client);
	(void)told;
}

static void test_names(void **state)
{
	static const struct {
		enum fake_hello hello;
		enum perch_err err;
	} cases[] = {
		{FAKE_HELLO_NETWORK, PERCH_ERR_NETWORK},
		{FAKE_HELLO_VERSION, PERCH_ERR_VERSION},
		{FAKE_HELLO_KEY, PERCH_ERR_KEY},
		{FAKE_HELLO_REFUSED, PERCH_ERR_NETWORK},
		{FAKE_HELLO_NONE, PERCH_ERR_TIMEOUT},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench->nodes[0].hello = cases[i].hello;
		assert_named(bench, cases[i].err);
	}
}

static void test_not_admitted(void **state)
{
	struct bench *bench = *state;

	bench->nodes[0].refuses_all = true;
	assert_named(bench, PERCH_ERR_ROLE);
}

static void test_other_key(void **state)
{
	struct bench *bench = *state;

	bench->config_nodes[0].key = bench->config_nodes[1].key;
	assert_named(bench, PERCH_ERR_KEY);
}

static void test_nobody(void **state)
{
	struct bench *bench = *state;

	snprintf(bench->config_nodes[0].request, 32, "tcp://127.0.0.1:1");
	assert_named(bench, PERCH_ERR_UNREACHABLE);
}

static void test_it_comes_back(void **state)
{
	struct bench *bench = *state;
	struct perch_node_info info;

	bench->nodes[0].hello = FAKE_HELLO_NETWORK;
	bench_open(bench);
	assert_true(bench_until_link(bench, 0, PERCH_DOWN, &info));
	bench->nodes[0].hello = FAKE_HELLO_GOOD;
	assert_true(bench_until_link(bench, 0, PERCH_UP, &info));
	assert_int_equal(info.err, PERCH_OK);
	assert_string_equal(info.why, "");
}

static void test_config(void **state)
{
	struct bench *bench = *state;
	struct perch *client = NULL;
	char why[PERCH_WHY_MAX] = "";

	bench->config.node_count = 0;
	bench->config.evaluator = NULL;
	assert_int_equal(
		perch_open(&client, &bench->config, why), PERCH_ERR_CONFIG);
	assert_true(strlen(why) > 0);
	bench->config.node_count = 1;
	memset(&bench->config_nodes[0].key, 0, sizeof(struct perch_key));
	assert_int_equal(
		perch_open(&client, &bench->config, why), PERCH_ERR_KEY);
	assert_null(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_come_up),
		TEST(test_only_as_many_as_wanted),
		TEST(test_names),
		TEST(test_not_admitted),
		TEST(test_other_key),
		TEST(test_nobody),
		TEST(test_it_comes_back),
		TEST(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
