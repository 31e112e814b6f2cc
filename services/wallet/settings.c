/* wallet/settings.c -- what every verb can be told, and how people write times.
 */
#include "wallet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "service/words.h"
#include "store/duration.h"

static const struct setting common[] = {
	{"genesis", "FILE", "the network", NULL, false},
	{"key", "FILE", "the wallet's key; reading goes without", NULL, false},
	{"passphrase-file", "FILE", "first line: the key's passphrase", NULL,
		false},
	{"node", "NAME", "ask this node first", NULL, false},
	{"evaluator", "KEY@TCP", "the evaluator: its key in hex, and where",
		NULL, false},
	{"chain", "NAME", "ordered or pow, where nodes keep both", NULL, false},
	{"wait", "STEP", "received, ordered or final", "final", false},
	{"stay", NULL,
		"with --wait ordered: until it is final; says if it is undone",
		NULL, false},
	{"timeout", "TIME",
		"then the outcome is unknown (10s); if longer than 60s, a "
		"transaction is valid for as long, up to 4m",
		"10s", false},
	{"json", NULL, "one JSON object a line", NULL, false},
	{"lang", "LANG", "en or ja; without, as the locale says", NULL, false},
	{0},
};

static void add(struct wallet *wallet, const struct setting *from)
{
	size_t count = 0;

	while (wallet->settings[count].name != NULL)
		count++;
	for (; from != NULL && from->name != NULL; from++) {
		CHECK(count + 1 < WALLET_SETTINGS_MAX);
		wallet->settings[count++] = *from;
	}
}

const char *wallet_text(const struct wallet *wallet, const char *name)
{
	const char *text = options_text(&wallet->options, name);

	return text != NULL && text[0] == '\0' ? NULL : text;
}

void wallet_refuse(const struct wallet *wallet, const char *name,
	const char *english, const char *japanese)
{
	fprintf(stderr, "%s: %s: %s\n", wallet->program, name,
		wallet_say(wallet, english, japanese));
	exit(EXIT_USAGE);
}

static enum perch_status read_wait(const struct wallet *wallet)
{
	const char *text = wallet_text(wallet, "wait");

	for (int i = PERCH_RECEIVED; i <= PERCH_FINAL; i++) {
		if (text != NULL &&
			strcmp(text, perch_status_name((enum perch_status)i)) ==
				0)
			return (enum perch_status)i;
	}
	wallet_refuse(wallet, "--wait", "say received, ordered or final",
		"received、ordered、final のどれかにしてください");
}

static bool read_language(const struct wallet *wallet)
{
	const char *text = wallet_text(wallet, "lang");

	if (text == NULL)
		return words_japanese();
	if (strcmp(text, "en") != 0 && strcmp(text, "ja") != 0)
		wallet_refuse(wallet, "--lang", "say en or ja",
			"en か ja にしてください");
	return strcmp(text, "ja") == 0;
}

void wallet_read(struct wallet *wallet, const struct verb_manual *manual,
	const struct setting *own, int argc, char **argv)
{
	wallet->options = (struct options){
		.program = wallet->program,
		.doc = manual->doc,
		.examples = manual->examples,
		.settings = wallet->settings,
		.has_config = true,
		.words_doc = manual->words,
		.words_min = manual->words_min,
		.words_max = manual->words_max,
	};
	wallet->signals = -1;
	wallet->japanese = words_japanese();
	add(wallet, own);
	add(wallet, common);
	options_read(&wallet->options, argc, argv);
	wallet->japanese = read_language(wallet);
	wallet->json = options_flag(&wallet->options, "json");
	wallet->wait = read_wait(wallet);
	wallet->stays = options_flag(&wallet->options, "stay");
	wallet->timeout_ms = wallet_duration(wallet, "timeout");
	if (wallet->timeout_ms <= 0)
		wallet_refuse(wallet, "--timeout", "say how long, like 10s",
			"10s のように時間を書いてください");
}

/* ---- times ---- */

int64_t wallet_duration(const struct wallet *wallet, const char *name)
{
	const char *text = wallet_text(wallet, name);
	time_ms out;

	if (text == NULL)
		return -1;
	if (duration_parse(text, &out) != ERR_OK)
		wallet_refuse(wallet, name, "a duration is like 90s, 5m or 2h",
			"時間は 90s、5m、2h のように書いてください");
	return out;
}

/* This place's time, as 2026-01-31T08:30 or with seconds. */
static bool local_parse(const char *text, time_ms *out)
{
	struct tm tm = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	time_t seconds;

	if (end != NULL && *end == ':')
		end = strptime(end, ":%S", &tm);
	if (end == NULL || *end != '\0')
		return false;
	seconds = mktime(&tm);
	*out = (time_ms)seconds * 1000;
	return seconds != (time_t)-1;
}

int64_t wallet_time(const struct wallet *wallet, const char *name)
{
	const char *text = wallet_text(wallet, name);
	time_ms out = 0;

	if (text == NULL)
		return -1;
	if (strcmp(text, "now") == 0)
		return perch_now();
	if (text[0] == '+' && duration_parse(text + 1, &out) == ERR_OK)
		return perch_now() + out;
	/* The contract says whether the past may be spoken of. */
	if (text[0] == '-' && duration_parse(text + 1, &out) == ERR_OK)
		return perch_now() - out;
	if (utc_parse(text, &out) == ERR_OK || local_parse(text, &out))
		return out;
	wallet_refuse(wallet, name,
		"a time is like +10m, 2026-01-31T08:30 (here) or "
		"2026-01-31T08:30:00Z",
		"時刻は +10m、2026-01-31T08:30(現地)、"
		"2026-01-31T08:30:00Z のように書いてください");
}

bool wallet_place(
	const struct wallet *wallet, const char *name, struct wallet_place *out)
{
	const char *text = wallet_text(wallet, name);
	const char *slash = text == NULL ? NULL : strchr(text, '/');

	memset(out, 0, sizeof(*out));
	if (text == NULL)
		return true;
	if (slash == NULL || slash == text || slash[1] == '\0' ||
		(size_t)(slash - text) > PERCH_NAME_MAX ||
		strlen(slash + 1) > PERCH_NAME_MAX)
		return false;
	memcpy(out->port, text, (size_t)(slash - text));
	memcpy(out->pad, slash + 1, strlen(slash + 1));
	return true;
}

struct perch_key wallet_key(const struct wallet *wallet, const char *name)
{
	struct perch_key key;

	if (perch_unhex(&key, sizeof(key), wallet_text(wallet, name)) !=
		PERCH_OK)
		wallet_refuse(wallet, name, "a key is 64 hex digits",
			"鍵は16進数64桁です");
	return key;
}

struct perch_id wallet_id(const struct wallet *wallet, const char *text)
{
	struct perch_id id;

	if (perch_unhex(&id, sizeof(id), text) != PERCH_OK)
		wallet_refuse(wallet, text, "an id is 32 hex digits",
			"番号は16進数32桁です");
	return id;
}
