/* wallet/say.c -- what is shown, in the reader's language, and never a stronger
 * word than the ledger's: "reserved" is said of what is final, and of nothing
 * else.
 */
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "service/output.h"

const char *wallet_say(
	const struct wallet *wallet, const char *english, const char *japanese)
{
	return wallet->japanese ? japanese : english;
}

/* ---- errors ---- */

static const char *err_japanese(enum perch_err err)
{
	switch (err) {
	case PERCH_OK:
		return "完了しました";
	case PERCH_ERR_VERSION:
		return "プロトコルの版が違います。同じ版を使ってください";
	case PERCH_ERR_NETWORK:
		return "別のネットワークです。同じ genesis ファイルを"
		       "使ってください";
	case PERCH_ERR_KEY:
		return "鍵が正しくないか、相手の鍵が違います。"
		       "genesis にある鍵を使ってください";
	case PERCH_ERR_SIGNATURE:
		return "署名が正しくありません。"
		       "送る内容に署名し直してください";
	case PERCH_ERR_ROLE:
		return "この鍵には許可がありません。"
		       "管理者に登録を依頼してください";
	case PERCH_ERR_REPLAY:
		return "この番号は別の内容で使われました。"
		       "新しい番号にしてください";
	case PERCH_ERR_EXPIRED:
		return "有効期限が過ぎたか、5分より先です。"
		       "時計を確かめ、署名し直してください";
	case PERCH_ERR_BUSY:
	case PERCH_ERR_FULL:
		return "混み合っています。後でやり直してください";
	case PERCH_ERR_NOT_FOUND:
		return "その名前や番号のものはありません。"
		       "確かめてください";
	case PERCH_ERR_TIMEOUT:
		return "時間内に答えがありません。"
		       "番号で問い合わせ直してください";
	case PERCH_ERR_UNREACHABLE:
		return "ノードに接続できません。"
		       "起動と宛先を確かめてください";
	case PERCH_ERR_BEHIND:
		return "ノードが遅れているか切り離されていて、"
		       "何も保証できません。別のノードを使ってください";
	case PERCH_ERR_SIGNERS:
		return "このネットワークの署名者の署名が足りません。"
		       "ノードが戻ってからやり直してください";
	case PERCH_ERR_RATE:
		return "この鍵の要求が多すぎます。間隔をあけるか、"
		       "別のノードを使ってください";
	case PERCH_ERR_DISK:
		return "ノードのディスクに空きがありません。空けるか、"
		       "別のノードを使ってください";
	case PERCH_ERR_CHAIN:
		return "このノードにその台帳はありません。--chain を変えるか、"
		       "別のノードを使ってください";
	case PERCH_ERR_ENCODING:
	case PERCH_ERR_LENGTH:
	case PERCH_ERR_TYPE:
	case PERCH_ERR_EXISTS:
	case PERCH_ERR_PARENT:
	case PERCH_ERR_ROOT:
	case PERCH_ERR_TIME:
	case PERCH_ERR_DAMAGED:
	case PERCH_ERR_IO:
	case PERCH_ERR_CONFIG:
	case PERCH_ERR_PASSPHRASE:
	case PERCH_ERR_MODE:
	case PERCH_ERR_IN_USE:
		break;
	}
	return NULL; /* the English sentence has to do */
}

const char *wallet_err_text(const struct wallet *wallet, enum perch_err err)
{
	const char *japanese = err_japanese(err);

	return wallet->japanese && japanese != NULL ? japanese
						    : perch_err_text(err);
}

/* ---- times ---- */

const char *wallet_show_time(char out[64], int64_t time)
{
	time_t seconds = (time_t)(time / 1000);
	struct tm here, utc;
	char local[40], zulu[16];

	localtime_r(&seconds, &here);
	gmtime_r(&seconds, &utc);
	strftime(zulu, sizeof(zulu), "%H:%M:%SZ", &utc);
	if (here.tm_gmtoff == 0) {
		strftime(local, sizeof(local), "%Y-%m-%d ", &utc);
		snprintf(out, 64, "%s%s", local, zulu);
		return out;
	}
	strftime(local, sizeof(local), "%Y-%m-%d %H:%M:%S %Z", &here);
	snprintf(out, 64, "%s (%s)", local, zulu);
	return out;
}

const char *wallet_show_slot(char out[160], const struct perch_slot *slot)
{
	char start[64], end[64];

	snprintf(out, 160, "%s  %s - %s", slot->pad,
		wallet_show_time(start, slot->start),
		wallet_show_time(end, slot->end));
	return out;
}

/* ---- JSON ---- */

struct json wallet_json(void)
{
	static char line[WALLET_LINE_MAX];
	struct json json = json_of(line, sizeof(line));

	json_object(&json, NULL);
	return json;
}

void wallet_json_print(struct json *json)
{
	enum err err;

	json_end(json);
	err = json_print(json, stdout);
	if (err == ERR_OK)
		return;
	if (err == ERR_IO)
		output_ends("perch-wallet");
	else
		fprintf(stderr, "perch-wallet: --json: %s\n", err_text(err));
	exit(EXIT_UNKNOWN);
}

static void json_slot(
	struct json *json, const char *name, const struct perch_slot *slot)
{
	json_object(json, name);
	json_text(json, "pad", slot->pad);
	json_number(json, "start", slot->start);
	json_number(json, "end", slot->end);
	json_end(json);
}

void wallet_json_outcome(const struct wallet *wallet, struct json *json,
	const struct perch_outcome *outcome)
{
	json_object(json, NULL);
	json_text(json, "code", perch_refusal_name(outcome->code));
	json_text(json, "text",
		perch_refusal_text(
			outcome->code, wallet_say(wallet, "en", "ja")));
	if (outcome->has_reservation)
		json_hex(json, "reservation",
			view_of(&outcome->reservation,
				sizeof(outcome->reservation)));
	if (outcome->has_slot) {
		json_text(json, "port", outcome->port);
		json_text(json, "pad", outcome->slot.pad);
		json_number(json, "start", outcome->slot.start);
		json_number(json, "end", outcome->slot.end);
		json_number(json, "version", outcome->version);
		json_text(json, "state", perch_state_name(outcome->state));
		json_number(json, "until", outcome->until);
		json_number(json, "displaced", outcome->displaced);
	}
	if (outcome->has_fact) {
		json_text(json, "port", outcome->port);
		json_text(json, "pad", outcome->slot.pad);
		json_bool(json, "incursion", outcome->incursion);
		json_bool(json, "blocked", outcome->blocked);
		json_text(json, "state", perch_state_name(outcome->state));
	}
	if (outcome->has_closed) {
		json_number(json, "ended", outcome->ended);
		json_number(json, "diverted", outcome->diverted);
		json_number(json, "left", outcome->left);
	}
	if (outcome->conflict_count + outcome->free_count > 0) {
		json_array(json, "conflicts");
		for (size_t i = 0; i < outcome->conflict_count; i++) {
			json_object(json, NULL);
			json_hex(json, "reservation",
				view_of(&outcome->conflicts[i].reservation,
					sizeof(struct perch_id)));
			json_text(json, "pad", outcome->conflicts[i].slot.pad);
			json_number(json, "start",
				outcome->conflicts[i].slot.start);
			json_number(
				json, "end", outcome->conflicts[i].slot.end);
			json_text(json, "state",
				perch_state_name(outcome->conflicts[i].state));
			json_text(json, "operator",
				outcome->conflicts[i].operator_name);
			json_end(json);
		}
		json_end(json);
		json_array(json, "free");
		for (size_t i = 0; i < outcome->free_count; i++)
			json_slot(json, NULL, &outcome->free[i]);
		json_end(json);
	}
	json_end(json);
}

void wallet_json_reservation(
	struct json *json, const char *name, const struct perch_reservation *r)
{
	json_object(json, name);
	json_hex(json, "reservation", view_of(&r->id, sizeof(r->id)));
	json_text(json, "port", r->port);
	json_text(json, "pad", r->pad);
	json_number(json, "start", r->start);
	json_number(json, "end", r->end);
	json_hex(json, "operator",
		view_of(&r->operator_key, sizeof(r->operator_key)));
	json_text(json, "aircraft", r->aircraft);
	json_text(json, "state", perch_state_name(r->state));
	json_number(json, "version", r->version);
	json_number(json, "until", r->until);
	json_number(json, "tier", r->tier);
	json_bool(json, "airborne", r->airborne);
	if (r->has_pair)
		json_hex(json, "pair", view_of(&r->pair, sizeof(r->pair)));
	json_number(json, "height", (int64_t)r->height);
	if (r->has_commitment)
		json_hex(json, "commitment",
			view_of(&r->commitment, sizeof(r->commitment)));
	json_end(json);
}

void wallet_json_as_of(struct json *json, const struct perch_as_of *as_of)
{
	json_object(json, "as_of");
	json_number(json, "height", (int64_t)as_of->height);
	json_number(json, "time", as_of->time);
	json_hex(json, "state_root",
		view_of(&as_of->state_root, sizeof(as_of->state_root)));
	json_end(json);
}

/* ---- results ---- */

static const char *result_name(int code)
{
	return code == EXIT_GRANTED   ? "granted"
	       : code == EXIT_REFUSED ? "refused"
				      : "unknown";
}

static int say_json(const struct wallet *wallet, const struct result *result)
{
	const struct perch_fate *fate = result->fate;
	struct json json = wallet_json();

	json_hex(&json, "id", view_of(&result->id, sizeof(result->id)));
	json_text(&json, "status", perch_status_name(result->status));
	json_text(&json, "result", result_name(result->code));
	json_text(&json, "code", result->word);
	json_text(&json, "text", result->text);
	if (fate != NULL)
		json_number(&json, "height", (int64_t)fate->height);
	else
		json_null(&json, "height");
	json_array(&json, "receipts");
	for (size_t i = 0; fate != NULL && i < fate->op_count; i++)
		wallet_json_outcome(wallet, &json, &fate->ops[i]);
	json_end(&json);
	if (fate != NULL) {
		json_bool(&json, "proved", fate->proved);
		json_text(&json, "chain", fate->chain == 0 ? "ordered" : "pow");
	}
	wallet_json_print(&json);
	return result->code;
}

static void print_outcome(
	const struct wallet *wallet, const struct perch_outcome *outcome)
{
	char hex[33], slot[160];

	if (outcome->has_slot)
		printf("  %s %s\n", outcome->port,
			wallet_show_slot(slot, &outcome->slot));
	if (outcome->has_reservation)
		printf("  %s %s\n",
			wallet_say(wallet, "reservation", "予約番号"),
			perch_hex(hex, &outcome->reservation,
				sizeof(outcome->reservation)));
	for (size_t i = 0; i < outcome->conflict_count; i++)
		printf("  %s %s  %s  %s\n",
			wallet_say(wallet, "in the way:", "先約:"),
			wallet_show_slot(slot, &outcome->conflicts[i].slot),
			perch_hex(hex, &outcome->conflicts[i].reservation,
				sizeof(struct perch_id)),
			outcome->conflicts[i].operator_name);
	for (size_t i = 0; i < outcome->free_count; i++)
		printf("  %s %s\n", wallet_say(wallet, "free:", "空き:"),
			wallet_show_slot(slot, &outcome->free[i]));
}

/* Granted is not always reserved. */
static const char *weaker_word(
	const struct wallet *wallet, const struct perch_fate *fate)
{
	for (size_t i = 0; i < fate->op_count; i++) {
		const struct perch_outcome *op = &fate->ops[i];

		if (op->code != 0)
			continue;
		if (op->has_slot && op->state == PERCH_HELD)
			return wallet_say(wallet,
				"held; confirm it in time, or it lapses",
				"仮予約です。期限までに confirm "
				"してください");
		if (op->has_slot && op->state == PERCH_WAITLISTED)
			return wallet_say(wallet,
				"on the waiting list; there is no pad yet",
				"順番待ちです。パッドはまだありません");
		if (op->has_slot && op->state == PERCH_CONTINGENT)
			return wallet_say(wallet,
				"contingent: no free window, it keeps the "
				"place it has",
				"空き枠がなく、緊急扱いで今の場所を保ちます");
		if (op->has_fact && op->incursion)
			return wallet_say(wallet,
				"recorded as an incursion; the pad is blocked",
				"無許可の離着陸として記録し、"
				"パッドを止めました");
	}
	return NULL;
}

static void print_receipt(
	const struct wallet *wallet, const struct result *result)
{
	const struct perch_fate *fate = result->fate;
	const struct done *done = result->done;
	char hex[33];

	if (result->code == EXIT_REFUSED)
		printf("%s: %s: %s\n", wallet_say(wallet, "refused", "拒否"),
			result->word, result->text);
	else if (result->status < PERCH_FINAL)
		printf("%s\n",
			wallet_say(wallet, "granted, but not final yet",
				"承認されましたが、まだ確定していません"));
	else
		printf("%s\n", weaker_word(wallet, fate) != NULL
				       ? weaker_word(wallet, fate)
			       : done == NULL
				       ? result->text
				       : wallet_say(wallet, done->english,
						 done->japanese));
	for (size_t i = 0; i < fate->op_count; i++)
		print_outcome(wallet, &fate->ops[i]);
	printf("  %s %s, %s, %s %" PRIu64 "\n",
		wallet_say(wallet, "transaction", "取引"),
		perch_hex(hex, &result->id, sizeof(result->id)),
		perch_status_name(result->status),
		wallet_say(wallet, "height", "高さ"), fate->height);
}

int wallet_say_result(const struct wallet *wallet, const struct result *result)
{
	char hex[33];

	if (wallet->json)
		return say_json(wallet, result);
	if (result->fate != NULL) {
		print_receipt(wallet, result);
		return result->code;
	}
	perch_hex(hex, &result->id, sizeof(result->id));
	if (result->code == EXIT_REFUSED)
		printf("%s: %s: %s\n", wallet_say(wallet, "refused", "拒否"),
			result->word, result->text);
	else
		fprintf(stderr, "%s: %s: %s\n%s: perch-wallet status %s\n",
			wallet_say(wallet, "outcome unknown", "結果は不明"),
			result->word, result->text,
			wallet_say(wallet, "ask again", "問い合わせ"), hex);
	return result->code;
}

int wallet_say_unanswered(const struct wallet *wallet,
	const struct perch_id *id, const struct perch_event *event)
{
	struct result result = {
		.id = *id,
		.status = PERCH_UNKNOWN,
		.code = EXIT_UNKNOWN,
		.word = "interrupted",
		.text = wallet_say(wallet, "interrupted; it may have been sent",
			"中断されました。送信済みかもしれません"),
	};

	if (event != NULL) {
		const char *japanese = err_japanese(event->err);

		result.code =
			event->fate->refused ? EXIT_REFUSED : EXIT_UNKNOWN;
		result.word = event->failure->code;
		result.text = wallet->japanese && japanese != NULL
				      ? japanese
				      : event->failure->text;
	}
	return wallet_say_result(wallet, &result);
}

void wallet_say_undone(
	const struct wallet *wallet, const struct perch_fate *fate)
{
	const char *text = wallet_say(wallet,
		"the block that it was in has gone; it waits for another one",
		"入っていたブロックが失われました。"
		"次のブロックを待っています");
	char hex[33];
	struct json json;

	if (!wallet->json) {
		printf("%s: %s\n  %s %s, %s %" PRIu64 "\n",
			wallet_say(wallet, "undone", "取り消し"), text,
			wallet_say(wallet, "transaction", "取引"),
			perch_hex(hex, &fate->id, sizeof(fate->id)),
			wallet_say(wallet, "height", "高さ"), fate->height);
		fflush(stdout);
		return;
	}
	json = wallet_json();
	json_hex(&json, "id", view_of(&fate->id, sizeof(fate->id)));
	json_text(&json, "status", perch_status_name(fate->status));
	json_text(&json, "result", "unknown");
	json_text(&json, "code", "undone");
	json_text(&json, "text", text);
	json_number(&json, "height", (int64_t)fate->height);
	json_array(&json, "receipts");
	json_end(&json);
	json_text(&json, "chain", fate->chain == 0 ? "ordered" : "pow");
	wallet_json_print(&json);
}

struct result wallet_judge(
	const struct wallet *wallet, const struct perch_fate *fate)
{
	struct result result = {
		.id = fate->id,
		.status = fate->status,
		.code = EXIT_UNKNOWN,
		.word = "received",
		.text = wallet_say(wallet,
			"a node has it; it is in no block yet",
			"ノードが受け取りましたが、まだ台帳にありません"),
	};
	uint8_t code = fate->code;

	if (fate->status == PERCH_UNKNOWN) {
		result.word = "not_found";
		result.text = wallet_say(wallet,
			"the ledger does not have it; signed more than five "
			"minutes ago, it never will",
			"台帳にありません。署名から5分を過ぎていれば、"
			"今後も載りません");
	}
	if (!fate->has_receipt)
		return result;
	/* Of several refusals the first one that is a cause. */
	for (size_t i = 0; i < fate->op_count; i++) {
		uint8_t other = fate->ops[i].code;

		if (other != 0 && (code == 0 || strcmp(perch_refusal_name(code),
							"rolled_back") == 0))
			code = other;
	}
	result.fate = fate;
	result.code = code == 0 ? EXIT_GRANTED : EXIT_REFUSED;
	result.word = perch_refusal_name(code);
	result.text = perch_refusal_text(code, wallet_say(wallet, "en", "ja"));
	return result;
}

static int say_no_answer(const struct wallet *wallet, int code,
	const char *word, const char *text)
{
	struct json json;

	if (!wallet->json) {
		fprintf(stderr, "%s: %s: %s\n", wallet->program, word, text);
		return code;
	}
	json = wallet_json();
	json_null(&json, "id");
	json_text(&json, "status", "unknown");
	json_text(&json, "result", result_name(code));
	json_text(&json, "code", word);
	json_text(&json, "text", text);
	json_null(&json, "height");
	json_array(&json, "receipts");
	json_end(&json);
	wallet_json_print(&json);
	return code;
}

int wallet_say_failure(
	const struct wallet *wallet, const struct perch_event *event)
{
	const char *japanese = err_japanese(event->err);
	bool refused = event->err == PERCH_ERR_NOT_FOUND ||
		       event->err == PERCH_ERR_ROLE ||
		       event->err == PERCH_ERR_CHAIN;

	return say_no_answer(wallet, refused ? EXIT_REFUSED : EXIT_UNKNOWN,
		event->failure->code,
		wallet->japanese && japanese != NULL ? japanese
						     : event->failure->text);
}

int wallet_say_none(
	const struct wallet *wallet, const char *english, const char *japanese)
{
	return say_no_answer(wallet, EXIT_REFUSED,
		perch_err_name(PERCH_ERR_NOT_FOUND),
		wallet_say(wallet, english, japanese));
}

void wallet_print_reservation(
	const struct wallet *wallet, const struct perch_reservation *r)
{
	char hex[33], slot[160];
	struct perch_slot window = {.start = r->start, .end = r->end};
	char aircraft[PERCH_NAME_MAX + 1];

	(void)wallet;
	memcpy(window.pad, r->pad, sizeof(window.pad));
	/* A stranger chose it: no control characters for the terminal. */
	for (size_t i = 0; i < sizeof(aircraft); i++) {
		unsigned char c = (unsigned char)r->aircraft[i];

		aircraft[i] = c != 0 && (c < 0x20 || c == 0x7f) ? '?' : (char)c;
	}
	printf("  %s  %s %s  %s%s%s\n", perch_hex(hex, &r->id, sizeof(r->id)),
		r->port, wallet_show_slot(slot, &window),
		perch_state_name(r->state), aircraft[0] == '\0' ? "" : "  ",
		aircraft);
}
