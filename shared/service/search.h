/* service/search.h -- one thread's search for a nonce, until it is found or
 * something else is wanted.
 *
 * Threads share two numbers, both atomic: the round, which says what is wanted,
 * and how many hashes were tried. All else is in the job that a thread was
 * handed, so a thread needs no lock, and stops within a slice.
 */
#ifndef PERCH_SERVICE_SEARCH_H
#define PERCH_SERVICE_SEARCH_H

#include "crypto/sha256d.h"

enum {
	SEARCH_HEADER_MAX = 400, /* bytes of an encoded header */
	SEARCH_SLICE = 1024,     /* nonces between two looks at the round */
};

struct search {
	_Atomic uint64_t round; /* of the job that is wanted */
	_Atomic uint64_t hashes;
	/* Make the seal of a header and of what is searched beside the nonce;
	 * field: where the engine field stands in the header. */
	void (*seal)(uint8_t seal[SEAL_SIZE], struct view header, size_t field,
		uint64_t extra);
};

struct search_job {
	uint64_t round;
	uint64_t task; /* the asker's own */
	uint8_t target[32];
	/* Where to begin; when it is found, what it was. */
	uint64_t extra;
	uint32_t nonce;
	bool found; /* out */
	size_t field;
	size_t header_size;
	uint8_t header[SEARCH_HEADER_MAX];
};

/* Try all nonces, then those with the next extra, and so on. Returns when one
 * is found, or the round is not the job's. */
void search_run(struct search *search, struct search_job *job);

#endif
