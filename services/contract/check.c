/* contract/check.c -- the signatures of the transactions in final blocks.
 *
 * They cost several times what executing does, so other threads check them
 * while the blocks that come after are executed. Nothing is said or kept before
 * all that was executed is checked.
 */
#include "evaluator.h"

#include <stdlib.h>
#include <stdio.h>

#include "base/check.h"
#include "service/log.h"

enum { JOBS_MAX = 32 };

static void give(struct evaluator *evaluator)
{
	verifier_give(&evaluator->verifier, evaluator->gathering);
	evaluator->gathering = NULL;
}

/* Each one's token is the height of its block. */
static void take(struct evaluator *evaluator, struct verify_job *job)
{
	for (size_t i = 0; i < job->count && !evaluator->forged; i++) {
		if (job->items[i].valid)
			continue;
		log_error("alarm",
			"block %llu has a transaction that its wallet did not "
			"sign. Stop granting on it and ask the nodes' "
			"operators who forged it",
			(unsigned long long)job->items[i].token);
		evaluator->alarmed = evaluator->forged = true;
	}
	free(job);
}

/* Until no more than so many are under way. */
static void wait(struct evaluator *evaluator, size_t jobs_max)
{
	struct verifier *verifier = &evaluator->verifier;
	while (verifier_load(verifier) > jobs_max) {
		struct verify_job *job = verifier_take(verifier);
		struct bus_socket *socket = verifier_socket(verifier);
		bool ready;
		if (job != NULL)
			take(evaluator, job);
		else
			bus_wait(evaluator->bus, &socket, &ready, 1, -1, NULL,
				-1);
	}
}

void check_block(struct evaluator *evaluator, const struct block_ref *block)
{
	struct block_body *body = &evaluator->checked;
	enum err err = block_body_open(body, block);
	CHECK(err == ERR_OK);
	for (size_t i = 0; i < body->decoded.txs_count; i++) {
		do {
			if (evaluator->gathering == NULL)
				evaluator->gathering = verify_job_new(
					&evaluator->genesis->network, 0);
			err = verify_job_add_tx(evaluator->gathering,
				body->decoded.txs[i], block->header.height,
				false);
			if (err == ERR_FULL)
				give(evaluator);
		} while (err == ERR_FULL);
		CHECK(err == ERR_OK);
	}
	wait(evaluator, JOBS_MAX);
}

bool check_settle(struct evaluator *evaluator)
{
	if (evaluator->gathering != NULL)
		give(evaluator);
	wait(evaluator, 0);
	return !evaluator->forged;
}
