/* node/run.c -- the reactor: one thread that owns everything.
 *
 * A round takes what is there, a bounded amount from each socket, then checks,
 * builds and sends once: so what arrived together travels together.
 */
#include "run.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "gen/topic.h"
#include "service/log.h"

enum { CHAIN_CONNECTED = 1, CHAIN_DISCONNECTED = 2, CHAIN_FINAL = 3 };
enum { ROUND_MS_MAX = 200, SWEEP_MS = 1000, TRANSFER_MS = 300 };

static void set_recent(
	struct node *node, uint64_t height, const struct hash *hash)
{
	node->recent[height % RECENT_MAX] =
		(struct recent){.height = height, .hash = *hash};
}

static struct hash take_recent(struct node *node, uint64_t height, bool keep)
{
	struct recent *recent = &node->recent[height % RECENT_MAX];
	struct hash hash = {{0}};
	if (recent->height != height)
		return hash;
	hash = recent->hash;
	if (!keep)
		recent->height = 0;
	return hash;
}

/* One message a block, the newest first; a hash that is no longer known is
 * zero. */
static void on_reverted(struct node *node, uint64_t height)
{
	for (; node->connected > height; node->connected--) {
		uint64_t gone = node->connected;
		struct hash hash = take_recent(node, gone, false);
		struct hash parent = take_recent(node, gone - 1, true);
		publish_chain(node, CHAIN_DISCONNECTED, gone, &hash, &parent);
	}
}

static void on_ordered(struct node *node, const struct output *output)
{
	const struct block_ref *block = &output->block;
	set_recent(node, output->height, &block->hash);
	node->connected = output->height;
	publish_chain(node, CHAIN_CONNECTED, output->height, &block->hash,
		&block->header.parent);
	waiters_block(node, block, 1);
}

static void on_final(struct node *node, const struct output *output)
{
	const struct block_ref *block = &output->block;
	if (block->bytes.size == 0)
		return; /* it was final before this node was restarted */
	set_recent(node, output->height, &block->hash);
	waiters_block(node, block, 2);
	publish_block(node, output);
	publish_steps(node, block, 3);
	publish_chain(node, CHAIN_FINAL, output->height, &block->hash,
		&block->header.parent);
}

static void on_output(void *context, const struct output *output)
{
	struct node *node = context;
	switch (output->type) {
	case OUTPUT_ORDERED:
		on_ordered(node, output);
		return;
	case OUTPUT_FINAL:
		on_final(node, output);
		return;
	case OUTPUT_REVERTED:
		on_reverted(node, output->height);
		return;
	case OUTPUT_READY:
		serve_ready(node, output->task, output->ok);
		return;
	case OUTPUT_HALT:
		log_error("node",
			"stops: the block at height %llu of its leader is "
			"invalid (%s). Compare this node's release with the "
			"others' and look at the leader",
			(unsigned long long)output->height,
			err_name(output->err));
		node->halted = true;
		return;
	case OUTPUT_MEMBERS:
	case OUTPUT_SEND:
	case OUTPUT_FORWARD:
	case OUTPUT_SAVE:
	case OUTPUT_TIMER:
	case OUTPUT_FETCH:
	case OUTPUT_SNAPSHOT:
		return;
	}
}

void node_hooks(struct node *node, struct driver_config *config)
{
	config->on_output = on_output;
	config->on_verdict = on_verdict;
	config->on_received = on_received;
	config->context = node;
}

static void say_role(struct node *node, struct engine_status *said)
{
	static const char *const words[] = {
		"follower", "candidate", "leader", "stand-by", "miner"};
	struct engine_status now;
	replica_status(driver_replica(node->driver), &now);
	if (now.role != said->role || now.term != said->term)
		log_info("role", "%s in term %llu at height %llu",
			words[now.role], (unsigned long long)now.term,
			(unsigned long long)now.tip);
	*said = now;
}

/* Requests and links, in turn, until nothing is there. True: more waits. */
static bool work(struct node *node)
{
	bool more = serve_requests(node);
	more = driver_work(node->driver) || more;
	driver_flush(node->driver);
	return more;
}

int node_run(struct node *node, int signal_fd)
{
	struct bus_socket *sockets[DRIVER_SOCKETS_MAX + 1];
	bool ready[DRIVER_SOCKETS_MAX + 1], stop = false, more = true;
	struct engine_status said = {.role = ENGINE_FOLLOWER};
	time_ms sweep_at = 0, leave_at = INT64_MAX;
	driver_start(node->driver);
	while (!node->halted && clock_monotonic() < leave_at) {
		size_t count = driver_sockets(node->driver, sockets);
		sockets[count++] = node->server;
		time_ms wait = driver_timeout(node->driver);
		if (wait > ROUND_MS_MAX)
			wait = ROUND_MS_MAX;
		bool signalled = false;
		bus_wait(node->bus, sockets, ready, count, signal_fd,
			&signalled, more ? 0 : wait);
		more = work(node);
		time_ms now = clock_monotonic();
		publish_status(node, now);
		say_role(node, &said);
		if (now >= sweep_at) {
			struct replica_head head;
			replica_final_head(driver_replica(node->driver), &head);
			waiters_sweep(node, head.tip.time);
			sweep_at = now + SWEEP_MS;
		}
		if (signalled && !stop) {
			/* Hand over first, so that nobody has to wait for an
			 * election. */
			stop = true;
			log_info("node", "stopping");
			leave_at = said.role == ENGINE_LEADER
					   ? now + TRANSFER_MS
					   : now;
			driver_transfer(node->driver);
		}
		if (stop && said.role != ENGINE_LEADER)
			break;
	}
	return node->halted ? 1 : 0;
}
