/* tests/unit/store_rot.c -- what lies on the disk changes by itself: nothing
 * wrong is ever served, and everything that is lost is named.
 */
#include "unit.h"

#include <string.h>

#include "crypto/crypto.h"
#include "log_model.h"
#include "store/little.h"
#include "store/record.h"

/* A disk with a log of a few segments, and what is in it. */
struct specimen {
	struct fake_disk *fake;
	struct model model;
	bool clean; /* it was closed; else the power went after the last sync */
};

static void make_specimen(struct specimen *out, uint64_t seed, bool clean)
{
	struct fake_disk *live = fake_disk_new(seed);
	struct disk disk = fake_disk_of(live);
	struct log *log = NULL;
	struct random random;
	uint64_t next = seed * 100000;
	uint64_t bad;
	char why[200];

	memset(out, 0, sizeof(*out));
	out->clean = clean;
	out->fake = fake_disk_new(seed);
	random_seed(&random, seed);
	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	while (out->model.tip < 150)
		model_step(&out->model, log, &random, &next);
	log_sync(log);
	out->model.synced = out->model.tip;
	if (!clean)
		fake_disk_cut(live, out->fake, (unsigned)(seed % 3) * 500);
	log_close(&log);
	if (clean)
		fake_disk_cut(live, out->fake, 0);
	fake_disk_free(live);
}

static struct fake_file *file_of(struct fake_disk *fake, size_t name)
{
	return &fake->files[fake->names.items[name].file];
}

static bool is_vote(const struct fake_disk *fake, size_t name)
{
	return strcmp(fake->names.items[name].text, "vote") == 0;
}

/* Whether [at, at + size) of a file is zeros. */
static bool is_blank(const struct fake_file *file, uint32_t at, uint32_t size)
{
	for (uint32_t i = at; i < at + size; i++)
		if (file->now[i])
			return false;
	return true;
}

enum rot { ROT_FLIP, ROT_SHORTEN, ROT_SECTOR_LOST, ROT_SECTOR_MOVED, ROT_GONE };

/* Change something in a file; true when bytes that the log wrote are not there
 * now. */
static bool decay(struct fake_disk *fake, struct random *random, enum rot rot,
	size_t name)
{
	struct fake_file *file = file_of(fake, name);
	uint32_t sectors = file->size / DISK_SECTOR;
	uint32_t at;
	uint32_t from;
	bool changed;

	switch (rot) {
	case ROT_FLIP:
		/* Mostly where something is. */
		do
			at = (uint32_t)random_below(random, file->size);
		while (!file->now[at] && !random_chance(random, 50));
		changed = file->now[at] != 0;
		file->now[at] ^= (uint8_t)(1U << random_below(random, 8));
		return changed;
	case ROT_SHORTEN:
		at = (uint32_t)random_below(random, file->size);
		changed = !is_blank(file, at, file->size - at);
		memset(file->now + at, 0, file->size - at);
		file->size = at;
		return changed;
	case ROT_SECTOR_LOST:
		at = (uint32_t)random_below(random, sectors) * DISK_SECTOR;
		changed = !is_blank(file, at, DISK_SECTOR);
		memset(file->now + at, 0, DISK_SECTOR);
		return changed;
	case ROT_SECTOR_MOVED:
		from = (uint32_t)random_below(random, sectors) * DISK_SECTOR;
		at = (uint32_t)random_below(random, sectors) * DISK_SECTOR;
		changed = memcmp(file->now + at, file->now + from,
				  DISK_SECTOR) != 0 &&
			  !is_blank(file, at, DISK_SECTOR);
		memcpy(file->now + at, file->now + from, DISK_SECTOR);
		return changed;
	case ROT_GONE:
		fake->names.items[name] =
			fake->names.items[--fake->names.count];
		return true;
	}
	return false;
}

/* Read every block; returns the first that is damaged, or 0. What is not must
 * be what was written. */
static uint64_t first_damaged(const struct model *model, struct log *log)
{
	static uint8_t want[LOG_BLOCK_MAX];
	static uint8_t got[LOG_BLOCK_MAX];
	uint64_t first = 0;
	size_t size;

	for (uint64_t height = log_base(log) + 1; height <= log_tip(log);
		height++) {
		size_t want_size = model_block(model->content[height], want);
		enum err err = log_read(log, height, got, &size);

		if (err == ERR_DAMAGED && first == 0)
			first = height;
		if (err == ERR_DAMAGED)
			continue;
		assert_int_equal(err, ERR_OK);
		assert_int_equal(size, want_size);
		assert_memory_equal(got, want, size);
	}
	return first;
}

/* Repair, see what is left, put back what is not, and all is well again. */
static void mend(
	const struct specimen *specimen, struct fake_disk *fake, uint64_t bad)
{
	static uint8_t block[LOG_BLOCK_MAX];
	const struct model *model = &specimen->model;
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	char why[200];
	uint64_t tip;

	assert_int_equal(log_repair_on(&disk, bad, why), ERR_OK);
	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	tip = log_tip(log);
	assert_true(bad == 0 || tip < bad);
	/* What was cut off a file can say no more how much it was. */
	if (tip < model->tip)
		assert_true(log_owed(log) >=
			    (specimen->clean ? model->tip : tip + 1));
	assert_int_equal(first_damaged(model, log), 0);
	if (log_base(log) != model->base)
		log_reset(log, model->base);
	while (log_tip(log) < model->tip) {
		uint64_t height = log_tip(log) + 1;

		log_append(log, height,
			view_of(block,
				model_block(model->content[height], block)));
	}
	log_sync(log);
	if (log_owed(log)) {
		/* It may owe one more than there was: where the head of a
		 * record rots that was never written. */
		assert_int_equal(log_owed(log), model->tip + 1);
		log_append(log, model->tip + 1, view_text("the next"));
	}
	log_close(&log);
	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	assert_int_equal(log_owed(log), 0);
	log_close(&log);
}

struct tally {
	unsigned changed, at_open, at_read, harmless;
};

static void suffer(const struct specimen *specimen, struct random *random,
	struct fake_disk *fake, enum rot rot, struct tally *tally)
{
	const struct model *model = &specimen->model;
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	uint64_t bad = UINT64_MAX;
	char why[200] = "";
	bool changed;
	bool vote;
	size_t name;
	enum err err;

	fake_disk_copy(fake, specimen->fake);
	name = random_below(random, fake->names.count);
	vote = is_vote(fake, name);
	changed = decay(fake, random, rot, name);
	tally->changed += changed;
	err = log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why);
	if (err) {
		assert_int_equal(err, ERR_DAMAGED);
		assert_true(bad <= model->tip + 1);
		assert_non_null(strstr(why, "repair"));
		tally->at_open++;
		mend(specimen, fake, bad);
		return;
	}
	/* What opens holds all that was acknowledged. */
	assert_int_equal(log_tip(log), model->tip);
	assert_int_equal(log_base(log), model->base);
	assert_true(model_record_fits(model, log));
	bad = first_damaged(model, log);
	log_close(&log);
	if (bad) {
		tally->at_read++;
		mend(specimen, fake, bad);
	} else {
		/* The vote is there twice, and the log is not. */
		assert_true(vote || !changed);
		tally->harmless++;
	}
}

static void test_rot_is_named_and_mended(void **state)
{
	static struct specimen specimen;
	struct fake_disk *fake = fake_disk_new(1);
	struct tally tally = {0};
	struct random random;

	(void)state;
	random_seed(&random, 11);
	for (uint64_t seed = 1; seed <= 14; seed++) {
		make_specimen(&specimen, seed, seed % 2);
		for (unsigned i = 0; i < 150; i++) {
			enum rot rot = ROT_FLIP;

			/* After a power cut the last group has no witness: a
			 * sector of it that is zeros is a torn one, a file of
			 * it that is missing was never made. */
			if (i >= 90)
				rot = ROT_SHORTEN;
			if (i >= 110 && specimen.clean)
				rot = ROT_SECTOR_LOST;
			if (i >= 130 && specimen.clean)
				rot = ROT_SECTOR_MOVED;
			if (i >= 145 && specimen.clean)
				rot = ROT_GONE;
			suffer(&specimen, &random, fake, rot, &tally);
		}
		fake_disk_free(specimen.fake);
	}
	fake_disk_free(fake);
	print_message("2100 changes: %u of them to bytes of the log; %u named "
		      "at open, %u at reading, %u did no harm\n",
		tally.changed, tally.at_open, tally.at_read, tally.harmless);
	assert_true(tally.changed >= 1000);
	assert_true(tally.at_open >= 500 && tally.at_read > 0);
}

/* ---- a power cut and rot, so that no slot knows the last group ---- */

/* Six blocks of 400 bytes in groups of two; then the power goes. */
static void make_small(struct fake_disk *left)
{
	static uint8_t block[400];
	struct fake_disk *live = fake_disk_new(1);
	struct disk disk = fake_disk_of(live);
	struct log *log = NULL;
	uint64_t bad;
	char why[200];

	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	for (uint64_t height = 1; height <= 6; height++) {
		memset(block, (int)height, sizeof(block));
		log_append(log, height, view_of(block, sizeof(block)));
		if (height % 2 == 0)
			log_sync(log);
	}
	fake_disk_cut(live, left, 0);
	log_close(&log);
	fake_disk_free(live);
}

/* Where record i (from 0) of make_small is. */
static uint32_t small_at(uint32_t i)
{
	return 64 + i * record_span(400);
}

static struct fake_file *segment_file(struct fake_disk *fake)
{
	return is_vote(fake, 0) ? file_of(fake, 1) : file_of(fake, 0);
}

static enum err open_small(struct fake_disk *fake, uint64_t *bad, uint64_t *tip)
{
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	char why[200];
	enum err err = log_open_on(&log, &disk, MODEL_SEGMENT, bad, why);

	if (err)
		return err;
	*tip = log_tip(log);
	log_close(&log);
	return ERR_OK;
}

static void test_a_later_block_is_a_witness(void **state)
{
	struct fake_disk *fake = fake_disk_new(7);
	uint64_t bad = 0;
	uint64_t tip = 0;

	(void)state;
	/* Block 3 was in an earlier group than blocks 5 and 6. */
	make_small(fake);
	memset(segment_file(fake)->now + small_at(2), 0, 64);
	assert_int_equal(open_small(fake, &bad, &tip), ERR_DAMAGED);
	assert_int_equal(bad, 3);
	/* Block 5 was in one group with block 6: it may be torn. */
	make_small(fake);
	memset(segment_file(fake)->now + small_at(4), 0, 64);
	assert_int_equal(open_small(fake, &bad, &tip), ERR_OK);
	assert_int_equal(tip, 4);
	fake_disk_free(fake);
}

static void test_rot_is_not_a_torn_write(void **state)
{
	struct fake_disk *fake = fake_disk_new(8);
	uint64_t bad = 0;
	uint64_t tip = 0;

	(void)state;
	make_small(fake);
	segment_file(fake)->now[small_at(5) + 100] ^= 4;
	assert_int_equal(open_small(fake, &bad, &tip), ERR_DAMAGED);
	assert_int_equal(bad, 6);
	make_small(fake);
	segment_file(fake)->now[small_at(5) + 9] ^= 4;
	assert_int_equal(open_small(fake, &bad, &tip), ERR_DAMAGED);
	assert_int_equal(bad, 6);
	/* A sector that was never written. */
	make_small(fake);
	memset(segment_file(fake)->now + 3072, 0, 512);
	assert_true(small_at(5) < 3072 && small_at(6) > 3072);
	assert_int_equal(open_small(fake, &bad, &tip), ERR_OK);
	assert_int_equal(tip, 5);
	fake_disk_free(fake);
}

static void test_an_old_copy_of_a_file_is_named(void **state)
{
	static uint8_t block[9000];
	struct fake_disk *fake = fake_disk_new(9);
	static struct fake_file copy;
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	uint64_t bad = 0;
	uint64_t tip;
	char why[200];

	(void)state;
	/* Seven of these fill a segment, before and after the truncation. */
	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	for (uint64_t height = 1; height <= 7; height++)
		log_append(log, height, view_of(block, sizeof(block)));
	log_sync(log);
	copy = *segment_file(fake);
	log_truncate(log, 3);
	memset(block, 1, sizeof(block));
	for (uint64_t height = 4; height <= 10; height++)
		log_append(log, height, view_of(block, sizeof(block)));
	log_truncate(log, 9);
	log_close(&log);
	assert_int_equal(open_small(fake, &bad, &tip), ERR_OK);
	assert_int_equal(tip, 9);
	/* One record of it, in the old place. */
	memcpy(segment_file(fake)->now + 64 + 4 * record_span(9000),
		copy.now + 64 + 4 * record_span(9000), record_span(9000));
	assert_int_equal(open_small(fake, &bad, &tip), ERR_DAMAGED);
	assert_int_equal(bad, 5);
	*segment_file(fake) = copy;
	assert_int_equal(open_small(fake, &bad, &tip), ERR_DAMAGED);
	assert_int_equal(bad, 8);
	fake_disk_free(fake);
}

/* ---- files of random bytes, and heads that lie with a valid check ---- */

static void try_to_use(struct fake_disk *fake)
{
	static uint8_t out[LOG_BLOCK_MAX];
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	uint64_t bad = 0;
	char why[200];
	size_t size;

	if (log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why) != ERR_OK &&
		(log_repair_on(&disk, bad, why) != ERR_OK ||
			log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why) !=
				ERR_OK))
		return;
	for (uint64_t i = 0; i < 5; i++)
		if (log_read(log, log_base(log) + i, out, &size) == ERR_OK)
			assert_true(size <= LOG_BLOCK_MAX);
	if (log_tip(log) < UINT64_MAX / 2) {
		log_append(log, log_tip(log) + 1, view_text("next"));
		log_sync(log);
	}
	log_close(&log);
}

static void test_random_bytes_do_no_harm(void **state)
{
	static struct specimen specimen;
	struct fake_disk *fake = fake_disk_new(2);
	struct random random;

	(void)state;
	random_seed(&random, 12);
	make_specimen(&specimen, 3, true);
	for (unsigned i = 0; i < 400; i++) {
		struct fake_file *file;
		uint32_t from;

		fake_disk_copy(fake, specimen.fake);
		file = file_of(fake, random_below(&random, fake->names.count));
		from = (uint32_t)random_below(&random, file->size);
		if (i % 4 == 0)
			from = 0;
		for (uint32_t at = from; at < file->size; at++)
			file->now[at] = (uint8_t)random_next(&random);
		try_to_use(fake);
	}
	fake_disk_free(specimen.fake);
	fake_disk_free(fake);
}

static void test_lying_heads_do_no_harm(void **state)
{
	static struct specimen specimen;
	struct fake_disk *fake = fake_disk_new(3);
	struct random random;

	(void)state;
	random_seed(&random, 13);
	make_specimen(&specimen, 4, true);
	for (unsigned i = 0; i < 600; i++) {
		struct fake_file *file;
		uint8_t *head;
		const uint8_t *salt = NULL;
		size_t name = random_below(&random, specimen.fake->names.count);

		fake_disk_copy(fake, specimen.fake);
		if (is_vote(fake, name))
			continue;
		file = file_of(fake, name);
		salt = file->now + 32; /* in the head of a segment */
		head = file->now;
		if (i % 8)
			head += 64 * random_below(&random, file->size / 64);
		/* A field of 4 or 8 bytes takes a value at the edge. */
		for (unsigned n = 1 + (unsigned)random_below(&random, 2); n;
			n--) {
			uint64_t value = random_below(&random, 3) - 1;
			uint8_t *field = head + 4 * random_below(&random, 10);

			if (random_chance(&random, 300))
				value = random_next(&random);
			if (random_chance(&random, 500))
				little_put32(field, (uint32_t)value);
			else
				little_put64(field, value);
		}
		head_seal(head, salt);
		try_to_use(fake);
	}
	fake_disk_free(specimen.fake);
	fake_disk_free(fake);
}

/* ---- the vote ---- */

static void test_a_torn_vote_falls_back_to_the_other(void **state)
{
	static struct specimen specimen;
	struct fake_disk *fake = fake_disk_new(4);

	(void)state;
	make_specimen(&specimen, 5, true);
	assert_true(specimen.model.record != 0);
	for (uint32_t slot = 0; slot < 2; slot++) {
		struct disk disk = fake_disk_of(fake);
		struct log *log = NULL;
		uint64_t bad;
		char why[200];
		struct fake_file *file;

		fake_disk_copy(fake, specimen.fake);
		file = &fake->files[fake_find(fake, "vote")->file];
		memset(file->now + slot * 4096 + 256, 0, 256);
		assert_int_equal(
			log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why),
			ERR_OK);
		assert_true(model_record_fits(&specimen.model, log));
		assert_true(model_fits(&specimen.model, log));
		log_close(&log);
	}
	fake_disk_free(specimen.fake);
	fake_disk_free(fake);
}

static void test_a_lost_vote_is_named(void **state)
{
	static struct specimen specimen;
	struct fake_disk *fake = fake_disk_new(5);
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	uint8_t record[LOG_RECORD_MAX];
	uint64_t bad = 99;
	char why[200];

	(void)state;
	make_specimen(&specimen, 6, true);
	fake_disk_copy(fake, specimen.fake);
	fake_remove(fake, "vote");
	assert_int_equal(log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why),
		ERR_DAMAGED);
	assert_int_equal(bad, 0);
	assert_non_null(strstr(why, "must not vote"));
	assert_int_equal(log_repair_on(&disk, bad, why), ERR_OK);
	assert_int_equal(
		log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why), ERR_OK);
	assert_int_equal(log_tip(log), 0);
	assert_int_equal(log_record(log, record), 0);
	assert_true(log_owed(log) >= specimen.model.tip);
	log_close(&log);
	fake_disk_free(specimen.fake);
	fake_disk_free(fake);
}

static int start(void **state)
{
	(void)state;
	crypto_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rot_is_named_and_mended),
		cmocka_unit_test(test_a_later_block_is_a_witness),
		cmocka_unit_test(test_rot_is_not_a_torn_write),
		cmocka_unit_test(test_an_old_copy_of_a_file_is_named),
		cmocka_unit_test(test_random_bytes_do_no_harm),
		cmocka_unit_test(test_lying_heads_do_no_harm),
		cmocka_unit_test(test_a_torn_vote_falls_back_to_the_other),
		cmocka_unit_test(test_a_lost_vote_is_named),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
