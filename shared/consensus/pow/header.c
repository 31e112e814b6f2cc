/* consensus/pow/header.c -- a header is believed when its work is done.
 *
 * The cheap questions come first, the signature last: who wants to keep us busy
 * has to be busy longer. Every refusal has a name and is counted.
 */
#include "consensus/pow/state.h"

#include "consensus/pow/seal.h"

/* Does it hang on anything? The answer to what may be asked about it. */
static enum engine_fault place(
	const struct pow *pow, const struct header *header, pow_at parent)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t root = pow_entry_at(tree, tree->root)->past.height;
	/* All blocks up to the checkpoint are here, and this is none. */
	if (header->height <= pow->certified.height)
		return ENGINE_FAULT_CHECKPOINT;
	if (parent != 0)
		return ENGINE_FAULTS;
	if (header->height == 1 &&
		!hash_equal(&header->parent, &pow->config.network))
		return ENGINE_FAULT_GENESIS;
	return header->height <= root ? ENGINE_FAULT_CHECKPOINT
				      : ENGINE_FAULT_PARENT;
}

/* What follows from the parents alone. ENGINE_FAULTS: all is well. */
static enum engine_fault follows(const struct pow *pow,
	const struct header *header, const struct pow_field *field,
	pow_at parent)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	const struct pow_entry *above = pow_entry_at(tree, parent);
	time_ms time = (time_ms)header->time;
	if (above->past.height + 1 != header->height)
		return ENGINE_FAULT_PARENT;
	if (above->invalid)
		return ENGINE_FAULT_INVALID;
	if (above->dead)
		return ENGINE_FAULT_CHECKPOINT;
	if (field->bits != pow_next_bits(&pow->config.pow, &above->past))
		return ENGINE_FAULT_TARGET;
	/* Bitcoin asks for later than the median of eleven; the contract, which
	 * needs a clock that never stands still, for later than the parent. */
	if (time <= pow_tree_median(tree, parent) || time <= above->past.time ||
		time > pow->wall + POW_FUTURE_MS)
		return ENGINE_FAULT_TIME;
	return ENGINE_FAULTS;
}

static enum engine_fault proves(
	const struct pow *pow, const struct block_ref *ref, pow_at parent)
{
	size_t field_at =
		(size_t)(ref->header.engine.data - ref->header_bytes.data);
	if (!pow_seal_meets(ref->header_bytes, field_at))
		return ENGINE_FAULT_NONCE;
	/* Who may mine is known for certain after the tip only; for others it
	 * is asked when they are connected. */
	if (parent == pow->active && !pow_is_voter(pow, &ref->header.proposer))
		return ENGINE_FAULT_ROLE;
	if (block_verify(ref, &pow->config.network) != ERR_OK)
		return ENGINE_FAULT_SIGNATURE;
	return ENGINE_FAULTS;
}

static enum engine_fault judge(
	const struct pow *pow, const struct block_ref *ref, pow_at parent)
{
	const struct header *header = &ref->header;
	enum engine_fault fault = place(pow, header, parent);
	if (fault != ENGINE_FAULTS)
		return fault;
	if (header->engine.size != POW_FIELD_SIZE)
		return ENGINE_FAULT_ENCODING;
	struct pow_field field = pow_field_of(header->engine.data);
	fault = follows(pow, header, &field, parent);
	return fault != ENGINE_FAULTS ? fault : proves(pow, ref, parent);
}

/* A parentless one is nobody's fault until it is a habit: its parents are asked
 * for, and none is kept meanwhile. */
static void refuse(struct pow *pow, struct effects *out,
	const struct block_ref *ref, enum engine_fault fault, int slot)
{
	uint64_t height = ref->header.height;
	if (fault == ENGINE_FAULT_PARENT && slot >= 0) {
		struct pow_peer *peer = &pow->peers[slot];
		peer->behind = true;
		if (++peer->orphans < POW_ORPHANS_MAX)
			return;
	}
	pow_fault(pow, out, slot, fault, height, &ref->hash);
}

bool pow_make_room(
	struct pow *pow, struct effects *out, const struct number *work)
{
	struct pow_tree *tree = pow_tree_of(pow);
	pow_at worst = 0;
	if (tree->free != 0)
		return true;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (!entry->used || entry->first_child != 0 || entry->logged ||
			(pow_at)i == pow->connecting)
			continue;
		if (worst == 0 || entry->dead ||
			number_compare(&entry->work,
				&pow_entry_at(tree, worst)->work) < 0)
			worst = (pow_at)i;
		if (entry->dead)
			break;
	}
	if (worst == 0)
		return false;
	const struct pow_entry *entry = pow_entry_at(tree, worst);
	if (!entry->dead && number_compare(&entry->work, work) >= 0)
		return false;
	pow_drop_body(pow, out, worst);
	pow_tree_remove(tree, worst);
	return true;
}

static pow_at add(struct pow *pow, struct effects *out,
	const struct block_ref *ref, pow_at parent, int slot)
{
	struct pow_tree *tree = pow_tree_of(pow);
	const struct pow_entry *above = pow_entry_at(tree, parent);
	uint32_t bits = pow_field_of(ref->header.engine.data).bits;
	struct number work = work_of_bits(bits);
	work = number_add(&above->work, &work);
	bool leaf = above->first_child == 0 && !above->logged;
	if (!pow_make_room(pow, out, &work) ||
		(leaf && !pow_entry_at(tree, parent)->used)) {
		pow_fault(pow, out, slot, ENGINE_FAULT_WORK, ref->header.height,
			&ref->hash);
		return 0;
	}
	pow_at at = pow_tree_add(
		tree, parent, &ref->hash, (time_ms)ref->header.time, bits);
	pow_entry_at(tree, at)->state_root = ref->header.state_root;
	return at;
}

pow_at pow_accept(struct pow *pow, struct effects *out,
	const struct engine_block *block, int slot)
{
	struct pow_tree *tree = pow_tree_of(pow);
	const struct block_ref *ref = &block->ref;
	uint64_t tip = pow_entry_of(pow, pow->active)->past.height;
	pow_at at = pow_tree_find(tree, &ref->hash);
	if (at != 0) {
		const struct pow_entry *entry = pow_entry_at(tree, at);
		if (entry->invalid || entry->dead)
			pow_fault(pow, out, slot,
				entry->invalid ? ENGINE_FAULT_INVALID
					       : ENGINE_FAULT_CHECKPOINT,
				ref->header.height, &ref->hash);
		return at;
	}
	if (ref->header.height > tip + POW_AHEAD) {
		if (slot >= 0)
			pow->peers[slot].behind = true;
		return 0; /* later */
	}
	pow_at parent = pow_tree_find(tree, &ref->header.parent);
	enum engine_fault fault = judge(pow, ref, parent);
	if (fault != ENGINE_FAULTS) {
		refuse(pow, out, ref, fault, slot);
		return 0;
	}
	at = add(pow, out, ref, parent, slot);
	if (at != 0 && slot >= 0)
		pow->peers[slot].orphans = 0;
	if (at != 0 && pow->pending.height == ref->header.height &&
		hash_equal(&pow->pending.hash, &ref->hash))
		pow_certified(pow, out, pow->pending.height, &ref->hash);
	return at;
}
