/* controller/core_inside.h -- what the files of the core share: core.c takes
 * events in, core_facts.c finds what happened on the pads, core_clear.c decides
 * who may move.
 */
#ifndef PERCH_CONTROLLER_CORE_INSIDE_H
#define PERCH_CONTROLLER_CORE_INSIDE_H

#include "core.h"

/* NULL when the list is full: what is left is found again at the next event. */
struct core_action *core_act(
	struct core_actions *out, enum core_action_type type, size_t pad);
/* May this wish be sent now? If so it is, with its id. False: one is open, or
 * it was refused a moment ago. about: what makes it another wish of its kind.
 */
bool core_wish(struct core *core, struct pending *pending,
	const struct wish *wish, uint64_t about, struct core_actions *out);

bool core_is_fresh(const struct core *core, size_t pad);
/* Somebody's aircraft is on the pad, as the ledger has it. */
struct known *core_occupant(struct core *core, size_t pad);
/* Who may move on it now; NULL: nobody. */
struct known *core_cleared(struct core *core, size_t pad);
struct known *core_find(struct core *core, const struct perch_id *id);
bool core_is_cleared(const struct core *core, const struct known *known);
/* Index of a reservation's pad; -1: it is not of this port. */
int core_pad_of(const struct core *core, const struct perch_reservation *r);

void core_facts(struct core *core, size_t pad, struct core_actions *out);
void core_guard(struct core *core, size_t pad, struct core_actions *out);
void core_divert(
	struct core *core, struct known *known, struct core_actions *out);
void core_clear(struct core *core, struct core_actions *out);

#endif
