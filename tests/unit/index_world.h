/* tests/unit/index_world.h -- what an index is filled with: everything follows
 * from numbers.
 */
#ifndef PERCH_TESTS_UNIT_INDEX_WORLD_H
#define PERCH_TESTS_UNIT_INDEX_WORLD_H

#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "crypto/crypto.h"
#include "directory.h"
#include "store/index.h"

enum { MAP = 1 << 24, RUN = 64 };

static char top[PATH_SIZE];
static char why[200];

__attribute__((unused)) static struct index *must_open(
	size_t map_size, size_t run_size)
{
	struct index *index = NULL;
	enum err err = index_open_sized(&index, top, map_size, run_size, why);

	if (err)
		print_error("%s\n", why);
	assert_int_equal(err, ERR_OK);
	return index;
}

__attribute__((unused)) static const char *data_path(void)
{
	static char path[PATH_SIZE];

	return path_of(path, top, "index/data.mdb");
}

__attribute__((unused)) static const char *seal_path(void)
{
	static char path[PATH_SIZE];

	return path_of(path, top, "index/data.seal");
}

/* No damage was met. */
__attribute__((unused)) static void close_whole(struct index **index)
{
	index_close(index);
	assert_int_equal(access(seal_path(), F_OK), 0);
}

/* Bytes that follow from a number. */
__attribute__((unused)) static void fill(
	void *out, size_t size, uint64_t number)
{
	struct random random;
	uint8_t *at = out;

	random_seed(&random, number);
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)random_next(&random);
}

__attribute__((unused)) static struct key key_of(uint64_t number)
{
	struct key key;

	fill(&key, sizeof(key), number % 10);
	return key;
}

__attribute__((unused)) static struct id id_of(uint64_t number)
{
	struct id id;

	fill(&id, sizeof(id), number + 1000000);
	return id;
}

__attribute__((unused)) static struct hash hash_of(uint64_t number)
{
	struct hash hash;

	fill(&hash, sizeof(hash), number + 2000000);
	return hash;
}

/* Transaction number is at height with the hash of height. */
__attribute__((unused)) static void put_tx(
	struct index *index, uint64_t number, uint64_t height)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	struct hash hash = hash_of(height);

	index_put_tx(index, &wallet, &id, &hash, height, (uint16_t)number);
}

/* Its height; 0 when it is not there. */
__attribute__((unused)) static uint64_t find_tx(
	struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	struct hash hash;
	struct hash want;
	uint64_t height;
	uint16_t at;

	if (!index_find_tx(index, &wallet, &id, &hash, &height, &at))
		return 0;
	want = hash_of(height);
	assert_true(hash_equal(&hash, &want));
	assert_int_equal(at, (uint16_t)number);
	return height;
}

__attribute__((unused)) static void put_block(
	struct index *index, uint64_t number, uint64_t height)
{
	struct hash hash = hash_of(number);

	index_put_block(index, &hash, height);
}

__attribute__((unused)) static uint64_t find_block(
	struct index *index, uint64_t number)
{
	struct hash hash = hash_of(number);
	uint64_t height;

	return index_find_block(index, &hash, &height) ? height : 0;
}

enum { SNAPSHOT_MAX = 200000 };

__attribute__((unused)) static size_t snapshot_of(
	uint64_t height, uint8_t out[SNAPSHOT_MAX])
{
	static const size_t sizes[] = {1, 32703, 32704, 32705, 130816, 199999};
	size_t size = sizes[height % 6];

	fill(out, size, height);
	return size;
}

__attribute__((unused)) static void put_snapshot(
	struct index *index, uint64_t height)
{
	static uint8_t bytes[SNAPSHOT_MAX];
	uint8_t header[400];
	struct signature signature;

	fill(&signature, sizeof(signature), height);
	fill(header, sizeof(header), height);
	index_put_snapshot(index, height, view_of(header, height % 401),
		&signature, view_of(bytes, snapshot_of(height, bytes)));
}

/* The height that is found for height; all of it is right. */
__attribute__((unused)) static uint64_t find_snapshot(
	struct index *index, uint64_t height, size_t part)
{
	static uint8_t want[SNAPSHOT_MAX];
	static uint8_t got[SNAPSHOT_MAX];
	uint8_t want_header[400];
	uint8_t header[400];
	struct signature want_signature;
	struct signature signature;
	size_t header_size;
	uint64_t total = 1;
	uint64_t at = 0;

	while (at < total) {
		size_t size = part;

		if (!index_find_snapshot(index, &height, header, &header_size,
			    &signature, at, got + at, &size, &total))
			return 0;
		assert_true(size > 0 && size <= part);
		at += size;
	}
	assert_int_equal(at, total);
	assert_int_equal(total, snapshot_of(height, want));
	assert_memory_equal(got, want, total);
	fill(&want_signature, sizeof(want_signature), height);
	assert_memory_equal(&signature, &want_signature, sizeof(signature));
	fill(want_header, sizeof(want_header), height);
	assert_int_equal(header_size, height % 401);
	assert_memory_equal(header, want_header, header_size);
	return height;
}

__attribute__((unused)) static void put_received(
	struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);
	uint8_t bytes[8];

	memcpy(bytes, &number, 8);
	index_put_received(index, &wallet, &id, view_of(bytes, 8));
}

__attribute__((unused)) static void remove_received(
	struct index *index, uint64_t number)
{
	struct key wallet = key_of(number);
	struct id id = id_of(number);

	index_remove_received(index, &wallet, &id);
}

/* The numbers that are there, in order; returns how many. */
__attribute__((unused)) static size_t list_received(
	struct index *index, uint64_t *out, size_t max)
{
	uint64_t cursor = 0;
	uint64_t number;
	size_t count = 0;
	size_t size;

	while (index_next_received(
		index, &cursor, (uint8_t *)&number, &size, 8)) {
		assert_int_equal(size, 8);
		assert_true(count < max);
		out[count++] = number;
	}
	return count;
}

__attribute__((unused)) static int make(void **state)
{
	(void)state;
	directory_make(top);
	return 0;
}

__attribute__((unused)) static int remove_it(void **state)
{
	(void)state;
	directory_remove(top);
	return 0;
}

__attribute__((unused)) static int start(void **state)
{
	(void)state;
	crypto_start();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_it)

#endif
