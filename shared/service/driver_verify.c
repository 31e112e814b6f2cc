/* service/driver_verify.c -- signatures of transactions and of blocks.
 *
 * One or two are checked on the spot, more go to the workers. What a block
 * carries and the mempool has seen is not checked again.
 */
#include "service/driver_state.h"

#include <stdlib.h>

#include "base/check.h"
#include "service/log.h"

static void give(struct driver *driver, struct verify_job *job)
{
	if (job->count <= INLINE_MAX && verifier_load(&driver->verify) == 0) {
		verify_job_run(job);
		driver_verdicts(driver, job);
	} else {
		verifier_give(&driver->verify, job);
	}
}

enum err driver_gather(
	struct driver *driver, struct view tx, uint64_t token, bool local)
{
	const struct hash *network = &driver->config.genesis->network;
	if (verifier_load(&driver->verify) >= WORKER_JOBS_MAX / 2)
		return ERR_BUSY;
	if (driver->gathering == NULL)
		driver->gathering = verify_job_new(network, 0);
	enum err err = verify_job_add_tx(driver->gathering, tx, token, local);
	if (err != ERR_FULL)
		return err;
	verifier_give(&driver->verify, driver->gathering);
	driver->gathering = verify_job_new(network, 0);
	return verify_job_add_tx(driver->gathering, tx, token, local);
}

void driver_check_gathered(struct driver *driver)
{
	struct verify_job *job = driver->gathering;
	driver->gathering = NULL;
	if (job != NULL)
		give(driver, job);
}

static void verdict_tx(struct driver *driver, const struct verify_item *item)
{
	struct tick tick = driver_tick();
	enum err err = ERR_SIGNATURE;
	if (item->valid) {
		verified_add(driver->verified, item->tx.bytes);
		err = replica_submit(driver->replica, &tick, &item->tx,
			item->local, &driver->outputs);
		driver_carry_out(driver);
	}
	if (item->local)
		driver->config.on_verdict(
			driver->config.context, item->token, &item->tx, err);
}

static void verdict_save(struct driver *driver, const struct verify_job *job)
{
	struct save_progress *save = &driver->saves[job->task % SAVES_MAX];
	CHECK(save->task == job->task && save->unverified > 0);
	save->unverified--;
	for (size_t i = 0; i < job->count; i++) {
		const struct verify_item *item = &job->items[i];
		if (item->valid) {
			if (!item->is_block)
				verified_add(driver->verified, item->tx.bytes);
			continue;
		}
		struct output halt = {
			.type = OUTPUT_HALT,
			.err = ERR_SIGNATURE,
		};
		driver->halted = true;
		driver->config.on_output(driver->config.context, &halt);
		return;
	}
	driver_saved(driver);
}

void driver_verdicts(struct driver *driver, struct verify_job *job)
{
	if (job->task != 0) {
		verdict_save(driver, job);
	} else {
		for (size_t i = 0; i < job->count; i++)
			verdict_tx(driver, &job->items[i]);
	}
	free(job);
}

static struct verify_job *next_job(
	struct driver *driver, struct verify_job *job, uint64_t task)
{
	struct save_progress *save = &driver->saves[task % SAVES_MAX];
	if (job != NULL)
		verifier_give(&driver->verify, job);
	save->unverified++;
	return verify_job_new(&driver->config.genesis->network, task);
}

/* False: a transaction does not even decode. */
static bool add_block(struct driver *driver, struct verify_job **job,
	uint64_t task, const struct block_ref *block)
{
	static const uint64_t no_token = 0;
	struct block_body *body = malloc(sizeof(*body));
	CHECK(body != NULL);
	enum err err = verify_job_add_block(*job, block);
	if (err == ERR_FULL) {
		*job = next_job(driver, *job, task);
		err = verify_job_add_block(*job, block);
	}
	if (err == ERR_OK)
		err = block_body_open(body, block);
	for (size_t i = 0; err == ERR_OK && i < body->decoded.txs_count; i++) {
		struct view tx = body->decoded.txs[i];
		if (verified_has(driver->verified, tx))
			continue;
		err = verify_job_add_tx(*job, tx, no_token, false);
		if (err != ERR_FULL)
			continue;
		*job = next_job(driver, *job, task);
		err = verify_job_add_tx(*job, tx, no_token, false);
	}
	free(body);
	return err == ERR_OK;
}

void driver_verify_save(struct driver *driver, const struct output *output)
{
	const struct key *self = &driver->config.self->key;
	struct verify_job *job = NULL;
	bool good = true;
	/* Where anybody may find a block, a bad one stops nobody: all of it was
	 * checked before it was executed. */
	if (driver->config.engine->mines)
		return;
	for (size_t i = 0; good && i < output->block_count; i++) {
		const struct block_ref *block = &output->blocks[i].ref;
		if (key_equal(&block->header.proposer, self))
			continue; /* built here */
		if (job == NULL)
			job = next_job(driver, NULL, output->task);
		good = add_block(driver, &job, output->task, block);
	}
	/* What does not decode was halted on by the replica already. */
	if (job != NULL)
		give(driver, job);
}
