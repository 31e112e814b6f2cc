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
		"pair is not one departure and one arrival; correct it", \
		"着陸が離陸に近すぎるか、" \
		"離陸と着陸の組になっていません。組を直してください") \
	X(NOT_OWNER, 11, "not_owner", \
		"only the reservation's operator may do this; use its key", \
		"この操作ができるのは予約した運航者だけです。" \
		"その鍵を使ってください") \
	X(VERSION, 12, "version", \
		"the reservation has changed since it was read; read " \
		"it again", \
		"読み取り後に予約が変わりました。" \
		"もう一度読み取ってください") \
	X(STATE, 13, "state", \
		"the reservation's state does not permit this; see its " \
		"history", \
		"予約の状態がこの操作を許しません。" \
		"履歴を確かめてください") \
	X(AIRBORNE, 14, "airborne", \
		"the departure has left and needs its landing place; go " \
		"around, or declare an emergency", \
		"離陸済みのため着陸場所は取り消せません。" \
		"着陸復行か緊急事態を申告してください") \
	X(UNKNOWN_RESERVATION, 15, "unknown_reservation", \
		"no live reservation has this id; see `perch-wallet history`", \
		"この番号の有効な予約はありません。" \
		"perch-wallet history で確かめてください") \
	X(ROLE, 16, "role", \
		"this key's role does not permit this operation; use " \
		"another key, or ask the authority", \
		"この鍵の役割ではこの操作はできません。" \
		"別の鍵を使うか、管理者に問い合わせてください") \
	X(EXPIRED, 17, "expired", \
		"valid-until is past, or more than 5 minutes ahead, or " \
		"what was held is; sign or reserve again", \
		"有効期限が過ぎたか、5分より先か、仮予約の期限が過ぎました。" \
		"署名か予約をし直してください") \
	X(REPLAY, 18, "replay", \
		"this id was used with other content; choose a new id", \
		"この番号は別の内容で使われました。" \
		"新しい番号にしてください") \
	X(MALFORMED, 19, "malformed", \
		"the operation is unknown or not in its canonical " \
		"encoding; see schemas/README.md", \
		"操作が不明か、正しい形式ではありません。" \
		"schemas/README.md をご覧ください") \
	X(ROLLED_BACK, 20, "rolled_back", \
		"another operation of this transaction was refused, " \
		"so this one has no effect; settle that one", \
		"同じ取引の別の操作が拒否されたため、無効です。" \
		"そちらを直してください") \
	X(FULL, 21, "full", \
		"the ledger holds as much as it may; try again later", \
		"台帳が上限に達しています。後でやり直してください") \
	X(MEMBERSHIP, 22, "membership", \
		"one change of nodes at a time, and never the last " \
		"voter; wait for the previous change", \
		"ノードの変更は一度に一つです。" \
		"前の変更が終わるまでお待ちください") \
	X(UNKNOWN_NODE, 23, "unknown_node", \
		"no node has this key; see `perch-observer --status`", \
		"この鍵のノードはありません。" \
		"perch-observer --status で確かめてください") \
	X(WAITLIST_FULL, 24, "waitlist_full", \
		"as many wait for this pad as may; choose another pad or time", \
		"このパッドの待ち行列は満員です。" \
		"別のパッドか時間を選んでください") \
	X(PRIORITY, 25, "priority", \
		"who holds this window has the same or a higher tier, or its " \
		"flight has begun; see the next free slots", \
		"同じか高い優先度の予約、または飛行を始めた予約があります。" \
		"次の空き枠をご覧ください") \
	X(TIER_NOT_GRANTED, 26, "tier_not_granted", \
		"this operator may not reserve with this tier; ask the " \
		"authority", \
		"この運航者にはこの優先度がありません。" \
		"管理者に問い合わせてください") \
	X(NOT_CONTROLLER, 27, "not_controller", \
		"only the controller of this port may do this; use its key", \
		"この操作ができるのはこのポートの管制者だけです。" \
		"その鍵を使ってください") \
	X(NOTICE, 28, "notice", \
		"a closure begins at least 10 minutes from now, or at once " \
		"and with a reason; close it later, or say why", \
		"閉鎖の開始は10分以上先か、理由つきの即時だけです。" \
		"どちらかにしてください") \
	X(WINDOW, 29, "window", \
		"a clearance lies inside the reservation's window, has begun " \
		"and lasts at most 5 minutes; clear it then", \
		"離着陸許可は予約の時間内で、5分以内でなければなりません。" \
		"その範囲で許可してください") \
	X(PAD_STALE, 30, "pad_stale", \
		"the pad's state is not measured, or older than 5 seconds; " \
		"measure again", \
		"パッドの状態が未計測か5秒より古くなっています。" \
		"計測し直してください") \
	X(PAD_BUSY, 31, "pad_busy", \
		"another aircraft is on the pad or cleared in its group, or " \
		"it is blocked until it is measured empty; ask again then", \
		"パッドに別の機体がいるか、同じ進入路に許可が出ているか、" \
		"空きの計測を待っています。後でもう一度申請してください") \
	X(DESTINATION, 32, "destination", \
		"the landing of this flight is not confirmed, or its pad is " \
		"closed; settle that first", \
		"着陸先の予約が確認されていないか、着陸先が閉鎖されています。" \
		"先に着陸先を整えてください") \
	X(NONCE, 33, "nonce", \
		"this number is not the open request's, or not newer than the " \
		"last one; ask for a clearance again", \
		"申請の番号が古いか、受付中の申請と違います。" \
		"もう一度申請してください") \
	X(AIRCRAFT, 34, "aircraft", \
		"a clearance is for one named aircraft, the reservation's " \
		"own; name it", \
		"許可には予約と同じ機体の名前が要ります。" \
		"機体を指定してください") \
	X(EXISTS, 35, "exists", \
		"this key or name is registered already; use another", \
		"この鍵または名前は登録済みです。" \
		"別のものにしてください") \
	X(UNKNOWN_PARTY, 36, "unknown_party", \
		"no party has this key; register it first", \
		"この鍵の参加者はいません。先に登録してください")
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
