/* client/give.h -- decoded messages as the plain values of the public headers.
 */
#ifndef PERCH_CLIENT_GIVE_H
#define PERCH_CLIENT_GIVE_H

#include "gen/checkpoint.h"
#include "gen/contract.h"
#include "gen/ledger.h"
#include "gen/request.h"
#include <perch/client.h>

void give_text(char *out, size_t size, struct view text);
/* A sentence for people: control characters become '?'. */
void give_words(char *out, size_t size, struct view text);
void give_hash(struct perch_hash *out, const struct hash *in);
void give_key(struct perch_key *out, const struct key *in);
void give_id(struct perch_id *out, const struct id *in);
void give_reservation(
	struct perch_reservation *out, const struct record_reservation *in);
void give_move(struct perch_move *out, const struct history_entry *in);
void give_port(struct perch_port *out, const struct record_port *in);
void give_status(struct perch_node_status *out, const struct status *in);
/* bytes: the encoded certificate, borrowed. */
void give_certificate(struct perch_certificate *out,
	const struct certificate *in,
	const struct checkpoint_statement *statement, struct view bytes);
/* ERR_ENCODING when the details are not what the code says. */
MUST_CHECK enum err give_outcome(
	struct perch_outcome *out, const struct op_receipt *in);
/* The receipt of one transaction into a fate. */
MUST_CHECK enum err give_receipt(
	struct perch_fate *out, const struct receipt *in);

#endif
