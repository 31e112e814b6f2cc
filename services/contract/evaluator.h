/* contract/evaluator.h -- the parts of the evaluator, and what they share.
 *
 * It follows final blocks, executes each one again on a state of its own, and
 * raises an alarm when what comes out is not what the block says. From that
 * state and from what moved it answers questions.
 */
#ifndef PERCH_EVALUATOR_H
#define PERCH_EVALUATOR_H

#include "client/host.h"
#include "contract/chain.h"
#include "contract/never.h"
#include "gen/request.h"
#include "ledger/envelope.h"
#include "service/verifier.h"

enum { WHY_MAX = 300 };

struct archive; /* archive.c */

struct evaluator {
	const struct keypair *self;
	const struct genesis *genesis;
	struct perch *client;
	struct bus *bus; /* the client's */
	struct bus_socket *server;
	struct arena arena;
	struct state *state;
	struct chain *chain;
	unsigned number; /* of the chain */
	struct archive *archive;
	bool alarmed; /* a block was not what it says: nothing is answered */
	bool forged;  /* by its signatures: nothing is kept, either */
	struct verifier verifier;
	struct verify_job *gathering; /* of the blocks executed last */
	struct block_body checked;
	struct block_ref head; /* the newest block: header and signature */
	uint8_t head_bytes[BLOCK_HEADER_BYTES_MAX];
	time_ms save_at;       /* when history is made durable */
	uint64_t saved_height; /* of the state that is kept */
	uint8_t body[ENVELOPE_BODY_BYTES_MAX]; /* of the answer being made */
	struct moves moves;                    /* of the block being executed */
	struct never_watch never;              /* what must never happen */
};

/* ---- execute.c ---- */
/* The state of the genesis, or the newest that was kept. */
MUST_CHECK enum err execute_open(struct evaluator *evaluator, char *why);
/* The next final block. False: it is not what it says, and the alarm is up. */
bool execute_block(struct evaluator *evaluator, struct view bytes);
/* Keep what is known now, durably: the history, and with it the state now and
 * then (always when last), from which a restart goes on. Unless it is forged.
 */
void execute_save(struct evaluator *evaluator, bool last);

/* ---- check.c ---- */
/* A block that was executed: its transactions' signatures are checked by and
 * by. */
void check_block(struct evaluator *evaluator, const struct block_ref *block);
/* Wait until all are. False: one does not hold, and the alarm is up. */
bool check_settle(struct evaluator *evaluator);

/* ---- archive.c: every move for ever, in LMDB ---- */
MUST_CHECK enum err archive_open(
	struct archive **out, const char *directory, char *why);
void archive_close(struct archive **archive);
/* Moves of the block at height; nothing happens when they are here already. */
void archive_add(struct archive *archive, const struct block_ref *block,
	const struct moves *moves);
/* Durable when it returns; with the state after head, unless that is empty. */
void archive_commit(struct archive *archive, const struct block_ref *head,
	struct view snapshot);
/* The newest snapshot; false when there is none. bytes is malloc'ed. */
bool archive_snapshot(struct archive *archive, struct block_ref *head,
	uint8_t header[BLOCK_HEADER_BYTES_MAX], const struct hash *network,
	struct view *bytes);
/* Entries after a sequence, of a reservation, a wallet or a port (by a prefix
 * of what they are listed under), oldest first. Views borrow from room. */
size_t archive_find(struct archive *archive, struct view prefix, uint64_t after,
	struct history_entry *out, size_t out_max, uint8_t *room,
	size_t room_size, bool *more);
/* What entries are listed under. */
enum { ARCHIVE_PREFIX_MAX = 33 };
struct view archive_prefix(
	uint8_t out[ARCHIVE_PREFIX_MAX], char kind, struct view name);

/* ---- answer.c ---- */
void answer_requests(struct evaluator *evaluator);

#endif
