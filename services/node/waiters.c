/* node/waiters.c -- submissions that wait: for their signature's verdict, for
 * the disk, for a block, for finality.
 *
 * A slot a submission, found again by its token (verdict, disk) or by wallet
 * and id (blocks). When all are taken the next one is told busy, at once.
 */
#include "node.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/table.h"
#include "clock/clock.h"
#include "service/log.h"

enum wait_step { WAIT_RECEIVED, WAIT_ORDERED, WAIT_FINAL };

struct waiter_key {
	struct key wallet;
	struct id id;
	uint64_t chain;
};

struct waiter {
	bool used;
	bool listed; /* in the table: waits for a block */
	bool was_ordered;
	uint64_t since; /* when it was asked, in microseconds */
	uint32_t next;  /* free slots */
	enum wait_step wait;
	struct lane *lane;
	struct origin origin;
	struct waiter_key key;
	time_ms valid_until;
};

struct entry {
	struct waiter_key key;
	uint32_t slot;
};

enum { TABLE_JOURNAL = 1 << 16 };

struct waiters {
	struct waiter slots[WAITERS_MAX];
	uint32_t free_first;
	size_t used;
	struct arena arena;
	struct table *table; /* (wallet, id, chain) -> slot */
	uint8_t *memory;
	uint8_t journal[TABLE_JOURNAL]; /* never rolled back */
};

struct waiters *waiters_new(void)
{
	struct waiters *waiters = calloc(1, sizeof(*waiters));
	CHECK(waiters != NULL);
	for (uint32_t i = 0; i < WAITERS_MAX; i++)
		waiters->slots[i].next = i + 1;
	size_t size = table_bytes(sizeof(struct entry), WAITERS_MAX) +
		      sizeof(struct table) + 4096;
	waiters->memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
	CHECK(waiters->memory != NULL);
	memset(waiters->memory, 0, size);
	arena_init(&waiters->arena, waiters->memory, size, waiters->journal,
		TABLE_JOURNAL);
	waiters->table = arena_take(&waiters->arena, sizeof(struct table));
	table_init(waiters->table, &waiters->arena, sizeof(struct waiter_key),
		sizeof(struct entry), WAITERS_MAX);
	return waiters;
}

void waiters_free(struct waiters **waiters)
{
	if (*waiters != NULL)
		free((*waiters)->memory);
	free(*waiters);
	*waiters = NULL;
}

static struct waiter *by_token(struct waiters *waiters, uint64_t token)
{
	CHECK(token >= 1 && token <= WAITERS_MAX);
	struct waiter *waiter = &waiters->slots[token - 1];
	CHECK(waiter->used);
	return waiter;
}

static uint64_t take(struct waiters *waiters)
{
	if (waiters->free_first == WAITERS_MAX)
		return 0;
	uint32_t slot = waiters->free_first;
	waiters->free_first = waiters->slots[slot].next;
	memset(&waiters->slots[slot], 0, sizeof(waiters->slots[slot]));
	waiters->slots[slot].used = true;
	waiters->slots[slot].since = clock_monotonic_us();
	waiters->used++;
	return (uint64_t)slot + 1;
}

static void give_back(struct waiters *waiters, struct waiter *waiter)
{
	uint32_t slot = (uint32_t)(waiter - waiters->slots);
	if (waiter->listed) {
		uint32_t at = table_find(waiters->table, &waiter->key);
		CHECK(at != TABLE_NONE);
		table_remove(waiters->table, at);
	}
	waiter->used = false;
	waiter->next = waiters->free_first;
	waiters->free_first = slot;
	waiters->used--;
}

static struct waiter *by_key(
	struct waiters *waiters, const struct waiter_key *key)
{
	uint32_t at = table_find(waiters->table, key);
	if (at == TABLE_NONE)
		return NULL;
	const struct entry *entry = table_at(waiters->table, at);
	return &waiters->slots[entry->slot];
}

static int by_size(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

uint64_t waits_median(const struct waits *waits)
{
	uint64_t sorted[STEPS_KEPT];
	size_t count = waits->count < STEPS_KEPT ? waits->count : STEPS_KEPT;
	if (count == 0)
		return 0;
	memcpy(sorted, waits->us, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), by_size);
	return sorted[count / 2];
}

static void waited(const struct waiter *waiter, enum wait_step step)
{
	struct waits *waits = &waiter->lane->waits[step];
	waits->us[waits->count++ % STEPS_KEPT] =
		clock_monotonic_us() - waiter->since;
}

/* Tell what is known now, and wait no more. */
static void settle(struct node *node, struct waiter *waiter)
{
	struct waiter copy = *waiter;
	give_back(node->waiters, waiter);
	answer_fate(copy.lane, &copy.origin, &copy.key.wallet, &copy.key.id);
}

/* One submission waits for a transaction; an earlier one (a wallet that asks
 * again) is told what is known. */
static void list(struct node *node, struct waiter *waiter)
{
	struct waiters *waiters = node->waiters;
	struct waiter *before = by_key(waiters, &waiter->key);
	if (before != NULL)
		settle(node, before);
	uint32_t at = table_put(waiters->table, &waiter->key);
	CHECK(at != TABLE_NONE);
	struct entry *entry = table_at(waiters->table, at);
	entry->slot = (uint32_t)(waiter - waiters->slots);
	waiter->listed = true;
}

/* The same signed bytes on every other chain: nobody waits for those. */
static void give_others(const struct lane *lane, struct view tx)
{
	struct node *node = lane->node;
	for (size_t i = 0; i < node->lane_count; i++) {
		if (&node->lanes[i] == lane)
			continue;
		enum err err = driver_submit(node->lanes[i].driver, tx, 0);
		if (err != ERR_OK)
			log_debug("node", "not for the other chain: %s",
				err_name(err));
	}
}

void serve_submit(
	struct node *node, const struct origin *origin, struct view body)
{
	struct submit submit;
	enum err err = submit_decode(&submit, body);
	if (err != ERR_OK) {
		answer_refusal(node, origin, err);
		return;
	}
	struct lane *lane = node_lane(node, submit.chain);
	if (lane == NULL) {
		answer_refusal(node, origin, ERR_CHAIN);
		return;
	}
	uint64_t token = take(node->waiters);
	if (token == 0) {
		answer_refusal(node, origin, ERR_BUSY);
		return;
	}
	struct waiter *waiter = by_token(node->waiters, token);
	waiter->origin = *origin;
	waiter->wait = (enum wait_step)submit.wait;
	waiter->lane = lane;
	err = driver_submit(lane->driver, submit.tx, token);
	if (err != ERR_OK) {
		give_back(node->waiters, waiter);
		answer_refusal(node, origin, err);
		return;
	}
	give_others(lane, submit.tx);
}

void on_verdict(void *context, uint64_t token, const struct tx_view *tx,
	enum err verdict)
{
	struct lane *lane = context;
	struct node *node = lane->node;
	struct replica_fate fate;
	if (token == 0)
		return; /* nobody waits for it here */
	struct waiter *waiter = by_token(node->waiters, token);
	waiter->key.wallet = tx->body.wallet;
	waiter->key.id = tx->body.id;
	waiter->key.chain = lane->chain;
	waiter->valid_until = (time_ms)tx->body.valid_until;
	if (verdict == ERR_EXPIRED || verdict == ERR_REPLAY) {
		/* It may be in the ledger since long. */
		if (find_fate(lane, &tx->body.wallet, &tx->body.id, &fate) &&
			hash_equal(&fate.tx, &tx->hash))
			verdict = ERR_EXISTS;
	}
	if (verdict != ERR_OK && verdict != ERR_EXISTS) {
		struct origin origin = waiter->origin;
		give_back(node->waiters, waiter);
		answer_refusal(node, &origin, verdict);
		return;
	}
	bool known = find_fate(lane, &tx->body.wallet, &tx->body.id, &fate);
	if (known && fate.status >= 2 && fate.status > (uint8_t)waiter->wait)
		settle(node, waiter);
	else if (waiter->wait == WAIT_RECEIVED)
		driver_keep_received(lane->driver, tx->bytes, token);
	else
		list(node, waiter);
}

void on_received(void *context, uint64_t token)
{
	struct node *node = ((struct lane *)context)->node;
	struct waiter *waiter = by_token(node->waiters, token);
	waited(waiter, WAIT_RECEIVED);
	settle(node, waiter);
}

static void answer_step(struct node *node, struct waiter *waiter,
	const struct block_ref *block, size_t index, uint8_t step)
{
	struct replica_head head;
	replica_final_head(driver_replica(waiter->lane->driver), &head);
	struct fate fate = {
		.wallet = waiter->key.wallet,
		.id = waiter->key.id,
		.status = (uint64_t)step + 1,
		.chain = block->header.chain,
		.height = block->header.height,
		.index = index,
		.block = block->hash,
		.receipt = node->decoded.receipts[index],
		.as_of = head.tip.height,
		.as_of_time = (uint64_t)head.tip.time,
	};
	struct origin origin = waiter->origin;
	give_back(node->waiters, waiter);
	answer(node, &origin, MESSAGE_FATE,
		fate_encode(node->body, sizeof(node->body), &fate));
}

void waiters_block(
	struct lane *lane, const struct block_ref *block, uint8_t step)
{
	struct node *node = lane->node;
	if (node->waiters->table->count == 0)
		return;
	enum err err = block_decode(&node->decoded, block->bytes);
	CHECK(err == ERR_OK); /* it was executed */
	for (size_t i = 0; i < node->decoded.txs_count; i++) {
		struct tx_view tx;
		err = tx_open(&tx, node->decoded.txs[i]);
		CHECK(err == ERR_OK);
		struct waiter_key key = {
			tx.body.wallet, tx.body.id, lane->chain};
		struct waiter *waiter = by_key(node->waiters, &key);
		if (waiter == NULL)
			continue;
		if (step == 2 || !waiter->was_ordered)
			waited(waiter, step == 2 ? WAIT_FINAL : WAIT_ORDERED);
		waiter->was_ordered = true;
		if (step >= (uint8_t)waiter->wait)
			answer_step(node, waiter, block, i, step);
	}
}

void waiters_sweep(struct lane *lane, time_ms block_time)
{
	struct node *node = lane->node;
	for (size_t i = 0; i < WAITERS_MAX; i++) {
		struct waiter *waiter = &node->waiters->slots[i];
		struct replica_fate fate;
		if (!waiter->used || !waiter->listed || waiter->lane != lane ||
			waiter->valid_until > block_time ||
			find_fate(lane, &waiter->key.wallet, &waiter->key.id,
				&fate))
			continue;
		settle(node, waiter);
	}
}
