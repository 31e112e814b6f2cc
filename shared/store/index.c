/* store/index.c -- LMDB: where a transaction or a block is, and what is kept
 * beside the log.
 *
 * Changes are gathered in memory and written by one LMDB transaction, sorted by
 * key: random keys cost many times what ascending ones do. Every record ends
 * with 16 bytes of BLAKE2b over key and value, because LMDB has no checksums; a
 * record that does not match is as if it were not there, the log has it.
 */
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum {
	CHECKSUM_SIZE = 16,
	KEY_MAX = 64,
	CHUNK_SIZE = 32768,
	SNAPSHOTS_KEPT = 2,
	CHUNK_HEAD = UINT32_MAX - 1, /* header, signature and total size */
};
#define MAP_SIZE ((size_t)64 << 30)

enum base {
	BASE_META,
	BASE_TX,
	BASE_BLOCK,
	BASE_SNAPSHOT,
	BASE_PEER,
	BASE_RECEIVED,
	BASES
};
static const char *const base_names[BASES] = {
	"meta", "tx", "block", "snapshot", "peer", "received"};

/* A change that waits for the commit; size 0 removes. */
struct change {
	enum base base;
	uint32_t order; /* later ones win */
	size_t key_size;
	uint8_t key[KEY_MAX];
	size_t size;
	uint8_t *value; /* with checksum */
};

struct index {
	MDB_env *env;
	MDB_dbi bases[BASES];
	size_t change_count, change_room;
	struct change *changes;
};

static void put_u64(uint8_t out[8], uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t in[8])
{
	uint64_t value = 0;
	for (size_t i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

/* The disk is full or broken: what was said to be durable must be, so the
 * process ends here rather than go on. */
static void must(int code, const char *what)
{
	if (code == 0)
		return;
	fprintf(stderr,
		"perch: index: %s: %s; make room or replace the disk, "
		"then start again\n",
		what, mdb_strerror(code));
	abort();
}

static void checksum(
	uint8_t out[CHECKSUM_SIZE], struct view key, struct view value)
{
	struct view parts[2] = {key, value};
	struct hash hash = hash_parts(parts, 2);
	memcpy(out, hash.bytes, CHECKSUM_SIZE);
}

/* ---- opening ---- */

static int open_bases(struct index *index)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, 0, &txn);
	for (size_t i = 0; code == 0 && i < BASES; i++)
		code = mdb_dbi_open(
			txn, base_names[i], MDB_CREATE, &index->bases[i]);
	if (code == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

static int open_env(struct index *index, const char *path)
{
	int dead, fd;
	int code = mdb_env_create(&index->env);
	if (code == 0)
		code = mdb_env_set_mapsize(index->env, MAP_SIZE);
	if (code == 0)
		code = mdb_env_set_maxdbs(index->env, BASES);
	if (code == 0)
		code = mdb_env_open(index->env, path, MDB_NOTLS, 0600);
	if (code == 0)
		code = mdb_reader_check(index->env, &dead);
	if (code == 0)
		code = mdb_env_get_fd(index->env, &fd);
	if (code == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		code = errno;
	return code == 0 ? open_bases(index) : code;
}

enum err index_open(struct index **out, const char *directory, char why[200])
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/index", directory);
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		snprintf(why, 200, "%.100s: %s", path, strerror(errno));
		return ERR_IO;
	}
	struct index *index = calloc(1, sizeof(*index));
	CHECK(index != NULL);
	int code = open_env(index, path);
	if (code == 0) {
		*out = index;
		return ERR_OK;
	}
	snprintf(why, 200, "%.80s: %s; it can be removed: the log rebuilds it",
		path, mdb_strerror(code));
	mdb_env_close(index->env);
	free(index);
	return code == MDB_INVALID || code == MDB_CORRUPTED ||
			       code == MDB_VERSION_MISMATCH
		       ? ERR_DAMAGED
		       : ERR_IO;
}

static void drop_changes(struct index *index)
{
	for (size_t i = 0; i < index->change_count; i++)
		free(index->changes[i].value);
	index->change_count = 0;
}

void index_close(struct index **closed)
{
	struct index *index = *closed;
	*closed = NULL;
	if (index == NULL)
		return;
	drop_changes(index);
	free(index->changes);
	mdb_env_close(index->env);
	free(index);
}

/* ---- gathering ---- */

static struct change *add(struct index *index, enum base base, struct view key)
{
	if (index->change_count == index->change_room) {
		index->change_room = index->change_room * 2 + 64;
		index->changes = realloc(index->changes,
			index->change_room * sizeof(*index->changes));
		CHECK(index->changes != NULL);
	}
	struct change *change = &index->changes[index->change_count];
	CHECK(key.size <= KEY_MAX);
	memset(change, 0, sizeof(*change));
	change->base = base;
	change->order = (uint32_t)index->change_count++;
	change->key_size = key.size;
	memcpy(change->key, key.data, key.size);
	return change;
}

static void put(
	struct index *index, enum base base, struct view key, struct view value)
{
	struct change *change = add(index, base, key);
	change->size = value.size + CHECKSUM_SIZE;
	change->value = malloc(change->size);
	CHECK(change->value != NULL);
	if (value.size > 0)
		memcpy(change->value, value.data, value.size);
	checksum(change->value + value.size, key, value);
}

static struct view tx_key(uint8_t out[KEY_SIZE + ID_SIZE],
	const struct key *wallet, const struct id *id)
{
	memcpy(out, wallet->bytes, KEY_SIZE);
	memcpy(out + KEY_SIZE, id->bytes, ID_SIZE);
	return view_of(out, KEY_SIZE + ID_SIZE);
}

void index_put_tx(struct index *index, const struct key *wallet,
	const struct id *id, const struct hash *tx, uint64_t height,
	uint16_t tx_index)
{
	uint8_t key[KEY_SIZE + ID_SIZE], value[HASH_SIZE + 10];
	memcpy(value, tx->bytes, HASH_SIZE);
	put_u64(value + HASH_SIZE, height);
	value[HASH_SIZE + 8] = (uint8_t)(tx_index >> 8);
	value[HASH_SIZE + 9] = (uint8_t)tx_index;
	put(index, BASE_TX, tx_key(key, wallet, id),
		view_of(value, sizeof(value)));
}

void index_put_block(
	struct index *index, const struct hash *hash, uint64_t height)
{
	uint8_t value[8];
	put_u64(value, height);
	put(index, BASE_BLOCK, view_of(hash->bytes, HASH_SIZE),
		view_of(value, sizeof(value)));
}

void index_put_peer(
	struct index *index, const struct key *key, struct view entry)
{
	put(index, BASE_PEER, view_of(key->bytes, KEY_SIZE), entry);
}

void index_put_received(struct index *index, const struct key *wallet,
	const struct id *id, struct view tx)
{
	uint8_t key[KEY_SIZE + ID_SIZE];
	put(index, BASE_RECEIVED, tx_key(key, wallet, id), tx);
}

void index_remove_received(
	struct index *index, const struct key *wallet, const struct id *id)
{
	uint8_t key[KEY_SIZE + ID_SIZE];
	(void)add(index, BASE_RECEIVED, tx_key(key, wallet, id));
}

static struct view chunk_key(uint8_t out[12], uint64_t height, uint32_t chunk)
{
	put_u64(out, height);
	for (size_t i = 0; i < 4; i++)
		out[8 + i] = (uint8_t)(chunk >> (24 - 8 * i));
	return view_of(out, 12);
}

void index_put_snapshot(struct index *index, uint64_t height,
	struct view header, const struct signature *signature,
	struct view bytes)
{
	uint8_t key[12], head[400 + SIGNATURE_SIZE + 8];
	CHECK(header.size <= 400);
	put_u64(head, bytes.size);
	memcpy(head + 8, signature->bytes, SIGNATURE_SIZE);
	memcpy(head + 8 + SIGNATURE_SIZE, header.data, header.size);
	put(index, BASE_SNAPSHOT, chunk_key(key, height, CHUNK_HEAD),
		view_of(head, 8 + SIGNATURE_SIZE + header.size));
	for (size_t at = 0; at < bytes.size; at += CHUNK_SIZE) {
		size_t size = bytes.size - at < CHUNK_SIZE ? bytes.size - at
							   : CHUNK_SIZE;
		put(index, BASE_SNAPSHOT,
			chunk_key(key, height, (uint32_t)(at / CHUNK_SIZE)),
			view_of(bytes.data + at, size));
	}
}

/* ---- the commit ---- */

static int by_key(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	size_t size = x->key_size < y->key_size ? x->key_size : y->key_size;
	int order = memcmp(x->key, y->key, size);
	if (order != 0)
		return order;
	if (x->key_size != y->key_size)
		return x->key_size < y->key_size ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void write_change(
	struct index *index, MDB_txn *txn, struct change *change)
{
	MDB_val key = {change->key_size, change->key};
	MDB_val value = {change->size, change->value};
	MDB_dbi base = index->bases[change->base];
	if (change->size > 0) {
		must(mdb_put(txn, base, &key, &value, 0), "write");
		return;
	}
	int code = mdb_del(txn, base, &key, NULL);
	must(code == MDB_NOTFOUND ? 0 : code, "remove");
}

/* Only the newest snapshots stay: those below the oldest kept one go. */
static void drop_snapshots(struct index *index, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t height = 0;
	size_t kept = 0;
	must(mdb_cursor_open(txn, index->bases[BASE_SNAPSHOT], &cursor),
		"snapshots");
	int code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	while (code == 0) {
		uint64_t here = get_u64(key.mv_data);
		if (kept == 0 || here != height) {
			kept++;
			height = here;
		}
		if (kept > SNAPSHOTS_KEPT)
			must(mdb_cursor_del(cursor, 0), "snapshots");
		code = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
	}
	mdb_cursor_close(cursor);
}

void index_commit(struct index *index, uint64_t applied_height)
{
	MDB_txn *txn;
	uint8_t height[8];
	bool snapshot = false;
	put_u64(height, applied_height);
	put(index, BASE_META, view_text("applied"), view_of(height, 8));
	qsort(index->changes, index->change_count, sizeof(index->changes[0]),
		by_key);
	must(mdb_txn_begin(index->env, NULL, 0, &txn), "begin");
	for (size_t i = 0; i < index->change_count; i++) {
		write_change(index, txn, &index->changes[i]);
		snapshot = snapshot || index->changes[i].base == BASE_SNAPSHOT;
	}
	if (snapshot)
		drop_snapshots(index, txn);
	must(mdb_txn_commit(txn), "commit");
	drop_changes(index);
}

/* ---- reading ---- */

static bool is_good(const MDB_val *key, const MDB_val *value)
{
	uint8_t sum[CHECKSUM_SIZE];
	if (value->mv_size <= CHECKSUM_SIZE)
		return false;
	size_t size = value->mv_size - CHECKSUM_SIZE;
	checksum(sum, view_of(key->mv_data, key->mv_size),
		view_of(value->mv_data, size));
	return memcmp(sum, (const uint8_t *)value->mv_data + size,
		       CHECKSUM_SIZE) == 0;
}

/* Copy a record's value, at most size bytes from offset; its whole size comes
 * back, or 0 when it is missing or damaged. */
static size_t get(struct index *index, enum base base, struct view key,
	void *out, size_t size)
{
	MDB_txn *txn;
	MDB_val name = {key.size, (void *)key.data}, value;
	size_t whole = 0;
	if (mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn) != 0)
		return 0;
	if (mdb_get(txn, index->bases[base], &name, &value) == 0 &&
		is_good(&name, &value) &&
		value.mv_size - CHECKSUM_SIZE <= size) {
		whole = value.mv_size - CHECKSUM_SIZE;
		memcpy(out, value.mv_data, whole);
	}
	mdb_txn_abort(txn);
	return whole;
}

uint64_t index_applied(struct index *index)
{
	uint8_t height[8];
	return get(index, BASE_META, view_text("applied"), height, 8) == 8
		       ? get_u64(height)
		       : 0;
}

bool index_find_tx(struct index *index, const struct key *wallet,
	const struct id *id, struct hash *tx, uint64_t *height,
	uint16_t *tx_index)
{
	uint8_t key[KEY_SIZE + ID_SIZE], value[HASH_SIZE + 10];
	if (get(index, BASE_TX, tx_key(key, wallet, id), value,
		    sizeof(value)) != sizeof(value))
		return false;
	memcpy(tx->bytes, value, HASH_SIZE);
	*height = get_u64(value + HASH_SIZE);
	*tx_index =
		(uint16_t)(value[HASH_SIZE + 8] << 8 | value[HASH_SIZE + 9]);
	return true;
}

bool index_find_block(
	struct index *index, const struct hash *hash, uint64_t *height)
{
	uint8_t value[8];
	if (get(index, BASE_BLOCK, view_of(hash->bytes, HASH_SIZE), value,
		    sizeof(value)) != sizeof(value))
		return false;
	*height = get_u64(value);
	return true;
}

/* Height of the newest snapshot at or below height; 0: there is none. */
static uint64_t newest_snapshot(struct index *index, uint64_t height)
{
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key, value;
	uint8_t bytes[12];
	uint64_t found = 0;
	if (mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn) != 0)
		return 0;
	must(mdb_cursor_open(txn, index->bases[BASE_SNAPSHOT], &cursor),
		"snapshots");
	struct view from = chunk_key(bytes, height, UINT32_MAX);
	key = (MDB_val){from.size, bytes};
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	code = mdb_cursor_get(
		cursor, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
	if (code == 0 && key.mv_size == sizeof(bytes))
		found = get_u64(key.mv_data);
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return found;
}

bool index_find_snapshot(struct index *index, uint64_t *height,
	uint8_t header[400], size_t *header_size, struct signature *signature,
	uint64_t offset, uint8_t *out, size_t *size, uint64_t *total)
{
	uint8_t key[12], head[400 + SIGNATURE_SIZE + 8], chunk[CHUNK_SIZE];
	uint64_t at =
		newest_snapshot(index, *height == 0 ? INT64_MAX : *height);
	size_t whole = at == 0 ? 0
			       : get(index, BASE_SNAPSHOT,
					 chunk_key(key, at, CHUNK_HEAD), head,
					 sizeof(head));
	if (whole <= 8 + SIGNATURE_SIZE || offset > get_u64(head))
		return false;
	uint64_t bytes = get_u64(head);
	size_t done = 0, room = *size;
	while (done < room && offset + done < bytes) {
		uint64_t from = offset + done;
		size_t skip = (size_t)(from % CHUNK_SIZE);
		size_t got = get(index, BASE_SNAPSHOT,
			chunk_key(key, at, (uint32_t)(from / CHUNK_SIZE)),
			chunk, sizeof(chunk));
		if (got <= skip)
			return false;
		size_t part = got - skip;
		if (part > room - done)
			part = room - done;
		memcpy(out + done, chunk + skip, part);
		done += part;
	}
	*height = at;
	*header_size = whole - 8 - SIGNATURE_SIZE;
	memcpy(signature->bytes, head + 8, SIGNATURE_SIZE);
	memcpy(header, head + 8 + SIGNATURE_SIZE, *header_size);
	*size = done;
	*total = bytes;
	return true;
}

/* cursor counts records; walks are short and happen at the start. */
static bool next(struct index *index, enum base base, uint64_t *cursor,
	uint8_t *out, size_t *size, size_t size_max)
{
	MDB_txn *txn;
	MDB_cursor *walk;
	MDB_val key, value;
	bool found = false;
	if (mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn) != 0)
		return false;
	must(mdb_cursor_open(txn, index->bases[base], &walk), "walk");
	int code = mdb_cursor_get(walk, &key, &value, MDB_FIRST);
	for (uint64_t i = 0; code == 0 && i < *cursor; i++)
		code = mdb_cursor_get(walk, &key, &value, MDB_NEXT);
	while (code == 0 && !found) {
		(*cursor)++;
		if (is_good(&key, &value) &&
			value.mv_size - CHECKSUM_SIZE <= size_max) {
			*size = value.mv_size - CHECKSUM_SIZE;
			memcpy(out, value.mv_data, *size);
			found = true;
		} else {
			code = mdb_cursor_get(walk, &key, &value, MDB_NEXT);
		}
	}
	mdb_cursor_close(walk);
	mdb_txn_abort(txn);
	return found;
}

bool index_next_peer(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max)
{
	return next(index, BASE_PEER, cursor, out, size, size_max);
}

bool index_next_received(struct index *index, uint64_t *cursor, uint8_t *out,
	size_t *size, size_t size_max)
{
	return next(index, BASE_RECEIVED, cursor, out, size, size_max);
}
