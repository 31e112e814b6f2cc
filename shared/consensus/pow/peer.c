/* consensus/pow/peer.c -- who is spoken with. Faults are counted by reason, and
 * reported once a second at most, so that a storm of them is no storm of ours.
 */
#include "consensus/pow/state.h"

#include <string.h>

static bool is_member(const struct pow *pow, const struct key *key)
{
	for (size_t i = 0; i < pow->member_count; i++) {
		if (key_equal(&pow->members[i].key, key))
			return true;
	}
	return false;
}

bool pow_is_voter(const struct pow *pow, const struct key *key)
{
	for (size_t i = 0; i < pow->member_count; i++) {
		if (key_equal(&pow->members[i].key, key))
			return pow->members[i].role == 2;
	}
	return false;
}

static void begin(struct pow *pow, int slot, const struct key *key)
{
	struct pow_peer *peer = &pow->peers[slot];
	struct pow_tree *tree = pow_tree_of(pow);
	uint16_t others = (uint16_t) ~(1u << slot);
	*peer = (struct pow_peer){
		.key = *key,
		.used = true,
		.final = UINT64_MAX,
		.proved_at = pow->now - POW_SECOND_MS,
	};
	for (size_t i = 0; i < ENGINE_FAULTS; i++)
		peer->told_at[i] = pow->now - POW_SECOND_MS;
	/* What the one before had is not what this one has. */
	for (size_t i = 1; i <= tree->capacity; i++) {
		struct pow_entry *entry = &tree->entries[i];
		entry->known &= others;
		entry->tried &= others;
		if (entry->asked && entry->from == slot + 1)
			entry->asked = false;
	}
}

int pow_peer_slot(struct pow *pow, const struct key *key)
{
	int free = -1;
	for (int i = 0; i < POW_PEERS_MAX; i++) {
		const struct pow_peer *peer = &pow->peers[i];
		if (peer->used && key_equal(&peer->key, key))
			return i;
		if (!peer->used || (free < 0 && !is_member(pow, &peer->key)))
			free = free < 0 || !peer->used ? i : free;
	}
	if (free >= 0)
		begin(pow, free, key);
	return free;
}

void pow_follow_members(struct pow *pow)
{
	for (size_t i = 0; i < pow->member_count; i++) {
		const struct key *key = &pow->members[i].key;
		if (!key_equal(key, &pow->config.self))
			pow_peer_slot(pow, key);
	}
}

void pow_fault(struct pow *pow, struct effects *out, int slot,
	enum engine_fault fault, uint64_t height, const struct hash *hash)
{
	static const struct hash none = {{0}};
	pow->race.faults[fault]++;
	if (slot < 0)
		return;
	struct pow_peer *peer = &pow->peers[slot];
	if (pow->now - peer->told_at[fault] < POW_SECOND_MS)
		return;
	peer->told_at[fault] = pow->now;
	struct effect *effect = effects_add(out, EFFECT_FAULT);
	effect->fault.from = peer->key;
	effect->fault.fault = fault;
	effect->fault.height = height;
	effect->fault.hash = hash == NULL ? none : *hash;
}

static struct pow_peer *this_second(struct pow *pow, int slot)
{
	struct pow_peer *peer = &pow->peers[slot];
	if (pow->now - peer->second >= POW_SECOND_MS) {
		peer->second = pow->now;
		peer->said = peer->given = 0;
	}
	return peer;
}

bool pow_may_say(struct pow *pow, struct effects *out, int slot)
{
	struct pow_peer *peer = this_second(pow, slot);
	if (peer->said++ < POW_SAID_MAX)
		return true;
	pow_fault(pow, out, slot, ENGINE_FAULT_STORM, peer->tip, NULL);
	return false;
}

bool pow_may_give(struct pow *pow, struct effects *out, int slot, size_t count)
{
	struct pow_peer *peer = this_second(pow, slot);
	if (peer->given + count <= POW_GIVEN_MAX) {
		peer->given += (uint32_t)count;
		return true;
	}
	pow_fault(pow, out, slot, ENGINE_FAULT_STORM, peer->tip, NULL);
	return false;
}
