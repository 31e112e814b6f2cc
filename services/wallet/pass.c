/* wallet/pass.c -- a carried clearance in words.
 */
#include "pass.h"

static const char *movement_name(int movement)
{
	static const char *const names[] = {"any", "departure", "arrival"};

	return movement >= 0 && movement <= 2 ? names[movement] : "unknown";
}

static void say_json(const struct wallet *wallet, enum perch_verdict verdict,
	const struct perch_pass *pass, const char *path)
{
	struct json json = wallet_json();

	json_text(&json, "result",
		verdict == PERCH_PASS_VALID ? "valid" : "refused");
	json_text(&json, "code", perch_verdict_name(verdict));
	json_text(&json, "text",
		perch_verdict_text(verdict, wallet_say(wallet, "en", "ja")));
	if (path != NULL)
		json_text(&json, "file", path);
	if (pass != NULL) {
		json_text(&json, "kind",
			pass->is_clearance ? "clearance" : "reservation");
		json_hex(&json, "reservation",
			view_of(&pass->reservation, sizeof(pass->reservation)));
		json_text(&json, "port", pass->port);
		json_text(&json, "pad", pass->pad);
		json_text(&json, "aircraft", pass->aircraft);
		json_text(&json, "movement", movement_name(pass->movement));
		json_number(&json, "from", pass->from);
		json_number(&json, "until", pass->until);
		json_hex(&json, "operator",
			view_of(&pass->operator_key,
				sizeof(pass->operator_key)));
		json_hex(&json, "signed_by",
			view_of(&pass->signed_by, sizeof(pass->signed_by)));
		json_number(&json, "chain", (int64_t)pass->chain);
		json_number(&json, "height", (int64_t)pass->height);
		json_hex(&json, "block",
			view_of(&pass->block, sizeof(pass->block)));
		json_number(&json, "signers", (int64_t)pass->signer_count);
	}
	wallet_json_print(&json);
}

static const char *kind_of(
	const struct wallet *wallet, const struct perch_pass *pass)
{
	if (!pass->is_clearance)
		return wallet_say(wallet, "reservation", "予約");
	if (pass->movement == 1)
		return wallet_say(wallet, "clearance to take off", "離陸許可");
	if (pass->movement == 2)
		return wallet_say(wallet, "clearance to land", "着陸許可");
	return wallet_say(wallet, "clearance", "許可");
}

static void say_words(const struct wallet *wallet, enum perch_verdict verdict,
	const struct perch_pass *pass, const char *path)
{
	char from[64], until[64];
	const char *text =
		perch_verdict_text(verdict, wallet_say(wallet, "en", "ja"));

	if (verdict == PERCH_PASS_VALID)
		printf("%s\n", text);
	else
		printf("%s %s\n", wallet_say(wallet, "not valid:", "無効:"),
			text);
	if (pass == NULL)
		return;
	printf("  %s  %s %s  %s\n", kind_of(wallet, pass), pass->port,
		pass->pad,
		pass->aircraft[0] == '\0'
			? wallet_say(wallet, "(no aircraft named)",
				  "(機体の指定なし)")
			: pass->aircraft);
	printf("  %s - %s\n", wallet_show_time(from, pass->from),
		wallet_show_time(until, pass->until));
	printf(wallet_say(wallet, "  block %llu, signed by %zu nodes\n",
		       "  ブロック %llu、署名ノード数 %zu\n"),
		(unsigned long long)pass->height, pass->signer_count);
	if (path != NULL)
		printf("  %s %s\n", wallet_say(wallet, "written to", "保存先"),
			path);
}

int pass_say(const struct wallet *wallet, enum perch_verdict verdict,
	const struct perch_pass *pass, const char *path)
{
	if (wallet->json)
		say_json(wallet, verdict, pass, path);
	else
		say_words(wallet, verdict, pass, path);
	return verdict == PERCH_PASS_VALID ? EXIT_GRANTED : EXIT_REFUSED;
}
