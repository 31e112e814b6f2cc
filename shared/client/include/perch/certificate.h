/* perch/certificate.h -- what nodes have signed: certificates of final blocks,
 * and evidence against who signed twice.
 */
#ifndef PERCH_CERTIFICATE_H
#define PERCH_CERTIFICATE_H

#include <perch/answer.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PERCH_SIGNERS_MAX = 16, /* of one certificate */
	PERCH_CERTIFICATE_BYTES_MAX = 1701,
	PERCH_PASS_BYTES_MAX = 2953, /* one QR code: version 40, level L */
};

/* Who has signed which block. From a node it is hearsay; from
 * perch_certificate_check it is proved. */
struct perch_certificate {
	unsigned chain;
	uint64_t height;
	struct perch_hash hash, state_root;
	size_t signer_count;
	struct perch_key signers[PERCH_SIGNERS_MAX];
	const uint8_t *bytes; /* to keep, or to pass on */
	size_t size;
};

/* One key signed two blocks of one height; the signatures were verified. */
struct perch_double_signing {
	struct perch_key signer;
	unsigned chain;
	uint64_t height;
	struct perch_hash first, second; /* the blocks */
};

struct perch_evidence {
	size_t total; /* that the node has */
	size_t count;
	struct perch_double_signing items[64];
};

#ifdef __cplusplus
}
#endif

#endif
