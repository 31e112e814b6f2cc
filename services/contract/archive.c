/* contract/archive.c -- every move for ever, in LMDB.
 *
 * An entry is stored once under its number, and listed under its reservation,
 * its operator and its port. What was gathered becomes durable together with
 * the height that it reaches, so that a crash never leaves half a block.
 */
#include "evaluator.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"

enum {
	KEY_BYTES_MAX = ARCHIVE_PREFIX_MAX + 8,
	CHUNK_BYTES = 1 << 20,
	SNAPSHOT_CHUNKS_MAX = 512,
};
#define MAP_SIZE ((size_t)64 << 30)

struct change {
	size_t key_size, size;
	uint8_t key[KEY_BYTES_MAX];
	uint8_t *value;
};

struct archive {
	MDB_env *env;
	MDB_dbi base;
	uint64_t sequence; /* of the newest entry */
	uint64_t height;   /* whose moves are here */
	size_t change_count, change_room;
	struct change *changes;
};

static void must(int code, const char *what)
{
	if (code == 0)
		return;
	fprintf(stderr,
		"perch-contract: archive: %s: %s; make room or replace the "
		"disk, then start again\n",
		what, mdb_strerror(code));
	abort();
}

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

struct view archive_prefix(
	uint8_t out[ARCHIVE_PREFIX_MAX], char kind, struct view name)
{
	CHECK(name.size < ARCHIVE_PREFIX_MAX);
	memset(out, 0, ARCHIVE_PREFIX_MAX);
	out[0] = (uint8_t)kind;
	memcpy(out + 1, name.data, name.size);
	return view_of(out, ARCHIVE_PREFIX_MAX);
}

/* ---- reading ---- */

/* Copy a value; its size, or 0 when it is missing or too long. */
static size_t get(
	MDB_txn *txn, MDB_dbi base, struct view key, void *out, size_t size)
{
	MDB_val name = {key.size, (void *)key.data}, value;
	if (mdb_get(txn, base, &name, &value) != 0 || value.mv_size > size)
		return 0;
	memcpy(out, value.mv_data, value.mv_size);
	return value.mv_size;
}

static uint64_t get_number(MDB_txn *txn, MDB_dbi base, const char *name)
{
	uint8_t bytes[8];
	return get(txn, base, view_text(name), bytes, sizeof(bytes)) == 8
		       ? get_u64(bytes)
		       : 0;
}

static struct view entry_key(uint8_t out[9], uint64_t sequence)
{
	out[0] = 'e';
	put_u64(out + 1, sequence);
	return view_of(out, 9);
}

size_t archive_find(struct archive *archive, struct view prefix, uint64_t after,
	struct history_entry *out, size_t out_max, uint8_t *room,
	size_t room_size, bool *more)
{
	uint8_t from[KEY_BYTES_MAX], key_bytes[9];
	size_t count = 0, used = 0;
	MDB_txn *txn;
	MDB_cursor *cursor;
	*more = false;
	memcpy(from, prefix.data, prefix.size);
	put_u64(from + prefix.size, after + 1);
	MDB_val key = {prefix.size + 8, from}, value;
	must(mdb_txn_begin(archive->env, NULL, MDB_RDONLY, &txn), "read");
	must(mdb_cursor_open(txn, archive->base, &cursor), "read");
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == 0 && key.mv_size == prefix.size + 8 &&
		memcmp(key.mv_data, prefix.data, prefix.size) == 0) {
		uint64_t sequence =
			get_u64((uint8_t *)key.mv_data + prefix.size);
		*more = true;
		if (count == out_max)
			break;
		size_t size =
			get(txn, archive->base, entry_key(key_bytes, sequence),
				room + used, room_size - used);
		if (size == 0 || history_entry_decode(&out[count],
					 view_of(room + used, size)) != ERR_OK)
			break;
		*more = false;
		used += size;
		count++;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return count;
}

bool archive_snapshot(struct archive *archive, struct block_ref *head,
	uint8_t header[BLOCK_HEADER_BYTES_MAX], const struct hash *network,
	struct view *bytes)
{
	struct signature signature;
	char name[32];
	MDB_txn *txn;
	must(mdb_txn_begin(archive->env, NULL, MDB_RDONLY, &txn), "read");
	uint64_t total = get_number(txn, archive->base, "snapshot size");
	size_t size = get(txn, archive->base, view_text("snapshot header"),
		header, BLOCK_HEADER_BYTES_MAX);
	bool found =
		total > 0 && size > 0 &&
		get(txn, archive->base, view_text("snapshot signature"),
			&signature, sizeof(signature)) == sizeof(signature) &&
		block_open_header(head, view_of(header, size), &signature,
			network) == ERR_OK;
	uint8_t *all = found ? malloc(total + CHUNK_BYTES) : NULL;
	CHECK(!found || all != NULL);
	size_t got = 0;
	for (unsigned i = 0; found && got < total; i++) {
		snprintf(name, sizeof(name), "snapshot %08u", i);
		size = get(txn, archive->base, view_text(name), all + got,
			CHUNK_BYTES);
		found = size > 0;
		got += size;
	}
	mdb_txn_abort(txn);
	if (!found)
		free(all);
	else
		*bytes = view_of(all, total);
	return found;
}

/* ---- opening ---- */

static int open_env(struct archive *archive, const char *path)
{
	MDB_txn *txn;
	int code = mdb_env_create(&archive->env);
	if (code == 0)
		code = mdb_env_set_mapsize(archive->env, MAP_SIZE);
	if (code == 0)
		code = mdb_env_open(archive->env, path, MDB_NOTLS, 0600);
	if (code == 0)
		code = mdb_txn_begin(archive->env, NULL, 0, &txn);
	if (code != 0)
		return code;
	code = mdb_dbi_open(txn, NULL, 0, &archive->base);
	archive->sequence = get_number(txn, archive->base, "sequence");
	archive->height = get_number(txn, archive->base, "height");
	int committed = mdb_txn_commit(txn);
	return code == 0 ? committed : code;
}

enum err archive_open(struct archive **out, const char *directory, char *why)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	CHECK(archive != NULL);
	if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
		snprintf(
			why, WHY_MAX, "%.200s: %s", directory, strerror(errno));
		free(archive);
		return ERR_IO;
	}
	int code = open_env(archive, directory);
	if (code == 0) {
		*out = archive;
		return ERR_OK;
	}
	snprintf(why, WHY_MAX,
		"%.150s: %s; it can be removed: it is made again from the "
		"blocks",
		directory, mdb_strerror(code));
	mdb_env_close(archive->env);
	free(archive);
	return ERR_IO;
}

void archive_close(struct archive **closed)
{
	struct archive *archive = *closed;
	*closed = NULL;
	if (archive == NULL)
		return;
	for (size_t i = 0; i < archive->change_count; i++)
		free(archive->changes[i].value);
	free(archive->changes);
	mdb_env_close(archive->env);
	free(archive);
}

/* ---- writing ---- */

static void gather(struct archive *archive, struct view key, struct view value)
{
	if (archive->change_count == archive->change_room) {
		archive->change_room = 2 * archive->change_room + 256;
		archive->changes = realloc(archive->changes,
			archive->change_room * sizeof(*archive->changes));
		CHECK(archive->changes != NULL);
	}
	struct change *change = &archive->changes[archive->change_count++];
	CHECK(key.size <= sizeof(change->key));
	change->key_size = key.size;
	memcpy(change->key, key.data, key.size);
	change->size = value.size;
	change->value = malloc(value.size);
	CHECK(change->value != NULL);
	memcpy(change->value, value.data, value.size);
}

static void list_under(struct archive *archive, char kind, struct view name)
{
	static const uint8_t here = 1;
	uint8_t key[KEY_BYTES_MAX];
	archive_prefix(key, kind, name);
	put_u64(key + ARCHIVE_PREFIX_MAX, archive->sequence);
	gather(archive, view_of(key, sizeof(key)), view_of(&here, 1));
}

static void add_move(struct archive *archive, const struct block_ref *block,
	const struct move *move)
{
	uint8_t key[9], bytes[HISTORY_ENTRY_BYTES_MAX];
	const struct record_reservation *record = &move->record;
	struct history_entry entry = {
		.sequence = ++archive->sequence,
		.height = block->header.height,
		.time = block->header.time,
		.from = move->from,
		.to = move->to,
		.cause = move->cause,
		.record = *record,
	};
	size_t size = history_entry_encode(bytes, sizeof(bytes), &entry);
	CHECK(size > 0);
	gather(archive, entry_key(key, entry.sequence), view_of(bytes, size));
	list_under(archive, 'r', view_of(record->reservation.bytes, ID_SIZE));
	list_under(archive, 'w', view_of(record->operator.bytes, KEY_SIZE));
	list_under(archive, 'p', record->port);
}

void archive_add(struct archive *archive, const struct block_ref *block,
	const struct moves *moves)
{
	if (block->header.height <= archive->height)
		return; /* executed again after a restart */
	for (size_t i = 0; i < moves->count; i++)
		add_move(archive, block, &moves->items[i]);
	archive->height = block->header.height;
}

static void put(struct archive *archive, MDB_txn *txn, struct view key,
	struct view value)
{
	MDB_val name = {key.size, (void *)key.data};
	MDB_val bytes = {value.size, (void *)value.data};
	must(mdb_put(txn, archive->base, &name, &bytes, 0), "write");
}

static void put_number(
	struct archive *archive, MDB_txn *txn, const char *name, uint64_t value)
{
	uint8_t bytes[8];
	put_u64(bytes, value);
	put(archive, txn, view_text(name), view_of(bytes, sizeof(bytes)));
}

static void put_snapshot(struct archive *archive, MDB_txn *txn,
	const struct block_ref *head, struct view snapshot)
{
	put(archive, txn, view_text("snapshot header"), head->header_bytes);
	put(archive, txn, view_text("snapshot signature"),
		view_of(&head->signature, sizeof(head->signature)));
	put_number(archive, txn, "snapshot size", snapshot.size);
	CHECK(snapshot.size <= (size_t)CHUNK_BYTES * SNAPSHOT_CHUNKS_MAX);
	for (unsigned i = 0; (size_t)i * CHUNK_BYTES < snapshot.size; i++) {
		char name[32];
		size_t at = (size_t)i * CHUNK_BYTES;
		size_t size = snapshot.size - at < CHUNK_BYTES
				      ? snapshot.size - at
				      : CHUNK_BYTES;
		snprintf(name, sizeof(name), "snapshot %08u", i);
		put(archive, txn, view_text(name),
			view_of(snapshot.data + at, size));
	}
}

void archive_commit(struct archive *archive, const struct block_ref *head,
	struct view snapshot)
{
	MDB_txn *txn;
	must(mdb_txn_begin(archive->env, NULL, 0, &txn), "begin");
	for (size_t i = 0; i < archive->change_count; i++) {
		struct change *change = &archive->changes[i];
		put(archive, txn, view_of(change->key, change->key_size),
			view_of(change->value, change->size));
		free(change->value);
	}
	archive->change_count = 0;
	put_number(archive, txn, "sequence", archive->sequence);
	put_number(archive, txn, "height", archive->height);
	if (snapshot.size > 0)
		put_snapshot(archive, txn, head, snapshot);
	must(mdb_txn_commit(txn), "commit");
}
