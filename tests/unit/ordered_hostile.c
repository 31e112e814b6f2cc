/* unit/ordered_hostile.c -- members that say anything.
 *
 * Raft does not promise order among liars. But no message may stop a node,
 * make it forget an invariant, undo what is final here or ask its driver for
 * more than one step may ask.
 */
#include "unit/unit.h"

#include <string.h>

#include "net/net.h"

enum { MOVES = 4000, SEEDS = 150 };

static struct net net;
static size_t most_effects;

static uint64_t draw(uint64_t below)
{
	return random_below(&net.random, below);
}

/* A number near one that means something. */
static uint64_t near(uint64_t value)
{
	switch (draw(6)) {
	case 0:
		return value + draw(3);
	case 1:
		return value > 2 ? value - draw(3) : 0;
	case 2:
		return draw(5);
	case 3:
		return draw(100) == 0 ? ORDERED_TERM_MAX / 2 : value;
	default:
		return value;
	}
}

static struct hash some_hash(void)
{
	struct hash hash = {{0}};
	if (draw(3) == 0)
		memset(hash.bytes, (int)draw(256), sizeof(hash.bytes));
	return hash;
}

/* Blocks of any kind, on blocks of any kind. */
static uint32_t some_block(const struct net_node *node)
{
	uint64_t tip = net_log_tip(&node->chain);
	uint64_t at = near(tip);
	uint32_t parent = net_log_at(&node->chain, at);
	struct net_block block = {
		.parent = parent,
		.height = draw(8) == 0 ? near(at + 1) : at + 1,
		.term = near(node->engine->entries.tip_term),
		.payload = draw(4),
		.size = (uint32_t)draw(70000),
		.has_change = draw(10) == 0,
		.change = {.key = net_key(draw(20)), .role = (uint8_t)draw(4)},
	};
	return net_make(&net, &block);
}

static void lie(size_t from, size_t to)
{
	const struct net_node *node = &net.nodes[to];
	const struct ordered *o = node->engine;
	uint64_t tip = net_log_tip(&node->chain);
	uint64_t prev = near(tip), term = 0;
	(void)entries_term(&o->entries, prev, &term);
	struct ordered_message message = {
		.kind = draw(13),
		.term = near(o->term),
		.height = prev,
		.log_term = near(term),
		.hash = some_hash(),
		.commit = near(tip),
		.round = near(
			o->role == ENGINE_LEADER ? o->round : o->owed_round),
		.flags = draw(8) == 0 ? draw(16) : draw(2),
		.hint = near(tip),
		.hint_term = near(term),
	};
	uint32_t blocks[ENGINE_ATTACH_MAX];
	size_t count = draw(3) == 0 ? draw(3) : 0;
	for (size_t i = 0; i < count; i++)
		blocks[i] = some_block(node);
	if (count > 0 && draw(2) == 0) {
		const struct net_block *first = net_block(&net, blocks[0]);
		message.kind = ORDERED_APPEND;
		message.height = first->height - 1;
		message.hash = net_hash_of(&net, first->parent);
		message.log_term = draw(2) == 0 ? 0 : message.log_term;
	}
	if (o->read_count > 0 && draw(3) == 0)
		message.round = o->reads[0].id;
	net_inject(&net, from, to, &message, blocks, count);
}

static void watch(void *context, struct net *of, size_t node,
	const struct event *event, const struct effects *effects)
{
	(void)context;
	(void)event;
	if (!engine_ordered.holds(of->nodes[node].engine))
		print_message("event %d\n", (int)event->type);
	assert_true(engine_ordered.holds(of->nodes[node].engine));
	for (size_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->items[i];
		if (effect->type == EFFECT_REVERT)
			assert_true(
				effect->revert.height >= of->nodes[node].final);
	}
	if (effects->count > most_effects)
		most_effects = effects->count;
}

static void move(uint64_t *reads)
{
	size_t from = draw(net.node_count), to = draw(net.node_count);
	uint64_t dice = draw(100);
	if (net.message_count > 1000)
		net_hush(&net);
	if (dice < 35) {
		lie(from, to);
	} else if (dice < 70 && net.message_count > 0) {
		net_deliver_at(&net, draw(net.message_count), false);
	} else if (dice < 80) {
		(void)net_propose(&net, to);
	} else if (dice < 90) {
		net.now += (time_ms)draw(200);
		net_timer(&net, to);
	} else if (dice < 95) {
		net_read(&net, to, ++*reads);
	} else if (dice < 97) {
		net_transfer(&net, to);
	} else if (dice < 98) {
		(void)net_propose_change(
			&net, to, draw(net.node_count), (uint8_t)draw(3));
	}
}

static void test_no_message_stops_a_node(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t reads = 0;
		net_init(&net, 3 + seed % 4, seed % 3, 1);
		random_seed(&net.random, seed);
		net.draws = true;
		net.only_global = true;
		net.watch = watch;
		net_start_all(&net);
		for (int i = 0; i < MOVES; i++)
			move(&reads);
		net_free(&net);
	}
	print_message("at most %zu effects in a step\n", most_effects);
}

/* The most that a leader can be asked for at once: everybody far behind, all
 * reads waiting, and one answer that moves all of it. */
static void test_the_largest_step(void **state)
{
	(void)state;
	most_effects = 0;
	net_init(&net, 16, 0, 0);
	net.watch = watch;
	net_disk_put(&net, 0, 1, 2000);
	net.block_size = 40000;
	for (size_t i = 0; i < 16; i++)
		net_disk_record(&net, i, 1);
	net_start_all(&net);
	net_elect(&net, 0);
	for (uint64_t task = 1; task <= ORDERED_READS_MAX + 8; task++)
		net_read(&net, task % 2 == 0 ? 0 : 1 + task % 15, task);
	for (int i = 0; i < ORDERED_WINDOW; i++)
		(void)net_propose(&net, 0);
	net_settle(&net);
	assert_null(net.violation);
	assert_in_range(most_effects, 16, EFFECTS_MAX);
	net_free(&net);
	print_message("at most %zu effects in a step\n", most_effects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_message_stops_a_node),
		cmocka_unit_test(test_the_largest_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
