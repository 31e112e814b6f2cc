/* wallet/main.c -- the table of verbs.
 */
#include "wallet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "service/output.h"
#include "service/words.h"

static const struct verb {
	const char *name, *other; /* and the prototypes' word for it */
	int (*run)(struct wallet *wallet, int argc, char **argv);
	const char *summary;
} verbs[] = {
	{"key", NULL, verb_key, "new: make a key; show: say who it is"},
	{"reserve", NULL, verb_reserve, "reserve a pad for a window"},
	{"reservation", NULL, verb_reservation,
		"reserve a port's first free pad, from now"},
	{"pair", NULL, verb_pair, "reserve take-off and landing, or neither"},
	{"amend", NULL, verb_amend, "move a reservation"},
	{"cancel", NULL, verb_cancel, "give a reservation up"},
	{"confirm", NULL, verb_confirm, "keep a reservation that is held"},
	{"request-clearance", NULL, verb_request_clearance,
		"ask to take off or land"},
	{"go-around", NULL, verb_go_around, "land elsewhere, or later"},
	{"emergency", NULL, verb_emergency, "declare one"},
	{"inquire", "inquiry", verb_inquire,
		"what is free, and who is in the way"},
	{"status", "state", verb_status, "what became of an id"},
	{"history", NULL, verb_history, "every move of reservations"},
	{"details", NULL, verb_details, "what only few are told of one"},
	{"watch", NULL, verb_watch, "final blocks as they come, verified"},
	{"clearance", NULL, verb_clearance,
		"a clearance in one file, or a QR code"},
	{"verify", NULL, verb_verify, "check such a file, without a network"},
	{"revoke", NULL, verb_revoke,
		"take a clearance back (controller, authority)"},
	{"close-pad", NULL, verb_close_pad,
		"close a pad (controller, authority)"},
	{"open-pad", NULL, verb_open_pad, "open it (controller, authority)"},
	{"register", NULL, verb_register, "a new party or port (authority)"},
	{"set-party", NULL, verb_set_party,
		"its quota, and up or down (authority)"},
	{"grant-tier", NULL, verb_grant_tier,
		"who may displace whom (authority)"},
	{"set-node", NULL, verb_set_node,
		"add, change or remove a node (authority)"},
	{"fly", NULL, verb_fly, "a whole flight, until the pad is empty again"},
	{"traffic", NULL, verb_traffic, "made-up reservations, for a demo"},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]), WORDS_MAX = 256 };

static const char examples[] =
	"  perch-wallet key new --out alice.key\n"
	"  perch-wallet reserve --port haneda --pad A --from +10m --for 5m \\\n"
	"      --config alice.conf\n"
	"  perch-wallet status 5f0c... --config alice.conf --json\n";

static void help(FILE *file)
{
	fprintf(file, "Usage: perch-wallet VERB [OPTION...]\n"
		      "Keys, and everything that is signed, on a Perch "
		      "network.\n\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(file, "  %-17s %s%s%s%s\n", verbs[i].name,
			verbs[i].summary,
			verbs[i].other == NULL ? "" : " (also: ",
			verbs[i].other == NULL ? "" : verbs[i].other,
			verbs[i].other == NULL ? "" : ")");
	fprintf(file,
		"\n  perch-wallet VERB --help  is the manual of a verb.\n\n"
		"Ends with 0 granted or done, 1 refused or no such thing, 2 "
		"wrong usage, 3 no\nanswer or outcome unknown.\n\n%s",
		examples);
}

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, name) == 0 ||
			(verbs[i].other != NULL &&
				strcmp(verbs[i].other, name) == 0))
			return &verbs[i];
	}
	return NULL;
}

/* Options may stand before the verb, too: its place in argv, or argc. */
static int verb_place(int argc, char **argv)
{
	int at = 1;

	while (at < argc && strncmp(argv[at], "--", 2) == 0) {
		bool whole = strchr(argv[at], '=') != NULL ||
			     strcmp(argv[at], "--json") == 0;

		at += whole ? 1 : 2;
	}
	return at < argc ? at : argc;
}

/* No verb: what else was meant? */
static int without_verb(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			help(stdout);
			return 0;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("perch %s\n", PERCH_RELEASE);
			return 0;
		}
	}
	if (argc == 1) {
		help(stderr);
		return EXIT_USAGE;
	}
	fprintf(stderr,
		words_japanese() ? "perch-wallet: %s: 動詞がありません"
				   " (perch-wallet --help を参照)\n"
				 : "perch-wallet: %s: and which verb? (see "
				   "perch-wallet --help)\n",
		argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static struct wallet wallet;
	char *words[WORDS_MAX];
	int place = verb_place(argc, argv), count = 1;
	const struct verb *verb;

	if (place == argc)
		return without_verb(argc, argv);
	verb = find(argv[place]);
	if (verb == NULL) {
		fprintf(stderr,
			words_japanese()
				? "perch-wallet: %s: このような動詞はありません"
				  " (perch-wallet --help を参照)\n"
				: "perch-wallet: %s: no such verb (see "
				  "perch-wallet --help)\n",
			argv[place]);
		return EXIT_USAGE;
	}
	if (argc > WORDS_MAX) {
		fprintf(stderr, "perch-wallet: too many words\n");
		return EXIT_USAGE;
	}
	snprintf(wallet.program, sizeof(wallet.program), "perch-wallet %s",
		verb->name);
	words[0] = wallet.program;
	for (int i = 1; i < argc; i++) {
		if (i != place)
			words[count++] = argv[i];
	}
	int code = verb->run(&wallet, count, words);

	return output_ends(wallet.program) ? code : EXIT_UNKNOWN;
}
