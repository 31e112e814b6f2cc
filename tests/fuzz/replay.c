/* tests/fuzz/replay.c -- all targets in an ordinary build: the golden vectors,
 * the inputs of corpus.txt, and seeded mutations of both; so that no target
 * rots between two runs of the fuzzer.
 *
 *     fuzz_replay [MUTATIONS [SEED]]     mutations a target
 *     fuzz_replay TARGET FILE...         what libFuzzer has found
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/random.h"
#include "fuzz/targets.h"
#include "gen/table.h"
#include "support/vectors.h"
#include "support/wire_any.h"

enum { INPUTS_MAX = 512, INPUT_MAX = 1 << 17, MUTATIONS = 300 };

struct input {
	char target[64]; /* whose it is, though it is tried on all */
	size_t size;
	uint8_t *bytes;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;

/* What is being run, for on_abort. */
static const char *running;
static struct view running_bytes;

/* Name the target and the input that a CHECK fired on. */
static void on_abort(int number)
{
	static char text[2 * INPUT_MAX + 1];

	(void)number;
	hex_encode(text, running_bytes);
	fprintf(stderr, "fuzz: target %s, input %s\n", running, text);
	_exit(1);
}

static void run(const char *target, struct view bytes)
{
	running = target;
	running_bytes = bytes;
	fuzz_run(target, bytes);
}

static void add_input(const char *target, struct view bytes)
{
	struct input *input = &inputs[input_count++];

	CHECK(input_count < INPUTS_MAX && strlen(target) < 64);
	memcpy(input->target, target, strlen(target) + 1);
	input->size = bytes.size;
	input->bytes = malloc(bytes.size + 1);
	CHECK(input->bytes != NULL);
	memcpy(input->bytes, bytes.data, bytes.size);
}

static void load_vectors(void)
{
	FILE *file = vectors_open();
	static struct vector vector;

	while (vectors_next(file, &vector)) {
		if (vector.name[0] != '\0')
			add_input(vector.name,
				view_of(vector.bytes, vector.size));
	}
	fclose(file);
}

/* Lines of a target's name and hex; # begins a comment. */
static void load_corpus(void)
{
	FILE *file = fopen(PERCH_SOURCE "/tests/fuzz/corpus.txt", "r");
	char line[4096], target[64], hex[4000];
	uint8_t bytes[2000];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%63s %3999s", target, hex) != 2 ||
			target[0] == '#')
			continue;
		CHECK(hex_decode(bytes, strlen(hex) / 2, hex) == ERR_OK);
		add_input(target, view_of(bytes, strlen(hex) / 2));
	}
	fclose(file);
}

/* One change: a byte, a tag, a cut, a hole, or a part put in twice. */
static size_t change(uint8_t *bytes, size_t size, struct random *random)
{
	static const uint8_t tags[] = {0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xc4, 0xc5, 0xc6, 0xcc, 0xcd, 0xce, 0xcf, 0xd9, 0xda, 0xdb,
		0xdc, 0xdd, 0xde, 0xff};
	size_t at = random_below(random, size + 1);
	size_t part = random_below(random, size - at + 1);

	switch (random_below(random, 6)) {
	case 0:
		bytes[at] ^= (uint8_t)(1 << random_below(random, 8));
		return at < size ? size : size + 1;
	case 1:
		bytes[at] = (uint8_t)random_next(random);
		return at < size ? size : size + 1;
	case 2:
		bytes[at] = tags[random_below(random, sizeof(tags))];
		return at < size ? size : size + 1;
	case 3:
		return at;
	case 4:
		memmove(bytes + at, bytes + at + part, size - at - part);
		return size - part;
	default:
		if (size + part > INPUT_MAX - 8)
			return size;
		memmove(bytes + at + part, bytes + at, size - at);
		return size + part;
	}
}

static void mutate(const char *target, const struct schema_rule *rule,
	struct random *random, unsigned rounds)
{
	static uint8_t bytes[INPUT_MAX];

	for (unsigned i = 0; i < rounds; i++) {
		const struct input *input =
			&inputs[random_below(random, input_count)];
		size_t size = input->size;

		if (rule != NULL && random_chance(random, 700)) {
			size = wire_sample(bytes, INPUT_MAX / 8, rule, random);
		} else {
			memcpy(bytes, input->bytes, size);
		}
		for (uint64_t k = random_below(random, 4); k > 0; k--) {
			size = change(bytes, size, random);
			CHECK(size < INPUT_MAX);
		}
		run(target, view_of(bytes, size));
	}
}

static void run_target(const char *target, const struct schema_rule *rule,
	struct random *random, unsigned rounds)
{
	for (size_t i = 0; i < input_count; i++)
		run(target, view_of(inputs[i].bytes, inputs[i].size));
	mutate(target, rule, random, rounds);
}

static int run_files(const char *target, char **paths)
{
	static uint8_t bytes[INPUT_MAX];

	for (; *paths != NULL; paths++) {
		FILE *file = fopen(*paths, "rb");
		size_t size;

		if (file == NULL) {
			perror(*paths);
			return 2;
		}
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		run(target, view_of(bytes, size));
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned rounds = MUTATIONS;
	struct random random;
	size_t count = SCHEMA_RULES;

	signal(SIGABRT, on_abort);
	if (argc > 2 && strtoul(argv[1], NULL, 10) == 0)
		return run_files(argv[1], argv + 2);
	if (argc > 1)
		rounds = (unsigned)strtoul(argv[1], NULL, 10);
	random_seed(&random, argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
	load_vectors();
	load_corpus();
	for (size_t i = 0; i < SCHEMA_RULES; i++)
		run_target(schema_rules[i].name, &schema_rules[i], &random,
			rounds);
	for (size_t i = 0; fuzz_targets[i].name != NULL; i++, count++)
		run_target(fuzz_targets[i].name, schema_find("envelope"),
			&random, 10 * rounds);
	printf("fuzz: %zu targets, %zu inputs, %u mutations each\n", count,
		input_count, rounds);
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].bytes);
	return 0;
}
