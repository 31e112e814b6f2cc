/* node/publish.c -- topics: signed, numbered, and only hints: a subscriber that
 * missed one asks for it. Six signatures a block are a third of what a node
 * that catches up has to do, so what nobody subscribes to is not made.
 */
#include "node.h"

#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "gen/topic.h"
#include "service/log.h"

enum topic { TOPIC_BLOCK, TOPIC_TX, TOPIC_SLOT, TOPIC_CHAIN, TOPIC_STATUS };
static const char *const topic_names[] = {
	"block", "tx", "slot", "chain", "status"};
static const uint64_t NUMBER_MAX = (UINT64_C(1) << 53) - 1; /* a height */
enum { STATUS_MS = 1000, MOVES_MESSAGE_MAX = 64 };

void publish_topics(struct node *node)
{
	for (size_t i = 0; i < sizeof(topic_names) / sizeof(*topic_names); i++)
		bus_announce(node->publisher.socket, topic_names[i]);
}

static void put_u64(uint8_t out[8], uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* When nobody subscribes there is nothing to make and sign; it is counted, so
 * that who is away for a moment sees the gap. */
static bool is_heard(struct node *node, enum topic topic)
{
	struct publisher *publisher = &node->publisher;
	bool heard = bus_is_heard(publisher->socket, topic_names[topic]);
	if (!heard)
		publisher->counters[topic]++;
	return heard;
}

static void publish(struct node *node, enum topic topic, enum message_type type,
	size_t body_size)
{
	struct publisher *publisher = &node->publisher;
	uint8_t sequence[16], bytes[BUS_FRAME_MAX];
	CHECK(body_size > 0);
	size_t size = envelope_seal(bytes, sizeof(bytes), type,
		view_of(node->body, body_size), node->self,
		&node->genesis->network);
	CHECK(size > 0);
	put_u64(sequence, publisher->boot);
	put_u64(sequence + 8, ++publisher->counters[topic]);
	struct view frames[3] = {
		view_text(topic_names[topic]),
		view_of(sequence, sizeof(sequence)),
		view_of(bytes, size),
	};
	/* A slow subscriber loses its own; the counter tells it. */
	enum err err = bus_send(publisher->socket, frames, 3);
	if (err != ERR_OK)
		log_debug(
			"publish", "%s: %s", topic_names[topic], err_name(err));
}

static void publish_moves(struct node *node, const struct output *output)
{
	const struct moves *moves = output->moves;
	size_t count = moves == NULL ? 0 : moves->count;
	struct topic_slot slot;
	if (count == 0 || !is_heard(node, TOPIC_SLOT))
		return;
	for (size_t first = 0; first < count; first += MOVES_MESSAGE_MAX) {
		memset(&slot, 0, sizeof(slot));
		slot.chain = output->block.header.chain;
		slot.height = output->height;
		slot.time = output->block.header.time;
		for (size_t i = first;
			i < count && i < first + MOVES_MESSAGE_MAX; i++) {
			const struct move *move = &moves->items[i];
			slot.moves[slot.moves_count++] = (struct history_entry){
				.sequence = i,
				.height = output->height,
				.time = output->block.header.time,
				.from = move->from,
				.to = move->to,
				.cause = move->cause,
				.record = move->record,
			};
		}
		publish(node, TOPIC_SLOT, MESSAGE_TOPIC_SLOT,
			topic_slot_encode(
				node->body, sizeof(node->body), &slot));
	}
}

void publish_block(struct node *node, const struct output *output)
{
	struct topic_block block = {
		.chain = output->block.header.chain,
		.height = output->height,
		.hash = output->block.hash,
		.final = 1,
		.block = output->block.bytes,
	};
	if (is_heard(node, TOPIC_BLOCK))
		publish(node, TOPIC_BLOCK, MESSAGE_TOPIC_BLOCK,
			topic_block_encode(
				node->body, sizeof(node->body), &block));
	publish_moves(node, output);
}

void publish_chain(struct lane *lane, uint8_t event, uint64_t height,
	const struct hash *hash, const struct hash *parent)
{
	struct node *node = lane->node;
	struct topic_chain chain = {
		.chain = lane->chain,
		.event = event,
		.height = height,
		.hash = *hash,
		.parent = *parent,
	};
	if (is_heard(node, TOPIC_CHAIN))
		publish(node, TOPIC_CHAIN, MESSAGE_TOPIC_CHAIN,
			topic_chain_encode(
				node->body, sizeof(node->body), &chain));
}

void read_steps(
	struct node *node, const struct block_ref *block, struct topic_tx *out)
{
	enum err err = block_decode(&node->decoded, block->bytes);
	CHECK(err == ERR_OK); /* it was executed */
	out->chain = block->header.chain;
	out->steps_count = 0;
	for (size_t i = 0; i < node->decoded.txs_count; i++) {
		struct tx_view tx;
		struct receipt receipt;
		err = tx_open(&tx, node->decoded.txs[i]);
		if (err == ERR_OK)
			err = receipt_decode(
				&receipt, node->decoded.receipts[i]);
		CHECK(err == ERR_OK);
		out->steps[out->steps_count++] = (struct tx_step){
			.wallet = tx.body.wallet,
			.id = tx.body.id,
			.height = block->header.height,
			.code = receipt.code,
		};
	}
}

void publish_steps(struct node *node, struct topic_tx *steps, uint8_t status)
{
	if (steps->steps_count == 0 || !is_heard(node, TOPIC_TX))
		return;
	for (size_t i = 0; i < steps->steps_count; i++)
		steps->steps[i].status = status;
	publish(node, TOPIC_TX, MESSAGE_TOPIC_TX,
		topic_tx_encode(node->body, sizeof(node->body), steps));
}

void publish_final_steps(struct node *node, const struct block_ref *block)
{
	if (!is_heard(node, TOPIC_TX))
		return;
	read_steps(node, block, &node->steps);
	publish_steps(node, &node->steps, 3);
}

/* A block that was on the chain before this node was started, or came to it
 * with a state, is looked up once. */
static bool find_recent(struct lane *lane, uint64_t height)
{
	struct node *node = lane->node;
	struct recent *recent = &lane->recent[height % RECENT_KEPT];
	struct block_ref block;
	size_t size;
	if (recent->height == height)
		return true;
	if (driver_block(lane->driver, height, node->block, &size) != ERR_OK ||
		block_open(&block, view_of(node->block, size),
			&node->genesis->network) != ERR_OK)
		return false;
	*recent = (struct recent){.height = height, .hash = block.hash};
	return true;
}

/* The last blocks, without a hole between them and the tip. */
static void put_recent(struct lane *lane, struct chain_status *chain)
{
	uint64_t first = chain->height;
	while (first > 0 && chain->height - first < RECENT_MAX &&
		find_recent(lane, first))
		first--;
	for (uint64_t height = first + 1; height <= chain->height; height++)
		chain->recent[chain->recent_count++] =
			lane->recent[height % RECENT_KEPT].hash;
}

static void put_number(
	struct chain_status *chain, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	CHECK(chain->numbers_count < CHAIN_STATUS_NUMBERS_MAX);
	chain->numbers[chain->numbers_count++] = (struct named_number){
		.name = view_text(name),
		.value = value < NUMBER_MAX ? value : NUMBER_MAX,
	};
}

static void put_chain(struct lane *lane, struct chain_status *chain)
{
	static const char *const waits[STEPS] = {
		"received_us", "ordered_us", "final_us"};
	const struct replica *replica = driver_replica(lane->driver);
	struct chain_tip tip = chain_tip(replica_chain(replica));
	struct replica_head final;
	replica_final_head(replica, &final);
	chain->chain = lane->chain;
	chain->height = tip.height;
	chain->hash = tip.hash;
	chain->time = (uint64_t)tip.time;
	chain->final_height = final.tip.height;
	chain->final_hash = final.tip.hash;
	chain->state_root = final.state_root;
	put_recent(lane, chain);
	chain->numbers_count = driver_numbers(lane->driver, chain->numbers);
	for (size_t i = 0; i < STEPS; i++)
		put_number(chain, waits[i], waits_median(&lane->waits[i]));
	put_number(chain, "certified", driver_newest_certified(lane->driver));
	put_number(chain, "evidence",
		index_evidence_count(driver_index(lane->driver)));
}

size_t encode_status(struct node *node)
{
	struct driver *driver = node->lanes[0].driver;
	const struct replica *replica = driver_replica(driver);
	struct engine_status engine;
	replica_status(replica, &engine);
	time_ms now = clock_monotonic();
	struct status status = {
		.name = view_text(node->name),
		.key = node->self->key,
		.release = view_text(PERCH_RELEASE),
		.role = engine.role,
		.term = engine.term,
		.chains_count = node->lane_count,
		.mempool = mempool_count(
			replica_mempool((struct replica *)replica)),
		.peers = links_up(driver_links(driver), now),
		.time = (uint64_t)clock_wall(),
		.uptime = (uint64_t)(now - node->started_at),
		.sent = driver_links(driver)->sent,
		.sent_bytes = driver_links(driver)->sent_bytes,
	};
	if (engine.has_leader)
		status.leader = view_of(&engine.leader, sizeof(engine.leader));
	for (size_t i = 0; i < node->lane_count; i++)
		put_chain(&node->lanes[i], &status.chains[i]);
	return status_encode(node->body, sizeof(node->body), &status);
}

void publish_status(struct node *node, time_ms now)
{
	struct publisher *publisher = &node->publisher;
	struct engine_status engine;
	replica_status(driver_replica(node->lanes[0].driver), &engine);
	if (now < publisher->status_at && engine.role == publisher->said_role)
		return;
	publisher->status_at = now + STATUS_MS;
	publisher->said_role = engine.role;
	if (is_heard(node, TOPIC_STATUS))
		publish(node, TOPIC_STATUS, MESSAGE_STATUS,
			encode_status(node));
}
