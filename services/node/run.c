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
	struct lane *lane, uint64_t height, const struct hash *hash)
{
	lane->recent[height % RECENT_KEPT] =
		(struct recent){.height = height, .hash = *hash};
}

static struct hash take_recent(struct lane *lane, uint64_t height, bool keep)
{
	struct recent *recent = &lane->recent[height % RECENT_KEPT];
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
static void on_reverted(struct lane *lane, uint64_t height)
{
	for (; lane->connected > height; lane->connected--) {
		uint64_t gone = lane->connected;
		struct hash hash = take_recent(lane, gone, false);
		struct hash parent = take_recent(lane, gone - 1, true);
		publish_chain(lane, CHAIN_DISCONNECTED, gone, &hash, &parent);
		/* Its transactions wait again. */
		struct topic_tx *steps = &lane->steps[gone % RECENT_KEPT];
		if (steps->steps_count > 0 && steps->steps[0].height == gone)
			publish_steps(lane->node, steps, 1);
		steps->steps_count = 0;
	}
}

static void on_ordered(struct lane *lane, const struct output *output)
{
	const struct block_ref *block = &output->block;
	set_recent(lane, output->height, &block->hash);
	lane->connected = output->height;
	publish_chain(lane, CHAIN_CONNECTED, output->height, &block->hash,
		&block->header.parent);
	/* Where blocks are made one by one, an order can be seen in time. */
	if (lane->mines) {
		struct topic_tx *steps =
			&lane->steps[output->height % RECENT_KEPT];
		read_steps(lane->node, block, steps);
		publish_steps(lane->node, steps, 2);
	}
	waiters_block(lane, block, 1);
}

static void on_final(struct lane *lane, const struct output *output)
{
	struct node *node = lane->node;
	const struct block_ref *block = &output->block;
	if (block->bytes.size == 0)
		return; /* it was final before this node was restarted */
	set_recent(lane, output->height, &block->hash);
	waiters_block(lane, block, 2);
	publish_block(node, output);
	publish_final_steps(node, block);
	publish_chain(lane, CHAIN_FINAL, output->height, &block->hash,
		&block->header.parent);
}

static void on_output(void *context, const struct output *output)
{
	struct lane *lane = context;
	struct node *node = lane->node;
	switch (output->type) {
	case OUTPUT_ORDERED:
		on_ordered(lane, output);
		return;
	case OUTPUT_FINAL:
		on_final(lane, output);
		return;
	case OUTPUT_REVERTED:
		on_reverted(lane, output->height);
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
	case OUTPUT_REPLAY:
		log_warn("node",
			"begins again with block %llu: what the nodes have "
			"signed leaves this chain where it cannot be undone",
			(unsigned long long)output->height);
		node->halted = node->again = true;
		return;
	case OUTPUT_CERTIFIED:
		serve_certified(lane, output);
		return;
	case OUTPUT_CHECKPOINT:
	case OUTPUT_EVIDENCE:
	case OUTPUT_MEMBERS:
	case OUTPUT_SEND:
	case OUTPUT_FORWARD:
	case OUTPUT_SAVE:
	case OUTPUT_TIMER:
	case OUTPUT_FETCH:
	case OUTPUT_SNAPSHOT:
	case OUTPUT_MINE:
	case OUTPUT_SIGN:
	case OUTPUT_FAULT:
		return;
	}
}

void node_hooks(struct lane *lane, struct driver_config *config)
{
	config->on_output = on_output;
	config->on_verdict = on_verdict;
	config->on_received = on_received;
	config->context = lane;
}

static void say_role(struct lane *lane)
{
	static const char *const words[] = {
		"follower", "candidate", "leader", "stand-by", "miner"};
	struct engine_status *said = &lane->said, now;
	replica_status(driver_replica(lane->driver), &now);
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
	for (size_t i = 0; i < node->lane_count; i++)
		more = driver_work(node->lanes[i].driver) || more;
	for (size_t i = 0; i < node->lane_count; i++)
		driver_flush(node->lanes[i].driver);
	return more;
}

static bool is_leader(const struct node *node)
{
	bool leads = false;
	for (size_t i = 0; i < node->lane_count; i++)
		leads = leads || node->lanes[i].said.role == ENGINE_LEADER;
	return leads;
}

/* Until something is there or due. True: a signal came. */
static bool wait(struct node *node, int signal_fd, time_ms most)
{
	struct bus_socket *sockets[LANES_MAX * DRIVER_SOCKETS_MAX + 1];
	bool ready[LANES_MAX * DRIVER_SOCKETS_MAX + 1], signalled = false;
	size_t count = 0;
	for (size_t i = 0; i < node->lane_count; i++) {
		struct driver *driver = node->lanes[i].driver;
		count += driver_sockets(driver, sockets + count);
		time_ms due = driver_timeout(driver);
		most = due < most ? due : most;
	}
	sockets[count++] = node->server;
	bus_wait(node->bus, sockets, ready, count, signal_fd, &signalled, most);
	return signalled;
}

static void sweep(struct lane *lane)
{
	struct replica_head head;
	replica_final_head(driver_replica(lane->driver), &head);
	waiters_sweep(lane, head.tip.time);
}

int node_run(struct node *node, int signal_fd)
{
	bool stop = false, more = true;
	time_ms sweep_at = 0, leave_at = INT64_MAX;
	for (size_t i = 0; i < node->lane_count; i++)
		driver_start(node->lanes[i].driver);
	while (!node->halted && clock_monotonic() < leave_at) {
		bool signalled = wait(node, signal_fd, more ? 0 : ROUND_MS_MAX);
		more = work(node);
		time_ms now = clock_monotonic();
		publish_status(node, now);
		bool leads = is_leader(node);
		for (size_t i = 0; i < node->lane_count; i++) {
			say_role(&node->lanes[i]);
			/* Side by side, who orders does not mine. */
			driver_let_mine(node->lanes[i].driver, !leads);
			if (now >= sweep_at)
				sweep(&node->lanes[i]);
		}
		if (now >= sweep_at)
			sweep_at = now + SWEEP_MS;
		if (signalled && !stop) {
			/* Hand over first, so that nobody has to wait for an
			 * election. */
			stop = true;
			log_info("node", "stopping");
			leave_at = is_leader(node) ? now + TRANSFER_MS : now;
			for (size_t i = 0; i < node->lane_count; i++)
				driver_transfer(node->lanes[i].driver);
		}
		if (stop && !is_leader(node))
			break;
	}
	return node->halted ? 1 : 0;
}
