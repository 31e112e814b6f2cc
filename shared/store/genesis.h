/* store/genesis.h -- the file that is a network: who orders, which ports there
 * are, who may reserve. ZPL; its hash is the network id.
 */
#ifndef PERCH_STORE_GENESIS_H
#define PERCH_STORE_GENESIS_H

#include "contract/state.h"

enum { GENESIS_WHY = 300 };

/*
 * Fill out from a file. Names and endpoints in it are kept until genesis_free,
 * for the life of the process without it. ERR_CONFIG: an unknown, missing,
 * double or malformed setting; why (GENESIS_WHY bytes) names file, path of the
 * setting, and cure. ERR_IO.
 */
MUST_CHECK enum err genesis_load(
	struct genesis *out, const char *path, char *why);

/* Free the texts of a genesis that was loaded, or half loaded. */
void genesis_free(struct genesis *genesis);

#endif
