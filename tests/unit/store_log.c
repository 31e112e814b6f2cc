/* tests/unit/store_log.c -- the log against a model, on a disk that loses power
 * at any call, fails at any call, fills up, and is slow to write.
 */
#include "unit.h"

#include <string.h>

#include "crypto/crypto.h"
#include "log_model.h"

static struct log *must_open(struct fake_disk *fake)
{
	struct disk disk = fake_disk_of(fake);
	struct log *log = NULL;
	uint64_t bad = 0;
	char why[200] = "";
	enum err err = log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why);

	if (err)
		print_error("%s\n", why);
	assert_int_equal(err, ERR_OK);
	assert_int_equal(log_owed(log), 0);
	return log;
}

static void append(struct log *log, uint64_t height, const char *text)
{
	log_append(log, height, view_text(text));
}

static void assert_block(struct log *log, uint64_t height, const char *text)
{
	static uint8_t out[LOG_BLOCK_MAX];
	size_t size = 0;

	assert_int_equal(log_read(log, height, out, &size), ERR_OK);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(out, text, size);
}

static void test_a_new_log_is_empty(void **state)
{
	struct fake_disk *fake = fake_disk_new(1);
	struct log *log = must_open(fake);
	uint8_t record[LOG_RECORD_MAX];

	(void)state;
	assert_int_equal(log_base(log), 0);
	assert_int_equal(log_tip(log), 0);
	assert_int_equal(log_record(log, record), 0);
	assert_int_equal(log_disk_used_percent(log), 42);
	log_close(&log);
	assert_null(log);
	log_close(&log);
	fake_disk_free(fake);
}

static void test_blocks_and_record_come_back(void **state)
{
	struct fake_disk *fake = fake_disk_new(2);
	struct log *log = must_open(fake);
	uint8_t record[LOG_RECORD_MAX];

	(void)state;
	append(log, 1, "one");
	append(log, 2, "two");
	assert_block(log, 2, "two"); /* readable before it is durable */
	log_sync(log);
	log_save_record(log, view_text("term 7"));
	log_close(&log);
	log = must_open(fake);
	assert_int_equal(log_tip(log), 2);
	assert_block(log, 1, "one");
	assert_block(log, 2, "two");
	assert_int_equal(log_record(log, record), 6);
	assert_memory_equal(record, "term 7", 6);
	log_close(&log);
	fake_disk_free(fake);
}

static void test_the_largest_and_the_smallest_block(void **state)
{
	static uint8_t large[LOG_BLOCK_MAX];
	static uint8_t out[LOG_BLOCK_MAX];
	struct fake_disk *fake = fake_disk_new(3);
	struct log *log = must_open(fake);
	size_t size;

	(void)state;
	memset(large, 'x', sizeof(large));
	for (uint64_t height = 1; height <= 8; height++)
		log_append(log, height,
			view_of(large, height % 2 ? sizeof(large) : 1));
	log_close(&log);
	log = must_open(fake);
	for (uint64_t height = 1; height <= 8; height++) {
		assert_int_equal(log_read(log, height, out, &size), ERR_OK);
		assert_int_equal(size, height % 2 ? sizeof(large) : 1);
		assert_memory_equal(out, large, size);
	}
	log_close(&log);
	fake_disk_free(fake);
}

static void test_truncated_blocks_do_not_come_back(void **state)
{
	struct fake_disk *fake = fake_disk_new(4);
	struct log *log = must_open(fake);

	(void)state;
	/* The new block 2 is the old one again, so that a stale block 3 would
	 * follow it in every respect but the epoch. */
	append(log, 1, "one");
	append(log, 2, "two");
	append(log, 3, "stale");
	log_sync(log);
	log_truncate(log, 1);
	append(log, 2, "two");
	log_sync(log);
	log_close(&log);
	log = must_open(fake);
	assert_int_equal(log_tip(log), 2);
	log_truncate(log, 0);
	assert_int_equal(log_tip(log), 0);
	append(log, 1, "other");
	log_close(&log);
	log = must_open(fake);
	assert_int_equal(log_tip(log), 1);
	assert_block(log, 1, "other");
	log_close(&log);
	fake_disk_free(fake);
}

static void test_after_a_reset_the_log_begins_higher(void **state)
{
	struct fake_disk *fake = fake_disk_new(5);
	struct log *log = must_open(fake);

	(void)state;
	append(log, 1, "one");
	log_reset(log, 1000);
	assert_int_equal(log_base(log), 1000);
	assert_int_equal(log_tip(log), 1000);
	append(log, 1001, "next");
	log_close(&log);
	log = must_open(fake);
	assert_int_equal(log_base(log), 1000);
	assert_block(log, 1001, "next");
	log_close(&log);
	fake_disk_free(fake);
}

struct wrong_append {
	struct log *log;
	uint64_t height;
	size_t size;
};

static void append_wrongly(void *argument)
{
	static uint8_t block[LOG_BLOCK_MAX + 1];
	const struct wrong_append *wrong = argument;

	log_append(wrong->log, wrong->height, view_of(block, wrong->size));
}

static void test_misuse_aborts(void **state)
{
	struct fake_disk *fake = fake_disk_new(6);
	struct log *log = must_open(fake);
	struct wrong_append gap = {log, 2, 1};
	struct wrong_append empty = {log, 1, 0};
	struct wrong_append large = {log, 1, LOG_BLOCK_MAX + 1};
	struct wrong_append fine = {log, 1, 1};

	(void)state;
	assert_true(unit_aborts(append_wrongly, &gap));
	assert_true(unit_aborts(append_wrongly, &empty));
	assert_true(unit_aborts(append_wrongly, &large));
	assert_false(unit_aborts(append_wrongly, &fine));
	log_close(&log);
	fake_disk_free(fake);
}

static void test_the_model_agrees_over_reopening(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fake_disk *fake = fake_disk_new(seed);
		struct log *log;
		struct model model = {0};
		struct random random;
		uint64_t next = 1;

		fake->short_writes = seed % 2;
		log = must_open(fake);
		random_seed(&random, seed);
		for (int i = 0; i < 300; i++) {
			model_step(&model, log, &random, &next);
			if (i % 50 != 49)
				continue;
			assert_true(model_fits(&model, log));
			assert_int_equal(log_tip(log), model.tip);
			log_close(&log);
			model.synced = model.tip;
			log = must_open(fake);
			assert_int_equal(log_tip(log), model.tip);
			assert_true(model_fits(&model, log));
		}
		log_close(&log);
		fake_disk_free(fake);
	}
}

/* Whether there are only files that the log has a use for. */
static bool is_tidy(const struct fake_disk *fake, struct log *log)
{
	for (size_t i = 0; i < fake->names.count; i++) {
		unsigned long long first =
			strtoull(fake->names.items[i].text, NULL, 10);

		if (first > 0 &&
			(first <= log_base(log) || first > log_tip(log) + 1))
			return false;
	}
	return true;
}

/* Run random calls until the power goes, then look at what is left: it must be
 * as before the call in which it went, or as after it. */
static bool survives_cuts(uint64_t seed, unsigned cuts, bool lies)
{
	static struct model model, before;
	struct fake_disk *fake = fake_disk_new(seed);
	struct fake_disk *image = fake_disk_new(seed);
	struct random random;
	uint64_t next = 1;
	bool fits = true;

	memset(&model, 0, sizeof(model));
	random_seed(&random, seed);
	fake->lies = lies;
	fake->short_writes = seed % 4 == 0;
	for (unsigned cut = 0; cut < cuts && fits; cut++) {
		struct disk disk = fake_disk_of(fake);
		struct log *log = NULL;
		struct fake_disk *swap;
		uint64_t bad;
		char why[200];

		fake->image = image;
		fake->calls = 0;
		fake->cut_at = 1 + random_below(&random, 60);
		before = model;
		/* The power may go while the log is being opened. */
		if (log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why)) {
			fits = false;
			break;
		}
		if (fake->calls < fake->cut_at) {
			fits = model_fits(&model, log);
			model_settle(&model, log);
		}
		while (fits && fake->calls < fake->cut_at) {
			before = model;
			model_step(&model, log, &random, &next);
		}
		log_close(&log);
		swap = fake;
		fake = image;
		image = swap;
		disk = fake_disk_of(fake);
		if (!fits ||
			log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why)) {
			fits = false;
			break;
		}
		if (model_fits(&before, log))
			model = before;
		else
			fits = model_fits(&model, log);
		model_settle(&model, log);
		fits = fits && log_owed(log) == 0 && is_tidy(fake, log);
		log_close(&log);
	}
	fake_disk_free(fake);
	fake_disk_free(image);
	return fits;
}

static void test_power_cuts_lose_nothing_acknowledged(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++)
		if (!survives_cuts(seed, 20, false))
			fail_msg("seed %d", (int)seed);
}

static void assert_record(struct fake_disk *fake, const char *a, const char *b)
{
	struct log *log = must_open(fake);
	uint8_t record[LOG_RECORD_MAX];
	struct view got = view_of(record, log_record(log, record));

	assert_true(
		view_equal(got, view_text(a)) || view_equal(got, view_text(b)));
	log_close(&log);
}

/* A log with a record saved, and a note of block 1 that only memory has. */
static struct log *open_and_note(struct fake_disk *fake)
{
	struct log *log = must_open(fake);

	log_save_record(log, view_text("old"));
	append(log, 1, "block");
	log_sync(log);
	fake->calls = 0;
	fake->tears = true;
	return log;
}

/* The power goes at call k of a save on a disk that tears every sector. False
 * when there are not so many calls. */
static bool cut_save(uint64_t seed, uint64_t k)
{
	struct fake_disk *fake = fake_disk_new(seed);
	struct fake_disk *left = fake_disk_new(seed);
	struct log *log = open_and_note(fake);
	bool reached;

	fake->image = left;
	fake->cut_at = k;
	log_save_record(log, view_text("new"));
	reached = fake->calls >= k;
	fake->cut_at = 0;
	log_close(&log);
	if (reached)
		assert_record(left, "old", "new");
	fake_disk_free(fake);
	fake_disk_free(left);
	return reached;
}

/* The same when the process was killed, and the power goes while the next one
 * opens the log. */
static bool cut_open(uint64_t seed, uint64_t k)
{
	struct fake_disk *fake = fake_disk_new(seed);
	struct fake_disk *killed = fake_disk_new(seed);
	struct fake_disk *left = fake_disk_new(seed);
	struct log *log = open_and_note(fake);
	bool reached;

	fake_disk_copy(killed, fake);
	log_close(&log);
	killed->image = left;
	killed->cut_at = k;
	log = must_open(killed);
	reached = killed->calls >= k;
	killed->cut_at = 0;
	log_close(&log);
	if (reached)
		assert_record(left, "old", "old");
	fake_disk_free(fake);
	fake_disk_free(killed);
	fake_disk_free(left);
	return reached;
}

/* One of the two slots is whole at any instant. */
static void test_no_cut_takes_both_slots(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t k = 1;

		while (cut_save(seed, k))
			k++;
		assert_true(k > 4);
		k = 1;
		while (cut_open(seed, k))
			k++;
		assert_true(k > 4);
	}
}

/* The test of power cuts has teeth: it sees a disk that does not sync. */
static void test_power_cuts_find_a_disk_that_lies(void **state)
{
	unsigned found = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		found += !survives_cuts(seed, 20, true);
	assert_true(found >= 18);
}

/* ---- every call fails once ---- */

struct progress {
	struct model model, before;
};

struct doomed {
	struct fake_disk *fake;
	struct progress *progress; /* in shared memory */
	uint64_t seed;
	unsigned steps;
};

static void run_doomed(void *argument)
{
	const struct doomed *doomed = argument;
	struct disk disk = fake_disk_of(doomed->fake);
	struct random random;
	struct log *log = NULL;
	uint64_t next = 1;
	uint64_t bad;
	char why[200];

	random_seed(&random, doomed->seed);
	if (log_open_on(&log, &disk, MODEL_SEGMENT, &bad, why))
		_exit(1);
	for (unsigned i = 0; i < doomed->steps; i++) {
		doomed->progress->before = doomed->progress->model;
		model_step(&doomed->progress->model, log, &random, &next);
	}
	log_close(&log);
}

/* What an abort left must fit, in the memory of the system and, after a power
 * cut as well, on the disk. */
static void assert_left(struct fake_disk *fake, struct progress *progress)
{
	struct fake_disk *image = fake_disk_new(1);
	struct log *log;

	fake->fail_at = 0;
	fake->fail_reserve = false;
	fake_disk_cut(fake, image, 500);
	log = must_open(image);
	assert_true(model_fits(&progress->before, log) ||
		    model_fits(&progress->model, log));
	log_close(&log);
	log = must_open(fake);
	assert_true(model_fits(&progress->before, log) ||
		    model_fits(&progress->model, log));
	log_close(&log);
	fake_disk_free(image);
}

static void test_every_call_that_fails_stops_the_process(void **state)
{
	enum { STEPS = 60 };
	struct progress *progress = mmap(NULL, sizeof(*progress),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool stopped = true;
	uint64_t k = 0;

	(void)state;
	assert_true(progress != MAP_FAILED);
	while (stopped) {
		struct fake_disk *fake = fake_disk_new(7);
		struct doomed doomed = {fake, progress, 7, STEPS};

		memset(progress, 0, sizeof(*progress));
		fake->fail_at = ++k;
		fake->fail_with = k % 2 ? -EIO : -ENOSPC;
		stopped = unit_aborts(run_doomed, &doomed);
		if (stopped) {
			assert_int_equal(fake->calls, k);
			assert_left(fake, progress);
		} else {
			/* It is only allowed to fail at tidying up what is not
			 * there, or beyond the last call. */
			stopped = fake->calls >= k;
		}
		fake_disk_free(fake);
	}
	assert_true(k > 100);
	munmap(progress, sizeof(*progress));
}

struct filling {
	struct fake_disk *fake;
	int says; /* where the message goes */
};

static void append_until_full(void *argument)
{
	const struct filling *filling = argument;
	struct log *log = must_open(filling->fake);

	dup2(filling->says, STDERR_FILENO);
	append(log, 1, "the first makes a file");
	filling->fake->fail_reserve = true;
	for (;;) {
		append(log, log_tip(log) + 1, "one more");
		log_sync(log);
	}
}

static void test_a_full_disk_stops_the_process(void **state)
{
	struct fake_disk *fake = fake_disk_new(8);
	struct filling filling = {.fake = fake};
	struct log *log;
	char said[400] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	filling.says = ends[1];
	assert_true(unit_aborts(append_until_full, &filling));
	close(ends[1]);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	assert_non_null(strstr(said, "the disk is full"));
	fake->fail_reserve = false;
	log = must_open(fake);
	/* 128 bytes a record, 65472 a segment. */
	assert_int_equal(log_tip(log), 511);
	assert_block(log, 511, "one more");
	log_close(&log);
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
		cmocka_unit_test(test_a_new_log_is_empty),
		cmocka_unit_test(test_blocks_and_record_come_back),
		cmocka_unit_test(test_the_largest_and_the_smallest_block),
		cmocka_unit_test(test_truncated_blocks_do_not_come_back),
		cmocka_unit_test(test_after_a_reset_the_log_begins_higher),
		cmocka_unit_test(test_misuse_aborts),
		cmocka_unit_test(test_the_model_agrees_over_reopening),
		cmocka_unit_test(test_power_cuts_lose_nothing_acknowledged),
		cmocka_unit_test(test_no_cut_takes_both_slots),
		cmocka_unit_test(test_power_cuts_find_a_disk_that_lies),
		cmocka_unit_test(test_every_call_that_fails_stops_the_process),
		cmocka_unit_test(test_a_full_disk_stops_the_process),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
