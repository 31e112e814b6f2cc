/* tests/support/naive.c -- time, waiting, transactions, and the comparison. */
#include "support/naive.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "gen/table.h"

void naive_start(struct naive *naive, const struct genesis *genesis,
	const struct state_limits *limits)
{
	memset(naive, 0, sizeof(*naive));
	naive->genesis = genesis;
	naive->limits = limits;
	naive->now = genesis->time;
	CHECK(genesis->party_count <= NAIVE_PARTIES);
	CHECK(genesis->port_count <= NAIVE_PORTS);
	memcpy(naive->parties, genesis->parties,
		genesis->party_count * sizeof(genesis->parties[0]));
	for (size_t i = 0; i < genesis->port_count; i++)
		memcpy(naive->pads[i], genesis->ports[i].pads,
			sizeof(genesis->ports[i].pads));
}

/* ---- time ---- */

time_ms naive_deadline(
	const struct naive *naive, const struct naive_entry *entry)
{
	time_ms no_show = (time_ms)naive->genesis->ports[entry->port].no_show;

	if (entry->state == RESERVATION_HELD ||
		entry->state == RESERVATION_CLEARED)
		return entry->until;
	if (entry->state == RESERVATION_WAITLISTED)
		return entry->start;
	if (entry->state == RESERVATION_OVERSTAY)
		return INT64_MAX;
	if (entry->state == RESERVATION_CONTINGENT &&
		(entry->airborne || entry->on_pad))
		return INT64_MAX;
	if (entry->state == RESERVATION_CONFIRMED && !entry->airborne &&
		no_show > 0 && entry->start + no_show < entry->end)
		return entry->start + no_show;
	return entry->end;
}

static struct naive_entry *next_due(struct naive *naive)
{
	struct naive_entry *first = NULL;

	for (size_t i = 0; i < naive->count; i++) {
		struct naive_entry *at = &naive->list[i];

		if (naive_deadline(naive, at) <= naive->now &&
			(first == NULL || naive_deadline(naive, at) <
						  naive_deadline(naive, first)))
			first = at;
	}
	return first;
}

static void pass(struct naive *naive, struct naive_entry *entry)
{
	struct id id = entry->id, pair = entry->pair;
	bool paired = entry->paired;

	if (entry->state == RESERVATION_CLEARED) {
		naive_set(entry, RESERVATION_CONFIRMED);
	} else if (entry->state == RESERVATION_OCCUPIED) {
		naive_set(entry, RESERVATION_OVERSTAY);
	} else if (entry->airborne) {
		naive_set(entry, RESERVATION_CONTINGENT);
	} else {
		naive_end(naive, &id);
		if (paired)
			naive_end(naive, &pair);
	}
}

/* ---- those that wait ---- */

static bool goes_before(
	const struct naive_entry *a, const struct naive_entry *b)
{
	if (a->tier != b->tier)
		return a->tier > b->tier;
	return a->height != b->height ? a->height < b->height
				      : a->place < b->place;
}

static bool can_have(struct naive *naive, const struct naive_entry *entry,
	const struct naive_window *window)
{
	return naive_window_check(naive, window) == REFUSAL_GRANTED &&
	       naive_in_the_way(naive, window, entry) == NULL &&
	       !naive_busy(naive, entry->aircraft, window, entry, NULL) &&
	       !naive_group_full(naive, window);
}

/* Each once, in their order. */
static void serve_group(struct naive *naive, const struct naive_place *group)
{
	struct naive_entry *last = NULL;
	struct naive_entry before = {.paired = false};

	for (;;) {
		struct naive_entry *next = NULL;

		for (size_t i = 0; i < naive->count; i++) {
			struct naive_entry *at = &naive->list[i];

			if (at->state == RESERVATION_WAITLISTED &&
				at->port == group->port &&
				naive_same_group(
					naive, at->port, at->pad, group->pad) &&
				(last == NULL || goes_before(&before, at)) &&
				(next == NULL || goes_before(at, next)))
				next = at;
		}
		if (next == NULL)
			return;
		before = *next;
		last = next;
		struct naive_window window = {
			next->port, next->pad, next->start, next->end};
		if (can_have(naive, next, &window))
			naive_move(naive, next, &window,
				naive->genesis->ports[next->port].hold > 0
					? RESERVATION_HELD
					: RESERVATION_CONFIRMED);
	}
}

static void serve(struct naive *naive)
{
	for (size_t i = 0; i < naive->freed_count; i++)
		serve_group(naive, &naive->freed[i]);
	naive->freed_count = 0;
}

void naive_begin(struct naive *naive, time_ms now)
{
	struct naive_entry *due;

	naive->now = now;
	naive->height++;
	naive->freed_count = 0;
	while ((due = next_due(naive)) != NULL)
		pass(naive, due);
	serve(naive);
}

/* ---- transactions ---- */

static bool may_sign(uint64_t kind, uint64_t role)
{
	switch (kind) {
	case OP_CANCEL:
		return role == ROLE_OPERATOR || role == ROLE_AUTHORITY;
	case OP_GO_AROUND:
		return role == ROLE_OPERATOR || role == ROLE_CONTROLLER;
	case OP_REVOKE:
	case OP_CLOSE_PAD:
	case OP_OPEN_PAD:
		return role == ROLE_CONTROLLER || role == ROLE_AUTHORITY;
	case OP_CLEAR:
	case OP_DEPARTED:
	case OP_LANDED:
	case OP_VACATED:
		return role == ROLE_CONTROLLER;
	case OP_GRANT_TIER:
	case OP_SET_PARTY:
		return role == ROLE_AUTHORITY;
	default:
		return role == ROLE_OPERATOR;
	}
}

static enum refusal run_op(
	struct naive *naive, const struct naive_act *act, const struct op *op)
{
	if (!may_sign(op->kind, act->who->role))
		return REFUSAL_ROLE;
	if (op->kind <= OP_RESERVATION || op->kind == OP_CONFIRM)
		return naive_reserving(naive, act, op);
	if (op->kind >= OP_REQUEST_CLEARANCE && op->kind <= OP_VACATED)
		return naive_flying(naive, act, op);
	return naive_ruling(naive, act, op);
}

bool naive_heard_when_down(const struct tx *tx)
{
	for (size_t i = 0; i < tx->ops_count; i++) {
		switch (tx->ops[i].kind) {
		case OP_DEPARTED:
		case OP_LANDED:
		case OP_VACATED:
		case OP_GO_AROUND:
		case OP_DECLARE_EMERGENCY:
			break;
		default:
			return false;
		}
	}
	return true;
}

void naive_run(struct naive *naive, const struct tx *tx, uint16_t tx_index,
	enum refusal codes[64])
{
	static struct naive before;
	struct naive_act act = {
		.tx = tx,
		.tx_index = tx_index,
		.who = naive_party(naive, &tx->wallet),
	};

	before = *naive;
	for (size_t i = 0; i < tx->ops_count; i++) {
		act.index = i;
		naive->freed_count = 0;
		codes[i] = run_op(naive, &act, &tx->ops[i]);
		if (codes[i] == REFUSAL_GRANTED)
			serve(naive);
		if (codes[i] == REFUSAL_GRANTED || tx->mode == TX_MODE_EACH)
			continue;
		*naive = before;
		for (size_t k = 0; k < tx->ops_count; k++) {
			if (k != i)
				codes[k] = REFUSAL_ROLLED_BACK;
		}
		return;
	}
}

/* ---- comparing ---- */

static bool differs(const char *what, uint64_t naive, uint64_t ledger)
{
	if (naive == ledger)
		return false;
	fprintf(stderr, "%s: the oracle says %llu, the ledger %llu\n", what,
		(unsigned long long)naive, (unsigned long long)ledger);
	return true;
}

static bool entry_differs(const struct naive *naive,
	const struct naive_entry *at, const struct record_reservation *record)
{
	const struct record_port *port = &naive->genesis->ports[at->port];
	uint64_t flags = (at->airborne ? 1u : 0u) | (at->on_pad ? 2u : 0u);

	return differs("state", at->state, record->state) ||
	       differs("port", 1, view_equal(port->name, record->port)) ||
	       differs("pad", 1,
		       view_equal(port->pads[at->pad].name, record->pad)) ||
	       differs("start", (uint64_t)at->start, record->start) ||
	       differs("end", (uint64_t)at->end, record->end) ||
	       differs("until", (uint64_t)at->until, record->until) ||
	       differs("asked", (uint64_t)at->asked, record->asked) ||
	       differs("nonce", at->nonce, record->nonce) ||
	       differs("version", at->version, record->version) ||
	       differs("movement", at->movement, record->movement) ||
	       differs("height", at->height, record->height) ||
	       differs("tier", at->tier, record->tier) ||
	       differs("flags", flags, record->flags) ||
	       differs("pair", at->paired, record->pair.size > 0) ||
	       differs("alternate", at->alternate.named,
		       record->alternate_port.size > 0) ||
	       differs("aircraft", 1,
		       view_equal(view_text(at->aircraft), record->aircraft)) ||
	       differs("owner", 1, key_equal(&at->owner, &record->operator));
}

static bool pads_differ(const struct naive *naive, const struct state *state)
{
	for (size_t i = 0; i < naive->genesis->port_count; i++) {
		struct record_port port;
		size_t index;

		if (!state_port_find(
			    state, naive->genesis->ports[i].name, &index))
			return differs("a port", 1, 0);
		state_port_at(state, index, &port);
		for (size_t k = 0; k < port.pads_count; k++) {
			const struct record_pad *a = &naive->pads[i][k];
			const struct record_pad *b = &port.pads[k];

			if (differs("open", a->open, b->open) ||
				differs("blocked", a->blocked, b->blocked) ||
				differs("from", a->closed_from,
					b->closed_from) ||
				differs("until", a->closed_until,
					b->closed_until) ||
				differs("incursions", a->incursions,
					b->incursions))
				return true;
		}
	}
	return false;
}

bool naive_equals(const struct naive *naive, const struct state *state)
{
	size_t live = 0;

	for (size_t i = 0; i < naive->count; i++) {
		const struct naive_entry *at = &naive->list[i];
		struct record_reservation record;

		live += at->state != RESERVATION_WAITLISTED;
		if (!state_reservation(state, &at->id, &record))
			return !differs("a reservation", at->state, 0);
		if (entry_differs(naive, at, &record))
			return false;
	}
	if (differs("live ones", live, state_live_count(state)))
		return false;
	for (size_t i = 0; i < naive->genesis->party_count; i++) {
		const struct record_party *party = &naive->parties[i];
		struct record_party record;
		uint64_t own = 0;

		for (size_t k = 0; k < naive->count; k++)
			own += key_equal(&naive->list[k].owner, &party->key);
		if (!state_party(state, &party->key, &record) ||
			differs("live of one", own, record.live) ||
			differs("quota", party->quota, record.quota) ||
			differs("up", party->up, record.up) ||
			differs("tier of one", party->tier, record.tier) ||
			differs("emergencies", party->emergencies,
				record.emergencies))
			return false;
	}
	return !pads_differ(naive, state);
}
