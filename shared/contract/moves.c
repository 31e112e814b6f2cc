/* contract/moves.c -- the one table of states and of the moves between them.
 *
 * Every change of a reservation is CHECKed against it, whoever causes it: an
 * operation that would leave the table is a bug, not a refusal.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

#define TO(name) (1u << RESERVATION_##name)

#define STATE_COUNT (RESERVATION_REVOKED + 1)

/*~ A reservation's whole life on one page. A state that stands in its own row
 * is kept when its window changes. What is missing matters most: nothing leads
 * from CLEARED or OCCUPIED to CANCELLED, EXPIRED or NO_SHOW, so neither a
 * wallet nor time alone ever frees a pad with an aircraft on its way to it.
 * CONTINGENT is where everything goes that did not go as planned; a new window
 * leads back from there, and nothing else but its end.
 */
static const unsigned allowed[STATE_COUNT] = {
	[RESERVATION_NONE] = TO(HELD) | TO(CONFIRMED) | TO(WAITLISTED),
	[RESERVATION_WAITLISTED] =
		TO(HELD) | TO(CONFIRMED) | TO(CANCELLED) | TO(EXPIRED),
	[RESERVATION_HELD] = TO(HELD) | TO(CONFIRMED) | TO(CANCELLED) |
			     TO(EXPIRED) | TO(PREEMPTED) | TO(REVOKED) |
			     TO(CONTINGENT),
	[RESERVATION_CONFIRMED] = TO(CONFIRMED) | TO(CLEARED) | TO(CANCELLED) |
				  TO(NO_SHOW) | TO(PREEMPTED) | TO(REVOKED) |
				  TO(CONTINGENT),
	[RESERVATION_CLEARED] =
		TO(CONFIRMED) | TO(RELEASED) | TO(OCCUPIED) | TO(CONTINGENT),
	[RESERVATION_OCCUPIED] = TO(RELEASED) | TO(OVERSTAY) | TO(CONTINGENT),
	[RESERVATION_OVERSTAY] = TO(RELEASED) | TO(CONTINGENT),
	[RESERVATION_CONTINGENT] =
		TO(CONTINGENT) | TO(CONFIRMED) | TO(RELEASED),
};

/* Of an arrival whose departure has left, time makes CONTINGENT: see time.c. */
static const enum reservation_state at_end[STATE_COUNT] = {
	[RESERVATION_WAITLISTED] = RESERVATION_EXPIRED,
	[RESERVATION_HELD] = RESERVATION_EXPIRED,
	[RESERVATION_CONFIRMED] = RESERVATION_NO_SHOW,
	[RESERVATION_CLEARED] = RESERVATION_CONFIRMED,
	[RESERVATION_OCCUPIED] = RESERVATION_OVERSTAY,
	[RESERVATION_CONTINGENT] = RESERVATION_RELEASED,
};

bool move_allowed(enum reservation_state from, enum reservation_state to)
{
	CHECK(from < STATE_COUNT && to < STATE_COUNT);
	return (allowed[from] >> to & 1) != 0;
}

enum reservation_state move_at_end(enum reservation_state from)
{
	CHECK(from < STATE_COUNT);
	return at_end[from];
}

/* Move a view's bytes into a move's own storage. */
static char *keep(char *at, struct view *view)
{
	if (view->size > 0)
		memcpy(at, view->data, view->size);
	view->data = (const uint8_t *)at;
	return at + view->size;
}

void moves_add(const struct state *state, const struct reservation *after,
	enum reservation_state from, const struct cause *cause)
{
	struct moves *moves = cause->moves;

	CHECK(move_allowed(from, after->state));
	if (moves == NULL)
		return;
	if (moves->count == MOVES_MAX) {
		moves->lost++;
		return;
	}
	struct move *move = &moves->items[moves->count++];
	move->from = from;
	move->to = after->state;
	move->cause = cause->kind;
	move->tx_index = cause->tx_index;
	record_of_reservation(state, after, &move->record);
	char *at = move->storage;
	at = keep(at, &move->record.port);
	at = keep(at, &move->record.pad);
	at = keep(at, &move->record.aircraft);
	at = keep(at, &move->record.pair);
	at = keep(at, &move->record.alternate_port);
	at = keep(at, &move->record.alternate_pad);
	at = keep(at, &move->record.commitment);
	CHECK(at <= move->storage + sizeof(move->storage));
}
