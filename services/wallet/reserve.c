/* wallet/reserve.c -- `reserve`: a pad for a window, the first free one when
 * none is named.
 */
#include "wallet.h"

#include <stdio.h>
#include <string.h>

#include <perch/details.h>

static const struct setting own[] = {
	{"port", "NAME", "the port", NULL, true},
	{"pad", "NAME", "the pad; without, the first that is free", NULL,
		false},
	{"from", "TIME", "when it starts: +10m, 2026-01-31T08:30:00Z", "+1m",
		false},
	{"for", "TIME", "how long: 5m", "5m", false},
	{"aircraft", "SERIAL", "of the aircraft (F3411)", NULL, false},
	{"alternate", "PLACE", "PORT/PAD, when this one cannot be had later",
		NULL, false},
	{"tier", "N", "0 to 7: displaces lower ones", "0", false},
	{"details", "TEXT", "told to the readers only: sealed", NULL, false},
	{"reader", "KEY...", "a public key that may read them; 1 to 3", NULL,
		false},
	{"queue", NULL, "if it is taken, on the waiting list", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Reserve a pad of a port for a window. Ends when the ledger's "
	       "answer is final: reserved, or refused with the reservations "
	       "in the way and the next free slots.",
	.examples = "  perch-wallet reserve --port haneda --pad A --from "
		    "+10m --for 5m \\\n"
		    "      --config alice.conf\n"
		    "  perch-wallet reserve --port haneda --from "
		    "2026-01-31T08:30:00Z \\\n"
		    "      --aircraft JA01XY",
};

/* Ask the evaluator. When nothing is free the port's first pad is taken all the
 * same: the ledger's refusal tells who is in the way and what is free next. */
static int choose_pad(struct wallet *wallet, const struct perch_reserve *want,
	char pad[PERCH_NAME_MAX + 1])
{
	struct perch_event event;
	uint64_t request;

	wallet_catch_up(wallet);
	if (perch_inquire(wallet->client, want->port, NULL, want->start,
		    want->end, &request) != PERCH_OK)
		wallet_refuse(wallet, want->port, "not a name of a port",
			"ポートの名前ではありません");
	if (!wallet_wait(wallet, request, &event))
		return EXIT_UNKNOWN;
	if (event.type != PERCH_EVENT_INQUIRE)
		return wallet_say_failure(wallet, &event);
	if (event.inquire->free_count > 0)
		memcpy(pad, event.inquire->free[0], PERCH_NAME_MAX + 1);
	else if (event.inquire->count > 0)
		memcpy(pad, event.inquire->reservations[0].pad,
			PERCH_NAME_MAX + 1);
	else
		return wallet_say_none(wallet,
			"no pad of this port is open then; choose another "
			"time, or name a pad with --pad",
			"その時間に開いているパッドがありません。別の時間か "
			"--pad で指定してください");
	return EXIT_GRANTED;
}

/* Seal what is for few; where it lies is borrowed until the end. */
static void seal_details(struct wallet *wallet, struct perch_reserve *want)
{
	static uint8_t sealed[PERCH_SEALED_MAX];
	static struct perch_hash commitment;
	struct perch_key readers[PERCH_READERS_MAX];
	const char *text = wallet_text(wallet, "details");
	const char *at = wallet_text(wallet, "reader");
	size_t count = 0, size = 0;

	if (text == NULL)
		return;
	while (at != NULL && *at != '\0' && count < PERCH_READERS_MAX) {
		char hex[65] = "";

		size = strcspn(at, " ");
		if (size == 64)
			memcpy(hex, at, size);
		if (perch_unhex(&readers[count++], 32, hex) != PERCH_OK)
			wallet_refuse(wallet, "--reader",
				"a key is 64 hex digits", "鍵は16進数64桁です");
		at += size + (at[size] == ' ');
	}
	if ((at != NULL && *at != '\0') ||
		perch_details_seal(text, readers, count, sealed, &size,
			&commitment) != PERCH_OK)
		wallet_refuse(wallet, "--details --reader",
			"at most 111 bytes, for 1 to 3 readers",
			"111バイト以内で、読む人を1から3人指定してください");
	want->commitment = &commitment;
	want->sealed = sealed;
	want->sealed_size = size;
}

/* What the free slots of a refusal are compared with. */
static void say_asked(
	const struct wallet *wallet, const struct perch_reserve *want)
{
	struct perch_slot slot = {.start = want->start, .end = want->end};
	char text[160];

	snprintf(slot.pad, sizeof(slot.pad), "%s", want->pad);
	printf("  %s %s %s\n", wallet_say(wallet, "asked for:", "希望:"),
		want->port, wallet_show_slot(text, &slot));
}

int verb_reserve(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "reserved",
		.japanese = "予約しました",
	};
	struct perch_reserve want = {0};
	struct wallet_place alternate;
	struct perch_tx tx;
	char pad[PERCH_NAME_MAX + 1];
	enum perch_err err;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	want.port = wallet_text(wallet, "port");
	want.pad = wallet_text(wallet, "pad");
	want.aircraft = wallet_text(wallet, "aircraft");
	want.wait = options_flag(&wallet->options, "queue");
	want.tier = (unsigned)options_number(&wallet->options, "tier", 0, 7);
	if (!wallet_place(wallet, "alternate", &alternate))
		wallet_refuse(wallet, "--alternate", "a place is PORT/PAD",
			"場所は PORT/PAD の形です");
	seal_details(wallet, &want);
	want.alternate_port = alternate.port;
	want.alternate_pad = alternate.pad;
	want.start = wallet_time(wallet, "from");
	want.end = want.start + wallet_duration(wallet, "for");
	wallet_open(wallet,
		NEED_NODES | NEED_KEY |
			(want.pad == NULL ? (unsigned)NEED_EVALUATOR : 0));
	if (want.pad == NULL) {
		code = choose_pad(wallet, &want, pad);
		if (code != EXIT_GRANTED)
			return wallet_close(wallet, code);
		want.pad = pad;
	}
	perch_tx_start(&tx, PERCH_ALL);
	err = perch_tx_reserve(&tx, &want);
	if (err != PERCH_OK)
		wallet_refuse(wallet, perch_err_name(err),
			"a port or pad has a name of 1 to 32 letters, digits, "
			"_ or -; the times are before 2100",
			"ポートとパッドの名前は英数字と _ - で1から32文字、"
			"時刻は2100年より前です");
	code = wallet_submit(wallet, &tx, &done);
	if (code == EXIT_REFUSED && !wallet->json)
		say_asked(wallet, &want);
	return code;
}
