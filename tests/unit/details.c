/* tests/unit/details.c -- details for few: who may read them does, nobody else,
 * and nobody can say that they were others.
 */
#include "unit.h"

#include <string.h>

#include <perch/client.h>
#include <perch/details.h>

#include "crypto/crypto.h"

static const uint8_t seeds[4][32] = {{1}, {2}, {3}, {4}};

struct sealed {
	uint8_t bytes[PERCH_SEALED_MAX];
	size_t size;
	struct perch_hash commitment;
};

static struct sealed seal(const char *text, size_t readers)
{
	struct perch_key keys[3];
	struct sealed sealed;

	crypto_start();
	for (int i = 0; i < 3; i++)
		keys[i] = perch_key_of(seeds[i]);
	assert_int_equal(perch_details_seal(text, keys, readers, sealed.bytes,
				 &sealed.size, &sealed.commitment),
		PERCH_OK);
	return sealed;
}

static enum perch_err open_as(
	int who, const struct sealed *sealed, struct perch_details *out)
{
	return perch_details_open(seeds[who], sealed->bytes, sealed->size,
		&sealed->commitment, out);
}

static void test_readers(void **unused)
{
	struct sealed sealed = seal("JA01XY for the clinic", 3);
	struct perch_details details;

	(void)unused;
	for (int who = 0; who < 3; who++) {
		memset(&details, 0, sizeof(details));
		assert_int_equal(open_as(who, &sealed, &details), PERCH_OK);
		assert_string_equal(details.text, "JA01XY for the clinic");
		assert_true(perch_details_fit(&details, &sealed.commitment));
	}
	assert_int_equal(open_as(3, &sealed, &details), PERCH_ERR_KEY);
	/* Shown to somebody else, with another word in it. */
	details.text[0] = 'X';
	assert_false(perch_details_fit(&details, &sealed.commitment));
	/* The same text commits to something else each time. */
	struct sealed again = seal("JA01XY for the clinic", 3);
	assert_memory_not_equal(&again.commitment, &sealed.commitment, 32);
	sealed = seal("", 1);
	assert_int_equal(open_as(0, &sealed, &details), PERCH_OK);
	assert_int_equal(open_as(1, &sealed, &details), PERCH_ERR_KEY);
}

static void test_limits(void **unused)
{
	char text[PERCH_DETAILS_MAX + 2];
	struct perch_key key = perch_key_of(seeds[0]);
	struct sealed sealed;

	(void)unused;
	memset(text, 'x', sizeof(text));
	text[PERCH_DETAILS_MAX + 1] = '\0';
	assert_int_equal(perch_details_seal(text, &key, 1, sealed.bytes,
				 &sealed.size, &sealed.commitment),
		PERCH_ERR_LENGTH);
	text[PERCH_DETAILS_MAX] = '\0';
	sealed = seal(text, 3);
	assert_int_equal(sealed.size, PERCH_SEALED_MAX);
	assert_int_equal(perch_details_seal(text, &key, 0, sealed.bytes,
				 &sealed.size, &sealed.commitment),
		PERCH_ERR_LENGTH);
	memset(&key, 0xff, sizeof(key));
	assert_int_equal(perch_details_seal(text, &key, 1, sealed.bytes,
				 &sealed.size, &sealed.commitment),
		PERCH_ERR_KEY);
}

/* No byte can be changed, none is missing. */
static void test_damage(void **unused)
{
	struct sealed sealed = seal("JA01XY", 1);
	struct perch_details details;

	(void)unused;
	for (size_t i = 0; i < sealed.size; i++) {
		struct sealed bad = sealed;

		bad.bytes[i] ^= 1;
		assert_int_not_equal(open_as(0, &bad, &details), PERCH_OK);
		bad = sealed;
		bad.size = i;
		assert_int_not_equal(open_as(0, &bad, &details), PERCH_OK);
	}
	struct sealed bad = sealed;
	bad.commitment.bytes[0] ^= 1;
	assert_int_equal(open_as(0, &bad, &details), PERCH_ERR_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
