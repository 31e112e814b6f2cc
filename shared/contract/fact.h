/* contract/fact.h -- what a controller saw happen: departed, landed, vacated.
 *
 * A fact is never refused for what it says (domain row 13). One that no valid
 * clearance covers is an incursion: it is counted, and its pad blocks until it
 * is measured empty.
 */
#ifndef PERCH_CONTRACT_FACT_H
#define PERCH_CONTRACT_FACT_H

#include "contract/window.h"

struct fact {
	struct place where; /* port and pad */
	struct id id;       /* of the reservation that it names */
	uint32_t index;     /* of it, when it is live and of this pad and
			       aircraft; or TABLE_NONE */
	struct view aircraft;
	bool cleared; /* its clearance is for this, and valid */
	bool incursion;
};

/* Where it happened, by that port's controller. UNKNOWN_PAD, NOT_CONTROLLER. */
enum refusal fact_at(const struct op_context *context, struct view port,
	struct view pad, struct fact *out);
/* Who did it. MALFORMED when reservation is neither empty nor an id. */
enum refusal fact_of(const struct op_context *context, struct view reservation,
	struct view aircraft, uint64_t movement, struct fact *out);
/* It is an incursion. */
void fact_intrude(struct op_context *context, struct fact *fact);
/* Write the details, and name the reservation. state: what became of it. */
void fact_told(struct op_context *context, const struct fact *fact,
	enum reservation_state state);

#endif
