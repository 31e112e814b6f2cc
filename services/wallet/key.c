/* wallet/key.c -- `key new` and `key show`.
 */
#include "wallet.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"

static const struct setting own[] = {
	{"out", "FILE", "new: where to write the key", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Make a key, or say whose key a file holds. The public key is "
	       "what the authority enrols; the file is the wallet.",
	.words = "new|show [FILE]",
	.words_min = 1,
	.words_max = 2,
	.examples = "  perch-wallet key new --out alice.key\n"
		    "  perch-wallet key new alice.key --passphrase-file "
		    "secret\n"
		    "  perch-wallet key show --key alice.key --json",
};

static void print_key(const struct wallet *wallet, const struct perch_key *key,
	const char *path)
{
	char hex[65];
	struct key identity;
	uint8_t curve[32];
	struct json json;

	perch_hex(hex, key, sizeof(*key));
	memcpy(identity.bytes, key->bytes, sizeof(identity.bytes));
	if (!wallet->json) {
		printf("%s %s\n%s %s\n", wallet_say(wallet, "key ", "公開鍵"),
			hex, wallet_say(wallet, "file", "ファイル"), path);
		return;
	}
	json = wallet_json();
	json_text(&json, "key", hex);
	if (curve_from_key(curve, &identity) == ERR_OK)
		json_hex(&json, "curve", view_of(curve, sizeof(curve)));
	json_text(&json, "file", path);
	wallet_json_print(&json);
}

int verb_key(struct wallet *wallet, int argc, char **argv)
{
	struct perch_key key;
	uint8_t seed[32];
	char why[PERCH_WHY_MAX];
	const char *path = NULL;
	bool is_new;

	wallet_read(wallet, &manual, own, argc, argv);
	is_new = strcmp(wallet->options.words[0], "new") == 0;
	if (!is_new && strcmp(wallet->options.words[0], "show") != 0)
		wallet_refuse(wallet, wallet->options.words[0],
			"say `key new` or `key show`",
			"key new か key show にしてください");
	if (wallet->options.word_count == 2)
		path = wallet->options.words[1];
	if (path == NULL && is_new)
		path = wallet_text(wallet, "out");
	if (path == NULL)
		path = wallet_text(wallet, "key");
	if (path == NULL)
		wallet_refuse(wallet, is_new ? "--out" : "--key", "which file?",
			"ファイルを指定してください");
	if (!is_new) {
		wallet_seed(wallet, path, seed);
		key = perch_key_of(seed);
		explicit_bzero(seed, sizeof(seed));
	} else if (perch_key_new(path, wallet_passphrase(wallet), &key, why) !=
		   PERCH_OK) {
		fprintf(stderr, "%s: %s\n", wallet->program, why);
		return EXIT_USAGE;
	}
	print_key(wallet, &key, path);
	return EXIT_GRANTED;
}
