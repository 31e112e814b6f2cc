/* service/rate.h -- how much one key may ask of a server: a bucket of tokens
 * each, taken before anything is checked that costs.
 *
 * The table is bounded. A key is the one that CURVE authenticated, so nobody
 * empties the bucket of another; whoever has no known key shares one bucket
 * with all such.
 */
#ifndef PERCH_SERVICE_RATE_H
#define PERCH_SERVICE_RATE_H

#include "crypto/crypto.h"

enum { RATE_SETS = 512, RATE_WAYS = 8, RATE_PER_SECOND_MAX = 1000000 };

struct rate_bucket {
	struct key key;
	bool used;
	uint32_t millitokens;
	time_ms filled_at;
};

struct rate {
	uint32_t per_second; /* 0: no limit */
	struct rate_bucket strangers;
	struct rate_bucket buckets[RATE_SETS][RATE_WAYS];
};

/* A bucket holds what flows into it in a second. */
void rate_init(struct rate *rate, uint32_t per_second);
/* Take a token of this key, or (NULL) of all who are not known. 0: taken; else
 * there is none for so many milliseconds. */
time_ms rate_take(struct rate *rate, const struct key *key, time_ms now);

#endif
