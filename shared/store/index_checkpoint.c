/* store/index_checkpoint.c -- what this node signed, certificates, evidence.
 *
 * By height, so that the oldest go first when there are too many. A signature
 * of this node is a promise that it never signs another block there: it is
 * durable before anybody gets it.
 */
#include <string.h>

#include "base/check.h"
#include "store/index_state.h"

enum { EVIDENCE_KEY = 8 + 24 };

static void put(struct index *index, enum index_base base, uint64_t height,
	struct view bytes)
{
	uint8_t key[8];

	big_put64(key, height);
	index_put(index, base, view_of(key, sizeof(key)), bytes);
}

void index_put_signed(
	struct index *index, uint64_t height, struct view checkpoint)
{
	put(index, BASE_SIGNED, height, checkpoint);
}

void index_put_certificate(
	struct index *index, uint64_t height, struct view certificate)
{
	put(index, BASE_CERTIFICATE, height, certificate);
}

void index_put_evidence(struct index *index, uint64_t height,
	const struct key *signer, struct view evidence)
{
	uint8_t key[EVIDENCE_KEY];

	big_put64(key, height);
	memcpy(key + 8, signer->bytes, sizeof(key) - 8);
	index_put(index, BASE_EVIDENCE, view_of(key, sizeof(key)), evidence);
}

/* In the commit: no more than so many; the lowest heights go. */
static int trim(struct index *index, MDB_txn *txn, enum index_base base,
	size_t most, MDB_cursor_op end)
{
	MDB_dbi which = index->bases[base];
	MDB_stat stat;
	int code = mdb_stat(txn, which, &stat);

	for (size_t left = code ? 0 : stat.ms_entries; left > most && !code;
		left--) {
		MDB_cursor *cursor;
		MDB_val key, value;

		code = mdb_cursor_open(txn, which, &cursor);
		if (code)
			break;
		code = mdb_cursor_get(cursor, &key, &value, end);
		if (!code)
			code = mdb_cursor_del(cursor, 0);
		mdb_cursor_close(cursor);
	}
	return code;
}

int index_trim_checkpoints(struct index *index, MDB_txn *txn)
{
	int code =
		trim(index, txn, BASE_SIGNED, INDEX_CHECKPOINTS_MAX, MDB_FIRST);

	if (!code)
		code = trim(index, txn, BASE_CERTIFICATE, INDEX_CHECKPOINTS_MAX,
			MDB_FIRST);
	/* The first cases are what matters. */
	if (!code)
		code = trim(index, txn, BASE_EVIDENCE, INDEX_EVIDENCE_MAX,
			MDB_LAST);
	return code;
}

static bool find(struct index *index, enum index_base base, uint64_t height,
	uint8_t *out, size_t *size, size_t size_max)
{
	MDB_txn *txn = index_begin_read(index);
	struct view value;
	uint8_t key[8];
	bool found;

	if (!txn)
		return false;
	big_put64(key, height);
	found = index_get(
			index, txn, base, view_of(key, sizeof(key)), &value) &&
		value.size <= size_max;
	if (found) {
		memcpy(out, value.data, value.size);
		*size = value.size;
	}
	index_end_read(index, txn);
	return found;
}

bool index_find_signed(struct index *index, uint64_t height, uint8_t *out,
	size_t *size, size_t size_max)
{
	return find(index, BASE_SIGNED, height, out, size, size_max);
}

bool index_find_certificate(struct index *index, uint64_t height, uint8_t *out,
	size_t *size, size_t size_max)
{
	return find(index, BASE_CERTIFICATE, height, out, size, size_max);
}

size_t index_evidence_count(struct index *index)
{
	MDB_txn *txn = index_begin_read(index);
	MDB_stat stat = {.ms_entries = 0};

	if (!txn)
		return 0;
	if (mdb_stat(txn, index->bases[BASE_EVIDENCE], &stat))
		stat.ms_entries = 0;
	index_end_read(index, txn);
	return stat.ms_entries;
}

bool index_next_evidence(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max)
{
	return index_next(index, BASE_EVIDENCE, cursor, out, size, size_max);
}
