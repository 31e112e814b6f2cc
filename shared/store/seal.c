/* store/seal.c -- BLAKE2b-256 of a whole file, as 32 bytes in another.
 */
#include "store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum { PART_SIZE = 1 << 18 };

static bool hash_all(int file, struct hash *out)
{
	struct hasher hasher;
	uint8_t *part = malloc(PART_SIZE);
	ssize_t got;

	CHECK(part);
	hash_start(&hasher);
	while ((got = read(file, part, PART_SIZE)) > 0 ||
		(got < 0 && errno == EINTR))
		if (got > 0)
			hash_add(&hasher, view_of(part, (size_t)got));
	free(part);
	*out = hash_end(&hasher);
	return got == 0;
}

/* ERR_FULL: it is too large; ERR_IO, with errno: it cannot be read. */
static enum err hash_file(int directory, const char *name, struct hash *out)
{
	int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	enum err err = ERR_OK;

	if (file < 0)
		return ERR_IO;
	if (fstat(file, &status) != 0)
		err = ERR_IO;
	else if (status.st_size > SEAL_FILE_MAX)
		err = ERR_FULL;
	else if (!hash_all(file, out))
		err = ERR_IO;
	close(file);
	return err;
}

void seal_make(int directory, const char *name, const char *seal)
{
	struct hash hash;
	int file;
	bool good;

	if (hash_file(directory, name, &hash) != ERR_OK)
		return;
	file = openat(directory, seal, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		0600);
	if (file < 0)
		return;
	good = write(file, hash.bytes, HASH_SIZE) == HASH_SIZE &&
	       fsync(file) == 0;
	close(file);
	if (!good)
		unlinkat(directory, seal, 0);
}

/* False: there is none, or it was not written to its end. */
static bool read_seal(int directory, const char *seal, struct hash *out)
{
	int file = openat(directory, seal, O_RDONLY | O_CLOEXEC);
	bool good = file >= 0 && read(file, out->bytes, HASH_SIZE) == HASH_SIZE;

	if (file >= 0)
		close(file);
	return good;
}

enum err seal_break(int directory, const char *name, const char *seal)
{
	struct hash was;
	struct hash is;

	if (read_seal(directory, seal, &was) &&
		faccessat(directory, name, F_OK, 0) == 0) {
		enum err err = hash_file(directory, name, &is);
		if (err == ERR_IO)
			return err;
		if (err != ERR_OK || !hash_equal(&was, &is))
			return ERR_DAMAGED;
	}
	if (unlinkat(directory, seal, 0) == 0)
		return fsync(directory) == 0 ? ERR_OK : ERR_IO;
	return errno == ENOENT ? ERR_OK : ERR_IO;
}
