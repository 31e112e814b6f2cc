/* wallet/network.c -- files, keys and the way to the network.
 */
#include "wallet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/check.h"
#include "service/signals.h"

enum { PASSPHRASE_MAX = 256, HEX_KEY = 64 };
enum { CATCH_UP_MS = 1000, CATCH_UP_PART = 10, CATCH_UP_STEP_MS = 5 };

static _Noreturn void refuse(const struct wallet *wallet, const char *why)
{
	fprintf(stderr, "%s: %s\n", wallet->program, why);
	exit(EXIT_USAGE);
}

/* ---- keys ---- */

/* One line without its end; false: none. */
static bool read_line(FILE *file, char out[PASSPHRASE_MAX])
{
	if (fgets(out, PASSPHRASE_MAX, file) == NULL)
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

const char *wallet_passphrase(const struct wallet *wallet)
{
	static char passphrase[PASSPHRASE_MAX];
	const char *path = wallet_text(wallet, "passphrase-file");
	FILE *file;
	bool found;

	if (path == NULL)
		return getenv("PERCH_PASSPHRASE");
	file = fopen(path, "r");
	if (file == NULL)
		wallet_refuse(wallet, path, strerror(errno), strerror(errno));
	found = read_line(file, passphrase);
	fclose(file);
	if (!found || passphrase[0] == '\0')
		wallet_refuse(wallet, path, "its first line is empty",
			"1行目が空です");
	return passphrase;
}

/* From the terminal, unseen. */
static const char *ask_passphrase(const struct wallet *wallet)
{
	static char passphrase[PASSPHRASE_MAX];
	struct termios seen, unseen;
	bool found;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &seen) != 0)
		return NULL;
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s ",
		wallet_say(wallet, "passphrase:", "パスフレーズ:"));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
	found = read_line(stdin, passphrase);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
	fprintf(stderr, "\n");
	return found ? passphrase : NULL;
}

void wallet_seed(
	const struct wallet *wallet, const char *path, uint8_t seed[32])
{
	char why[PERCH_WHY_MAX];
	const char *passphrase = wallet_passphrase(wallet);
	enum perch_err err = perch_key_read(path, passphrase, seed, why);

	if (err == PERCH_ERR_PASSPHRASE && passphrase == NULL) {
		passphrase = ask_passphrase(wallet);
		if (passphrase != NULL)
			err = perch_key_read(path, passphrase, seed, why);
	}
	if (err != PERCH_OK)
		refuse(wallet, why);
}

/* ---- the network ---- */

/* KEY@tcp://host:port */
static void read_evaluator(const struct wallet *wallet, struct perch_node *out)
{
	const char *text = wallet_text(wallet, "evaluator");
	char key[HEX_KEY + 1];

	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "evaluator");
	if (strlen(text) > HEX_KEY + 1 && text[HEX_KEY] == '@' &&
		strncmp(text + HEX_KEY + 1, "tcp://", 6) == 0 &&
		strlen(text) - HEX_KEY - 1 <= PERCH_ENDPOINT_MAX) {
		snprintf(key, sizeof(key), "%.*s", HEX_KEY, text);
		snprintf(out->request, sizeof(out->request), "%s",
			text + HEX_KEY + 1);
		if (perch_unhex(&out->key, sizeof(out->key), key) == PERCH_OK)
			return;
	}
	wallet_refuse(wallet, "--evaluator",
		"expected its key as 64 hex digits, @, and tcp://host:port",
		"鍵(16進数64桁)@tcp://host:port の形で書いてください");
}

static void check_needs(const struct wallet *wallet, unsigned needs)
{
	if (wallet_text(wallet, "genesis") == NULL)
		wallet_refuse(wallet, "--genesis",
			"which network? give its genesis file, or --config",
			"ネットワークが不明です。genesis ファイルか --config "
			"を指定してください");
	if ((needs & NEED_EVALUATOR) && !wallet->has_evaluator)
		wallet_refuse(wallet, "--evaluator",
			"this needs the evaluator; give its "
			"KEY@tcp://host:port",
			"評価器が必要です。KEY@tcp://host:port "
			"で指定してください");
	if ((needs & NEED_KEY) && !wallet->has_key)
		wallet_refuse(wallet, "--key",
			"this is signed; give the wallet's key file "
			"(perch-wallet key new)",
			"署名が必要です。鍵ファイルを指定してください"
			"(perch-wallet key new)");
}

static void prefer(struct wallet *wallet)
{
	const char *name = wallet_text(wallet, "node");

	if (name == NULL)
		return;
	for (size_t i = 0; i < wallet->network.node_count; i++) {
		if (strcmp(wallet->network.nodes[i].name, name) != 0)
			continue;
		perch_prefer(wallet->client, i);
		return;
	}
	wallet_refuse(wallet, name, "the genesis has no node of this name",
		"この名前のノードは genesis にありません");
}

void wallet_open(struct wallet *wallet, unsigned needs)
{
	struct perch_config config = {.prove = true};
	struct perch_node evaluator;
	uint8_t seed[32];
	char why[PERCH_WHY_MAX];

	wallet->has_key = wallet_text(wallet, "key") != NULL;
	wallet->has_evaluator = wallet_text(wallet, "evaluator") != NULL;
	check_needs(wallet, needs);
	if (perch_genesis_read(wallet_text(wallet, "genesis"), &wallet->network,
		    why) != PERCH_OK)
		refuse(wallet, why);
	if (!wallet->has_key && !wallet->network.observers_anyone)
		wallet_refuse(wallet, "--key",
			"this network admits enrolled keys only",
			"このネットワークには登録済みの鍵が必要です");
	config.network = wallet->network.id;
	config.nodes = wallet->network.nodes;
	config.node_count = wallet->network.node_count;
	config.timeout_ms = wallet->timeout_ms;
	config.chain = options_chain(&wallet->options);
	if (wallet->has_evaluator) {
		read_evaluator(wallet, &evaluator);
		config.evaluator = &evaluator;
	}
	if (wallet->has_key) {
		wallet_seed(wallet, wallet_text(wallet, "key"), seed);
		config.seed = seed;
	}
	wallet->signals = signals_open();
	if (perch_open(&wallet->client, &config, why) != PERCH_OK)
		refuse(wallet, why);
	explicit_bzero(seed, sizeof(seed));
	perch_wake_on(wallet->client, wallet->signals);
	prefer(wallet);
}

bool wallet_wait(
	struct wallet *wallet, uint64_t request, struct perch_event *event)
{
	enum perch_err err = perch_wait(wallet->client, request, event);

	CHECK(err == PERCH_OK || err == PERCH_ERR_TIMEOUT);
	return err == PERCH_OK;
}

/*~ The evaluator follows the nodes by a moment. Whoever reserves and then looks
 * wants to see it, so a read first learns how far the ledger is, and waits for
 * the evaluator to be there; for a part of its patience only, because every
 * answer names its height. */
void wallet_catch_up(struct wallet *wallet)
{
	static const struct perch_key nobody = {{0}};
	struct perch_event event;
	uint64_t request, height = 0;
	int64_t patience = wallet->timeout_ms / CATCH_UP_PART, until;

	if (patience < CATCH_UP_MS)
		patience = CATCH_UP_MS;
	until = perch_now() + patience;
	perch_set_timeout(wallet->client, patience);
	if (perch_ask_head(wallet->client, false, &request) == PERCH_OK &&
		wallet_wait(wallet, request, &event) &&
		event.type == PERCH_EVENT_HEAD)
		height = event.head->final_height;
	while (height > 0 && perch_now() < until) {
		if (perch_history(wallet->client, NULL, &nobody, NULL, 0,
			    &request) != PERCH_OK ||
			!wallet_wait(wallet, request, &event) ||
			event.type != PERCH_EVENT_HISTORY ||
			event.history->as_of.height >= height)
			break;
		perch_next(wallet->client, &event, CATCH_UP_STEP_MS);
	}
	perch_set_timeout(wallet->client, wallet->timeout_ms);
}

int wallet_close(struct wallet *wallet, int code)
{
	perch_close(&wallet->client);
	return code;
}
