/* consensus/replica_mine.c -- what a replica does for an engine that mines.
 *
 * A template is a block that was built, executed and undone: only its bytes
 * stay, and a nonce that is found later makes them a block like any other's,
 * which the engine hears of, keeps and connects.
 */
#include "consensus/replica_state.h"

#include <string.h>

#include "base/check.h"
#include "consensus/pow/seal.h"
#include "gen/table.h"

/* A block's transactions must be signed: an invalid one is the fault of its
 * proposer, not of this node, so it is found before the block is executed. */
static enum err check_signatures(
	struct replica *replica, const struct engine_block *block)
{
	const struct hash *network = &replica->config.genesis->network;
	enum err err = block_decode(&replica->body, block->ref.bytes);
	for (size_t i = 0; err == ERR_OK && i < replica->body.txs_count; i++) {
		struct tx_view tx;
		err = tx_open(&tx, replica->body.txs[i]);
		if (err == ERR_OK && !mempool_holds(replica->pool, &tx))
			err = tx_verify(&tx, network);
	}
	return err;
}

static enum err connect_kept(
	struct replica *replica, const struct hash *hash, struct outputs *out)
{
	struct engine_block block;
	struct view bytes;
	if (!shelf_find(&replica->shelf, hash, &bytes))
		return ERR_NOT_FOUND; /* undone, and not at hand any more */
	enum err err = replica_open_block(replica, &block, bytes);
	if (err == ERR_OK)
		err = check_signatures(replica, &block);
	if (err == ERR_OK)
		err = replica_connect(replica, &block, out);
	if (err != ERR_OK)
		return err;
	uint64_t height = block.ref.header.height;
	cache_put(&replica->cache, height, bytes);
	if (replica->body.txs_count > 0)
		replica->worked_height = height;
	return ERR_OK;
}

void replica_connect_kept(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	CHECK(!replica->connecting.asked);
	CHECK(effect->connect.height == chain_tip(replica->chain).height + 1);
	replica->connecting.hash = effect->connect.hash;
	replica->connecting.err =
		connect_kept(replica, &effect->connect.hash, out);
	replica->connecting.asked = true;
}

/* ---- templates ---- */

static bool wants_block(const struct replica *replica)
{
	if (!replica->seek.stands || replica->halted ||
		!replica_is_voter(replica, &replica->config.self->key))
		return false;
	switch (replica->config.mine) {
	case MINE_NEVER:
		return false;
	case MINE_ALWAYS:
		return true;
	case MINE_DEMAND:
		break;
	}
	return mempool_count(replica->pool) > 0 ||
	       replica->worked_height > replica->final ||
	       state_deadline(replica->state) <= replica->tick.wall;
}

static void stop(struct replica *replica, struct outputs *out)
{
	struct template *template = &replica->template;
	if (!template->stands)
		return;
	template->stands = false;
	template->task++;
	struct output *output = outputs_add(out, OUTPUT_MINE);
	output->task = template->task;
}

/* When the template that stands should make place for a newer one. */
static time_ms replace_at(const struct replica *replica)
{
	const struct template *template = &replica->template;
	struct chain_tip tip = chain_tip(replica->chain);
	if (!template->stands || !hash_equal(&template->parent, &tip.hash))
		return INT64_MIN;
	if (template->arrived != replica->arrived)
		return template->made_at + TEMPLATE_NEXT_MS;
	return template->made_at + TEMPLATE_STALE_MS;
}

static void make(struct replica *replica, struct outputs *out)
{
	struct template *template = &replica->template;
	struct chain_tip tip = chain_tip(replica->chain);
	struct chain_template wanted = {
		.now = replica->tick.wall,
		.proposer = replica->config.self,
		.engine =
			view_of(replica->seek.field, replica->seek.field_size),
		.member_free = replica->seek.member_free,
		.txs_max = BLOCK_TXS_MAX,
	};
	struct block_ref block;
	chain_build(replica->chain, replica->pool, &wanted, template->bytes,
		&block, NULL);
	chain_disconnect(replica->chain, tip.height);
	template->stands = true;
	template->task++;
	template->parent = tip.hash;
	template->made_at = replica->tick.now;
	template->arrived = replica->arrived;
	template->size = block.bytes.size;
	template->header_at =
		(size_t)(block.header_bytes.data - template->bytes);
	template->header_size = block.header_bytes.size;
	template->field_at =
		(size_t)(block.header.engine.data - block.header_bytes.data);
	struct output *output = outputs_add(out, OUTPUT_MINE);
	output->task = template->task;
	output->height = block.header.height;
	output->bytes = block.header_bytes;
	output->field = template->field_at;
	output->bits = pow_field_of(block.header.engine.data).bits;
}

void replica_template(struct replica *replica, struct outputs *out)
{
	if (!wants_block(replica)) {
		stop(replica, out);
		return;
	}
	if (replica->tick.now >= replace_at(replica))
		make(replica, out);
	if (replace_at(replica) < replica->timer_at)
		outputs_add(out, OUTPUT_TIMER)->at = replace_at(replica);
}

/* ---- a nonce was found ---- */

/* The template with this field in its header, signed, in out. */
static size_t complete(struct replica *replica, const struct pow_field *field,
	uint8_t out[BLOCK_BYTES_MAX])
{
	struct template *template = &replica->template;
	struct block *body = &replica->body;
	enum err err =
		block_decode(body, view_of(template->bytes, template->size));
	CHECK(err == ERR_OK);
	pow_field_put(
		template->bytes + template->header_at + template->field_at,
		field);
	signature_make(&body->signature, replica->config.self,
		message_name(MESSAGE_BLOCK), &replica->config.genesis->network,
		body->header);
	size_t size = block_encode(out, BLOCK_BYTES_MAX, body);
	CHECK(size > 0);
	return size;
}

bool replica_mined(struct replica *replica, const struct tick *tick,
	uint64_t task, uint64_t extra, uint32_t nonce, struct outputs *out)
{
	struct template *template = &replica->template;
	uint8_t *header = template->bytes + template->header_at;
	replica_begin(replica, tick, out);
	if (!template->stands || task != template->task)
		return true;
	struct pow_field field = pow_field_of(header + template->field_at);
	field.extra = extra;
	field.nonce = nonce;
	uint8_t *bytes = cache_room(&replica->cache);
	size_t size = complete(replica, &field, bytes);
	if (!pow_seal_meets(
		    view_of(header, template->header_size), template->field_at))
		return false;
	struct engine_block found;
	enum err err =
		replica_open_block(replica, &found, view_of(bytes, size));
	CHECK(err == ERR_OK);
	template->stands = false;
	struct event event = {.type = EVENT_FOUND};
	event.found.task = replica->seek.task;
	event.found.block = &found;
	replica_step(replica, &event, out);
	replica_template(replica, out);
	return true;
}

/* ---- looking ---- */

bool replica_shelf(const struct replica *replica, const struct hash *hash,
	struct view *bytes)
{
	return replica->config.engine->mines &&
	       shelf_find(&replica->shelf, hash, bytes);
}

size_t replica_header_only(uint8_t *out, struct view bytes)
{
	struct wire_reader reader = wire_reader_of(bytes);
	struct block block = {0};
	wire_read_array(&reader, 4);
	block.header = wire_read_bytes(&reader, 200, BLOCK_HEADER_BYTES_MAX);
	wire_read_fixed(&reader, block.signature.bytes, SIGNATURE_SIZE);
	CHECK(reader.err == ERR_OK);
	size_t size = block_encode(out, REPLICA_HEADER_MAX, &block);
	CHECK(size > 0);
	return size;
}
