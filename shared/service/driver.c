/* service/driver.c -- the reactor's side of a node: what is ready is done.
 */
#include "service/driver_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "clock/clock.h"
#include "gen/peer.h"
#include "gen/request.h"
#include "ledger/envelope.h"
#include "service/log.h"

struct tick driver_tick(void)
{
	return (struct tick){
		.now = clock_monotonic(),
		.wall = clock_wall(),
		.random = clock_random(),
	};
}

/* ---- what is ready ---- */

/* Whose message it is: that of the driver of its chain, or NULL. */
static struct driver *driver_of(struct driver *driver, uint64_t chain)
{
	while (driver != NULL && driver->config.engine->chain != chain)
		driver = driver->younger;
	return driver;
}

/* Where everybody tells everybody, a stand-by hears those whom it can ask for
 * what they announce: the nearest. */
static bool is_too_far(const struct driver *driver, const struct peer *peer)
{
	return driver->config.engine->mines && driver->links->standby &&
	       peer->socket == NULL;
}

static void receive_relay(
	struct driver *driver, struct peer *peer, struct view body)
{
	struct relay relay;
	struct tick tick = driver_tick();
	enum err err = relay_decode(&relay, body);
	if (err == ERR_OK) {
		driver = driver_of(driver, relay.chain);
		err = driver == NULL ? ERR_NETWORK : ERR_OK;
	}
	if (err == ERR_OK && (driver->halted || is_too_far(driver, peer)))
		return;
	if (err == ERR_OK)
		err = replica_receive(driver->replica, &tick, &peer->key,
			relay.message, relay.blocks, relay.blocks_count,
			&driver->outputs);
	if (err == ERR_OK)
		driver_carry_out(driver);
	else
		log_warn("peer", "refused a message of %s: %s", peer->name,
			err_text(err));
}

static void receive_forward(struct driver *driver, struct view body)
{
	struct forward forward;
	if (forward_decode(&forward, body) != ERR_OK)
		return;
	driver = driver_of(driver, forward.chain);
	if (driver == NULL)
		return;
	for (size_t i = 0; i < forward.txs_count; i++) {
		/* Refused ones stay with the node that their wallet asked. */
		enum err err = driver_gather(driver, forward.txs[i], 0, false);
		if (err != ERR_OK)
			log_debug("peer", "a forwarded transaction: %s",
				err_name(err));
	}
}

static void receive_checkpoint(
	struct driver *driver, struct peer *peer, struct view body)
{
	struct signed_checkpoint checkpoint;
	if (checkpoint_open(&checkpoint, body) != ERR_OK)
		return;
	driver = driver_of(driver, checkpoint.statement.chain);
	if (driver != NULL && !driver->halted)
		driver_checkpoint(driver, peer, body);
}

static void receive_checkpoint_query(
	struct driver *driver, const struct peer *peer, struct view body)
{
	struct checkpoint_query query;
	if (checkpoint_query_decode(&query, body) != ERR_OK)
		return;
	driver = driver_of(driver, query.chain);
	if (driver != NULL && !driver->halted)
		driver_checkpoint_query(driver, peer, query.height);
}

static void refuse_peer(
	struct driver *driver, const struct peer *peer, enum err err)
{
	struct refused refusal = {
		.code = view_text(err_name(err)),
		.text = view_text(err_text(err)),
	};
	uint8_t body[512];
	size_t size = refused_encode(body, sizeof(body), &refusal);
	CHECK(size > 0);
	links_send(driver->links, &peer->key, MESSAGE_REFUSED,
		view_of(body, size));
}

/* A wrong network or version is said on both sides, once a change. */
static void receive_hello(
	struct driver *driver, struct peer *peer, struct view body)
{
	struct hello hello;
	enum err err = hello_decode(&hello, body);
	if (err == ERR_OK && hello.protocol != PROTOCOL_VERSION)
		err = ERR_VERSION;
	else if (err == ERR_OK &&
		 !hash_equal(&hello.network, &driver->config.genesis->network))
		err = ERR_NETWORK;
	else if (err == ERR_OK && !key_equal(&hello.key, &peer->key))
		err = ERR_KEY;
	if (err != ERR_OK)
		refuse_peer(driver, peer, err);
	if (err != ERR_OK && strcmp(peer->fault, err_name(err)) != 0)
		log_warn(
			"peer", "%s is refused: %s", peer->name, err_text(err));
	snprintf(peer->fault, sizeof(peer->fault), "%s",
		err == ERR_OK ? "" : err_name(err));
}

static void receive_refusal(struct peer *peer, struct view body)
{
	struct refused refusal;
	if (refused_decode(&refusal, body) == ERR_OK)
		log_warn("peer", "%s refuses this node: %.*s", peer->name,
			(int)refusal.text.size,
			(const char *)refusal.text.data);
}

static void receive_peer(
	struct driver *driver, const struct bus_message *message)
{
	struct envelope envelope;
	if (!message->has_sender || message->frame_count != 1)
		return;
	struct peer *peer = links_find(driver->links, &message->sender);
	if (peer == NULL)
		return;
	enum err err = envelope_open(&envelope, message->frames[0],
		&driver->config.genesis->network);
	if (err == ERR_OK && !key_equal(&envelope.sender, &message->sender))
		err = ERR_KEY;
	if (err != ERR_OK) {
		log_warn("peer", "refused a frame of %s: %s", peer->name,
			err_text(err));
		return;
	}
	peer->heard_at = clock_monotonic();
	switch (envelope.type) {
	case MESSAGE_RELAY:
		receive_relay(driver, peer, envelope.body);
		break;
	case MESSAGE_FORWARD:
		receive_forward(driver, envelope.body);
		break;
	case MESSAGE_HELLO:
		receive_hello(driver, peer, envelope.body);
		break;
	case MESSAGE_REFUSED:
		receive_refusal(peer, envelope.body);
		break;
	case MESSAGE_CHECKPOINT:
		receive_checkpoint(driver, peer, envelope.body);
		break;
	case MESSAGE_CHECKPOINT_QUERY:
		receive_checkpoint_query(driver, peer, envelope.body);
		break;
	case MESSAGE_PING:
	case MESSAGE_PONG:
	case MESSAGE_PEERS_QUERY:
	case MESSAGE_PEERS:
		driver_peers_receive(driver, peer,
			(enum message_type)envelope.type, envelope.body);
		break;
	}
}

static void take_disk(struct driver *driver)
{
	struct disk_job *job;
	while ((job = worker_take(driver->disk)) != NULL) {
		if (job->verb == DISK_SAVE)
			driver->saves[job->task % SAVES_MAX].durable = true;
		free(job);
	}
	driver_saved(driver);
}

/* When the log is not kept for ever: it begins after the snapshot before the
 * newest, which a peer that was away can still fetch. */
static void compact(struct driver *driver, uint64_t newest)
{
	uint64_t before = driver->snapshot_height;
	driver->snapshot_height = newest;
	if (driver->config.keep_blocks == 0 || before == 0 ||
		before >= newest || before > replica_final(driver->replica))
		return;
	worker_give(driver->disk, disk_verb(DISK_COMPACT, before));
	struct tick tick = driver_tick();
	replica_forgot(driver->replica, &tick, before, &driver->outputs);
	driver_carry_out(driver);
}

static void take_index(struct driver *driver)
{
	struct index_job *job;
	while ((job = worker_take(driver->indexing)) != NULL) {
		if (job->verb == INDEX_SNAPSHOT) {
			compact(driver, job->height);
			driver_snapshot_kept(driver, job->height);
		} else if (job->verb == INDEX_RECEIVED) {
			driver->config.on_received(
				driver->config.context, job->token);
		} else if (job->verb == INDEX_SIGNED && !driver->halted) {
			driver_signed(driver, job);
		}
		free(job);
	}
}

bool driver_work(struct driver *driver)
{
	struct bus_message message;
	struct verify_job *job;
	take_disk(driver);
	while ((job = verifier_take(&driver->verify)) != NULL)
		driver_verdicts(driver, job);
	take_index(driver);
	driver_mine_work(driver);
	size_t taken = 0;
	while (driver->peer_server != NULL && taken < RECEIVE_ROUND &&
		!driver->halted) {
		enum err err = bus_receive(driver->peer_server, &message);
		if (err == ERR_TIMEOUT)
			break;
		taken++;
		if (err == ERR_OK)
			receive_peer(driver, &message);
	}
	driver_fetch_work(driver);
	struct tick tick = driver_tick();
	if (tick.now >= driver->timer_at && !driver->halted) {
		driver->timer_at = INT64_MAX;
		replica_timer(driver->replica, &tick, &driver->outputs);
		driver_carry_out(driver);
	}
	return taken == RECEIVE_ROUND;
}

enum err driver_submit(struct driver *driver, struct view tx, uint64_t token)
{
	if (driver->disk_low)
		return ERR_DISK;
	return driver_gather(driver, tx, token, true);
}

/* A full disk ends this process and takes its vote away, so what would fill it
 * is refused before; the blocks that others order are still written. */
static void look_at_disk(struct driver *driver, time_ms now)
{
	if (driver->config.disk_percent == 0 || now < driver->disk_at)
		return;
	driver->disk_at = now + DISK_LOOK_MS;
	int used = log_disk_used_percent(driver->log);
	bool low = used >= driver->config.disk_percent;
	if (low && !driver->disk_low)
		log_warn("disk",
			"%d %% of the disk of %s is used: nothing new is taken "
			"from wallets; make room there",
			used, driver->config.directory);
	if (!low && driver->disk_low)
		log_info("disk", "there is room again: %d %% used", used);
	driver->disk_low = low;
}

void driver_flush(struct driver *driver)
{
	if (driver->halted)
		return;
	driver_check_gathered(driver);
	struct tick tick = driver_tick();
	replica_build(driver->replica, &tick, &driver->outputs);
	driver_carry_out(driver);
	links_flush(driver->links);
	driver_certify_work(driver);
	driver_peers_work(driver, tick.now);
	look_at_disk(driver, tick.now);
	if (tick.now >= driver->commit_at) {
		driver->commit_at = INT64_MAX;
		worker_give(driver->indexing,
			index_job_new(INDEX_COMMIT, 0, view_of(NULL, 0)));
	}
}

void driver_read(struct driver *driver, uint64_t task)
{
	struct tick tick = driver_tick();
	replica_read(driver->replica, &tick, task, &driver->outputs);
	driver_carry_out(driver);
}

void driver_transfer(struct driver *driver)
{
	struct tick tick = driver_tick();
	replica_transfer(driver->replica, &tick, &driver->outputs);
	driver_carry_out(driver);
}

void driver_keep_received(struct driver *driver, struct view tx, uint64_t token)
{
	struct index_job *job = index_job_new(INDEX_RECEIVED, 0, tx);
	job->token = token;
	worker_give(driver->indexing, job);
}

/* ---- looking ---- */

size_t driver_sockets(const struct driver *driver,
	struct bus_socket *sockets[DRIVER_SOCKETS_MAX])
{
	size_t count = 0;
	if (driver->peer_server != NULL)
		sockets[count++] = driver->peer_server;
	sockets[count++] = worker_socket(driver->disk);
	sockets[count++] = verifier_socket(&driver->verify);
	sockets[count++] = worker_socket(driver->indexing);
	if (driver->fetch.socket != NULL)
		sockets[count++] = driver->fetch.socket;
	if (driver->miner != NULL)
		count += miner_sockets(driver->miner, sockets + count);
	return count;
}

time_ms driver_timeout(const struct driver *driver)
{
	time_ms now = clock_monotonic();
	time_ms at = driver->timer_at;
	if (driver->links->hello_at < at)
		at = driver->links->hello_at;
	if (driver->commit_at < at)
		at = driver->commit_at;
	if (driver_certify_at(driver) < at)
		at = driver_certify_at(driver);
	if (driver_fetch_at(driver) < at)
		at = driver_fetch_at(driver);
	return at <= now ? 0 : at - now;
}

enum err driver_block(
	struct driver *driver, uint64_t height, uint8_t *out, size_t *size)
{
	struct view bytes;
	if (!replica_block(driver->replica, height, &bytes))
		return log_read(driver->log, height, out, size);
	memcpy(out, bytes.data, bytes.size);
	*size = bytes.size;
	return ERR_OK;
}

uint64_t driver_first_height(const struct driver *driver)
{
	return log_base(driver->log) + 1;
}

const struct replica *driver_replica(const struct driver *driver)
{
	return driver->replica;
}

uint64_t driver_newest_certified(const struct driver *driver)
{
	return driver->certified;
}

struct links *driver_links(struct driver *driver)
{
	return driver->links;
}

struct index *driver_index(struct driver *driver)
{
	return driver->index;
}
