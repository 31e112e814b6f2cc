/* service/rate.c -- buckets in small sets, so that one is found at once.
 *
 * In a full set the fullest bucket makes room: who has not asked for long
 * loses nothing by it, and who asks most is the last to be forgotten.
 */
#include "service/rate.h"

#include <string.h>

#include "base/check.h"

enum { TOKEN = 1000 };

void rate_init(struct rate *rate, uint32_t per_second)
{
	CHECK(per_second <= RATE_PER_SECOND_MAX);
	memset(rate, 0, sizeof(*rate));
	rate->per_second = per_second;
	rate->strangers.millitokens = per_second * TOKEN;
}

static void fill(
	const struct rate *rate, struct rate_bucket *bucket, time_ms now)
{
	time_ms passed = now - bucket->filled_at;
	uint64_t full = (uint64_t)rate->per_second * TOKEN;
	uint64_t held = bucket->millitokens;
	if (passed >= 1000)
		held = full;
	else if (passed > 0)
		held += (uint64_t)passed * rate->per_second;
	bucket->millitokens = (uint32_t)(held < full ? held : full);
	bucket->filled_at = now;
}

static struct rate_bucket *find(
	struct rate *rate, const struct key *key, time_ms now)
{
	uint32_t hash;
	memcpy(&hash, key->bytes, sizeof(hash));
	struct rate_bucket *set = rate->buckets[hash % RATE_SETS];
	struct rate_bucket *out = &set[0];
	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (set[i].used && key_equal(&set[i].key, key))
			return &set[i];
		if (set[i].used)
			fill(rate, &set[i], now);
		if (out->used &&
			(!set[i].used || set[i].millitokens > out->millitokens))
			out = &set[i];
	}
	*out = (struct rate_bucket){
		.key = *key,
		.used = true,
		.millitokens = rate->per_second * TOKEN,
		.filled_at = now,
	};
	return out;
}

time_ms rate_take(struct rate *rate, const struct key *key, time_ms now)
{
	if (rate->per_second == 0)
		return 0;
	struct rate_bucket *bucket =
		key == NULL ? &rate->strangers : find(rate, key, now);
	fill(rate, bucket, now);
	if (bucket->millitokens >= TOKEN) {
		bucket->millitokens -= TOKEN;
		return 0;
	}
	uint32_t missing = TOKEN - bucket->millitokens;
	return (missing + rate->per_second - 1) / rate->per_second;
}
