/* service/indexer.h -- the index, behind a worker thread.
 *
 * It may be a moment behind the log, which can rebuild it; so it is committed
 * once a second, or at once when somebody waits for it to be durable.
 */
#ifndef PERCH_SERVICE_INDEXER_H
#define PERCH_SERVICE_INDEXER_H

#include "ledger/block.h"
#include "service/worker.h"
#include "store/store.h"

enum index_verb {
	INDEX_BLOCK,       /* bytes: a final block */
	INDEX_SNAPSHOT,    /* bytes: the state after block height */
	INDEX_RECEIVED,    /* bytes: a transaction that somebody was told of */
	INDEX_PEER,        /* bytes: a peer_entry; none: forget it */
	INDEX_SIGNED,      /* bytes: what this node signed at height */
	INDEX_CERTIFICATE, /* bytes: of the block at height */
	INDEX_EVIDENCE,    /* bytes: key signed twice at height */
	INDEX_COMMIT,      /* what gathered becomes durable */
};

struct index_job {
	enum index_verb verb;
	uint64_t height;
	uint64_t token;   /* RECEIVED: the asker's own */
	struct hash hash; /* BLOCK */
	struct key key;   /* PEER; SIGNED: who asked, or zero; EVIDENCE */
	struct signature signature; /* SNAPSHOT: of its block */
	size_t header_size;
	uint8_t header[400]; /* SNAPSHOT: of its block */
	size_t size;
	uint8_t bytes[];
};

struct indexer {
	struct index *index;
	uint64_t applied; /* height of the last block put */
	time_ms commit_at;
};

MUST_CHECK enum err indexer_start(
	struct worker **out, struct bus *bus, struct indexer *indexer);
/* A zeroed job with a copy of bytes; free() it when it is done. */
struct index_job *index_job_new(
	enum index_verb verb, uint64_t height, struct view bytes);

#endif
