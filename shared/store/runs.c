/* store/runs.c -- sorted runs of finds, in chunks of one page.
 *
 * Keys are hashes and so evenly spread: the chunk of a key is guessed from its
 * first bytes and is at most a few chunks away.
 */
#include "store/runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/checked.h"

/* 72 finds, the sum and LMDB's page header are just below 4096 bytes. */
enum { CHUNK_FINDS = 72, CHUNK_SIZE = CHUNK_FINDS * FIND_SIZE };

struct run {
	uint32_t number; /* ascending with age */
	uint32_t count;  /* of finds */
	uint32_t level;  /* 0 small, 1 merged */
};

struct list {
	size_t count;
	struct run items[RUNS_MAX];
};

void find_write(uint8_t out[FIND_SIZE], const struct find *find)
{
	CHECK(find->height >> 48 == 0);
	memcpy(out, find->key, FIND_KEY);
	memcpy(out + FIND_KEY, find->hash.bytes, HASH_SIZE);
	big_put64(out + FIND_KEY + HASH_SIZE, find->height << 16 | find->index);
}

void find_read(struct find *out, const uint8_t in[FIND_SIZE])
{
	uint64_t place = big_get64(in + FIND_KEY + HASH_SIZE);

	memcpy(out->key, in, FIND_KEY);
	memcpy(out->hash.bytes, in + FIND_KEY, HASH_SIZE);
	out->height = place >> 16;
	out->index = (uint16_t)place;
}

/* ---- the list ---- */

static int read_list(const struct runs *runs, MDB_txn *txn, struct list *out)
{
	struct view bytes;
	int code = checked_get(txn, runs->meta, view_text("runs"), &bytes);

	out->count = 0;
	if (code == MDB_NOTFOUND)
		return 0;
	if (code)
		return code;
	if (bytes.size % 12 != 0 || bytes.size / 12 > RUNS_MAX)
		return MDB_CORRUPTED;
	out->count = bytes.size / 12;
	for (size_t i = 0; i < out->count; i++) {
		const uint8_t *at = bytes.data + 12 * i;

		out->items[i] = (struct run){
			.number = big_get32(at),
			.count = big_get32(at + 4),
			.level = big_get32(at + 8),
		};
	}
	return 0;
}

static int write_list(
	const struct runs *runs, MDB_txn *txn, const struct list *list)
{
	uint8_t bytes[RUNS_MAX * 12];

	for (size_t i = 0; i < list->count; i++) {
		big_put32(bytes + 12 * i, list->items[i].number);
		big_put32(bytes + 12 * i + 4, list->items[i].count);
		big_put32(bytes + 12 * i + 8, list->items[i].level);
	}
	return checked_put(txn, runs->meta, view_text("runs"),
		view_of(bytes, 12 * list->count), 0);
}

/* ---- chunks ---- */

static struct view chunk_key(uint8_t out[8], uint32_t number, uint32_t chunk)
{
	big_put32(out, number);
	big_put32(out + 4, chunk);
	return view_of(out, 8);
}

static uint32_t chunk_count(const struct run *run)
{
	return (run->count + CHUNK_FINDS - 1) / CHUNK_FINDS;
}

/* A whole number of finds, at least one; false and the mark when damaged. */
static bool read_chunk(const struct runs *runs, MDB_txn *txn,
	const struct run *run, uint32_t chunk, struct view *out)
{
	uint8_t key[8];
	int code = checked_get(
		txn, runs->run, chunk_key(key, run->number, chunk), out);

	if (code == 0 && out->size > 0 && out->size <= CHUNK_SIZE &&
		out->size % FIND_SIZE == 0)
		return true;
	atomic_store(runs->damaged, true);
	return false;
}

/* A run being written, in ascending order. */
struct writing {
	const struct runs *runs;
	MDB_txn *txn;
	uint32_t number, chunk, count;
	size_t size;
	uint8_t bytes[CHUNK_SIZE];
	int code;
};

static void write_chunk(struct writing *writing)
{
	uint8_t key[8];

	if (writing->size == 0 || writing->code)
		return;
	writing->code = checked_put(writing->txn, writing->runs->run,
		chunk_key(key, writing->number, writing->chunk++),
		view_of(writing->bytes, writing->size), MDB_APPEND);
	writing->size = 0;
}

/* Nothing more after a failure: a chunk that was not written is still full. */
static void write_find(struct writing *writing, const uint8_t find[FIND_SIZE])
{
	if (writing->code)
		return;
	memcpy(writing->bytes + writing->size, find, FIND_SIZE);
	writing->size += FIND_SIZE;
	writing->count++;
	if (writing->size == CHUNK_SIZE)
		write_chunk(writing);
}

/* ---- merging ---- */

/* A run being read. The chunk is copied: LMDB's bytes are only good until the
 * next write. */
struct reading {
	const struct run *run;
	uint32_t chunk; /* the next */
	size_t at, size;
	uint8_t bytes[CHUNK_SIZE];
};

/* The next find, or NULL at the end. A damaged chunk is left out. */
static const uint8_t *peek(
	const struct runs *runs, MDB_txn *txn, struct reading *reading)
{
	while (reading->at == reading->size) {
		struct view chunk;

		if (reading->chunk == chunk_count(reading->run))
			return NULL;
		if (!read_chunk(
			    runs, txn, reading->run, reading->chunk++, &chunk))
			continue;
		memcpy(reading->bytes, chunk.data, chunk.size);
		reading->at = 0;
		reading->size = chunk.size;
	}
	return reading->bytes + reading->at;
}

/* The smallest find of all; the newest of those with its key. All of them are
 * taken. */
static bool take_smallest(const struct runs *runs, MDB_txn *txn,
	struct reading readings[RUNS_MERGE], uint8_t out[FIND_SIZE])
{
	const uint8_t *heads[RUNS_MERGE];
	const uint8_t *least = NULL;

	for (int i = 0; i < RUNS_MERGE; i++) {
		heads[i] = peek(runs, txn, &readings[i]);
		if (heads[i] &&
			(!least || memcmp(heads[i], least, FIND_KEY) <= 0))
			least = heads[i];
	}
	if (!least)
		return false;
	memcpy(out, least, FIND_SIZE);
	for (int i = 0; i < RUNS_MERGE; i++)
		if (heads[i] && memcmp(heads[i], out, FIND_KEY) == 0)
			readings[i].at += FIND_SIZE;
	return true;
}

static int remove_run(
	const struct runs *runs, MDB_txn *txn, const struct run *run)
{
	int code = 0;

	for (uint32_t i = 0; i < chunk_count(run) && !code; i++) {
		uint8_t bytes[8];
		struct view name = chunk_key(bytes, run->number, i);
		MDB_val key = {name.size, bytes};

		code = mdb_del(txn, runs->run, &key, NULL);
		if (code == MDB_NOTFOUND)
			code = 0;
	}
	return code;
}

/* The last RUNS_MERGE runs become one. */
static int merge(const struct runs *runs, MDB_txn *txn, struct list *list)
{
	struct run *from = &list->items[list->count - RUNS_MERGE];
	struct reading *readings = calloc(RUNS_MERGE, sizeof(*readings));
	struct writing writing = {
		.runs = runs,
		.txn = txn,
		.number = list->items[list->count - 1].number + 1,
	};
	uint8_t find[FIND_SIZE];

	CHECK(readings);
	for (int i = 0; i < RUNS_MERGE; i++)
		readings[i].run = &from[i];
	while (!writing.code && take_smallest(runs, txn, readings, find))
		write_find(&writing, find);
	write_chunk(&writing);
	free(readings);
	for (int i = 0; i < RUNS_MERGE && !writing.code; i++)
		writing.code = remove_run(runs, txn, &from[i]);
	from[0] = (struct run){writing.number, writing.count, 1};
	list->count -= RUNS_MERGE - 1;
	return writing.code;
}

static bool wants_merge(const struct list *list)
{
	if (list->count < RUNS_MERGE)
		return false;
	for (size_t i = list->count - RUNS_MERGE; i < list->count; i++)
		if (list->items[i].level != 0)
			return false;
	return true;
}

int runs_add(const struct runs *runs, MDB_txn *txn, const struct find *sorted,
	size_t count)
{
	struct writing writing = {.runs = runs, .txn = txn};
	struct list list;
	int code = read_list(runs, txn, &list);

	if (code)
		return code;
	if (list.count == RUNS_MAX)
		return MDB_DBS_FULL;
	if (list.count)
		writing.number = list.items[list.count - 1].number + 1;
	for (size_t i = 0; i < count && !writing.code; i++) {
		uint8_t find[FIND_SIZE];

		find_write(find, &sorted[i]);
		write_find(&writing, find);
	}
	write_chunk(&writing);
	if (writing.code)
		return writing.code;
	list.items[list.count++] =
		(struct run){writing.number, writing.count, 0};
	if (wants_merge(&list))
		code = merge(runs, txn, &list);
	return code ? code : write_list(runs, txn, &list);
}

/* ---- looking ---- */

/* -1, 0, 1: key lies before, in (*found is set when it is there), after. */
static int look_into(struct view chunk, const uint8_t key[FIND_KEY],
	struct find *out, bool *found)
{
	size_t low = 0;
	size_t high = chunk.size / FIND_SIZE;

	if (memcmp(key, chunk.data, FIND_KEY) < 0)
		return -1;
	if (memcmp(key, chunk.data + chunk.size - FIND_SIZE, FIND_KEY) > 0)
		return 1;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *at = chunk.data + middle * FIND_SIZE;
		int order = memcmp(key, at, FIND_KEY);

		if (order < 0)
			high = middle;
		else
			low = middle + 1;
		if (order == 0) {
			find_read(out, at);
			*found = true;
		}
	}
	return 0;
}

static bool get_in_run(const struct runs *runs, MDB_txn *txn,
	const struct run *run, const uint8_t key[FIND_KEY], struct find *out)
{
	uint32_t low = 0;
	uint32_t high = chunk_count(run); /* it is in [low, high) */
	uint32_t at = (uint32_t)((uint64_t)big_get32(key) * high >> 32);
	uint32_t step = 1;
	bool below = false;
	bool above = false;
	bool found = false;

	while (low < high) {
		struct view chunk;
		int order;

		if (!read_chunk(runs, txn, run, at, &chunk))
			return false;
		order = look_into(chunk, key, out, &found);
		if (order == 0)
			return found;
		if (order < 0) {
			high = at;
			below = true;
		} else {
			low = at + 1;
			above = true;
		}
		/* Ever wider steps from the guess; then halves. */
		if (step > high - low)
			step = high - low;
		if (below && above)
			at = low + (high - low) / 2;
		else
			at = below ? high - step : low + step - 1;
		step *= 2;
	}
	return false;
}

bool runs_get(const struct runs *runs, MDB_txn *txn,
	const uint8_t key[FIND_KEY], struct find *out)
{
	struct list list;

	if (read_list(runs, txn, &list) != 0) {
		atomic_store(runs->damaged, true);
		return false;
	}
	for (size_t i = list.count; i > 0; i--)
		if (get_in_run(runs, txn, &list.items[i - 1], key, out))
			return true;
	return false;
}
