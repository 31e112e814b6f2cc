/* wallet/details.c -- `details`: what only few are told of a reservation. A
 * reader opens it; anybody can hold what a reader shows against the commitment.
 *
 * Both are taken from the block that made the reservation, which is verified.
 */
#include "lookup.h"

#include <stdio.h>
#include <string.h>

#include <perch/details.h>

static const struct setting own[] = {
	{"text", "TEXT", "are these the details? with --salt", NULL, false},
	{"salt", "HEX", "that a reader has shown with them", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Open the sealed details of a reservation; the wallet's key "
	       "must be one of their readers. A reader can show text and salt "
	       "to anybody, who checks with --text and --salt that this is "
	       "what was committed to.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet details 5f0c... --config haneda.conf\n"
		    "  perch-wallet details 5f0c... --text 'JA01XY, clinic' "
		    "\\\n      --salt 09ab... --config bob.conf",
};

enum finding {
	FOUND_OPENED,
	FOUND_FIT,
	FOUND_OTHERS,
	FOUND_SEALED,
	FOUND_NONE
};

static const struct {
	const char *word, *english, *japanese;
	int code;
} findings[] = {
	[FOUND_OPENED] = {"opened", "these are the details",
		"詳細は次のとおりです", EXIT_GRANTED},
	[FOUND_FIT] = {"fit", "these are the details that were committed to",
		"予約時に約束された詳細と一致します", EXIT_GRANTED},
	[FOUND_OTHERS] = {"others",
		"not what was committed to: another text, or another salt",
		"予約時に約束された詳細と一致しません", EXIT_REFUSED},
	[FOUND_SEALED] = {"sealed", "sealed, and not to this key",
		"封印されていて、この鍵では開けません", EXIT_REFUSED},
	[FOUND_NONE] = {"none", "no such reservation, or it has no details",
		"その予約がないか、詳細がありません", EXIT_REFUSED},
};

/* The operation of this block that made the reservation. */
static bool find_op(const struct perch_block *block, const struct perch_id *id,
	struct perch_op *op)
{
	struct perch_block_tx tx;

	for (size_t i = 0; perch_block_tx_at(block, i, &tx); i++) {
		for (size_t j = 0; perch_block_op_at(block, i, j, op); j++) {
			if (op->has_commitment && op->outcome.code == 0 &&
				op->outcome.has_reservation &&
				memcmp(&op->outcome.reservation, id,
					sizeof(*id)) == 0)
				return true;
		}
	}
	return false;
}

/* The block at a height, verified; NULL: it did not come in time. */
static const struct perch_block *block_at(
	struct wallet *wallet, uint64_t height, struct perch_event *event)
{
	int64_t until = perch_now() + wallet->timeout_ms;

	if (perch_follow(wallet->client, height, NULL) != PERCH_OK)
		return NULL;
	while (perch_now() < until) {
		perch_next(wallet->client, event, until - perch_now());
		if (event->type == PERCH_EVENT_BLOCK)
			return event->block;
		if (event->type == PERCH_EVENT_WAKE)
			return NULL;
	}
	fprintf(stderr, "%s: %s\n", wallet->program,
		wallet_err_text(wallet, PERCH_ERR_TIMEOUT));
	return NULL;
}

static enum finding look(const struct wallet *wallet, const struct perch_op *op,
	struct perch_details *details)
{
	const char *text = wallet_text(wallet, "text");
	uint8_t seed[32];

	if (text != NULL) {
		snprintf(details->text, sizeof(details->text), "%s", text);
		return strlen(text) <= PERCH_DETAILS_MAX &&
				       perch_details_fit(
					       details, &op->commitment)
			       ? FOUND_FIT
			       : FOUND_OTHERS;
	}
	wallet_seed(wallet, wallet_text(wallet, "key"), seed);
	enum perch_err err = perch_details_open(
		seed, op->sealed, op->sealed_size, &op->commitment, details);
	explicit_bzero(seed, sizeof(seed));
	return err == PERCH_OK            ? FOUND_OPENED
	       : err == PERCH_ERR_DAMAGED ? FOUND_OTHERS
					  : FOUND_SEALED;
}

/* A stranger wrote it: no control characters for the terminal. */
static const char *plain(char out[PERCH_DETAILS_MAX + 1], const char *text)
{
	size_t i = 0;

	for (; text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];

		out[i] = c < 0x20 || c == 0x7f ? '?' : text[i];
	}
	out[i] = '\0';
	return out;
}

static int say(const struct wallet *wallet, enum finding finding,
	const struct perch_op *op, const struct perch_details *details)
{
	const char *text = wallet_say(
		wallet, findings[finding].english, findings[finding].japanese);
	bool shows = finding == FOUND_OPENED;
	char hex[65];
	struct json json;

	if (!wallet->json) {
		char shown[PERCH_DETAILS_MAX + 1];

		printf("%s\n", text);
		if (shows)
			printf("  %s\n  %s %s\n", plain(shown, details->text),
				wallet_say(wallet, "salt", "ソルト"),
				perch_hex(hex, details->salt,
					sizeof(details->salt)));
		return findings[finding].code;
	}
	json = wallet_json();
	json_text(&json, "result",
		findings[finding].code == EXIT_GRANTED ? "granted" : "refused");
	json_text(&json, "code", findings[finding].word);
	json_text(&json, "text", text);
	if (op != NULL)
		json_text(&json, "commitment",
			perch_hex(
				hex, &op->commitment, sizeof(op->commitment)));
	if (shows) {
		json_text(&json, "details", details->text);
		json_text(&json, "salt",
			perch_hex(hex, details->salt, sizeof(details->salt)));
	}
	wallet_json_print(&json);
	return findings[finding].code;
}

int verb_details(struct wallet *wallet, int argc, char **argv)
{
	struct perch_details details = {.text = ""};
	struct perch_reservation found;
	const struct perch_block *block;
	struct perch_event event;
	struct perch_op op;
	struct perch_id id;
	bool is_known;

	wallet_read(wallet, &manual, own, argc, argv);
	const char *text = wallet_text(wallet, "text");
	const char *salt = wallet_text(wallet, "salt");
	id = wallet_id(wallet, wallet->options.words[0]);
	if ((text == NULL) != (salt == NULL) ||
		(salt != NULL && perch_unhex(details.salt, sizeof(details.salt),
					 salt) != PERCH_OK))
		wallet_refuse(wallet, "--text --salt",
			"both, and a salt is 32 hex digits",
			"両方を指定し、ソルトは16進数32桁にしてください");
	wallet_open(wallet, NEED_NODES | NEED_EVALUATOR |
				    (text == NULL ? (unsigned)NEED_KEY : 0));
	int code = lookup_reservation(wallet, &id, &found, &is_known);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	if (!is_known || !found.has_commitment)
		return wallet_close(
			wallet, say(wallet, FOUND_NONE, NULL, NULL));
	block = block_at(wallet, found.height, &event);
	if (block == NULL)
		return wallet_close(wallet, EXIT_UNKNOWN);
	if (!find_op(block, &id, &op))
		return wallet_close(
			wallet, say(wallet, FOUND_NONE, NULL, NULL));
	return wallet_close(wallet,
		say(wallet, look(wallet, &op, &details), &op, &details));
}
