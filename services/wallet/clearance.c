/* wallet/clearance.c -- `clearance`: what the ledger granted, written into one
 * small file that proves it where there is no network.
 *
 * Nothing is written that `verify` would not believe.
 */
#include "lookup.h"
#include "pass.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

enum { AGAIN_MS = 100 };

static const struct setting own[] = {
	{"out", "FILE", "where to write it", NULL, false},
	{"qr", NULL, "draw it as a QR code", NULL, false},
	{"reservation", NULL,
		"a reservation will do, which permits no movement", NULL,
		false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Write a clearance into one file of at most 2,953 bytes, which "
	       "`perch-wallet verify` checks without a network. ID is the "
	       "reservation's, or the transaction's.",
	.words = "ID",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet clearance 5f0c... --out landing.pass "
		    "--config alice.conf\n"
		    "  perch-wallet clearance 5f0c... --qr --config "
		    "alice.conf",
};

/* Where it is: the block that holds it, and the reservation. */
struct place {
	bool found;
	uint64_t height;
	struct perch_id reservation;
};

/* The newest clearance, or else what made or last changed the reservation. */
static void look_at(
	struct place *place, const struct perch_move *move, bool *is_clearance)
{
	bool clears =
		move->cause == PERCH_OP_CLEAR && move->to == PERCH_CLEARED;
	bool grants = move->cause != 0 &&
		      (move->to == PERCH_HELD || move->to == PERCH_CONFIRMED);

	if (!clears && (*is_clearance || !grants))
		return;
	*is_clearance = clears;
	place->found = true;
	place->height = move->height;
}

static int find_by_history(struct wallet *wallet, struct place *place)
{
	struct perch_event event;
	uint64_t request, after = 0;
	bool more = true, is_clearance = false;

	wallet_catch_up(wallet);
	while (more) {
		if (perch_history(wallet->client, &place->reservation, NULL,
			    NULL, after, &request) != PERCH_OK ||
			!wallet_wait(wallet, request, &event))
			return EXIT_UNKNOWN;
		if (event.type != PERCH_EVENT_HISTORY)
			return wallet_say_failure(wallet, &event);
		for (size_t i = 0; i < event.history->count; i++) {
			look_at(place, &event.history->moves[i], &is_clearance);
			after = event.history->moves[i].sequence;
		}
		more = event.history->more && event.history->count > 0;
	}
	return EXIT_GRANTED;
}

/* A node that is behind, or was taken out of the network, knows less than the
 * next one: that is asked then, until there is no time left. */
static bool next_node(struct wallet *wallet, size_t *asked, int64_t until)
{
	struct perch_event event;

	if (perch_now() >= until)
		return false;
	++*asked;
	perch_prefer(wallet->client, *asked % wallet->network.node_count);
	perch_next(wallet->client, &event, AGAIN_MS);
	return true;
}

static void place_of(struct place *place, const struct perch_fate *fate)
{
	for (size_t i = 0; i < fate->op_count && !place->found; i++) {
		const struct perch_outcome *op = &fate->ops[i];

		if (op->code != 0 || !op->has_reservation)
			continue;
		place->found = true;
		place->height = fate->height;
		place->reservation = op->reservation;
	}
}

static int find(struct wallet *wallet, const struct perch_id *id, int64_t until,
	struct place *place)
{
	struct perch_event event;
	size_t asked = 0;
	bool is_tx, is_final;
	int code;

	memset(place, 0, sizeof(*place));
	do {
		is_tx = false;
		code = lookup_tx(wallet, NULL, id, &event, &is_tx);
		if (code != EXIT_GRANTED)
			return code;
		is_final = is_tx && event.fate->status == PERCH_FINAL;
	} while (is_tx && !is_final && next_node(wallet, &asked, until));
	if (is_final)
		place_of(place, event.fate);
	if (is_tx)
		return EXIT_GRANTED;
	if (!wallet->has_evaluator)
		wallet_refuse(wallet, "--evaluator",
			"no transaction of this wallet has this id; to look "
			"for a reservation, give the evaluator",
			"この番号の取引はありません。予約を探すには"
			"評価器を指定してください");
	place->reservation = *id;
	return find_by_history(wallet, place);
}

/* The block's bytes, to keep; 0: there is none, code says why. */
static size_t ask_block(struct wallet *wallet, uint64_t height, int64_t until,
	uint8_t **out, int *code)
{
	struct perch_event event;
	uint64_t request;
	size_t asked = 0;

	*code = EXIT_UNKNOWN;
	do {
		if (perch_ask_blocks(wallet->client, height, 1, &request) !=
				PERCH_OK ||
			!wallet_wait(wallet, request, &event))
			return 0;
		if (event.type != PERCH_EVENT_BLOCKS) {
			*code = wallet_say_failure(wallet, &event);
			return 0;
		}
	} while (event.blocks->count == 0 && next_node(wallet, &asked, until));
	if (event.blocks->count == 0)
		return 0;
	size_t size = event.blocks->blocks[0].size;
	*out = malloc(size);
	CHECK(*out != NULL);
	memcpy(*out, event.blocks->blocks[0].bytes, size);
	return size;
}

static int make(struct wallet *wallet, const struct place *place, int64_t until,
	uint8_t pass[PERCH_PASS_BYTES_MAX], size_t *size, enum perch_err *err)
{
	struct perch_event event;
	uint64_t request;
	uint8_t *block = NULL;
	int code;
	size_t block_size =
		ask_block(wallet, place->height, until, &block, &code);

	if (block_size == 0)
		return code;
	code = EXIT_UNKNOWN;
	if (perch_ask_certificate(wallet->client, place->height, &request) !=
			PERCH_OK ||
		!wallet_wait(wallet, request, &event))
		goto out;
	if (event.type != PERCH_EVENT_CERTIFICATE) {
		code = wallet_say_failure(wallet, &event);
		goto out;
	}
	*err = perch_pass_make(block, block_size, &place->reservation,
		event.certificate->bytes, event.certificate->size, pass, size);
	code = EXIT_GRANTED;
out:
	free(block);
	return code;
}

static int refuse(const struct wallet *wallet, enum perch_verdict verdict)
{
	return pass_say(wallet, verdict, NULL, NULL);
}

/* All of it or nothing: what was there stays until the new one is whole. */
static bool write_file(const struct wallet *wallet, const char *path,
	const uint8_t *bytes, size_t size)
{
	char whole[PATH_MAX];
	struct stat old;
	bool kept = stat(path, &old) != 0 || S_ISREG(old.st_mode);
	int length = snprintf(
		whole, sizeof(whole), "%s%s", path, kept ? ".new" : "");
	FILE *file = NULL;
	bool good = false;

	if (length < 0 || (size_t)length >= sizeof(whole))
		errno = ENAMETOOLONG;
	else
		file = fopen(whole, "wb");
	if (file != NULL) {
		good = fwrite(bytes, 1, size, file) == size;
		good = fclose(file) == 0 && good && rename(whole, path) == 0;
	}
	if (!good) {
		fprintf(stderr, "%s: ", wallet->program), perror(path);
		if (file != NULL && kept)
			unlink(whole);
	}
	return good;
}

static int finish(struct wallet *wallet, const uint8_t *pass, size_t size)
{
	const char *path = wallet_text(wallet, "out");
	struct perch_expected anything = {
		.reservation_will_do =
			options_flag(&wallet->options, "reservation"),
	};
	struct perch_pass said;
	enum perch_verdict verdict = perch_pass_check(
		&wallet->network, pass, size, &anything, &said);

	/* Only its time is not right for a clock that stands at 0. */
	if (verdict != PERCH_PASS_EARLY)
		return refuse(wallet, verdict);
	if (path != NULL && !write_file(wallet, path, pass, size))
		return EXIT_USAGE;
	if (options_flag(&wallet->options, "qr") &&
		!qr_draw(wallet->json ? stderr : stdout, pass, size)) {
		fprintf(stderr, "%s: --qr: libqrencode: %zu bytes\n",
			wallet->program, size);
		return EXIT_USAGE;
	}
	return pass_say(wallet, PERCH_PASS_VALID, &said, path);
}

int pass_write(struct wallet *wallet, uint64_t height,
	const struct perch_id *reservation, const char *path)
{
	uint8_t pass[PERCH_PASS_BYTES_MAX];
	struct place place = {
		.found = true, .height = height, .reservation = *reservation};
	enum perch_err err = PERCH_OK;
	size_t size = 0;
	int code = make(wallet, &place, perch_now() + wallet->timeout_ms, pass,
		&size, &err);

	if (code != EXIT_GRANTED || err != PERCH_OK)
		return EXIT_UNKNOWN;
	return write_file(wallet, path, pass, size) ? EXIT_GRANTED : EXIT_USAGE;
}

int verb_clearance(struct wallet *wallet, int argc, char **argv)
{
	uint8_t pass[PERCH_PASS_BYTES_MAX];
	enum perch_err err = PERCH_OK;
	struct place place;
	struct perch_id id;
	size_t size = 0;
	int64_t until;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	id = wallet_id(wallet, wallet->options.words[0]);
	if (wallet_text(wallet, "out") == NULL &&
		!options_flag(&wallet->options, "qr"))
		wallet_refuse(wallet, "--out", "which file? or --qr",
			"ファイルか --qr を指定してください");
	wallet_open(wallet, NEED_NODES);
	until = perch_now() + wallet->timeout_ms;
	code = find(wallet, &id, until, &place);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	if (!place.found)
		return wallet_close(
			wallet, refuse(wallet, PERCH_PASS_NOT_GRANTED));
	code = make(wallet, &place, until, pass, &size, &err);
	if (code != EXIT_GRANTED)
		return wallet_close(wallet, code);
	if (err == PERCH_ERR_NOT_FOUND)
		return wallet_close(
			wallet, refuse(wallet, PERCH_PASS_NOT_GRANTED));
	if (err != PERCH_OK) {
		fprintf(stderr, "%s: %s\n", wallet->program,
			wallet_err_text(wallet, err));
		return wallet_close(wallet, EXIT_UNKNOWN);
	}
	return wallet_close(wallet, finish(wallet, pass, size));
}
