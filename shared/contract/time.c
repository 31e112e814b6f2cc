/* contract/time.c -- what time alone does to a reservation (domain row 6).
 *
 * It ends what nobody took up, takes a clearance back that was not used, and
 * flags what stays too long. It never frees a pad with an aircraft on it, and
 * never takes the landing place of one that is in the air.
 */
#include "contract/reservation.h"

#include "base/check.h"

static time_ms sooner(time_ms a, time_ms b)
{
	return a < b ? a : b;
}

/* How long a pad is kept for who does not come: an aircraft in the air may be
 * late, one on the ground is given the port's tolerance. */
static time_ms kept_until(
	const struct state *state, const struct reservation *self)
{
	time_ms no_show = state->ports[self->port].no_show;

	if (no_show == 0 || (self->flags & FLAG_AIRBORNE) != 0)
		return self->end;
	return sooner(self->end, self->start + no_show);
}

time_ms reservation_deadline(
	const struct state *state, const struct reservation *self)
{
	switch ((enum reservation_state)self->state) {
	case RESERVATION_HELD:
	case RESERVATION_CLEARED:
		return self->until;
	case RESERVATION_CONFIRMED:
		return kept_until(state, self);
	case RESERVATION_OCCUPIED:
		return self->end;
	case RESERVATION_CONTINGENT:
		return (self->flags & (FLAG_AIRBORNE | FLAG_ON_PAD)) == 0
			       ? self->end
			       : INT64_MAX;
	case RESERVATION_WAITLISTED:
		return self->start;
	case RESERVATION_NONE:
	case RESERVATION_OVERSTAY:
	case RESERVATION_RELEASED:
	case RESERVATION_CANCELLED:
	case RESERVATION_EXPIRED:
	case RESERVATION_NO_SHOW:
	case RESERVATION_PREEMPTED:
	case RESERVATION_REVOKED:
		break;
	}
	return INT64_MAX;
}

time_ms reservation_hold(
	const struct state *state, const struct reservation *self)
{
	return sooner(self->end, state->time + state->ports[self->port].hold);
}

static enum reservation_state over(const struct reservation *self)
{
	if (self->state == RESERVATION_CONFIRMED &&
		(self->flags & FLAG_AIRBORNE) != 0)
		return RESERVATION_CONTINGENT;
	return move_at_end(self->state);
}

/* One window is over, and with it the flight: both halves end (invariant 7). */
void time_move(struct state *state, uint32_t index, const struct cause *cause)
{
	const struct reservation *self = reservation_at(state, index);
	enum reservation_state to = over(self);

	CHECK(to != RESERVATION_NONE);
	if (to < RESERVATION_RELEASED) {
		reservation_move(state, index, to, cause);
		return;
	}
	uint32_t half = reservation_partner(state, self);
	reservation_end(state, index, to, cause);
	if (half == TABLE_NONE)
		return;
	to = over(reservation_at(state, half));
	CHECK(to >= RESERVATION_RELEASED);
	reservation_end(state, half, to, cause);
}
