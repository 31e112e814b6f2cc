/* tests/unit/wallet.c -- perch-wallet as scripts and people meet it: exit
 * codes, JSON, and both languages, against fakes that grant, refuse, and say
 * nothing.
 */
#include "unit.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "clock/clock.h"
#include "fake/bench.h"
#include "gen/contract.h"
#include "gen/table.h"

extern char **environ;

enum { ARGS_MAX = 24, SAID_MAX = 16384, PATH_SIZE = 128 };

struct scene {
	struct bench bench;
	char dir[64];
	char config[PATH_SIZE], genesis[PATH_SIZE], key[PATH_SIZE];
	char out[SAID_MAX], err[SAID_MAX]; /* what the last one said */
};

static void path_in(
	const struct scene *scene, char out[PATH_SIZE], const char *name)
{
	snprintf(out, PATH_SIZE, "%s/%s", scene->dir, name);
}

/* ---- running it ---- */

static void read_said(
	const struct scene *scene, const char *name, char out[SAID_MAX])
{
	char path[PATH_SIZE];
	FILE *file;
	size_t size;

	path_in(scene, path, name);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(out, 1, SAID_MAX - 1, file);
	out[size] = '\0';
	fclose(file);
}

/* args is split at spaces; %C, %G, %K stand for our files. */
static pid_t start(struct scene *scene, const char *args)
{
	static char words[4096];
	char *argv[ARGS_MAX] = {"perch-wallet"}, *rest = words, *word;
	char out[PATH_SIZE], err[PATH_SIZE];
	size_t count = 1;
	posix_spawn_file_actions_t actions;
	pid_t child;

	snprintf(words, sizeof(words), "%s", args);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] == '\0')
			continue;
		assert_true(count + 1 < ARGS_MAX);
		argv[count++] = strcmp(word, "%C") == 0   ? scene->config
				: strcmp(word, "%G") == 0 ? scene->genesis
				: strcmp(word, "%K") == 0 ? scene->key
							  : word;
	}
	path_in(scene, out, "out");
	path_in(scene, err, "err");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
		O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err,
		O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(posix_spawn(&child, PERCH_BIN "/perch-wallet",
				 &actions, NULL, argv, environ),
		0);
	posix_spawn_file_actions_destroy(&actions);
	return child;
}

static int finish(struct scene *scene, pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0)
		bench_step(&scene->bench);
	read_said(scene, "out", scene->out);
	read_said(scene, "err", scene->err);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run(struct scene *scene, const char *args)
{
	return finish(scene, start(scene, args));
}

static void assert_says(const char *said, const char *what)
{
	if (strstr(said, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, said);
}

static void assert_says_not(const char *said, const char *what)
{
	if (strstr(said, what) != NULL)
		fail_msg("\"%s\" is in: %s", what, said);
}

/* ---- the scene ---- */

static void write_node(FILE *file, const char *name, const struct fake *fake)
{
	char hex[65];

	fprintf(file,
		"    %s\n        key = %s\n        request = %s\n"
		"        publish = %s\n        peer = tcp://127.0.0.1:1\n",
		name, perch_hex(hex, &fake->pair.key, 32), fake->request_at,
		fake->publish_at);
}

static void write_genesis(struct scene *scene, const char *observers)
{
	struct perch_network network;
	char hex[65], why[PERCH_WHY_MAX];
	FILE *file = fopen(scene->genesis, "w");

	assert_non_null(file);
	fprintf(file,
		"perch\n    name = test\n    time = 2026-01-31T08:30:00Z\n"
		"    observers = %s\nnodes\n",
		observers);
	for (int i = 0; i < BENCH_NODES; i++)
		write_node(file, scene->bench.config_nodes[i].name,
			&scene->bench.nodes[i]);
	fprintf(file,
		"ports\n    haneda\n        controller = %s\n"
		"        pads\n            a\n            b\n",
		perch_hex(hex, &scene->bench.chain.stranger.key, 32));
	fclose(file);
	assert_int_equal(
		perch_genesis_read(scene->genesis, &network, why), PERCH_OK);
	memcpy(&scene->bench.chain.network, &network.id, sizeof(network.id));
	scene->bench.chain.tip = scene->bench.chain.network;
}

static void write_config(struct scene *scene)
{
	const struct fake *evaluator = &scene->bench.evaluator;
	char hex[65];
	FILE *file = fopen(scene->config, "w");

	assert_non_null(file);
	fprintf(file, "genesis = \"%s\"\nkey = \"%s\"\nevaluator = \"%s@%s\"\n",
		scene->genesis, scene->key,
		perch_hex(hex, &evaluator->pair.key, 32),
		evaluator->request_at);
	fclose(file);
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct perch_key key;
	char why[PERCH_WHY_MAX];

	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	setenv("LANG", "C.UTF-8", 1);
	setenv("TZ", "JST-9", 1);
	bench_start(&scene->bench);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/perch-wallet-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	path_in(scene, scene->config, "wallet.conf");
	path_in(scene, scene->genesis, "genesis.zpl");
	path_in(scene, scene->key, "wallet.key");
	assert_int_equal(perch_key_new(scene->key, NULL, &key, why), PERCH_OK);
	write_genesis(scene, "anyone");
	write_config(scene);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"wallet.conf", "genesis.zpl",
		"wallet.key", "out", "err", "new.key", "secret"};
	struct scene *scene = *state;
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in(scene, path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(scene->dir), 0);
	bench_stop(&scene->bench);
	free(scene);
	return 0;
}

/* ---- wrong usage: 2, with cause and cure ---- */

static void test_usage(void **state)
{
	static const struct {
		const char *args, *says;
	} cases[] = {
		{"", "Usage"},
		{"dive", "dive: no such verb"},
		{"reserve --config %C", "--port: missing"},
		{"reserve --port haneda --wings 2", "wings"},
		{"reserve --port haneda --pad a", "genesis file"},
		{"reserve --port haneda --pad a --genesis %G", "key new"},
		{"reserve --port haneda --genesis %G --key %K", "evaluator"},
		{"reserve --port h.a --pad a --config %C", "letters"},
		{"reserve --port haneda --pad a --from soon --config %C",
			"+10m"},
		{"reserve --port haneda --pad a --for ever --config %C", "90s"},
		{"reserve --port haneda --pad a --wait long --config %C",
			"received, ordered or final"},
		{"reserve --port haneda --pad a --lang fr --config %C",
			"en or ja"},
		{"reserve --port haneda --pad a --node mars --config %C",
			"no node of this name"},
		{"cancel --config %C", "ID: missing"},
		{"cancel 12 --config %C", "32 hex digits"},
		{"status 12 --config %C", "32 hex digits"},
		{"verify some.pass", "genesis file"},
		{"verify /nonexistent/a.pass --genesis %G", "No such file"},
		{"verify %K --genesis /nonexistent/g.zpl",
			"/nonexistent/g.zpl"},
		{"verify %K --genesis %G --movement up", "departure"},
		{"clearance 12 --config %C", "32 hex digits"},
		{"clearance 00112233445566778899aabbccddeeff --config %C",
			"--qr"},
		{"inquire --genesis %G", "evaluator"},
		{"inquire --genesis %G --evaluator there", "tcp://host:port"},
		{"key show", "which file"},
		{"key burn", "key new"},
		{"key show --key /nonexistent/a.key", "/nonexistent/a.key"},
		{"watch --genesis /nonexistent/g.zpl", "/nonexistent/g.zpl"},
		{"set-node --name x --node-key 1 --role voter --config %C",
			"64 hex"},
		{"amend 00112233445566778899aabbccddeeff --config %C",
			"different"},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = run(scene, cases[i].args);

		if (code != 2)
			fail_msg("%s ends with %d: %s", cases[i].args, code,
				scene->err);
		assert_says(scene->err, cases[i].says);
		assert_string_equal(scene->out, "");
	}
	assert_int_equal(scene->bench.chain.count, 0);
}

static void test_help(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run(scene, "--help"), 0);
	assert_says(scene->out, "reserve");
	assert_int_equal(run(scene, "--version"), 0);
	assert_says(scene->out, "perch ");
	assert_int_equal(run(scene, "reserve --help"), 0);
	assert_says(scene->out, "--aircraft");
	assert_says(scene->out, "perch-wallet reserve --port haneda");
}

/* A file that proves nothing is refused, and its reason has a word. */
static void test_verify(void **state)
{
	struct scene *scene = *state;
	char big[PATH_SIZE], args[512];

	assert_int_equal(run(scene, "verify %G --genesis %G --json"), 1);
	assert_says(scene->out, "\"result\":\"refused\",\"code\":\"encoding\"");
	assert_int_equal(run(scene, "verify %G --genesis %G --lang ja"), 1);
	assert_says(scene->out, "無効");
	assert_int_equal(run(scene, "verify - --genesis %G"), 1);
	path_in(scene, big, "big");
	FILE *file = fopen(big, "w");
	assert_non_null(file);
	for (int i = 0; i < 100000; i++)
		fputc(0x99, file);
	fclose(file);
	snprintf(args, sizeof(args), "verify %s --genesis %%G", big);
	assert_int_equal(run(scene, args), 1);
	assert_says(scene->out, "not a clearance file");
	unlink(big);
}

static void test_usage_in_japanese(void **state)
{
	struct scene *scene = *state;

	setenv("LANG", "ja_JP.UTF-8", 1);
	assert_int_equal(run(scene, "cancel 12 --config %C"), 2);
	assert_says(scene->err, "16進数32桁");
	setenv("LC_ALL", "C", 1);
	assert_int_equal(run(scene, "cancel 12 --config %C"), 2);
	assert_says(scene->err, "32 hex digits");
	assert_int_equal(run(scene, "cancel 12 --lang ja --config %C"), 2);
	assert_says(scene->err, "16進数32桁");
}

/* ---- keys ---- */

static void test_keys(void **state)
{
	struct scene *scene = *state;
	char args[512], made[SAID_MAX], path[PATH_SIZE], secret[PATH_SIZE];
	struct stat stat_now;
	FILE *file;

	path_in(scene, path, "new.key");
	snprintf(args, sizeof(args), "key new --out %s --json", path);
	assert_int_equal(run(scene, args), 0);
	assert_says(scene->out, "{\"key\":\"");
	snprintf(made, sizeof(made), "%s", scene->out);
	assert_int_equal(stat(path, &stat_now), 0);
	assert_int_equal(stat_now.st_mode & 0777, 0600);
	/* The same file is never overwritten. */
	assert_int_equal(run(scene, args), 2);
	snprintf(args, sizeof(args), "key show --key %s --json", path);
	assert_int_equal(run(scene, args), 0);
	assert_string_equal(scene->out, made);
	snprintf(args, sizeof(args), "key show %s", path);
	assert_int_equal(run(scene, args), 0);
	assert_says(scene->out, path);
	/* A file that others can read is not used. */
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(run(scene, args), 2);
	assert_says(scene->err, "chmod 600");
	/* Under a passphrase. */
	unlink(path);
	path_in(scene, secret, "secret");
	file = fopen(secret, "w");
	fprintf(file, "open sesame\n");
	fclose(file);
	snprintf(args, sizeof(args), "key new %s --passphrase-file %s", path,
		secret);
	assert_int_equal(run(scene, args), 0);
	snprintf(args, sizeof(args), "key show %s", path);
	assert_int_equal(run(scene, args), 2);
	assert_says(scene->err, "passphrase");
	snprintf(args, sizeof(args), "key show %s --passphrase-file %s", path,
		secret);
	assert_int_equal(run(scene, args), 0);
}

/* ---- outcomes ---- */

#define RESERVE "reserve --port haneda --pad a --from +10m --for 5m"

static void test_granted(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run(scene, RESERVE " --config %C"), 0);
	assert_says(scene->out, "reserved\n");
	assert_says(scene->out, "final");
	assert_int_equal(run(scene, RESERVE " --json --config %C"), 0);
	assert_says(scene->out, "{\"id\":\"");
	assert_says(scene->out, "\"status\":\"final\",\"result\":\"granted\","
				"\"code\":\"granted\",\"text\":\"granted\","
				"\"height\":2,\"receipts\":[{");
	assert_says(scene->out, "\"proved\":true");
	assert_int_equal(run(scene, RESERVE " --lang ja --config %C"), 0);
	assert_says(scene->out, "予約しました");
	/* Options may stand before the verb. */
	assert_int_equal(run(scene, "--config %C --json " RESERVE), 0);
	assert_int_equal(scene->bench.chain.count, 4);
}

/* The transaction of the block at this height is valid for so long from now, or
 * a few seconds less. */
static void assert_valid_ms(
	struct scene *scene, uint64_t height, time_ms expected)
{
	static struct block block;
	struct tx_view tx;
	const struct fake_chain *chain = &scene->bench.chain;

	assert_int_equal(
		block_decode(&block, view_of(chain->blocks[height].bytes,
					     chain->blocks[height].size)),
		ERR_OK);
	assert_int_equal(tx_open(&tx, block.txs[0]), ERR_OK);
	time_ms valid = (time_ms)tx.body.valid_until - clock_wall();
	assert_true(valid <= expected && valid > expected - 30000);
}

static void test_valid_as_long_as_waited(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run(scene, RESERVE " --config %C"), 0);
	assert_valid_ms(scene, 1, 60000);
	assert_int_equal(run(scene, RESERVE " --timeout 2m --config %C"), 0);
	assert_valid_ms(scene, 2, 120000);
	assert_int_equal(run(scene, RESERVE " --timeout 1h --config %C"), 0);
	assert_valid_ms(scene, 3, 240000);
}

/* It is asked first; where its connection takes long, another one is. */
static void test_the_named_node(void **state)
{
	struct scene *scene = *state;
	const unsigned *seen = scene->bench.nodes[2].seen;

	for (int i = 0; i < 5 && seen[MESSAGE_SUBMIT] == 0; i++)
		assert_int_equal(
			run(scene, RESERVE " --node node_2 --config %C"), 0);
	assert_int_equal(seen[MESSAGE_SUBMIT], 1);
}

static void take_slot(struct fake_chain *chain)
{
	struct detail_slot_taken taken = {
		.conflicts_count = 1,
		.conflicts = {{
			.reservation = {{0xab, 0xcd}},
			.pad = view_text("a"),
			.start = 1769848200000,
			.end = 1769848500000,
		}},
		.free_count = 1,
		.free = {{
			.pad = view_text("a"),
			.start = 1769848500000,
			.end = 1769848800000,
		}},
	};

	chain->code = 1;
	chain->details_size = detail_slot_taken_encode(
		chain->details, sizeof(chain->details), &taken);
	assert_true(chain->details_size > 0);
}

static void test_refused(void **state)
{
	struct scene *scene = *state;

	take_slot(&scene->bench.chain);
	assert_int_equal(run(scene, RESERVE " --config %C"), 1);
	assert_says(scene->out, "refused: slot_taken: another reservation");
	assert_says(scene->out, "in the way: a  2026-01-31 17:30:00 JST "
				"(08:30:00Z)");
	assert_says(scene->out, "abcd0000000000000000000000000000");
	assert_says(scene->out, "free: a  2026-01-31 17:35:00 JST");
	assert_says_not(scene->out, "reserved");
	setenv("LANG", "ja_JP.UTF-8", 1);
	assert_int_equal(run(scene, RESERVE " --config %C"), 1);
	assert_says(scene->out, "その時間帯は他の予約が入っています");
	assert_says(scene->out, "先約:");
	assert_says(scene->out, "空き:");
	assert_int_equal(
		run(scene, RESERVE " --lang en --json --config %C"), 1);
	assert_says(scene->out, "\"result\":\"refused\",\"code\":"
				"\"slot_taken\"");
	assert_says(scene->out, "\"free\":[{\"pad\":\"a\",\"start\":"
				"1769848500000,\"end\":1769848800000}]");
}

static void test_a_node_refuses(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < BENCH_NODES; i++)
		scene->bench.nodes[i].refusal = "role";
	assert_int_equal(run(scene, RESERVE " --json --config %C"), 1);
	assert_says(scene->out, "\"status\":\"unknown\",\"result\":"
				"\"refused\",\"code\":\"role\"");
}

static void test_unknown(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < BENCH_NODES; i++)
		scene->bench.nodes[i].mute = true;
	/* Long enough to reach a node: else it would say that. */
	assert_int_equal(run(scene, RESERVE " --timeout 3s --config %C"), 3);
	assert_says(scene->err, "outcome unknown: timeout");
	assert_says(scene->err, "perch-wallet status ");
	assert_string_equal(scene->out, "");
	assert_int_equal(
		run(scene, RESERVE " --timeout 3s --json --config %C"), 3);
	assert_says(scene->out, "\"status\":\"unknown\",\"result\":"
				"\"unknown\",\"code\":\"timeout\"");
	assert_says(scene->out, "\"height\":null,\"receipts\":[]");
	assert_int_equal(
		run(scene, RESERVE " --timeout 3s --lang ja --config %C"), 3);
	assert_says(scene->err, "時間内に答えがありません");
}

static void test_nobody_there(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < BENCH_NODES; i++)
		scene->bench.nodes[i].refuses_all = true;
	assert_int_equal(run(scene, RESERVE " --timeout 60s --config %C"), 3);
	assert_says(scene->err, "node_0");
	assert_says(scene->err, "enrol");
}

static void test_interrupted(void **state)
{
	struct scene *scene = *state;
	pid_t child;

	for (int i = 0; i < BENCH_NODES; i++)
		scene->bench.nodes[i].mute = true;
	child = start(scene, RESERVE " --timeout 60s --config %C");
	while (scene->bench.nodes[0].seen[MESSAGE_SUBMIT] == 0)
		bench_step(&scene->bench);
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(finish(scene, child), 3);
	assert_says(scene->err, "interrupted");
	assert_says(scene->err, "perch-wallet status ");
}

/* ---- the other verbs ---- */

static void test_free_pad(void **state)
{
	struct scene *scene = *state;
	const struct fake_chain *chain = &scene->bench.chain;
	struct perch_block block = {0};
	struct perch_op op;

	assert_int_equal(run(scene, "reserve --port haneda --config %C"), 0);
	block.bytes = chain->blocks[1].bytes;
	block.size = chain->blocks[1].size;
	assert_true(perch_block_op_at(&block, 0, 0, &op));
	assert_string_equal(op.slot.pad, "b");
}

static void test_by_id(void **state)
{
	struct scene *scene = *state;
	char id[33], args[256];

	assert_int_equal(run(scene, RESERVE " --json --config %C"), 0);
	snprintf(id, sizeof(id), "%.32s", scene->out + strlen("{\"id\":\""));
	snprintf(args, sizeof(args), "status %s --json --config %%C", id);
	assert_int_equal(run(scene, args), 0);
	assert_says(scene->out, id);
	assert_says(scene->out, "\"status\":\"final\",\"result\":\"granted\"");
	/* A reservation, which the evaluator knows. */
	assert_int_equal(run(scene, "state 11220000000000000000000000000000 "
				    "--config %C"),
		0);
	assert_says(scene->out, "confirmed");
	assert_int_equal(run(scene, "history 11220000000000000000000000000000 "
				    "--json --config %C"),
		0);
	assert_says(scene->out, "\"to\":\"confirmed\"");
	assert_int_equal(run(scene, "amend 11220000000000000000000000000000 "
				    "--pad b --config %C"),
		0);
	assert_says(scene->out, "amended");
	assert_int_equal(run(scene, "cancel 11220000000000000000000000000000 "
				    "--config %C"),
		0);
	assert_says(scene->out, "cancelled");
	assert_int_equal(scene->bench.chain.count, 3);
	/* No is an answer; no answer is none. */
	scene->bench.evaluator.refusal = "not_found";
	assert_int_equal(run(scene, "status 99990000000000000000000000000000 "
				    "--config %C"),
		1);
	scene->bench.evaluator.refusal = "behind";
	assert_int_equal(run(scene, "status 99990000000000000000000000000000 "
				    "--config %C"),
		3);
}

static void test_reading_without_a_key(void **state)
{
	struct scene *scene = *state;
	char args[512], hex[65];

	snprintf(args, sizeof(args),
		"inquiry --port haneda --from now --genesis %%G --evaluator "
		"%s@%s",
		perch_hex(hex, &scene->bench.evaluator.pair.key, 32),
		scene->bench.evaluator.request_at);
	assert_int_equal(run(scene, args), 0);
	assert_says(scene->out, "free: haneda b");
	assert_int_equal(run(scene, "inquire haneda --json --config %C"), 0);
	assert_says(scene->out, "\"reservation\":\"1122");
	assert_int_equal(run(scene, "inquire --json --config %C"), 0);
	assert_says(scene->out, "\"pads\":[\"a\",\"b\"]");
	write_genesis(scene, "enrolled");
	assert_int_equal(run(scene, args), 2);
	assert_says(scene->err, "enrolled keys only");
}

static void test_watch(void **state)
{
	struct scene *scene = *state;
	pid_t child;

	assert_int_equal(run(scene, RESERVE " --config %C"), 0);
	child = start(scene, "watch --height 1 --json --genesis %G");
	do {
		bench_step(&scene->bench);
		read_said(scene, "out", scene->out);
	} while (strchr(scene->out, '\n') == NULL);
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(finish(scene, child), 0);
	assert_says(scene->out, "\"height\":1");
	assert_says(scene->out, "\"op\":\"reserve\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_usage),
		TEST(test_help),
		TEST(test_verify),
		TEST(test_usage_in_japanese),
		TEST(test_keys),
		TEST(test_granted),
		TEST(test_valid_as_long_as_waited),
		TEST(test_the_named_node),
		TEST(test_refused),
		TEST(test_a_node_refuses),
		TEST(test_unknown),
		TEST(test_nobody_there),
		TEST(test_interrupted),
		TEST(test_free_pad),
		TEST(test_by_id),
		TEST(test_reading_without_a_key),
		TEST(test_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
