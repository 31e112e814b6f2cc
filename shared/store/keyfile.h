/* store/keyfile.h -- an Ed25519 key in a file of mode 0600.
 *
 * Lines of text: format, public key, and either the seed or, under a
 * passphrase, salt and sealed seed (Argon2id, XSalsa20-Poly1305; libsodium).
 */
#ifndef PERCH_STORE_KEYFILE_H
#define PERCH_STORE_KEYFILE_H

#include "crypto/crypto.h"

enum { KEYFILE_WHY = 300 };

/* Write a pair's key to a new file, durably and all at once. passphrase NULL:
 * not encrypted. ERR_EXISTS: a key is never overwritten; ERR_IO. why:
 * KEYFILE_WHY bytes. */
MUST_CHECK enum err keyfile_save(const char *path, const struct keypair *pair,
	const char *passphrase, char *why);

/* A new random pair, saved as above. */
MUST_CHECK enum err keyfile_create(const char *path, const char *passphrase,
	struct keypair *out, char *why);

/*
 * ERR_MODE: readable by others; ERR_PASSPHRASE: missing or wrong; ERR_ENCODING:
 * not a key file; ERR_KEY: the halves do not match; ERR_NOT_FOUND; ERR_IO. The
 * secret is kept out of swap, as far as the system allows.
 */
MUST_CHECK enum err keyfile_load(const char *path, const char *passphrase,
	struct keypair *out, char *why);

/* Wipe a pair that keyfile_create or keyfile_load gave, and unlock its memory.
 */
void keyfile_forget(struct keypair *pair);

#endif
