/* tests/support/naive_fly.c -- request, clear, revoke, and the three facts. */
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

static bool named(const struct naive_entry *entry, struct view aircraft)
{
	return view_equal(view_text(entry->aircraft), aircraft);
}

static enum refusal request(struct naive *naive, const struct naive_act *act,
	const struct op_request_clearance *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!key_equal(&self->owner, &act->tx->wallet))
		return REFUSAL_NOT_OWNER;
	if (self->state != RESERVATION_CONFIRMED)
		return REFUSAL_STATE;
	if (op->nonce <= self->nonce)
		return REFUSAL_NONCE;
	if (self->aircraft[0] != '\0') {
		if (op->aircraft.size > 0 && !named(self, op->aircraft))
			return REFUSAL_AIRCRAFT;
	} else {
		struct naive_window window = {
			self->port, self->pad, self->start, self->end};
		char aircraft[33] = "";

		if (op->aircraft.size == 0 || self->paired)
			return REFUSAL_AIRCRAFT;
		memcpy(aircraft, op->aircraft.data, op->aircraft.size);
		if (naive_busy(naive, aircraft, &window, self, NULL))
			return REFUSAL_AIRCRAFT_BUSY;
		memcpy(self->aircraft, aircraft, sizeof(aircraft));
	}
	self->nonce = op->nonce;
	self->asked = naive->now;
	return REFUSAL_GRANTED;
}

/* Anybody else who may be moving, or stands where it wants to be. */
static bool is_busy(const struct naive *naive, const struct naive_entry *self,
	uint64_t movement)
{
	time_ms before = (time_ms)naive->genesis->ports[self->port].before;

	if (naive->pads[self->port][self->pad].blocked)
		return true;
	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];
		bool same = strcmp(at->aircraft, self->aircraft) == 0;

		if (at->port != self->port ||
			!naive_same_group(naive, at->port, at->pad, self->pad))
			continue;
		if (at->state == RESERVATION_CLEARED)
			return true;
		if (at->pad == self->pad && naive_stands(at) &&
			(!same || movement == 2))
			return true;
		if (at->state == RESERVATION_CONTINGENT && !same &&
			at->start - before <= naive->now &&
			naive->now < at->end)
			return true;
	}
	return false;
}

static enum refusal clear(struct naive *naive, const struct naive_act *act,
	const struct op_clear *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);
	time_ms until = (time_ms)op->until, now = naive->now;
	time_ms age = now - (time_ms)op->measured;

	if (op->movement == 0)
		return REFUSAL_MALFORMED;
	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!controls(naive, act, self->port))
		return REFUSAL_NOT_CONTROLLER;
	if (self->state != RESERVATION_CONFIRMED ||
		(self->movement != 0 && self->movement != op->movement) ||
		(self->paired && op->movement == 2 && !self->airborne))
		return REFUSAL_STATE;
	if (self->asked == 0 || self->nonce != op->nonce)
		return REFUSAL_NONCE;
	if (!naive_party(naive, &self->owner)->up)
		return REFUSAL_PARTY_DOWN;
	if (now < self->start || until <= now || until > self->end ||
		until - now > 300000)
		return REFUSAL_WINDOW;
	struct naive_window window = {self->port, self->pad, now, until};
	if (!naive_open(naive, &window))
		return REFUSAL_PAD_CLOSED;
	if (op->pad_state == 0 || age > 5000 || age < -5000 ||
		(op->movement == 1 && op->pad_state == 1))
		return REFUSAL_PAD_STALE;
	if (op->movement == 2 ? op->pad_state == 2 : !named(self, op->on_pad))
		return REFUSAL_PAD_BUSY;
	if (is_busy(naive, self, op->movement))
		return REFUSAL_PAD_BUSY;
	struct naive_entry *half = naive_half(naive, self);
	if (op->movement == 1 && half != NULL) {
		struct naive_window landing = {
			half->port, half->pad, half->start, half->end};

		if (half->state != RESERVATION_CONFIRMED ||
			!naive_open(naive, &landing) ||
			naive_deadline(naive, half) <= until)
			return REFUSAL_DESTINATION;
	}
	naive_set(self, RESERVATION_CLEARED);
	self->until = until;
	self->movement = op->movement;
	self->asked = 0;
	return REFUSAL_GRANTED;
}

static enum refusal revoke(struct naive *naive, const struct naive_act *act,
	const struct op_revoke *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (act->who->role != ROLE_AUTHORITY &&
		!controls(naive, act, self->port))
		return REFUSAL_NOT_CONTROLLER;
	if (self->state != RESERVATION_CLEARED)
		return REFUSAL_STATE;
	naive_set(self, RESERVATION_CONFIRMED);
	return REFUSAL_GRANTED;
}

/* ---- facts ---- */

static void moved(struct naive *naive, struct view aircraft)
{
	for (size_t i = 0; i < naive->count; i++) {
		struct naive_entry *at = &naive->list[i];

		if (aircraft.size > 0 && named(at, aircraft) &&
			at->state != RESERVATION_WAITLISTED)
			at->asked = 0;
	}
}

static void intrude(struct naive *naive, const struct naive_window *where)
{
	naive->pads[where->port][where->pad].blocked = 1;
	naive->pads[where->port][where->pad].incursions++;
}

/* The reservation that a fact is about, if it fits. */
static struct naive_entry *about(struct naive *naive, struct view reservation,
	struct view aircraft, const struct naive_window *where)
{
	struct id id;

	if (reservation.size != ID_SIZE)
		return NULL;
	memcpy(&id, reservation.data, ID_SIZE);
	struct naive_entry *self = naive_find(naive, &id);
	if (self == NULL || self->state == RESERVATION_WAITLISTED ||
		self->port != where->port || self->pad != where->pad ||
		!named(self, aircraft))
		return NULL;
	return self;
}

static void departed(struct naive *naive, struct view aircraft,
	struct naive_entry *self, const struct naive_window *where)
{
	bool good = self != NULL && self->state == RESERVATION_CLEARED &&
		    self->movement == 1 && naive->now < self->until;

	if (!good)
		intrude(naive, where);
	if (self != NULL && (naive_stands(self) ||
				    (self->movement != 2 && !self->airborne))) {
		struct naive_entry *half = naive_half(naive, self);

		if (half != NULL) {
			half->airborne = true;
			if (half->state == RESERVATION_HELD)
				naive_set(half, RESERVATION_CONTINGENT);
		}
		struct id id = self->id;
		naive_end(naive, &id);
	}
	moved(naive, aircraft);
}

static void landed(struct naive *naive, struct view aircraft,
	struct naive_entry *self, const struct naive_window *where)
{
	bool good = self != NULL && self->state == RESERVATION_CLEARED &&
		    self->movement == 2 && naive->now < self->until;
	struct id id = {{0}}, gone = {{0}};
	bool ends = false;

	if (self != NULL)
		id = self->id;
	if (good) {
		naive_set(self, RESERVATION_OCCUPIED);
		self->airborne = false;
	} else {
		intrude(naive, where);
		if (self != NULL && !naive_stands(self) &&
			self->movement != 1) {
			struct naive_entry *half = naive_half(naive, self);

			naive_set(self, RESERVATION_CONTINGENT);
			self->airborne = false;
			self->on_pad = true;
			ends = half != NULL;
			if (ends)
				gone = half->id;
		}
	}
	for (size_t i = 0; i < naive->count; i++) {
		struct naive_entry *at = &naive->list[i];

		if (aircraft.size > 0 && named(at, aircraft) && at->airborne) {
			naive_set(at, RESERVATION_CONTINGENT);
			at->airborne = false;
		}
	}
	moved(naive, aircraft);
	if (ends)
		naive_end(naive, &gone);
	(void)id;
}

static void vacated(struct naive *naive, const struct naive_window *where)
{
	for (size_t i = 0; i < naive->count;) {
		struct id id = naive->list[i].id;

		if (naive->list[i].port == where->port &&
			naive->list[i].pad == where->pad &&
			naive_stands(&naive->list[i])) {
			naive_end(naive, &id);
			i = 0;
		} else {
			i++;
		}
	}
	naive->pads[where->port][where->pad].blocked = 0;
}

static enum refusal fact(
	struct naive *naive, const struct naive_act *act, const struct op *op)
{
	struct op_departed in;
	struct op_vacated empty;
	struct naive_window where;
	bool vacates = op->kind == OP_VACATED;

	if (vacates ? op_vacated_decode(&empty, op->body) != ERR_OK
		    : op_departed_decode(&in, op->body) != ERR_OK)
		return REFUSAL_MALFORMED;
	if (!naive_pad(naive, vacates ? empty.port : in.port,
		    vacates ? empty.pad : in.pad, &where))
		return REFUSAL_UNKNOWN_PAD;
	if (!controls(naive, act, where.port))
		return REFUSAL_NOT_CONTROLLER;
	if (vacates) {
		vacated(naive, &where);
		return REFUSAL_GRANTED;
	}
	if (in.reservation.size != 0 && in.reservation.size != ID_SIZE)
		return REFUSAL_MALFORMED;
	struct naive_entry *self =
		about(naive, in.reservation, in.aircraft, &where);
	if (op->kind == OP_DEPARTED)
		departed(naive, in.aircraft, self, &where);
	else
		landed(naive, in.aircraft, self, &where);
	return REFUSAL_GRANTED;
}

enum refusal naive_flying(
	struct naive *naive, const struct naive_act *act, const struct op *op)
{
	struct op_request_clearance asks;
	struct op_clear clears;
	struct op_revoke revokes;

	if (op->kind == OP_REQUEST_CLEARANCE)
		return op_request_clearance_decode(&asks, op->body) == ERR_OK
			       ? request(naive, act, &asks)
			       : REFUSAL_MALFORMED;
	if (op->kind == OP_CLEAR)
		return op_clear_decode(&clears, op->body) == ERR_OK
			       ? clear(naive, act, &clears)
			       : REFUSAL_MALFORMED;
	if (op->kind == OP_REVOKE)
		return op_revoke_decode(&revokes, op->body) == ERR_OK
			       ? revoke(naive, act, &revokes)
			       : REFUSAL_MALFORMED;
	return fact(naive, act, op);
}
