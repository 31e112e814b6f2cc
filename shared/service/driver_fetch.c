/* service/driver_fetch.c -- a state from a peer takes the place of this one.
 *
 * First the snapshot is durable in the index, then the log begins anew after
 * it: a crash in between leaves a node that starts with what it had, after it
 * one that starts with the whole of what it fetched.
 */
#include "service/driver_state.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

enum { FETCH_AGAIN_MS = 1000 };

static void stop(struct driver *driver)
{
	fetch_stop(&driver->fetch, driver->config.bus);
}

static bool is_wanted(const struct driver *driver)
{
	uint64_t task = driver->wanted.task;
	return task != 0 && replica_fetching(driver->replica) == task;
}

static void begin(struct driver *driver)
{
	const struct driver_config *config = &driver->config;
	struct wanted_state *wanted = &driver->wanted;
	/* A stand-by asks the nearest; should that one not have it, whom the
	 * engine named. */
	struct peer *peer =
		wanted->tries++ % 2 == 0 ? links_nearest(driver->links) : NULL;
	if (peer == NULL || !peer->reached)
		peer = links_find(driver->links, &wanted->from);
	wanted->again_at = clock_monotonic() + FETCH_AGAIN_MS;
	if (peer == NULL)
		return;
	log_info("snapshot", "fetching the state at height %llu from %s",
		(unsigned long long)wanted->height, peer->name);
	enum err err = fetch_start(&driver->fetch, config->bus, config->self,
		&config->genesis->network, peer->request, &peer->key,
		config->engine->chain, wanted->task, wanted->height,
		clock_monotonic());
	if (err != ERR_OK)
		log_warn("snapshot", "cannot ask %s: %s", peer->name,
			err_text(err));
}

/* One that is complete is on its way to the disk: it is let through first. */
void driver_fetch_want(struct driver *driver, const struct output *output)
{
	const struct fetch *fetch = &driver->fetch;
	driver->wanted = (struct wanted_state){
		.task = output->task,
		.height = output->height,
		.from = output->to,
	};
	if (!fetch->active || fetch->socket != NULL)
		begin(driver);
}

time_ms driver_fetch_at(const struct driver *driver)
{
	const struct fetch *fetch = &driver->fetch;
	if (fetch->active)
		return fetch->socket != NULL ? fetch->deadline : INT64_MAX;
	return is_wanted(driver) ? driver->wanted.again_at : INT64_MAX;
}

void driver_fetch_work(struct driver *driver)
{
	struct fetch *fetch = &driver->fetch;
	/* The engine asks once: what was given up is asked for again here. */
	if (!fetch->active && is_wanted(driver) && !driver->halted &&
		clock_monotonic() >= driver->wanted.again_at)
		begin(driver);
	if (!fetch->active || fetch->socket == NULL)
		return;
	enum err err = fetch_work(fetch, driver->config.self,
		&driver->config.genesis->network, clock_monotonic());
	if (err == ERR_BUSY)
		return;
	if (err != ERR_OK) {
		log_warn("snapshot", "gave up: %s", err_text(err));
		stop(driver);
		return;
	}
	struct index_job *job = index_job_new(INDEX_SNAPSHOT, fetch->height,
		view_of(fetch->bytes, fetch->total));
	memcpy(job->header, fetch->header, fetch->header_size);
	job->header_size = fetch->header_size;
	job->signature = fetch->signature;
	bus_drop(driver->config.bus, &fetch->socket);
	worker_give(driver->indexing, job);
}

static void halt(struct driver *driver, enum err err)
{
	struct output output = {.type = OUTPUT_HALT, .err = err};
	output.height = driver->fetch.height;
	driver->halted = true;
	driver->config.on_output(driver->config.context, &output);
}

/* The disk does its jobs in order, so the log begins anew before the SAVE with
 * which the engine makes the fetched state its own. */
static void take_over(struct driver *driver)
{
	struct fetch *fetch = &driver->fetch;
	struct block_ref block;
	struct tick tick = driver_tick();
	const struct hash *network = &driver->config.genesis->network;
	enum err err = block_open_header(&block,
		view_of(fetch->header, fetch->header_size), &fetch->signature,
		network);
	if (err == ERR_OK)
		err = block_verify(&block, network);
	if (err != ERR_OK) {
		halt(driver, err);
		return;
	}
	worker_give(driver->disk, disk_verb(DISK_RESET, fetch->height));
	driver->final_done = fetch->height;
	replica_fetched(driver->replica, &tick, fetch->task, &block,
		view_of(fetch->bytes, fetch->total), &driver->outputs);
	driver_carry_out(driver);
	driver->members_changed = true;
	log_info("snapshot", "the state is now that of height %llu",
		(unsigned long long)fetch->height);
}

void driver_snapshot_kept(struct driver *driver, uint64_t height)
{
	struct fetch *fetch = &driver->fetch;
	if (!fetch->active || fetch->socket != NULL || fetch->height != height)
		return;
	/* Blocks may have come after all while it was fetched. */
	if (replica_fetching(driver->replica) == fetch->task)
		take_over(driver);
	stop(driver);
}
