/* base/err.c -- the words and sentences of ERR_LIST. */
#include "base/err.h"

#include <stddef.h>

const char *err_name(enum err err)
{
	switch (err) {
#define X(name, word, text)                                                    \
	case ERR_##name:                                                       \
		return word;
		ERR_LIST(X)
#undef X
	}
	return "unknown";
}

const char *err_text(enum err err)
{
	switch (err) {
#define X(name, word, text)                                                    \
	case ERR_##name:                                                       \
		return text;
		ERR_LIST(X)
#undef X
	}
	return "an error without a name";
}
