/* service/options.h -- a program's settings: one table, from which the command
 * line, the config file, --help and every error are made.
 *
 * The config file is ZPL; each setting is one key of it and one long option,
 * and the command line wins. A wrong setting ends the program with exit code 2
 * and a line that names the file, the setting and the cure.
 */
#ifndef PERCH_SERVICE_OPTIONS_H
#define PERCH_SERVICE_OPTIONS_H

#include "base/view.h"

enum { EXIT_USAGE = 2, OPTIONS_WORDS_MAX = 8 };

struct setting {
	const char *name; /* "data": --data, and the key in the file */
	/* "DIR"; NULL: a flag, "1" when given; "NAME...": may be given again,
	 * and value has all of them, parted by spaces. */
	const char *argument;
	const char *doc;
	const char *value; /* in: the default, or NULL; out: what was set */
	bool required;     /* and not empty */
};

struct options {
	const char *program;      /* "perch-node" */
	const char *doc;          /* what it does, one sentence */
	const char *examples;     /* shown at the end of --help */
	struct setting *settings; /* the last one has no name */
	bool has_config;          /* offers --config FILE */
	/* What is said without dashes, as in "cancel ID". */
	const char *words_doc; /* "ID"; NULL: nothing */
	size_t words_min, words_max;
	const char *words[OPTIONS_WORDS_MAX]; /* out */
	size_t word_count;                    /* out */
};

/* Fill the settings. Prints --help and --version and ends the program, or says
 * what is wrong and ends it with EXIT_USAGE. */
void options_read(struct options *options, int argc, char **argv);

/* A setting by its name; CHECKs that it is in the table. */
const char *options_text(const struct options *options, const char *name);
bool options_flag(const struct options *options, const char *name);
/* In [min, max], or the program ends as above. */
uint64_t options_number(const struct options *options, const char *name,
	uint64_t min, uint64_t max);

/* The number of the chain that the setting "chain" names: ordered (also when it
 * is not given) or pow. */
unsigned options_chain(const struct options *options);

/* log_start with the settings "log-level" (a word) and "json" (a flag). */
void options_start_log(const struct options *options);

/* Say what is wrong with a setting, and end the program as above. */
_Noreturn void options_refuse(
	const struct options *options, const char *name, const char *why);

#endif
