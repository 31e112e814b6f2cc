/* crypto/details.c -- see details.h.
 *
 * Sealed: how many readers there are (1 byte); for each a crypto_box_seal of
 * one fresh key (80 bytes); then salt and text in a crypto_secretbox under that
 * key, whose nonce is zero because the key is used once.
 */
#include "crypto/details.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"

enum {
	KEY_BOX = crypto_box_SEALBYTES + crypto_secretbox_KEYBYTES,
	PLAIN_MAX = DETAILS_SALT + DETAILS_TEXT_MAX,
	TEXT_BOX = crypto_secretbox_MACBYTES + DETAILS_SALT,
};
_Static_assert(
	1 + DETAILS_READERS_MAX * KEY_BOX + TEXT_BOX + DETAILS_TEXT_MAX <=
		DETAILS_SEALED_MAX,
	"the longest text for the most readers");

static const uint8_t once[crypto_secretbox_NONCEBYTES];

static struct hash commit(const struct details *details)
{
	struct view parts[] = {
		view_of("perch/details", sizeof("perch/details")),
		view_of(details->salt, sizeof(details->salt)),
		view_text(details->text),
	};

	return hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
}

bool details_fit(const struct details *details, const struct hash *commitment)
{
	struct hash hash = commit(details);

	return hash_equal(&hash, commitment);
}

/* Of a sealed box: BLAKE2b-192 of the box's own key and the reader's. */
static void box_nonce(uint8_t nonce[crypto_box_NONCEBYTES],
	const uint8_t own[32], const uint8_t reader[32])
{
	uint8_t both[64];

	memcpy(both, own, 32);
	memcpy(both + 32, reader, 32);
	crypto_generichash(
		nonce, crypto_box_NONCEBYTES, both, sizeof(both), NULL, 0);
}

static enum err seal_key(uint8_t out[KEY_BOX], const struct key *reader,
	const uint8_t chance[32], const uint8_t *secret)
{
	uint8_t curve[32], own[32], own_secret[32];
	uint8_t nonce[crypto_box_NONCEBYTES];
	enum err err = curve_from_key(curve, reader);

	if (err != ERR_OK)
		return err;
	crypto_box_seed_keypair(own, own_secret, chance);
	box_nonce(nonce, own, curve);
	memcpy(out, own, sizeof(own));
	int failed = crypto_box_easy(out + sizeof(own), secret,
		crypto_secretbox_KEYBYTES, nonce, curve, own_secret);
	CHECK(failed == 0);
	sodium_memzero(own_secret, sizeof(own_secret));
	return ERR_OK;
}

enum err details_seal(const char *text, const struct key *readers,
	size_t reader_count, const struct details_chance *chance,
	uint8_t sealed[DETAILS_SEALED_MAX], size_t *sealed_size,
	struct hash *commitment)
{
	struct details details = {.text = ""};
	uint8_t plain[PLAIN_MAX], out[DETAILS_SEALED_MAX];
	size_t size = strlen(text), at = 1;
	enum err err = ERR_OK;

	if (size > DETAILS_TEXT_MAX || reader_count < 1 ||
		reader_count > DETAILS_READERS_MAX)
		return ERR_LENGTH;
	memcpy(details.text, text, size + 1);
	memcpy(details.salt, chance->salt, sizeof(details.salt));
	out[0] = (uint8_t)reader_count;
	for (size_t i = 0; err == ERR_OK && i < reader_count; i++) {
		err = seal_key(out + at, &readers[i], chance->boxes[i],
			chance->secret);
		at += KEY_BOX;
	}
	if (err == ERR_OK) {
		memcpy(plain, details.salt, DETAILS_SALT);
		memcpy(plain + DETAILS_SALT, text, size);
		crypto_secretbox_easy(out + at, plain, DETAILS_SALT + size,
			once, chance->secret);
		memcpy(sealed, out, at + TEXT_BOX + size);
		*sealed_size = at + TEXT_BOX + size;
		*commitment = commit(&details);
	}
	sodium_memzero(plain, sizeof(plain));
	return err;
}

static bool open_box(uint8_t secret[crypto_secretbox_KEYBYTES],
	const uint8_t *box, const struct curve_pair *curve)
{
	uint8_t nonce[crypto_box_NONCEBYTES];

	box_nonce(nonce, box, curve->public_key);
	return crypto_box_open_easy(secret, box + 32, KEY_BOX - 32, nonce, box,
		       curve->secret_key) == 0;
}

/* The key that one of the boxes holds for this reader. */
static bool open_key(const uint8_t seed[32], const uint8_t *boxes,
	size_t box_count, uint8_t secret[crypto_secretbox_KEYBYTES])
{
	struct keypair pair;
	struct curve_pair curve;
	bool opened = false;

	keypair_from_seed(&pair, seed);
	curve_from_keypair(&curve, &pair);
	for (size_t i = 0; !opened && i < box_count; i++)
		opened = open_box(secret, boxes + i * KEY_BOX, &curve);
	sodium_memzero(&pair, sizeof(pair));
	sodium_memzero(&curve, sizeof(curve));
	return opened;
}

enum err details_open(const uint8_t seed[32], const void *sealed,
	size_t sealed_size, const struct hash *commitment, struct details *out)
{
	const uint8_t *bytes = sealed;
	uint8_t secret[crypto_secretbox_KEYBYTES], plain[PLAIN_MAX];
	struct details details = {.text = ""};
	enum err err = ERR_DAMAGED;

	if (sealed_size < 1 || sealed_size > DETAILS_SEALED_MAX ||
		bytes[0] < 1 || bytes[0] > DETAILS_READERS_MAX)
		return ERR_DAMAGED;
	size_t at = 1 + (size_t)bytes[0] * KEY_BOX;
	if (sealed_size < at + TEXT_BOX ||
		sealed_size > at + TEXT_BOX + DETAILS_TEXT_MAX)
		return ERR_DAMAGED;
	if (!open_key(seed, bytes + 1, bytes[0], secret))
		return ERR_KEY;
	if (crypto_secretbox_open_easy(
		    plain, bytes + at, sealed_size - at, once, secret) == 0) {
		memcpy(details.salt, plain, DETAILS_SALT);
		memcpy(details.text, plain + DETAILS_SALT,
			sealed_size - at - TEXT_BOX);
		if (details_fit(&details, commitment)) {
			*out = details;
			err = ERR_OK;
		}
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(plain, sizeof(plain));
	return err;
}
