/* store/index.h -- where things are: transactions, block hashes, snapshots,
 * saved peers, received transactions. LMDB in DIR/index.
 *
 * Derived from the log and behind it by a moment; rebuilt from it. One thread
 * changes it, any may read. A failed write aborts the process. Every record has
 * a checksum; one that does not match is as if it were not there, and the next
 * commit removes the index and aborts. While it is closed the file has a seal
 * (seal.h), because LMDB itself can die of a page that went bad.
 */
#ifndef PERCH_STORE_INDEX_H
#define PERCH_STORE_INDEX_H

#include "base/err.h"
#include "base/view.h"

struct index; /* opaque */

/* Open or create DIR/index. ERR_IN_USE: another process has it; ERR_DAMAGED, or
 * of another release: it can be removed, the log rebuilds it; ERR_IO. why: 200
 * bytes for the cause and the cure. */
MUST_CHECK enum err index_open(
	struct index **out, const char *directory, char why[200]);
/* Remove a damaged one: the next index_open makes it anew, and the log fills
 * it. What was received and is in no block is forgotten. ERR_IN_USE, ERR_IO. */
MUST_CHECK enum err index_throw_away(const char *directory, char why[200]);
/* What was gathered since the last commit is forgotten. */
void index_close(struct index **index);

/* Changes are gathered and become durable, all at once, with index_commit. */
void index_put_tx(struct index *index, const struct key *wallet,
	const struct id *id, const struct hash *tx, uint64_t height,
	uint16_t tx_index);
void index_put_block(
	struct index *index, const struct hash *hash, uint64_t height);
void index_put_snapshot(struct index *index, uint64_t height,
	struct view header, const struct signature *signature,
	struct view bytes); /* keeps the newest two */
void index_put_peer(
	struct index *index, const struct key *key, struct view entry);
void index_remove_peer(struct index *index, const struct key *key);
/* At most 20,000 are kept, twice what may be waiting; then the oldest goes. */
void index_put_received(struct index *index, const struct key *wallet,
	const struct id *id, struct view tx);
void index_remove_received(
	struct index *index, const struct key *wallet, const struct id *id);
/* What this node signed at a height, and certificates: of each the newest
 * 65,536 heights are kept. Who signed twice: the first 1,024 cases. */
enum { INDEX_CHECKPOINTS_MAX = 65536, INDEX_EVIDENCE_MAX = 1024 };
void index_put_signed(
	struct index *index, uint64_t height, struct view checkpoint);
void index_put_certificate(
	struct index *index, uint64_t height, struct view certificate);
void index_put_evidence(struct index *index, uint64_t height,
	const struct key *signer, struct view evidence);
void index_commit(struct index *index, uint64_t applied_height);

/* Reads see what is committed; any thread. */
uint64_t index_applied(struct index *index);
bool index_find_tx(struct index *index, const struct key *wallet,
	const struct id *id, struct hash *tx, uint64_t *height,
	uint16_t *tx_index);
bool index_find_block(
	struct index *index, const struct hash *hash, uint64_t *height);
/* Newest snapshot at most at height (0: any): copies up to size bytes at
 * offset to out; total is its whole size. header holds 400 bytes. */
bool index_find_snapshot(struct index *index, uint64_t *height,
	uint8_t header[400], size_t *header_size, struct signature *signature,
	uint64_t offset, uint8_t *out, size_t *size, uint64_t *total);
/* Walk saved peers, or received transactions in the order in which they came:
 * cursor starts at 0. */
bool index_next_peer(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max);
bool index_next_received(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max);
bool index_find_signed(struct index *index, uint64_t height, uint8_t *out,
	size_t *size, size_t size_max);
bool index_find_certificate(struct index *index, uint64_t height, uint8_t *out,
	size_t *size, size_t size_max);
size_t index_evidence_count(struct index *index);
bool index_next_evidence(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max);

/* With a smaller map and smaller runs (finds.h): for tests. */
MUST_CHECK enum err index_open_sized(struct index **out, const char *directory,
	size_t map_size, size_t run_size, char why[200]);

#endif
