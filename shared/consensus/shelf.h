/* consensus/shelf.h -- blocks by hash that are not, or not yet, in the log.
 *
 * A fixed number of places of a fixed size: what is kept is decided by the
 * engine, which counts, and untouched memory costs nothing.
 */
#ifndef PERCH_CONSENSUS_SHELF_H
#define PERCH_CONSENSUS_SHELF_H

#include "consensus/engine.h"

enum {
	SHELF_BUCKETS = 1024,
	/* What is dropped stays readable until the next sweep, so there are
	 * more places than an engine may count on. */
	SHELF_PLACES = ENGINE_SHELF_MAX + 64,
};

struct shelf_place {
	struct hash hash;
	size_t size;   /* 0: free */
	uint32_t next; /* in its bucket, or of the free or dropped ones */
};

struct shelf {
	uint8_t *bytes;   /* of BLOCK_BYTES_MAX a place */
	uint32_t free;    /* index + 1 of the first free place, 0: none */
	uint32_t dropped; /* likewise */
	uint32_t heads[SHELF_BUCKETS]; /* likewise */
	struct shelf_place places[SHELF_PLACES];
};

size_t shelf_bytes(void);
/* bytes: caller's, shelf_bytes(). */
void shelf_init(struct shelf *shelf, uint8_t *bytes);

/* Copy a block in, if it is not here. CHECKs that a place is free. */
void shelf_put(struct shelf *shelf, const struct hash *hash, struct view block);
bool shelf_find(
	const struct shelf *shelf, const struct hash *hash, struct view *out);
/* Not found any more; its bytes stay until shelf_sweep. */
void shelf_drop(struct shelf *shelf, const struct hash *hash);
void shelf_sweep(struct shelf *shelf);

#endif
