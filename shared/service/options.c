/* service/options.c -- argp for the command line, zconfig for the file.
 */
#include "service/options.h"

#include <argp.h>
#include <czmq.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "service/log.h"
#include "service/words.h"

enum { SETTINGS_MAX = 40, KEY_FIRST = 1000, KEY_CONFIG = 999 };
enum { FILE_SIZE_MAX = 64 << 10 };

/* What the parser shares with the hooks of argp. */
struct reading {
	struct options *options;
	const char *config;
	bool given[SETTINGS_MAX];   /* on the command line */
	bool written[SETTINGS_MAX]; /* in the file */
};

static size_t count_settings(const struct options *options)
{
	size_t count = 0;
	while (options->settings[count].name != NULL)
		count++;
	CHECK(count < SETTINGS_MAX);
	return count;
}

static struct setting *find(const struct options *options, const char *name)
{
	for (struct setting *s = options->settings; s->name != NULL; s++) {
		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

static _Noreturn void end_with(const struct options *options)
{
	fprintf(stderr,
		words_japanese() ? " (%s --help を参照)\n"
				 : " (see %s --help)\n",
		options->program);
	exit(EXIT_USAGE);
}

void options_refuse(
	const struct options *options, const char *name, const char *why)
{
	fprintf(stderr, "%s: %s: %s", options->program, name, words_of(why));
	end_with(options);
}

static void take_word(struct options *options, const char *word)
{
	CHECK(options->words_max <= OPTIONS_WORDS_MAX);
	if (options->word_count == options->words_max)
		options_refuse(options, word,
			options->words_max == 0 ? "no such word"
						: "one word too many");
	options->words[options->word_count++] = word;
}

/* One whose argument ends with "..." may be said again; its values are parted
 * by spaces. */
static bool repeats(const struct setting *setting)
{
	size_t size = setting->argument == NULL ? 0 : strlen(setting->argument);
	return size > 3 && strcmp(setting->argument + size - 3, "...") == 0;
}

/* Keep a copy of a value, behind what was there if it is said again. */
static void keep(struct setting *setting, const char *text, bool again)
{
	char *kept;
	if (!again) {
		kept = strdup(text);
	} else {
		char *before = (char *)(uintptr_t)setting->value;
		if (asprintf(&kept, "%s %s", before, text) < 0)
			kept = NULL;
		free(before);
	}
	CHECK(kept != NULL);
	setting->value = kept;
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
	struct reading *reading = state->input;
	if (key == KEY_CONFIG) {
		reading->config = text;
		return 0;
	}
	if (key == ARGP_KEY_ARG) {
		take_word(reading->options, text);
		return 0;
	}
	size_t index = (size_t)(key - KEY_FIRST);
	if (key < KEY_FIRST || index >= count_settings(reading->options))
		return ARGP_ERR_UNKNOWN;
	struct setting *setting = &reading->options->settings[index];
	if (repeats(setting))
		keep(setting, text, reading->given[index]);
	else
		setting->value = setting->argument == NULL ? "1" : text;
	reading->given[index] = true;
	return 0;
}

/* ---- the file ---- */

/* How many letters must change to make one word of the other; small words. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], m = strlen(a), n = strlen(b);
	if (m >= 64 || n >= 64)
		return 64;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			size_t best = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = above;
			row[j] = best;
		}
	}
	return row[n];
}

/* The setting whose name is most like this word, or NULL. */
static const char *nearest_of(const struct options *options, const char *key)
{
	const char *nearest = NULL;
	size_t best = 4;
	for (const struct setting *s = options->settings; s->name != NULL;
		s++) {
		size_t d = distance(key, s->name);
		if (d < best) {
			best = d;
			nearest = s->name;
		}
	}
	return nearest;
}

/* where: the file, or NULL for the command line. */
static _Noreturn void refuse_key(
	const struct options *options, const char *where, const char *key)
{
	const char *nearest = nearest_of(options, key);
	bool japanese = words_japanese();
	fprintf(stderr, "%s: ", options->program);
	if (where == NULL)
		fprintf(stderr, "--%s: %s", key, words_of("no such option"));
	else
		fprintf(stderr,
			japanese ? "%s: 設定 \"%s\" はありません"
				 : "%s: unknown setting \"%s\"",
			where, key);
	if (nearest != NULL)
		fprintf(stderr,
			japanese ? "。\"%s\" のことですか"
				 : "; did you mean \"%s\"?",
			nearest);
	end_with(options);
}

static _Noreturn void refuse_file(
	const struct reading *reading, const char *name, const char *why)
{
	fprintf(stderr, "%s: %s: %s%s%s", reading->options->program,
		reading->config, name == NULL ? "" : name,
		name == NULL ? "" : ": ", words_of(why));
	end_with(reading->options);
}

static void take(struct reading *reading, zconfig_t *item)
{
	struct setting *setting = find(reading->options, zconfig_name(item));
	if (setting == NULL)
		refuse_key(
			reading->options, reading->config, zconfig_name(item));
	if (zconfig_child(item) != NULL)
		refuse_file(reading, setting->name,
			"nothing belongs below it; begin the next line "
			"without spaces");
	size_t index = (size_t)(setting - reading->options->settings);
	bool again = reading->written[index];
	if (again && !repeats(setting))
		refuse_file(reading, setting->name, "is there twice");
	reading->written[index] = true;
	if (reading->given[index])
		return; /* the command line wins */
	const char *value = zconfig_value(item);
	keep(setting, value == NULL ? "" : value, again);
}

/* The whole file as text. Read here, because zconfig_load never lets go of a
 * file that it does not like. */
static void read_text(const struct reading *reading, char text[FILE_SIZE_MAX])
{
	FILE *file = fopen(reading->config, "r");
	if (file == NULL)
		refuse_file(reading, NULL, strerror(errno));
	size_t size = fread(text, 1, FILE_SIZE_MAX, file);
	if (ferror(file))
		refuse_file(reading, NULL, strerror(errno));
	fclose(file);
	if (size == FILE_SIZE_MAX || memchr(text, '\0', size) != NULL)
		refuse_file(reading, NULL, "not a text of at most 64 KiB");
	text[size] = '\0';
}

/* czmq names the line that it does not like, but on standard output, where only
 * answers belong. */
static zconfig_t *parse_quietly(const char *text)
{
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	CHECK(saved >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0);
	zconfig_t *root = zconfig_str_load(text);
	fflush(stdout);
	CHECK(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	return root;
}

/* The values live as long as the program, as those of the command line do. */
static void read_file(struct reading *reading)
{
	char text[FILE_SIZE_MAX];
	read_text(reading, text);
	zconfig_t *root = parse_quietly(text);
	if (root == NULL)
		refuse_file(reading, NULL,
			"not ZPL: each line is \"name = value\", without "
			"spaces before it");
	for (zconfig_t *item = zconfig_child(root); item != NULL;
		item = zconfig_next(item))
		take(reading, item);
	zconfig_destroy(&root);
}

/* ---- both ---- */

static void version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "perch %s\n", PERCH_RELEASE);
}

/* Every setting that is missing, in one line. */
static void check_required(const struct options *options)
{
	char names[512] = "";
	size_t used = 0;
	for (const struct setting *s = options->settings; s->name != NULL;
		s++) {
		if (!s->required || (s->value != NULL && s->value[0] != '\0'))
			continue;
		int size = snprintf(names + used, sizeof(names) - used,
			"%s--%s", used == 0 ? "" : " ", s->name);
		CHECK(size > 0 && used + (size_t)size < sizeof(names));
		used += (size_t)size;
	}
	if (used > 0)
		options_refuse(options, names, "missing");
	if (options->word_count < options->words_min)
		options_refuse(options, options->words_doc, "missing");
}

/* The only setting that a word on the command line can mean; it may be cut
 * short. NULL: one of argp's own, or several. False: there is none. */
static bool find_long(const struct options *options, const char *word,
	size_t size, const struct setting **out)
{
	static const char *const own[] = {"help", "usage", "version"};
	size_t found = 0;
	*out = NULL;
	for (const struct setting *s = options->settings; s->name != NULL;
		s++) {
		if (strncmp(s->name, word, size) != 0)
			continue;
		found++;
		*out = s;
		if (s->name[size] == '\0')
			return true;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		found += strncmp(own[i], word, size) == 0;
	found += options->has_config && strncmp("config", word, size) == 0;
	if (found != 1)
		*out = NULL;
	return found > 0;
}

/* argp would say this in English, and without a word that is like it. */
static void check_words(const struct options *options, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		char key[64];
		const char *word = argv[i] + 2;
		const struct setting *setting;
		size_t size = strcspn(argv[i], "=");
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		size -= 2;
		snprintf(key, sizeof(key), "%.*s", (int)(size < 60 ? size : 60),
			word);
		if (!find_long(options, word, size, &setting))
			refuse_key(options, NULL, key);
		if (setting == NULL || setting->argument == NULL ||
			word[size] == '=')
			continue;
		if (++i == argc)
			options_refuse(
				options, argv[i - 1], "it needs a value");
	}
}

void options_read(struct options *options, int argc, char **argv)
{
	struct argp_option table[SETTINGS_MAX + 2] = {0};
	struct reading reading = {.options = options};
	char doc[4096];
	size_t count = count_settings(options);
	for (size_t i = 0; i < count; i++) {
		table[i].name = options->settings[i].name;
		table[i].key = KEY_FIRST + (int)i;
		table[i].arg = options->settings[i].argument;
		table[i].doc = options->settings[i].doc;
	}
	if (options->has_config) {
		table[count].name = "config";
		table[count].key = KEY_CONFIG;
		table[count].arg = "FILE";
		table[count].doc = "read settings from FILE (ZPL); each option "
				   "is a key in it, and wins over it";
	}
	snprintf(doc, sizeof(doc), "%s\v%s", options->doc, options->examples);
	struct argp argp = {
		.options = table,
		.parser = on_option,
		.args_doc = options->words_doc,
		.doc = doc,
	};
	argp_program_version_hook = version;
	argp_err_exit_status = EXIT_USAGE;
	check_words(options, argc, argv);
	argp_parse(&argp, argc, argv, 0, NULL, &reading);
	if (reading.config != NULL)
		read_file(&reading);
	check_required(options);
}

const char *options_text(const struct options *options, const char *name)
{
	const struct setting *setting = find(options, name);
	CHECK(setting != NULL);
	return setting->value;
}

bool options_flag(const struct options *options, const char *name)
{
	const char *text = options_text(options, name);
	if (text == NULL || strcmp(text, "0") == 0 || strcmp(text, "no") == 0)
		return false;
	if (strcmp(text, "1") != 0 && strcmp(text, "yes") != 0)
		options_refuse(options, name, "say 1 or 0, or yes or no");
	return true;
}

uint64_t options_number(const struct options *options, const char *name,
	uint64_t min, uint64_t max)
{
	const char *text = options_text(options, name);
	char *end, why[128];
	CHECK(text != NULL);
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' &&
		value >= min && value <= max)
		return value;
	snprintf(why, sizeof(why),
		words_japanese()
			? "\"%.20s\" は %llu から %llu までの数ではありません"
			: "\"%.20s\" is not a number from %llu to %llu",
		text, (unsigned long long)min, (unsigned long long)max);
	options_refuse(options, name, why);
}

unsigned options_chain(const struct options *options)
{
	const char *name = options_text(options, "chain");
	if (name == NULL || strcmp(name, "ordered") == 0)
		return 0;
	if (strcmp(name, "pow") != 0)
		options_refuse(options, "chain", "say ordered or pow");
	return 1;
}

void options_start_log(const struct options *options)
{
	static const char *const words[] = {"debug", "info", "warn", "error"};
	const char *word = options_text(options, "log-level");
	size_t level = 0;
	while (level < 4 && strcmp(words[level], word) != 0)
		level++;
	if (level == 4)
		options_refuse(
			options, "log-level", "say debug, info, warn or error");
	log_start((enum log_level)level, options_flag(options, "json"));
}
