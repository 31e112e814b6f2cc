/* service/driver_output.c -- a replica's outputs, one by one, in order. */
#include "service/driver_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "clock/clock.h"
#include "gen/peer.h"
#include "ledger/envelope.h"
#include "service/log.h"

/* A block that the replica has at hand, or a copy from the log. */
static enum err find_block(struct driver *driver, const struct output *output,
	size_t index, uint8_t *room, struct view *out)
{
	uint64_t height = output->blocks_from + index;
	struct hash hash;
	size_t size;
	if (output->hashes.size > 0) {
		memcpy(hash.bytes, output->hashes.data + index * HASH_SIZE,
			HASH_SIZE);
		return replica_shelf(driver->replica, &hash, out)
			       ? ERR_OK
			       : ERR_NOT_FOUND;
	}
	if (replica_block(driver->replica, height, out))
		return ERR_OK;
	enum err err = log_read(driver->log, height, room, &size);
	if (err == ERR_OK)
		*out = view_of(room, size);
	return err;
}

static enum err attach(struct driver *driver, const struct output *output,
	size_t index, uint8_t *room, struct view *out)
{
	uint8_t header[REPLICA_HEADER_MAX];
	enum err err = find_block(driver, output, index, room, out);
	if (err != ERR_OK || !output->headers)
		return err;
	size_t size = replica_header_only(header, *out);
	memcpy(room, header, size);
	*out = view_of(room, size);
	return ERR_OK;
}

static bool encode_relay(struct driver *driver, const struct output *output)
{
	struct relay_buffer *buffer = driver->relay;
	struct relay relay = {
		.chain = driver->config.engine->chain,
		.message = output->message,
	};
	size_t count = output->block_count;
	if (output->hashes.size > 0)
		count = output->hashes.size / HASH_SIZE;
	CHECK(count <= ENGINE_ATTACH_MAX);
	for (size_t i = 0; i < count; i++) {
		if (attach(driver, output, i, buffer->room[i],
			    &relay.blocks[i]) != ERR_OK)
			return false;
	}
	relay.blocks_count = count;
	buffer->size = relay_encode(buffer->body, sizeof(buffer->body), &relay);
	CHECK(buffer->size > 0);
	return true;
}

/* The members of a broadcast follow each other: encoded once. What is not in
 * the log any more is not sent; the engine hears no answer and tries again. */
static void send_relay(struct driver *driver, const struct output *output,
	const struct output *before)
{
	bool same = before != NULL && before->type == OUTPUT_SEND &&
		    before->message.data == output->message.data &&
		    before->blocks_from == output->blocks_from &&
		    before->block_count == output->block_count &&
		    before->hashes.data == output->hashes.data;
	if (!same && !encode_relay(driver, output))
		driver->relay->size = 0;
	if (driver->relay->size > 0)
		links_send(driver->links, &output->to, MESSAGE_RELAY,
			view_of(driver->relay->body, driver->relay->size));
}

static void start_save(struct driver *driver, const struct output *output)
{
	struct save_progress *save = &driver->saves[output->task % SAVES_MAX];
	if (driver->saves_next == 0)
		driver->saves_first = output->task;
	CHECK(driver->saves_next == 0 || output->task == driver->saves_next);
	CHECK(output->task - driver->saves_first < SAVES_MAX);
	driver->saves_next = output->task + 1;
	*save = (struct save_progress){.task = output->task};
	worker_give(driver->disk, disk_save(output->task, output->message,
					  output->blocks, output->block_count));
}

static void index_block(struct driver *driver, uint64_t height,
	struct view bytes, const struct hash *hash)
{
	struct index_job *job = index_job_new(INDEX_BLOCK, height, bytes);
	job->hash = *hash;
	worker_give(driver->indexing, job);
}

/* After a restart many heights become final at once: those that the index
 * misses are read from the log. */
static void index_until(struct driver *driver, uint64_t height)
{
	uint8_t *bytes = malloc(BLOCK_BYTES_MAX);
	CHECK(bytes != NULL);
	uint64_t applied = index_applied(driver->index);
	for (uint64_t h = driver->final_done + 1; h < height; h++) {
		size_t size;
		struct block_ref block;
		if (h <= applied ||
			driver_block(driver, h, bytes, &size) != ERR_OK)
			continue;
		while (worker_load(driver->indexing) > WORKER_JOBS_MAX / 2)
			free(worker_take(driver->indexing));
		enum err err = block_open(&block, view_of(bytes, size),
			&driver->config.genesis->network);
		CHECK(err == ERR_OK);
		index_block(driver, h, block.bytes, &block.hash);
	}
	free(bytes);
}

static void finalise(struct driver *driver, const struct output *output)
{
	if (driver->final_done + 1 < output->height)
		index_until(driver, output->height);
	if (output->block.bytes.size > 0)
		index_block(driver, output->height, output->block.bytes,
			&output->block.hash);
	driver->final_done = output->height;
	driver->commit_at = clock_monotonic() + 1000;
}

static void keep_snapshot(struct driver *driver, const struct output *output)
{
	struct index_job *job =
		index_job_new(INDEX_SNAPSHOT, output->height, output->bytes);
	CHECK(output->block.header_bytes.size <= sizeof(job->header));
	job->header_size = output->block.header_bytes.size;
	memcpy(job->header, output->block.header_bytes.data, job->header_size);
	job->signature = output->block.signature;
	worker_give(driver->indexing, job);
}

static void log_fault(struct driver *driver, const struct output *output)
{
	char hash[2 * HASH_SIZE + 1];
	const struct peer *peer = links_find(driver->links, &output->to);
	hex_encode(hash, view_of(output->hash.bytes, HASH_SIZE));
	log_warn("peer", "%s: %s (%s): height %llu, block %.16s",
		peer == NULL ? "a stranger" : peer->name,
		engine_fault_text(output->fault),
		engine_fault_name(output->fault),
		(unsigned long long)output->height, hash);
}

static void carry_out(struct driver *driver, const struct output *output,
	const struct output *before)
{
	switch (output->type) {
	case OUTPUT_SEND:
		send_relay(driver, output, before);
		return;
	case OUTPUT_FORWARD:
		links_forward(driver->links, driver->config.engine->chain,
			&output->to, output->bytes);
		return;
	case OUTPUT_SAVE:
		start_save(driver, output);
		return;
	case OUTPUT_TIMER:
		driver->timer_at = output->at;
		return;
	case OUTPUT_FETCH:
		driver_fetch_want(driver, output);
		return;
	case OUTPUT_SNAPSHOT:
		keep_snapshot(driver, output);
		return;
	case OUTPUT_FINAL:
		finalise(driver, output);
		break;
	case OUTPUT_MEMBERS:
		driver->members_changed = true;
		break;
	case OUTPUT_CHECKPOINT:
		links_send(driver->links, &output->to, MESSAGE_CHECKPOINT,
			output->bytes);
		return;
	case OUTPUT_CERTIFIED:
		driver_certified(driver, output);
		break;
	case OUTPUT_EVIDENCE:
		driver_evidence(driver, output);
		break;
	case OUTPUT_HALT:
		driver->halted = true;
		break;
	case OUTPUT_REPLAY:
		worker_give(driver->disk, disk_verb(DISK_CUT, output->height));
		driver->halted = true;
		break;
	case OUTPUT_SIGN:
		driver_sign(driver, output);
		return;
	case OUTPUT_FAULT:
		log_fault(driver, output);
		return;
	case OUTPUT_ORDERED:
	case OUTPUT_REVERTED:
	case OUTPUT_READY:
		break;
	case OUTPUT_MINE:
		driver_mine_want(driver, output);
		return;
	}
	driver->config.on_output(driver->config.context, output);
}

/*~ The outputs stand in the order in which they must happen, and a list is
 * carried out before the next step is taken, so no rule of an engine has to be
 * known here: what may only be said after a SAVE is simply not in the list
 * until the engine was told that the SAVE is done.
 */
void driver_carry_out(struct driver *driver)
{
	struct outputs *outputs = &driver->outputs;
	/* Signatures are checked while the disk is at work. */
	uint64_t first = driver->saves_next;
	for (size_t i = 0; i < outputs->count; i++)
		carry_out(driver, &outputs->items[i],
			i > 0 ? &outputs->items[i - 1] : NULL);
	bool saved = driver->saves_next != first;
	if (saved) {
		for (size_t i = 0; i < outputs->count; i++) {
			if (outputs->items[i].type == OUTPUT_SAVE &&
				!driver->halted)
				driver_verify_save(driver, &outputs->items[i]);
		}
	}
	outputs->count = 0;
}

void driver_saved(struct driver *driver)
{
	uint64_t done = 0;
	while (driver->saves_first < driver->saves_next) {
		struct save_progress *save =
			&driver->saves[driver->saves_first % SAVES_MAX];
		if (!save->durable || save->unverified > 0)
			break;
		done = driver->saves_first++;
	}
	if (done == 0 || driver->halted)
		return;
	struct tick tick = driver_tick();
	replica_saved(driver->replica, &tick, done, &driver->outputs);
	driver_carry_out(driver);
}
