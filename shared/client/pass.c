/* client/pass.c -- certificates and clearances, without a network.
 */
#include <perch/pass.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/give.h"
#include "client/inside.h"
#include "contract/clearance_file.h"

_Static_assert((int)PERCH_PASS_BYTES_MAX == (int)CLEARANCE_FILE_BYTES_MAX,
	"a caller's room for a file is the schema's limit");
_Static_assert((int)PERCH_CERTIFICATE_BYTES_MAX == (int)CERTIFICATE_BYTES_MAX,
	"a caller's room for a certificate is the schema's limit");
_Static_assert((int)PERCH_SIGNERS_MAX == (int)CERTIFICATE_ENDORSEMENTS_MAX,
	"as many signers as the schema lets in");

static void signers_of(struct signers *out, const struct perch_network *network)
{
	CHECK(network->signer_count <= SIGNERS_MAX);
	out->needed = network->signers_needed;
	out->count = network->signer_count;
	memcpy(out->keys, network->signers, out->count * sizeof(out->keys[0]));
}

static struct hash network_of(const struct perch_network *network)
{
	struct hash hash;

	memcpy(&hash, &network->id, sizeof(hash));
	return hash;
}

enum perch_err perch_certificate_check(const struct perch_network *network,
	const uint8_t *bytes, size_t size, struct perch_certificate *out)
{
	struct certificate certificate;
	struct checkpoint_statement statement;
	struct signers signers;
	struct hash id = network_of(network);
	enum err err = certificate_decode(&certificate, view_of(bytes, size));

	crypto_start();
	signers_of(&signers, network);
	if (err == ERR_OK)
		err = certificate_verify(
			&statement, &certificate, &id, &signers);
	if (err == ERR_OK)
		give_certificate(
			out, &certificate, &statement, view_of(bytes, size));
	return (enum perch_err)err;
}

enum perch_err perch_pass_make(const uint8_t *block, size_t block_size,
	const struct perch_id *reservation, const uint8_t *certificate,
	size_t certificate_size, uint8_t out[PERCH_PASS_BYTES_MAX],
	size_t *size)
{
	struct certificate decoded;
	struct id id;
	enum err err = certificate_decode(
		&decoded, view_of(certificate, certificate_size));

	memcpy(&id, reservation, sizeof(id));
	if (err == ERR_OK)
		err = clearance_file_make(
			out, size, view_of(block, block_size), &id, &decoded);
	return (enum perch_err)err;
}

/* ---- opening ---- */

static void give_pass(struct perch_pass *out, const struct clearance_paper *in)
{
	memset(out, 0, sizeof(*out));
	out->is_clearance = in->is_clearance;
	give_id(&out->reservation, &in->reservation);
	give_text(out->port, sizeof(out->port), in->port);
	give_text(out->pad, sizeof(out->pad), in->pad);
	give_text(out->aircraft, sizeof(out->aircraft), in->aircraft);
	give_key(&out->operator_key, &in->operator);
	give_key(&out->signed_by, &in->tx.body.wallet);
	out->movement = (int)in->movement;
	out->from = in->from;
	out->until = in->until;
	out->nonce = in->nonce;
	out->version = (uint32_t)in->version;
	out->chain = (unsigned)in->block.header.chain;
	out->height = in->block.header.height;
	out->time = (int64_t)in->block.header.time;
	give_hash(&out->block, &in->block.hash);
	out->signer_count = in->signers;
}

static enum perch_verdict verdict_of(enum err err)
{
	if (err == ERR_OK)
		return PERCH_PASS_VALID;
	if (err == ERR_NETWORK)
		return PERCH_PASS_NETWORK;
	if (err == ERR_SIGNATURE)
		return PERCH_PASS_SIGNATURE;
	if (err == ERR_SIGNERS)
		return PERCH_PASS_SIGNERS;
	if (err == ERR_ROOT)
		return PERCH_PASS_ROOT;
	if (err == ERR_NOT_FOUND)
		return PERCH_PASS_NOT_GRANTED;
	return PERCH_PASS_ENCODING;
}

static bool differs(const char *expected, const char *said)
{
	return expected != NULL && strcmp(expected, said) != 0;
}

/* What was granted is one thing, and whether it is what stands in front of the
 * reader another: a clearance of yesterday, or of the pad next to this one, is
 * as well signed as the right one. */
static enum perch_verdict judge(
	const struct perch_pass *said, const struct perch_expected *expected)
{
	if (!said->is_clearance && !expected->reservation_will_do)
		return PERCH_PASS_NOT_CLEARANCE;
	if (differs(expected->port, said->port))
		return PERCH_PASS_WRONG_PORT;
	if (differs(expected->pad, said->pad))
		return PERCH_PASS_WRONG_PAD;
	if (differs(expected->aircraft, said->aircraft))
		return PERCH_PASS_WRONG_AIRCRAFT;
	if (expected->movement != 0 && said->movement != 0 &&
		expected->movement != said->movement)
		return PERCH_PASS_WRONG_MOVEMENT;
	if (expected->at < said->from)
		return PERCH_PASS_EARLY;
	return expected->at < said->until ? PERCH_PASS_VALID
					  : PERCH_PASS_EXPIRED;
}

enum perch_verdict perch_pass_check(const struct perch_network *network,
	const uint8_t *bytes, size_t size,
	const struct perch_expected *expected, struct perch_pass *out)
{
	struct clearance_paper paper;
	struct signers signers;
	struct hash id = network_of(network);

	crypto_start();
	signers_of(&signers, network);
	enum perch_verdict verdict = verdict_of(clearance_file_open(
		&paper, view_of(bytes, size), &id, &signers));
	if (verdict != PERCH_PASS_VALID)
		return verdict;
	give_pass(out, &paper);
	return judge(out, expected);
}

static const struct {
	const char *word, *english, *japanese;
} verdicts[] = {
#define X(name, word, english, japanese) {word, english, japanese},
	PERCH_VERDICT_LIST(X)
#undef X
};

const char *perch_verdict_name(enum perch_verdict verdict)
{
	return (size_t)verdict < sizeof(verdicts) / sizeof(verdicts[0])
		       ? verdicts[verdict].word
		       : "unknown";
}

const char *perch_verdict_text(enum perch_verdict verdict, const char *language)
{
	if ((size_t)verdict >= sizeof(verdicts) / sizeof(verdicts[0]))
		return "unknown";
	return strcmp(language, "ja") == 0 ? verdicts[verdict].japanese
					   : verdicts[verdict].english;
}
