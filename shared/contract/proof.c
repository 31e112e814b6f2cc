/* contract/proof.c -- the way back from reservations to the state root. */
#include "contract/proof.h"

#include <string.h>

#include "base/check.h"
#include "contract/inside.h"

void proof_add_record(
	struct hasher *hasher, const struct record_reservation *record)
{
	uint8_t bytes[RECORD_RESERVATION_BYTES_MAX];
	size_t size = record_reservation_encode(bytes, sizeof(bytes), record);

	CHECK(size > 0);
	hash_add(hasher, view_of(bytes, size));
}

enum err proof_check(const struct proof_parts *parts, const struct hash *root)
{
	struct hash live = merkle_root(parts->buckets, LIVE_BUCKETS);
	struct hash ports, leaf;

	if (!hash_equal(&live, &parts->live))
		return ERR_ROOT;
	leaf = port_leaf(&parts->port, &live);
	enum err err = merkle_root_from_path(&ports, &leaf, parts->index,
		parts->count, parts->path, parts->path_length);
	if (err != ERR_OK)
		return err;
	struct hash whole = state_root_of(&ports, &parts->rest);
	return hash_equal(&whole, root) ? ERR_OK : ERR_ROOT;
}

static int id_order(
	const struct record_reservation *a, const struct record_reservation *b)
{
	return memcmp(&a->reservation, &b->reservation, sizeof(struct id));
}

/* Heapsort: in place, and no list makes it slow. */
static void sink(struct record_reservation *records, size_t at, size_t count)
{
	struct record_reservation self = records[at];

	for (;;) {
		size_t below = 2 * at + 1;

		if (below >= count)
			break;
		if (below + 1 < count &&
			id_order(&records[below], &records[below + 1]) < 0)
			below++;
		if (id_order(&self, &records[below]) >= 0)
			break;
		records[at] = records[below];
		at = below;
	}
	records[at] = self;
}

static void sort_by_id(struct record_reservation *records, size_t count)
{
	for (size_t at = count / 2; at > 0; at--)
		sink(records, at - 1, count);
	for (size_t last = count; last > 1; last--) {
		struct record_reservation greatest = records[0];

		records[0] = records[last - 1];
		records[last - 1] = greatest;
		sink(records, 0, last - 1);
	}
}

enum err proof_buckets(struct hash buckets[256],
	struct record_reservation *records, size_t count)
{
	size_t at = 0;

	sort_by_id(records, count);
	for (size_t i = 1; i < count; i++) {
		if (id_order(&records[i - 1], &records[i]) == 0)
			return ERR_EXISTS;
	}
	memset(buckets, 0, LIVE_BUCKETS * sizeof(*buckets));
	while (at < count) {
		uint8_t bucket = records[at].reservation.bytes[0];
		struct hasher hasher;

		hash_start(&hasher);
		while (at < count && records[at].reservation.bytes[0] == bucket)
			proof_add_record(&hasher, &records[at++]);
		buckets[bucket] = hash_end(&hasher);
	}
	return ERR_OK;
}

enum err proof_timetable(const struct proof_parts *parts,
	struct record_reservation *records, size_t count)
{
	struct hash buckets[LIVE_BUCKETS];
	enum err err = proof_buckets(buckets, records, count);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < LIVE_BUCKETS; i++) {
		if (!hash_equal(&buckets[i], &parts->buckets[i]))
			return ERR_ROOT;
	}
	return ERR_OK;
}
