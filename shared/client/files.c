/* client/files.c -- the two files that a wallet begins with: the network's
 * genesis and its own key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "ledger/checkpoint.h"
#include "store/genesis.h"
#include "store/keyfile.h"

_Static_assert((int)PERCH_WHY_MAX >= (int)GENESIS_WHY &&
		       (int)PERCH_WHY_MAX >= (int)KEYFILE_WHY,
	"a caller's room for a cause is the store's");

static void give_node(struct perch_node *out, const struct record_node *in)
{
	give_text(out->name, sizeof(out->name), in->name);
	give_key(&out->key, &in->key);
	give_text(out->request, sizeof(out->request), in->request);
	give_text(out->publish, sizeof(out->publish), in->publish);
}

enum perch_err perch_genesis_read(
	const char *path, struct perch_network *out, char *why)
{
	struct genesis *genesis = calloc(1, sizeof(*genesis));
	enum err err;

	CHECK(genesis != NULL);
	crypto_start();
	err = genesis_load(genesis, path, why);
	if (err != ERR_OK)
		goto out;
	memset(out, 0, sizeof(*out));
	give_hash(&out->id, &genesis->network);
	give_text(out->name, sizeof(out->name), view_text(genesis->name));
	out->observers_anyone = genesis->observers_anyone;
	out->node_count = genesis->node_count;
	for (size_t i = 0; i < genesis->node_count; i++) {
		give_node(&out->nodes[i], &genesis->nodes[i]);
		if (genesis->nodes[i].role == 2)
			out->signers[out->signer_count++] = out->nodes[i].key;
	}
	out->signers_needed =
		signers_needed(genesis->signers, out->signer_count);
out:
	genesis_free(genesis);
	free(genesis);
	return (enum perch_err)err;
}

enum perch_err perch_key_read(
	const char *path, const char *passphrase, uint8_t seed[32], char *why)
{
	struct keypair pair;
	enum err err;

	crypto_start();
	err = keyfile_load(path, passphrase, &pair, why);
	if (err == ERR_OK)
		memcpy(seed, pair.secret, 32); /* libsodium: seed || key */
	explicit_bzero(&pair, sizeof(pair));
	return (enum perch_err)err;
}

enum perch_err perch_key_new(const char *path, const char *passphrase,
	struct perch_key *out, char *why)
{
	struct keypair pair;
	enum err err;

	crypto_start();
	err = keyfile_create(path, passphrase, &pair, why);
	if (err == ERR_OK)
		give_key(out, &pair.key);
	explicit_bzero(&pair, sizeof(pair));
	return (enum perch_err)err;
}
