/* base/hex.h -- bytes as lower-case hex, for people and JSON. */
#ifndef PERCH_BASE_HEX_H
#define PERCH_BASE_HEX_H

#include "base/err.h"
#include "base/view.h"

/* Write 2 * bytes.size digits and a NUL; out holds that many. Returns out. */
char *hex_encode(char *out, struct view bytes);

/* Exactly size bytes from 2 * size digits; ERR_ENCODING otherwise. */
MUST_CHECK enum err hex_decode(uint8_t *out, size_t size, const char *text);

#endif
