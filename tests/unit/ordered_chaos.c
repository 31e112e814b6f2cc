/* unit/ordered_chaos.c -- thousands of random moves, then calm.
 *
 * Safety while everything goes wrong: messages are lost, doubled and come in
 * any order, disks lag, nodes crash and lose what was not durable, clocks
 * jump, members change, logs are forgotten. Then liveness: when it is calm
 * again a leader is there and all logs become one. A run is its seed.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "net/net.h"

enum { MOVES = 5000 };

/* As many again of each as the program is told. */
static uint64_t seeds = 120;

struct chaos {
	struct net net;
	unsigned calm; /* permille by which faults are rarer in this run */
	uint64_t reads;
	size_t finals_before;
};

static size_t pick(struct net *net)
{
	return (size_t)random_below(&net->random, net->node_count);
}

static bool chance(struct net *net, unsigned permille)
{
	return random_chance(&net->random, permille);
}

static void move_message(struct net *net)
{
	if (net->message_count == 0)
		return;
	/* Mostly near the oldest, at times any. */
	uint64_t span = chance(net, 900) && net->message_count > 4
				? 4
				: net->message_count;
	size_t at = (size_t)random_below(&net->random, span);
	size_t from = net->messages[at].from, to = net->messages[at].to;
	if (chance(net, 50))
		net_drop(net, from, to);
	else
		net_deliver_at(net, at, chance(net, 50));
}

static void move_node(struct net *net)
{
	size_t at = pick(net);
	struct net_node *node = &net->nodes[at];
	if (!node->up) {
		net_start(net, at);
		return;
	}
	net_crash(net, at,
		(size_t)random_below(&net->random, node->save_count + 1));
}

static void move_members(struct net *net)
{
	size_t leader = net_leader(net);
	if (leader == net->node_count)
		return;
	size_t who = pick(net);
	uint8_t role = (uint8_t)random_below(&net->random, 3);
	size_t voters = 0;
	struct engine_status status;
	engine_ordered.status(net->nodes[leader].engine, &status);
	for (size_t i = 0; i < status.member_count; i++)
		voters += status.members[i].role == ROLE_VOTER;
	if (role != ROLE_VOTER && voters <= 2)
		return;
	net_propose_change(net, leader, who, role);
}

static void move_state(struct net *net)
{
	size_t at = pick(net);
	struct net_node *node = &net->nodes[at];
	if (!node->up)
		return;
	uint64_t final = node->final;
	if (chance(net, 300) && final > node->chain.base &&
		final <= net_log_tip(&node->disk) &&
		node->disk.base == node->chain.base)
		net_forget(net, at, final);
	else
		(void)net_fetch(net, at);
}

static void move(struct chaos *chaos)
{
	struct net *net = &chaos->net;
	uint64_t dice = random_below(&net->random, 1000);
	size_t at = pick(net);
	struct net_node *node = &net->nodes[at];
	if (dice < 600) {
		move_message(net);
	} else if (dice < 750) {
		if (node->up && node->save_count > 0)
			net_saved(net, at,
				1 + (size_t)random_below(
					    &net->random, node->save_count));
	} else if (dice < 850) {
		(void)net_propose(net, at);
	} else if (dice < 900) {
		net->now += (time_ms)random_below(
			&net->random, (uint64_t)net->heartbeat_ms);
		if (node->timer_at != INT64_MAX &&
			(chance(net, 30) ||
				node->timer_at <= net->now + node->skew))
			net_timer(net, at);
	} else if (dice < 930) {
		if (node->up)
			net_read(net, at, ++chaos->reads);
	} else if (dice < 930 + chaos->calm) {
		move_node(net);
	} else if (dice < 960) {
		move_state(net);
	} else if (dice < 964) {
		move_members(net);
	} else if (dice < 968) {
		if (node->up)
			net_transfer(net, at);
	} else if (dice < 976 && chaos->calm > 0) {
		net_cut(net, at, chance(net, 400));
	}
}

static void fetch_all(struct net *net)
{
	for (size_t i = 0; i < net->node_count; i++)
		(void)net_fetch(net, i);
}

/* Everybody up, nothing lost: soon one leader and one log. */
static void calm_down(struct chaos *chaos)
{
	struct net *net = &chaos->net;
	for (size_t i = 0; i < net->node_count; i++) {
		net_cut(net, i, false);
		net->nodes[i].skew = 0;
		net->nodes[i].timer_at = INT64_MAX;
		if (net->nodes[i].up)
			net_crash(net, i, net->nodes[i].save_count);
	}
	net->message_count = 0;
	net->saves_at_once = true;
	net_start_all(net);
	for (int i = 0; i < 60; i++) {
		net_run(net, net->election_ms / 2);
		fetch_all(net);
	}
	size_t leader = net_leader(net);
	assert_true(leader < net->node_count);
	assert_true(net_propose(net, leader));
	net_run(net, net->election_ms);
	const struct net_log *log = &net->nodes[leader].chain;
	assert_int_equal(net->nodes[leader].final, (long)net_log_tip(log));
	struct engine_status status;
	engine_ordered.status(net->nodes[leader].engine, &status);
	for (size_t i = 0; i < status.member_count; i++) {
		size_t at = net_find(net, &status.members[i].key);
		if (ordered_member(net->nodes[at].engine,
			    &net->nodes[leader].engine->self) == NULL)
			continue; /* was away for longer than its members */
		assert_int_equal(
			net->nodes[at].final, (long)net->nodes[leader].final);
	}
}

/* True when one of many runs with a planted fault breaks a rule. */
static bool is_found(enum net_fault fault)
{
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct chaos *chaos = calloc(1, sizeof(*chaos));
		struct net *net = &chaos->net;
		assert_non_null(chaos);
		net_init(net, 3, 0, 0);
		random_seed(&net->random, seed);
		net->draws = true;
		net->saves_at_once = fault != NET_DISK_LIES;
		net->fault = fault;
		net->only_global = true;
		chaos->calm = 10;
		net_start_all(net);
		for (int i = 0; i < MOVES && net->violation == NULL; i++)
			move(chaos);
		const char *violation = net->violation;
		net_free(net);
		free(chaos);
		if (violation != NULL) {
			print_message("fault %d, seed %lu: %s\n", (int)fault,
				seed, violation);
			return true;
		}
	}
	return false;
}

static void test_planted_faults_are_found(void **state)
{
	(void)state;
	assert_true(is_found(NET_DISK_LIES));
	assert_true(is_found(NET_RECORD_LOST));
	assert_true(is_found(NET_WHOLE_LOG_ACKED));
	assert_true(is_found(NET_VOTES_TWICE));
}

static uint64_t run(
	uint64_t seed, size_t voters, size_t standbys, size_t others)
{
	struct chaos *chaos = calloc(1, sizeof(*chaos));
	struct net *net = &chaos->net;
	assert_non_null(chaos);
	net_init(net, voters, standbys, others);
	random_seed(&net->random, seed);
	net->draws = true;
	chaos->calm = (unsigned)(seed % 3) * 5;
	net->saves_at_once = seed % 4 == 3;
	net_start_all(net);
	for (int i = 0; i < MOVES && net->violation == NULL; i++)
		move(chaos);
	if (net->violation == NULL)
		calm_down(chaos);
	if (net->violation != NULL)
		print_message("seed %lu: %s\n", seed, net->violation);
	assert_null(net->violation);
	uint64_t final = net_log_tip(&net->final);
	net_free(net);
	free(chaos);
	return final;
}

static void runs(uint64_t first, size_t voters, size_t standbys, size_t others)
{
	uint64_t final = 0;
	for (uint64_t seed = first; seed < first + seeds; seed++)
		final += run(seed, voters, standbys, others);
	print_message("%lu runs of %d moves: %lu final blocks\n", seeds, MOVES,
		final);
	/* A run in which nothing becomes final tests nothing. */
	assert_true(final > seeds * 20);
}

static void test_one_voter(void **state)
{
	(void)state;
	runs(1000000, 1, 0, 0);
}

static void test_three_voters(void **state)
{
	(void)state;
	runs(2000000, 3, 0, 0);
}

static void test_five_voters(void **state)
{
	(void)state;
	runs(3000000, 5, 0, 0);
}

static void test_members_come_and_go(void **state)
{
	(void)state;
	runs(4000000, 3, 1, 2);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seeds = strtoul(argv[1], NULL, 10);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_voter),
		cmocka_unit_test(test_three_voters),
		cmocka_unit_test(test_five_voters),
		cmocka_unit_test(test_members_come_and_go),
		cmocka_unit_test(test_planted_faults_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
