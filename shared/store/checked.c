/* store/checked.c -- LMDB records that end with a checksum of key and value.
 */
#include "store/checked.h"

#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

void big_put32(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

uint32_t big_get32(const uint8_t in[4])
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | in[i];
	return value;
}

void big_put64(uint8_t out[8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t big_get64(const uint8_t in[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

static void sum_of(uint8_t out[CHECKED_SUM], struct view key, struct view value)
{
	/* The key's size first: no two pairs make the same bytes. */
	uint8_t size = (uint8_t)key.size;
	struct view parts[] = {{&size, 1}, key, value};
	struct hash hash = hash_parts(parts, 3);

	memcpy(out, hash.bytes, CHECKED_SUM);
}

int checked_put(MDB_txn *txn, MDB_dbi base, struct view key, struct view value,
	unsigned flags)
{
	MDB_val name = {key.size, (void *)(uintptr_t)key.data};
	MDB_val record = {value.size + CHECKED_SUM, NULL};
	uint8_t *out;
	int code;

	CHECK(key.size <= UINT8_MAX && value.size <= CHECKED_VALUE_MAX);
	code = mdb_put(txn, base, &name, &record, flags | MDB_RESERVE);
	if (code)
		return code;
	out = record.mv_data;
	if (value.size)
		memcpy(out, value.data, value.size);
	sum_of(out + value.size, key, value);
	return 0;
}

bool checked_open(const MDB_val *key, const MDB_val *record, struct view *value)
{
	uint8_t sum[CHECKED_SUM];
	struct view found;

	if (record->mv_size < CHECKED_SUM ||
		record->mv_size > CHECKED_VALUE_MAX + CHECKED_SUM)
		return false;
	found = view_of(record->mv_data, record->mv_size - CHECKED_SUM);
	sum_of(sum, view_of(key->mv_data, key->mv_size), found);
	if (memcmp(sum, found.data + found.size, CHECKED_SUM) != 0)
		return false;
	*value = found;
	return true;
}

int checked_get(MDB_txn *txn, MDB_dbi base, struct view key, struct view *value)
{
	MDB_val name = {key.size, (void *)(uintptr_t)key.data};
	MDB_val record;
	int code = mdb_get(txn, base, &name, &record);

	if (code)
		return code;
	return checked_open(&name, &record, value) ? 0 : MDB_CORRUPTED;
}
