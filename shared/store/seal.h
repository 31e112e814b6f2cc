/* store/seal.h -- a hash of a file, kept beside it while nobody has it open.
 *
 * What changes in the file meanwhile is found before anything else reads it. A
 * program that ends without closing leaves no seal, and nothing is known then.
 */
#ifndef PERCH_STORE_SEAL_H
#define PERCH_STORE_SEAL_H

#include "base/err.h"

/* A larger file has none: a second to start and to stop is enough. */
#define SEAL_FILE_MAX ((int64_t)1 << 30)

/* Of the closed file directory/name, which is durable. There is none when it is
 * too large, or the seal cannot be written. */
void seal_make(int directory, const char *name, const char *seal);
/* Before it is opened: the seal is gone then, durably. ERR_DAMAGED: the file is
 * not as it was when it was sealed (one that is gone is); ERR_IO, with errno:
 * it cannot be read, which says nothing of it, or the seal stays. */
MUST_CHECK enum err seal_break(
	int directory, const char *name, const char *seal);

#endif
