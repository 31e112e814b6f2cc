/* client/types.c -- words and small values of the public headers.
 *
 * The public errors are the numbers of base/err.h under other names, so that
 * one can be handed out as the other.
 */
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "client/inside.h"
#include "contract/refusal.h"
#include "contract/state.h"
#include "clock/clock.h"

#define SAME(name)                                                             \
	_Static_assert((int)PERCH_ERR_##name == (int)ERR_##name,               \
		"perch/types.h and base/err.h list the same errors")

_Static_assert((int)PERCH_OK == (int)ERR_OK, "no error is 0");
SAME(ENCODING);
SAME(LENGTH);
SAME(TYPE);
SAME(VERSION);
SAME(NETWORK);
SAME(KEY);
SAME(SIGNATURE);
SAME(ROLE);
SAME(REPLAY);
SAME(EXPIRED);
SAME(BUSY);
SAME(FULL);
SAME(NOT_FOUND);
SAME(EXISTS);
SAME(PARENT);
SAME(ROOT);
SAME(TIME);
SAME(DAMAGED);
SAME(IO);
SAME(CONFIG);
SAME(PASSPHRASE);
SAME(MODE);
SAME(IN_USE);
SAME(TIMEOUT);
SAME(UNREACHABLE);
SAME(BEHIND);
SAME(SIGNERS);
SAME(RATE);
SAME(DISK);

_Static_assert((int)PERCH_REVOKED == (int)RESERVATION_REVOKED &&
		       (int)PERCH_OVERSTAY == (int)RESERVATION_OVERSTAY,
	"perch/types.h and contract/state.h list the same states");

const char *perch_err_name(enum perch_err err)
{
	return err_name((enum err)err);
}

const char *perch_err_text(enum perch_err err)
{
	return err_text((enum err)err);
}

const char *perch_refusal_name(uint8_t code)
{
	return refusal_name((enum refusal)code);
}

const char *perch_refusal_text(uint8_t code, const char *language)
{
	return refusal_text((enum refusal)code, language);
}

const char *perch_state_name(int state)
{
	static const char *const names[] = {"none", "held", "confirmed",
		"cleared", "occupied", "overstay", "contingent", "waitlisted",
		"released", "cancelled", "expired", "no_show", "preempted",
		"revoked"};

	if (state < 0 || (size_t)state >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[state];
}

const char *perch_status_name(enum perch_status status)
{
	switch (status) {
	case PERCH_UNKNOWN:
		return "unknown";
	case PERCH_RECEIVED:
		return "received";
	case PERCH_ORDERED:
		return "ordered";
	case PERCH_FINAL:
		return "final";
	}
	return "unknown";
}

char *perch_hex(char *out, const void *bytes, size_t size)
{
	return hex_encode(out, view_of(bytes, size));
}

enum perch_err perch_unhex(void *out, size_t size, const char *text)
{
	return (enum perch_err)hex_decode(out, size, text);
}

struct perch_key perch_key_of(const uint8_t seed[32])
{
	struct keypair pair;
	struct perch_key key;

	crypto_start();
	keypair_from_seed(&pair, seed);
	give_key(&key, &pair.key);
	explicit_bzero(&pair, sizeof(pair));
	return key;
}

struct perch_id perch_id_random(void)
{
	struct perch_id id;

	for (size_t i = 0; i < sizeof(id.bytes); i += sizeof(uint64_t)) {
		uint64_t bits = clock_random();

		memcpy(id.bytes + i, &bits, sizeof(bits));
	}
	return id;
}

int64_t perch_now(void)
{
	return clock_wall();
}
