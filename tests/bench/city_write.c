/* tests/bench/city_write.c -- the day as the files of a node.
 *
 * The blocks are made by the replica that a node has, with the engine `ordered`
 * and one voter, so a node finds what it would have written itself. Only the
 * disk is not waited for after each block.
 */
#include "city.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/hex.h"
#include "consensus/replica.h"
#include "store/genesis.h"
#include "store/keyfile.h"
#include "store/log.h"

enum { PATH_SIZE = 4096, SYNC_BLOCKS = 256 };

static const char *const node_names[CITY_NODES] = {
	"the_leader_node", "the_blue_sky"};

struct writer {
	struct replica *replica;
	struct log *log;
	struct outputs outputs;
	struct tick tick;
};

static void path_of(char out[PATH_SIZE], const char *directory,
	const char *name, const char *ending)
{
	int size = snprintf(out, PATH_SIZE, "%s/%s%s", directory, name, ending);
	CHECK(size > 0 && size < PATH_SIZE);
}

/* ---- keys and genesis ---- */

static void write_key(
	const char *directory, const char *name, const struct keypair *pair)
{
	char path[PATH_SIZE], why[KEYFILE_WHY];

	path_of(path, directory, name, ".key");
	if (keyfile_save(path, pair, NULL, why) == ERR_OK)
		return;
	fprintf(stderr, "perch-bench-day: %s\n", why);
	exit(1);
}

static const char *hex_of(const struct key *key)
{
	static char hex[2 * KEY_SIZE + 1];

	hex_encode(hex, view_of(key, KEY_SIZE));
	return hex;
}

static void print_genesis(
	FILE *file, const struct city *city, unsigned first_port)
{
	static const char *const sockets[] = {"request", "publish", "peer"};

	fprintf(file,
		"perch\n    name = city\n    time = 2023-11-14T22:13:20Z\n"
		"    observers = anyone\nnodes\n");
	for (int i = 0; i < CITY_NODES; i++) {
		fprintf(file, "    %s\n        key = %s\n        role = %s\n",
			node_names[i], hex_of(&city->nodes[i].key),
			i == 0 ? "voter" : "standby");
		for (int k = 0; k < 3; k++)
			fprintf(file, "        %s = \"tcp://127.0.0.1:%u\"\n",
				sockets[k], first_port++);
	}
	fprintf(file, "ports\n");
	for (int i = 0; i < CITY_PORTS; i++)
		fprintf(file,
			"    port%02d\n        controller = %s\n"
			"        duration = 100s\n        before = 10s\n"
			"        after = 10s\n        pads\n"
			"            a\n            b\n            c\n"
			"            d\n",
			i, hex_of(&city->controllers[i].key));
	fprintf(file, "operators\n");
	for (int i = 0; i < CITY_OPERATORS; i++)
		fprintf(file,
			"    operator%02d\n        key = %s\n"
			"        quota = 999999\n",
			i, hex_of(&city->operators[i].key));
}

/* Its network is the hash of the file, so what is signed is made after it. */
static void write_genesis(
	struct city *city, const char *directory, unsigned first_port)
{
	char path[PATH_SIZE], why[GENESIS_WHY];

	path_of(path, directory, "genesis", ".zpl");
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	print_genesis(file, city, first_port);
	CHECK(fclose(file) == 0);
	memset(&city->genesis, 0, sizeof(city->genesis));
	if (genesis_load(&city->genesis, path, why) == ERR_OK)
		return;
	fprintf(stderr, "perch-bench-day: %s\n", why);
	exit(1);
}

/* ---- the log ---- */

static void open_writer(
	struct writer *writer, const struct city *city, const char *directory)
{
	char path[PATH_SIZE], why[200];
	uint64_t first_bad;
	struct replica_config config = {
		.engine = engine_find("ordered"),
		.genesis = &city->genesis,
		.self = &city->nodes[0],
		.limits = replica_limits_default,
		.election_ms = 500,
		.heartbeat_ms = 100,
		.skew_ms = 10000,
	};

	CHECK(config.engine != NULL);
	config.limits.snapshot_every = 0;
	void *memory = mmap(NULL, replica_bytes(&config),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	enum err err = replica_init(&writer->replica, memory, &config);
	CHECK(err == ERR_OK);
	path_of(path, directory, node_names[0], "");
	mkdir(path, 0700);
	if (log_open(&writer->log, path, &first_bad, why) == ERR_OK)
		return;
	fprintf(stderr, "perch-bench-day: %s\n", why);
	exit(1);
}

/* True: the engine is told that it is saved, and may want more. */
static bool carry_out(struct writer *writer)
{
	uint64_t task = 0;

	for (size_t i = 0; i < writer->outputs.count; i++) {
		const struct output *output = &writer->outputs.items[i];

		CHECK(output->type != OUTPUT_HALT);
		if (output->type != OUTPUT_SAVE)
			continue;
		task = output->task;
		for (uint32_t k = 0; k < output->block_count; k++)
			log_append(writer->log,
				output->blocks[k].ref.header.height,
				output->blocks[k].ref.bytes);
		if (output->message.size > 0)
			log_save_record(writer->log, output->message);
	}
	if (task != 0)
		replica_saved(
			writer->replica, &writer->tick, task, &writer->outputs);
	return task != 0;
}

static void set_time(struct writer *writer, int64_t second)
{
	writer->tick.now = second * 1000;
	writer->tick.wall = city_time(second);
}

static void write_seconds(struct writer *writer, int64_t seconds, uint64_t *txs)
{
	struct mempool *pool = replica_mempool(writer->replica);

	set_time(writer, 0);
	replica_start(writer->replica, &writer->tick, view_of(NULL, 0),
		&writer->outputs);
	while (carry_out(writer))
		;
	for (int64_t now = 1; now <= seconds; now++) {
		set_time(writer, now);
		city_fill(pool, now);
		*txs += mempool_count(pool);
		replica_build(writer->replica, &writer->tick, &writer->outputs);
		while (carry_out(writer))
			;
		CHECK(mempool_count(pool) == 0);
		if (now % SYNC_BLOCKS == 0)
			log_sync(writer->log);
	}
}

void city_write(struct city *city, const char *directory, unsigned first_port,
	int64_t seconds)
{
	static struct writer writer;
	struct replica_head head;
	char hash[2 * HASH_SIZE + 1], root[2 * HASH_SIZE + 1];
	uint64_t txs = 0;

	for (int i = 0; i < CITY_NODES; i++)
		write_key(directory, node_names[i], &city->nodes[i]);
	write_genesis(city, directory, first_port);
	open_writer(&writer, city, directory);
	write_seconds(&writer, seconds, &txs);
	log_close(&writer.log);
	replica_final_head(writer.replica, &head);
	hex_encode(hash, view_of(&head.tip.hash, HASH_SIZE));
	hex_encode(root, view_of(&head.state_root, HASH_SIZE));
	printf("{\"txs\":%llu,\"blocks\":%llu,\"hash\":\"%s\","
	       "\"state_root\":\"%s\"}\n",
		(unsigned long long)txs, (unsigned long long)head.tip.height,
		hash, root);
}
