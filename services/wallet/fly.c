/* wallet/fly.c -- `fly`: one flight, from the reservation to the empty pad, as
 * an operator does it: a pair, a request for each movement when its window has
 * begun, again when a clearance was taken back or ran out, and then wait for
 * what the ports' controllers say.
 *
 * What it believes is the history of its two reservations, which holds nothing
 * that is not final.
 */
#include "pass.h"
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"

enum {
	LOOK_MS = 250,
	ASK_AGAIN_MS = 3000, /* after a refused request */
	PAIR_TRIES = 8,
	SOON_MS = 2000,    /* from now to the take-off's window */
	FLIGHT_MS = 60000, /* the contract's shortest, between two starts */
};

static const struct setting own[] = {
	{"from", "PORT", "where it takes off; without, one at random", NULL,
		false},
	{"to", "PORT", "where it lands; likewise", NULL, false},
	{"aircraft", "SERIAL", "of the aircraft; without, a made-up one", NULL,
		false},
	{"depart", "TIME", "the take-off's window starts", "+3s", false},
	{"flight", "TIME", "from there to the landing's", "60s", false},
	{"for", "TIME", "how long each window is", "3m", false},
	{"tier", "N", "0 to 7: it displaces lower ones, if granted", "0",
		false},
	{"again", NULL, "then another one, until it is stopped", NULL, false},
	{"emergency", "PERCENT", "how often it declares one in the air", "0",
		false},
	{"clearance-out", "FILE",
		"write the landing's clearance, the take-off's until then",
		NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "A whole flight: reserve take-off and landing, ask for each "
	       "clearance, and follow it until the pad is empty again.",
	.examples = "  perch-wallet fly --from haneda --to kansai --config "
		    "alice.conf\n"
		    "  perch-wallet fly --clearance-out landing.pass --json "
		    "--config alice.conf",
};

/* One half of it. */
struct leg {
	bool is_arrival;
	struct perch_reservation now; /* as of its last move */
	uint64_t after;               /* sequence of that */
	uint64_t nonce;               /* of the open request; 0: none */
	int64_t ask_at;
	bool was_on_pad, changed;
	uint64_t cleared_height;
};

struct flight {
	struct wallet *wallet;
	struct leg legs[2];
	char ports[2][PERCH_NAME_MAX + 1];
	char aircraft[PERCH_NAME_MAX + 1];
	bool interrupted;
	bool in_trouble; /* it will declare an emergency */
};

/* ---- words ---- */

static const char *state_word(const struct wallet *wallet, int state)
{
	static const char *const words[] = {"なし", "仮予約", "予約確定",
		"許可", "駐機中", "超過駐機", "緊急対応", "順番待ち", "終了",
		"取消", "期限切れ", "不着", "優先予約により取消",
		"取消(管理者)"};

	if (!wallet->japanese || state < 0 || state > PERCH_REVOKED)
		return perch_state_name(state);
	return words[state];
}

static void say_step(
	const struct flight *flight, const struct leg *leg, const char *step)
{
	const struct perch_reservation *r = &leg->now;
	const struct wallet *wallet = flight->wallet;
	struct json json;
	char when[160];
	struct perch_slot slot = {.start = r->start, .end = r->end};

	if (!wallet->json) {
		memcpy(slot.pad, r->pad, sizeof(slot.pad));
		printf("%s: %s %s  %s\n",
			leg->is_arrival
				? wallet_say(wallet, "landing", "着陸")
				: wallet_say(wallet, "take-off", "離陸"),
			step != NULL ? step : state_word(wallet, r->state),
			r->port, wallet_show_slot(when, &slot));
		fflush(stdout);
		return;
	}
	json = wallet_json();
	json_text(&json, "leg", leg->is_arrival ? "arrival" : "departure");
	json_text(&json, "step",
		step != NULL ? "requested" : perch_state_name(r->state));
	json_number(&json, "time", perch_now());
	json_number(&json, "nonce", (int64_t)leg->nonce);
	wallet_json_reservation(&json, "reservation", r);
	wallet_json_print(&json);
}

static int say_end(const struct flight *flight, int code, const char *word)
{
	const struct wallet *wallet = flight->wallet;
	struct json json;

	if (!wallet->json) {
		printf("%s: %s\n", flight->aircraft,
			code == EXIT_GRANTED
				? wallet_say(wallet, "arrived", "到着しました")
			: code == EXIT_REFUSED
				? wallet_say(wallet, "the flight has ended",
					  "飛行は終了しました")
				: wallet_say(wallet, "the outcome is not known",
					  "結果は不明です"));
		return code;
	}
	json = wallet_json();
	json_text(&json, "result",
		code == EXIT_GRANTED   ? "granted"
		: code == EXIT_REFUSED ? "refused"
				       : "unknown");
	json_text(&json, "code", word);
	json_text(&json, "aircraft", flight->aircraft);
	wallet_json_print(&json);
	return code;
}

/* ---- the pair ---- */

static uint64_t draw(uint64_t bound)
{
	return clock_random() % bound;
}

static int choose_ports(struct flight *flight)
{
	struct wallet *wallet = flight->wallet;
	const char *names[2] = {
		wallet_text(wallet, "from"), wallet_text(wallet, "to")};
	struct perch_event event;
	uint64_t request;

	for (size_t i = 0; i < 2; i++) {
		if (names[i] != NULL)
			snprintf(flight->ports[i], sizeof(flight->ports[i]),
				"%s", names[i]);
	}
	if (names[0] != NULL && names[1] != NULL)
		return EXIT_GRANTED;
	if (perch_ports(wallet->client, &request) != PERCH_OK ||
		!wallet_wait(wallet, request, &event))
		return EXIT_UNKNOWN;
	if (event.type != PERCH_EVENT_PORTS)
		return wallet_say_failure(wallet, &event);
	if (event.ports->count < 2)
		return wallet_say_none(wallet,
			"there are no two ports to fly between",
			"飛行に必要な二つのポートがありません");
	for (size_t i = 0; i < 2; i++) {
		const char *other = flight->ports[1 - i];

		while (flight->ports[i][0] == '\0' ||
			strcmp(flight->ports[i], other) == 0)
			memcpy(flight->ports[i],
				event.ports->ports[draw(event.ports->count)]
					.name,
				sizeof(flight->ports[i]));
	}
	return EXIT_GRANTED;
}

/* A pad that is free in this window; else any of the port. Or the exit code,
 * having said why there is none. */
static int choose_pad(const struct flight *flight, const char *port,
	int64_t start, int64_t end, char pad[PERCH_NAME_MAX + 1])
{
	struct wallet *wallet = flight->wallet;
	const struct perch_inquire *found;
	struct perch_event event;
	uint64_t request;

	if (perch_inquire(wallet->client, port, NULL, start, end, &request) !=
			PERCH_OK ||
		!wallet_wait(wallet, request, &event))
		return EXIT_UNKNOWN;
	if (event.type != PERCH_EVENT_INQUIRE)
		return wallet_say_failure(wallet, &event);
	found = event.inquire;
	if (found->free_count > 0)
		memcpy(pad, found->free[draw(found->free_count)],
			PERCH_NAME_MAX + 1);
	else if (found->count > 0)
		memcpy(pad, found->reservations[0].pad, PERCH_NAME_MAX + 1);
	else
		return wallet_say_none(wallet,
			"no pad of this port is open then",
			"その時間に開いているパッドがありません");
	return EXIT_GRANTED;
}

static bool take_half(struct leg *leg, const struct perch_outcome *outcome)
{
	if (outcome->code != 0 || !outcome->has_reservation)
		return false;
	leg->now.id = outcome->reservation;
	return true;
}

/* Reserve it as it can be had: with other pads and times, some times. */
static int try_pair(struct flight *flight, int64_t depart, int64_t arrive)
{
	struct wallet *wallet = flight->wallet;
	int64_t length = wallet_duration(wallet, "for");
	char pads[2][PERCH_NAME_MAX + 1];
	struct perch_reserve halves[2] = {0};
	unsigned tier =
		(unsigned)options_number(&wallet->options, "tier", 0, 7);
	struct perch_event event;
	struct perch_tx tx;
	struct result result;
	uint64_t request;

	for (size_t i = 0; i < 2; i++) {
		halves[i].port = flight->ports[i];
		halves[i].pad = pads[i];
		halves[i].start = i == 0 ? depart : arrive;
		halves[i].end = halves[i].start + length;
		halves[i].aircraft = flight->aircraft;
		halves[i].tier = tier;
		int code = choose_pad(flight, halves[i].port, halves[i].start,
			halves[i].end, pads[i]);
		if (code != EXIT_GRANTED)
			return code;
	}
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_pair(&tx, &halves[0], &halves[1]) != PERCH_OK)
		wallet_refuse(wallet, "--from --to --aircraft --for",
			"names are 1 to 32 letters, digits, _ or -; the times "
			"are before 2100",
			"名前は英数字と _ - で1から32文字、"
			"時刻は2100年より前です");
	if (perch_submit(wallet->client, &tx, PERCH_FINAL, &request) !=
		PERCH_OK)
		return EXIT_UNKNOWN;
	if (!wallet_wait(wallet, request, &event))
		return wallet_say_unanswered(wallet, &tx.id, NULL);
	if (event.failure != NULL)
		return wallet_say_unanswered(wallet, &tx.id, &event);
	if (event.fate->op_count == 2 &&
		take_half(&flight->legs[0], &event.fate->ops[0]) &&
		take_half(&flight->legs[1], &event.fate->ops[1]))
		return EXIT_GRANTED;
	result = wallet_judge(wallet, event.fate);
	fprintf(stderr, "%s: %s: %s\n", wallet->program, result.word,
		result.text);
	return EXIT_REFUSED;
}

static int reserve_pair(struct flight *flight)
{
	struct wallet *wallet = flight->wallet;
	int64_t flight_ms = wallet_duration(wallet, "flight"), start;
	int code = EXIT_UNKNOWN;

	if (wallet_duration(wallet, "for") <= 0)
		wallet_refuse(wallet, "--for", "longer than 0s",
			"0s より長くしてください");
	if (flight_ms < FLIGHT_MS)
		wallet_refuse(wallet, "--flight", "at least 60s",
			"60s 以上にしてください");
	wallet_catch_up(wallet);
	for (int i = 0; i < PAIR_TRIES; i++) {
		start = wallet_time(wallet, "depart");
		if (start < perch_now() + SOON_MS)
			start = perch_now() + SOON_MS;
		code = try_pair(flight, start, start + flight_ms);
		if (code != EXIT_REFUSED)
			return code;
	}
	return code;
}

/* ---- following it ---- */

/* A moment; false: a signal came. */
static bool pause_for(struct flight *flight, int64_t how_long)
{
	struct perch_event event;
	int64_t until = perch_now() + how_long;

	while (perch_now() < until) {
		perch_next(flight->wallet->client, &event, until - perch_now());
		if (event.type == PERCH_EVENT_WAKE) {
			flight->interrupted = true;
			return false;
		}
	}
	return true;
}

static void on_move(
	struct flight *flight, struct leg *leg, const struct perch_move *move)
{
	leg->after = move->sequence;
	leg->now = move->reservation;
	leg->changed = true;
	if (move->to != PERCH_CONFIRMED || move->from == PERCH_CLEARED)
		leg->nonce = 0;
	if (move->to == PERCH_OCCUPIED || move->reservation.on_pad)
		leg->was_on_pad = true;
	if (move->to == PERCH_CLEARED)
		leg->cleared_height = move->height;
	say_step(flight, leg, NULL);
}

/* What happened to it since. False: nobody could tell. */
static bool look(struct flight *flight, struct leg *leg)
{
	struct wallet *wallet = flight->wallet;
	struct perch_event event;
	uint64_t request;
	bool more = true;

	while (more) {
		if (perch_history(wallet->client, &leg->now.id, NULL, NULL,
			    leg->after, &request) != PERCH_OK ||
			!wallet_wait(wallet, request, &event))
			return false;
		if (event.type != PERCH_EVENT_HISTORY)
			return false;
		for (size_t i = 0; i < event.history->count; i++)
			on_move(flight, leg, &event.history->moves[i]);
		more = event.history->more && event.history->count > 0;
	}
	return true;
}

/* Ask for a clearance, when it is time and none is open. */
static void ask(struct flight *flight, struct leg *leg)
{
	struct wallet *wallet = flight->wallet;
	int64_t now = perch_now();
	struct perch_event event;
	struct perch_tx tx;
	struct result result;
	uint64_t request;

	if (leg->now.state != PERCH_CONFIRMED || leg->nonce != 0 ||
		now < leg->now.start || now >= leg->now.end ||
		now < leg->ask_at ||
		(leg->is_arrival &&
			flight->legs[0].now.state != PERCH_RELEASED))
		return;
	leg->ask_at = now + ASK_AGAIN_MS;
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_request_clearance(
		    &tx, &leg->now.id, (uint64_t)now, NULL) != PERCH_OK ||
		perch_submit(wallet->client, &tx, PERCH_FINAL, &request) !=
			PERCH_OK ||
		!wallet_wait(wallet, request, &event) || event.failure != NULL)
		return; /* once more, later */
	result = wallet_judge(wallet, event.fate);
	if (result.code == EXIT_GRANTED) {
		leg->nonce = (uint64_t)now;
		say_step(flight, leg, wallet_say(wallet, "requested", "申請"));
		return;
	}
	if (!wallet->json)
		fprintf(stderr, "%s: %s: %s\n", wallet->program, result.word,
			result.text);
}

/* In the air, and something is wrong: said once, and heard without a word. */
static void call_for_help(struct flight *flight)
{
	struct wallet *wallet = flight->wallet;
	const struct perch_reservation *landing = &flight->legs[1].now;
	struct perch_event event;
	struct perch_tx tx;
	uint64_t request;

	if (!flight->in_trouble ||
		flight->legs[0].now.state != PERCH_RELEASED ||
		landing->state != PERCH_CONFIRMED ||
		perch_now() < landing->start)
		return;
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_declare_emergency(&tx, &landing->id, NULL, NULL) ==
			PERCH_OK &&
		perch_submit(wallet->client, &tx, PERCH_FINAL, &request) ==
			PERCH_OK &&
		wallet_wait(wallet, request, &event) && event.failure == NULL)
		flight->in_trouble = false; /* the history says the rest */
	flight->legs[1].ask_at = perch_now() + ASK_AGAIN_MS;
}

/* The clearance that is in force, as a file; once a clearance. */
static void write_pass(struct flight *flight, struct leg *leg)
{
	const char *path = wallet_text(flight->wallet, "clearance-out");

	if (leg->cleared_height == 0)
		return;
	if (path == NULL || pass_write(flight->wallet, leg->cleared_height,
				    &leg->now.id, path) == EXIT_GRANTED)
		leg->cleared_height = 0;
}

static bool is_over(const struct leg *leg)
{
	return leg->now.state >= PERCH_RELEASED;
}

static int follow(struct flight *flight)
{
	struct leg *departure = &flight->legs[0], *arrival = &flight->legs[1];

	while (pause_for(flight, LOOK_MS)) {
		if (!look(flight, departure) || !look(flight, arrival))
			continue;
		write_pass(flight, departure);
		write_pass(flight, arrival);
		if (is_over(arrival))
			break;
		call_for_help(flight);
		ask(flight, departure);
		ask(flight, arrival);
	}
	if (flight->interrupted)
		return say_end(flight, EXIT_UNKNOWN, "interrupted");
	if (arrival->now.state == PERCH_RELEASED && arrival->was_on_pad)
		return say_end(flight, EXIT_GRANTED, "arrived");
	return say_end(flight, EXIT_REFUSED,
		perch_state_name(is_over(departure) && departure->now.state !=
							       PERCH_RELEASED
					 ? departure->now.state
					 : arrival->now.state));
}

static void name_aircraft(struct flight *flight)
{
	const char *aircraft = wallet_text(flight->wallet, "aircraft");

	if (aircraft != NULL)
		snprintf(flight->aircraft, sizeof(flight->aircraft), "%s",
			aircraft);
	else
		snprintf(flight->aircraft, sizeof(flight->aircraft),
			"JA%06" PRIX64, draw(UINT64_C(1) << 24));
}

static int fly(struct flight *flight)
{
	int code;

	flight->legs[1].is_arrival = true;
	name_aircraft(flight);
	code = choose_ports(flight);
	if (code != EXIT_GRANTED)
		return say_end(flight, code, "not_reserved");
	flight->in_trouble =
		draw(100) <
		options_number(&flight->wallet->options, "emergency", 0, 100);
	code = reserve_pair(flight);
	if (code == EXIT_GRANTED)
		return follow(flight);
	return say_end(flight, code, "not_reserved");
}

int verb_fly(struct wallet *wallet, int argc, char **argv)
{
	struct flight flight;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	wallet_open(wallet, NEED_NODES | NEED_KEY | NEED_EVALUATOR);
	do {
		flight = (struct flight){.wallet = wallet};
		code = fly(&flight);
	} while (options_flag(&wallet->options, "again") &&
		 !flight.interrupted && pause_for(&flight, SOON_MS));
	return wallet_close(wallet, code);
}
