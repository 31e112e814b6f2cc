/* store/keyfile.c -- four or five lines of text, read strictly.
 */
#include "store/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"

enum {
	SEED_SIZE = 32,
	SEALED_SIZE = SEED_SIZE + crypto_secretbox_MACBYTES,
	FILE_MAX = 1024,
	PATH_BYTES = 1024,
};

#define FORMAT "perch-key 1"

static enum err fail(
	enum err err, char *why, const char *path, const char *cause)
{
	snprintf(why, KEYFILE_WHY, "%.200s: %s", path, cause);
	return err;
}

/* ---- under a passphrase ---- */

struct sealed {
	uint8_t salt[crypto_pwhash_SALTBYTES];
	uint8_t nonce[crypto_secretbox_NONCEBYTES];
	uint8_t bytes[SEALED_SIZE];
};

static bool stretch(uint8_t key[crypto_secretbox_KEYBYTES],
	const char *passphrase, const uint8_t *salt)
{
	return crypto_pwhash(key, crypto_secretbox_KEYBYTES, passphrase,
		       strlen(passphrase), salt,
		       crypto_pwhash_OPSLIMIT_INTERACTIVE,
		       crypto_pwhash_MEMLIMIT_INTERACTIVE,
		       crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static bool seal(struct sealed *out, const uint8_t seed[SEED_SIZE],
	const char *passphrase)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	randombytes_buf(out->salt, sizeof(out->salt));
	randombytes_buf(out->nonce, sizeof(out->nonce));
	bool done = stretch(key, passphrase, out->salt) &&
		    crypto_secretbox_easy(
			    out->bytes, seed, SEED_SIZE, out->nonce, key) == 0;
	sodium_memzero(key, sizeof(key));
	return done;
}

static bool unseal(uint8_t seed[SEED_SIZE], const struct sealed *sealed,
	const char *passphrase)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	bool done = stretch(key, passphrase, sealed->salt) &&
		    crypto_secretbox_open_easy(seed, sealed->bytes, SEALED_SIZE,
			    sealed->nonce, key) == 0;
	sodium_memzero(key, sizeof(key));
	return done;
}

/* ---- text ---- */

static void put(char *text, const char *name, const void *bytes, size_t size)
{
	char hex[2 * 64 + 1];
	CHECK(size <= 64);
	size_t used = strlen(text);
	snprintf(text + used, FILE_MAX - used, "%s %s\n", name,
		hex_encode(hex, view_of(bytes, size)));
	sodium_memzero(hex, sizeof(hex));
}

/* The next line must be this name and so many bytes. */
static bool get(const char **text, const char *name, void *bytes, size_t size)
{
	char hex[2 * 64 + 1];
	size_t length = strlen(name);
	const char *end = strchr(*text, '\n');
	if (end == NULL || strncmp(*text, name, length) != 0 ||
		(*text)[length] != ' ' ||
		(size_t)(end - *text) != length + 1 + 2 * size)
		return false;
	memcpy(hex, *text + length + 1, 2 * size);
	hex[2 * size] = '\0';
	*text = end + 1;
	bool good = hex_decode(bytes, size, hex) == ERR_OK;
	sodium_memzero(hex, sizeof(hex));
	return good;
}

/* ---- writing ---- */

static bool sync_directory(const char *path)
{
	char copy[PATH_BYTES];
	memcpy(copy, path, strlen(path) + 1);
	int directory = open(dirname(copy), O_RDONLY | O_CLOEXEC);
	if (directory < 0)
		return false;
	bool done = fsync(directory) == 0;
	close(directory);
	return done;
}

/* The name appears when the file is complete and durable, and only if nobody
 * has it: link does not replace. 0 or errno. */
static int write_new(const char *path, const char *text)
{
	char draft[PATH_BYTES + 16];
	size_t size = strlen(text);
	if (strlen(path) >= PATH_BYTES)
		return ENAMETOOLONG;
	snprintf(draft, sizeof(draft), "%s.%08x", path, randombytes_random());
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	int error = 0;
	if (write(fd, text, size) != (ssize_t)size || fsync(fd) != 0 ||
		link(draft, path) != 0 || !sync_directory(path))
		error = errno;
	close(fd);
	unlink(draft);
	return error;
}

enum err keyfile_save(const char *path, const struct keypair *pair,
	const char *passphrase, char *why)
{
	char text[FILE_MAX] = FORMAT "\n";
	put(text, "public", pair->key.bytes, KEY_SIZE);
	if (passphrase != NULL) {
		struct sealed sealed;
		if (!seal(&sealed, pair->secret, passphrase))
			return fail(ERR_IO, why, path,
				"too little memory for the passphrase");
		put(text, "salt", sealed.salt, sizeof(sealed.salt));
		put(text, "nonce", sealed.nonce, sizeof(sealed.nonce));
		put(text, "sealed", sealed.bytes, sizeof(sealed.bytes));
	} else {
		put(text, "seed", pair->secret, SEED_SIZE);
	}
	int error = write_new(path, text);
	sodium_memzero(text, sizeof(text));
	if (error == EEXIST)
		return fail(ERR_EXISTS, why, path,
			"exists already; a key is never overwritten");
	if (error != 0)
		return fail(ERR_IO, why, path, strerror(error));
	return ERR_OK;
}

/* Hand a pair over: out of swap and core files, as far as the system allows;
 * some containers do not. */
static void hand_over(struct keypair *out, struct keypair *pair)
{
	(void)sodium_mlock(out, sizeof(*out));
	*out = *pair;
	sodium_memzero(pair, sizeof(*pair));
}

void keyfile_forget(struct keypair *pair)
{
	(void)sodium_munlock(pair, sizeof(*pair));
}

enum err keyfile_create(const char *path, const char *passphrase,
	struct keypair *out, char *why)
{
	uint8_t seed[SEED_SIZE];
	struct keypair pair;
	randombytes_buf(seed, sizeof(seed));
	keypair_from_seed(&pair, seed);
	sodium_memzero(seed, sizeof(seed));
	enum err err = keyfile_save(path, &pair, passphrase, why);
	if (err == ERR_OK)
		hand_over(out, &pair);
	sodium_memzero(&pair, sizeof(pair));
	return err;
}

/* ---- reading ---- */

static enum err read_text(const char *path, char text[FILE_MAX], char *why)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, why, path,
			strerror(errno));
	enum err err = ERR_OK;
	ssize_t size = -1;
	if (fstat(fd, &info) != 0)
		err = fail(ERR_IO, why, path, strerror(errno));
	else if (!S_ISREG(info.st_mode))
		err = fail(ERR_ENCODING, why, path, "not a file");
	else if ((info.st_mode & 077) != 0)
		err = fail(ERR_MODE, why, path,
			"others may read this key; chmod 600");
	else
		size = read(fd, text, FILE_MAX - 1);
	if (err == ERR_OK && size < 0)
		err = fail(ERR_IO, why, path, strerror(errno));
	close(fd);
	if (err != ERR_OK)
		return err;
	text[size] = '\0';
	if (strlen(text) != (size_t)size)
		return fail(ERR_ENCODING, why, path, "not a text");
	return ERR_OK;
}

static enum err parse(const char *path, const char *text,
	const char *passphrase, struct key *key, uint8_t seed[SEED_SIZE],
	char *why)
{
	static const char *const malformed = "not a key file of this format";
	struct sealed sealed;
	size_t length = strlen(FORMAT "\n");
	if (strncmp(text, FORMAT "\n", length) != 0)
		return fail(ERR_ENCODING, why, path, malformed);
	text += length;
	if (!get(&text, "public", key->bytes, KEY_SIZE))
		return fail(ERR_ENCODING, why, path, malformed);
	if (get(&text, "seed", seed, SEED_SIZE))
		return *text == '\0' ? ERR_OK
				     : fail(ERR_ENCODING, why, path, malformed);
	if (!get(&text, "salt", sealed.salt, sizeof(sealed.salt)) ||
		!get(&text, "nonce", sealed.nonce, sizeof(sealed.nonce)) ||
		!get(&text, "sealed", sealed.bytes, sizeof(sealed.bytes)) ||
		*text != '\0')
		return fail(ERR_ENCODING, why, path, malformed);
	if (passphrase == NULL)
		return fail(ERR_PASSPHRASE, why, path,
			"needs its passphrase: set PERCH_PASSPHRASE");
	if (!unseal(seed, &sealed, passphrase))
		return fail(ERR_PASSPHRASE, why, path, "wrong passphrase");
	return ERR_OK;
}

enum err keyfile_load(const char *path, const char *passphrase,
	struct keypair *out, char *why)
{
	char text[FILE_MAX];
	uint8_t seed[SEED_SIZE];
	struct key key;
	struct keypair pair;
	enum err err = read_text(path, text, why);
	if (err == ERR_OK)
		err = parse(path, text, passphrase, &key, seed, why);
	sodium_memzero(text, sizeof(text));
	if (err == ERR_OK) {
		keypair_from_seed(&pair, seed);
		if (!key_equal(&pair.key, &key))
			err = fail(ERR_KEY, why, path,
				"public key and secret do not belong together");
	}
	sodium_memzero(seed, sizeof(seed));
	if (err == ERR_OK)
		hand_over(out, &pair);
	sodium_memzero(&pair, sizeof(pair));
	return err;
}
