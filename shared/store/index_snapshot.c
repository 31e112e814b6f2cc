/* store/index_snapshot.c -- states at a height, in chunks.
 *
 * Key: height, chunk. Chunk 0 is about the whole: size, signature, header; the
 * bytes follow from chunk 1 on.
 */
#include <string.h>

#include "base/check.h"
#include "store/index_state.h"

enum {
	/* With sum and page header eight pages of 4096 bytes. */
	CHUNK_SIZE = 32704,
	SNAPSHOTS_KEPT = 2,
	AT_SIGNATURE = 8,
	AT_HEADER = AT_SIGNATURE + SIGNATURE_SIZE,
	KEY_BYTES = 12,
};

static struct view chunk_key(
	uint8_t out[KEY_BYTES], uint64_t height, uint32_t chunk)
{
	big_put64(out, height);
	big_put32(out + 8, chunk);
	return view_of(out, KEY_BYTES);
}

void index_put_snapshot(struct index *index, uint64_t height,
	struct view header, const struct signature *signature,
	struct view bytes)
{
	uint8_t whole[AT_HEADER + INDEX_HEADER_MAX];
	uint8_t key[KEY_BYTES];
	uint32_t chunk = 0;

	CHECK(header.size <= INDEX_HEADER_MAX);
	big_put64(whole, bytes.size);
	memcpy(whole + AT_SIGNATURE, signature->bytes, SIGNATURE_SIZE);
	memcpy(whole + AT_HEADER, header.data, header.size);
	index_put(index, BASE_SNAPSHOT, chunk_key(key, height, chunk++),
		view_of(whole, AT_HEADER + header.size));
	for (size_t at = 0; at < bytes.size; at += CHUNK_SIZE) {
		size_t left = bytes.size - at;

		index_put(index, BASE_SNAPSHOT, chunk_key(key, height, chunk++),
			view_of(bytes.data + at,
				left < CHUNK_SIZE ? left : CHUNK_SIZE));
	}
}

int index_drop_snapshots(struct index *index, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val record;
	uint64_t height = 0;
	size_t kept = 0;
	int code = mdb_cursor_open(txn, index->bases[BASE_SNAPSHOT], &cursor);

	if (code)
		return code;
	code = mdb_cursor_get(cursor, &key, &record, MDB_LAST);
	while (!code) {
		bool whole = key.mv_size == KEY_BYTES;

		if (whole && (kept == 0 || big_get64(key.mv_data) != height)) {
			height = big_get64(key.mv_data);
			kept++;
		}
		if (!whole || kept > SNAPSHOTS_KEPT)
			code = mdb_cursor_del(cursor, 0);
		if (!code)
			code = mdb_cursor_get(cursor, &key, &record, MDB_PREV);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

/* The newest height of at most height that has a snapshot; 0: none. */
static uint64_t newest(struct index *index, MDB_txn *txn, uint64_t height)
{
	uint8_t bytes[KEY_BYTES];
	struct view from = chunk_key(bytes, height, UINT32_MAX);
	MDB_cursor *cursor;
	MDB_val key = {from.size, bytes};
	MDB_val record;
	uint64_t found = 0;
	int code = mdb_cursor_open(txn, index->bases[BASE_SNAPSHOT], &cursor);

	if (code)
		return 0;
	code = mdb_cursor_get(cursor, &key, &record, MDB_SET_RANGE);
	code = mdb_cursor_get(cursor, &key, &record,
		code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	if (!code && key.mv_size == KEY_BYTES)
		found = big_get64(key.mv_data);
	mdb_cursor_close(cursor);
	return found;
}

/* Copy up to room bytes from offset on; false when a chunk is missing. */
static bool copy(struct index *index, MDB_txn *txn, uint64_t height,
	uint64_t total, uint64_t offset, uint8_t *out, size_t room,
	size_t *size)
{
	size_t done = 0;

	while (done < room && offset + done < total) {
		uint64_t from = offset + done;
		size_t skip = (size_t)(from % CHUNK_SIZE);
		uint32_t chunk = 1 + (uint32_t)(from / CHUNK_SIZE);
		uint8_t key[KEY_BYTES];
		struct view bytes;
		size_t part;

		if (!index_get(index, txn, BASE_SNAPSHOT,
			    chunk_key(key, height, chunk), &bytes) ||
			bytes.size <= skip)
			return false;
		part = bytes.size - skip;
		if (part > room - done)
			part = room - done;
		memcpy(out + done, bytes.data + skip, part);
		done += part;
	}
	*size = done;
	return true;
}

bool index_find_snapshot(struct index *index, uint64_t *height,
	uint8_t header[400], size_t *header_size, struct signature *signature,
	uint64_t offset, uint8_t *out, size_t *size, uint64_t *total)
{
	MDB_txn *txn = index_begin_read(index);
	uint8_t key[KEY_BYTES];
	struct view whole;
	uint64_t found;
	bool ok = false;

	if (!txn)
		return false;
	found = newest(index, txn, *height == 0 ? INT64_MAX : *height);
	if (found == 0 ||
		!index_get(index, txn, BASE_SNAPSHOT, chunk_key(key, found, 0),
			&whole) ||
		whole.size < AT_HEADER ||
		whole.size > AT_HEADER + INDEX_HEADER_MAX)
		goto out;
	if (offset > big_get64(whole.data) ||
		!copy(index, txn, found, big_get64(whole.data), offset, out,
			*size, size))
		goto out;
	*height = found;
	*total = big_get64(whole.data);
	memcpy(signature->bytes, whole.data + AT_SIGNATURE, SIGNATURE_SIZE);
	*header_size = whole.size - AT_HEADER;
	memcpy(header, whole.data + AT_HEADER, *header_size);
	ok = true;
out:
	index_end_read(index, txn);
	return ok;
}
