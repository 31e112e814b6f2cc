/* controller/core.c -- see core.h.
 */
#include "core.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "contract/refusal.h"
#include "core_inside.h"
#include "crypto/crypto.h"

void core_start(struct core *core, const struct core_config *config)
{
	memset(core, 0, sizeof(*core));
	core->config = *config;
}

struct core_action *core_act(
	struct core_actions *out, enum core_action_type type, size_t pad)
{
	struct core_action *action;

	if (out->count == CORE_ACTIONS_MAX)
		return NULL;
	action = &out->items[out->count++];
	*action = (struct core_action){.type = type, .pad = pad};
	return action;
}

/* ---- wishes ---- */

static bool same_id(const struct perch_id *a, const struct perch_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/*~ The id of a transaction is the idempotency key of the ledger: the same id
 * has one effect, ever. So it is not drawn but made from what it is about: this
 * port, this reservation, this request's number. A controller that is killed
 * between `clear` and `landed` begins again without a memory, wishes the same,
 * and by that learns what became of it. Only what the ledger has refused is
 * tried again under another id. */
static struct perch_id wish_id(const struct core *core, const struct wish *wish,
	uint64_t about, unsigned attempt)
{
	uint64_t numbers[] = {
		(uint64_t)wish->kind, wish->nonce, about, attempt};
	const char *pad = core->port.pads[wish->pad].name;
	struct view parts[] = {view_text("perch-controller"),
		view_text(core->config.port), view_of("", 1), view_text(pad),
		view_of("", 1),
		view_of(&wish->reservation, sizeof(wish->reservation)),
		view_of(numbers, sizeof(numbers)), view_text(wish->aircraft)};
	struct hash hash = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	struct perch_id id;

	memcpy(&id, &hash, sizeof(id));
	return id;
}

static bool same_wish(const struct wish *a, const struct wish *b)
{
	return a->kind == b->kind && a->nonce == b->nonce &&
	       same_id(&a->reservation, &b->reservation);
}

bool core_wish(struct core *core, struct pending *pending,
	const struct wish *wish, uint64_t about, struct core_actions *out)
{
	struct core_action *action;

	if (pending->is_sent)
		return false;
	if (!same_wish(&pending->wish, wish))
		pending->attempt = 0;
	else if (core->now < pending->again)
		return false;
	action = core_act(out, ACTION_SUBMIT, wish->pad);
	if (action == NULL)
		return false;
	pending->wish = *wish;
	pending->wish.id = wish_id(core, wish, about, pending->attempt);
	pending->is_sent = true;
	pending->again = core->now + CORE_ASK_MS;
	action->wish = pending->wish;
	return true;
}

/* ---- what it knows ---- */

bool core_is_sure(const struct core *core)
{
	return core->has_ledger && core->sure_at > 0 &&
	       core->now - core->sure_at <= CORE_SURE_MS;
}

bool core_is_fresh(const struct core *core, size_t pad)
{
	const struct pad_state *state = &core->pads[pad].state;

	return state->is != PAD_UNKNOWN &&
	       core->now - state->measured <= CORE_MEASURED_MS &&
	       state->measured - core->now <= CORE_MEASURED_MS;
}

int core_pad_of(const struct core *core, const struct perch_reservation *r)
{
	if (strcmp(r->port, core->config.port) != 0)
		return -1;
	for (size_t i = 0; i < core->port.pad_count; i++) {
		if (strcmp(core->port.pads[i].name, r->pad) == 0)
			return (int)i;
	}
	return -1;
}

struct known *core_find(struct core *core, const struct perch_id *id)
{
	for (size_t i = 0; i < core->count; i++) {
		if (same_id(&core->known[i].ledger.id, id))
			return &core->known[i];
	}
	return NULL;
}

static bool is_on_pad(const struct perch_reservation *r)
{
	return r->state == PERCH_OCCUPIED || r->state == PERCH_OVERSTAY ||
	       (r->state == PERCH_CONTINGENT && r->on_pad);
}

struct known *core_occupant(struct core *core, size_t pad)
{
	for (size_t i = 0; i < core->count; i++) {
		struct known *known = &core->known[i];

		if (is_on_pad(&known->ledger) &&
			core_pad_of(core, &known->ledger) == (int)pad)
			return known;
	}
	return NULL;
}

bool core_is_cleared(const struct core *core, const struct known *known)
{
	return known->ledger.state == PERCH_CLEARED &&
	       core->now < known->ledger.until;
}

struct known *core_cleared(struct core *core, size_t pad)
{
	for (size_t i = 0; i < core->count; i++) {
		struct known *known = &core->known[i];

		if (core_is_cleared(core, known) &&
			core_pad_of(core, &known->ledger) == (int)pad)
			return known;
	}
	return NULL;
}

/* ---- events ---- */

/* What is being waited for outlives a new reading of the ledger. */
static void on_ledger(struct core *core, const struct core_event *event)
{
	static const struct known none;
	struct known old[CORE_RESERVATIONS_MAX];
	size_t old_count = core->count;

	if (event->height < core->height)
		return;
	CHECK(event->count <= CORE_RESERVATIONS_MAX);
	memcpy(old, core->known, old_count * sizeof(old[0]));
	core->height = event->height;
	core->has_ledger = true;
	core->port = *event->port;
	for (size_t i = 0; i < core->port.pad_count; i++)
		core->pads[i].ledger = core->port.pads[i];
	core->count = event->count;
	for (size_t i = 0; i < event->count; i++) {
		struct known *known = &core->known[i];

		*known = none;
		for (size_t j = 0; j < old_count; j++) {
			if (same_id(&old[j].ledger.id,
				    &event->reservations[i].id))
				*known = old[j];
		}
		known->ledger = event->reservations[i];
	}
}

static void on_request(struct core *core, const struct core_event *event)
{
	struct known *known = core_find(core, &event->id);

	if (known == NULL || event->nonce <= known->ledger.nonce)
		return; /* it is found in the next reading */
	known->ledger.nonce = event->nonce;
	known->ledger.asked = event->as_of;
	if (event->aircraft != NULL && event->aircraft[0] != '\0')
		snprintf(known->ledger.aircraft, sizeof(known->ledger.aircraft),
			"%s", event->aircraft);
}

static void on_revoked(struct core *core, const struct core_event *event)
{
	struct known *known = core_find(core, &event->id);

	if (known != NULL && known->ledger.state == PERCH_CLEARED)
		known->ledger.state = PERCH_CONFIRMED;
}

/* Somebody left by air, or an occupant is gone, as the ledger now has it. */
static void on_fact(struct core *core, const struct wish *wish,
	const struct perch_outcome *outcome)
{
	struct core_pad *pad = &core->pads[wish->pad];
	struct known *known = wish->has_reservation
				      ? core_find(core, &wish->reservation)
				      : NULL;

	pad->has_order = false;
	if (wish->kind == WISH_DEPARTED)
		pad->has_flown = false;
	if (outcome == NULL || !outcome->has_fact)
		return;
	pad->ledger.blocked = outcome->blocked;
	if (outcome->incursion)
		pad->ledger.incursions++;
	if (wish->kind == WISH_VACATED)
		known = core_occupant(core, wish->pad);
	if (known == NULL || outcome->state == PERCH_NONE)
		return;
	known->ledger.state = outcome->state;
	known->ledger.on_pad = wish->kind == WISH_LANDED;
	known->ledger.asked = 0;
}

static void on_granted(struct core *core, const struct wish *wish,
	const struct perch_outcome *outcome)
{
	struct known *known = core_find(core, &wish->reservation);
	struct core_pad *pad = &core->pads[wish->pad];

	switch (wish->kind) {
	case WISH_CLEAR:
		if (known == NULL)
			return;
		known->ledger.state = PERCH_CLEARED;
		known->ledger.movement = wish->movement;
		known->ledger.until = wish->until;
		known->ledger.asked = 0;
		return;
	case WISH_REVOKE:
		if (known != NULL && known->ledger.state == PERCH_CLEARED)
			known->ledger.state = PERCH_CONFIRMED;
		return;
	case WISH_GO_AROUND: /* where to, the next reading says */
		if (known != NULL)
			known->ledger.state = PERCH_CONTINGENT;
		pad->has_order = false;
		return;
	case WISH_DEPARTED:
	case WISH_LANDED:
	case WISH_VACATED:
		on_fact(core, wish, outcome);
		return;
	case WISH_CLOSE:
		pad->closed_by_us = true;
		pad->closed_until = wish->until;
		return;
	case WISH_OPEN:
		pad->closed_by_us = false;
		pad->ledger.closed_from = pad->ledger.closed_until = 0;
		return;
	case WISH_NONE:
		return;
	}
}

static struct pending *find_pending(
	struct core *core, const struct perch_id *id)
{
	for (size_t i = 0; i < core->port.pad_count; i++) {
		struct pending *pending = &core->pads[i].pending;

		if (pending->is_sent && same_id(&pending->wish.id, id))
			return pending;
	}
	for (size_t i = 0; i < core->count; i++) {
		struct pending *pending = &core->known[i].pending;

		if (pending->is_sent && same_id(&pending->wish.id, id))
			return pending;
	}
	return NULL;
}

/* Refused: perhaps it will be granted later, under another id. Its id was used
 * with other content: that was us, in an earlier life, so ask. */
static void on_fate(struct core *core, const struct core_event *event,
	struct core_actions *out)
{
	struct pending *pending = find_pending(core, &event->id);
	struct core_action *action;

	if (pending == NULL || event->fate == FATE_UNKNOWN ||
		(event->fate == FATE_REFUSED && event->was_used))
		return;
	pending->is_sent = false;
	if (event->height > core->height)
		core->height = event->height;
	action = core_act(out,
		event->fate == FATE_GRANTED ? ACTION_DONE : ACTION_REFUSED,
		pending->wish.pad);
	if (action != NULL) {
		action->wish = pending->wish;
		action->code = event->code;
	}
	if (event->fate == FATE_GRANTED) {
		on_granted(core, &pending->wish, event->outcome);
		return;
	}
	pending->attempt++;
	pending->again = core->now + CORE_AGAIN_MS;
}

/* Somebody stands there, or did when the device was last heard. */
static bool was_occupied(const struct core_pad *pad)
{
	return pad->was_measured &&
	       (pad->state.is == PAD_OCCUPIED ||
		       (pad->state.is == PAD_UNKNOWN &&
			       pad->state.aircraft[0] != '\0'));
}

static void on_pads(struct core *core, const struct core_event *event)
{
	for (size_t i = 0; i < core->port.pad_count; i++) {
		struct core_pad *pad = &core->pads[i];
		const struct pad_state *now = &event->states[i];

		if (!pad->was_measured)
			pad->broken_off = now->broken_off;
		if (was_occupied(pad) && now->is == PAD_EMPTY && now->by_air) {
			pad->has_flown = true;
			memcpy(pad->flown, pad->state.aircraft,
				sizeof(pad->flown));
		}
		if (now->is == PAD_UNKNOWN) {
			/* Who was on it may come back into sight. */
			pad->state.is = PAD_UNKNOWN;
			continue;
		}
		pad->was_measured = true;
		pad->state = *now;
	}
}

/* What was sent and not answered is asked for, again and again. */
static void ask(
	struct core *core, struct pending *pending, struct core_actions *out)
{
	struct core_action *action;

	if (!pending->is_sent || core->now < pending->again)
		return;
	action = core_act(out, ACTION_ASK, pending->wish.pad);
	if (action == NULL)
		return;
	action->wish = pending->wish;
	pending->again = core->now + CORE_ASK_MS;
}

static void decide(struct core *core, struct core_actions *out)
{
	if (!core->has_ledger)
		return;
	for (size_t i = 0; i < core->port.pad_count; i++) {
		ask(core, &core->pads[i].pending, out);
		core_guard(core, i, out);
		core_facts(core, i, out);
	}
	for (size_t i = 0; i < core->count; i++) {
		ask(core, &core->known[i].pending, out);
		core_divert(core, &core->known[i], out);
	}
	core_clear(core, out);
}

void core_step(struct core *core, const struct core_event *event,
	struct core_actions *out)
{
	out->count = 0;
	core->now = event->now;
	switch (event->type) {
	case CORE_TIME:
		break;
	case CORE_PADS:
		on_pads(core, event);
		break;
	case CORE_SYNC:
		if (event->as_of > core->sure_at)
			core->sure_at = event->as_of;
		break;
	case CORE_LEDGER:
		on_ledger(core, event);
		break;
	case CORE_REQUEST:
		on_request(core, event);
		break;
	case CORE_REVOKED:
		on_revoked(core, event);
		break;
	case CORE_FATE:
		on_fate(core, event, out);
		break;
	}
	decide(core, out);
}
