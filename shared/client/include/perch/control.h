/* perch/control.h -- what a port's controller and the authority sign.
 *
 * Facts (departed, landed, vacated) are never refused for what they say: one
 * that no valid clearance covers is on record as an incursion.
 */
#ifndef PERCH_CONTROL_H
#define PERCH_CONTROL_H

#include <perch/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors and limits as in perch/tx.h. */

/* ---- a controller ---- */

/* What is not known is never called empty. */
enum perch_pad_state {
	PERCH_PAD_UNKNOWN,
	PERCH_PAD_EMPTY,
	PERCH_PAD_OCCUPIED,
};

/* The answer to the open request with this nonce (perch_reservation.nonce). */
struct perch_clear {
	struct perch_id reservation;
	uint64_t nonce;
	enum perch_movement movement; /* not PERCH_ANY */
	int64_t until; /* at most 5 minutes ahead, inside the window */
	enum perch_pad_state pad_state;
	const char *on_pad; /* the aircraft that is on it; NULL: none known */
	int64_t measured;   /* when; at most 5 seconds ago */
};
enum perch_err perch_tx_clear(
	struct perch_tx *tx, const struct perch_clear *clear);

/* Take back a clearance that was not used. The authority may, too. */
enum perch_err perch_tx_revoke(struct perch_tx *tx, const struct perch_id *id);

struct perch_fact {
	const char *port, *pad;
	const struct perch_id *reservation; /* NULL: none is known */
	const char *aircraft;               /* NULL: not known */
	int64_t time;                       /* when it was seen */
};
enum perch_err perch_tx_departed(
	struct perch_tx *tx, const struct perch_fact *fact);
enum perch_err perch_tx_landed(
	struct perch_tx *tx, const struct perch_fact *fact);
/* The pad was measured empty. */
enum perch_err perch_tx_vacated(
	struct perch_tx *tx, const char *port, const char *pad, int64_t time);

/* ---- a controller or the authority ---- */

/* from 0: at once, which needs a reason; otherwise at least 10 minutes ahead.
 * until 0: until it is opened. reason: 64 bytes of UTF-8 at most, or NULL. */
enum perch_err perch_tx_close_pad(struct perch_tx *tx, const char *port,
	const char *pad, int64_t from, int64_t until, const char *reason);
enum perch_err perch_tx_open_pad(
	struct perch_tx *tx, const char *port, const char *pad);

/* ---- the authority ---- */

enum perch_role {
	PERCH_ROLE_NONE,
	PERCH_ROLE_OPERATOR,
	PERCH_ROLE_CONTROLLER,
	PERCH_ROLE_AUTHORITY,
	PERCH_ROLE_OBSERVER,
	PERCH_ROLE_NODE,
};

/* Reservations up to this tier, 0 to 7. */
enum perch_err perch_tx_grant_tier(
	struct perch_tx *tx, const struct perch_key *party, unsigned tier);
enum perch_err perch_tx_set_party(struct perch_tx *tx,
	const struct perch_key *party, unsigned quota, bool up);
/* role: operator, controller or observer. */
enum perch_err perch_tx_register_party(struct perch_tx *tx,
	const struct perch_key *party, const char *name, enum perch_role role,
	unsigned quota);
/* Its controller is registered before; its pads are open. */
enum perch_err perch_tx_register_port(
	struct perch_tx *tx, const struct perch_port *port);

#ifdef __cplusplus
}
#endif

#endif
