/* tests/unit/proof.c -- what somebody else's node says about a port: the
 * published example, and a state of our own with everything else tried.
 */
#include "desk.h"

#include "base/random.h"
#include "crypto/merkle.h"
#include "gen/request.h"
#include "support/vectors.h"

enum { RECORDS_MAX = 512 };

/* What a proof message says, as the functions take it. */
static void parts_of(struct proof_parts *parts, const struct proof *proof)
{
	assert_int_equal(record_port_decode(&parts->port, proof->port), ERR_OK);
	parts->live = proof->live;
	assert_int_equal(proof->buckets_count, 256);
	memcpy(parts->buckets, proof->buckets, sizeof(parts->buckets));
	parts->index = proof->index;
	parts->count = proof->count;
	parts->path_length = proof->path_count;
	memcpy(parts->path, proof->path,
		proof->path_count * sizeof(struct hash));
	parts->rest = proof->rest;
}

static void test_published(void **unused)
{
	static struct vector bytes[5];
	static struct proof proof;
	static struct proof_parts parts;
	struct record_reservation records[3];
	struct hash root;

	(void)unused;
	crypto_start();
	vectors_find(&bytes[0], "proof", "narita");
	vectors_find(&bytes[1], "", "proof_state_root");
	assert_int_equal(bytes[1].size, sizeof(root));
	memcpy(&root, bytes[1].bytes, sizeof(root));
	assert_int_equal(
		proof_decode(&proof, view_of(bytes[0].bytes, bytes[0].size)),
		ERR_OK);
	parts_of(&parts, &proof);
	assert_int_equal(proof_check(&parts, &root), ERR_OK);
	for (int i = 0; i < 3; i++) {
		char label[24];
		snprintf(label, sizeof(label), "proof_%d", i);
		vectors_find(&bytes[2 + i], "record_reservation", label);
		/* In any order. */
		assert_int_equal(
			record_reservation_decode(&records[2 - i],
				view_of(bytes[2 + i].bytes, bytes[2 + i].size)),
			ERR_OK);
	}
	assert_int_equal(proof_timetable(&parts, records, 3), ERR_OK);
	assert_int_equal(proof_timetable(&parts, records, 2), ERR_ROOT);
	root.bytes[0] ^= 1;
	assert_int_equal(proof_check(&parts, &root), ERR_ROOT);
}

static size_t timetable(
	const struct state *state, size_t port, struct record_reservation *out)
{
	uint64_t cursor = 0;
	size_t count = 0;

	while (count < RECORDS_MAX &&
		state_timetable_next(state, port, 0, &cursor, &out[count]))
		count++;
	return count;
}

/* One less, one changed, one twice. */
static void forge_timetable(const struct proof_parts *parts,
	struct record_reservation *records, size_t count)
{
	assert_int_equal(proof_timetable(parts, records, count), ERR_OK);
	assert_int_equal(proof_timetable(parts, records, count - 1), ERR_ROOT);
	records[0].end++;
	assert_int_equal(proof_timetable(parts, records, count), ERR_ROOT);
	records[0] = records[1];
	assert_int_equal(proof_timetable(parts, records, count), ERR_EXISTS);
}

static void forge_parts(struct proof_parts *parts, struct hash root)
{
	struct proof_parts good = *parts;

	assert_int_equal(proof_check(parts, &root), ERR_OK);
	parts->buckets[7].bytes[0] ^= 1;
	assert_int_equal(proof_check(parts, &root), ERR_ROOT);
	*parts = good;
	parts->port.lead++;
	assert_int_equal(proof_check(parts, &root), ERR_ROOT);
	*parts = good;
	parts->rest.bytes[3] ^= 1;
	assert_int_equal(proof_check(parts, &root), ERR_ROOT);
	*parts = good;
	parts->live.bytes[3] ^= 1;
	assert_int_equal(proof_check(parts, &root), ERR_ROOT);
	*parts = good;
	parts->path_length++;
	assert_int_equal(proof_check(parts, &root), ERR_LENGTH);
	*parts = good;
	parts->index ^= 1;
	assert_int_not_equal(proof_check(parts, &root), ERR_OK);
	*parts = good;
	root.bytes[5] ^= 1;
	assert_int_equal(proof_check(parts, &root), ERR_ROOT);
}

static void test_own(void **unused)
{
	static const char *const ports[] = {"east", "north", "west"};
	static struct proof_parts parts;
	struct desk *f = open_small();
	struct record_reservation records[RECORDS_MAX];
	struct random random;
	size_t sum = 0;

	(void)unused;
	random_seed(&random, test_seed("proof"));
	for (int i = 0; i < 300; i++) {
		time_ms start = f->now + 6 * MINUTE +
				(time_ms)random_below(&random, 9000) * MINUTE;
		reserve(f, i % 2, ports[random_below(&random, 3)],
			i % 3 == 0 ? "b" : "a", start, start + 5 * MINUTE);
	}
	struct hash root = state_root(f->home.state);
	for (size_t port = 0; port < state_port_count(f->home.state); port++) {
		size_t count = timetable(f->home.state, port, records);

		assert_true(count > 10);
		sum += count;
		state_proof(f->home.state, port, &parts);
		forge_timetable(&parts, records, count);
		forge_parts(&parts, root);
	}
	assert_int_equal(sum, state_live_count(f->home.state));
	shut(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
