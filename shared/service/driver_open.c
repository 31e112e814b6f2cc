/* service/driver_open.c -- from what is on disk to a replica that takes part.
 *
 * The newest snapshot that the log reaches, then the log's blocks: executed
 * again, so that a state that differs from what was ordered cannot start. What
 * the disk has damaged is cut off or thrown away, with a word of warning, as
 * long as the rest tells what this node acknowledged: the peers give it back.
 */
#include "service/driver_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

/* A voter with an empty disk has forgotten what it acknowledged and whom it
 * voted for: blocks that are final could be lost. One that joins has not. */
#define REJOIN                                                                 \
	"take this node out (perch-wallet set-node), then move the directory " \
	"away and add it again"

enum {
	CHECK_AGAIN_BLOCKS = 256, /* signatures that a crash may have cut off */
	MENDS_MAX = 4,
};

static enum err open_replica(struct driver *driver, char why[300])
{
	struct replica_config config = {
		.engine = driver->config.engine,
		.genesis = driver->config.genesis,
		.self = driver->config.self,
		.limits = replica_limits_default,
		.election_ms = driver->config.election_ms,
		.heartbeat_ms = driver->config.heartbeat_ms,
		.skew_ms = driver->config.skew_ms,
		.mesh = driver->config.mesh,
		.mine = driver->config.mine,
		.forgotten_height = log_owed(driver->log),
	};
	if (driver->config.keep_blocks > 0)
		config.limits.snapshot_every = driver->config.keep_blocks;
	driver->memory_size = replica_bytes(&config);
	driver->memory = mmap(NULL, driver->memory_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(driver->memory != MAP_FAILED);
	enum err err = replica_init(&driver->replica, driver->memory, &config);
	if (err != ERR_OK)
		snprintf(why, 300, "the genesis cannot be used: %s",
			err_text(err));
	return err;
}

/* A fetched snapshot became durable and the crash came before the log began
 * anew: then blocks that never were final may stand at its height. */
static void leave_other_branch(
	struct driver *driver, const struct block_ref *snapshot)
{
	uint64_t height = snapshot->header.height;
	struct block_ref block;
	size_t size;
	uint8_t *bytes = malloc(BLOCK_BYTES_MAX);
	CHECK(bytes != NULL);
	if (log_read(driver->log, height, bytes, &size) == ERR_OK &&
		block_open(&block, view_of(bytes, size),
			&driver->config.genesis->network) == ERR_OK &&
		!hash_equal(&block.hash, &snapshot->hash)) {
		log_warn("store", "the log begins anew after height %llu",
			(unsigned long long)height);
		log_reset(driver->log, height);
	}
	free(bytes);
}

/* ERR_NOT_FOUND: there is none that the log goes on from. */
static enum err restore_snapshot(struct driver *driver)
{
	uint8_t header[400], small[1];
	size_t header_size, size = sizeof(small);
	struct signature signature;
	uint64_t height = log_tip(driver->log), total;
	if (height == 0 ||
		!index_find_snapshot(driver->index, &height, header,
			&header_size, &signature, 0, small, &size, &total) ||
		height < log_base(driver->log))
		return ERR_NOT_FOUND;
	uint8_t *bytes = malloc(total);
	CHECK(bytes != NULL);
	size_t got = 0;
	enum err err = ERR_OK;
	while (got < total && err == ERR_OK) {
		size = total - got;
		if (!index_find_snapshot(driver->index, &height, header,
			    &header_size, &signature, got, bytes + got, &size,
			    &total) ||
			size == 0)
			err = ERR_NOT_FOUND;
		else
			got += size;
	}
	struct block_ref block;
	if (err == ERR_OK)
		err = block_open_header(&block, view_of(header, header_size),
			&signature, &driver->config.genesis->network);
	if (err == ERR_OK)
		err = replica_restore_snapshot(
			driver->replica, &block, view_of(bytes, total));
	free(bytes);
	if (err == ERR_OK) {
		leave_other_branch(driver, &block);
		driver->snapshot_height = height;
		driver->final_done = height;
	}
	return err;
}

/* The last blocks may have become durable before their signatures were
 * checked; they were not acknowledged then. */
static enum err check_again(struct driver *driver, struct view bytes)
{
	struct block_ref block;
	const struct hash *network = &driver->config.genesis->network;
	struct block_body *body = malloc(sizeof(*body));
	CHECK(body != NULL);
	enum err err = block_open(&block, bytes, network);
	if (err == ERR_OK)
		err = block_verify(&block, network);
	if (err == ERR_OK)
		err = block_body_open(body, &block);
	for (size_t i = 0; err == ERR_OK && i < body->decoded.txs_count; i++) {
		struct tx_view tx;
		err = tx_open(&tx, body->decoded.txs[i]);
		if (err == ERR_OK)
			err = tx_verify(&tx, network);
	}
	free(body);
	return err;
}

/* Cut the log below a block that does not hold. True: try again. */
static bool mend_log(
	struct driver *driver, uint64_t height, enum err damage, char why[300])
{
	const char *directory = driver->config.directory;
	char failed[200];
	log_close(&driver->log);
	enum err err = log_repair(directory, height, failed);
	snprintf(why, 300,
		"block %llu of the log in %.120s does not hold (%s); the log "
		"is cut there and peers give the rest%s%.60s",
		(unsigned long long)height, directory, err_name(damage),
		err == ERR_OK ? "" : ", but: ", err == ERR_OK ? "" : failed);
	return err == ERR_OK;
}

static enum err replay(struct driver *driver, bool *mended, char why[300])
{
	uint64_t tip = log_tip(driver->log);
	uint64_t from = chain_tip(replica_chain(driver->replica)).height + 1;
	uint8_t *bytes = malloc(BLOCK_BYTES_MAX);
	enum err err = ERR_OK;
	CHECK(bytes != NULL);
	for (uint64_t height = from; height <= tip; height++) {
		size_t size;
		err = log_read(driver->log, height, bytes, &size);
		if (err == ERR_OK && height + CHECK_AGAIN_BLOCKS > tip)
			err = check_again(driver, view_of(bytes, size));
		if (err == ERR_OK)
			err = replica_restore_block(
				driver->replica, view_of(bytes, size));
		if (err == ERR_OK)
			continue;
		snprintf(why, 300,
			"block %llu of the log in %s does not replay "
			"(%s); " REJOIN,
			(unsigned long long)height, driver->config.directory,
			err_name(err));
		if (err == ERR_NETWORK)
			snprintf(why, 300,
				"the log in %s is of another network or "
				"engine; say the one that wrote it, or "
				"another directory",
				driver->config.directory);
		if (err == ERR_DAMAGED || err == ERR_SIGNATURE)
			*mended = mend_log(driver, height, err, why);
		break;
	}
	free(bytes);
	if (err == ERR_OK && tip > 0)
		log_info("store", "replayed blocks %llu to %llu",
			(unsigned long long)from, (unsigned long long)tip);
	return err;
}

static enum err open_log(struct driver *driver, char why[300])
{
	uint64_t first_bad = 0;
	const char *directory = driver->config.directory;
	enum err err = log_open(&driver->log, directory, &first_bad, why);
	if (err != ERR_DAMAGED)
		return err;
	if (first_bad == 0) {
		snprintf(why, 300,
			"%.80s/log/vote: damaged in both its places: whom this "
			"node voted for is not known; " REJOIN,
			directory);
		return err;
	}
	log_warn("store", "%s", why);
	err = log_repair(directory, first_bad, why);
	if (err == ERR_OK)
		err = log_open(&driver->log, directory, &first_bad, why);
	return err;
}

static enum err open_index(struct driver *driver, char why[300])
{
	const char *directory = driver->config.directory;
	enum err err = index_open(&driver->index, directory, why);
	if (err != ERR_DAMAGED)
		return err;
	log_warn("store", "%s; done", why);
	err = index_throw_away(directory, why);
	if (err == ERR_OK)
		err = index_open(&driver->index, directory, why);
	return err;
}

/* The log goes on from a state that is not there any more. */
static void begin_anew(struct driver *driver, char why[300])
{
	snprintf(why, 300,
		"the log in %s begins at height %llu but there is no snapshot "
		"of the state there; it begins anew, and peers give the state",
		driver->config.directory,
		(unsigned long long)log_base(driver->log) + 1);
	log_begin_anew(driver->log);
}

static enum err try_state(struct driver *driver, bool *mended, char why[300])
{
	enum err err = open_log(driver, why);
	if (err == ERR_OK)
		err = open_index(driver, why);
	if (err == ERR_OK)
		err = open_replica(driver, why);
	if (err != ERR_OK)
		return err;
	driver->indexer.index = driver->index;
	driver->indexer.applied = index_applied(driver->index);
	err = restore_snapshot(driver);
	if (err != ERR_OK && log_base(driver->log) > 0) {
		begin_anew(driver, why);
		*mended = true;
		return ERR_DAMAGED;
	}
	return replay(driver, mended, why);
}

static void close_state(struct driver *driver)
{
	if (driver->index != NULL) {
		index_commit(driver->index, driver->indexer.applied);
		index_close(&driver->index);
	}
	if (driver->log != NULL)
		log_close(&driver->log);
	if (driver->memory != NULL)
		munmap(driver->memory, driver->memory_size);
	driver->memory = NULL;
	driver->replica = NULL;
	driver->snapshot_height = 0;
	driver->final_done = 0;
}

static enum err open_state(struct driver *driver, char why[300])
{
	for (int mends = 0;; mends++) {
		bool mended = false;
		enum err err = try_state(driver, &mended, why);
		if (err == ERR_OK || !mended || mends == MENDS_MAX)
			return err;
		log_warn("store", "%s", why);
		close_state(driver);
	}
}

static enum err start_workers(struct driver *driver)
{
	struct bus *bus = driver->config.bus;
	enum err err = disk_start(&driver->disk, bus, driver->log);
	if (err == ERR_OK)
		err = verifier_start(&driver->verify, bus);
	if (err == ERR_OK)
		err = indexer_start(&driver->indexing, bus, &driver->indexer);
	if (err == ERR_OK)
		err = driver_mine_start(driver);
	return err;
}

static enum err open_all(struct driver *driver, char why[300])
{
	char bound[128];
	enum err err = open_state(driver, why);
	if (err == ERR_OK)
		err = start_workers(driver);
	if (err != ERR_OK || driver->config.elder != NULL)
		return err;
	err = bus_bind(driver->config.bus, &driver->peer_server,
		BUS_PEER_SERVER, driver->config.peer_endpoint, bound);
	if (err != ERR_OK)
		snprintf(why, 300, "cannot listen on %s: %s",
			driver->config.peer_endpoint, bus_bind_text(err));
	return err;
}

enum err driver_open(
	struct driver **out, const struct driver_config *config, char why[300])
{
	struct driver *driver = calloc(1, sizeof(*driver));
	CHECK(driver != NULL);
	driver->config = *config;
	driver->timer_at = INT64_MAX;
	driver->commit_at = INT64_MAX;
	driver->verified = calloc(1, sizeof(*driver->verified));
	driver->relay = calloc(1, sizeof(*driver->relay));
	CHECK(driver->verified != NULL && driver->relay != NULL);
	driver->links = &driver->own_links;
	links_init(driver->links, config->bus, config->self,
		&config->genesis->network, config->finder);
	if (config->elder != NULL) {
		CHECK(config->elder->younger == NULL);
		driver->links = config->elder->links;
		config->elder->younger = driver;
	}
	why[0] = '\0';
	enum err err = open_all(driver, why);
	if (err == ERR_OK)
		*out = driver;
	else
		driver_close(&driver);
	return err;
}

void driver_close(struct driver **closed)
{
	struct driver *driver = *closed;
	*closed = NULL;
	if (driver == NULL)
		return;
	fetch_stop(&driver->fetch, driver->config.bus);
	CHECK(driver->younger == NULL);
	if (driver->config.elder != NULL)
		driver->config.elder->younger = NULL;
	links_close(&driver->own_links);
	miner_stop(&driver->miner);
	verifier_stop(&driver->verify);
	worker_stop(&driver->disk, free);
	worker_stop(&driver->indexing, free);
	if (driver->peer_server != NULL)
		bus_drop(driver->config.bus, &driver->peer_server);
	close_state(driver);
	free(driver->gathering);
	free(driver->verified);
	free(driver->relay);
	free(driver);
}

/* What somebody was told is received waits again. */
static void bring_received(struct driver *driver)
{
	uint64_t cursor = 0;
	size_t size;
	uint8_t *bytes = malloc(TX_BYTES_MAX);
	CHECK(bytes != NULL);
	while (index_next_received(
		driver->index, &cursor, bytes, &size, TX_BYTES_MAX)) {
		enum err err =
			driver_gather(driver, view_of(bytes, size), 0, true);
		if (err != ERR_OK)
			log_warn("store",
				"a transaction that was received waits no "
				"more: %s",
				err_text(err));
	}
	free(bytes);
}

void driver_start(struct driver *driver)
{
	uint8_t record[256];
	size_t size = log_record(driver->log, record);
	struct tick tick = driver_tick();
	if (driver->config.elder == NULL)
		driver_peers_start(driver);
	replica_start(driver->replica, &tick, view_of(record, size),
		&driver->outputs);
	driver_carry_out(driver);
	driver_certify_start(driver);
	bring_received(driver);
}
