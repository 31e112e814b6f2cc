/* controller/desk.c -- see desk.h.
 *
 * What is final comes twice. Blocks tell it at once, verified, and are what a
 * request is answered on; the evaluator's timetable tells how the whole port
 * stands, and is read again whenever a block may have changed it. Whatever it
 * says wrong, the contract refuses.
 */
#include "desk.h"

#include <perch/control.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "contract/refusal.h"
#include "service/signals.h"

enum {
	HEAD_MS = 1000,
	TIMETABLE_MS = 2000,
	TIMETABLE_SOON_MS = 100,
	DIRTY_MS = 3000, /* so long unread: not sure any more */
	VALID_MS = 30000,
};

static void feed(struct desk *desk, const struct core_event *event);

/* ---- what the core wants done ---- */

static enum perch_err add_fact(
	struct perch_tx *tx, const struct desk *desk, const struct wish *wish)
{
	struct perch_fact fact = {
		.port = desk->core.config.port,
		.pad = desk->core.port.pads[wish->pad].name,
		.reservation =
			wish->has_reservation ? &wish->reservation : NULL,
		.aircraft = wish->aircraft[0] == '\0' ? NULL : wish->aircraft,
		.time = wish->time,
	};

	if (wish->kind == WISH_DEPARTED)
		return perch_tx_departed(tx, &fact);
	if (wish->kind == WISH_LANDED)
		return perch_tx_landed(tx, &fact);
	return perch_tx_vacated(tx, fact.port, fact.pad, fact.time);
}

static enum perch_err add_clear(struct perch_tx *tx, const struct wish *wish)
{
	const struct pad_state *state = &wish->state;
	struct perch_clear clear = {
		.reservation = wish->reservation,
		.nonce = wish->nonce,
		.movement = wish->movement,
		.until = wish->until,
		.pad_state = (enum perch_pad_state)state->is,
		.on_pad = state->is == PAD_OCCUPIED ? state->aircraft : NULL,
		.measured = state->measured,
	};

	return perch_tx_clear(tx, &clear);
}

static enum perch_err add_op(
	struct perch_tx *tx, const struct desk *desk, const struct wish *wish)
{
	const char *port = desk->core.config.port;
	const char *pad = desk->core.port.pads[wish->pad].name;
	const struct perch_slot *slot = &wish->slot;

	switch (wish->kind) {
	case WISH_CLEAR:
		return add_clear(tx, wish);
	case WISH_REVOKE:
		return perch_tx_revoke(tx, &wish->reservation);
	case WISH_GO_AROUND:
		return perch_tx_go_around(tx, &wish->reservation,
			slot->pad[0] == '\0' ? NULL : port,
			slot->pad[0] == '\0' ? NULL : slot->pad, slot->start,
			slot->end);
	case WISH_DEPARTED:
	case WISH_LANDED:
	case WISH_VACATED:
		return add_fact(tx, desk, wish);
	case WISH_CLOSE:
		return perch_tx_close_pad(tx, port, pad, 0, wish->until,
			"state unknown: the pad's device is silent");
	case WISH_OPEN:
		return perch_tx_open_pad(tx, port, pad);
	case WISH_NONE:
		break;
	}
	return PERCH_ERR_TYPE;
}

static struct sent *find_sent(struct desk *desk, const struct perch_id *id)
{
	for (size_t i = 0; i < DESK_SENT_MAX; i++) {
		if (memcmp(&desk->sent[i].id, id, sizeof(*id)) == 0)
			return &desk->sent[i];
	}
	return NULL;
}

/* Sign it, and keep it in the place of the oldest, or of its last try. */
static void submit(struct desk *desk, const struct wish *wish)
{
	static uint8_t bytes[PERCH_TX_BYTES_MAX];
	struct sent *sent = find_sent(desk, &wish->id);
	struct perch_tx tx;
	uint64_t request;
	size_t size = 0;
	enum perch_err err;

	perch_tx_start(&tx, PERCH_ALL);
	tx.id = wish->id;
	tx.valid_until = clock_wall() + VALID_MS;
	err = add_op(&tx, desk, wish);
	if (err == PERCH_OK)
		err = perch_sign(desk->client, &tx, bytes, &size);
	if (err == PERCH_OK)
		err = perch_submit_signed(
			desk->client, bytes, size, PERCH_FINAL, &request);
	if (err != PERCH_OK)
		say_text(desk, "not_sent", perch_err_text(err));
	if (size == 0)
		return;
	CHECK(size <= DESK_TX_BYTES); /* one operation of a few names */
	if (sent == NULL)
		sent = &desk->sent[desk->sent_next++ % DESK_SENT_MAX];
	sent->id = wish->id;
	sent->valid_until = tx.valid_until;
	sent->used_at = 0;
	sent->size = size;
	memcpy(sent->bytes, bytes, size);
}

/* Nothing was heard of it. While it is valid the same bytes are sent again;
 * whether they were lost, or the answer was, does not matter. If another
 * transaction has its id, that is ours of an earlier life: its fate is asked
 * for, until that must have run out. */
static void ask_again(struct desk *desk, const struct wish *wish)
{
	struct sent *sent = find_sent(desk, &wish->id);
	int64_t now = clock_wall();
	uint64_t request;
	enum perch_err err;

	if (sent == NULL || (sent->used_at == 0 && now >= sent->valid_until) ||
		(sent->used_at != 0 && now >= sent->used_at + VALID_MS)) {
		submit(desk, wish);
		return;
	}
	if (sent->used_at != 0)
		err = perch_ask_tx(desk->client, NULL, &wish->id, &request);
	else
		err = perch_submit_signed(desk->client, sent->bytes, sent->size,
			PERCH_FINAL, &request);
	if (err != PERCH_OK)
		say_text(desk, "not_sent", perch_err_text(err));
}

static enum err order(struct desk *desk, const struct core_action *action)
{
	const struct driver *driver = desk->controller->driver;
	void *device = desk->controller->device;

	if (action->type == ACTION_ABORT)
		return driver->abort(device, action->pad);
	if (action->type == ACTION_CLOSE)
		return driver->close(device, action->pad);
	if (action->type == ACTION_PREPARE)
		return driver->prepare == NULL
			       ? ERR_OK
			       : driver->prepare(device, action->pad,
					 &action->movement);
	return (action->movement.is_arrival ? driver->clear_arrival
					    : driver->clear_departure)(
		device, action->pad, &action->movement);
}

static void act(struct desk *desk, const struct core_action *action)
{
	say_action(desk, action);
	switch (action->type) {
	case ACTION_SUBMIT:
		submit(desk, &action->wish);
		return;
	case ACTION_ASK:
		ask_again(desk, &action->wish);
		return;
	case ACTION_PREPARE:
	case ACTION_CLEAR:
	case ACTION_ABORT:
	case ACTION_CLOSE: /* a device that does not hear is seen by its
			      silence */
		(void)order(desk, action);
		return;
	case ACTION_DONE:
	case ACTION_REFUSED:
		desk->dirty = true;
		return;
	case ACTION_DOUBT:
		return;
	}
}

static void feed(struct desk *desk, const struct core_event *event)
{
	struct core_actions actions;
	struct core_event with_time = *event;

	with_time.now = clock_wall();
	core_step(&desk->core, &with_time, &actions);
	for (size_t i = 0; i < actions.count; i++)
		act(desk, &actions.items[i]);
	if (core_is_sure(&desk->core) != desk->told_sure) {
		desk->told_sure = !desk->told_sure;
		say_sure(desk, desk->told_sure);
	}
}

/* ---- the pads ---- */

static bool is_other(const struct pad_state *a, const struct pad_state *b)
{
	return a->is != b->is || a->broken_off != b->broken_off ||
	       (a->is == PAD_OCCUPIED && strcmp(a->aircraft, b->aircraft) != 0);
}

static void measure(struct desk *desk)
{
	struct controller *controller = desk->controller;
	struct core_event event = {.type = CORE_PADS, .states = desk->states};

	controller->driver->poll(controller->device, clock_wall());
	for (size_t i = 0; i < desk->core.port.pad_count; i++) {
		struct pad_state state;

		controller->driver->pad_state(controller->device, i, &state);
		if (is_other(&state, &desk->states[i])) {
			desk->states[i] = state;
			say_pad(desk, i);
		}
		desk->states[i] = state;
	}
	feed(desk, &event);
}

static void open_pads(struct desk *desk)
{
	struct driver_setup *setup = &desk->controller->setup;

	desk->is_open = true;
	setup->pad_count = desk->port.pad_count;
	for (size_t i = 0; i < setup->pad_count; i++)
		memcpy(setup->pads[i], desk->port.pads[i].name,
			sizeof(setup->pads[i]));
	controller_open(desk->controller);
}

/* ---- what is final ---- */

static void on_synced(struct desk *desk)
{
	struct core_event event = {
		.type = CORE_SYNC, .as_of = desk->sync_asked};

	if (desk->sync_asked == 0 || desk->followed < desk->sync_height ||
		(desk->dirty && clock_wall() - desk->dirty_since > DIRTY_MS))
		return;
	desk->sync_asked = 0;
	feed(desk, &event);
}

static void set_dirty(struct desk *desk)
{
	if (!desk->dirty)
		desk->dirty_since = clock_wall();
	desk->dirty = true;
}

static void read_op(struct desk *desk, const struct perch_block *block,
	const struct perch_op *op)
{
	struct core_event event = {
		.height = block->height,
		.as_of = block->time,
		.id = op->reservation,
		.nonce = op->nonce,
		.aircraft = op->aircraft,
	};

	if (op->outcome.code != 0)
		return;
	/* What begins or ends a flight elsewhere may change its landing here.
	 */
	if (op->kind >= PERCH_OP_CLEAR ||
		strcmp(op->port, desk->core.config.port) == 0 ||
		strcmp(op->outcome.port, desk->core.config.port) == 0 ||
		op->kind == PERCH_OP_CANCEL || op->kind == PERCH_OP_CONFIRM ||
		op->kind == PERCH_OP_REQUEST_CLEARANCE)
		set_dirty(desk);
	if (op->kind == PERCH_OP_REQUEST_CLEARANCE)
		event.type = CORE_REQUEST;
	else if (op->kind == PERCH_OP_REVOKE)
		event.type = CORE_REVOKED;
	else
		return;
	feed(desk, &event);
}

static void on_block(struct desk *desk, const struct perch_block *block)
{
	struct perch_block_tx tx;
	struct perch_op op;

	desk->followed = block->height;
	for (size_t i = 0; perch_block_tx_at(block, i, &tx); i++) {
		for (size_t j = 0; j < tx.op_count; j++) {
			if (perch_block_op_at(block, i, j, &op))
				read_op(desk, block, &op);
		}
	}
	on_synced(desk);
}

static void on_head(struct desk *desk, const struct perch_head *head)
{
	desk->head_request = 0;
	desk->sync_height = head->final_height;
	desk->sync_asked = desk->head_asked;
	on_synced(desk);
}

static void check_key(const struct desk *desk)
{
	struct perch_key self = perch_self(desk->client);

	if (memcmp(&self, &desk->port.controller, sizeof(self)) != 0)
		say_text(desk, "key",
			"not that of this port's controller, so nothing that "
			"it signs is granted; correct --key or --port");
}

/* The whole timetable as far as it matters: judge by it, and follow from it. */
static void on_whole(struct desk *desk)
{
	struct core_event event = {
		.type = CORE_LEDGER,
		.height = desk->page_height,
		.port = &desk->port,
		.reservations = desk->page,
		.count = desk->count,
	};

	desk->timetable_request = 0;
	desk->next_timetable = clock_wall() + TIMETABLE_MS;
	/* Older than what is known of a fate: read it again. */
	if (desk->page_height >= desk->core.height &&
		desk->page_height >= desk->followed)
		desk->dirty = false;
	if (desk->is_open &&
		desk->port.pad_count != desk->core.port.pad_count) {
		say_text(desk, "pads", "the port has other pads now; restart");
		return;
	}
	if (!desk->is_open) {
		check_key(desk);
		open_pads(desk);
	}
	feed(desk, &event);
	if (desk->follows)
		return;
	desk->follows = perch_follow(desk->client, desk->page_height + 1,
				&desk->page_hash) == PERCH_OK;
	desk->followed = desk->page_height;
}

static bool has_page(const struct desk *desk, const struct perch_id *id)
{
	for (size_t i = 0; i < desk->count; i++) {
		if (memcmp(&desk->page[i].id, id, sizeof(*id)) == 0)
			return true;
	}
	return false;
}

static void ask_timetable(struct desk *desk, int64_t from)
{
	if (perch_timetable(desk->client, desk->core.config.port, from,
		    &desk->timetable_request) != PERCH_OK)
		desk->timetable_request = 0;
}

static void on_timetable(
	struct desk *desk, const struct perch_timetable *timetable)
{
	int64_t last = INT64_MAX;

	if (desk->count == 0) {
		desk->page_height = timetable->as_of.height;
		desk->page_hash = timetable->as_of.hash;
		desk->port = timetable->port;
	}
	for (size_t i = 0; i < timetable->count; i++) {
		const struct perch_reservation *r = &timetable->reservations[i];

		last = r->start;
		if (desk->count < CORE_RESERVATIONS_MAX &&
			!has_page(desk, &r->id))
			desk->page[desk->count++] = *r;
	}
	if (timetable->more && desk->count < CORE_RESERVATIONS_MAX &&
		last < clock_wall() + DESK_AHEAD_MS)
		ask_timetable(desk, last);
	else
		on_whole(desk);
}

/* ---- fates ---- */

static void on_fate(struct desk *desk, const struct perch_event *from)
{
	const struct perch_fate *fate = from->fate;
	struct core_event event = {
		.type = CORE_FATE,
		.id = fate->id,
		.height = fate->status == PERCH_FINAL ? fate->height : 0,
	};
	bool ran = fate->has_receipt && fate->op_count > 0;

	if (fate->status == PERCH_FINAL && fate->has_receipt) {
		event.code = fate->code != 0 ? fate->code
			     : ran           ? fate->ops[0].code
					     : 0;
		event.fate = event.code == 0 ? FATE_GRANTED : FATE_REFUSED;
		event.outcome = ran ? &fate->ops[0] : NULL;
		event.was_used = event.code == REFUSAL_REPLAY;
	} else if (fate->never) {
		event.fate = FATE_NEVER;
	} else if (fate->refused) {
		event.fate = FATE_REFUSED;
		event.was_used = from->err == PERCH_ERR_REPLAY;
	}
	struct sent *sent = find_sent(desk, &fate->id);
	if (event.was_used && sent != NULL && sent->used_at == 0)
		sent->used_at = clock_wall();
	if (event.fate == FATE_REFUSED && from->failure != NULL)
		say_text(desk, "refused_by_node", from->failure->text);
	feed(desk, &event);
}

/* ---- the loop ---- */

static void ask(struct desk *desk, int64_t now)
{
	if (desk->head_request == 0 && now >= desk->next_head &&
		perch_ask_head(desk->client, true, &desk->head_request) ==
			PERCH_OK) {
		desk->head_asked = now;
		desk->next_head = now + HEAD_MS;
	}
	if (desk->dirty && desk->next_timetable > now + TIMETABLE_SOON_MS)
		desk->next_timetable = now + TIMETABLE_SOON_MS;
	if (desk->timetable_request == 0 && now >= desk->next_timetable) {
		desk->count = 0;
		ask_timetable(desk, 1);
		desk->next_timetable = now + TIMETABLE_SOON_MS;
	}
}

/* Once, not each time that it is asked again. */
static void say_failure(struct desk *desk, const struct perch_event *event)
{
	char text[256];

	if (event->err != PERCH_ERR_NOT_FOUND) {
		say_text(desk, "evaluator", event->failure->text);
		return;
	}
	snprintf(text, sizeof(text),
		"the ledger has no port %s yet; register it (perch-wallet "
		"register port), or correct --port",
		desk->core.config.port);
	say_text(desk, "port", text);
}

static void on_failed(struct desk *desk, const struct perch_event *event)
{
	if (event->request == desk->head_request)
		desk->head_request = 0;
	if (event->request != desk->timetable_request)
		return;
	desk->timetable_request = 0;
	desk->next_timetable = clock_wall() + HEAD_MS;
	if (desk->core.has_ledger)
		set_dirty(desk);
	else if (event->failure != NULL && event->err != desk->told_failure)
		say_failure(desk, event);
	desk->told_failure = event->err;
}

static void on_event(struct desk *desk, const struct perch_event *event)
{
	if (event->type == PERCH_EVENT_FATE)
		on_fate(desk, event);
	else if (event->type == PERCH_EVENT_HEAD)
		on_head(desk, event->head);
	else if (event->type == PERCH_EVENT_TIMETABLE)
		on_timetable(desk, event->timetable);
	else if (event->type == PERCH_EVENT_BLOCK)
		on_block(desk, event->block);
	else if (event->type == PERCH_EVENT_FAILED)
		on_failed(desk, event);
	else if (event->type == PERCH_EVENT_STALLED)
		say_text(desk, "stalled", perch_err_text(event->err));
}

int desk_run(struct desk *desk)
{
	struct perch_event event;

	perch_wake_on(desk->client, desk->controller->signals);
	while (signals_take(desk->controller->signals) == 0 &&
		!ferror(stdout)) {
		int64_t now = clock_wall(), mono = clock_monotonic();

		ask(desk, now);
		if (desk->is_open && mono >= desk->poll_at) {
			measure(desk);
			desk->poll_at = mono + POLL_MS;
		}
		if (perch_next(desk->client, &event,
			    desk->is_open && desk->poll_at > mono
				    ? desk->poll_at - mono
				    : POLL_MS))
			on_event(desk, &event);
	}
	if (desk->is_open)
		controller_close(desk->controller);
	return 0;
}
