/* contract/execute.c -- every final block, executed again.
 */
#include "evaluator.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/hex.h"
#include "service/log.h"

enum { JOURNAL_BYTES = 64 << 20, SNAPSHOT_BLOCKS = 10000 };

static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(memory != MAP_FAILED);
	return memory;
}

static void set_head(struct evaluator *evaluator, const struct block_ref *block)
{
	struct view header = block->header_bytes;
	CHECK(header.size <= sizeof(evaluator->head_bytes));
	memmove(evaluator->head_bytes, header.data, header.size);
	enum err err = block_open_header(&evaluator->head,
		view_of(evaluator->head_bytes, header.size), &block->signature,
		&evaluator->genesis->network);
	CHECK(err == ERR_OK);
}

static enum err restore(struct evaluator *evaluator, char *why)
{
	struct block_ref head;
	struct view snapshot;
	uint8_t header[BLOCK_HEADER_BYTES_MAX];
	if (!archive_snapshot(evaluator->archive, &head, header,
		    &evaluator->genesis->network, &snapshot))
		return ERR_OK;
	enum err err = state_load(evaluator->state, evaluator->genesis,
		snapshot, &head.header.state_root);
	free((void *)snapshot.data);
	if (err != ERR_OK) {
		snprintf(why, WHY_MAX,
			"the kept state does not load (%s); remove the data "
			"directory: it is made again from the blocks",
			err_name(err));
		return err;
	}
	struct chain_tip tip = {
		.height = head.header.height,
		.hash = head.hash,
		.time = (time_ms)head.header.time,
	};
	chain_reset(evaluator->chain, tip);
	set_head(evaluator, &head);
	evaluator->saved_height = tip.height;
	log_info("state", "goes on from height %llu",
		(unsigned long long)tip.height);
	return ERR_OK;
}

enum err execute_open(struct evaluator *evaluator, char *why)
{
	const struct state_limits *limits = &state_limits_default;
	size_t size = state_bytes(limits);
	arena_init(&evaluator->arena, reserve(size), size,
		reserve(JOURNAL_BYTES), JOURNAL_BYTES);
	enum err err = state_init(&evaluator->state, &evaluator->arena, limits,
		evaluator->genesis);
	if (err != ERR_OK) {
		snprintf(why, WHY_MAX, "the genesis cannot be used: %s",
			err_text(err));
		return err;
	}
	evaluator->chain = chain_init(reserve(chain_bytes()), evaluator->state,
		evaluator->genesis, (uint8_t)evaluator->number);
	return restore(evaluator, why);
}

static bool alarm(struct evaluator *evaluator, const struct block_ref *block,
	const char *what)
{
	char hash[2 * HASH_SIZE + 1], proposer[2 * KEY_SIZE + 1];
	hex_encode(hash, view_of(block->hash.bytes, HASH_SIZE));
	hex_encode(proposer, view_of(block->header.proposer.bytes, KEY_SIZE));
	log_error("alarm",
		"block %llu (%s) by %s is not what it says: %s. Stop granting "
		"on it and compare the nodes' releases",
		(unsigned long long)block->header.height, hash, proposer, what);
	evaluator->alarmed = true;
	return false;
}

bool execute_block(struct evaluator *evaluator, struct view bytes)
{
	struct block_ref block;
	struct record_node proposer;
	const struct hash *network = &evaluator->genesis->network;
	enum err err = block_open(&block, bytes, network);
	if (err != ERR_OK) {
		log_error("alarm", "a final block does not open: %s",
			err_text(err));
		evaluator->alarmed = true;
		return false;
	}
	if (!state_node(evaluator->state, &block.header.proposer, &proposer) ||
		proposer.role != 2)
		return alarm(evaluator, &block, "its proposer may not propose");
	evaluator->moves.count = evaluator->moves.lost = 0;
	err = chain_connect(evaluator->chain, &block, &evaluator->moves);
	if (err != ERR_OK)
		return alarm(evaluator, &block, err_text(err));
	struct never_found found;
	if (never_block(&evaluator->never, evaluator->state, &block,
		    &evaluator->moves, &found))
		return alarm(evaluator, &block, found.what);
	check_block(evaluator, &block);
	chain_final(evaluator->chain, block.header.height);
	archive_add(evaluator->archive, &block, &evaluator->moves);
	set_head(evaluator, &block);
	return true;
}

void execute_save(struct evaluator *evaluator, bool last)
{
	uint64_t height = chain_tip(evaluator->chain).height;
	struct view snapshot = {0};
	if (height == 0 || !check_settle(evaluator))
		return;
	uint64_t since = height - evaluator->saved_height;
	if (since >= SNAPSHOT_BLOCKS || (last && since > 0)) {
		uint8_t *bytes = malloc(state_save_bytes(evaluator->state));
		CHECK(bytes != NULL);
		snapshot = view_of(bytes, state_save(evaluator->state, bytes));
		evaluator->saved_height = height;
	}
	archive_commit(evaluator->archive, &evaluator->head, snapshot);
	free((void *)snapshot.data);
}
