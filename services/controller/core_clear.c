/* controller/core_clear.c -- who may move now: requests become clearances, and
 * clearances that are final become orders.
 */
#include "core_inside.h"

#include <stdio.h>
#include <string.h>

enum { PREPARE_AGAIN_MS = 2 * CORE_AGAIN_MS };

/* A reservation that says neither leaves if its aircraft is here. */
static enum perch_movement movement_of(
	const struct core *core, const struct perch_reservation *r, size_t pad)
{
	const struct pad_state *state = &core->pads[pad].state;

	if (r->movement != PERCH_ANY)
		return (enum perch_movement)r->movement;
	return state->is == PAD_OCCUPIED &&
			       strcmp(state->aircraft, r->aircraft) == 0
		       ? PERCH_DEPARTURE
		       : PERCH_ARRIVAL;
}

static bool same_group(const struct core *core, size_t a, size_t b)
{
	return strcmp(core->port.pads[a].group, core->port.pads[b].group) == 0;
}

/* Somebody else moves, or is about to, in the pad's group. */
static bool group_moves(
	const struct core *core, size_t pad, const struct known *self)
{
	for (size_t i = 0; i < core->count; i++) {
		const struct known *known = &core->known[i];
		int other = core_pad_of(core, &known->ledger);

		if (known == self || other < 0 ||
			!same_group(core, pad, (size_t)other))
			continue;
		if (core_is_cleared(core, known) ||
			(known->pending.is_sent &&
				known->pending.wish.kind == WISH_CLEAR))
			return true;
	}
	return false;
}

static enum core_doubt doubt_measured(
	const struct core *core, size_t pad, const struct perch_reservation *r)
{
	const struct pad_state *state = &core->pads[pad].state;

	if (!core_is_fresh(core, pad))
		return DOUBT_UNMEASURED;
	if (movement_of(core, r, pad) == PERCH_ARRIVAL)
		return state->is == PAD_EMPTY ? DOUBT_NONE : DOUBT_OCCUPIED;
	if (state->is == PAD_EMPTY)
		return DOUBT_NOT_THERE;
	return strcmp(state->aircraft, r->aircraft) == 0 ? DOUBT_NONE
							 : DOUBT_OCCUPIED;
}

static int64_t clearance_end(
	const struct core *core, const struct perch_reservation *r)
{
	int64_t until = core->now + core->config.clearance_ms;

	return until < r->end ? until : r->end;
}

/* Why this request is not answered now. */
static enum core_doubt doubt_of(
	const struct core *core, const struct known *known, size_t pad)
{
	const struct perch_reservation *r = &known->ledger;
	const struct perch_pad *on = &core->pads[pad].ledger;
	int64_t until = clearance_end(core, r);

	if (!core_is_sure(core))
		return core->has_ledger ? DOUBT_CUT_OFF : DOUBT_NO_LEDGER;
	if (r->aircraft[0] == '\0')
		return DOUBT_NO_NAME;
	if (core->now < r->start)
		return DOUBT_EARLY;
	if (until - core->now < CORE_CLEARANCE_MIN)
		return DOUBT_LATE;
	if (!on->open ||
		(on->closed_until > core->now && on->closed_from < until))
		return DOUBT_CLOSED;
	if (on->blocked)
		return DOUBT_BLOCKED;
	if (r->has_pair && movement_of(core, r, pad) == PERCH_ARRIVAL &&
		!r->airborne)
		return DOUBT_GROUND;
	if (group_moves(core, pad, known))
		return DOUBT_GROUP;
	return doubt_measured(core, pad, r);
}

static void say_doubt(struct known *known, size_t pad, enum core_doubt doubt,
	struct core_actions *out)
{
	struct core_action *action;

	if (known->told == doubt && known->told_nonce == known->ledger.nonce)
		return;
	known->told = doubt;
	known->told_nonce = known->ledger.nonce;
	if (doubt == DOUBT_NONE)
		return;
	action = core_act(out, ACTION_DOUBT, pad);
	if (action == NULL)
		return;
	action->doubt = doubt;
	action->wish.has_reservation = true;
	action->wish.reservation = known->ledger.id;
	action->wish.pad = pad;
	memcpy(action->wish.aircraft, known->ledger.aircraft,
		sizeof(action->wish.aircraft));
}

static bool is_asked(const struct core *core, const struct known *known)
{
	return known->ledger.state == PERCH_CONFIRMED &&
	       known->ledger.asked != 0 && core->now < known->ledger.end &&
	       !known->pending.is_sent &&
	       core_pad_of(core, &known->ledger) >= 0;
}

static bool before(const struct known *a, const struct known *b)
{
	if (a->ledger.tier != b->ledger.tier)
		return a->ledger.tier > b->ledger.tier;
	return a->ledger.asked < b->ledger.asked;
}

static bool try_clear(struct core *core, struct known *known, size_t pad,
	struct core_actions *out)
{
	const struct perch_reservation *r = &known->ledger;
	struct wish wish = {
		.kind = WISH_CLEAR,
		.pad = pad,
		.has_reservation = true,
		.reservation = r->id,
		.movement = movement_of(core, r, pad),
		.nonce = r->nonce,
		.until = clearance_end(core, r),
		.state = core->pads[pad].state,
	};

	memcpy(wish.aircraft, r->aircraft, sizeof(wish.aircraft));
	return core_wish(core, &known->pending, &wish, 0, out);
}

/* The highest tier first, then who has waited longest. */
static void answer_requests(struct core *core, struct core_actions *out)
{
	bool tried[CORE_RESERVATIONS_MAX] = {false};

	for (;;) {
		struct known *best = NULL;
		enum core_doubt doubt;
		size_t pad;

		for (size_t i = 0; i < core->count; i++) {
			struct known *known = &core->known[i];

			if (!tried[i] && is_asked(core, known) &&
				(best == NULL || before(known, best)))
				best = known;
		}
		if (best == NULL)
			return;
		tried[best - core->known] = true;
		pad = (size_t)core_pad_of(core, &best->ledger);
		doubt = doubt_of(core, best, pad);
		say_doubt(best, pad, doubt, out);
		if (doubt == DOUBT_NONE)
			try_clear(core, best, pad, out);
	}
}

/* ---- orders ---- */

static struct movement order_of(
	const struct known *known, bool is_arrival, int64_t until)
{
	struct movement movement = {.is_arrival = is_arrival, .until = until};

	memcpy(movement.aircraft, known->ledger.aircraft,
		sizeof(movement.aircraft));
	return movement;
}

static void give_order(struct core *core, struct known *known, size_t pad,
	const struct movement *movement, struct core_actions *out)
{
	struct core_action *action;

	if (known->ordered != 0 && core->now - known->ordered < CORE_AGAIN_MS)
		return;
	action = core_act(out, ACTION_CLEAR, pad);
	if (action == NULL)
		return;
	action->movement = *movement;
	action->wish.reservation = known->ledger.id;
	known->ordered = core->now;
	core->pads[pad].has_order = true;
	core->pads[pad].ordered = known->ledger.id;
	core->pads[pad].order_is_arrival = movement->is_arrival;
}

/* A clearance that is final, on a pad that is still as it was cleared. */
static void order_cleared(
	struct core *core, struct known *known, struct core_actions *out)
{
	int pad = core_pad_of(core, &known->ledger);
	bool is_arrival = known->ledger.movement == PERCH_ARRIVAL;
	struct movement movement = order_of(
		known, is_arrival, known->ledger.until - CORE_MARGIN_MS);

	if (pad < 0 || core->now >= movement.until ||
		(known->pending.is_sent &&
			known->pending.wish.kind != WISH_CLEAR) ||
		doubt_measured(core, (size_t)pad, &known->ledger) != DOUBT_NONE)
		return;
	give_order(core, known, (size_t)pad, &movement, out);
}

/* An emergency asks nobody: the pad is given to it when it is empty. */
static void order_contingent(
	struct core *core, struct known *known, struct core_actions *out)
{
	const struct perch_reservation *r = &known->ledger;
	struct movement movement = order_of(known, true, r->end);
	int pad = core_pad_of(core, r);

	if (pad < 0 || !r->airborne || r->on_pad || core->now < r->start ||
		core->now >= r->end || !core_is_fresh(core, (size_t)pad) ||
		core->pads[pad].state.is != PAD_EMPTY ||
		group_moves(core, (size_t)pad, known))
		return;
	give_order(core, known, (size_t)pad, &movement, out);
}

/* Nobody else has this pad now. */
static bool is_next(struct core *core, const struct known *self, size_t pad)
{
	for (size_t i = 0; i < core->count; i++) {
		const struct perch_reservation *r = &core->known[i].ledger;

		if (&core->known[i] != self &&
			core_pad_of(core, r) == (int)pad &&
			r->start <= core->now && core->now < r->end &&
			r->start < self->ledger.start)
			return false;
	}
	return core_occupant(core, pad) == NULL;
}

/* Empty; or who was rolled out there has no business on it any more, because
 * somebody displaced it or its time is over. */
static bool has_room(
	struct core *core, size_t pad, const struct perch_reservation *self)
{
	const struct core_pad *on = &core->pads[pad];

	if (on->state.is == PAD_EMPTY)
		return true;
	if (on->state.by_air || on->ledger.blocked ||
		on->state.aircraft[0] == '\0' ||
		strcmp(on->state.aircraft, self->aircraft) == 0 ||
		core_occupant(core, pad) != NULL)
		return false;
	for (size_t i = 0; i < core->count; i++) {
		const struct perch_reservation *r = &core->known[i].ledger;

		if (core_pad_of(core, r) == (int)pad &&
			strcmp(r->aircraft, on->state.aircraft) == 0 &&
			core->now < r->end)
			return false;
	}
	return true;
}

static void prepare(
	struct core *core, struct known *known, struct core_actions *out)
{
	const struct perch_reservation *r = &known->ledger;
	int pad = core_pad_of(core, r);
	bool is_arrival;
	struct core_action *action;

	if (pad < 0 || r->aircraft[0] == '\0' || r->movement == PERCH_ANY ||
		core->now < r->start - CORE_PREPARE_MS || core->now >= r->end ||
		(known->prepared != 0 &&
			core->now - known->prepared < PREPARE_AGAIN_MS) ||
		!core_is_fresh(core, (size_t)pad) ||
		!has_room(core, (size_t)pad, r) || core->pads[pad].closed_by_us)
		return;
	is_arrival = r->movement == PERCH_ARRIVAL;
	if (is_arrival ? r->has_pair && !r->airborne
		       : !is_next(core, known, (size_t)pad))
		return;
	action = core_act(out, ACTION_PREPARE, (size_t)pad);
	if (action == NULL)
		return;
	action->movement = order_of(known, is_arrival, r->end);
	known->prepared = core->now;
}

void core_clear(struct core *core, struct core_actions *out)
{
	for (size_t i = 0; i < core->count; i++) {
		struct known *known = &core->known[i];

		if (core_is_cleared(core, known))
			order_cleared(core, known, out);
		else if (known->ledger.state == PERCH_CONTINGENT)
			order_contingent(core, known, out);
		if (known->ledger.state == PERCH_CONFIRMED ||
			known->ledger.state == PERCH_CONTINGENT)
			prepare(core, known, out);
	}
	answer_requests(core, out);
}

/* ---- words ---- */

const char *wish_name(enum wish_kind kind)
{
	static const char *const names[] = {"none", "clear", "revoke",
		"go_around", "departed", "landed", "vacated", "close_pad",
		"open_pad"};

	return names[kind];
}

static const struct {
	const char *name, *english, *japanese;
} doubts[DOUBTS] = {
	[DOUBT_NONE] = {"none", "nothing", "なし"},
	[DOUBT_NO_LEDGER] = {"no_ledger",
		"the ledger was not read yet; is the evaluator there?",
		"台帳をまだ読めていません。評価器を確かめてください"},
	[DOUBT_CUT_OFF] = {"cut_off",
		"no majority confirms that this is the newest of the ledger; "
		"nothing is cleared until one does",
		"台帳が最新だと過半数が確認していません。"
		"確認まで何も許可しません"},
	[DOUBT_UNMEASURED] = {"unmeasured",
		"the pad is not measured, or too long ago; see its device",
		"パッドの計測がないか古すぎます。装置を確かめてください"},
	[DOUBT_NOT_THERE] = {"not_there", "the aircraft is not on the pad",
		"機体がパッドにいません"},
	[DOUBT_OCCUPIED] = {"occupied", "another aircraft is on the pad",
		"別の機体がパッドにいます"},
	[DOUBT_BLOCKED] = {"blocked",
		"after an incursion, until the pad is measured empty",
		"侵入があったため、空きを計測するまで使えません"},
	[DOUBT_CLOSED] = {"closed", "the pad is closed",
		"パッドは閉鎖されています"},
	[DOUBT_GROUP] = {"group", "another movement in the pad's group",
		"同じ進入路で別の離着陸があります"},
	[DOUBT_EARLY] = {"early", "the window has not begun",
		"予約の時間になっていません"},
	[DOUBT_LATE] = {"late", "too little of the window is left",
		"予約の残り時間が足りません"},
	[DOUBT_GROUND] = {"ground", "its departure has not left",
		"まだ離陸していません"},
	[DOUBT_NO_NAME] = {"no_name", "no aircraft is named",
		"機体の名前がありません"},
};

const char *core_doubt_name(enum core_doubt doubt)
{
	return doubts[doubt].name;
}

const char *core_doubt_text(enum core_doubt doubt, bool japanese)
{
	return japanese ? doubts[doubt].japanese : doubts[doubt].english;
}
