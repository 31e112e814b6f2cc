/* tests/support/naive_rule.c -- go-around, emergency, closures, parties. */
#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "support/naive.h"

static bool controls(
	const struct naive *naive, const struct naive_act *act, size_t port)
{
	return key_equal(
		&naive->genesis->ports[port].controller, &act->tx->wallet);
}

static enum refusal go_around(struct naive *naive, const struct naive_act *act,
	const struct op_go_around *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);
	time_ms day = 24 * 3600 * 1000;
	struct naive_window to;

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (act->who->role == ROLE_OPERATOR &&
		!key_equal(&self->owner, &act->tx->wallet))
		return REFUSAL_NOT_OWNER;
	if (act->who->role == ROLE_CONTROLLER &&
		!controls(naive, act, self->port))
		return REFUSAL_NOT_CONTROLLER;
	if (naive_stands(self) ||
		!(self->airborne || (self->state == RESERVATION_CLEARED &&
					    self->movement == 2)))
		return REFUSAL_STATE;
	self->airborne = true;
	bool known =
		op->port.size > 0 && naive_pad(naive, op->port, op->pad, &to);
	to.start = (time_ms)op->start;
	to.end = (time_ms)op->end;
	if (known && to.start >= naive->now && to.end > to.start &&
		to.end - to.start <= day && to.end - naive->now <= 30 * day &&
		naive_may_go(naive, self, &to, NULL))
		naive_move(naive, self, &to, RESERVATION_CONFIRMED);
	else if (!naive_divert(naive, self, NULL) &&
		 self->state != RESERVATION_CONTINGENT)
		naive_set(self, RESERVATION_CONTINGENT);
	return REFUSAL_GRANTED;
}

static void declare(struct naive *naive, struct naive_entry *self)
{
	struct naive_entry *half = naive_half(naive, self);

	if (self->state == RESERVATION_CONTINGENT)
		return;
	if (naive_stands(self))
		self->on_pad = true;
	naive_set(self, RESERVATION_CONTINGENT);
	self->asked = 0;
	if (half != NULL && half->state != RESERVATION_CONTINGENT)
		naive_set(half, RESERVATION_CONTINGENT);
}

static bool somebody_starts(
	const struct naive *naive, const struct naive_window *to)
{
	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];

		if (at->state != RESERVATION_WAITLISTED &&
			at->port == to->port && at->start == to->start &&
			naive_same_group(naive, to->port, at->pad, to->pad))
			return true;
	}
	return false;
}

static enum refusal emergency(struct naive *naive, const struct naive_act *act,
	const struct op_declare_emergency *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);
	struct naive_window to;

	if (self == NULL || self->state == RESERVATION_WAITLISTED)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!key_equal(&self->owner, &act->tx->wallet))
		return REFUSAL_NOT_OWNER;
	if (op->port.size > 0 && !naive_pad(naive, op->port, op->pad, &to))
		return REFUSAL_UNKNOWN_PAD;
	act->who->emergencies++;
	declare(naive, self);
	if (op->port.size == 0 || naive_stands(self) ||
		naive_group_full(naive, &to))
		return REFUSAL_GRANTED;
	to.start = naive->now;
	while (somebody_starts(naive, &to))
		to.start++;
	to.end = to.start + (self->end - self->start);
	naive_move(naive, self, &to, RESERVATION_CONTINGENT);
	return REFUSAL_GRANTED;
}

/* ---- closures ---- */

/* The first one inside that was not looked at. */
static struct naive_entry *next_inside(struct naive *naive,
	const struct naive_window *window, const struct id *seen, size_t count)
{
	struct naive_entry *first = NULL;

	for (size_t i = 0; i < naive->count; i++) {
		struct naive_entry *at = &naive->list[i];
		bool known = false;

		for (size_t k = 0; k < count; k++)
			known |= id_equal(&seen[k], &at->id);
		if (!known && at->state != RESERVATION_WAITLISTED &&
			at->port == window->port && at->pad == window->pad &&
			at->start < window->end && at->end > window->start &&
			(first == NULL || at->start < first->start))
			first = at;
	}
	return first;
}

static void close_one(struct naive *naive, struct naive_entry *at,
	const struct naive_window *window)
{
	bool cleared = at->state == RESERVATION_CLEARED;

	if (at->state > RESERVATION_CLEARED ||
		(cleared && at->until <= window->start))
		return;
	if (cleared && at->movement == 1) {
		naive_set(at, RESERVATION_CONFIRMED);
		cleared = false;
	}
	if (naive_gives_way(naive, at, 255)) {
		naive_displace(naive, at, NULL);
	} else if (!naive_divert(naive, at, NULL)) {
		at->airborne |= cleared;
		naive_set(at, RESERVATION_CONTINGENT);
	}
}

static enum refusal close_pad(struct naive *naive, const struct naive_act *act,
	const struct op_close_pad *op)
{
	struct naive_window window;
	struct id seen[NAIVE_MAX];
	size_t count = 0;
	uint64_t now = (uint64_t)naive->now;

	if (!naive_pad(naive, op->port, op->pad, &window))
		return REFUSAL_UNKNOWN_PAD;
	if (act->who->role != ROLE_AUTHORITY &&
		!controls(naive, act, window.port))
		return REFUSAL_NOT_CONTROLLER;
	if (op->from == 0 ? op->reason.size == 0 : op->from < now + 600000)
		return REFUSAL_NOTICE;
	struct record_pad *pad = &naive->pads[window.port][window.pad];
	if (op->from != 0 && now < pad->closed_until)
		return REFUSAL_PAD_CLOSED;
	window.start = op->from == 0 ? naive->now : (time_ms)op->from;
	window.end = op->until == 0 ? 4102444800000 : (time_ms)op->until;
	if (window.end <= window.start)
		return REFUSAL_BAD_WINDOW;
	if (now < pad->closed_until && (uint64_t)window.end < pad->closed_until)
		window.end = (time_ms)pad->closed_until;
	pad->closed_from = (uint64_t)window.start;
	pad->closed_until = (uint64_t)window.end;
	struct naive_entry *at;
	/* Those that are there now, in order of start. */
	while ((at = next_inside(naive, &window, seen, count)) != NULL)
		seen[count++] = at->id;
	for (size_t i = 0; i < count; i++) {
		at = naive_find(naive, &seen[i]);
		if (at != NULL)
			close_one(naive, at, &window);
	}
	return REFUSAL_GRANTED;
}

static enum refusal open_pad(struct naive *naive, const struct naive_act *act,
	const struct op_open_pad *op)
{
	struct naive_window window;

	if (!naive_pad(naive, op->port, op->pad, &window))
		return REFUSAL_UNKNOWN_PAD;
	if (act->who->role != ROLE_AUTHORITY &&
		!controls(naive, act, window.port))
		return REFUSAL_NOT_CONTROLLER;
	struct record_pad *pad = &naive->pads[window.port][window.pad];
	pad->open = 1;
	pad->closed_from = 0;
	pad->closed_until = 0;
	naive_free(naive, window.port, window.pad);
	return REFUSAL_GRANTED;
}

/* ---- parties ---- */

static enum refusal set_party(
	struct naive *naive, const struct op_set_party *op)
{
	struct record_party *party = naive_party(naive, &op->party);

	if (party == NULL)
		return REFUSAL_UNKNOWN_PARTY;
	if (party->role == ROLE_AUTHORITY && op->up == 0)
		return REFUSAL_ROLE;
	party->quota = op->quota;
	party->up = op->up;
	return REFUSAL_GRANTED;
}

static enum refusal grant_tier(
	struct naive *naive, const struct op_grant_tier *op)
{
	struct record_party *party = naive_party(naive, &op->party);

	if (party == NULL)
		return REFUSAL_UNKNOWN_PARTY;
	party->tier = op->tier;
	return REFUSAL_GRANTED;
}

enum refusal naive_ruling(
	struct naive *naive, const struct naive_act *act, const struct op *op)
{
	union {
		struct op_go_around go_around;
		struct op_declare_emergency emergency;
		struct op_close_pad closes;
		struct op_open_pad opens;
		struct op_set_party sets;
		struct op_grant_tier grants;
	} in;

	if (op->kind == OP_GO_AROUND &&
		op_go_around_decode(&in.go_around, op->body) == ERR_OK)
		return go_around(naive, act, &in.go_around);
	if (op->kind == OP_DECLARE_EMERGENCY &&
		op_declare_emergency_decode(&in.emergency, op->body) == ERR_OK)
		return emergency(naive, act, &in.emergency);
	if (op->kind == OP_CLOSE_PAD &&
		op_close_pad_decode(&in.closes, op->body) == ERR_OK)
		return close_pad(naive, act, &in.closes);
	if (op->kind == OP_OPEN_PAD &&
		op_open_pad_decode(&in.opens, op->body) == ERR_OK)
		return open_pad(naive, act, &in.opens);
	if (op->kind == OP_SET_PARTY &&
		op_set_party_decode(&in.sets, op->body) == ERR_OK)
		return set_party(naive, &in.sets);
	if (op->kind == OP_GRANT_TIER &&
		op_grant_tier_decode(&in.grants, op->body) == ERR_OK)
		return grant_tier(naive, &in.grants);
	return REFUSAL_MALFORMED;
}
