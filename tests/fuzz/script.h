/* tests/fuzz/script.h -- transactions that nobody would send, from any bytes.
 *
 * The bytes are a script over a small world: a block begins, an operation is
 * put into the current transaction, the transaction is executed. Some of the
 * operations have bodies of any bytes; the others mean something, so that
 * windows meet. Every receipt is CHECKed to be one that can be encoded.
 */
#ifndef PERCH_TESTS_FUZZ_SCRIPT_H
#define PERCH_TESTS_FUZZ_SCRIPT_H

#include "contract/contract.h"

enum { SCRIPT_KNOWN_MAX = 16, SCRIPT_BLOCKS_MAX = 100 };

struct script {
	struct view rest;
	struct state *state;
	struct tx tx;
	uint8_t bodies[TX_OPS_MAX][OP_BODY_BYTES_MAX];
	uint16_t tx_index;
	bool member_free;
	uint64_t serial; /* every transaction has an id of its own */
	size_t blocks;
	size_t known_count; /* reservations that a script can name */
	struct id known[SCRIPT_KNOWN_MAX];
};

/* The world's genesis, and two states of it, made once. */
const struct genesis *script_genesis(void);
struct state *script_state(size_t number);

/* A first block begins. */
void script_start(struct script *script, struct state *state);
/* Run these bytes; may be called again with what follows. */
void script_run(struct script *script, struct view bytes);

/* All that can be asked of a state: its root, which is kept and so says nothing
 * of what was changed behind its back, and the timetables, read afresh. */
struct hash script_fingerprint(struct state *state);

#endif
