/* consensus/pow/message.c -- what is said, and what is answered.
 *
 * A tip is said with its header; who lacks the body asks for it, so a body is
 * never sent to one who has it.
 */
#include "consensus/pow/state.h"

#include "base/check.h"

static struct effect *add_send(
	struct pow *pow, struct effects *out, int slot, struct view bytes)
{
	struct effect *effect = effects_add(out, EFFECT_SEND);
	effect->send.to = pow->peers[slot].key;
	effect->send.message = bytes;
	return effect;
}

static struct view encode(
	struct pow *pow, struct effects *out, const struct pow_message *message)
{
	uint8_t bytes[POW_MESSAGE_BYTES_MAX];
	const struct pow_entry *tip = pow_entry_of(pow, pow->active);
	struct pow_message said = *message;
	said.height = tip->past.height;
	said.hash = tip->hash;
	size_t size = pow_message_encode(bytes, sizeof(bytes), &said);
	CHECK(size > 0);
	return effects_bytes(out, view_of(bytes, size));
}

void pow_send(struct pow *pow, struct effects *out, int slot,
	const struct pow_message *message)
{
	add_send(pow, out, slot, encode(pow, out, message));
}

void pow_say_tip(struct pow *pow, struct effects *out, bool all)
{
	struct pow_entry *tip = pow_entry_of(pow, pow->active);
	struct pow_message message = {.kind = POW_TIP, .heights_count = 1};
	message.heights[0] = pow->final;
	if (tip->past.height == 0)
		return;
	struct view bytes = {0};
	for (int slot = 0; slot < POW_PEERS_MAX; slot++) {
		if (!pow->peers[slot].used ||
			(!all && (tip->known >> slot & 1) != 0))
			continue;
		if (bytes.size == 0)
			bytes = encode(pow, out, &message);
		struct effect *effect = add_send(pow, out, slot, bytes);
		effect->send.blocks_from = tip->past.height;
		effect->send.block_count = 1;
		effect->send.headers = true;
		pow->race.announced++;
	}
}

/* ---- hearing ---- */

struct heard {
	int slot;
	const struct pow_message *message;
	const struct engine_block *blocks;
	size_t count;
};

/* An empty block is complete with its header. */
static void take_whole(struct pow *pow, struct effects *out, pow_at at,
	const struct engine_block *block, int slot)
{
	struct pow_entry *entry = pow_entry_of(pow, at);
	if (!block->whole || entry->body || entry->logged)
		return;
	entry->from = (uint8_t)(slot + 1);
	pow_keep(pow, out, at, block);
}

/* One who says twice that less is final there than here has missed the
 * signatures; or it has new ones under way, and needs none. */
static void hear_final(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	struct pow_peer *peer = &pow->peers[heard->slot];
	if (heard->message->heights_count != 1)
		return;
	uint64_t final = heard->message->heights[0];
	if (final < pow->final && final == peer->final &&
		pow->now - peer->proved_at >= POW_SECOND_MS) {
		peer->proved_at = pow->now;
		effects_add(out, EFFECT_PROVE)->prove.to = peer->key;
	}
	peer->final = final;
}

static void on_tip(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	struct pow_peer *peer = &pow->peers[heard->slot];
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	peer->tip = heard->message->height;
	hear_final(pow, out, heard);
	if (heard->count != 1) {
		pow_fault(
			pow, out, heard->slot, ENGINE_FAULT_ENCODING, 0, NULL);
		return;
	}
	const struct engine_block *block = &heard->blocks[0];
	if (block->ref.header.height <= root && root > 0)
		return; /* it is behind, and will hear of it */
	bool known = pow_tree_find(tree, &block->ref.hash) != 0;
	pow_at at = pow_accept(pow, out, block, heard->slot);
	if (at == 0)
		return;
	struct pow_entry *entry = pow_entry_at(tree, at);
	entry->known |= (uint16_t)(1u << heard->slot);
	if (known)
		pow->race.spared++;
	take_whole(pow, out, at, block, heard->slot);
}

/* Ask again from here on: what was given last is common ground. */
static void go_on(
	struct pow *pow, struct pow_peer *peer, const struct block_ref *last)
{
	uint64_t height = last->header.height;
	bool further = height > peer->common.height;
	peer->common = (struct pow_checkpoint){height, last->hash};
	peer->behind = further && height < peer->tip;
	peer->seek_until = pow->now;
}

/* Of a chain that does not go through the root here, though it was asked for
 * what comes after it. */
static bool is_beside(const struct pow *pow, const struct header *header)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	return header->height <= root + 1 && header->height > pow->final &&
	       pow_tree_find(tree, &header->parent) == 0;
}

/* Nothing behind the one at `at` can be placed either; to ask again at once
 * would be answered alike. */
static void refused(struct pow *pow, struct pow_peer *peer,
	const struct heard *heard, size_t at)
{
	uint64_t tip = pow_entry_of(pow, pow->active)->past.height;
	const struct header *header = &heard->blocks[at].ref.header;
	uint64_t height = header->height;
	if (at == 0 && is_beside(pow, header))
		pow_go_astray(pow);
	if (at > 0)
		go_on(pow, peer, &heard->blocks[at - 1].ref);
	else if (height <= tip + POW_AHEAD)
		peer->common.height = 0;
	peer->seek_until = pow->now + POW_SEEK_MS;
}

static void on_headers(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	struct pow_peer *peer = &pow->peers[heard->slot];
	peer->tip = heard->message->height;
	for (size_t i = 0; i < heard->count; i++) {
		const struct engine_block *block = &heard->blocks[i];
		pow_at at = pow_accept(pow, out, block, heard->slot);
		if (at == 0) {
			refused(pow, peer, heard, i);
			return;
		}
		pow_entry_of(pow, at)->known |= (uint16_t)(1u << heard->slot);
		take_whole(pow, out, at, block, heard->slot);
	}
	if (heard->count > 0)
		go_on(pow, peer, &heard->blocks[heard->count - 1].ref);
}

static void on_body(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	for (size_t i = 0; i < heard->count; i++) {
		const struct engine_block *block = &heard->blocks[i];
		pow_at at = pow_tree_find(tree, &block->ref.hash);
		if (at == 0)
			continue; /* swept meanwhile, or never asked for */
		struct pow_entry *entry = pow_entry_at(tree, at);
		entry->known |= (uint16_t)(1u << heard->slot);
		if (entry->body || entry->logged) {
			pow->race.doubled++;
			continue;
		}
		if (!block->whole) {
			pow_fault(pow, out, heard->slot, ENGINE_FAULT_INVALID,
				entry->past.height, &entry->hash);
			entry->tried |= (uint16_t)(1u << heard->slot);
			entry->asked = false;
			continue;
		}
		entry->from = (uint8_t)(heard->slot + 1);
		pow_keep(pow, out, at, block);
	}
}

/* The block after the highest of the given ones that is on this chain. What is
 * below the root here cannot be looked up: a single one is taken for a block
 * that was given from here, of several only the lowest, the asker's own root,
 * is sure to be common. When the lowest is on another chain, the answer begins
 * at its height and says so.
 */
static uint64_t first_wanted(
	const struct pow *pow, const struct pow_message *message)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	uint64_t height = 0;
	for (size_t i = 0; i < message->hashes_count; i++) {
		pow_at at = pow_tree_find(tree, &message->hashes[i]);
		height = message->heights[i];
		if (at != 0 && pow_entry_at(tree, at)->logged)
			return height + 1;
	}
	return height < root || height == 0 ? height + 1 : height;
}

static void on_seek(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	uint64_t tip = pow_entry_of(pow, pow->active)->past.height;
	uint64_t first = first_wanted(pow, heard->message);
	uint64_t count = first <= tip ? tip - first + 1 : 0;
	struct pow_message message = {.kind = POW_HEADERS};
	if (count > ENGINE_ATTACH_MAX)
		count = ENGINE_ATTACH_MAX;
	if (count == 0 || !pow_may_give(pow, out, heard->slot, count))
		return;
	struct effect *effect =
		add_send(pow, out, heard->slot, encode(pow, out, &message));
	effect->send.blocks_from = first;
	effect->send.block_count = (uint32_t)count;
	effect->send.headers = true;
	pow->race.announced += count;
}

/* False: this node does not have that block. */
static bool give(struct pow *pow, struct effects *out, int slot,
	uint64_t height, const struct hash *hash)
{
	struct pow_tree *tree = pow_tree_of(pow);
	struct pow_message message = {.kind = POW_BODY};
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	pow_at at = pow_tree_find(tree, hash);
	bool by_height = at != 0 ? pow_entry_at(tree, at)->logged
				 : height > 0 && height < root;
	if (!by_height && (at == 0 || !pow_entry_at(tree, at)->body))
		return false;
	struct effect *effect =
		add_send(pow, out, slot, encode(pow, out, &message));
	if (by_height) {
		effect->send.blocks_from = height;
		effect->send.block_count = 1;
	} else {
		effect->send.hashes =
			effects_bytes(out, view_of(hash->bytes, HASH_SIZE));
	}
	if (at != 0)
		pow_entry_at(tree, at)->known |= (uint16_t)(1u << slot);
	pow->race.sent++;
	return true;
}

static void on_getdata(
	struct pow *pow, struct effects *out, const struct heard *heard)
{
	const struct pow_message *asked = heard->message;
	struct pow_message absent = {.kind = POW_ABSENT};
	if (asked->hashes_count != asked->heights_count) {
		pow_fault(
			pow, out, heard->slot, ENGINE_FAULT_ENCODING, 0, NULL);
		return;
	}
	if (!pow_may_give(pow, out, heard->slot, asked->hashes_count))
		return;
	for (size_t i = 0; i < asked->hashes_count; i++) {
		if (give(pow, out, heard->slot, asked->heights[i],
			    &asked->hashes[i]))
			continue;
		size_t n = absent.hashes_count++;
		absent.hashes[n] = asked->hashes[i];
		absent.heights[n] = asked->heights[i];
		absent.heights_count++;
	}
	if (absent.hashes_count > 0)
		pow_send(pow, out, heard->slot, &absent);
}

/* It was on another chain meanwhile; that is no fault. */
static void on_absent(struct pow *pow, const struct heard *heard)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	for (size_t i = 0; i < heard->message->hashes_count; i++) {
		pow_at at = pow_tree_find(tree, &heard->message->hashes[i]);
		if (at == 0)
			continue;
		struct pow_entry *entry = pow_entry_at(tree, at);
		entry->known &= (uint16_t) ~(1u << heard->slot);
		entry->tried |= (uint16_t)(1u << heard->slot);
		if (entry->asked && entry->from == heard->slot + 1)
			entry->asked = false;
	}
}

void pow_receive(
	struct pow *pow, struct effects *out, const struct event *event)
{
	struct pow_message message;
	struct heard heard = {
		.slot = pow_peer_slot(pow, &event->receive.from),
		.message = &message,
		.blocks = event->receive.blocks,
		.count = event->receive.block_count,
	};
	if (heard.slot < 0 || !pow_may_say(pow, out, heard.slot))
		return;
	if (pow_message_decode(&message, event->receive.message) != ERR_OK) {
		pow_fault(pow, out, heard.slot, ENGINE_FAULT_ENCODING, 0, NULL);
		return;
	}
	switch (message.kind) {
	case POW_TIP:
		on_tip(pow, out, &heard);
		return;
	case POW_HEADERS:
		on_headers(pow, out, &heard);
		return;
	case POW_SEEK:
		on_seek(pow, out, &heard);
		return;
	case POW_GETDATA:
		on_getdata(pow, out, &heard);
		return;
	case POW_BODY:
		on_body(pow, out, &heard);
		return;
	case POW_ABSENT:
		on_absent(pow, &heard);
		return;
	}
	pow_fault(pow, out, heard.slot, ENGINE_FAULT_ENCODING, 0, NULL);
}
