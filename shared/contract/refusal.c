/* contract/refusal.c -- the words and sentences of refusals. */
#include "contract/refusal.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"

struct words {
	const char *name, *english, *japanese;
};

static const struct words table[] = {
#define X(name, number, word, english, japanese)                               \
	[number] = {word, english, japanese},
	REFUSAL_LIST(X)
#undef X
};

static const struct words *words_of(enum refusal code)
{
	CHECK((size_t)code < sizeof(table) / sizeof(table[0]));
	return &table[code];
}

const char *refusal_name(enum refusal code)
{
	return words_of(code)->name;
}

const char *refusal_text(enum refusal code, const char *language)
{
	const struct words *words = words_of(code);

	return strcmp(language, "ja") == 0 ? words->japanese : words->english;
}
