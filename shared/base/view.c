/* base/view.c -- comparing borrowed bytes and identities. Nothing here is
 * secret, so the comparisons need not take constant time.
 */
#include "base/view.h"

#include <string.h>

struct view view_text(const char *text)
{
	return view_of(text, strlen(text));
}

bool view_equal(struct view a, struct view b)
{
	if (a.size != b.size)
		return false;
	return a.size == 0 || memcmp(a.data, b.data, a.size) == 0;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
	return memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}

bool hash_is_zero(const struct hash *a)
{
	static const struct hash zero;

	return hash_equal(a, &zero);
}

bool key_equal(const struct key *a, const struct key *b)
{
	return memcmp(a->bytes, b->bytes, KEY_SIZE) == 0;
}

bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, ID_SIZE) == 0;
}
