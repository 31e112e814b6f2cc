/* ledger/block.c -- a block's header: opened without looking into its body, for
 * an engine decides by headers, and bodies are opened once, when executed.
 */
#include "ledger/block.h"

#include "base/check.h"
#include "crypto/merkle.h"
#include "ledger/envelope.h"

enum err block_open_header(struct block_ref *out, struct view header_bytes,
	const struct signature *signature, const struct hash *network)
{
	struct header header;
	enum err err = header_decode(&header, header_bytes);

	if (err != ERR_OK)
		return err;
	if (header.version != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (!hash_equal(&header.network, network))
		return ERR_NETWORK;
	if (header.height == 0)
		return ERR_PARENT;
	*out = (struct block_ref){
		.hash = hash_bytes(header_bytes),
		.header = header,
		.header_bytes = header_bytes,
		.signature = *signature,
	};
	return ERR_OK;
}

enum err block_open(
	struct block_ref *out, struct view bytes, const struct hash *network)
{
	struct wire_reader reader = wire_reader_of(bytes);
	struct signature signature;
	struct view header_bytes;
	enum err err;

	if (bytes.size > BLOCK_BYTES_MAX)
		return ERR_LENGTH;
	/* The first two members of `block` in ledger.cddl. */
	wire_read_array(&reader, 4);
	header_bytes = wire_read_bytes(&reader, 200, BLOCK_HEADER_BYTES_MAX);
	wire_read_fixed(&reader, signature.bytes, SIGNATURE_SIZE);
	if (reader.err != ERR_OK)
		return reader.err;
	err = block_open_header(out, header_bytes, &signature, network);
	if (err == ERR_OK)
		out->bytes = bytes;
	return err;
}

enum err block_verify(const struct block_ref *block, const struct hash *network)
{
	return signature_check(&block->signature, &block->header.proposer,
		message_name(MESSAGE_BLOCK), network, block->header_bytes);
}

struct hash block_items_root(const struct view *items, size_t count)
{
	struct hash leaves[BLOCK_TXS_MAX];

	CHECK(count <= BLOCK_TXS_MAX);
	for (size_t i = 0; i < count; i++)
		leaves[i] = merkle_leaf(items[i]);
	return merkle_root(leaves, count);
}
