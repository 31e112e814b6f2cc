/* tests/fake/request.c -- a node's and an evaluator's answers. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fake/inside.h"
#include "gen/ledger.h"

enum { SHOWN_MAX = 4096 }; /* bytes of a forged block */

static uint8_t body[BUS_FRAME_MAX];

/* Height of the block with this transaction, or 0. */
static uint64_t find(const struct fake_chain *chain, const struct key *wallet,
	const struct id *id)
{
	for (uint64_t i = 1; i <= chain->count; i++) {
		if (key_equal(&chain->blocks[i].wallet, wallet) &&
			id_equal(&chain->blocks[i].id, id))
			return i;
	}
	return 0;
}

static void answer_fate(struct fake *fake, const struct bus_message *to,
	const struct key *wallet, const struct id *id)
{
	const struct fake_chain *chain = fake->chain;
	uint64_t height = find(chain, wallet, id);
	static uint8_t receipt[1024];
	struct fate fate = {
		.wallet = *wallet,
		.id = *id,
		.as_of = chain->count,
		.as_of_time = chain->later != 0 ? (uint64_t)chain->later + 1
						: 1700000000000 + chain->count,
	};

	if (height > 0) {
		fate.status = height + chain->open > chain->count ? 2 : 3;
		fate.height = height;
		fate.block = chain->blocks[height].hash;
		memcpy(receipt, chain->blocks[height].receipt, sizeof(receipt));
		fate.receipt =
			view_of(receipt, chain->blocks[height].receipt_size);
		/* The last byte of the last reservation's id. */
		if (fake->lie == FAKE_RECEIPT)
			receipt[fate.receipt.size - 3] ^= 1;
	}
	if (fake->lie == FAKE_OTHER_ID)
		fate.id.bytes[3] ^= 1;
	fake_answer(fake, to,
		fake->lie == FAKE_TYPE ? MESSAGE_STATUS_QUERY : MESSAGE_FATE,
		view_of(body, fate_encode(body, sizeof(body), &fate)));
}

static void on_submit(
	struct fake *fake, const struct bus_message *to, struct view request)
{
	struct submit submit;
	struct tx_view tx;
	enum err err = submit_decode(&submit, request);

	CHECK(err == ERR_OK);
	err = tx_open(&tx, submit.tx);
	CHECK(err == ERR_OK);
	err = tx_verify(&tx, &fake->chain->network);
	CHECK(err == ERR_OK);
	if (find(fake->chain, &tx.body.wallet, &tx.body.id) == 0)
		fake_chain_add(fake->chain, submit.tx);
	answer_fate(fake, to, &tx.body.wallet, &tx.body.id);
}

/* A block as this fake would show it. */
static struct view block_shown(
	const struct fake *fake, uint64_t height, uint8_t *out)
{
	const struct fake_chain *chain = fake->chain;
	struct view bytes = view_of(
		chain->blocks[height].bytes, chain->blocks[height].size);
	static uint8_t header_bytes[HEADER_BYTES_MAX];
	static struct block block;
	const struct keypair *signer = &chain->proposer;
	struct header header;
	enum err err;

	if ((fake->lie != FAKE_SIGNATURE && fake->lie != FAKE_PROPOSER &&
		    fake->lie != FAKE_PARENT && fake->lie != FAKE_BODY) ||
		height < fake->lie_from)
		return bytes;
	err = block_decode(&block, bytes);
	CHECK(err == ERR_OK);
	err = header_decode(&header, block.header);
	CHECK(err == ERR_OK);
	if (fake->lie == FAKE_PARENT)
		header.parent.bytes[0] ^= 1;
	if (fake->lie == FAKE_PROPOSER)
		header.proposer = chain->stranger.key;
	if (fake->lie == FAKE_PROPOSER || fake->lie == FAKE_SIGNATURE)
		signer = &chain->stranger;
	if (fake->lie == FAKE_BODY) {
		block.txs_count = block.receipts_count = 1;
		block.txs[0] = block.receipts[0] = view_text("forged");
	}
	block.header = view_of(header_bytes,
		header_encode(header_bytes, sizeof(header_bytes), &header));
	signature_make(&block.signature, signer, "block", &chain->network,
		block.header);
	return view_of(out, block_encode(out, SHOWN_MAX, &block));
}

static void on_blocks(
	struct fake *fake, const struct bus_message *to, struct view request)
{
	static uint8_t shown[256][SHOWN_MAX];
	static struct blocks blocks;
	struct blocks_query query;
	size_t max, used = 0;
	enum err err = blocks_query_decode(&query, request);

	CHECK(err == ERR_OK);
	memset(&blocks, 0, sizeof(blocks));
	blocks.final_height = fake->chain->count;
	max = query.blocks_max;
	if (fake->blocks_max > 0 && fake->blocks_max < max)
		max = fake->blocks_max;
	if (query.from < fake->first_height) {
		fake_refuse(fake, to, "not_found", "it is gone");
		return;
	}
	for (uint64_t h = query.from; h <= fake->chain->count; h++) {
		struct view block;

		if (h < fake->first_height || blocks.blocks_count == max)
			break;
		block = block_shown(fake, h, shown[blocks.blocks_count]);
		used += block.size + 3;
		if (used > 60000)
			break;
		blocks.blocks[blocks.blocks_count++] = block;
	}
	fake_answer(fake, to, MESSAGE_BLOCKS,
		view_of(body, blocks_encode(body, sizeof(body), &blocks)));
}

static void on_head(struct fake *fake, const struct bus_message *to)
{
	struct head head = {
		.height = fake->chain->count,
		.hash = fake->chain->tip,
		.final_height = fake->chain->count,
		.final_hash = fake->chain->tip,
		.first_height = fake->first_height,
	};

	fake_answer(fake, to, MESSAGE_HEAD,
		view_of(body, head_encode(body, sizeof(body), &head)));
}

void fake_status(const struct fake *fake, struct status *out)
{
	memset(out, 0, sizeof(*out));
	out->name = view_text("fake");
	out->key = fake->pair.key;
	out->release = view_text("0.1.0");
	out->chains_count = 1;
	out->chains[0].height = fake->chain->count;
	out->chains[0].final_height = fake->chain->count;
	out->chains[0].final_hash = fake->chain->tip;
	out->chains[0].numbers_count = 1;
	out->chains[0].numbers[0] = (struct named_number){
		.name = view_text("hash_rate"),
		.value = 1000,
	};
}

static void on_status(struct fake *fake, const struct bus_message *to)
{
	struct status status;

	fake_status(fake, &status);
	fake_answer(fake, to, MESSAGE_STATUS,
		view_of(body, status_encode(body, sizeof(body), &status)));
}

/* The stranger is a node that joined later. */
static void on_peers(struct fake *fake, const struct bus_message *to)
{
	static struct peers peers;

	peers.peers_count = fake->knows_stranger ? 1 : 0;
	peers.peers[0] = (struct peer_entry){
		.key = fake->chain->stranger.key,
		.name = view_text("stranger"),
		.role = 2,
	};
	fake_answer(fake, to, MESSAGE_PEERS,
		view_of(body, peers_encode(body, sizeof(body), &peers)));
}

/* ---- as an evaluator: one port with two pads, one reservation ---- */

static const struct record_port port = {
	.name = {(const uint8_t *)"haneda", 6},
	.duration = 300000,
	.pads_count = 2,
	.pads = {{{(const uint8_t *)"a", 1}, {(const uint8_t *)"g", 1}, 1},
		{{(const uint8_t *)"b", 1}, {(const uint8_t *)"g", 1}, 1}},
};

static struct record_reservation taken(const struct fake *fake)
{
	struct record_reservation record = {
		.reservation = {{0x11, 0x22}},
		.port = port.name,
		.pad = port.pads[0].name,
		.start = 1700000600000,
		.end = 1700000900000,
		.operator= fake->pair.key,
		.state = 2,
		.version = 1,
		.height = 1,
	};

	return record;
}

static void on_inquire(struct fake *fake, const struct bus_message *to)
{
	static struct inquire inquire;

	inquire.as_of.height = fake->chain->count;
	inquire.free_count = 1;
	inquire.free[0] = port.pads[1].name;
	inquire.reservations_count = 1;
	inquire.reservations[0] = taken(fake);
	fake_answer(fake, to, MESSAGE_INQUIRE,
		view_of(body, inquire_encode(body, sizeof(body), &inquire)));
}

static void on_timetable(struct fake *fake, const struct bus_message *to)
{
	static struct timetable timetable;

	timetable.as_of.height = fake->chain->count;
	timetable.port = port;
	timetable.reservations_count = 1;
	timetable.reservations[0] = taken(fake);
	fake_answer(fake, to, MESSAGE_TIMETABLE,
		view_of(body,
			timetable_encode(body, sizeof(body), &timetable)));
}

static void on_history(
	struct fake *fake, const struct bus_message *to, struct view request)
{
	static struct history history;
	struct history_query query;
	enum err err = history_query_decode(&query, request);

	CHECK(err == ERR_OK);
	memset(&history, 0, sizeof(history));
	history.as_of.height = fake->chain->count;
	if (query.after == 0) {
		history.entries_count = 1;
		history.entries[0] = (struct history_entry){
			.sequence = 1,
			.height = 1,
			.time = 1700000000001,
			.to = 2,
			.cause = 1,
			.record = taken(fake),
		};
	}
	fake_answer(fake, to, MESSAGE_HISTORY,
		view_of(body, history_encode(body, sizeof(body), &history)));
}

static void on_ports(struct fake *fake, const struct bus_message *to)
{
	static struct ports ports;

	ports.as_of.height = fake->chain->count;
	ports.ports_count = 1;
	ports.ports[0] = port;
	fake_answer(fake, to, MESSAGE_PORTS,
		view_of(body, ports_encode(body, sizeof(body), &ports)));
}

void fake_answer_request(struct fake *fake, const struct bus_message *to,
	const struct envelope *envelope)
{
	struct tx_query query;
	enum err err;

	switch (envelope->type) {
	case MESSAGE_SUBMIT:
		on_submit(fake, to, envelope->body);
		return;
	case MESSAGE_TX_QUERY:
		err = tx_query_decode(&query, envelope->body);
		CHECK(err == ERR_OK);
		answer_fate(fake, to, &query.wallet, &query.id);
		return;
	case MESSAGE_HEAD_QUERY:
		on_head(fake, to);
		return;
	case MESSAGE_BLOCKS_QUERY:
		on_blocks(fake, to, envelope->body);
		return;
	case MESSAGE_PEERS_QUERY:
		on_peers(fake, to);
		return;
	case MESSAGE_STATUS_QUERY:
		on_status(fake, to);
		return;
	case MESSAGE_INQUIRE_QUERY:
		on_inquire(fake, to);
		return;
	case MESSAGE_TIMETABLE_QUERY:
		on_timetable(fake, to);
		return;
	case MESSAGE_HISTORY_QUERY:
		on_history(fake, to, envelope->body);
		return;
	case MESSAGE_PROOF_QUERY:
		fake_answer(fake, to, MESSAGE_PROOF, fake->proof);
		return;
	case MESSAGE_CERTIFICATE_QUERY:
		fake_answer(fake, to, MESSAGE_CERTIFICATE, fake->certificate);
		return;
	case MESSAGE_EVIDENCE_QUERY:
		fake_answer(fake, to, MESSAGE_EVIDENCE, fake->evidence);
		return;
	case MESSAGE_STATE_QUERY:
		fake_answer(fake, to, MESSAGE_STATE_CHUNK, fake->chunk);
		return;
	case MESSAGE_SIMULATE_QUERY:
		fake_answer(fake, to, MESSAGE_SIMULATE, fake->simulated);
		return;
	case MESSAGE_PORTS_QUERY:
		on_ports(fake, to);
		return;
	default: /* what no test asks for */
		CHECK(false);
	}
}
