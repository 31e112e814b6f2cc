/* wallet/pass.h -- clearances that are carried: what `clearance` and `verify`
 * share.
 */
#ifndef PERCH_WALLET_PASS_H
#define PERCH_WALLET_PASS_H

#include "wallet.h"

#include <stdio.h>

#include <perch/pass.h>

/* Say what is thought of a file, and what it says (NULL: nothing that is
 * proved). path: where it was written, or NULL. Returns the exit code. */
int pass_say(const struct wallet *wallet, enum perch_verdict verdict,
	const struct perch_pass *pass, const char *path);

/* Write what the block at a height granted to a reservation to a file.
 * EXIT_UNKNOWN: it is not certified yet; EXIT_USAGE: it cannot be written. */
int pass_write(struct wallet *wallet, uint64_t height,
	const struct perch_id *reservation, const char *path);

/* A QR code of bytes (level L) in half blocks; false: it does not fit, or
 * cannot be written. */
bool qr_draw(FILE *file, const uint8_t *bytes, size_t size);

#endif
