/* consensus/ordered/entries.c -- a ring of entries and a table of terms. */
#include "consensus/ordered/entries.h"

#include <string.h>

#include "base/check.h"

void entries_init(struct entries *entries, uint64_t height,
	const struct hash *hash, uint64_t term)
{
	entries->base = height;
	entries->tip = height;
	entries->ring_first = height + 1;
	entries->base_known = true;
	entries->base_term = term;
	entries->base_hash = *hash;
	entries->tip_term = term;
	entries->run_count = 0;
}

static void add_run(struct entries *entries, uint64_t first, uint64_t term)
{
	if (entries->run_count == ENTRIES_RUNS_MAX) {
		memmove(entries->runs, entries->runs + 1,
			sizeof(entries->runs) - sizeof(entries->runs[0]));
		entries->run_count--;
	}
	entries->runs[entries->run_count++] =
		(struct run){.first = first, .term = term};
}

void entries_append(struct entries *entries, const struct hash *hash,
	uint64_t term, size_t size)
{
	CHECK(term >= entries->tip_term && term > 0);
	uint64_t height = ++entries->tip;
	struct entry *entry = &entries->ring[height % ENTRIES_RING_MAX];
	entry->hash = *hash;
	entry->term = term;
	entry->size = (uint32_t)size;
	if (height - entries->ring_first >= ENTRIES_RING_MAX)
		entries->ring_first = height - ENTRIES_RING_MAX + 1;
	if (entries->run_count == 0 || term > entries->tip_term)
		add_run(entries, height, term);
	entries->tip_term = term;
}

void entries_truncate(struct entries *entries, uint64_t height)
{
	uint64_t term;
	bool known = entries_term(entries, height, &term);
	CHECK(known && height < entries->tip);
	while (entries->run_count > 0 &&
		entries->runs[entries->run_count - 1].first > height)
		entries->run_count--;
	entries->tip = height;
	entries->tip_term = term;
	if (entries->ring_first > height + 1)
		entries->ring_first = height + 1;
}

void entries_forget(struct entries *entries, uint64_t height)
{
	CHECK(height >= entries->base && height <= entries->tip);
	uint64_t term = 0;
	struct hash hash = {{0}};
	bool known = entries_term(entries, height, &term);
	(void)entries_hash(entries, height, &hash);
	uint32_t drop = 0;
	while (drop + 1 < entries->run_count &&
		entries->runs[drop + 1].first <= height + 1)
		drop++;
	memmove(entries->runs, entries->runs + drop,
		(entries->run_count - drop) * sizeof(entries->runs[0]));
	entries->run_count -= drop;
	if (height == entries->tip)
		entries->run_count = 0;
	if (entries->ring_first <= height)
		entries->ring_first = height + 1;
	entries->base = height;
	entries->base_known = known;
	entries->base_term = term;
	entries->base_hash = hash;
}

/* The run that height lies in, or NULL. */
static const struct run *find_run(
	const struct entries *entries, uint64_t height)
{
	uint32_t low = 0, high = entries->run_count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (entries->runs[middle].first <= height)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &entries->runs[low - 1] : NULL;
}

bool entries_term(
	const struct entries *entries, uint64_t height, uint64_t *term)
{
	if (height < entries->base || height > entries->tip)
		return false;
	if (height == entries->tip) {
		*term = entries->tip_term;
		return true;
	}
	if (height == entries->base) {
		*term = entries->base_term;
		return entries->base_known;
	}
	if (height >= entries->ring_first) {
		*term = entries->ring[height % ENTRIES_RING_MAX].term;
		return true;
	}
	const struct run *run = find_run(entries, height);
	if (run == NULL)
		return false;
	*term = run->term;
	return true;
}

bool entries_hash(
	const struct entries *entries, uint64_t height, struct hash *hash)
{
	if (height == entries->base) {
		*hash = entries->base_hash;
		return !hash_is_zero(hash);
	}
	if (height < entries->ring_first || height > entries->tip)
		return false;
	*hash = entries->ring[height % ENTRIES_RING_MAX].hash;
	return true;
}

bool entries_size(
	const struct entries *entries, uint64_t height, uint32_t *size)
{
	if (height < entries->ring_first || height > entries->tip)
		return false;
	*size = entries->ring[height % ENTRIES_RING_MAX].size;
	return true;
}

bool entries_back_off(const struct entries *entries, uint64_t height,
	uint64_t term, uint64_t *out)
{
	uint64_t at = height < entries->tip ? height : entries->tip;
	for (;;) {
		uint64_t found;
		if (!entries_term(entries, at, &found))
			return false;
		if (found <= term || at == entries->base) {
			*out = at;
			return true;
		}
		/* A whole term at a step (RAFT §5.3). */
		const struct run *run = find_run(entries, at);
		if (run == NULL)
			return false;
		at = run->first > entries->base ? run->first - 1
						: entries->base;
	}
}

bool entries_hold(const struct entries *entries)
{
	bool holds =
		entries->base <= entries->tip &&
		entries->ring_first > entries->base &&
		entries->ring_first <= entries->tip + 1 &&
		entries->tip - entries->ring_first + 1 <= ENTRIES_RING_MAX &&
		entries->run_count <= ENTRIES_RUNS_MAX;
	for (uint32_t i = 1; i < entries->run_count; i++) {
		const struct run *run = &entries->runs[i];
		holds = holds && run[-1].first < run->first &&
			run[-1].term < run->term && run->first <= entries->tip;
	}
	if (entries->run_count > 0)
		holds = holds && entries->runs[entries->run_count - 1].term ==
					 entries->tip_term;
	return holds;
}
