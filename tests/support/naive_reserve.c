/* tests/support/naive_reserve.c -- reserve, amend, cancel, reservation,
 * confirm.
 */
#include <string.h>

#include "base/check.h"
#include "gen/table.h"
#include "support/naive.h"

static struct id id_of(const struct naive_act *act, size_t index)
{
	uint8_t bytes[17 + KEY_SIZE + ID_SIZE + 1] = "perch/reservation";
	struct id id;

	memcpy(bytes + 17, &act->tx->wallet, KEY_SIZE);
	memcpy(bytes + 17 + KEY_SIZE, &act->tx->id, ID_SIZE);
	bytes[sizeof(bytes) - 1] = (uint8_t)index;
	struct hash hash = hash_bytes(view_of(bytes, sizeof(bytes)));
	memcpy(&id, &hash, sizeof(id));
	return id;
}

/* ---- making one ---- */

static enum refusal may_make(struct naive *naive, const struct naive_act *act,
	const struct naive_entry *wish)
{
	struct naive_window window = {
		wish->port, wish->pad, wish->start, wish->end};
	size_t live = 0, waiting = 0;

	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];

		live += key_equal(&at->owner, &act->tx->wallet);
		waiting +=
			at->state == RESERVATION_WAITLISTED &&
			at->port == wish->port &&
			naive_same_group(naive, wish->port, at->pad, wish->pad);
	}
	if (live >= act->who->quota)
		return REFUSAL_QUOTA;
	if (naive_busy(naive, wish->aircraft, &window, NULL,
		    wish->paired ? &wish->pair : NULL))
		return REFUSAL_AIRCRAFT_BUSY;
	if (naive->count >= naive->limits->reservations_max ||
		naive_group_full(naive, &window))
		return REFUSAL_FULL;
	if (wish->state == RESERVATION_WAITLISTED && waiting == 8)
		return REFUSAL_WAITLIST_FULL;
	return naive_find(naive, &wish->id) != NULL ? REFUSAL_REPLAY
						    : REFUSAL_GRANTED;
}

static void make(struct naive *naive, const struct naive_act *act,
	struct naive_entry *wish, time_ms hold)
{
	if (wish->state == RESERVATION_HELD)
		wish->until = naive->now + hold < wish->end ? naive->now + hold
							    : wish->end;
	wish->owner = act->tx->wallet;
	wish->version = 1;
	wish->height = naive->height;
	wish->place = act->tx_index * 64u + act->index;
	CHECK(naive->count < NAIVE_MAX);
	naive->list[naive->count++] = *wish;
}

/* ---- reserve ---- */

/* The other operation of its pair; false: there is not exactly one. */
static bool other_half(const struct naive_act *act, const struct op_reserve *op,
	struct op_reserve *half, size_t *index)
{
	size_t found = 0;

	for (size_t i = 0; i < act->tx->ops_count; i++) {
		struct op_reserve at;

		if (i == act->index || act->tx->ops[i].kind != OP_RESERVE ||
			op_reserve_decode(&at, act->tx->ops[i].body) !=
				ERR_OK ||
			at.pair != op->pair)
			continue;
		*half = at;
		*index = i;
		found++;
	}
	return found == 1;
}

static bool is_flight(const struct naive_act *act, const struct op_reserve *op,
	const struct op_reserve *half, size_t index)
{
	const struct op_reserve *first = act->index < index ? op : half;
	const struct op_reserve *second = act->index < index ? half : op;

	return act->tx->mode == TX_MODE_ALL && first->movement == 1 &&
	       second->movement == 2 &&
	       view_equal(first->aircraft, second->aircraft) &&
	       first->tier == second->tier &&
	       second->start >= first->start + 60000;
}

/* Whether everybody in the way may be displaced, eight at most. */
static bool all_give_way(
	struct naive *naive, const struct naive_window *window, uint64_t tier)
{
	static struct naive copy;
	size_t count = 0;

	copy = *naive;
	for (;;) {
		struct naive_entry *at = naive_in_the_way(&copy, window, NULL);

		if (at == NULL)
			return true;
		if (++count > 8 || !naive_gives_way(naive,
					   naive_find(naive, &at->id), tier))
			return false;
		*at = copy.list[--copy.count];
	}
}

static enum refusal reserve(struct naive *naive, const struct naive_act *act,
	const struct op_reserve *op)
{
	struct naive_entry wish = {
		.id = id_of(act, act->index),
		.start = (time_ms)op->start,
		.end = (time_ms)op->end,
		.movement = op->movement,
		.tier = op->tier,
	};
	struct naive_window window, other;
	struct op_reserve half;
	size_t index = 0;
	bool linked = op->pair != 0 && other_half(act, op, &half, &index);
	time_ms hold = 0;

	if ((op->alternate_port.size == 0) != (op->alternate_pad.size == 0))
		return REFUSAL_MALFORMED;
	if (!naive_pad(naive, op->port, op->pad, &window))
		return REFUSAL_UNKNOWN_PAD;
	if (op->alternate_port.size > 0) {
		if (!naive_pad(naive, op->alternate_port, op->alternate_pad,
			    &other))
			return REFUSAL_UNKNOWN_PAD;
		wish.alternate =
			(struct naive_place){true, other.port, other.pad};
	}
	hold = (time_ms)naive->genesis->ports[window.port].hold;
	memcpy(wish.aircraft, op->aircraft.data, op->aircraft.size);
	if (linked) {
		wish.paired = true;
		wish.pair = id_of(act, index);
		if (naive_pad(naive, half.port, half.pad, &other) &&
			(time_ms)naive->genesis->ports[other.port].hold > hold)
			hold = (time_ms)naive->genesis->ports[other.port].hold;
	}
	window.start = wish.start;
	window.end = wish.end;
	wish.port = window.port;
	wish.pad = window.pad;
	wish.state = hold > 0 ? RESERVATION_HELD : RESERVATION_CONFIRMED;
	enum refusal code = naive_window_check(naive, &window);
	if (code != REFUSAL_GRANTED)
		return code;
	if (op->tier > act->who->tier)
		return REFUSAL_TIER_NOT_GRANTED;
	if (!all_give_way(naive, &window, op->tier)) {
		if (op->wait == 0 || op->pair != 0)
			return op->tier > 0 ? REFUSAL_PRIORITY
					    : REFUSAL_SLOT_TAKEN;
		wish.state = RESERVATION_WAITLISTED;
	}
	code = may_make(naive, act, &wish);
	if (code != REFUSAL_GRANTED)
		return code;
	if (op->pair != 0 && (!linked || !is_flight(act, op, &half, index)))
		return REFUSAL_PAIR_TIME;
	struct naive_entry *at;
	while (wish.state != RESERVATION_WAITLISTED &&
		(at = naive_in_the_way(naive, &window, NULL)) != NULL)
		naive_displace(naive, at, &window);
	make(naive, act, &wish, hold);
	return REFUSAL_GRANTED;
}

/* ---- the others ---- */

static enum refusal amend(struct naive *naive, const struct naive_act *act,
	const struct op_amend *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);
	struct naive_window to;

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!key_equal(&self->owner, &act->tx->wallet))
		return REFUSAL_NOT_OWNER;
	if (self->version != op->version)
		return REFUSAL_VERSION;
	struct naive_entry *half = naive_half(naive, self);
	if ((self->state != RESERVATION_HELD &&
		    self->state != RESERVATION_CONFIRMED) ||
		(half != NULL && half->state == RESERVATION_CLEARED))
		return REFUSAL_STATE;
	if (!naive_pad(naive, naive->genesis->ports[self->port].name, op->pad,
		    &to))
		return REFUSAL_UNKNOWN_PAD;
	to.start = (time_ms)op->start;
	to.end = (time_ms)op->end;
	enum refusal code = naive_window_check(naive, &to);
	if (code != REFUSAL_GRANTED)
		return code;
	if (naive_in_the_way(naive, &to, self) != NULL)
		return REFUSAL_SLOT_TAKEN;
	if (naive_busy(naive, self->aircraft, &to, self,
		    self->paired ? &self->pair : NULL))
		return REFUSAL_AIRCRAFT_BUSY;
	if (half != NULL &&
		(self->movement == 1 ? half->start - to.start
				     : to.start - half->start) < 60000)
		return REFUSAL_PAIR_TIME;
	if (!naive_same_group(naive, self->port, self->pad, to.pad) &&
		naive_group_full(naive, &to))
		return REFUSAL_FULL;
	naive_move(naive, self, &to, (enum reservation_state)self->state);
	return REFUSAL_GRANTED;
}

static bool gives_up(const struct naive_entry *entry)
{
	return entry->state == RESERVATION_HELD ||
	       entry->state == RESERVATION_CONFIRMED ||
	       entry->state == RESERVATION_WAITLISTED;
}

static enum refusal cancel(struct naive *naive, const struct naive_act *act,
	const struct op_cancel *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!key_equal(&self->owner, &act->tx->wallet) &&
		act->who->role != ROLE_AUTHORITY)
		return REFUSAL_NOT_OWNER;
	if (!gives_up(self))
		return REFUSAL_STATE;
	if (self->airborne)
		return REFUSAL_AIRBORNE;
	struct naive_entry *half = naive_half(naive, self);
	if (half != NULL && !gives_up(half))
		return REFUSAL_STATE;
	struct id pair = self->pair;
	bool paired = self->paired;
	naive_end(naive, &op->reservation);
	if (paired)
		naive_end(naive, &pair);
	return REFUSAL_GRANTED;
}

static enum refusal reservation(struct naive *naive,
	const struct naive_act *act, const struct op_reservation *op)
{
	for (size_t i = 0; i < naive->genesis->port_count; i++) {
		const struct record_port *port = &naive->genesis->ports[i];
		enum refusal code = REFUSAL_PAD_CLOSED;

		if (!view_equal(port->name, op->port))
			continue;
		for (size_t k = 0; k < port->pads_count; k++) {
			struct naive_window window = {
				i, k, naive->now + (time_ms)port->lead, 0};
			window.end = window.start + (time_ms)port->duration;
			struct naive_entry wish = {
				.id = id_of(act, act->index),
				.port = i,
				.pad = k,
				.start = window.start,
				.end = window.end,
				.state = port->hold > 0 ? RESERVATION_HELD
							: RESERVATION_CONFIRMED,
			};
			if (!naive_open(naive, &window))
				continue;
			code = REFUSAL_SLOT_TAKEN;
			if (naive_in_the_way(naive, &window, NULL) != NULL)
				continue;
			code = may_make(naive, act, &wish);
			if (code == REFUSAL_GRANTED)
				make(naive, act, &wish, (time_ms)port->hold);
			return code;
		}
		return code;
	}
	return REFUSAL_UNKNOWN_PAD;
}

static enum refusal confirm(struct naive *naive, const struct naive_act *act,
	const struct op_confirm *op)
{
	struct naive_entry *self = naive_find(naive, &op->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (!key_equal(&self->owner, &act->tx->wallet))
		return REFUSAL_NOT_OWNER;
	if (self->version != op->version)
		return REFUSAL_VERSION;
	struct naive_entry *half = naive_half(naive, self);
	if (self->state != RESERVATION_HELD ||
		(half != NULL && half->state != RESERVATION_HELD))
		return REFUSAL_STATE;
	naive_set(self, RESERVATION_CONFIRMED);
	if (half != NULL)
		naive_set(half, RESERVATION_CONFIRMED);
	return REFUSAL_GRANTED;
}

enum refusal naive_reserving(
	struct naive *naive, const struct naive_act *act, const struct op *op)
{
	union {
		struct op_reserve reserve;
		struct op_amend amend;
		struct op_cancel cancel;
		struct op_reservation reservation;
		struct op_confirm confirm;
	} in;

	if (op->kind == OP_RESERVE &&
		op_reserve_decode(&in.reserve, op->body) == ERR_OK)
		return reserve(naive, act, &in.reserve);
	if (op->kind == OP_AMEND &&
		op_amend_decode(&in.amend, op->body) == ERR_OK)
		return amend(naive, act, &in.amend);
	if (op->kind == OP_CANCEL &&
		op_cancel_decode(&in.cancel, op->body) == ERR_OK)
		return cancel(naive, act, &in.cancel);
	if (op->kind == OP_RESERVATION &&
		op_reservation_decode(&in.reservation, op->body) == ERR_OK)
		return reservation(naive, act, &in.reservation);
	if (op->kind == OP_CONFIRM &&
		op_confirm_decode(&in.confirm, op->body) == ERR_OK)
		return confirm(naive, act, &in.confirm);
	return REFUSAL_MALFORMED;
}
