/* perch/pass.h -- without a network: certificates, and clearances that are
 * carried as one small file.
 *
 * All that is needed is the genesis. Its signers are what counts: a certificate
 * with too few of them is not believed, whoever else has signed it.
 */
#ifndef PERCH_PASS_H
#define PERCH_PASS_H

#include <perch/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PERCH_OK: enough of the network's signers have signed that this block stands
 * at this height for ever. PERCH_ERR_SIGNERS: too few; PERCH_ERR_SIGNATURE;
 * PERCH_ERR_ENCODING, PERCH_ERR_LENGTH. */
enum perch_err perch_certificate_check(const struct perch_network *network,
	const uint8_t *bytes, size_t size, struct perch_certificate *out);

/* What a block (its bytes, as perch_ask_blocks gives them) granted to a
 * reservation, with the block's certificate, as one file. A clearance if there
 * is one in the block, else what made or changed the reservation.
 * PERCH_ERR_NOT_FOUND: neither; PERCH_ERR_ROOT: the certificate is another
 * block's; PERCH_ERR_LENGTH: too large for one file. */
enum perch_err perch_pass_make(const uint8_t *block, size_t block_size,
	const struct perch_id *reservation, const uint8_t *certificate,
	size_t certificate_size, uint8_t out[PERCH_PASS_BYTES_MAX],
	size_t *size);

struct perch_pass {
	bool is_clearance; /* false: a reservation, which permits no movement */
	struct perch_id reservation;
	char port[PERCH_NAME_MAX + 1];
	char pad[PERCH_NAME_MAX + 1];
	char aircraft[PERCH_NAME_MAX + 1]; /* empty: none is named */
	struct perch_key operator_key, signed_by;
	int movement;        /* 0 any, 1 departure, 2 arrival */
	int64_t from, until; /* valid in [from, until) */
	uint64_t nonce;      /* of a clearance: of the request it answers */
	uint32_t version;
	unsigned chain;
	uint64_t height; /* of the block that holds it */
	int64_t time;
	struct perch_hash block;
	size_t signer_count;
};

/* What is in front of whoever reads a file; NULL and 0: anything will do. */
struct perch_expected {
	const char *port, *pad, *aircraft;
	int movement;
	int64_t at; /* needed: the time, as this place's clock has it */
	bool reservation_will_do;
};

/* X(NAME, word, English, Japanese) */
#define PERCH_VERDICT_LIST(X)                                                              \
	X(VALID, "valid", "valid", "有効です")                                             \
	X(ENCODING, "encoding", "not a clearance file, or it was changed",                 \
		"許可ファイルではないか、書き換えられています")                            \
	X(NETWORK, "network",                                                              \
		"of another network; use the genesis file of that one",                    \
		"別のネットワークのものです。その genesis ファイルを" \
		"使ってください")                                                          \
	X(SIGNATURE, "signature",                                                          \
		"a signature does not hold: it was changed or forged",                     \
		"署名が正しくありません。書き換えか偽造です")                              \
	X(SIGNERS, "signers",                                                              \
		"too few signatures of the signers of this genesis",                       \
		"この genesis の署名者の署名が足りません")                                 \
	X(ROOT, "root", "the block that was signed does not hold this",                    \
		"署名されたブロックにこの内容はありません")                                \
	X(NOT_GRANTED, "not_granted", "the ledger granted nothing here",                   \
		"台帳はこれを許可していません")                                            \
	X(NOT_CLEARANCE, "not_clearance",                                                  \
		"a reservation, which permits no movement; ask for a "                     \
		"clearance",                                                               \
		"予約であり、離着陸の許可ではありません。"             \
		"許可を申請してください")                                                  \
	X(WRONG_PORT, "wrong_port", "for another port",                                    \
		"別のポートのものです")                                                    \
	X(WRONG_PAD, "wrong_pad", "for another pad", "別のパッドのものです")               \
	X(WRONG_AIRCRAFT, "wrong_aircraft", "for another aircraft",                        \
		"別の機体のものです")                                                      \
	X(WRONG_MOVEMENT, "wrong_movement",                                                \
		"for a landing or a take-off, the other one",                              \
		"離陸と着陸が違います")                                                    \
	X(EARLY, "early", "not valid yet", "まだ有効ではありません")                       \
	X(EXPIRED, "expired", "no longer valid", "有効期限が過ぎています")

enum perch_verdict {
#define X(name, word, english, japanese) PERCH_PASS_##name,
	PERCH_VERDICT_LIST(X)
#undef X
};

/* out is written when the file proves what it says: with PERCH_PASS_VALID and
 * all verdicts from PERCH_PASS_NOT_CLEARANCE on. */
enum perch_verdict perch_pass_check(const struct perch_network *network,
	const uint8_t *bytes, size_t size,
	const struct perch_expected *expected, struct perch_pass *out);

/* "expired", and its sentence; language: "en" or "ja". Never NULL. */
const char *perch_verdict_name(enum perch_verdict verdict);
const char *perch_verdict_text(
	enum perch_verdict verdict, const char *language);

#ifdef __cplusplus
}
#endif

#endif
