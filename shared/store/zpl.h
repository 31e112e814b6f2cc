/* store/zpl.h -- a ZPL file (ZeroMQ RFC 4), read more strictly than czmq does.
 *
 * czmq's zconfig prints its complaints to standard output and keeps both of two
 * settings with one name. So the lines are looked at first, and the tree after.
 */
#ifndef PERCH_STORE_ZPL_H
#define PERCH_STORE_ZPL_H

#include <czmq.h>

#include "base/err.h"
#include "base/view.h"

enum { ZPL_WHY = 300, ZPL_BYTES_MAX = 16 << 20, ZPL_SIBLINGS_MAX = 4096 };

/* The tree of a file (zconfig_destroy frees it) and the BLAKE2b-256 of its
 * bytes. ERR_CONFIG: not ZPL, a setting twice, a value beside settings below
 * it; why (ZPL_WHY bytes) names file, line or path, and cure. ERR_IO. */
MUST_CHECK enum err zpl_load(
	zconfig_t **out, struct hash *hash, const char *path, char *why);

#endif
