/* tests/unit/driver.c -- a driver alone with its disk: the only voter of its
 * network, so that everything it is given becomes final by itself.
 */
#include "paper.h"

#include <sys/stat.h>

#include "clock/clock.h"
#include "directory.h"
#include "service/driver.h"
#include "store/log.h"

enum { BLOCKS = 40, SMALL_SEGMENT = 1 << 17, DEADLINE_MS = 20000 };

struct bench {
	char top[PATH_SIZE];
	struct genesis *genesis;
	struct bus *bus;
	struct finder finder;
	struct driver *driver;
	int disk_percent;
	struct paper paper;
	uint64_t final;
	enum err verdict; /* the last */
	uint64_t verdicts;
	char why[300];
};

static void on_output(void *context, const struct output *output)
{
	struct bench *bench = context;
	if (output->type == OUTPUT_FINAL)
		bench->final = output->height;
}

static void on_verdict(void *context, uint64_t token, const struct tx_view *tx,
	enum err verdict)
{
	struct bench *bench = context;
	(void)token;
	(void)tx;
	bench->verdict = verdict;
	bench->verdicts++;
}

static void on_received(void *context, uint64_t token)
{
	(void)context;
	(void)token;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	bench->genesis = genesis_new();
	bench->genesis->node_count = 1;
	directory_make(bench->top);
	assert_int_equal(bus_open(&bench->bus, node_pair(0)), ERR_OK);
	finder_init(&bench->finder, &node_pair(0)->key);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	driver_close(&bench->driver);
	finder_close(&bench->finder);
	bus_close(&bench->bus);
	directory_remove(bench->top);
	free(bench->genesis);
	free(bench);
	return 0;
}

static enum err open_driver(struct bench *bench)
{
	struct driver_config config = {
		.engine = engine_find("ordered"),
		.genesis = bench->genesis,
		.self = node_pair(0),
		.bus = bench->bus,
		.directory = bench->top,
		.peer_endpoint = "tcp://127.0.0.1:*",
		.finder = &bench->finder,
		.disk_percent = bench->disk_percent,
		.election_ms = 20,
		.heartbeat_ms = 5,
		.skew_ms = 10000,
		.on_output = on_output,
		.on_verdict = on_verdict,
		.on_received = on_received,
		.context = bench,
	};
	return driver_open(&bench->driver, &config, bench->why);
}

static void work(struct bench *bench)
{
	struct bus_socket *sockets[DRIVER_SOCKETS_MAX];
	bool ready[DRIVER_SOCKETS_MAX];
	size_t count = driver_sockets(bench->driver, sockets);
	time_ms wait = driver_timeout(bench->driver);
	bus_wait(bench->bus, sockets, ready, count, -1, NULL,
		wait < 50 ? wait : 50);
	driver_work(bench->driver);
	driver_flush(bench->driver);
}

static void until_final(struct bench *bench, uint64_t height)
{
	time_ms until = clock_monotonic() + DEADLINE_MS;
	while (bench->final < height) {
		assert_true(clock_monotonic() < until);
		work(bench);
	}
}

/* A large transaction; whether it is granted does not matter. */
static struct view seal(struct bench *bench, uint64_t number)
{
	struct paper *paper = &bench->paper;
	time_ms now = clock_wall();
	paper_begin(paper, ALICE, number, now + MINUTE, TX_MODE_EACH);
	for (int i = 0; i < 64; i++)
		paper_reserve(paper, "east", "a",
			now + HOUR + (time_ms)number * MINUTE,
			now + HOUR + (time_ms)(number + 1) * MINUTE, "X1", 0,
			MOVEMENT_ANY);
	size_t size = tx_seal(paper->signed_bytes, &paper->tx, who_pair(ALICE),
		&bench->genesis->network);
	assert_true(size > 0);
	return view_of(paper->signed_bytes, size);
}

/* A ledger of some blocks after the leader's own first one. */
static void make_ledger(struct bench *bench)
{
	assert_int_equal(open_driver(bench), ERR_OK);
	driver_start(bench->driver);
	until_final(bench, 1);
	for (uint64_t i = 1; i <= BLOCKS; i++) {
		assert_int_equal(
			driver_submit(bench->driver, seal(bench, i), i),
			ERR_OK);
		until_final(bench, 1 + i);
	}
	driver_close(&bench->driver);
}

/* The same blocks and record in segments of a few blocks each. */
static void make_segments_small(struct bench *bench)
{
	uint8_t bytes[LOG_BLOCK_MAX], record[LOG_RECORD_MAX];
	char was[PATH_SIZE], is[PATH_SIZE], old[PATH_SIZE], why[200];
	struct log *from, *to;
	struct disk disk;
	uint64_t bad;
	size_t size;

	path_of(is, bench->top, "log");
	path_of(was, bench->top, "was");
	path_of(old, bench->top, "was/log");
	assert_int_equal(mkdir(was, 0700), 0);
	assert_int_equal(rename(is, old), 0);
	assert_int_equal(log_open(&from, was, &bad, why), ERR_OK);
	assert_int_equal(disk_open(&disk, bench->top, "log", why), ERR_OK);
	assert_int_equal(
		log_open_on(&to, &disk, SMALL_SEGMENT, &bad, why), ERR_OK);
	for (uint64_t height = 1; height <= log_tip(from); height++) {
		assert_int_equal(log_read(from, height, bytes, &size), ERR_OK);
		log_append(to, height, view_of(bytes, size));
	}
	size = log_record(from, record);
	log_save_record(to, view_of(record, size));
	log_close(&from);
	log_close(&to);
	directory_remove(was);
}

/* One bit in the middle of the first segment, where a block's bytes are. */
static void flip_in_first_segment(struct bench *bench)
{
	char path[PATH_SIZE];
	uint8_t byte;
	path_of(path, bench->top, "log/0000000000000001-00000001.log");
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	fseek(file, SMALL_SEGMENT / 2, SEEK_SET);
	assert_int_equal(fread(&byte, 1, 1, file), 1);
	byte ^= 1;
	fseek(file, SMALL_SEGMENT / 2, SEEK_SET);
	assert_int_equal(fwrite(&byte, 1, 1, file), 1);
	fclose(file);
}

/* What the walk of the heads cannot see, the replay does. */
static void test_rot_in_an_old_segment_is_cut(void **state)
{
	struct bench *bench = *state;
	struct engine_status status;
	char why[200];
	struct log *log;
	uint64_t bad;
	make_ledger(bench);
	make_segments_small(bench);
	flip_in_first_segment(bench);
	assert_int_equal(open_driver(bench), ERR_OK);
	uint64_t tip =
		chain_tip(replica_chain(driver_replica(bench->driver))).height;
	assert_true(tip > 1 && tip < BLOCKS / 2);
	/* It acknowledged more: nobody has its vote before that is back. */
	driver_start(bench->driver);
	for (int i = 0; i < 5; i++)
		work(bench);
	replica_status(driver_replica(bench->driver), &status);
	assert_int_not_equal(status.role, ENGINE_LEADER);
	driver_close(&bench->driver);
	assert_int_equal(log_open(&log, bench->top, &bad, why), ERR_OK);
	assert_int_equal(log_tip(log), tip);
	assert_int_equal(log_owed(log), BLOCKS + 1);
	log_close(&log);
}

static void test_a_lost_vote_stops_with_a_cure(void **state)
{
	struct bench *bench = *state;
	char path[PATH_SIZE];
	make_ledger(bench);
	path_of(path, bench->top, "log/vote");
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(open_driver(bench), ERR_DAMAGED);
	assert_non_null(strstr(bench->why, "log/vote"));
	assert_non_null(strstr(bench->why, "set-node"));
}

/* One that cannot be used any more keeps no other one back. */
static void test_what_was_received_waits_again(void **state)
{
	struct bench *bench = *state;
	struct replica_fate fate;
	struct index *index;
	char why[200];
	struct id id = id_of(1);
	const struct key *alice = &who_pair(ALICE)->key;
	assert_int_equal(index_open(&index, bench->top, why), ERR_OK);
	index_put_received(index, alice, &id, view_text("of another release"));
	id = id_of(2);
	index_put_received(index, alice, &id, seal(bench, 2));
	index_commit(index, 0);
	index_close(&index);
	assert_int_equal(open_driver(bench), ERR_OK);
	driver_start(bench->driver);
	time_ms until = clock_monotonic() + DEADLINE_MS;
	do {
		assert_true(clock_monotonic() < until);
		work(bench);
	} while (!replica_fate(
			 driver_replica(bench->driver), alice, &id, &fate) ||
		 fate.status < 3);
}

/* Any disk that holds this program is used to one percent at least. */
static void test_a_full_disk_takes_nothing_new(void **state)
{
	struct bench *bench = *state;
	struct replica_fate fate;
	struct id id = id_of(1);
	make_ledger(bench);
	bench->disk_percent = 1;
	assert_int_equal(open_driver(bench), ERR_OK);
	driver_start(bench->driver);
	/* A leader's own block is still written. */
	until_final(bench, BLOCKS + 2);
	assert_int_equal(
		driver_submit(bench->driver, seal(bench, 900), 1), ERR_DISK);
	assert_true(replica_fate(driver_replica(bench->driver),
		&who_pair(ALICE)->key, &id, &fate));
	assert_int_equal(fate.status, 3);
	driver_close(&bench->driver);
	bench->disk_percent = 100;
	assert_int_equal(open_driver(bench), ERR_OK);
	driver_start(bench->driver);
	until_final(bench, BLOCKS + 3);
	assert_int_equal(
		driver_submit(bench->driver, seal(bench, 900), 1), ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rot_in_an_old_segment_is_cut),
		TEST(test_a_lost_vote_stops_with_a_cure),
		TEST(test_what_was_received_waits_again),
		TEST(test_a_full_disk_takes_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
