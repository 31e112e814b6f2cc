/* trace/words.c -- events, effects and messages as sentences. */
#include "trace/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

void text_add(struct text *text, const char *format, ...)
{
	va_list list;
	for (;;) {
		size_t room = text->capacity - text->size;
		va_start(list, format);
		int size = vsnprintf(
			text->bytes == NULL ? NULL : text->bytes + text->size,
			room, format, list);
		va_end(list);
		CHECK(size >= 0);
		if ((size_t)size < room) {
			text->size += (size_t)size;
			return;
		}
		text->capacity = 2 * text->capacity + (size_t)size + 1;
		text->bytes = realloc(text->bytes, text->capacity);
		CHECK(text->bytes != NULL);
	}
}

void text_free(struct text *text)
{
	free(text->bytes);
	text->bytes = NULL;
	text->size = text->capacity = 0;
}

static char letter(const struct key *key)
{
	return (char)key->bytes[0];
}

static void add_blocks(struct text *out, uint64_t from, uint64_t to)
{
	if (from == to)
		text_add(out, "block %lu", from);
	else
		text_add(out, "blocks %lu to %lu", from, to);
}

static void add_log_end(struct text *out, const struct ordered_message *said)
{
	if (said->height == 0)
		text_add(out, "my log is empty");
	else
		text_add(out, "my log ends with block %lu of term %lu",
			said->height, said->log_term);
}

static void add_append(
	struct text *out, const struct ordered_message *said, size_t count)
{
	if (count > 0) {
		text_add(out, "take ");
		add_blocks(out, said->height + 1, said->height + count);
		text_add(out, ", after ");
	} else {
		text_add(out, "nothing new after ");
	}
	if (said->height == 0)
		text_add(out, "the genesis");
	else
		text_add(out, "block %lu of term %lu", said->height,
			said->log_term);
	if (said->commit > 0)
		text_add(out, "; up to %lu is final", said->commit);
}

static void add_reply(struct text *out, const struct ordered_message *said)
{
	if ((said->flags & ORDERED_REJECT) == 0)
		text_add(out, "I have on disk what you have, up to %lu",
			said->height);
	else if (said->height == 0)
		text_add(out, "your term is over, it is term %lu", said->term);
	else
		text_add(out,
			"my block %lu is not yours; go on after %lu of term "
			"%lu",
			said->height, said->hint, said->hint_term);
}

static void add_message(
	struct text *out, const struct ordered_message *said, size_t count)
{
	bool reject = (said->flags & ORDERED_REJECT) != 0;
	switch ((enum ordered_kind)said->kind) {
	case ORDERED_PRE_VOTE:
		text_add(
			out, "would you vote for me in term %lu? ", said->term);
		add_log_end(out, said);
		return;
	case ORDERED_PRE_VOTE_REPLY:
		if (reject)
			text_add(out, "no (here it is term %lu)", said->term);
		else
			text_add(out, "yes, in term %lu I would", said->term);
		return;
	case ORDERED_VOTE:
		text_add(out, "vote for me in term %lu! ", said->term);
		add_log_end(out, said);
		if ((said->flags & ORDERED_FORCED) != 0)
			text_add(out, "; the leader wants it");
		return;
	case ORDERED_VOTE_REPLY:
		text_add(out,
			reject ? "no, not in term %lu"
			       : "you have my vote in term %lu",
			said->term);
		return;
	case ORDERED_APPEND:
		add_append(out, said, count);
		return;
	case ORDERED_APPEND_REPLY:
		add_reply(out, said);
		return;
	case ORDERED_SNAPSHOT:
		text_add(out,
			"my log begins after block %lu; fetch the state "
			"there",
			said->height);
		return;
	case ORDERED_SNAPSHOT_REPLY:
		text_add(out, "I am at it");
		return;
	case ORDERED_TIMEOUT_NOW:
		text_add(out, "take over, now");
		return;
	case ORDERED_READ:
		text_add(out, "what is final now?");
		return;
	case ORDERED_READ_REPLY:
		if (reject)
			text_add(out, "I cannot say");
		else
			text_add(out, "all up to %lu is final", said->commit);
		return;
	}
}

static void add_said(struct text *out, struct view message, size_t count)
{
	struct ordered_message said;
	enum err err = ordered_message_decode(&said, message);
	CHECK(err == ERR_OK);
	add_message(out, &said, count);
}

static const char *role_name(uint8_t role)
{
	return role == ROLE_VOTER     ? "a voter"
	       : role == ROLE_STANDBY ? "a stand-by"
				      : "no member any more";
}

static void add_log(struct text *out, const struct net *net, size_t node)
{
	const struct net_log *log = &net->nodes[node].chain;
	if (log->base > 0)
		text_add(out, " (state of %lu)", log->base);
	for (size_t i = 0; i < log->count; i++)
		text_add(out, " %lu", net_block(net, log->blocks[i])->term);
	if (log->base == 0 && log->count == 0)
		text_add(out, " empty");
}

static void add_event(
	struct trace *trace, size_t node, const struct event *event)
{
	struct text *out = &trace->out;
	char name = (char)('A' + node);
	text_add(out, "    ");
	switch (event->type) {
	case EVENT_START:
		text_add(out, "%c starts; its log, by terms:", name);
		add_log(out, &trace->net, node);
		break;
	case EVENT_TIMER:
		text_add(out, "%c's timer goes off", name);
		break;
	case EVENT_RECEIVE:
		text_add(out, "%c hears %c: ", name,
			letter(&event->receive.from));
		add_said(out, event->receive.message,
			event->receive.block_count);
		break;
	case EVENT_SUBMIT:
		text_add(out, "%c has transactions waiting", name);
		break;
	case EVENT_SAVED:
		text_add(out, "%c's disk has it", name);
		break;
	case EVENT_FOUND:
		text_add(out, "%c gets block %lu", name,
			event->found.block->ref.header.height);
		if (event->found.members != NULL)
			text_add(out, " with the state after it");
		if (event->found.block->has_change)
			text_add(out, ", by which %c is %s",
				letter(&event->found.block->change.key),
				role_name(event->found.block->change.role));
		break;
	case EVENT_READ:
		text_add(out, "%c is asked to read (%lu)", name,
			event->read.task);
		break;
	case EVENT_FORGOT:
		text_add(out, "%c forgets the blocks up to %lu", name,
			event->forgot.height);
		break;
	case EVENT_TRANSFER:
		text_add(out, "%c is asked to hand over", name);
		break;
	case EVENT_CONNECTED:
	case EVENT_VOUCHED:
	case EVENT_CERTIFIED:
		break; /* never given to an engine with a leader */
	}
	text_add(out, "\n");
}

static void add_save(struct text *out, char name, const struct effect *effect)
{
	size_t count = effect->save.block_count;
	const struct view *record = &effect->save.record;
	text_add(out, "%c writes to its disk:", name);
	if (record->size > 9) {
		uint64_t term = 0;
		for (int i = 0; i < 8; i++)
			term = term << 8 | record->data[i];
		text_add(out, " term %lu", term);
		if (record->data[8] == 1)
			text_add(out, ", vote for %c", record->data[9]);
	}
	if (record->size > 9 && count > 0)
		text_add(out, ";");
	if (count > 0) {
		uint64_t first = effect->save.blocks[0].ref.header.height;
		text_add(out, " ");
		add_blocks(out, first, first + count - 1);
	} else if (record->size == 0) {
		text_add(out, " the state");
	}
}

static void add_seek(struct text *out, char name, const struct effect *effect)
{
	switch (effect->seek.kind) {
	case SEEK_NONE:
		text_add(out, "%c wants no block any more", name);
		return;
	case SEEK_BLOCK:
		text_add(out, "%c wants a block %lu%s%s", name,
			effect->seek.height,
			effect->seek.empty ? ", an empty one, at once" : "",
			effect->seek.member_free ? ""
						 : "; no change of members");
		return;
	case SEEK_STATE:
		text_add(out, "%c wants the state after block %lu from %c",
			name, effect->seek.height, letter(&effect->seek.peer));
		return;
	}
}

static void add_effect(
	struct text *out, size_t node, const struct effect *effect)
{
	char name = (char)('A' + node);
	if (effect->type == EFFECT_TIMER)
		return;
	text_add(out, "      ");
	switch (effect->type) {
	case EFFECT_SEND:
		text_add(out, "%c to %c: ", name, letter(&effect->send.to));
		add_said(out, effect->send.message, effect->send.block_count);
		break;
	case EFFECT_SAVE:
		add_save(out, name, effect);
		break;
	case EFFECT_COMMIT:
		text_add(out, "%c: all up to %lu is FINAL", name,
			effect->commit.height);
		break;
	case EFFECT_REVERT:
		text_add(out, "%c undoes what is above block %lu", name,
			effect->revert.height);
		break;
	case EFFECT_TIMER:
		break;
	case EFFECT_SEEK:
		add_seek(out, name, effect);
		break;
	case EFFECT_READY:
		if (effect->ready.ok)
			text_add(out, "%c answers read (%lu): final up to %lu",
				name, effect->ready.task, effect->ready.height);
		else
			text_add(out, "%c answers read (%lu): ask again", name,
				effect->ready.task);
		break;
	case EFFECT_REPLAY:
	case EFFECT_KEEP:
	case EFFECT_DROP:
	case EFFECT_CONNECT:
	case EFFECT_SIGN:
	case EFFECT_PROVE:
	case EFFECT_FAULT:
		break; /* never asked by an engine with a leader */
	}
	text_add(out, "\n");
}

static const char *role_word(enum engine_role role)
{
	switch (role) {
	case ENGINE_FOLLOWER:
		return "a follower";
	case ENGINE_CANDIDATE:
		return "a candidate";
	case ENGINE_LEADER:
		return "THE LEADER";
	case ENGINE_STANDBY:
		return "a stand-by";
	case ENGINE_MINER:
		return "a miner";
	}
	return "nothing";
}

static void add_change(struct trace *trace, size_t node)
{
	struct engine_status *before = &trace->before[node], now;
	struct text *out = &trace->out;
	char name = (char)('A' + node);
	engine_ordered.status(trace->net.nodes[node].engine, &now);
	bool follows = now.has_leader && now.role != ENGINE_LEADER;
	bool followed = before->has_leader && before->role != ENGINE_LEADER &&
			key_equal(&before->leader, &now.leader);
	if (now.role != before->role)
		text_add(out, "      = %c is %s (term %lu)\n", name,
			role_word(now.role), now.term);
	if (follows && (!followed || now.term != before->term))
		text_add(out, "      = %c follows %c (term %lu)\n", name,
			letter(&now.leader), now.term);
	*before = now;
}

void trace_step(struct trace *trace, size_t node, const struct event *event,
	const struct effects *effects)
{
	if (trace->silent) {
		engine_ordered.status(
			trace->net.nodes[node].engine, &trace->before[node]);
		return;
	}
	add_event(trace, node, event);
	for (size_t i = 0; i < effects->count; i++)
		add_effect(&trace->out, node, &effects->items[i]);
	add_change(trace, node);
}

void trace_show(struct trace *trace)
{
	const struct net *net = &trace->net;
	for (size_t i = 0; i < net->node_count; i++) {
		const struct net_node *node = &net->nodes[i];
		struct engine_status status;
		if (!node->up) {
			text_add(&trace->out, "    %c is down\n",
				(char)('A' + i));
			continue;
		}
		engine_ordered.status(node->engine, &status);
		text_add(&trace->out,
			"    %c is %s, term %lu; log:", (char)('A' + i),
			role_word(status.role), status.term);
		add_log(&trace->out, net, i);
		text_add(&trace->out, "; final up to %lu; members",
			status.final);
		for (size_t m = 0; m < status.member_count; m++)
			text_add(&trace->out, " %c%s",
				letter(&status.members[m].key),
				status.members[m].role == ROLE_VOTER
					? ""
					: "(stand-by)");
		text_add(&trace->out, "\n");
	}
}
