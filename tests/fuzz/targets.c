/* tests/fuzz/targets.c -- see targets.h. */
#include "fuzz/targets.h"

#include <string.h>

#include "base/check.h"
#include "contract/clearance_file.h"
#include "controller/mavlink.h"
#include "gen/common.h"
#include "gen/request.h"
#include "gen/table.h"
#include "ledger/block.h"
#include "support/wire_any.h"

enum { INPUT_MAX = 1 << 17 };

/* Longer than any limit is all the same. */
static enum err decode(const struct schema_rule *rule, struct view bytes)
{
	static uint8_t scratch[INPUT_MAX];

	if (bytes.size > sizeof(scratch))
		return ERR_LENGTH;
	return wire_check(rule, bytes, scratch, sizeof(scratch));
}

/* Operations are looked into as far as their schema goes. */
static void look_into_ops(struct view body)
{
	struct tx tx;

	if (tx_decode(&tx, body) != ERR_OK)
		return;
	for (size_t i = 0; i < tx.ops_count; i++) {
		const struct schema_rule *rule =
			schema_of_op((uint8_t)tx.ops[i].kind);

		if (rule != NULL)
			(void)decode(rule, tx.ops[i].body);
	}
}

/* What a service does with a frame from the network: the envelope, then the
 * message that it names, then what that carries. */
static void fuzz_frame(struct view bytes)
{
	struct envelope envelope;
	const struct schema_rule *rule;
	struct submit submit;

	if (decode(schema_find("envelope"), bytes) != ERR_OK)
		return;
	CHECK(envelope_decode(&envelope, bytes) == ERR_OK);
	rule = schema_of_message((uint8_t)envelope.type);
	if (rule == NULL || decode(rule, envelope.body) != ERR_OK)
		return;
	if (envelope.type == MESSAGE_TX)
		look_into_ops(envelope.body);
	if (envelope.type == MESSAGE_SUBMIT) {
		CHECK(submit_decode(&submit, envelope.body) == ERR_OK);
		fuzz_frame(submit.tx);
	}
}

static bool block_header_of(struct view bytes, struct header *out)
{
	static struct block block;

	return block_decode(&block, bytes) == ERR_OK &&
	       header_decode(out, block.header) == ERR_OK;
}

/* Opening looks no further than it must; what it lets through decodes. */
static void fuzz_open(struct view bytes)
{
	struct hash network = {{0}};
	struct tx_view tx;
	struct block_ref block;
	struct header header;

	if (tx_open(&tx, bytes) == ERR_OK) {
		CHECK(decode(schema_find("envelope"), bytes) == ERR_OK);
		CHECK(decode(schema_find("tx"), tx.signed_bytes) == ERR_OK);
		CHECK(tx_verify(&tx, &network) != ERR_OK);
	}
	/* The block's own word is taken for the network's name. */
	if (block_header_of(bytes, &header))
		network = header.network;
	if (block_open(&block, bytes, &network) == ERR_OK) {
		CHECK(decode(schema_find("header"), block.header_bytes) ==
			ERR_OK);
		enum err err = block_verify(&block, &network);
		CHECK(err == ERR_OK || err == ERR_SIGNATURE);
	}
}

/* What a controller does with a datagram; what was read is written the same. */
static void fuzz_mavlink(struct view bytes)
{
	struct mavlink_frame frame, again;
	uint8_t written[MAVLINK_FRAME_MAX];
	size_t at = 0;

	while (mavlink_read(&frame, &at, bytes) == ERR_OK) {
		size_t size = mavlink_write(written, &frame), begin = 0;

		CHECK(mavlink_read(&again, &begin, view_of(written, size)) ==
			ERR_OK);
		CHECK(begin == size && memcmp(frame.payload, again.payload,
					       sizeof(frame.payload)) == 0);
	}
}

/* A clearance file is taken at its own word: its network's name, and whoever
 * signed it. What opens is spelled in one way only, and with a changed byte it
 * opens no more. */
static void fuzz_pass(struct view bytes)
{
	struct clearance_file file;
	struct clearance_paper paper;
	struct header header;
	struct signers signers = {.needed = 1};
	uint8_t again[CLEARANCE_FILE_BYTES_MAX];

	if (clearance_file_decode(&file, bytes) != ERR_OK ||
		header_decode(&header, file.header) != ERR_OK)
		return;
	for (size_t i = 0; i < file.endorsements_count; i++)
		signers.keys[signers.count++] = file.endorsements[i].signer;
	if (clearance_file_open(&paper, bytes, &header.network, &signers) !=
		ERR_OK)
		return;
	CHECK(clearance_file_encode(again, sizeof(again), &file) == bytes.size);
	CHECK(view_equal(view_of(again, bytes.size), bytes));
	size_t at = hash_bytes(bytes).bytes[0] * bytes.size / 256;
	again[at] ^= 1;
	CHECK(clearance_file_open(&paper, view_of(again, bytes.size),
		      &header.network, &signers) != ERR_OK);
}

const struct fuzz_target fuzz_targets[] = {
	{"frame", fuzz_frame},
	{"differ", fuzz_differ},
	{"open", fuzz_open},
	{"execute", fuzz_execute},
	{"snapshot", fuzz_snapshot},
	{"pass", fuzz_pass},
	{"mavlink", fuzz_mavlink},
	{"connect", fuzz_connect},
	{"zap", fuzz_zap},
	{NULL, NULL},
};

void fuzz_run(const char *name, struct view bytes)
{
	const struct schema_rule *rule = schema_find(name);

	if (rule != NULL) {
		(void)decode(rule, bytes);
		return;
	}
	for (size_t i = 0; fuzz_targets[i].name != NULL; i++) {
		if (strcmp(fuzz_targets[i].name, name) == 0) {
			fuzz_targets[i].run(bytes);
			return;
		}
	}
	CHECK(!"no target of this name");
}
