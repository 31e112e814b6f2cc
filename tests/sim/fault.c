/* sim/fault.c -- drawing faults, carrying them out, and mending. */
#include "fault.h"

#include <string.h>

#include "base/check.h"
#include "world.h"

static const char *const names[FAULT_KINDS] = {
#define X(name, word) [FAULT_##name] = (word),
	FAULT_LIST(X)
#undef X
};

const char *fault_name(enum fault_kind kind)
{
	return names[kind];
}

bool fault_parse(const char *text, unsigned *bits)
{
	unsigned found = 0;
	while (*text) {
		size_t size = strcspn(text, ",");
		int kind = 0;
		while (kind < FAULT_KINDS &&
			(strlen(names[kind]) != size ||
				memcmp(names[kind], text, size) != 0))
			kind++;
		if (kind == FAULT_KINDS)
			return false;
		found |= 1u << kind;
		text += size;
		text += *text == ',';
	}
	*bits = found;
	return true;
}

void fault_links(struct world *world)
{
	const struct link calm = {.latency_us = 300, .jitter_us = 700};
	for (size_t i = 0; i < world->node_count; i++)
		for (size_t j = 0; j < world->node_count; j++)
			world->net.links[i][j] = calm;
	world->net.client = calm;
}

/* ---- choosing ---- */

static struct node *any_node(struct world *world)
{
	size_t pick = world_below(world, world->node_count);
	if (world_chance(world, 350)) {
		for (size_t i = 0; i < world->node_count; i++) {
			const struct node *node = &world->nodes[i];
			if (node->up && node->status.role == ENGINE_LEADER)
				pick = i;
		}
	}
	return &world->nodes[pick];
}

static void mend_later(struct world *world, enum fault_kind kind,
	const struct node *node, int64_t most_us)
{
	queue_put(&world->queue,
		(struct plan){
			.at_us = world->now_us +
				 world_between(world, most_us / 20, most_us),
			.kind = PLAN_MEND,
			.who = node ? node->number : 0,
			.value = kind,
		});
}

static int64_t election_us(const struct world *world)
{
	return world->election_ms * 1000;
}

bool fault_io(struct world *world, struct node *node)
{
	bool armed = world->fault.io[node->number];
	world->fault.io[node->number] = false;
	return armed;
}

void fault_restart_later(struct world *world, struct node *node)
{
	int64_t after = world_between(world, 20000, 12 * election_us(world));
	queue_put(&world->queue, (struct plan){
					 .at_us = world->now_us + after,
					 .kind = PLAN_START,
					 .who = node->number,
					 .stamp = node->life,
				 });
}

/* Back at once, while others still ask for votes. */
void fault_voted(struct world *world, struct node *node)
{
	if (!world->fault.vote[node->number] ||
		node->status.role == ENGINE_CANDIDATE || /* its own */
		world->verdict != VERDICT_PASSED)
		return;
	world->fault.vote[node->number] = false;
	node_crash(world, node, false);
	queue_put(&world->queue,
		(struct plan){
			.at_us = world->now_us +
				 world_between(world, 100, 50000),
			.kind = PLAN_START,
			.who = node->number,
			.stamp = node->life,
		});
}

/* ---- carrying out; each says whether it could ---- */

static bool do_crash(struct world *world, struct node *node)
{
	if (!node->up)
		return false;
	node_crash(world, node, world_chance(world, 200));
	fault_restart_later(world, node);
	return true;
}

/* Its operator may switch it off and take its disk for something else. It may
 * join again with an empty one: who was elected with its lost vote lacks its
 * leaving, and a majority without it does not. */
void fault_left(struct world *world, uint32_t number)
{
	if (world_chance(world, 500))
		world_plan(world, world_between(world, 0, 500000), PLAN_WIPE,
			number, 0);
}

/* By the log of anybody else: a change that is not final may become so. */
static bool may_be_member(const struct world *world, const struct node *node)
{
	for (size_t i = 0; i < world->node_count; i++) {
		const struct engine_status *status = &world->nodes[i].status;
		for (size_t j = 0;
			i != node->number && j < status->member_count; j++) {
			if (key_equal(
				    &status->members[j].key, &node->self->key))
				return true;
		}
	}
	return false;
}

static void wipe(struct world *world, struct node *node)
{
	const struct checker *checker = &world->checker;
	const struct checker_member *is = &checker->members[node->number];
	const struct genesis *genesis = world->setup->genesis;
	/* A voter of the genesis without a disk would take itself for one of
	 * the first again. */
	bool first = node->number < genesis->node_count &&
		     genesis->nodes[node->number].role == 2;
	if (first || is->voter || is->standby || world->healed ||
		may_be_member(world, node))
		return;
	node_crash(world, node, false);
	node->gone = true;
	node->received_count = 0;
	client_forgive(world, node);
	disk_wipe(&node->disk);
	memset(&node->status, 0, sizeof(node->status));
	world_note(world, node, NOTE_WIPE, 0, 0, 0);
}

static bool do_power(struct world *world)
{
	for (size_t i = 0; i < world->node_count; i++)
		do_crash(world, &world->nodes[i]);
	return true;
}

static bool do_stop(struct world *world, struct node *node)
{
	if (!node->up)
		return false;
	node->stopped_us = world->now_us +
			   world_between(world, 10000, 5 * election_us(world));
	return true;
}

static bool do_split(struct world *world)
{
	bool side[SIM_NODES_MAX];
	for (size_t i = 0; i < world->node_count; i++)
		side[i] = world_chance(world, 500);
	for (size_t i = 0; i < world->node_count; i++)
		for (size_t j = 0; j < world->node_count; j++)
			if (side[i] != side[j])
				world->net.links[i][j].cut = true;
	mend_later(world, FAULT_SPLIT, NULL, 15 * election_us(world));
	return true;
}

static bool do_one_way(struct world *world, struct node *node)
{
	bool is_heard = world_chance(world, 500);
	bool one_link = world_chance(world, 500);
	size_t other = world_below(world, world->node_count);
	for (size_t i = 0; i < world->node_count; i++) {
		if (one_link && i != other)
			continue;
		if (is_heard)
			world->net.links[i][node->number].cut = true;
		else
			world->net.links[node->number][i].cut = true;
	}
	mend_later(world, FAULT_ONE_WAY, node, 15 * election_us(world));
	return true;
}

/* Change every link of a node, or one of them. */
static bool do_links(
	struct world *world, struct node *node, enum fault_kind kind)
{
	bool one_link = world_chance(world, 400);
	size_t other = world_below(world, world->node_count);
	int64_t until = world->now_us +
			world_between(world, 10000, 4 * election_us(world));
	int64_t slow = world_between(world, 1000, election_us(world));
	unsigned loss = (unsigned)world_between(world, 20, 300);
	unsigned twice = (unsigned)world_between(world, 50, 500);
	for (size_t i = 0; i < world->node_count; i++) {
		if (one_link && i != other)
			continue;
		struct link *ways[2] = {
			&world->net.links[i][node->number],
			&world->net.links[node->number][i],
		};
		for (int way = 0; way < 2; way++) {
			if (kind == FAULT_CLOG)
				ways[way]->clogged_us = until;
			if (kind == FAULT_SLOW)
				ways[way]->jitter_us = slow;
			if (kind == FAULT_LOSS)
				ways[way]->loss = loss;
			if (kind == FAULT_TWICE)
				ways[way]->twice = ways[way]->late = twice;
		}
	}
	if (kind != FAULT_CLOG)
		mend_later(world, kind, node, 20 * election_us(world));
	return true;
}

static bool do_disk(struct world *world, struct node *node)
{
	node->disk.slow_us =
		world_between(world, 2000, 3 * election_us(world) / 2);
	mend_later(world, FAULT_DISK, node, 20 * election_us(world));
	return true;
}

/* In a live run clocks stay as far apart as the settings allow. */
static bool do_clock(struct world *world, struct node *node)
{
	int64_t most = SKEW_MS * 1000 / 2;
	if (world->harsh && world_chance(world, 200))
		most *= 20;
	node->wall_us = world_between(world, -most, most);
	return true;
}

size_t fault_forgetful(const struct world *world)
{
	size_t count = 0;
	for (size_t i = 0; i < world->node_count; i++)
		count += world->checker.members[i].voter &&
			 disk_owed(&world->nodes[i].disk) > 0;
	return count;
}

/* A change of members counts from the moment that it is in somebody's log: of
 * two voters none may forget. */
static size_t least_voters(const struct world *world)
{
	size_t least = world->checker.voters;
	for (size_t i = 0; i < world->node_count; i++) {
		const struct engine_status *status = &world->nodes[i].status;
		size_t voters = 0;
		for (size_t j = 0; j < status->member_count; j++)
			voters += status->members[j].role == 2;
		if (voters > 0 && voters < least)
			least = voters;
	}
	return least;
}

/*
 * A record goes bad while its node is down: the log is cut there at the next
 * start and the rest fetched from peers. The node acknowledged what is cut, so
 * it may not vote before that is back; with a minority of such nodes there is
 * always somebody left to lead.
 */
static bool do_damage(struct world *world, struct node *node)
{
	const struct disk_image *log = &node->disk.durable;
	node_crash(world, node, false);
	fault_restart_later(world, node);
	uint64_t length = log->tip - log->base;
	if (length == 0 || disk_owed(&node->disk) > 0 ||
		fault_forgetful(world) + 1 > (least_voters(world) - 1) / 2)
		return false;
	disk_cut(&node->disk,
		log->tip - 1 - world_below(world, length < 20 ? length : 20));
	return true;
}

static bool carry_out(
	struct world *world, struct node *node, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_CRASH:
		return do_crash(world, node);
	case FAULT_POWER:
		return do_power(world);
	case FAULT_STOP:
		return do_stop(world, node);
	case FAULT_SPLIT:
		return do_split(world);
	case FAULT_ONE_WAY:
		return do_one_way(world, node);
	case FAULT_CLOG:
	case FAULT_SLOW:
	case FAULT_LOSS:
	case FAULT_TWICE:
		return do_links(world, node, kind);
	case FAULT_DISK:
		return do_disk(world, node);
	case FAULT_IO:
		world->fault.io[node->number] = true;
		return true;
	case FAULT_VOTE:
		for (size_t i = 0; i < world->node_count; i++)
			world->fault.vote[i] = true;
		return true;
	case FAULT_CLOCK:
		return do_clock(world, node);
	case FAULT_DAMAGE:
		return do_damage(world, node);
	case FAULT_COMPACT:
		if (node->up && node->stopped_us <= world->now_us)
			node_compact(world, node);
		return true;
	case FAULT_TRANSFER:
		if (!node->up || node->status.role != ENGINE_LEADER)
			return false;
		node_transfer(world, node);
		return true;
	case FAULT_MEMBER:
		return wish_member_change(world);
	case FAULT_KINDS:
		break;
	}
	return false;
}

static void plan_next(struct world *world)
{
	world_plan(world,
		world_between(
			world, world->fault.gap_us / 10, world->fault.gap_us),
		PLAN_FAULT, 0, 0);
}

static void next(struct world *world)
{
	if (world->healed)
		return;
	plan_next(world);
	enum fault_kind kind;
	do {
		kind = (enum fault_kind)world_below(world, FAULT_KINDS);
	} while (!(world->fault.may >> kind & 1));
	/* The rarer, the more it destroys. */
	if (kind == FAULT_POWER && world_chance(world, 700))
		kind = world->fault.may >> FAULT_CRASH & 1 ? FAULT_CRASH : kind;
	struct node *node = any_node(world);
	world_note(world, NULL, NOTE_FAULT, kind, node->number, 0);
	trace_remark(&world->trace, "(%s)", fault_name(kind));
	if (carry_out(world, node, kind)) {
		world->totals.faults[kind]++;
		world->fault.count++;
	}
}

/* Which kinds, how often: another mixture for each seed. */
void fault_begin(struct world *world)
{
	memset(&world->fault, 0, sizeof(world->fault));
	unsigned may = 0;
	unsigned likely = (unsigned)world_between(world, 200, 900);
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		if (world_chance(world, likely))
			may |= 1u << kind;
	}
	may &= world->options->faults;
	/* A log of work is never cut at its start, and nobody leads. */
	if (world->options->engine->mines)
		may &= ~(1u << FAULT_COMPACT | 1u << FAULT_TRANSFER |
			 1u << FAULT_MEMBER);
	world->fault.may = may ? may : world->options->faults;
	world->fault.gap_us = world_between(world, 300000, 2500000);
	fault_links(world);
	if (world->fault.may)
		plan_next(world);
}

static void mend_links(struct world *world, enum fault_kind kind)
{
	for (size_t i = 0; i < world->node_count; i++) {
		for (size_t j = 0; j < world->node_count; j++) {
			struct link *link = &world->net.links[i][j];
			if (kind == FAULT_SPLIT || kind == FAULT_ONE_WAY)
				link->cut = false;
			if (kind == FAULT_SLOW)
				link->jitter_us = 700;
			if (kind == FAULT_LOSS)
				link->loss = 0;
			if (kind == FAULT_TWICE)
				link->twice = link->late = 0;
		}
	}
}

void fault_plan(struct world *world, const struct plan *plan)
{
	struct node *node = &world->nodes[plan->who];
	if (plan->kind == PLAN_FAULT) {
		next(world);
	} else if (plan->kind == PLAN_WIPE) {
		wipe(world, node);
	} else if (plan->kind == PLAN_MEND) {
		world_note(world, NULL, NOTE_MEND, plan->value, plan->who, 0);
		if (world->healed)
			return;
		mend_links(world, (enum fault_kind)plan->value);
		if (plan->value == FAULT_DISK)
			node->disk.slow_us = 0;
	} else if (plan->stamp == node->life && node->up && node->again) {
		node_begin_again(world, node);
	} else if (plan->stamp == node->life && !node->up && !node->gone) {
		node_start(world, node);
	}
}

/* Leave some out, as long as a majority of the voters is well. */
static size_t choose_core(struct world *world, bool well[SIM_NODES_MAX])
{
	size_t spare =
		world->checker.voters > 0 ? (world->checker.voters - 1) / 2 : 0;
	size_t out = 0;
	/* After a fork deeper than `depth` finality may have to wait for who
	 * could have signed the other branch. */
	bool whole = world->fault.member_changes > 0 ||
		     world->options->engine->mines ||
		     fault_forgetful(world) > 0 || world_chance(world, 500);
	for (size_t i = 0; i < world->node_count; i++) {
		well[i] = whole || out >= spare || world_chance(world, 500);
		out += !well[i];
	}
	return world->node_count - out;
}

void fault_heal(struct world *world)
{
	bool well[SIM_NODES_MAX];
	world->healed = true;
	world->heal_us = world->now_us;
	size_t core = choose_core(world, well);
	world_note(world, NULL, NOTE_HEAL, core, 0, 0);
	fault_links(world);
	memset(world->fault.io, 0, sizeof(world->fault.io));
	memset(world->fault.vote, 0, sizeof(world->fault.vote));
	for (size_t i = 0; i < world->node_count; i++) {
		struct node *node = &world->nodes[i];
		node->disk.slow_us = 0;
		if (!well[i] && world_chance(world, 500)) {
			node_crash(world, node, false);
			node->gone = true;
		}
		for (size_t j = 0; j < world->node_count && !well[i]; j++) {
			world->net.links[i][j].cut = true;
			world->net.links[j][i].cut = true;
		}
		if (well[i] && !node->up && !node->gone)
			node_start(world, node);
		node->core = well[i] && !node->gone;
		if (node->stopped_us > world->now_us)
			node->stopped_us = world->now_us;
	}
}
