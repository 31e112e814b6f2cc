/* controller/core_facts.c -- what happened on a pad: the difference between
 * what the ledger says and what was measured. And what is done when a pad is
 * not safe any more.
 */
#include "core_inside.h"

#include <stdio.h>
#include <string.h>

enum { CLOSE_AHEAD_MS = CORE_CLOSE_MS / 3 };

static void set_name(char out[DRIVER_NAME_SIZE], const char *name)
{
	snprintf(out, DRIVER_NAME_SIZE, "%s", name);
}

/* Is what stands there this reservation's aircraft, as far as names tell? */
static bool is_same(const struct known *known, const char *aircraft)
{
	return aircraft[0] == '\0' || known->ledger.aircraft[0] == '\0' ||
	       strcmp(known->ledger.aircraft, aircraft) == 0;
}

/* A fact of now; about counts what happened here before. */
static struct wish fact_of(const struct core *core, size_t pad,
	enum wish_kind kind, const struct known *known, const char *aircraft)
{
	struct wish wish = {
		.kind = kind,
		.pad = pad,
		.time = core->pads[pad].state.measured,
	};

	set_name(wish.aircraft, aircraft);
	if (known == NULL)
		return wish;
	wish.has_reservation = true;
	wish.reservation = known->ledger.id;
	wish.nonce = known->ledger.nonce;
	if (known->ledger.aircraft[0] != '\0')
		set_name(wish.aircraft, known->ledger.aircraft);
	return wish;
}

static void tell(
	struct core *core, const struct wish *wish, struct core_actions *out)
{
	const struct known *known =
		wish->has_reservation ? core_find(core, &wish->reservation)
				      : NULL;
	struct core_pad *pad = &core->pads[wish->pad];
	uint64_t about = (uint64_t)pad->ledger.incursions << 32 |
			 (known == NULL ? 0 : known->ledger.version);

	core_wish(core, &pad->pending, wish, about, out);
}

/* A live reservation of this aircraft and pad, for this movement. */
static struct known *find_planned(struct core *core, size_t pad,
	const char *aircraft, enum perch_movement movement)
{
	for (size_t i = 0; i < core->count; i++) {
		struct known *known = &core->known[i];
		const struct perch_reservation *r = &known->ledger;

		if (core_pad_of(core, r) == (int)pad && aircraft[0] != '\0' &&
			strcmp(r->aircraft, aircraft) == 0 &&
			(r->state == PERCH_CONFIRMED ||
				r->state == PERCH_CLEARED ||
				r->state == PERCH_CONTINGENT) &&
			(r->movement == PERCH_ANY ||
				r->movement == (int)movement))
			return known;
	}
	return NULL;
}

static void find_landing(
	struct core *core, size_t pad, struct core_actions *out)
{
	const struct core_pad *on = &core->pads[pad];
	struct known *cleared = core_cleared(core, pad);
	struct known *occupant = core_occupant(core, pad);
	struct wish wish;

	if (occupant != NULL && is_same(occupant, on->state.aircraft))
		return;
	if (cleared != NULL && is_same(cleared, on->state.aircraft)) {
		if (cleared->ledger.movement != PERCH_ARRIVAL)
			return;
		wish = fact_of(
			core, pad, WISH_LANDED, cleared, on->state.aircraft);
	} else if (!on->state.by_air || on->ledger.blocked) {
		return; /* rolled in, or told already */
	} else {
		wish = fact_of(core, pad, WISH_LANDED,
			find_planned(
				core, pad, on->state.aircraft, PERCH_ARRIVAL),
			on->state.aircraft);
	}
	tell(core, &wish, out);
}

static void find_leaving(
	struct core *core, size_t pad, struct core_actions *out)
{
	const struct core_pad *on = &core->pads[pad];
	struct known *cleared = core_cleared(core, pad);
	struct known *occupant = core_occupant(core, pad);
	struct wish wish;

	if (cleared != NULL && cleared->ledger.movement != PERCH_DEPARTURE)
		cleared = NULL;
	if (cleared != NULL && (on->has_flown || on->state.by_air) &&
		is_same(cleared, on->has_flown ? on->flown : "")) {
		wish = fact_of(core, pad, WISH_DEPARTED, cleared, on->flown);
	} else if (on->has_flown) {
		if (occupant == NULL || !is_same(occupant, on->flown))
			occupant = find_planned(
				core, pad, on->flown, PERCH_DEPARTURE);
		wish = fact_of(core, pad, WISH_DEPARTED, occupant, on->flown);
	} else if (occupant != NULL || on->ledger.blocked) {
		wish = fact_of(core, pad, WISH_VACATED, occupant, "");
	} else {
		return;
	}
	tell(core, &wish, out);
}

/* ---- going around ---- */

static bool overlaps(const struct core *core, const struct perch_reservation *r,
	size_t pad, int64_t start, int64_t end)
{
	int64_t gap = core->port.before + core->port.after;
	int other = core_pad_of(core, r);

	return other >= 0 &&
	       strcmp(core->port.pads[other].group,
		       core->port.pads[pad].group) == 0 &&
	       r->state >= PERCH_HELD && r->state <= PERCH_CONTINGENT &&
	       start < r->end + gap && r->start < end + gap;
}

/* The first window of this length on a pad, from a moment on. */
static int64_t first_free(const struct core *core, size_t pad,
	const struct known *without, int64_t start, int64_t length)
{
	int64_t gap = core->port.before + core->port.after;

	for (size_t i = 0; i < core->count; i++) {
		const struct known *known = &core->known[i];

		if (known == without || !overlaps(core, &known->ledger, pad,
						start, start + length))
			continue;
		start = known->ledger.end + gap;
		i = (size_t)-1; /* and again from the first */
	}
	return start;
}

static void find_window(const struct core *core, const struct known *known,
	struct perch_slot *out)
{
	int64_t length = known->ledger.end - known->ledger.start;
	int64_t from = core->now + core->port.lead + CORE_AGAIN_MS;
	int64_t best = INT64_MAX;

	for (size_t i = 0; i < core->port.pad_count; i++) {
		const struct perch_pad *pad = &core->pads[i].ledger;
		int64_t start;

		if (!pad->open || pad->blocked || core->now < pad->closed_until)
			continue;
		start = first_free(core, i, known, from, length);
		if (start >= best)
			continue;
		best = start;
		memcpy(out->pad, pad->name, sizeof(out->pad));
		out->start = start;
		out->end = start + length;
	}
}

static void find_go_around(
	struct core *core, size_t pad, struct core_actions *out)
{
	struct core_pad *on = &core->pads[pad];
	struct known *known = core_cleared(core, pad);
	struct wish wish = {.kind = WISH_GO_AROUND, .pad = pad};

	if (on->state.broken_off == on->broken_off)
		return;
	if (known == NULL || known->ledger.movement != PERCH_ARRIVAL) {
		on->broken_off = on->state.broken_off;
		return;
	}
	wish.has_reservation = true;
	wish.reservation = known->ledger.id;
	wish.nonce = known->ledger.nonce;
	find_window(core, known, &wish.slot);
	if (core_wish(
		    core, &known->pending, &wish, known->ledger.version, out)) {
		on->broken_off = on->state.broken_off;
		on->has_order = false;
	}
}

/* In the air without a landing place that it could have: another aircraft
 * stands there, or the time that was kept for it is over. */
static bool is_stranded(const struct core *core, const struct known *known)
{
	const struct perch_reservation *r = &known->ledger;
	int pad = core_pad_of(core, r);

	if (pad < 0 || r->state != PERCH_CONTINGENT || !r->airborne ||
		r->on_pad || core->now < r->start ||
		core->pads[pad].pending.is_sent ||
		!core_is_fresh(core, (size_t)pad))
		return false;
	if (core->pads[pad].state.is == PAD_EMPTY)
		return core->now >= r->end;
	return strcmp(core->pads[pad].state.aircraft, r->aircraft) != 0;
}

void core_divert(
	struct core *core, struct known *known, struct core_actions *out)
{
	struct wish wish = {
		.kind = WISH_GO_AROUND,
		.has_reservation = true,
		.reservation = known->ledger.id,
	};

	if (!is_stranded(core, known) || !core_is_sure(core)) {
		known->stranded = 0;
		return;
	}
	if (known->stranded == 0)
		known->stranded = core->now;
	if (core->now - known->stranded < CORE_STRANDED_MS)
		return;
	find_window(core, known, &wish.slot);
	if (wish.slot.pad[0] == '\0')
		return;
	wish.pad = (size_t)core_pad_of(core, &known->ledger);
	wish.nonce = (uint64_t)wish.slot.start; /* another one each time */
	if (core_wish(core, &known->pending, &wish, known->ledger.version, out))
		known->stranded = core->now;
}

void core_facts(struct core *core, size_t pad, struct core_actions *out)
{
	if (core->pads[pad].pending.is_sent || !core_is_fresh(core, pad))
		return;
	if (core->pads[pad].state.is == PAD_OCCUPIED)
		find_landing(core, pad, out);
	else
		find_leaving(core, pad, out);
	find_go_around(core, pad, out);
}

/* ---- when it is not safe ---- */

static void revoke(struct core *core, size_t pad, struct known *known,
	struct core_actions *out)
{
	struct wish wish = {
		.kind = WISH_REVOKE,
		.pad = pad,
		.has_reservation = true,
		.reservation = known->ledger.id,
		.nonce = known->ledger.nonce,
	};

	if (core_wish(
		    core, &known->pending, &wish, known->ledger.version, out)) {
		core_act(out, ACTION_ABORT, pad);
		core->pads[pad].has_order = false;
	}
}

/* The device has not been heard for so long that a clearance on what it said
 * would be refused: close the pad for a minute, so that the ledger says it,
 * too. What was cleared to land here is diverted by that, and never dropped. A
 * pad has one closure: one that is planned stays, and nothing is cleared. */
static void guard_unknown(
	struct core *core, size_t pad, struct core_actions *out)
{
	struct core_pad *on = &core->pads[pad];
	struct known *cleared = core_cleared(core, pad);
	struct wish wish = {
		.kind = WISH_CLOSE,
		.pad = pad,
		.until = core->now + CORE_CLOSE_MS,
	};
	bool is_closed = !on->ledger.open ||
			 on->ledger.closed_from > core->now ||
			 core->now + CLOSE_AHEAD_MS < on->closed_until ||
			 core->now + CLOSE_AHEAD_MS < on->ledger.closed_until;

	if (is_closed && cleared != NULL)
		revoke(core, pad, cleared, out);
	if (is_closed || on->pending.is_sent)
		return;
	core_act(out, ACTION_CLOSE, pad);
	core_wish(core, &on->pending, &wish,
		(uint64_t)(core->now / CLOSE_AHEAD_MS), out);
	on->has_order = false;
}

static void guard_known(struct core *core, size_t pad, struct core_actions *out)
{
	struct core_pad *on = &core->pads[pad];
	struct known *cleared = core_cleared(core, pad);
	struct wish wish = {.kind = WISH_OPEN, .pad = pad};
	bool safe;

	if (on->ledger.closed_until > on->closed_until) /* somebody else's */
		on->closed_by_us = false;
	if (on->closed_by_us && !on->pending.is_sent)
		core_wish(core, &on->pending, &wish, (uint64_t)on->closed_until,
			out);
	if (cleared == NULL)
		return;
	if (on->state.is == PAD_OCCUPIED)
		safe = is_same(cleared, on->state.aircraft);
	else /* a departure has left by air, or not at all */
		safe = cleared->ledger.movement == PERCH_ARRIVAL ||
		       on->has_flown || on->state.by_air;
	if (!safe)
		revoke(core, pad, cleared, out);
}

/* Who was let go or come, and is not cleared any more, is stopped. */
static void guard_order(struct core *core, size_t pad, struct core_actions *out)
{
	struct core_pad *on = &core->pads[pad];
	const struct known *known;

	if (!on->has_order)
		return;
	known = core_find(core, &on->ordered);
	if (known != NULL && (core_is_cleared(core, known) ||
				     known->ledger.state == PERCH_CONTINGENT))
		return;
	on->has_order = false;
	if (known != NULL && core_occupant(core, pad) != known)
		core_act(out, ACTION_ABORT, pad);
}

void core_guard(struct core *core, size_t pad, struct core_actions *out)
{
	struct core_pad *on = &core->pads[pad];
	bool known = on->state.is != PAD_UNKNOWN &&
		     core->now - on->state.measured < CORE_UNKNOWN_MS;

	if (known)
		on->unknown_since = 0;
	else if (on->unknown_since == 0)
		on->unknown_since = core->now;
	if (known)
		guard_known(core, pad, out);
	else if (core->now - on->unknown_since >= CORE_UNKNOWN_MS)
		guard_unknown(core, pad, out);
	guard_order(core, pad, out);
}
