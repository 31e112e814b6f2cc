/* service/indexer.c -- put what has gathered, commit now and then. */
#include "service/indexer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"

enum { COMMIT_MS = 1000 };

struct index_job *index_job_new(
	enum index_verb verb, uint64_t height, struct view bytes)
{
	struct index_job *job = malloc(sizeof(*job) + bytes.size);
	CHECK(job != NULL);
	memset(job, 0, sizeof(*job));
	job->verb = verb;
	job->height = height;
	job->size = bytes.size;
	if (bytes.size > 0)
		memcpy(job->bytes, bytes.data, bytes.size);
	return job;
}

static void put_block(struct indexer *indexer, const struct index_job *job)
{
	struct block block;
	if (job->height <= indexer->applied)
		return;
	enum err err = block_decode(&block, view_of(job->bytes, job->size));
	CHECK(err == ERR_OK); /* it was executed */
	for (size_t i = 0; i < block.txs_count; i++) {
		struct tx_view tx;
		err = tx_open(&tx, block.txs[i]);
		CHECK(err == ERR_OK);
		index_put_tx(indexer->index, &tx.body.wallet, &tx.body.id,
			&tx.hash, job->height, (uint16_t)i);
		index_remove_received(
			indexer->index, &tx.body.wallet, &tx.body.id);
	}
	index_put_block(indexer->index, &job->hash, job->height);
	indexer->applied = job->height;
}

static void put_received(struct indexer *indexer, const struct index_job *job)
{
	struct tx_view tx;
	enum err err = tx_open(&tx, view_of(job->bytes, job->size));
	CHECK(err == ERR_OK);
	index_put_received(
		indexer->index, &tx.body.wallet, &tx.body.id, tx.bytes);
}

/* True when it must be durable before it is handed back. */
static bool put(struct indexer *indexer, const struct index_job *job)
{
	struct view bytes = view_of(job->bytes, job->size);
	switch (job->verb) {
	case INDEX_BLOCK:
		put_block(indexer, job);
		return false;
	case INDEX_SNAPSHOT:
		index_put_snapshot(indexer->index, job->height,
			view_of(job->header, job->header_size), &job->signature,
			bytes);
		if (job->height > indexer->applied)
			indexer->applied = job->height;
		return true;
	case INDEX_RECEIVED:
		put_received(indexer, job);
		return true;
	case INDEX_PEER:
		if (bytes.size == 0)
			index_remove_peer(indexer->index, &job->key);
		else
			index_put_peer(indexer->index, &job->key, bytes);
		return false;
	case INDEX_SIGNED:
		index_put_signed(indexer->index, job->height, bytes);
		return true;
	case INDEX_CERTIFICATE:
		index_put_certificate(indexer->index, job->height, bytes);
		return true;
	case INDEX_EVIDENCE:
		index_put_evidence(
			indexer->index, job->height, &job->key, bytes);
		return true;
	case INDEX_COMMIT:
		return true;
	}
	return false;
}

static void run(void *context, void *const *jobs, size_t count)
{
	struct indexer *indexer = context;
	bool now = clock_monotonic() >= indexer->commit_at;
	for (size_t i = 0; i < count; i++)
		now = put(indexer, jobs[i]) || now;
	if (!now)
		return;
	index_commit(indexer->index, indexer->applied);
	indexer->commit_at = clock_monotonic() + COMMIT_MS;
}

enum err indexer_start(
	struct worker **out, struct bus *bus, struct indexer *indexer)
{
	indexer->applied = index_applied(indexer->index);
	return worker_start(out, bus, run, indexer);
}
