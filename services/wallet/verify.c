/* wallet/verify.c -- `verify`: is this file a clearance, and the right one? No
 * network is asked: the genesis and this place's clock are all it takes.
 */
#include "pass.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct setting own[] = {
	{"at", "TIME", "as of this time, if not now", NULL, false},
	{"port", "NAME", "it must be for this port", NULL, false},
	{"pad", "NAME", "it must be for this pad", NULL, false},
	{"aircraft", "SERIAL", "it must be for this aircraft", NULL, false},
	{"movement", "KIND", "departure or arrival: it must be for that", NULL,
		false},
	{"reservation", NULL,
		"a reservation will do, which permits no movement", NULL,
		false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Check a file that `perch-wallet clearance` wrote (- is "
	       "standard "
	       "input), without a network: enough of the genesis' signers have "
	       "signed the block that holds it, and it is valid now. It cannot "
	       "know of a clearance that was taken back after that.",
	.words = "FILE",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet verify landing.pass --genesis demo.zpl "
		    "\\\n"
		    "      --port haneda --pad A --aircraft JA001P",
};

static int movement_of(const struct wallet *wallet)
{
	const char *text = wallet_text(wallet, "movement");

	if (text == NULL)
		return 0;
	if (strcmp(text, "departure") == 0)
		return 1;
	if (strcmp(text, "arrival") == 0)
		return 2;
	wallet_refuse(wallet, "--movement", "say departure or arrival",
		"departure か arrival にしてください");
}

/* At most one byte more than a file may have. */
static size_t read_file(const struct wallet *wallet, const char *path,
	uint8_t out[PERCH_PASS_BYTES_MAX + 1])
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "rb");
	size_t size = 0;

	if (file != NULL)
		size = fread(out, 1, PERCH_PASS_BYTES_MAX + 1, file);
	if (file == NULL || ferror(file))
		wallet_refuse(wallet, path, strerror(errno), strerror(errno));
	if (!is_stdin)
		fclose(file);
	return size;
}

int verb_verify(struct wallet *wallet, int argc, char **argv)
{
	uint8_t bytes[PERCH_PASS_BYTES_MAX + 1];
	struct perch_expected expected;
	struct perch_pass pass;
	char why[PERCH_WHY_MAX];

	wallet_read(wallet, &manual, own, argc, argv);
	if (wallet_text(wallet, "genesis") == NULL)
		wallet_refuse(wallet, "--genesis",
			"which network? give its genesis file",
			"ネットワークの genesis ファイルを指定してください");
	expected = (struct perch_expected){
		.port = wallet_text(wallet, "port"),
		.pad = wallet_text(wallet, "pad"),
		.aircraft = wallet_text(wallet, "aircraft"),
		.movement = movement_of(wallet),
		.at = wallet_time(wallet, "at"),
		.reservation_will_do =
			options_flag(&wallet->options, "reservation"),
	};
	if (expected.at < 0)
		expected.at = perch_now();
	if (perch_genesis_read(wallet_text(wallet, "genesis"), &wallet->network,
		    why) != PERCH_OK) {
		fprintf(stderr, "%s: %s\n", wallet->program, why);
		return EXIT_USAGE;
	}
	size_t size = read_file(wallet, wallet->options.words[0], bytes);
	enum perch_verdict verdict = perch_pass_check(
		&wallet->network, bytes, size, &expected, &pass);
	bool proved = verdict == PERCH_PASS_VALID ||
		      verdict >= PERCH_PASS_NOT_CLEARANCE;
	return pass_say(wallet, verdict, proved ? &pass : NULL, NULL);
}
