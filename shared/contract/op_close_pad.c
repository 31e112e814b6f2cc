/* contract/op_close_pad.c -- `close_pad`: nothing new and no clearance in a
 * window (domain row 16; invariant 9).
 *
 * Reservations in it go to their alternates or end, a bounded number each time.
 * What is in the air, or may be, is diverted and never dropped: it becomes
 * contingent, and people decide. A pad has one closure, and a new one opens
 * nothing: closed at once, it stays closed until both are over, and another one
 * is planned after open_pad only.
 */
#include "contract/window.h"

#include "gen/table.h"

#define FOR_EVER INT64_C(4102444800000)

enum { CLOSED_MAX = 256 };

struct closure {
	struct place window;
	struct detail_closed detail;
};

static enum refusal read_closure(const struct op_context *context,
	const struct op_close_pad *op, struct closure *out)
{
	const struct state *state = context->state;
	time_ms now = context->now, from = (time_ms)op->from;
	enum refusal code = window_find(state, op->port, op->pad, &out->window);

	if (code == REFUSAL_GRANTED)
		code = window_runs(context, &out->window);
	if (code != REFUSAL_GRANTED)
		return code;
	const struct pad *pad =
		&state->ports[out->window.port].pads[out->window.pad];
	if (from == 0 ? op->reason.size == 0
		      : from < now + CLOSURE_NOTICE_MS_MIN)
		return REFUSAL_NOTICE;
	bool has_one = now < pad->closed_until;
	if (from != 0 && has_one)
		return REFUSAL_PAD_CLOSED;
	out->window.start = from == 0 ? now : from;
	out->window.end = op->until == 0 ? FOR_EVER : (time_ms)op->until;
	if (out->window.end <= out->window.start)
		return REFUSAL_BAD_WINDOW;
	if (has_one && out->window.end < pad->closed_until)
		out->window.end = pad->closed_until;
	return REFUSAL_GRANTED;
}

static void to_contingent(struct op_context *context, uint32_t index)
{
	struct reservation *self = reservation_open(context->state, index);
	enum reservation_state from = self->state;

	if (from == RESERVATION_CLEARED) /* it may be on its way */
		self->flags |= FLAG_AIRBORNE;
	self->state = RESERVATION_CONTINGENT;
	self->until = 0;
	reservation_close(context->state, index, from, &context->cause);
}

/* One that stands in the closure. */
static void close_one(
	struct op_context *context, struct closure *closure, uint32_t index)
{
	struct state *state = context->state;
	const struct reservation *self = reservation_at(state, index);

	if (self->state > RESERVATION_CLEARED ||
		(self->state == RESERVATION_CLEARED &&
			self->until <= closure->window.start)) {
		closure->detail.left++;
		return;
	}
	if (self->state == RESERVATION_CLEARED &&
		self->movement == MOVEMENT_DEPARTURE)
		reservation_move(
			state, index, RESERVATION_CONFIRMED, &context->cause);
	if (displaceable(state, index, UINT8_MAX)) {
		uint32_t before = state->reservations.count;

		displace(state, index, NULL, RESERVATION_REVOKED,
			&context->cause);
		closure->detail.ended += before - state->reservations.count;
		closure->detail.diverted += before == state->reservations.count;
		return;
	}
	if (!divert(state, index, NULL, &context->cause))
		to_contingent(context, index);
	closure->detail.diverted++;
}

/* Those that overlap the closure, in order of start. */
static size_t find_inside(
	struct state *state, struct closure *closure, struct id out[CLOSED_MAX])
{
	const struct place *window = &closure->window;
	const struct group *group = group_of(state, window->port, window->pad);
	uint32_t place = group_reach(state, group, window->start, 0);
	size_t count = 0;

	for (; place < group->count; place++) {
		const struct reservation *one =
			reservation_at(state, group_at(state, group, place));

		if (one->start >= window->end)
			break;
		if (one->pad != window->pad || one->end <= window->start)
			continue;
		if (count < CLOSED_MAX && effort_left(state))
			out[count++] = one->id;
		else
			closure->detail.left++;
	}
	return count;
}

static void close_window(struct op_context *context, struct closure *closure)
{
	struct id inside[CLOSED_MAX];
	size_t count = find_inside(context->state, closure, inside);

	/* One that ends takes its other half along. */
	for (size_t i = 0; i < count; i++) {
		uint32_t index = reservation_find(context->state, &inside[i]);

		if (index != TABLE_NONE)
			close_one(context, closure, index);
	}
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct closure closure = {.detail = {0}};
	struct op_close_pad op;

	if (op_close_pad_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	enum refusal code = read_closure(context, &op, &closure);
	if (code != REFUSAL_GRANTED)
		return code;
	struct pad *pad =
		&state->ports[closure.window.port].pads[closure.window.pad];
	arena_touch(state->arena, pad, sizeof(*pad));
	pad->closed_from = closure.window.start;
	pad->closed_until = closure.window.end;
	mark_port(state, closure.window.port);
	close_window(context, &closure);
	context->details_size = detail_closed_encode(
		context->details, sizeof(context->details), &closure.detail);
	CHECK(context->details_size > 0);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_close_pad = {
	.number = OP_CLOSE_PAD,
	.name = "close_pad",
	.roles = 1u << ROLE_CONTROLLER | 1u << ROLE_AUTHORITY,
	.apply = apply,
};
