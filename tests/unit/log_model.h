/* tests/unit/log_model.h -- what a log must hold, kept beside the real one.
 */
#ifndef PERCH_TESTS_UNIT_LOG_MODEL_H
#define PERCH_TESTS_UNIT_LOG_MODEL_H

#include <stdio.h>

#include "base/view.h"
#include "fake_disk.h"
#include "store/log.h"

enum { MODEL_MAX = 4096, MODEL_SEGMENT = 1 << 16 };

struct model {
	uint64_t base, synced, tip;
	uint64_t compacted;          /* base may be as high as this */
	uint64_t record;             /* 0: none; its bytes follow from it */
	uint64_t content[MODEL_MAX]; /* of heights; its bytes follow from it */
};

/* The block that a content number stands for. */
__attribute__((unused)) static size_t model_block(
	uint64_t content, uint8_t out[LOG_BLOCK_MAX])
{
	struct random random;
	size_t size;

	random_seed(&random, content);
	switch (random_below(&random, 8)) {
	case 0:
		size = 1 + random_below(&random, 12000);
		break;
	case 1:
		size = 1 + random_below(&random, 64);
		break;
	default:
		size = 1 + random_below(&random, 1500);
		break;
	}
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)random_next(&random);
	return size;
}

__attribute__((unused)) static struct view model_record(
	uint64_t record, uint8_t out[LOG_RECORD_MAX])
{
	struct random random;
	size_t size;

	random_seed(&random, record);
	size = record ? 1 + random_below(&random, LOG_RECORD_MAX) : 0;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)random_next(&random);
	return view_of(out, size);
}

__attribute__((unused)) static bool model_record_fits(
	const struct model *model, const struct log *log)
{
	uint8_t want[LOG_RECORD_MAX];
	uint8_t got[LOG_RECORD_MAX];
	struct view record = model_record(model->record, want);

	return view_equal(record, view_of(got, log_record(log, got)));
}

/* Whether the log holds what the model says, of what was not synced any first
 * part, and nothing else. */
__attribute__((unused)) static bool model_fits(
	const struct model *model, struct log *log)
{
	static uint8_t want[LOG_BLOCK_MAX];
	static uint8_t got[LOG_BLOCK_MAX];
	uint64_t base = log_base(log);
	uint64_t tip = log_tip(log);
	size_t size;

	if (base < model->base || base > model->compacted ||
		tip < model->synced || tip > model->tip ||
		!model_record_fits(model, log))
		return false;
	for (uint64_t height = base + 1; height <= tip; height++) {
		size_t want_size = model_block(model->content[height], want);

		if (log_read(log, height, got, &size) != ERR_OK ||
			!view_equal(
				view_of(want, want_size), view_of(got, size)))
			return false;
	}
	return log_read(log, tip + 1, got, &size) == ERR_NOT_FOUND &&
	       log_read(log, base, got, &size) == ERR_NOT_FOUND;
}

/* The log was opened and fits: what it holds is durable now. */
__attribute__((unused)) static void model_settle(
	struct model *model, struct log *log)
{
	model->base = log_base(log);
	model->compacted = model->base;
	model->tip = log_tip(log);
	model->synced = model->tip;
}

/* One random call: first to the model, then to the log. Contents are numbered
 * on from *next, so that no two blocks are the same. */
__attribute__((unused)) static void model_step(struct model *model,
	struct log *log, struct random *random, uint64_t *next)
{
	static uint8_t block[LOG_BLOCK_MAX];
	uint8_t record[LOG_RECORD_MAX];
	unsigned what = (unsigned)random_below(random, 100);
	uint64_t held = model->tip - model->base;
	uint64_t height;

	if (what < 60 && model->tip + 1 < MODEL_MAX) {
		model->tip++;
		model->content[model->tip] = (*next)++;
		log_append(log, model->tip,
			view_of(block, model_block(model->content[model->tip],
					       block)));
	} else if (what < 80) {
		model->synced = model->tip;
		log_sync(log);
	} else if (what < 88) {
		height = model->tip - random_below(random, held / 2 + 1);
		/* Going back is durable; going nowhere does nothing. */
		if (height < model->tip)
			model->synced = height;
		model->tip = height;
		log_truncate(log, height);
	} else if (what < 96) {
		model->record = (*next)++;
		log_save_record(log, model_record(model->record, record));
	} else if (what < 99) {
		model->compacted += random_below(random, held + 1);
		log_compact(log, model->compacted);
		model->base = log_base(log);
		assert_true(model->base <= model->compacted);
		model->compacted = model->base;
	} else if (model->tip + 10 < MODEL_MAX) {
		height = model->tip + random_below(random, 10);
		model->base = height;
		model->compacted = height;
		model->synced = height;
		model->tip = height;
		log_reset(log, height);
	}
}

#endif
