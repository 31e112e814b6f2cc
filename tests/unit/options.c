/* tests/unit/options.c -- a small program's settings, read from command lines
 * and files; each run is a process of its own, because a wrong one ends it.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/options.h"

enum { TEXT_MAX = 8192, ARGUMENTS_MAX = 12 };

struct run {
	int exit_code;
	char out[TEXT_MAX];
	char error[TEXT_MAX];
};

struct files {
	char directory[64];
	char config[96];
};

/* The program: prints what it was given. */
static _Noreturn void program(int argc, char **argv)
{
	struct setting settings[] = {
		{"data", "DIR", "where blocks are kept", NULL, true},
		{"key", "FILE", "the key file", NULL, true},
		{"election", "MS", "election timeout", "500", false},
		{"engine", "NAME", "consensus engine", "ordered", false},
		{"json", NULL, "JSON lines", NULL, false},
		{"peer", "NAME...", "any number of them", NULL, false},
		{0},
	};
	struct options options = {
		.program = "perch-test",
		.doc = "Shows its settings.",
		.examples = "Examples:\n  perch-test --data d --key k\n",
		.settings = settings,
		.has_config = true,
		.words_doc = "[ID [NAME]]",
		.words_max = 2,
	};

	options_read(&options, argc, argv);
	printf("%s %s %llu %s %d", options_text(&options, "data"),
		options_text(&options, "key"),
		(unsigned long long)options_number(
			&options, "election", 10, 60000),
		options_text(&options, "engine"),
		options_flag(&options, "json"));
	for (size_t i = 0; i < options.word_count; i++)
		printf(" %s", options.words[i]);
	if (options_text(&options, "peer") != NULL)
		printf(" [%s]", options_text(&options, "peer"));
	printf("\n");
	exit(0);
}

static void take_text(FILE *file, char text[TEXT_MAX])
{
	rewind(file);
	size_t size = fread(text, 1, TEXT_MAX - 1, file);
	text[size] = '\0';
	fclose(file);
}

/* Run the program with these arguments, separated by single spaces. */
static struct run run(const char *arguments)
{
	struct run run = {0};
	char words[1024], *argv[ARGUMENTS_MAX + 2] = {"perch-test"};
	FILE *out = tmpfile(), *error = tmpfile();
	int argc = 1, status;

	snprintf(words, sizeof(words), "%s", arguments);
	for (char *at = words, *next; at != NULL && *at != '\0'; at = next) {
		next = strchr(at, ' ');
		if (next != NULL)
			*next++ = '\0';
		assert_true(argc <= ARGUMENTS_MAX);
		argv[argc++] = at;
	}
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(error), STDERR_FILENO);
		program(argc, argv);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	run.exit_code = WEXITSTATUS(status);
	take_text(out, run.out);
	take_text(error, run.error);
	return run;
}

static int set_up(void **state)
{
	struct files *files = calloc(1, sizeof(*files));

	snprintf(files->directory, sizeof(files->directory),
		"/tmp/perch-options-XXXXXX");
	assert_non_null(mkdtemp(files->directory));
	snprintf(files->config, sizeof(files->config), "%s/test.conf",
		files->directory);
	*state = files;
	return 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	unlink(files->config);
	rmdir(files->directory);
	free(files);
	return 0;
}

/* Run with --config of this text and these arguments. */
static struct run run_file(
	const struct files *files, const char *text, const char *arguments)
{
	char all[1024];
	FILE *file = fopen(files->config, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
	snprintf(all, sizeof(all), "--config %s%s%s", files->config,
		arguments[0] == '\0' ? "" : " ", arguments);
	return run(all);
}

static void test_command_line(void **state)
{
	struct run got = run("--data d --key k");

	(void)state;
	assert_string_equal(got.out, "d k 500 ordered 0\n");
	assert_string_equal(got.error, "");
	assert_int_equal(got.exit_code, 0);
	got = run("--key=k one --json --election 10 --data=d two");
	assert_string_equal(got.out, "d k 10 ordered 1 one two\n");
	got = run("--data d --key k --key l");
	assert_string_equal(got.out, "d l 500 ordered 0\n");
}

static void test_file(void **state)
{
	struct run got = run_file(*state,
		"# a comment\n"
		"data = /var/lib/perch   # another\n"
		"key = \"blue sky.key\"\n"
		"json = yes\n"
		"election = 1000\n",
		"");

	assert_string_equal(got.error, "");
	assert_string_equal(
		got.out, "/var/lib/perch blue sky.key 1000 ordered 1\n");
	/* The command line wins, wherever it stands. */
	got = run_file(*state, "data = d\nkey = k\nelection = 1\n",
		"--election 20 --key l");
	assert_string_equal(got.out, "d l 20 ordered 0\n");
}

/* A setting that may be given again has all of its values. */
static void test_repeated(void **state)
{
	struct run got = run("--data d --key k --peer a --peer=b=c");

	assert_string_equal(got.error, "");
	assert_string_equal(got.out, "d k 500 ordered 0 [a b=c]\n");
	got = run_file(
		*state, "data = d\nkey = k\npeer = \"a b\"\npeer = c\n", "");
	assert_string_equal(got.out, "d k 500 ordered 0 [a b c]\n");
	got = run_file(
		*state, "data = d\nkey = k\npeer = a\n", "--peer b --peer c");
	assert_string_equal(got.out, "d k 500 ordered 0 [b c]\n");
}

static void test_help(void **state)
{
	struct run got = run("--help");

	(void)state;
	assert_int_equal(got.exit_code, 0);
	assert_string_equal(got.error, "");
	assert_non_null(strstr(got.out, "Shows its settings."));
	assert_non_null(strstr(got.out, "  perch-test --data d --key k\n"));
	assert_non_null(strstr(got.out, "--election=MS"));
	assert_non_null(strstr(got.out, "--config=FILE"));
	assert_non_null(strstr(got.out, "[ID [NAME]]"));
	got = run("--version");
	assert_int_equal(got.exit_code, 0);
	assert_string_equal(got.out, "perch " PERCH_RELEASE "\n");
}

/* Each is told by name, ends with 2, and nothing comes on standard output. */
static void test_wrong_command_line(void **state)
{
	static const struct {
		const char *arguments, *error;
	} cases[] = {
		{"", "perch-test: --data --key: missing (see perch-test "
		     "--help)\n"},
		{"--data d", "perch-test: --key: missing (see perch-test "
			     "--help)\n"},
		{"--data= --key k", "--data: missing"},
		{"--data d --key k --colour red", "--colour"},
		{"--data d --key", "--key"},
		{"--data d --key k --json=1", "--json"},
		{"--data d --key k 1 2 3", "3: one word too many"},
		{"--data d --key k --election 9",
			"election: \"9\" is not a number from 10 to 60000"},
		{"--data d --key k --election 60001", "is not a number from"},
		{"--data d --key k --election 1x", "is not a number from"},
		{"--data d --key k --election -1", "is not a number from"},
		{"--data d --key k --election +100", "is not a number from"},
		{"--data d --key k --election=", "is not a number from"},
		{"--data d --key k --election 99999999999999999999999",
			"is not a number from"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run got = run(cases[i].arguments);
		if (got.exit_code != EXIT_USAGE || got.out[0] != '\0' ||
			strstr(got.error, cases[i].error) == NULL)
			fail_msg("\"%s\" ends with %d and says: %s %s",
				cases[i].arguments, got.exit_code, got.out,
				got.error);
	}
}

/* As the locale says; who writes is told in the same words what is like it. */
static void test_japanese(void **state)
{
	static const struct {
		const char *arguments, *error;
	} cases[] = {
		{"", "--data --key: 指定されていません (perch-test --help "
		     "を参照)"},
		{"--data d --key k --electoin 5",
			"--electoin: このようなオプションはありません。"
			"\"election\" のことですか"},
		{"--data d --key", "値が必要です"},
		{"--data d --key k 1 2 3", "3: 語が一つ多すぎます"},
		{"--data d --key k --election 9",
			"\"9\" は 10 から 60000 までの数ではありません"},
	};

	(void)state;
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run got = run(cases[i].arguments);
		if (got.exit_code != EXIT_USAGE || got.out[0] != '\0' ||
			strstr(got.error, cases[i].error) == NULL)
			fail_msg("\"%s\" ends with %d and says: %s %s",
				cases[i].arguments, got.exit_code, got.out,
				got.error);
	}
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_non_null(strstr(run("--data d --key k --electoin 5").error,
		"did you mean \"election\"?"));
	assert_int_equal(run("--dat d --key k").exit_code, 0);
}

static void test_wrong_file(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"datta = d\n",
			"unknown setting \"datta\"; did you mean \"data\"?"},
		{"elektion = 5\n", "did you mean \"election\"?"},
		{"zzzzzzzzz = 5\n", "unknown setting \"zzzzzzzzz\" (see"},
		{"data\n    key = k\n", "data: nothing belongs below it"},
		{"dat\n    key = k\n", "unknown setting \"dat\"; did"},
		{"data = d\ndata = d\n", "data: is there twice"},
		{"config = x\n", "unknown setting \"config\""},
		{"data d\n", "not ZPL"},
		{"data = \"d\n", "not ZPL"},
		{"  data = d\n", "not ZPL"},
		{"", "--data --key: missing"},
		{"data =\nkey = k\n", "--data: missing"},
		{"data = d\nkey = k\njson = maybe\n", "json: say 1 or 0"},
	};
	const struct files *files = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run got = run_file(files, cases[i].text, "");
		if (got.exit_code != EXIT_USAGE || got.out[0] != '\0' ||
			strstr(got.error, cases[i].error) == NULL)
			fail_msg("\"%s\" ends with %d and says: %s %s",
				cases[i].text, got.exit_code, got.out,
				got.error);
	}
	struct run got = run_file(files, "datta = d\n", "");
	assert_non_null(strstr(got.error, files->config));
	char *large = malloc(70000);
	memset(large, '#', 70000);
	large[69999] = '\0';
	got = run_file(files, large, "");
	assert_int_equal(got.exit_code, EXIT_USAGE);
	assert_non_null(strstr(got.error, "not a text of at most 64 KiB"));
	free(large);
}

static void test_no_file(void **state)
{
	const struct files *files = *state;
	char arguments[128];
	struct run got = run("--config /nowhere/test.conf");

	assert_int_equal(got.exit_code, EXIT_USAGE);
	assert_string_equal(got.error,
		"perch-test: /nowhere/test.conf: No such file or directory "
		"(see perch-test --help)\n");
	snprintf(arguments, sizeof(arguments), "--config %s", files->directory);
	got = run(arguments);
	assert_int_equal(got.exit_code, EXIT_USAGE);
	assert_non_null(strstr(got.error, "Is a directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_repeated, set_up, tear_down),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_wrong_command_line),
		cmocka_unit_test(test_japanese),
		cmocka_unit_test_setup_teardown(
			test_wrong_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_no_file, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
