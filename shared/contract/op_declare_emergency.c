/* contract/op_declare_emergency.c -- `declare_emergency`: nothing is asked, and
 * nothing waited for (domain row 17).
 *
 * What becomes contingent may overlap others; it says so, and the approach is
 * its own while its window lasts.
 */
#include "contract/window.h"

#include "gen/table.h"

/* A flight that has not left is one emergency, whichever half is named. */
static void declare(struct op_context *context, uint32_t index)
{
	struct state *state = context->state;
	uint32_t half =
		reservation_partner(state, reservation_at(state, index));
	struct reservation *self = reservation_open(state, index);
	enum reservation_state from = self->state;

	if (from == RESERVATION_OCCUPIED || from == RESERVATION_OVERSTAY)
		self->flags |= FLAG_ON_PAD;
	self->state = RESERVATION_CONTINGENT;
	self->asked = 0;
	self->until = 0;
	reservation_close(state, index, from, &context->cause);
	if (half != TABLE_NONE &&
		reservation_at(state, half)->state != RESERVATION_CONTINGENT)
		reservation_move(
			state, half, RESERVATION_CONTINGENT, &context->cause);
}

/* The pad it wants, from now; no two of a group begin at once. */
static void go_to(
	struct op_context *context, uint32_t index, const struct place *wanted)
{
	struct state *state = context->state;
	const struct reservation *self = reservation_at(state, index);
	const struct group *group = group_of(state, wanted->port, wanted->pad);
	struct place to = *wanted;
	uint32_t place;

	if (reservation_on_pad(self) || group->count >= state->limits.group_max)
		return;
	to.start = context->now;
	while ((place = group_place(state, group, to.start)) < group->count &&
		reservation_at(state, group_at(state, group, place))->start ==
			to.start)
		to.start++;
	to.end = to.start + (self->end - self->start);
	reservation_place(
		state, index, &to, RESERVATION_CONTINGENT, &context->cause);
}

static void count(struct op_context *context)
{
	struct party *party = state_party_at(context->state, context->party);

	set_u32(context->state, &party->emergencies, party->emergencies + 1);
	mark_party(context->state, context->party);
}

static enum refusal apply(struct op_context *context, struct view body)
{
	struct state *state = context->state;
	struct op_declare_emergency op;
	struct place wanted;

	if (op_declare_emergency_decode(&op, body) != ERR_OK)
		return REFUSAL_MALFORMED;
	uint32_t index = reservation_find(state, &op.reservation);
	if (index == TABLE_NONE ||
		reservation_at(state, index)->state == RESERVATION_WAITLISTED)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (reservation_at(state, index)->party != context->party)
		return REFUSAL_NOT_OWNER;
	if (op.port.size > 0 &&
		window_find(state, op.port, op.pad, &wanted) != REFUSAL_GRANTED)
		return REFUSAL_UNKNOWN_PAD;
	count(context);
	if (reservation_at(state, index)->state != RESERVATION_CONTINGENT)
		declare(context, index);
	if (op.port.size > 0)
		go_to(context, index, &wanted);
	window_granted(context, index);
	return REFUSAL_GRANTED;
}

const struct op_kind op_kind_declare_emergency = {
	.number = OP_DECLARE_EMERGENCY,
	.name = "declare_emergency",
	.roles = 1u << ROLE_OPERATOR,
	.when_down = true,
	.apply = apply,
};
