/* consensus/pow/engine.c -- proof of work as a function: event in, effects out.
 *
 * Every event is taken in first; then, whatever it was, the engine goes on
 * towards the best chain, asks for what it lacks, and forgets what can never
 * matter again. So no event has to know what follows from it.
 */
#include "consensus/pow/state.h"

#include <string.h>

#include "base/check.h"

static void init(void *state, const struct engine_config *config)
{
	struct pow *pow = state;
	CHECK(config->base_height == 0); /* its log is kept for ever */
	memset(pow, 0, sizeof(*pow));
	pow->config = *config;
	pow->config.base_field = view_of(NULL, 0);
	pow->member_count = config->member_count;
	memcpy(pow->members, config->members, sizeof(pow->members));
	struct pow_past past = {
		.time = config->base_time,
		.parent_time = config->base_time,
		.window_time = config->base_time,
		.bits = config->pow.bits,
	};
	pow_tree_init(
		pow_tree_of(pow), POW_TREE_MAX, &config->base_hash, &past);
	pow->active = pow_tree_of(pow)->root;
}

static void change_members(struct pow *pow, const struct engine_member *change)
{
	size_t at = 0;
	while (at < pow->member_count &&
		!key_equal(&pow->members[at].key, &change->key))
		at++;
	if (change->role != 0) {
		CHECK(at < ENGINE_MEMBERS_MAX);
		pow->members[at] = *change;
		if (at == pow->member_count)
			pow->member_count++;
	} else if (at < pow->member_count) {
		pow->members[at] = pow->members[--pow->member_count];
	}
}

static void restore(void *state, const struct engine_block *block)
{
	struct pow *pow = state;
	struct pow_tree *tree = pow_tree_of(pow);
	const struct header *header = &block->ref.header;
	const struct pow_past *above = &pow_entry_at(tree, pow->active)->past;
	uint32_t bits = pow_next_bits(&pow->config.pow, above);
	if (header->height > POW_REACH)
		pow_tree_advance(tree, pow_tree_ancestor(tree, pow->active,
					       header->height - POW_REACH));
	pow->active = pow_tree_add(tree, pow->active, &block->ref.hash,
		(time_ms)header->time, bits);
	CHECK(pow->active != 0);
	struct pow_entry *entry = pow_entry_at(tree, pow->active);
	entry->state_root = header->state_root;
	entry->ready = entry->logged = true;
	entry->seen = ++pow->seen;
	if (block->has_change)
		change_members(pow, &block->change);
}

/* What was final is it again, unless the log was repaired. */
static void resume(struct pow *pow, struct effects *out, uint64_t final)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t tip = pow_entry_at(tree, pow->active)->past.height;
	if (final == 0 || final > tip)
		return;
	/* Deeper than the tree: what the log has, it has. */
	pow_at at = pow_tree_ancestor(tree, pow->active, final);
	if (at != 0)
		pow->certified = (struct pow_checkpoint){
			final, pow_entry_at(tree, at)->hash};
	pow->final = final;
	effects_add(out, EFFECT_COMMIT)->commit.height = final;
}

static void on_start(
	struct pow *pow, struct effects *out, const struct event *event)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	uint64_t tip = pow_entry_at(tree, pow->active)->past.height;
	uint64_t final = pow_read_record(pow, event->start.record);
	pow_follow_members(pow);
	pow->reach = event->start.reach;
	struct pow_checkpoint mark = pow->certified;
	if (mark.height == 0)
		return;
	pow_at at = pow_tree_ancestor(tree, pow->active, mark.height);
	if (at != 0 && hash_equal(&pow_entry_at(tree, at)->hash, &mark.hash)) {
		pow_finalise(pow, out);
		return;
	}
	if (pow->apart || at != 0 || mark.height > tip) {
		/* The block did not reach the disk: it is still to come. */
		pow->certified = (struct pow_checkpoint){0};
		pow->pending = mark;
	}
	if (pow->apart || at == 0)
		resume(pow, out, final);
}

static void on_found(
	struct pow *pow, struct effects *out, const struct event *event)
{
	if (event->found.task != pow->seek_task)
		return; /* for a tip that is none any more */
	pow_at at = pow_accept(pow, out, event->found.block, -1);
	if (at != 0)
		pow_keep(pow, out, at, event->found.block);
}

static void on_read(struct pow *pow, struct effects *out, uint64_t task)
{
	struct effect *effect = effects_add(out, EFFECT_READY);
	effect->ready.task = task;
	effect->ready.ok = true;
	effect->ready.height = pow->final;
}

static void take_in(
	struct pow *pow, struct effects *out, const struct event *event)
{
	switch (event->type) {
	case EVENT_START:
		on_start(pow, out, event);
		break;
	case EVENT_RECEIVE:
		pow_receive(pow, out, event);
		break;
	case EVENT_SAVED:
		if (event->saved.task > pow->saved_task)
			pow->saved_task = event->saved.task;
		pow_finalise(pow, out);
		break;
	case EVENT_FOUND:
		on_found(pow, out, event);
		break;
	case EVENT_READ:
		on_read(pow, out, event->read.task);
		break;
	case EVENT_CONNECTED:
		pow_connected(pow, out, event);
		break;
	case EVENT_VOUCHED:
		pow_vouched(pow, out, event);
		break;
	case EVENT_CERTIFIED:
		pow_certified(pow, out, event->certified.height,
			&event->certified.hash);
		break;
	case EVENT_TIMER:
	case EVENT_SUBMIT:
	case EVENT_FORGOT:   /* a log of work is never cut at its start */
	case EVENT_TRANSFER: /* nobody leads */
		break;
	}
}

static time_ms tip_period(const struct pow *pow)
{
	time_ms period = pow->config.pow.interval_ms;
	if (period < POW_TIP_MS_MIN)
		return POW_TIP_MS_MIN;
	return period > POW_TIP_MS_MAX ? POW_TIP_MS_MAX : period;
}

static void set_timer(struct pow *pow, struct effects *out)
{
	const struct pow_tree *tree = pow_tree_of(pow);
	time_ms at = pow->again ? pow->now : pow->tip_at;
	if (pow->seek_at > 0 && pow->seek_at < at)
		at = pow->seek_at;
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		if (entry->used && entry->asked && entry->asked_until < at)
			at = entry->asked_until;
	}
	for (size_t i = 0; i < POW_PEERS_MAX; i++) {
		const struct pow_peer *peer = &pow->peers[i];
		if (peer->used && peer->behind && peer->seek_until < at &&
			peer->seek_until > pow->now)
			at = peer->seek_until;
	}
	effects_add(out, EFFECT_TIMER)->timer.at = at;
}

static void step(void *state, struct effects *out, const struct event *event)
{
	struct pow *pow = state;
	if (pow->replaying)
		return;
	pow->now = event->now;
	pow->wall = event->wall;
	pow->random = event->random;
	if (event->type != EVENT_CONNECTED)
		pow->round = 0;
	pow->again = false;
	take_in(pow, out, event);
	if (pow->lost) {
		pow_replay(pow, out, pow->final);
		return;
	}
	pow_say_pledges(pow, out);
	pow_expire(pow, out);
	pow_advance(pow, out);
	pow_sweep(pow, out);
	if (pow->connecting != 0)
		return; /* EVENT_CONNECTED is on its way */
	pow_fetch(pow, out);
	pow_seek(pow, out);
	if (event->now >= pow->tip_at) {
		pow->tip_at = event->now + tip_period(pow);
		pow_say_tip(pow, out, true);
		pow_repeat_pledges(pow, out);
	}
	set_timer(pow, out);
}

static void status(const void *state, struct engine_status *out)
{
	const struct pow *pow = state;
	const struct pow_tree *tree = pow_tree_of(pow);
	const struct pow_entry *tip = pow_entry_at(tree, pow->active);
	memset(out, 0, sizeof(*out));
	out->role = pow_is_voter(pow, &pow->config.self) ? ENGINE_MINER
							 : ENGINE_STANDBY;
	out->tip = tip->past.height;
	out->final = pow->final;
	out->member_count = pow->member_count;
	memcpy(out->members, pow->members, sizeof(out->members));
	out->race = pow->race;
	out->race.bits = pow_next_bits(&pow->config.pow, &tip->past);
	number_big(&tip->work, out->race.work);
	for (size_t i = 1; i <= tree->capacity; i++) {
		const struct pow_entry *entry = &tree->entries[i];
		out->race.branches += entry->used && !entry->logged &&
				      entry->first_child == 0;
	}
}

const struct engine_ops engine_pow = {
	.name = "pow",
	.chain = 1,
	.mines = true,
	.size = POW_STATE_BYTES + sizeof(struct pow_tree) +
		(POW_TREE_MAX + 1) * sizeof(struct pow_entry),
	.init = init,
	.restore = restore,
	.step = step,
	.holds = pow_holds,
	.status = status,
};
