/* net/net_log.c -- made-up blocks, and logs of their numbers. */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* All blocks of a net and of its copies. */
struct net_blocks {
	uint32_t count;
	uint32_t capacity;
	uint32_t uses;
	struct net_block *list;
};

struct net_blocks *net_blocks_new(void)
{
	struct net_blocks *blocks = calloc(1, sizeof(*blocks));
	CHECK(blocks != NULL);
	blocks->uses = 1;
	return blocks;
}

struct net_blocks *net_blocks_share(struct net_blocks *blocks)
{
	blocks->uses++;
	return blocks;
}

void net_blocks_drop(struct net_blocks *blocks)
{
	if (--blocks->uses > 0)
		return;
	free(blocks->list);
	free(blocks);
}

static void *grow(void *list, size_t *capacity, size_t need, size_t size)
{
	if (need <= *capacity)
		return list;
	*capacity = need * 2;
	list = realloc(list, *capacity * size);
	CHECK(list != NULL);
	return list;
}

/* ---- blocks ---- */

const struct net_block *net_block(const struct net *net, uint32_t number)
{
	CHECK(number > 0 && number <= net->blocks->count);
	return &net->blocks->list[number - 1];
}

static struct hash genesis_hash(void)
{
	struct hash hash;
	memset(hash.bytes, 'g', sizeof(hash.bytes));
	return hash;
}

struct hash net_hash_of(const struct net *net, uint32_t number)
{
	return number == 0 ? genesis_hash() : net_block(net, number)->hash;
}

static bool same_content(const struct net_block *a, const struct net_block *b)
{
	return a->parent == b->parent && a->height == b->height &&
	       a->term == b->term && a->payload == b->payload &&
	       a->has_change == b->has_change &&
	       (!a->has_change || (key_equal(&a->change.key, &b->change.key) &&
					  a->change.role == b->change.role));
}

uint32_t net_make(struct net *net, const struct net_block *block)
{
	struct net_blocks *blocks = net->blocks;
	/* Recent blocks first: equal ones are made soon after another. */
	for (uint32_t i = blocks->count; i > 0; i--) {
		if (same_content(&blocks->list[i - 1], block))
			return i;
	}
	size_t capacity = blocks->capacity;
	blocks->list = grow(blocks->list, &capacity, blocks->count + 1,
		sizeof(*blocks->list));
	blocks->capacity = (uint32_t)capacity;
	struct net_block *made = &blocks->list[blocks->count++];
	*made = *block;
	memset(&made->hash, 0, sizeof(made->hash));
	for (int i = 0; i < 4; i++)
		made->hash.bytes[i] = (uint8_t)(blocks->count >> (24 - 8 * i));
	return blocks->count;
}

struct net_members net_members_after(const struct net *net, uint32_t number)
{
	uint32_t changes[256];
	size_t count = 0;
	for (; number > 0; number = net_block(net, number)->parent) {
		if (net_block(net, number)->has_change && count < 256)
			changes[count++] = number;
	}
	struct net_members members = net->genesis;
	while (count > 0) {
		const struct engine_member *change =
			&net_block(net, changes[--count])->change;
		size_t at = 0;
		while (at < members.count &&
			!key_equal(&members.list[at].key, &change->key))
			at++;
		if (change->role != ROLE_LEAVES) {
			members.count += at == members.count;
			members.list[at] = *change;
		} else if (at < members.count) {
			members.count--;
			memmove(&members.list[at], &members.list[at + 1],
				(members.count - at) * sizeof(*members.list));
		}
	}
	return members;
}

/* ---- logs ---- */

uint64_t net_log_tip(const struct net_log *log)
{
	return log->base + log->count;
}

uint32_t net_log_at(const struct net_log *log, uint64_t height)
{
	if (height == log->base)
		return log->base_block;
	if (height < log->base || height > net_log_tip(log))
		return 0;
	return log->blocks[height - log->base - 1];
}

void net_log_push(struct net_log *log, uint32_t number)
{
	log->blocks = grow(log->blocks, &log->capacity, log->count + 1,
		sizeof(*log->blocks));
	log->blocks[log->count++] = number;
}

void net_log_cut(struct net_log *log, uint64_t height)
{
	if (height < log->base)
		height = log->base;
	if (height < net_log_tip(log))
		log->count = height - log->base;
}

void net_log_begin(struct net_log *log, uint64_t height, uint32_t number)
{
	log->base = height;
	log->base_block = number;
	log->count = 0;
}

void net_log_copy(struct net_log *out, const struct net_log *in)
{
	out->base = in->base;
	out->base_block = in->base_block;
	out->blocks = grow(
		out->blocks, &out->capacity, in->count, sizeof(*out->blocks));
	out->count = in->count;
	if (in->count > 0)
		memcpy(out->blocks, in->blocks,
			in->count * sizeof(*out->blocks));
}
