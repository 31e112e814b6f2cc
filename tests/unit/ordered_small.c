/* unit/ordered_small.c -- a world so small that everything in it is tried.
 *
 * Three nodes, a few elections, two entries, at most one crash: every order of
 * delivery, every moment at which a disk is done, every point at which a node
 * falls and comes back without what was not durable. A message that is lost is
 * one that never comes, so loss is in there too. After every step the net
 * checks what must always be true; nothing is drawn by lot.
 *
 * A state that was seen before is not entered again: states are told apart by
 * a digest of what can make a difference, and times make none: an election
 * timeout may come at any moment, and no lease holds it back. (Leases only
 * spare the cluster needless elections; safety must not depend on clocks.)
 */
#include "unit/unit.h"

#include <string.h>
#include <time.h>

#include "net/net.h"

/* A sanitizer is ten times slower: it sees the beginning of each world only,
 * but enough of those with a planted fault to find it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SLOW = 1, STATES_MAX = 20000, PLANTED_MAX = 1 << 18 };
#else
enum { IS_SLOW = 0, STATES_MAX = 1 << 23, PLANTED_MAX = STATES_MAX };
#endif
enum { DEPTH_MAX = 160, SEEN_MAX = 2 * PLANTED_MAX };

/* How much of each may happen in a history. */
struct budget {
	uint8_t elections;
	uint8_t entries;
	uint8_t crashes;
	uint8_t heartbeats;
	uint8_t doubles;
	bool slow_disks; /* a SAVE is done at any moment, not at once */
	bool empties;    /* appends without blocks are not all lost */
	bool late; /* a leader's own first block is an entry like others */
};

struct world {
	struct net *nets[DEPTH_MAX];
	uint64_t *seen; /* open addressing, 0: free */
	uint64_t states;
	uint64_t steps;
	uint64_t states_max; /* stop there, with what was seen so far */
	int deepest;
	const char *violation;
};

/* ---- digests ---- */

/* Names do not matter: a state is the same as one with the nodes renamed. So
 * a digest is made under every renaming and the least one taken. */
enum { NODES = 3, NAMINGS = 6 };

static const uint8_t namings[NAMINGS][NODES] = {
	{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
	return sum ^ (sum >> 29);
}

static uint64_t mix_key(
	uint64_t sum, const uint8_t *names, bool is, const struct key *key)
{
	return mix(sum, is ? names[key->bytes[0] - 'A'] + 1u : 0);
}

static uint64_t mix_blocks(uint64_t sum, const uint32_t *blocks, size_t count)
{
	sum = mix(sum, count);
	for (size_t i = 0; i < count; i++)
		sum = mix(sum, blocks[i]);
	return sum;
}

static uint64_t mix_peer(
	uint64_t sum, const struct ordered *o, const struct peer *peer)
{
	sum = mix(sum, (uint64_t)peer->voted << 8 | peer->waiting);
	if (o->role != ENGINE_LEADER)
		return sum;
	sum = mix(sum, peer->state);
	sum = mix(sum, peer->match << 32 | peer->next);
	sum = mix(sum, peer->told << 32 | peer->flight_count);
	return mix(sum, peer->round << 32 | peer->match_round);
}

static uint64_t mix_peers(
	uint64_t sum, const uint8_t *names, const struct ordered *o)
{
	for (uint8_t name = 0; name < NODES; name++) {
		for (size_t i = 0; i < o->peer_count; i++) {
			const struct peer *peer = &o->peers[i];
			if (names[peer->key.bytes[0] - 'A'] == name)
				sum = mix_peer(sum, o, peer);
		}
	}
	return sum;
}

static uint64_t mix_engine(
	uint64_t sum, const uint8_t *names, const struct ordered *o)
{
	sum = mix(sum, o->term << 8 | o->role);
	sum = mix_key(sum, names, o->has_vote, &o->vote);
	sum = mix_key(sum, names, o->has_leader, &o->leader);
	sum = mix(sum, o->record_task > o->saved_task);
	sum = mix(sum, o->durable << 32 | o->commit);
	sum = mix(sum, (uint64_t)o->pre << 3 | (uint64_t)o->asked << 2 |
			       (uint64_t)o->vote_owed << 1 | o->owed);
	if (o->role == ENGINE_FOLLOWER) {
		sum = mix(sum, o->verified << 32 | o->acked);
		sum = mix(sum, o->owed_round);
		if (o->owed)
			sum = mix(sum, o->owed_height << 32 |
					       o->owed_term << 1 |
					       o->owed_reject);
	}
	if (o->role == ENGINE_LEADER)
		sum = mix(sum, o->term_start << 32 | o->round);
	if (o->role != ENGINE_FOLLOWER)
		sum = mix_peers(sum, names, o);
	return sum;
}

/* A record as the engine writes it: term, whether there is a vote, whose. */
static uint64_t mix_record(
	uint64_t sum, const uint8_t *names, const uint8_t *record, size_t size)
{
	if (size == 0)
		return mix(sum, 0);
	struct key vote;
	memcpy(vote.bytes, record + 9, KEY_SIZE);
	sum = mix(sum, record[7] + 1u);
	return mix_key(sum, names, record[8] == 1, &vote);
}

static uint64_t mix_node(
	uint64_t sum, const uint8_t *names, const struct net_node *node)
{
	sum = mix_engine(sum, names, node->engine);
	sum = mix_blocks(sum, node->chain.blocks, node->chain.count);
	sum = mix_blocks(sum, node->disk.blocks, node->disk.count);
	sum = mix_record(sum, names, node->record, node->record_size);
	sum = mix(sum, node->save_count << 8 | node->told_count);
	for (size_t i = 0; i < node->save_count; i++) {
		const struct net_save *save = &node->saves[i];
		sum = mix_record(sum, names, save->record, save->record_size);
		sum = mix(sum, save->first_height);
		sum = mix_blocks(sum, save->blocks, save->count);
	}
	return sum;
}

static uint64_t digest_nodes(const struct net *net, const uint8_t *names)
{
	uint64_t sum = 1;
	for (uint8_t name = 0; name < NODES; name++) {
		for (size_t i = 0; i < NODES; i++) {
			if (names[i] == name)
				sum = mix_node(sum, names, &net->nodes[i]);
		}
	}
	for (uint64_t term = 1; term < 8; term++) {
		uint8_t leader = net->leaders[term];
		sum = mix(sum, leader == 0 ? 0 : names[leader - 1] + 1u);
	}
	return mix_blocks(sum, net->final.blocks, net->final.count);
}

static uint64_t digest(const struct net *net, const struct budget *budget)
{
	uint64_t contents[NET_MESSAGES_MAX];
	for (size_t i = 0; i < net->message_count; i++) {
		const struct net_message *message = &net->messages[i];
		uint64_t one = message->size;
		for (size_t b = 0; b < message->size; b++)
			one = mix(one, message->bytes[b]);
		contents[i] = mix_blocks(one, message->blocks, message->count);
	}
	uint64_t least = UINT64_MAX;
	for (size_t n = 0; n < NAMINGS; n++) {
		const uint8_t *names = namings[n];
		uint64_t sum = digest_nodes(net, names);
		uint64_t bag = 0; /* in a bag there is no order */
		for (size_t i = 0; i < net->message_count; i++) {
			const struct net_message *message = &net->messages[i];
			bag += mix(contents[i],
				names[message->from] * 4u + names[message->to]);
		}
		sum = mix(sum, bag);
		if (sum < least)
			least = sum;
	}
	least = mix(least, (uint64_t)budget->elections << 32 |
				   (uint64_t)budget->entries << 24 |
				   (uint64_t)budget->crashes << 16 |
				   (uint64_t)budget->heartbeats << 8 |
				   budget->doubles);
	return least == 0 ? 1 : least;
}

/* ---- moves ---- */

static bool is_of(
	const struct net_message *message, uint64_t kind_a, uint64_t kind_b)
{
	struct ordered_message said;
	enum err err = ordered_message_decode(
		&said, view_of(message->bytes, message->size));
	assert_int_equal(err, ERR_OK);
	return said.kind == kind_a || said.kind == kind_b;
}

/* In a world without them, appends without blocks are lost. */
static void drop_empties(struct net *net)
{
	size_t kept = 0;
	for (size_t i = 0; i < net->message_count; i++) {
		const struct net_message *message = &net->messages[i];
		if (message->count > 0 ||
			!is_of(message, ORDERED_APPEND, ORDERED_APPEND))
			net->messages[kept++] = net->messages[i];
	}
	net->message_count = kept;
}

/* Equal messages on their way are one: a second one changes nothing that a
 * double of the first would not. */
static void drop_doubles(struct net *net)
{
	for (size_t i = 0; i < net->message_count; i++) {
		struct net_message *a = &net->messages[i];
		for (size_t j = i + 1; j < net->message_count; j++) {
			const struct net_message *b = &net->messages[j];
			if (a->from != b->from || a->to != b->to ||
				a->size != b->size ||
				memcmp(a->bytes, b->bytes, a->size) != 0 ||
				a->count != b->count)
				continue;
			net->message_count--;
			memmove(&net->messages[j], &net->messages[j + 1],
				(net->message_count - j) * sizeof(*b));
			j--;
		}
	}
}

/* No lease holds anybody back. */
static void forget_times(struct net *net)
{
	for (size_t i = 0; i < net->node_count; i++)
		net->nodes[i].engine->heard_at = -net->election_ms * 1000;
}

/* Deliver pre-votes and, of their answers, those that reject or those that do
 * not. */
static void deliver_pre_votes(struct net *net, bool reject)
{
	for (size_t i = 0; i < net->message_count;) {
		const struct net_message *message = &net->messages[i];
		struct ordered_message said;
		enum err err = ordered_message_decode(
			&said, view_of(message->bytes, message->size));
		assert_int_equal(err, ERR_OK);
		bool rejects = (said.flags & ORDERED_REJECT) != 0;
		if (said.kind == ORDERED_PRE_VOTE ||
			(said.kind == ORDERED_PRE_VOTE_REPLY &&
				rejects == reject)) {
			forget_times(net);
			net_deliver_at(net, i, false);
			i = 0;
		} else {
			i++;
		}
	}
}

/* An election timeout, with the pre-vote (which nobody remembers) at once; a
 * candidate that only learns of a higher term tries again. False when it is
 * not won. */
static bool time_out(struct net *net, size_t at)
{
	struct net_node *node = &net->nodes[at];
	const struct ordered *o = node->engine;
	for (uint64_t term = o->term;; term = o->term) {
		node->skew = o->election_at - net->now;
		node->timer_at = o->election_at;
		net_timer(net, at);
		deliver_pre_votes(net, false);
		bool won = o->role == ENGINE_CANDIDATE && !o->pre;
		deliver_pre_votes(net, true);
		if (won || o->term == term)
			return won;
	}
}

static void explore(
	struct world *world, int depth, const struct budget *budget);

static bool is_over(const struct world *world)
{
	return world->violation != NULL || world->states >= world->states_max;
}

/* Go on from the state after a move. */
static void enter(struct world *world, int depth, const struct budget *budget)
{
	struct net *net = world->nets[depth];
	if (is_over(world))
		return;
	world->steps++;
	if (!budget->empties)
		drop_empties(net);
	drop_doubles(net);
	if (net->violation != NULL) {
		world->violation = net->violation;
		return;
	}
	uint64_t sum = digest(net, budget);
	size_t slot = (size_t)(sum % SEEN_MAX);
	while (world->seen[slot] != 0) {
		if (world->seen[slot] == sum)
			return;
		slot = (slot + 1) % SEEN_MAX;
	}
	world->seen[slot] = sum;
	world->states++;
	assert_true(world->states < SEEN_MAX / 2);
	if (depth > world->deepest)
		world->deepest = depth;
	explore(world, depth, budget);
}

static struct net *next(struct world *world, int depth)
{
	assert_true(depth + 1 < DEPTH_MAX);
	if (world->nets[depth + 1] == NULL)
		world->nets[depth + 1] = calloc(1, sizeof(struct net));
	assert_non_null(world->nets[depth + 1]);
	net_copy(world->nets[depth + 1], world->nets[depth]);
	forget_times(world->nets[depth + 1]);
	return world->nets[depth + 1];
}

/* A message that changes nothing (an answer that comes too late, a block that
 * is there) is delivered at once: nothing else depends on when. */
static bool deliver_idle(
	struct world *world, int depth, const struct budget *budget)
{
	const struct net *now = world->nets[depth];
	uint64_t sum = digest_nodes(now, namings[0]);
	for (size_t i = 0; i < now->message_count; i++) {
		uint8_t to = now->messages[i].to;
		struct net *net = next(world, depth);
		net_deliver_at(net, i, false);
		if (!budget->empties)
			drop_empties(net);
		if (net->message_count < now->message_count &&
			net->nodes[to].save_count ==
				now->nodes[to].save_count &&
			net->violation == NULL &&
			digest_nodes(net, namings[0]) == sum) {
			enter(world, depth + 1, budget);
			return true;
		}
	}
	return false;
}

static void deliver_each(
	struct world *world, int depth, const struct budget *budget)
{
	const struct net *now = world->nets[depth];
	for (size_t i = 0; i < now->message_count && !is_over(world); i++) {
		net_deliver_at(next(world, depth), i, false);
		enter(world, depth + 1, budget);
		if (budget->doubles == 0 || is_over(world))
			continue;
		struct budget left = *budget;
		left.doubles--;
		net_deliver_at(next(world, depth), i, true);
		enter(world, depth + 1, &left);
	}
}

static void crash_each(
	struct world *world, int depth, size_t at, const struct budget *budget)
{
	struct budget left = *budget;
	if (left.crashes == 0)
		return;
	left.crashes--;
	size_t under_way = world->nets[depth]->nodes[at].save_count;
	for (size_t kept = 0; kept <= under_way && !is_over(world); kept++) {
		struct net *net = next(world, depth);
		net_crash(net, at, kept);
		net_start(net, at);
		enter(world, depth + 1, &left);
	}
}

static void act_each(
	struct world *world, int depth, size_t at, const struct budget *budget)
{
	const struct net_node *node = &world->nets[depth]->nodes[at];
	bool leads = node->engine->role == ENGINE_LEADER;
	struct budget left = *budget;
	if (node->save_count > node->told_count) {
		net_saved(next(world, depth), at, node->told_count + 1);
		enter(world, depth + 1, budget);
	}
	if (!leads && budget->elections > 0 && !is_over(world)) {
		left.elections--;
		if (time_out(next(world, depth), at))
			enter(world, depth + 1, &left);
		left = *budget;
	}
	if (leads && budget->entries > 0 && !is_over(world)) {
		left.entries--;
		if (net_propose(next(world, depth), at))
			enter(world, depth + 1, &left);
		left = *budget;
	}
	if (leads && budget->heartbeats > 0 && !is_over(world)) {
		left.heartbeats--;
		net_timer(next(world, depth), at);
		enter(world, depth + 1, &left);
	}
}

static void explore(struct world *world, int depth, const struct budget *budget)
{
	size_t count = world->nets[depth]->node_count;
	for (size_t at = 0; at < count && !budget->slow_disks; at++) {
		const struct net_node *node = &world->nets[depth]->nodes[at];
		if (node->save_count == node->told_count)
			continue;
		/* Nothing comes before a disk that is at work, but a crash. */
		net_saved(next(world, depth), at, node->told_count + 1);
		enter(world, depth + 1, budget);
		crash_each(world, depth, at, budget);
		return;
	}
	if (deliver_idle(world, depth, budget))
		return;
	deliver_each(world, depth, budget);
	for (size_t at = 0; at < count && !is_over(world); at++)
		act_each(world, depth, at, budget);
	for (size_t at = 0; at < count && !is_over(world); at++)
		crash_each(world, depth, at, budget);
}

/* ---- worlds ---- */

struct result {
	const char *violation;
	bool exhausted;
};

/* RAFT figure 8 begins so: the first node has a block of term 1, the third one
 * of term 2, and neither is committed. */
static void give_past(struct net *net)
{
	net_disk_put(net, 0, 1, 1);
	net_disk_put(net, 2, 2, 1);
	for (size_t i = 0; i < NODES; i++)
		net_disk_record(net, i, 2);
}

static struct result try_all(const char *name, const struct budget *budget,
	bool past, enum net_fault fault)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->seen = calloc(SEEN_MAX, sizeof(*world->seen));
	world->nets[0] = calloc(1, sizeof(struct net));
	assert_true(world->seen != NULL && world->nets[0] != NULL);
	world->states_max = fault == NET_SOUND ? STATES_MAX : PLANTED_MAX;
	struct net *net = world->nets[0];
	net_init(net, NODES, 0, 0);
	net->saves_at_once = false;
	net->fault = fault;
	net->only_global = fault != NET_SOUND;
	net->proposes_own = !budget->late;
	if (past)
		give_past(net);
	net_start_all(net);
	clock_t begun = clock();
	enter(world, 0, budget);
	struct result result = {
		world->violation, world->states < world->states_max};
	print_message("%s: %lu states, %lu steps, %d deep, %.1f s%s; %s\n",
		name, world->states, world->steps, world->deepest,
		(double)(clock() - begun) / CLOCKS_PER_SEC,
		result.exhausted ? "" : " (stopped there)",
		result.violation != NULL ? result.violation
					 : "nothing is wrong");
	for (int i = 0; i < DEPTH_MAX && world->nets[i] != NULL; i++) {
		net_free(world->nets[i]);
		free(world->nets[i]);
	}
	free(world->seen);
	free(world);
	return result;
}

static void is_sound(const char *name, struct budget budget, bool past)
{
	struct result result = try_all(name, &budget, past, NET_SOUND);
	assert_null(result.violation);
	assert_true(result.exhausted || IS_SLOW);
}

static void test_failover(void **state)
{
	(void)state;
	is_sound("two elections, two entries",
		(struct budget){.elections = 2, .entries = 2}, false);
	is_sound("three elections", (struct budget){.elections = 3}, false);
}

static void test_crash(void **state)
{
	(void)state;
	is_sound("a crash, slow disks, two elections, an entry",
		(struct budget){.elections = 2,
			.entries = 1,
			.crashes = 1,
			.slow_disks = true},
		false);
	is_sound("a crash, slow disks, two entries",
		(struct budget){.elections = 1,
			.entries = 2,
			.crashes = 1,
			.slow_disks = true},
		false);
	is_sound("two crashes, two elections",
		(struct budget){.elections = 2, .crashes = 2}, false);
}

static void test_doubles_and_heartbeats(void **state)
{
	(void)state;
	is_sound("a message comes twice, a crash, two elections",
		(struct budget){.elections = 2, .crashes = 1, .doubles = 1},
		false);
	is_sound("appends without blocks, two elections",
		(struct budget){.elections = 2, .empties = true}, false);
}

static void test_figure_8(void **state)
{
	(void)state;
	is_sound("figure 8, an entry",
		(struct budget){.elections = 2, .entries = 1}, true);
	is_sound("figure 8, own blocks late",
		(struct budget){.elections = 2,
			.entries = 1,
			.empties = true,
			.late = true},
		true);
}

/* The largest world takes longer than all others: with an argument. */
static void test_large(void **state)
{
	(void)state;
	is_sound("a crash, two elections, two entries",
		(struct budget){.elections = 2, .entries = 2, .crashes = 1},
		false);
}

/* The same worlds, with one thing wrong in each: it is found. */
static void is_found(
	const char *name, struct budget budget, bool past, enum net_fault fault)
{
	assert_non_null(try_all(name, &budget, past, fault).violation);
}

static void test_planted_faults_are_found(void **state)
{
	(void)state;
	struct budget two = {.elections = 2, .entries = 1};
	struct budget crash = {
		.elections = 2, .crashes = 1, .slow_disks = true};
	is_found("a disk that lies", crash, false, NET_DISK_LIES);
	is_found("a record that is not written", crash, false, NET_RECORD_LOST);
	is_found("a whole log acknowledged", two, false, NET_WHOLE_LOG_ACKED);
	struct budget late = two;
	late.empties = late.late = true;
	is_found("older terms committed by counting", late, true,
		NET_OLD_TERMS_COUNT);
	is_found("a vote given twice", two, false, NET_VOTES_TWICE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest large[] = {cmocka_unit_test(test_large)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_doubles_and_heartbeats),
		cmocka_unit_test(test_figure_8),
		cmocka_unit_test(test_planted_faults_are_found),
	};
	(void)argv;
	return argc > 1 ? cmocka_run_group_tests(large, NULL, NULL)
			: cmocka_run_group_tests(tests, NULL, NULL);
}
