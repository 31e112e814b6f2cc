/* tests/unit/keyfile.c -- keys in files: what is written comes back, to nobody
 * else, and never in the place of another.
 */
#include "unit.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "directory.h"
#include "store/keyfile.h"

static char top[PATH_SIZE];
static char why[KEYFILE_WHY];

static const char *file(const char *name)
{
	static char path[PATH_SIZE];

	return path_of(path, top, name);
}

static struct keypair pair_of(uint8_t number)
{
	uint8_t seed[32] = {number};
	struct keypair pair;

	keypair_from_seed(&pair, seed);
	return pair;
}

static void assert_pair(const struct keypair *got, const struct keypair *want)
{
	assert_memory_equal(got->key.bytes, want->key.bytes, KEY_SIZE);
	assert_memory_equal(got->secret, want->secret, sizeof(want->secret));
}

static size_t read_file(const char *name, char out[2048])
{
	FILE *stream = fopen(file(name), "rb");
	size_t size;

	CHECK(stream);
	size = fread(out, 1, 2047, stream);
	out[size] = '\0';
	fclose(stream);
	return size;
}

static void write_file(const char *name, const char *bytes, size_t size)
{
	FILE *stream = fopen(file(name), "wb");

	CHECK(stream);
	CHECK(size == 0 || fwrite(bytes, size, 1, stream) == 1);
	CHECK(fclose(stream) == 0);
	CHECK(chmod(file(name), 0600) == 0);
}

static void test_a_key_comes_back(void **state)
{
	struct keypair pair = pair_of(1);
	struct keypair got;
	struct stat status;

	(void)state;
	umask(0);
	assert_int_equal(keyfile_save(file("a"), &pair, NULL, why), ERR_OK);
	umask(022);
	assert_int_equal(stat(file("a"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(keyfile_load(file("a"), NULL, &got, why), ERR_OK);
	assert_pair(&got, &pair);
	keyfile_forget(&got);
	pair = (struct keypair){.key = {{0}}};
	assert_pair(&got, &pair);
}

static void test_a_new_key_is_random(void **state)
{
	struct keypair made[2];
	struct keypair got;

	(void)state;
	assert_int_equal(
		keyfile_create(file("b"), NULL, &made[0], why), ERR_OK);
	assert_int_equal(
		keyfile_create(file("c"), NULL, &made[1], why), ERR_OK);
	assert_false(key_equal(&made[0].key, &made[1].key));
	assert_true(key_is_valid(&made[0].key));
	assert_int_equal(keyfile_load(file("b"), NULL, &got, why), ERR_OK);
	assert_pair(&got, &made[0]);
	keyfile_forget(&got);
	keyfile_forget(&made[0]);
	keyfile_forget(&made[1]);
}

static void test_a_key_is_never_overwritten(void **state)
{
	struct keypair first = pair_of(2);
	struct keypair second = pair_of(3);
	struct keypair got;
	const struct dirent *entry;
	DIR *stream;

	(void)state;
	assert_int_equal(keyfile_save(file("d"), &first, NULL, why), ERR_OK);
	assert_int_equal(
		keyfile_save(file("d"), &second, NULL, why), ERR_EXISTS);
	assert_non_null(strstr(why, file("d")));
	assert_int_equal(keyfile_load(file("d"), NULL, &got, why), ERR_OK);
	assert_pair(&got, &first);
	keyfile_forget(&got);
	/* And nothing half made stays. */
	stream = opendir(top);
	assert_non_null(stream);
	while ((entry = readdir(stream)))
		assert_true(
			strlen(entry->d_name) == 1 || entry->d_name[0] == '.');
	closedir(stream);
}

static void test_a_passphrase_is_needed(void **state)
{
	struct keypair pair = pair_of(4);
	struct keypair got;
	char text[2048];

	(void)state;
	assert_int_equal(
		keyfile_save(file("e"), &pair, "open sesame", why), ERR_OK);
	read_file("e", text);
	assert_null(strstr(text, "seed"));
	assert_int_equal(
		keyfile_load(file("e"), NULL, &got, why), ERR_PASSPHRASE);
	assert_non_null(strstr(why, "PERCH_PASSPHRASE"));
	assert_int_equal(keyfile_load(file("e"), "open barley", &got, why),
		ERR_PASSPHRASE);
	assert_non_null(strstr(why, "wrong"));
	assert_int_equal(
		keyfile_load(file("e"), "open sesame", &got, why), ERR_OK);
	assert_pair(&got, &pair);
	keyfile_forget(&got);
}

static void test_others_must_not_read_it(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
	struct keypair pair = pair_of(5);
	struct keypair got;

	(void)state;
	assert_int_equal(keyfile_save(file("f"), &pair, NULL, why), ERR_OK);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(file("f"), modes[i]), 0);
		assert_int_equal(
			keyfile_load(file("f"), NULL, &got, why), ERR_MODE);
		assert_non_null(strstr(why, "chmod 600"));
	}
	assert_int_equal(chmod(file("f"), 0400), 0);
	assert_int_equal(keyfile_load(file("f"), NULL, &got, why), ERR_OK);
	keyfile_forget(&got);
}

static void test_places_where_no_key_can_be(void **state)
{
	struct keypair pair = pair_of(6);
	struct keypair got;
	char deep[PATH_SIZE];

	(void)state;
	assert_int_equal(
		keyfile_load(file("g"), NULL, &got, why), ERR_NOT_FOUND);
	assert_int_equal(keyfile_load(top, NULL, &got, why), ERR_ENCODING);
	assert_int_equal(mkfifo(file("p"), 0600), 0);
	assert_int_equal(
		keyfile_load(file("p"), NULL, &got, why), ERR_ENCODING);
	path_of(deep, top, "no/such");
	assert_int_equal(keyfile_save(deep, &pair, NULL, why), ERR_IO);
	assert_non_null(strstr(why, "No such file"));
}

static void test_halves_that_do_not_match(void **state)
{
	struct keypair one = pair_of(7);
	struct keypair other = pair_of(8);
	struct keypair got;
	char text[2048];
	char from[2048];

	(void)state;
	assert_int_equal(keyfile_save(file("h"), &one, NULL, why), ERR_OK);
	assert_int_equal(keyfile_save(file("i"), &other, NULL, why), ERR_OK);
	read_file("h", text);
	read_file("i", from);
	memcpy(strstr(text, "public "), strstr(from, "public "), 7 + 64);
	write_file("h", text, strlen(text));
	assert_int_equal(keyfile_load(file("h"), NULL, &got, why), ERR_KEY);
}

/* No change of a file gives another key, and none crashes. */
static void test_damaged_files_are_refused(void **state)
{
	struct keypair pair = pair_of(9);
	struct random random;
	char text[2048];
	size_t size;

	(void)state;
	random_seed(&random, 9);
	assert_int_equal(keyfile_save(file("j"), &pair, NULL, why), ERR_OK);
	size = read_file("j", text);
	for (unsigned i = 0; i < 2000; i++) {
		struct keypair got;
		char bytes[2048];
		size_t left = size;
		enum err err;

		memcpy(bytes, text, size + 1);
		for (uint64_t n = 1 + random_below(&random, 3); n; n--)
			bytes[random_below(&random, size)] =
				(char)random_next(&random);
		if (i % 4 == 1)
			left = random_below(&random, size);
		if (i % 4 == 2)
			bytes[left++] = (char)random_next(&random);
		if (i % 4 == 3)
			for (left = 0; left < 1500; left++)
				bytes[left] = (char)random_next(&random);
		write_file("j", bytes, left);
		err = keyfile_load(file("j"), NULL, &got, why);
		if (err == ERR_OK)
			assert_pair(&got, &pair);
		else
			assert_true(err == ERR_ENCODING || err == ERR_KEY);
	}
}

static int start(void **state)
{
	(void)state;
	crypto_start();
	directory_make(top);
	return 0;
}

static int end(void **state)
{
	(void)state;
	directory_remove(top);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_comes_back),
		cmocka_unit_test(test_a_new_key_is_random),
		cmocka_unit_test(test_a_key_is_never_overwritten),
		cmocka_unit_test(test_a_passphrase_is_needed),
		cmocka_unit_test(test_others_must_not_read_it),
		cmocka_unit_test(test_places_where_no_key_can_be),
		cmocka_unit_test(test_halves_that_do_not_match),
		cmocka_unit_test(test_damaged_files_are_refused),
	};

	return cmocka_run_group_tests(tests, start, end);
}
