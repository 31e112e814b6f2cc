/* service/verifier.c -- check a batch; remember what held. */
#include "service/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void verify_job_run(struct verify_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct verify_item *item = &job->items[i];
		enum err err =
			item->is_block
				? block_verify(&item->block, &job->network)
				: tx_verify(&item->tx, &job->network);
		item->valid = err == ERR_OK;
	}
}

static void run(void *context, void *const *jobs, size_t count)
{
	(void)context;
	for (size_t i = 0; i < count; i++)
		verify_job_run(jobs[i]);
}

enum err verifier_start(struct verifier *verifier, struct bus *bus)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < VERIFIER_THREADS; i++)
		err = worker_start(&verifier->workers[i], bus, run, NULL);
	return err;
}

void verifier_stop(struct verifier *verifier)
{
	for (size_t i = 0; i < VERIFIER_THREADS; i++)
		worker_stop(&verifier->workers[i], free);
}

void verifier_give(struct verifier *verifier, struct verify_job *job)
{
	CHECK(verifier_load(verifier) < WORKER_JOBS_MAX);
	worker_give(
		verifier->workers[verifier->given++ % VERIFIER_THREADS], job);
}

size_t verifier_load(const struct verifier *verifier)
{
	return (size_t)(verifier->given - verifier->taken);
}

static struct worker *next_done(const struct verifier *verifier)
{
	return verifier->workers[verifier->taken % VERIFIER_THREADS];
}

struct verify_job *verifier_take(struct verifier *verifier)
{
	struct verify_job *job = worker_take(next_done(verifier));
	if (job != NULL)
		verifier->taken++;
	return job;
}

struct bus_socket *verifier_socket(const struct verifier *verifier)
{
	return worker_socket(next_done(verifier));
}

struct verify_job *verify_job_new(const struct hash *network, uint64_t task)
{
	struct verify_job *job = malloc(sizeof(*job));
	CHECK(job != NULL);
	job->task = task;
	job->network = *network;
	job->count = 0;
	job->used = 0;
	return job;
}

/* A zeroed item and room for size bytes, or NULL. */
static struct verify_item *take(struct verify_job *job, size_t size)
{
	if (job->count == VERIFY_ITEMS_MAX ||
		size > sizeof(job->bytes) - job->used)
		return NULL;
	struct verify_item *item = &job->items[job->count];
	memset(item, 0, offsetof(struct verify_item, tx));
	return item;
}

enum err verify_job_add_tx(
	struct verify_job *job, struct view bytes, uint64_t token, bool local)
{
	struct verify_item *item = take(job, bytes.size);
	if (item == NULL)
		return ERR_FULL;
	uint8_t *to = job->bytes + job->used;
	memcpy(to, bytes.data, bytes.size);
	enum err err = tx_open(&item->tx, view_of(to, bytes.size));
	if (err != ERR_OK)
		return err;
	item->token = token;
	item->local = local;
	job->used += bytes.size;
	job->count++;
	return ERR_OK;
}

enum err verify_job_add_block(
	struct verify_job *job, const struct block_ref *block)
{
	struct view header = block->header_bytes;
	struct verify_item *item = take(job, header.size);
	if (item == NULL)
		return ERR_FULL;
	uint8_t *to = job->bytes + job->used;
	memcpy(to, header.data, header.size);
	enum err err = block_open_header(&item->block, view_of(to, header.size),
		&block->signature, &job->network);
	if (err != ERR_OK)
		return err;
	item->is_block = true;
	job->used += header.size;
	job->count++;
	return ERR_OK;
}

/* Direct-mapped: the newest of a place wins. 16 bytes of a hash cannot be made
 * to collide, so a tag that is there was verified. */
static uint8_t *place(struct verified *verified, const struct hash *hash)
{
	uint32_t index;
	memcpy(&index, hash->bytes + 16, sizeof(index));
	return verified->tags[index % VERIFIED_MAX];
}

void verified_add(struct verified *verified, struct view envelope)
{
	struct hash hash = hash_bytes(envelope);
	memcpy(place(verified, &hash), hash.bytes, 16);
}

bool verified_has(const struct verified *verified, struct view envelope)
{
	struct hash hash = hash_bytes(envelope);
	return memcmp(place((struct verified *)verified, &hash), hash.bytes,
		       16) == 0;
}
