/* contract/refusal.h -- why an operation or a transaction has no effect.
 *
 * One table: code on the wire, word in scripts, a sentence for people with the
 * cause and the cure. A test reproduces every row.
 */
#ifndef PERCH_CONTRACT_REFUSAL_H
#define PERCH_CONTRACT_REFUSAL_H

/* Formatted by hand: clang-format cannot break Japanese text. */
/* clang-format off */
/* X(NAME, number on the wire, word, English, Japanese) */
#define REFUSAL_LIST(X) \
	X(GRANTED, 0, "granted", "granted", "承認されました") \
	X(SLOT_TAKEN, 1, "slot_taken", \
		"another reservation holds this pad then; see the " \
		"next free slots", \
		"その時間帯は他の予約が入っています。" \
		"次の空き枠をご覧ください") \
	X(PAD_CLOSED, 2, "pad_closed", \
		"the pad is closed in this window; choose another " \
		"pad or time", \
		"その時間帯はパッドが閉鎖されています。" \
		"別のパッドか時間を選んでください") \
	X(PAST, 3, "past", \
		"the start is in the past or too soon; start later", \
		"開始時刻が過去か直近すぎます。" \
		"もっと後の時刻にしてください") \
	X(HORIZON, 4, "horizon", \
		"the end is more than 30 days ahead; reserve nearer", \
		"終了時刻が30日より先です。" \
		"もっと近い時刻にしてください") \
	X(BAD_WINDOW, 5, "bad_window", \
		"the end is not after the start, or the window is " \
		"longer than a day; correct the window", \
		"終了が開始より後でないか、枠が1日を超えています。" \
		"時間帯を直してください") \
	X(QUOTA, 6, "quota", \
		"this operator has as many live reservations as it " \
		"may; cancel one first", \
		"この運航者の予約数が上限に達しています。" \
		"先に一つ取り消してください") \
	X(AIRCRAFT_BUSY, 7, "aircraft_busy", \
		"the aircraft is reserved elsewhere at that time; " \
		"choose another time", \
		"その時間帯は機体が別の場所で予約されています。" \
		"別の時間を選んでください") \
	X(PARTY_DOWN, 8, "party_down", \
		"this party is set down; ask the authority", \
		"この参加者は停止中です。管理者に問い合わせてください") \
	X(UNKNOWN_PAD, 9, "unknown_pad", \
		"no such port or pad; see `perch-wallet inquire`", \
		"そのポートまたはパッドはありません。" \
		"perch-wallet inquire で確かめてください") \
	X(PAIR_TIME, 10, "pair_time", \
		"the landing is too soon after the take-off, or the " \
		"pair is not one departure and one arrival", \
		"着陸が離陸に近すぎるか、" \
		"離陸と着陸の組になっていません") \
	X(NOT_OWNER, 11, "not_owner", \
		"only the reservation's operator may do this", \
		"この操作ができるのは予約した運航者だけです") \
	X(VERSION, 12, "version", \
		"the reservation has changed since it was read; read " \
		"it again", \
		"読み取り後に予約が変わりました。" \
		"もう一度読み取ってください") \
	X(STATE, 13, "state", "the reservation's state does not permit this", \
		"予約の状態がこの操作を許しません") \
	X(AIRBORNE, 14, "airborne", \
		"the departure has left; the landing place stays", \
		"離陸済みのため着陸場所は取り消せません") \
	X(UNKNOWN_RESERVATION, 15, "unknown_reservation", \
		"no live reservation has this id", \
		"この番号の有効な予約はありません") \
	X(ROLE, 16, "role", "this key's role does not permit this operation", \
		"この鍵の役割ではこの操作はできません") \
	X(EXPIRED, 17, "expired", \
		"valid-until is past, or more than 5 minutes ahead; " \
		"sign again", \
		"有効期限が過ぎたか、5分より先です。" \
		"署名し直してください") \
	X(REPLAY, 18, "replay", \
		"this id was used with other content; choose a new id", \
		"この番号は別の内容で使われました。" \
		"新しい番号にしてください") \
	X(MALFORMED, 19, "malformed", \
		"the operation is unknown or not in its canonical " \
		"encoding", \
		"操作が不明か、正しい形式ではありません") \
	X(ROLLED_BACK, 20, "rolled_back", \
		"another operation of this transaction was refused, " \
		"so this one has no effect", \
		"同じ取引の別の操作が拒否されたため、無効です") \
	X(FULL, 21, "full", \
		"the ledger holds as much as it may; try again later", \
		"台帳が上限に達しています。後でやり直してください") \
	X(MEMBERSHIP, 22, "membership", \
		"one change of nodes at a time, and never the last " \
		"voter; wait for the previous change", \
		"ノードの変更は一度に一つです。" \
		"前の変更が終わるまでお待ちください") \
	X(UNKNOWN_NODE, 23, "unknown_node", "no node has this key", \
		"この鍵のノードはありません")
/* clang-format on */

enum refusal {
#define X(name, number, word, english, japanese) REFUSAL_##name = number,
	REFUSAL_LIST(X)
#undef X
};

/* The stable word of a refusal: "slot_taken". */
const char *refusal_name(enum refusal code);
/* language: "en" or "ja". */
const char *refusal_text(enum refusal code, const char *language);

#endif
