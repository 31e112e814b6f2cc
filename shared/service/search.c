/* service/search.c -- slices of nonces, a look at the round after each. */
#include "service/search.h"

#include <stdatomic.h>

/* All 2^32 nonces of one seal, from job->nonce on. False: not wanted any more,
 * or none meets the target. */
static bool try_all(struct search *search, struct search_job *job,
	const uint8_t seal[SEAL_SIZE])
{
	uint32_t from = job->nonce;
	do {
		if (atomic_load(&search->round) != job->round)
			return false;
		bool found = sha256d_search(
			seal, job->target, from, SEARCH_SLICE, &job->nonce);
		atomic_fetch_add(&search->hashes,
			found ? job->nonce - from + 1 : SEARCH_SLICE);
		if (found)
			return true;
		from += SEARCH_SLICE;
	} while (from != job->nonce);
	return false;
}

void search_run(struct search *search, struct search_job *job)
{
	struct view header = view_of(job->header, job->header_size);
	uint8_t seal[SEAL_SIZE];
	job->found = false;
	while (!job->found && atomic_load(&search->round) == job->round) {
		search->seal(seal, header, job->field, job->extra);
		job->found = try_all(search, job, seal);
		if (!job->found)
			job->extra++;
	}
}
