/* service/driver_fetch.c -- a state from a peer takes the place of this one.
 *
 * First the snapshot is durable in the index, then the log begins anew after
 * it, then the engine is told: a crash between any two leaves a node that
 * starts with what it had, or with the whole of what it fetched.
 */
#include "service/driver_state.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

static void stop(struct driver *driver)
{
	fetch_stop(&driver->fetch, driver->config.bus);
}

void driver_fetch_work(struct driver *driver)
{
	struct fetch *fetch = &driver->fetch;
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

void driver_snapshot_kept(struct driver *driver, uint64_t height)
{
	const struct fetch *fetch = &driver->fetch;
	if (!fetch->active || fetch->socket != NULL ||
		fetch->height != height)
		return;
	worker_give(driver->disk, disk_verb(DISK_RESET, height));
}

void driver_fetched(struct driver *driver)
{
	struct fetch *fetch = &driver->fetch;
	struct block_ref block;
	struct tick tick = driver_tick();
	enum err err = block_open_header(&block,
		view_of(fetch->header, fetch->header_size), &fetch->signature,
		&driver->config.genesis->network);
	if (err == ERR_OK)
		err = block_verify(&block, &driver->config.genesis->network);
	if (err != ERR_OK) {
		log_error("snapshot", "the header is refused: %s",
			err_text(err));
		driver->halted = true;
		return;
	}
	driver->final_done = block.header.height;
	replica_fetched(driver->replica, &tick, fetch->task, &block,
		view_of(fetch->bytes, fetch->total), &driver->outputs);
	log_info("snapshot", "the state is now that of height %llu",
		(unsigned long long)fetch->height);
	driver_carry_out(driver);
	stop(driver);
	driver->members_changed = true;
}
