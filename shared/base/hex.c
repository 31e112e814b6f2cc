/* base/hex.c -- hex digits, one spelling: lower case both ways, so that what is
 * read is what was printed.
 */
#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

char *hex_encode(char *out, struct view bytes)
{
	char *at = out;

	for (size_t i = 0; i < bytes.size; i++) {
		*at++ = digits[bytes.data[i] >> 4];
		*at++ = digits[bytes.data[i] & 15];
	}
	*at = '\0';
	return out;
}

/* 0..15, or 16 when it is no digit. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

enum err hex_decode(uint8_t *out, size_t size, const char *text)
{
	if (strlen(text) != 2 * size)
		return ERR_ENCODING;
	for (size_t i = 0; i < 2 * size; i++) {
		if (digit_value(text[i]) > 15)
			return ERR_ENCODING;
	}
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(digit_value(text[2 * i]) << 4 |
				   digit_value(text[2 * i + 1]));
	return ERR_OK;
}
