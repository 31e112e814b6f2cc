/* tests/fuzz/execute.c -- whatever is executed can be undone, and a snapshot of
 * it taken: what is loaded from it is the same state, and what is loaded from
 * anything else is refused.
 */
#include <string.h>

#include "base/check.h"
#include "fuzz/script.h"
#include "fuzz/targets.h"

/* A moment to come back to. */
struct moment {
	arena_mark mark;
	struct hash fingerprint;
};

static struct moment moment_now(struct state *state)
{
	struct hash hash = script_fingerprint(state);

	return (struct moment){
		.mark = arena_now(state_arena(state)), .fingerprint = hash};
}

static void moment_return(struct state *state, const struct moment *moment)
{
	CHECK(arena_can_rollback(state_arena(state), moment->mark));
	arena_rollback(state_arena(state), moment->mark);
	struct hash hash = script_fingerprint(state);
	CHECK(hash_equal(&hash, &moment->fingerprint));
}

void fuzz_execute(struct view bytes)
{
	static struct script script;
	struct state *state = script_state(0);
	size_t half = bytes.size / 2;
	struct moment start = moment_now(state);

	script_start(&script, state);
	script_run(&script, view_of(bytes.data, half));
	struct moment middle = moment_now(state);
	script_run(&script, view_of(bytes.data + half, bytes.size - half));
	moment_return(state, &middle);
	moment_return(state, &start);
}

/* ---- snapshots ---- */

enum { CHANGE_BYTES = 3, CHANGES_MAX = 7, SNAPSHOT_MAX = 1 << 20 };

/* A change says where, and what is put there: the rest is a script. */
static struct view change(struct view bytes, uint8_t *snapshot, size_t *size)
{
	size_t count;

	if (bytes.size == 0)
		return bytes;
	count = bytes.data[0] % (CHANGES_MAX + 1);
	bytes = view_of(bytes.data + 1, bytes.size - 1);
	for (; count > 0 && bytes.size >= CHANGE_BYTES; count--) {
		size_t at = (size_t)bytes.data[0] << 8 | bytes.data[1];

		if (at < *size)
			snapshot[at] = bytes.data[2];
		else if (*size > 0)
			*size = at % *size;
		bytes = view_of(
			bytes.data + CHANGE_BYTES, bytes.size - CHANGE_BYTES);
	}
	return bytes;
}

void fuzz_snapshot(struct view bytes)
{
	static struct script script;
	static uint8_t snapshot[SNAPSHOT_MAX], again[SNAPSHOT_MAX];
	struct state *state = script_state(0), *loaded = script_state(1);
	struct moment start = moment_now(state);
	size_t size = 0;
	struct view rest = change(bytes, snapshot, &size);

	script_start(&script, state);
	script_run(&script, rest);
	struct hash root = state_root(state);
	CHECK(state_save_bytes(state) <= SNAPSHOT_MAX);
	size = state_save(state, snapshot);
	memcpy(again, snapshot, size);
	size_t changed = size;
	change(bytes, again, &changed);
	enum err err = state_load(
		loaded, script_genesis(), view_of(again, changed), &root);
	bool same =
		view_equal(view_of(again, changed), view_of(snapshot, size));
	CHECK((err == ERR_OK) == same);
	if (same) {
		struct hash before = script_fingerprint(state);
		struct hash after = script_fingerprint(loaded);
		CHECK(hash_equal(&before, &after));
		CHECK(state_save(loaded, again) == size);
		CHECK(memcmp(snapshot, again, size) == 0);
	}
	moment_return(state, &start);
}
